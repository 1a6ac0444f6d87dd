import type { CellProfile } from '../profiles/schema.js';
import type { Cycles } from '../types.js';
import { exp, gaussian, mix32 } from './math.js';
import type { WeakPage } from './types.js';

const CACHED_PAGES = 1024;
const CELL_SALT = 0x43454c4c;

/** What a page holds: strong cells in `bytes`, weak ones (old value in `bytes`) listed. */
export interface PageCells {
  readonly bytes: Uint8Array;
  readonly weak: WeakPage | undefined;
}

/** An operation on one page, begun at `start`; a phase that is left out has length 0. */
export interface PageOperation {
  readonly page: number;
  readonly start: Cycles;
  readonly eraseCycles: number;
  readonly programCycles: number;
  /** What the program phase programs; undefined for erase only. */
  readonly target: Uint8Array | undefined;
  /** What the page reads when the operation goes well. */
  readonly intended: Uint8Array;
  readonly before: PageCells;
  /** Half width of the weak window in use. */
  readonly weak: number;
}

/** The cells of one chip: when each switches, and what a page holds at any moment of an operation. */
export class CellModel {
  readonly #profile: CellProfile;
  readonly #seed: number;
  readonly #pageBits: number;
  readonly #erased: number;
  readonly #moments = new Map<number, Float64Array>();

  /** `seed` is the chip's, `pageBytes` and `erased` (0x00 or 0xFF) the geometry. */
  constructor(profile: CellProfile, seed: number, pageBytes: number, erased: number) {
    this.#profile = profile;
    this.#seed = seed;
    this.#pageBits = pageBytes * 8;
    this.#erased = erased & 1;
  }

