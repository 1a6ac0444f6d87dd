import type { EngineChoice } from './engine.js';
import { findRegion, type Source } from './region.js';

/** When something counts as hot. */
interface Policy {
  /** Interpreted cycles in one stretch of code before it is translated. */
  readonly cycles: number;
  /** Times translated code found no region at a place it wanted to go on at. */
  readonly misses: number;
  /** The same for a place at which a slice began. */
  readonly starts: number;
  /** Times the interpreter came by the head of a loop inside a region. */
  readonly heads: number;
}

const POLICIES: Readonly<Record<Exclude<EngineChoice, 'interpreter'>, Policy>> = {
  auto: { cycles: 25_000, misses: 60, starts: 200, heads: 40 },
  wasm: { cycles: 20_000, misses: 1, starts: 1, heads: 1 },
};

/** Halfwords of one stretch, as a shift. */
const STRETCH = 6;
/** What has gone this part of the way to being hot is translated along with what is; so many at once at most. */
const WARM = 3;
const BATCH = 32;
/** Cycles of translated code after which visits are counted anew: what comes by more rarely is not worth translating. */
const ERA = 50e6;

/** Counts where the time goes, and says when a place is hot. */
export class Hotness {
  readonly policy: Policy;
  readonly #counts: Uint16Array;
  readonly #cycles: Float64Array;
  readonly #warming = new Set<number>();
  #age = 0;

  /** For code of so many halfwords. */
  constructor(choice: Exclude<EngineChoice, 'interpreter'>, halfwords: number) {
    this.policy = POLICIES[choice];
    this.#counts = new Uint16Array(halfwords);
    this.#cycles = new Float64Array((halfwords >> STRETCH) + 1);
  }

  /** Starts anew. */
  clear(): void {
    this.#counts.fill(0);
    this.#cycles.fill(0);
    this.#warming.clear();
  }

  /** Tells that translated code has run for so many cycles. */
  grow(cycles: number): void {
    this.#age += cycles;
    if (this.#age < ERA) return;
    this.#age = 0;
    this.#counts.fill(0);
    this.#warming.clear();
  }

  /** Counts one visit of a place; true when it has become hot, and counting starts anew. */
  visit(index: number, bound: number): boolean {
    const count = ++this.#counts[index];
    if (count * WARM === bound && this.#warming.size < BATCH) this.#warming.add(index);
    if (count < bound) return false;
    this.#counts[index] = 0;
    return true;
  }

  /** Counts interpreted cycles; true when their stretch has become hot, and counting starts anew. */
  spend(index: number, cycles: number): boolean {
    const stretch = index >> STRETCH;
    this.#cycles[stretch] += cycles;
    if (this.#cycles[stretch] < this.policy.cycles) return false;
    this.#cycles[stretch] = 0;
    return true;
  }

  /** Places well on the way to being hot; each is given once. */
  takeWarm(): number[] {
    const warm = [...this.#warming];
    this.#warming.clear();
    return warm;
  }
}

/** Head of the innermost loop, in the order of addresses, round `index`; `index` itself when there is none. */
export function loopAround(source: Source, index: number): number {
  const { first } = findRegion(source, index, { inline: false, stopsAt: () => false });
  const seen = new Set([first]);
  let head = -1;
  for (const block of seen) {
    const { ending } = block;
    const edges = ending.kind === 'goto' ? [ending.to] : ending.kind === 'branch' ? [ending.taken, ending.next] : [];
    for (const edge of edges) {
      if (!('block' in edge)) continue;
      seen.add(edge.block);
      const to = edge.block.start;
      if (to <= index && to > head && block.start >= to) head = to;
    }
  }
  return head < 0 ? index : head;
}
