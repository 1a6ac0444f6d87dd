import type { CellModel } from './cells.js';
import { gaussian, hash32 } from './math.js';
import type { WeakPage, WeakPolicy } from './types.js';

/** A weak cell as seen by a policy. */
interface WeakCell {
  readonly weak: WeakPage;
  /** Position in `weak.bits`. */
  readonly at: number;
}

/** Saved state of a {@link WeakReader}. */
export interface WeakReaderState {
  readonly draws: number;
  readonly seen: readonly (readonly [number, number])[];
}

/** Decides what weak cells read in one power session, by the session's policy. */
export class WeakReader {
  /** The same value at every read, so that it can be settled once into the memory image. */
  readonly stable: boolean;
  readonly #policy: WeakPolicy;
  readonly #model: CellModel;
  readonly #erased: number;
  #flipPage = -1;
  #flipBit = -1;
  #draws = 0;
  #seen = new Map<number, number>();

  /** `weak` are the weak pages at power-on: the cells that `flip` counts. */
  constructor(policy: WeakPolicy, model: CellModel, erased: number, weak: readonly WeakPage[]) {
    this.#policy = policy;
    this.#model = model;
    this.#erased = erased & 1;
    this.stable = policy.kind === 'new' || policy.kind === 'old' || policy.kind === 'flip';
    if (policy.kind === 'flip') this.#locate(policy.index, weak);
  }

  /** Value of the weak cells of byte `index` of the page laid over `base`; counts as one read of that byte. */
  readByte(weak: WeakPage, index: number, base: number, offset: number): number {
    let at = lowerBound(weak.bits, index * 8);
    if (at === weak.bits.length || weak.bits[at] >= index * 8 + 8) return base;
    const fresh = this.#policy.kind === 'unstable' && this.#first(offset, this.#policy.reads ?? 1);
    let value = base;
    for (; at < weak.bits.length && weak.bits[at] < index * 8 + 8; at++) {
      const mask = 1 << (weak.bits[at] & 7);
      value = this.#bit({ weak, at }, fresh) === 1 ? value | mask : value & ~mask;
    }
    return value;
  }

  /** State to save; see {@link restore}. */
  snapshot(): WeakReaderState {
    return { draws: this.#draws, seen: [...this.#seen] };
  }

  /** Takes a saved state back. */
  restore(state: WeakReaderState): void {
    this.#draws = state.draws;
    if (this.#seen.size > 0 || state.seen.length > 0) this.#seen = new Map(state.seen);
  }

  #bit(cell: WeakCell, fresh: boolean): number {
    const fresher = cell.weak.toErased[cell.at] === 1 ? this.#erased : this.#erased ^ 1;
    switch (this.#policy.kind) {
      case 'new': return fresher;
      case 'old': return fresher ^ 1;
      case 'flip': return this.#flipped(cell) ? fresher ^ 1 : fresher;
      case 'unstable': return fresh ? fresher : fresher ^ 1;
      case 'random': return this.#draw(cell, this.#policy.seed);
    }
  }

  #flipped(cell: WeakCell): boolean {
    const chosen = cell.weak.page === this.#flipPage && cell.weak.bits[cell.at] === this.#flipBit;
    const base = this.#policy.kind === 'flip' ? this.#policy.base ?? 'new' : 'new';
    return (base === 'old') !== chosen;
  }

  #draw(cell: WeakCell, seed: number): number {
    const word = hash32(seed, this.#draws++, cell.weak.page, cell.weak.bits[cell.at]);
    return this.#model.sense(cell.weak.charge[cell.at], gaussian(word));
  }

  #first(offset: number, reads: number): boolean {
    const seen = this.#seen.get(offset) ?? 0;
    if (seen >= reads) return false;
    this.#seen.set(offset, seen + 1);
    return true;
  }

  #locate(index: number, weak: readonly WeakPage[]): void {
    let left = index;
    for (const page of weak) {
      if (left < page.bits.length) {
        this.#flipPage = page.page;
        this.#flipBit = page.bits[left];
        return;
      }
      left -= page.bits.length;
    }
  }
}

/** Number of weak cells in a list of pages: the range of the `flip` policy's index. */
export function countWeak(weak: readonly WeakPage[]): number {
  return weak.reduce((sum, page) => sum + page.bits.length, 0);
}

function lowerBound(bits: Uint16Array, wanted: number): number {
  let low = 0;
  let high = bits.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bits[middle] < wanted) low = middle + 1; else high = middle;
  }
  return low;
}