  /**
   * Switching moment of every cell of `page` as a part of the phase: mean * exp(spread * g), g standard normal by
   * (seed, page, cell). The same moment holds for erasing and programming.
   */
  moments(page: number): Float64Array {
    const known = this.#moments.get(page);
    if (known !== undefined) return known;
    if (this.#moments.size >= CACHED_PAGES) this.#moments.clear();
    const { mean, spread } = this.#profile;
    const base = mix32(mix32(this.#seed, CELL_SALT), page);
    const moments = Float64Array.from({ length: this.#pageBits }, (_, bit) => mean * exp(spread * gaussian(mix32(base, bit))));
    this.#moments.set(page, moments);
    return moments;
  }

  /** Cells of the operation's page at cycle `now`, from its start on; `before` of the operation is not changed. */
  at(op: PageOperation, now: Cycles): PageCells {
    const moments = this.moments(op.page);
    const bytes = op.before.bytes.slice();
    const weak = new WeakBuilder(op.page);
    const eraseAge = now - op.start;
    const programAge = eraseAge - op.eraseCycles;
    let previous = 0;
    for (let bit = 0; bit < this.#pageBits; bit++) {
      const value = (bytes[bit >> 3] >> (bit & 7)) & 1;
      let charge = value === this.#erased ? 1 : 0;
      let toErased = 0;
      const old = op.before.weak;
      if (old !== undefined && old.bits[previous] === bit) {
        charge = old.charge[previous];
        toErased = old.toErased[previous++];
      }
      if (op.eraseCycles > 0 && charge < 1) {
        const reached = this.#progress(moments[bit], op.eraseCycles, eraseAge, op.weak);
        if (reached > charge) { charge = reached; toErased = 1; }
      }
      if (charge > 0 && programAge >= 0 && this.#programs(op, bit)) {
        const left = 1 - this.#progress(moments[bit], op.programCycles, programAge, op.weak);
        if (left < charge) { charge = left; toErased = 0; }
      }
      if (charge > 0 && charge < 1) weak.add(bit, charge, toErased);
      const strong = charge === 1 || (charge > 0 && toErased === 0) ? this.#erased : this.#erased ^ 1;
      if (strong !== value) bytes[bit >> 3] ^= 1 << (bit & 7);
    }
    return { bytes, weak: weak.build() };
  }

  /**
   * Every cycle at which what a cut would leave of the page changes, ascending: start, each step of each cell that
   * moves, start of the program phase, end. Between two of them a cut leaves the same image.
   */
  edges(op: PageOperation): Float64Array {
    const moments = this.moments(op.page);
    const end = op.start + op.eraseCycles + op.programCycles;
    const cycles = new Set<number>([op.start, op.start + op.eraseCycles, end]);
    const weakBits = new Set(op.before.weak?.bits ?? []);
    for (let bit = 0; bit < this.#pageBits; bit++) {
      const erased = ((op.before.bytes[bit >> 3] >> (bit & 7)) & 1) === this.#erased && !weakBits.has(bit);
      if (op.eraseCycles > 0 && !erased) this.#steps(cycles, op.start, moments[bit], op.eraseCycles, op.weak);
      const charged = op.eraseCycles > 0 || erased || weakBits.has(bit);
      if (charged && this.#programs(op, bit)) this.#steps(cycles, op.start + op.eraseCycles, moments[bit], op.programCycles, op.weak);
    }
    return Float64Array.from(cycles).sort();
  }

  /** Bit a weak cell gives at one read: charge, offset and noise (standard normal) against one half. */
  sense(charge: number, noise: number): number {
    const level = charge + this.#profile.offset + this.#profile.noise * noise;
    return level > 0.5 ? this.#erased : this.#erased ^ 1;
  }

  #programs(op: PageOperation, bit: number): boolean {
    return op.target !== undefined && op.programCycles > 0 && ((op.target[bit >> 3] >> (bit & 7)) & 1) !== this.#erased;
  }

  /** Part of the way a cell has gone, 0 to 1 in `levels` steps; every cell is through at the end of the phase. */
  #progress(moment: number, phase: number, age: number, weak: number): number {
    if (age >= phase) return 1;
    const { levels } = this.#profile;
    const first = firstStep(moment, phase, weak);
    if (age < first) return 0;
    const last = lastStep(moment, phase, weak);
    if (age >= last) return 1;
    return (1 + Math.floor(((age - first) * levels) / (last - first))) / (levels + 1);
  }

  #steps(into: Set<number>, start: number, moment: number, phase: number, weak: number): void {
    const { levels } = this.#profile;
    const first = firstStep(moment, phase, weak);
    const last = lastStep(moment, phase, weak);
    for (let k = 0; k <= levels; k++) into.add(start + first + Math.ceil((k * (last - first)) / levels));
  }
}

function firstStep(moment: number, phase: number, weak: number): number {
  const part = moment * (1 - weak);
  return part < 1 ? Math.floor(part * phase) : phase;
}

function lastStep(moment: number, phase: number, weak: number): number {
  const part = moment * (1 + weak);
  return part < 1 ? Math.floor(part * phase) : phase;
}

/** Collects weak cells in ascending order. */
export class WeakBuilder {
  readonly #page: number;
  readonly #bits: number[] = [];
  readonly #charge: number[] = [];
  readonly #toErased: number[] = [];

  /** For the cells of `page`. */
  constructor(page: number) {
    this.#page = page;
  }

  /** Adds a cell; `bit` must be above all before it. */
  add(bit: number, charge: number, toErased: number): void {
    this.#bits.push(bit);
    this.#charge.push(charge);
    this.#toErased.push(toErased);
  }

  /** The page's weak cells, or undefined when there are none. */
  build(): WeakPage | undefined {
    if (this.#bits.length === 0) return undefined;
    return {
      page: this.#page,
      bits: Uint16Array.from(this.#bits),
      charge: Float64Array.from(this.#charge),
      toErased: Uint8Array.from(this.#toErased),
    };
  }
}

/** The weak cells of a page with one more (or with a new charge): it was programmed and is on its way to erased. */
export function withWeakCell(page: number, weak: WeakPage | undefined, bit: number, charge: number): WeakPage | undefined {
  const cells = new Map<number, readonly [number, number]>();
  weak?.bits.forEach((other, at) => cells.set(other, [weak.charge[at], weak.toErased[at]]));
  cells.set(bit, [charge, 1]);
  const builder = new WeakBuilder(page);
  for (const [other, [left, toErased]] of [...cells].sort(([a], [b]) => a - b)) builder.add(other, left, toErased);
  return builder.build();
}
