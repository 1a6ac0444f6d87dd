import { KIND_MASK, costOf, decodeAt, type Segment } from '../cpu/decode.js';
import type { CycleTable } from '../cpu/cycles.js';
import { KIND } from '../cpu/kinds.js';
import { flowOf, halvesOf, kindOf, writtenBy } from './flow.js';

/** Instructions of one region at most, those of calls taken in included. */
const REGION_BOUND = 384;
/** A callee of more instructions, or calls nested deeper, is not taken into its caller's region. */
const INLINE_BOUND = 80;
const INLINE_DEPTH = 2;
/** Bounds of a block: what is left of a budget below a block's cost is interpreted. */
const BLOCK_CYCLES = 160;
const BLOCK_COUNT = 64;
/** Above every halfword index, to number instructions by context. */
const CONTEXT_STEP = 0x1000000;

/** Code as the translator sees it: the decoded segment and what decoding needs. */
export interface Source {
  readonly segment: Segment;
  readonly table: CycleTable;
  readonly multiplier: number;
  /** Sizes of callees found so far, by entry and depth. */
  readonly callees: Map<number, number>;
}

/** A callee being followed inside its caller's region; the root has no return index. */
export interface Context {
  readonly parent: Context | undefined;
  /** Halfword index the callee is expected to return to. */
  readonly back: number;
  readonly depth: number;
  readonly id: number;
}

/** Where a block goes on: another block of the region, or a halfword index outside. */
export type Edge = { readonly block: Block } | { readonly outside: number };

/** How a block ends. */
export type Ending =
  | { readonly kind: 'goto'; readonly to: Edge; readonly cycles: number; readonly instructions: number }
  | { readonly kind: 'branch'; readonly op: number; readonly index: number; readonly taken: Edge; readonly next: Edge }
  | { readonly kind: 'computed'; readonly op: number; readonly index: number; readonly back: Edge | undefined; readonly address: number }
  | { readonly kind: 'back'; readonly index: number };

/** Instructions that are entered at the first only. */
export interface Block {
  readonly context: Context;
  readonly start: number;
  /** Halfword index and packed form, in order; without the ending's instruction, unless that is a BL. */
  readonly indices: number[];
  readonly ops: number[];
  /** Cycles of all its instructions, the ending's included (a branch as not taken). */
  cost: number;
  /** Their number. */
  count: number;
  ending: Ending;
}

/** A region: what is reached from one entry without leaving. */
export interface Region {
  readonly entry: number;
  readonly first: Block;
  readonly written: number;
  /** Entries of calls that were not taken in, and where they return to. */
  readonly calls: readonly number[];
  readonly returns: readonly number[];
  /** Runs of halfwords it holds, first and behind the last, one pair after the other: its own, and those of calls taken in. */
  readonly own: readonly number[];
  readonly inlined: readonly number[];
}

/** How far a region reaches. */
export interface Reach {
  /** Small callees are followed: a callee's return is then tested against the place it was called from. */
  readonly inline: boolean;
  /**
   * True for an index at which the region ends because another one takes over there; `size` is the number of
   * instructions so far, `joins` says that a branch leads there.
   */
  stopsAt(index: number, size: number, joins: boolean): boolean;
}

/** The packed instruction at `index`, decoded if need be. */
export function opAt(source: Source, index: number): number {
  const { segment } = source;
  if (segment.ops[index] === KIND.UNDECODED) decodeAt(segment, index, source.table, source.multiplier);
  return segment.ops[index];
}

/** Cycles of a packed instruction where it stands: its fixed cost and the wait of a literal. */
export function fullCost(source: Source, op: number): number {
  return costOf(op) + ((op & KIND_MASK) === KIND.LDR_LIT ? source.segment.waitStates : 0);
}

/** Halfword index a direct branch at `index` goes to. */
export function targetOf(op: number, index: number): number {
  return index + 1 + (op >> 12);
}

/** Wait states of the first fetch behind a branch to `index`. */
export function fetchWait(source: Source, index: number): number {
  return (index & 1) * source.segment.waitStates;
}

/** True for the instructions that a callee returns by. */
function returns(kind: number): boolean {
  return kind === KIND.BX || kind === KIND.POP_PC;
}

