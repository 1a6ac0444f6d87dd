import { decodeHere, type Core } from '../cpu/core.js';
import { KIND_MASK, costOf } from '../cpu/decode.js';
import { execute } from '../cpu/interpreter.js';
import { KIND } from '../cpu/kinds.js';
import { accessSlow } from '../cpu/memory.js';
import { REASON, REASON_SHIFT, type Target } from './emitter.js';
import { flowOf, kindOf } from './flow.js';
import { HEAD, type MachineMemory } from './layout.js';
import { ModuleBuilder, baseModule } from './module.js';
import { opAt, findRegion } from './region.js';
import { CodeTranslations, Translations, compile, fingerprint, runsOf, type TranslatedUnit } from './translations.js';
import { WASM, type WasmInstance, type WasmModule, type WasmTable } from './webassembly.js';

/** How code is run: interpreted, translated at once, or translated where it is hot. */
export type EngineChoice = 'auto' | 'interpreter' | 'wasm';

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

const POLICIES: Readonly<Record<'auto' | 'wasm', Policy>> = {
  auto: { cycles: 50_000, misses: 60, starts: 200, heads: 6 },
  wasm: { cycles: 20_000, misses: 1, starts: 1, heads: 1 },
};

/**
 * First and last length of a piece of interpretation before a look at where the time goes, cycles. It grows for the
 * reason given in cpu/run.ts.
 */
const FIRST_PIECE = 500;
const LAST_PIECE = 10_000;
/** A budget below this is interpreted at once. */
const LEAST = 24;
/** Halfwords of one stretch, as a shift. */
const STRETCH = 6;
const TABLE_STEP = 64;
const DECODED_AHEAD = 64;
/** A region of this many instructions ends where another begins, or at a join that so many regions hold already. */
const SHARED_SIZE = 24;
const SHARED_BY = 2;
/** What has gone this part of the way to being hot is translated along with what is; so many at once at most. */
const WARM = 3;
const BATCH = 32;

let base: WasmModule | undefined;

/** What the engine did, for measurements. */
export interface EngineCounts {
  /** Regions translated by this machine, modules, bytes of WebAssembly. */
  regions: number;
  modules: number;
  bytes: number;
  /** Times translated code was entered. */
  entered: number;
  /** Cycles interpreted in longer pieces. */
  interpreted: number;
}

/**
 * Runs code of the code segment translated to WebAssembly, with the interpreter for everything else. To the rest of
 * the core it is another `execute`: the same state at every return, to the cycle.
 */
export class Engine {
  readonly counts: EngineCounts = { regions: 0, modules: 0, bytes: 0, entered: 0, interpreted: 0 };
  readonly #core: Core;
  readonly #memory: MachineMemory;
  readonly #translations: Translations;
  readonly #policy: Policy;
  readonly #eager: boolean;
  /** Bytes of the window that translated code may read; 0 when it lies in other memory. */
  readonly #windowSize: number;
  #enter: ((slot: number, index: number) => void) | undefined;
  #table: WasmTable | undefined;
  #target: Target | undefined;
  #code: CodeTranslations | undefined;
  #taken = 0;
  /** The decoded code with {@link KIND.TRANSLATED} where a region or a loop head is; undefined while there is none. */
  #marked: Int32Array | undefined;
  /** Halfwords that are part of some region, and counters of each halfword and each stretch. */
  #covered: Uint8Array;
  #misses: Uint16Array;
  #heat: Float64Array;
  #checked = false;
  #pieceLength = FIRST_PIECE;
  readonly #warming = new Set<number>();

  constructor(core: Core, memory: MachineMemory, choice: 'auto' | 'wasm', translations: Translations) {
    this.#core = core;
    this.#memory = memory;
    this.#translations = translations;
    this.#policy = POLICIES[choice];
    this.#eager = choice === 'wasm';
    const { u8 } = core.window;
    this.#windowSize = u8.buffer === memory.wasm.buffer && u8.byteOffset === memory.layout.window ? core.window.size : 0;
    this.#covered = new Uint8Array(0);
    this.#misses = new Uint16Array(0);
    this.#heat = new Float64Array(memory.sizes.code / 2 / (1 << STRETCH) + 1);
  }