/** Instructions of the callee at `entry` with all it calls; Infinity when it cannot be followed as a whole. */
function calleeSize(source: Source, entry: number, depth: number): number {
  if (depth > INLINE_DEPTH) return Infinity;
  const key = entry * (INLINE_DEPTH + 1) + depth;
  const known = source.callees.get(key);
  if (known !== undefined) return known;
  const size = measureCallee(source, entry, depth);
  source.callees.set(key, size);
  return size;
}

function measureCallee(source: Source, entry: number, depth: number): number {
  const seen = new Set<number>();
  const queue = [entry];
  let nested = 0;
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    for (let index = at; !seen.has(index); ) {
      if (seen.size + nested > INLINE_BOUND) return Infinity;
      seen.add(index);
      const op = opAt(source, index);
      const flow = flowOf(kindOf(op));
      if (flow === 'back') break;
      if (flow === 'call') nested += calleeSize(source, targetOf(op, index), depth + 1);
      else if ((writtenBy(op) & (1 << 14)) !== 0) return Infinity;
      if (flow === 'computed') break;
      if (flow === 'conditional') queue.push(targetOf(op, index));
      index = flow === 'jump' ? targetOf(op, index) : index + halvesOf(kindOf(op));
    }
  }
  return seen.size + nested;
}

/** Runs of consecutive numbers: first and behind the last, one pair after the other. */
function runsOf(indices: readonly number[]): number[] {
  const runs: number[] = [];
  for (const index of Int32Array.from(indices).sort()) {
    const last = runs.length - 1;
    if (runs[last] === index) runs[last] = index + 1;
    else if (last < 0 || runs[last] < index) runs.push(index, index + 1);
  }
  return runs;
}

/** Finds the region of an entry: which instructions it holds, where its blocks begin and how they go on. */
class Discovery {
  readonly #source: Source;
  readonly #reach: Reach;
  readonly #contexts = new Map<string, Context>();
  readonly #seen = new Map<number, Context>();
  readonly #leaders = new Set<number>();
  readonly #blocks = new Map<number, Block>();
  readonly #calls = new Set<number>();
  readonly #returns = new Set<number>();
  #written = 0;

  constructor(source: Source, reach: Reach) {
    this.#source = source;
    this.#reach = reach;
  }

  region(entry: number): Region {
    const root: Context = { parent: undefined, back: -1, depth: 0, id: 0 };
    this.#walk(root, entry);
    const first = this.#blockAt(root, entry);
    const own: number[] = [];
    const taken: number[] = [];
    for (const key of this.#seen.keys()) {
      if (key < CONTEXT_STEP) own.push(key);
      else taken.push(key % CONTEXT_STEP);
    }
    return { entry, first, written: this.#written, calls: [...this.#calls], returns: [...this.#returns], own: runsOf(own), inlined: runsOf(taken) };
  }

  #stops(context: Context, index: number, joins: boolean): boolean {
    return context.parent === undefined && this.#seen.size > 0 && this.#reach.stopsAt(index, this.#seen.size, joins);
  }

  #key(context: Context, index: number): number {
    return context.id * CONTEXT_STEP + index;
  }

  #callee(context: Context, index: number, target: number): Context | undefined {
    const name = `${context.id}:${index}`;
    const known = this.#contexts.get(name);
    if (known !== undefined || !this.#reach.inline || context.depth >= INLINE_DEPTH) return known;
    if (this.#seen.size + calleeSize(this.#source, target, context.depth + 1) > REGION_BOUND) return undefined;
    const made = { parent: context, back: index + 2, depth: context.depth + 1, id: this.#contexts.size + 1 };
    this.#contexts.set(name, made);
    return made;
  }

  #walk(root: Context, entry: number): void {
    const queue: [Context, number][] = [[root, entry]];
    this.#leaders.add(this.#key(root, entry));
    const lead = (context: Context, index: number): void => {
      const key = this.#key(context, index);
      if (!this.#leaders.has(key)) {
        this.#leaders.add(key);
        queue.push([context, index]);
      }
    };
    for (let k = 0; k < queue.length; k++) {
      const [context, start] = queue[k];
      this.#run(context, start, lead);
    }
  }

  /** Goes straight on from a leader until the course splits, joins or leaves. */
  #run(context: Context, start: number, lead: (context: Context, index: number) => void): void {
    for (let index = start; ; ) {
      const key = this.#key(context, index);
      if (this.#seen.has(key)) {
        this.#leaders.add(key);
        return;
      }
      if (this.#seen.size >= REGION_BOUND || this.#stops(context, index, index === start)) return;
      const op = opAt(this.#source, index);
      const kind = kindOf(op);
      const flow = flowOf(kind);
      if (flow === 'call' && this.#isForTheNext(context, op, index)) return;
      this.#seen.set(key, context);
      if (flow === 'back') return;
      this.#written |= writtenBy(op);
      if (flow === 'plain') {
        index += halvesOf(kind);
        continue;
      }
      if (flow === 'jump' || flow === 'conditional') lead(context, targetOf(op, index));
      if (flow === 'conditional') lead(context, index + 1);
      if (flow === 'call') this.#call(context, op, index, lead);
      if (returns(kind) && context.parent !== undefined) lead(context.parent, context.back);
      return;
    }
  }

  /** A call that could be taken in, but not here any more: the next region, which begins with it, takes it in. */
  #isForTheNext(context: Context, op: number, index: number): boolean {
    if (context.parent !== undefined || !this.#reach.inline || this.#seen.size === 0) return false;
    if (this.#contexts.has(`${context.id}:${index}`)) return false;
    const size = calleeSize(this.#source, targetOf(op, index), context.depth + 1);
    return size < REGION_BOUND && this.#seen.size + size > REGION_BOUND;
  }

  #call(context: Context, op: number, index: number, lead: (context: Context, index: number) => void): void {
    const target = targetOf(op, index);
    const callee = this.#callee(context, index, target);
    if (callee !== undefined) {
      lead(callee, target);
      return;
    }
    this.#calls.add(target);
    this.#returns.add(index + 2);
  }

  #edge(context: Context, index: number): Edge {
    return this.#seen.has(this.#key(context, index)) ? { block: this.#blockAt(context, index) } : { outside: index };
  }

  #blockAt(context: Context, start: number): Block {
    const key = this.#key(context, start);
    const known = this.#blocks.get(key);
    if (known !== undefined) return known;
    const block: Block = { context, start, indices: [], ops: [], cost: 0, count: 0, ending: { kind: 'back', index: start } };
    this.#blocks.set(key, block);
    this.#fill(block);
    return block;
  }

  #fill(block: Block): void {
    const { context, start } = block;
    for (let index = start; ; ) {
      const key = this.#key(context, index);
      const full = block.count >= BLOCK_COUNT || block.cost >= BLOCK_CYCLES;
      if (index !== start && (full || this.#leaders.has(key) || !this.#seen.has(key))) {
        block.ending = { kind: 'goto', to: this.#edge(context, index), cycles: 0, instructions: 0 };
        return;
      }
      const op = opAt(this.#source, index);
      const flow = flowOf(kindOf(op));
      if (flow === 'back') {
        block.ending = { kind: 'back', index };
        return;
      }
      block.cost += fullCost(this.#source, op);
      block.count++;
      if (flow !== 'plain') {
        this.#end(block, op, index);
        return;
      }
      block.indices.push(index);
      block.ops.push(op);
      index += halvesOf(kindOf(op));
    }
  }

  #end(block: Block, op: number, index: number): void {
    const { context } = block;
    const kind = kindOf(op);
    if (kind === KIND.B || kind === KIND.BL) {
      const target = targetOf(op, index);
      const wait = fetchWait(this.#source, target);
      block.cost += wait;
      if (kind === KIND.BL) {
        block.indices.push(index);
        block.ops.push(op);
      }
      const callee = kind === KIND.B ? context : this.#contexts.get(`${context.id}:${index}`);
      const to = callee === undefined ? { outside: target } : this.#edge(callee, target);
      const own = kind === KIND.B ? fullCost(this.#source, op) : 0;
      block.ending = { kind: 'goto', to, cycles: own + wait, instructions: kind === KIND.B ? 1 : 0 };
    } else if (flowOf(kind) === 'conditional') {
      block.ending = { kind: 'branch', op, index, taken: this.#edge(context, targetOf(op, index)), next: this.#edge(context, index + 1) };
    } else {
      const { parent, back } = context;
      const edge = parent === undefined || !returns(kind) ? undefined : this.#edge(parent, back);
      block.ending = { kind: 'computed', op, index, back: edge, address: (this.#source.segment.base + back * 2) | 1 };
    }
  }
}

/** The region of `entry`. */
export function findRegion(source: Source, entry: number, reach: Reach): Region {
  return new Discovery(source, reach).region(entry);
}