  /** Forgets all translations: the code has changed. */
  forget(): void {
    this.#memory.map.fill(0);
    this.#target = undefined;
    this.#code = undefined;
    this.#taken = 0;
    this.#marked = undefined;
    this.#covered = new Uint8Array(0);
    this.#misses = new Uint16Array(0);
    this.#heat.fill(0);
    this.#warming.clear();
  }

  /** As `execute` of the interpreter: runs until `core.left` is used up or something needs the slow code. */
  run(core: Core): number {
    if (this.#target === undefined) this.#begin();
    for (let first = true; ; first = false) {
      if (core.left <= 0) return -1;
      if (core.seg !== core.code) return execute(core);
      const op = this.#turn(core, first);
      if (op === -1) continue;
      if (!accessSlow(core, op)) return op;
    }
  }

  /** One stay in translated code or one piece of interpretation; -1 or an instruction handed back. */
  #turn(core: Core, first: boolean): number {
    const index = core.i;
    const slot = this.#memory.map[index];
    if (slot === 0) return this.#outside(core, index, first);
    if (core.left < LEAST) return execute(core);
    return core.n === core.z ? this.#go(core, slot, index) : this.#single(core);
  }

  #outside(core: Core, index: number, first: boolean): number {
    if (core.left < LEAST) return execute(core);
    const policy = this.#policy;
    if (this.#marked !== undefined || this.#eager) {
      this.#open();
      const covered = first && this.#covered[index] !== 0;
      const bound = first ? policy.starts : policy.misses;
      if (!covered && this.#miss(index, bound) && this.#translate(index)) return -1;
    }
    return this.#interpret(core);
  }

  /** Enters translated code; comes back with the interpreter having done what it left over. */
  #go(core: Core, slot: number, index: number): number {
    const { head } = this.#memory;
    if (core.ramCodeWords !== 0 && !this.#checked) {
      this.#checked = true;
      this.forget();
      this.#begin();
      return -1;
    }
    this.counts.entered++;
    head[HEAD.ACC >> 2] = core.left;
    head[(HEAD.ACC >> 2) + 1] = core.left >> 31;
    head[HEAD.SP_WATCH >> 2] = core.spWatch;
    head[HEAD.WINDOW >> 2] = core.window.region.onRead === undefined ? this.#windowSize : 0;
    head[HEAD.RAM_CODE_FIRST >> 2] = core.ramCodeFirst;
    head[HEAD.RAM_CODE_WORDS >> 2] = core.ramCodeWords;
    head[HEAD.NZ >> 2] = core.n;
    head[HEAD.C >> 2] = core.c;
    head[HEAD.V >> 2] = core.v;
    this.#enter?.(slot, index);
    const left = head[HEAD.ACC >> 2];
    const exit = head[HEAD.EXIT >> 2];
    core.left = left;
    core.instructions -= head[(HEAD.ACC >> 2) + 1] - (left >> 31);
    core.n = core.z = head[HEAD.NZ >> 2];
    core.c = head[HEAD.C >> 2];
    core.v = head[HEAD.V >> 2];
    core.i = exit & ((1 << REASON_SHIFT) - 1);
    const reason = exit >>> REASON_SHIFT;
    if (left <= 0 || reason === REASON.MISSING) return -1;
    return reason === REASON.BUDGET ? execute(core) : this.#single(core);
  }

  /** Interprets `cycles` of the budget with the marked code or, without, the plain one. */
  #piece(core: Core, cycles: number, ops: Int32Array): number {
    const kept = Math.max(0, core.left - cycles);
    core.left -= kept;
    core.end -= kept;
    const op = execute(core, ops);
    core.left += kept;
    core.end += kept;
    return op;
  }

  /** Interprets one instruction whether it is marked or not. */
  #single(core: Core): number {
    const { ops } = core.code;
    core.force = core.left >= costOf(ops[core.i]);
    const op = this.#piece(core, 1, ops);
    core.force = false;
    return op;
  }

  #interpret(core: Core): number {
    const marked = this.#marked;
    const before = core.left;
    const op = this.#piece(core, this.#pieceLength, marked ?? core.code.ops);
    if (this.#pieceLength < LAST_PIECE) this.#pieceLength = Math.ceil(this.#pieceLength * 1.05);
    const { code } = core;
    this.counts.interpreted += before - core.left;
    const kind = op & KIND_MASK;
    if (op !== -1 && kind === KIND.TRANSLATED) {
      core.i--;
      core.instructions--;
      return this.#marking(core, core.i);
    }
    if (marked !== undefined && op !== -1 && kind === KIND.UNDECODED) return this.#decodeMarked(core, marked);
    if (op === KIND.STRADDLE && core.left >= costOf(code.ops[core.i])) return this.#single(core);
    this.#warm(core.i, before - core.left);
    return op;
  }

  /** The interpreter stands at a mark: a region, which the next turn enters, or the head of a loop. */
  #marking(core: Core, index: number): number {
    if (this.#memory.map[index] !== 0) return -1;
    if (this.#miss(index, this.#policy.heads) && this.#translate(index)) return -1;
    return this.#single(core);
  }

  /** The marked code lags behind what was decoded meanwhile. */
  #decodeMarked(core: Core, marked: Int32Array): number {
    core.i--;
    core.instructions--;
    const { ops } = core.code;
    if (ops[core.i] === KIND.UNDECODED) decodeHere(core, core.i);
    const end = Math.min(core.i + DECODED_AHEAD, ops.length);
    for (let k = core.i; k < end; k++) if (marked[k] === KIND.UNDECODED) marked[k] = ops[k];
    return -1;
  }

  /** Counts interpreted cycles where they were spent. */
  #warm(index: number, cycles: number): void {
    const stretch = index >> STRETCH;
    this.#heat[stretch] += cycles;
    if (this.#heat[stretch] < this.#policy.cycles) return;
    this.#heat[stretch] = 0;
    this.#open();
    this.#translate(this.#loopAround(index));
  }

  /** Head of the innermost loop, in the order of addresses, round `index`; `index` itself when there is none. */
  #loopAround(index: number): number {
    const target = this.#target;
    if (target === undefined) return index;
    return this.#headBefore(target, index);
  }

  #headBefore(target: Target, index: number): number {
    const { first } = findRegion(target.source, index, { inline: false, stopsAt: () => false });
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

  /** Prepares for the current code; takes over what others have translated for it. */
  #begin(): void {
    const core = this.#core;
    const { code } = core;
    this.#target = {
      source: { segment: code, table: core.table, multiplier: core.multiplier, callees: new Map() },
      layout: this.#memory.layout, sizes: { ...this.#memory.sizes, window: this.#windowSize }, windowBase: core.window.base, checked: this.#checked,
    };
    if (this.#translations.empty) return;
    const key = this.#key();
    if (this.#translations.has(key)) this.#open();
  }

  #key(): string {
    const { table, multiplier, code, window } = this.#core;
    const { sizes } = this.#memory;
    return [fingerprint(code.i32), table.core, multiplier, code.waitStates, sizes.code, this.#windowSize, this.#memory.layout.ram, window.base, sizes.ram, this.#checked].join(' ');
  }

  /** Everything that is needed once something is translated. */
  #open(): void {
    this.#code ??= this.#translations.of(this.#key());
    if (this.#misses.length === 0) {
      this.#misses = new Uint16Array(this.#memory.sizes.code / 2);
      this.#covered = new Uint8Array(this.#memory.sizes.code / 2);
    }
    this.#install(this.#code);
  }

  /** Instantiates the units that were added since the last time, by this machine or another. */
  #install(code: CodeTranslations): void {
    for (; this.#taken < code.units.length; this.#taken++) {
      const unit = code.units[this.#taken];
      this.#place(unit);
      this.#cover(unit.own);
      this.#cover(unit.inlined);
    }
  }

  #place(unit: TranslatedUnit): void {
    const { map } = this.#memory;
    const { ops } = this.#core.code;
    this.#instantiate(unit.module, unit.slot + unit.entries.length);
    this.#marked ??= ops.slice();
    const source = this.#target?.source;
    const mark = (index: number): void => {
      if (source !== undefined && this.#marked !== undefined && flowOf(kindOf(opAt(source, index))) !== 'back') this.#marked[index] = KIND.TRANSLATED;
    };
    unit.heads.forEach(mark);
    unit.entries.forEach((entry, k) => {
      map[entry] = unit.slot + k;
      mark(entry);
    });
  }

  #instantiate(module: WasmModule, slots: number): WasmInstance {
    const table = (this.#table ??= new WASM.Table({ initial: TABLE_STEP, element: 'anyfunc' }));
    if (table.length < slots) table.grow(Math.ceil((slots - table.length) / TABLE_STEP) * TABLE_STEP);
    const imports = { e: { m: this.#memory.wasm, t: table } };
    if (this.#enter === undefined) {
      base ??= compile(baseModule());
      this.#enter = new WASM.Instance(base, imports).exports.enter;
    }
    return new WASM.Instance(module, imports);
  }

  /** Translates the region at `index` with what it calls; false when it begins with an instruction for the interpreter. */
  #translate(index: number): boolean {
    const target = this.#target;
    const code = this.#code;
    if (target === undefined || code === undefined) return false;
    this.#install(code);
    this.#misses[index] = 0;
    if (this.#memory.map[index] !== 0) return true;
    if (flowOf(kindOf(opAt(target.source, index))) === 'back') return false;
    const builder = new ModuleBuilder(target, code.slots);
    for (const entry of this.#batch(index)) {
      if (builder.loops.has(entry) || flowOf(kindOf(opAt(target.source, entry))) === 'back') continue;
      const region = builder.add(entry, { inline: true, stopsAt: (at, size, joins) => builder.loops.has(at) || this.#stopsAt(code, at, size, joins) });
      this.#cover(runsOf(region.own));
      this.#cover(runsOf(region.inlined));
    }
    this.#add(code, builder);
    return true;
  }

  #add(code: CodeTranslations, builder: ModuleBuilder): void {
    const { regions, heads, loops, slot } = builder;
    const bytes = builder.encode();
    const unit: TranslatedUnit = {
      module: compile(bytes), slot, bytes: bytes.length, entries: regions.map(({ entry }) => entry), heads: [...heads], loops: [...loops],
      own: regions.flatMap((region) => runsOf(region.own)), inlined: regions.flatMap((region) => runsOf(region.inlined)),
    };
    code.add(unit);
    this.counts.regions += regions.length;
    this.counts.modules++;
    this.counts.bytes += bytes.length;
    this.#place(unit);
    this.#taken++;
  }

  /**
   * Regions end at loops that have one of their own, and do not hold much of what others hold already: what is
   * reached over several ways becomes a region of its own then.
   */
  #stopsAt(code: CodeTranslations, index: number, size: number, joins: boolean): boolean {
    if (code.isLoop(index)) return true;
    if (size < SHARED_SIZE) return false;
    return code.has(index) || (joins && this.#covered[index] >= SHARED_BY);
  }

  /** Counts regions over runs of halfwords. */
  #cover(runs: readonly number[]): void {
    const covered = this.#covered;
    for (let k = 0; k < runs.length; k += 2) {
      for (let index = runs[k]; index < runs[k + 1]; index++) if (covered[index] < 255) covered[index]++;
    }
  }

  /** What is translated together: `index`, and what is well on the way to being hot. */
  #batch(index: number): number[] {
    const { map } = this.#memory;
    const warm = [...this.#warming].filter((at) => at !== index && map[at] === 0);
    this.#warming.clear();
    return [index, ...warm];
  }

  /** Counts a miss; true when the place is hot now. */
  #miss(index: number, bound: number): boolean {
    const count = ++this.#misses[index];
    if (count * WARM === bound && this.#warming.size < BATCH) this.#warming.add(index);
    return count >= bound;
  }
}
