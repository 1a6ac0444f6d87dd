import type { Core } from '../cpu/core.js';
import { decodeHere } from '../cpu/core.js';
import { KIND } from '../cpu/kinds.js';
import type { Target } from './emitter.js';
import { flowOf, kindOf } from './flow.js';
import type { MachineMemory } from './layout.js';
import { ModuleBuilder, baseModule } from './module.js';
import { opAt } from './region.js';
import { compile, type CodeTranslations, type TranslatedUnit } from './translations.js';
import { WASM, type WasmModule, type WasmTable } from './webassembly.js';

const TABLE_STEP = 64;
const DECODED_AHEAD = 64;
/** A region of this many instructions ends where another begins, or at a join that so many regions hold already. */
const SHARED_SIZE = 24;
const SHARED_BY = 2;

/** Compiled once for all machines. */
let base: WasmModule | undefined;

/** True when the instruction at `index` is the interpreter's: no region can begin there. */
export function isHandedBack(target: Target, index: number): boolean {
  return flowOf(kindOf(opAt(target.source, index))) === 'back';
}

/** One code's translations as a machine has them: instances, slots in the map, marks in the decoded code. */
export class Installed {
  readonly code: CodeTranslations;
  readonly target: Target;
  /** The decoded code with {@link KIND.TRANSLATED} where a region or a loop head is. */
  readonly marked: Int32Array;
  /** Number of regions that hold each halfword. */
  readonly covered: Uint8Array;
  readonly #memory: MachineMemory;
  readonly #table: WasmTable = new WASM.Table({ initial: TABLE_STEP, element: 'anyfunc' });
  readonly #imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Goes into the region of a slot, which begins at halfword `index`. */
  readonly enter: (slot: number, index: number) => void;
  #taken = 0;

  constructor(code: CodeTranslations, target: Target, memory: MachineMemory) {
    this.code = code;
    this.target = target;
    this.#memory = memory;
    const { ops, size } = target.source.segment;
    this.marked = ops.slice();
    this.covered = new Uint8Array(size / 2);
    this.#imports = { e: { m: memory.wasm, t: this.#table } };
    base ??= compile(baseModule());
    this.enter = new WASM.Instance(base, this.#imports).exports.enter;
    this.install();
  }

  /** Instantiates the units that were added since the last time, by this machine or another. */
  install(): void {
    for (; this.#taken < this.code.units.length; this.#taken++) {
      const unit = this.code.units[this.#taken];
      this.#place(unit);
      this.#cover(unit.own);
      this.#cover(unit.inlined);
    }
  }

  /** Translates the regions of `entries` that need one. @returns the module, or undefined when there is no room */
  translate(entries: readonly number[]): TranslatedUnit | undefined {
    const { code, target } = this;
    this.install();
    if (!code.roomFor(entries.length)) return undefined;
    const builder = new ModuleBuilder(target, code.slots);
    for (const entry of entries) {
      if (builder.loops.has(entry) || this.#memory.map[entry] !== 0 || isHandedBack(target, entry)) continue;
      const region = builder.add(entry, { inline: true, stopsAt: (at, size, joins) => builder.loops.has(at) || this.#stopsAt(at, size, joins) });
      this.#cover(region.own);
      this.#cover(region.inlined);
    }
    return this.#add(builder);
  }

  #add(builder: ModuleBuilder): TranslatedUnit {
    const { regions, heads, loops, slot } = builder;
    const bytes = builder.encode();
    const unit: TranslatedUnit = {
      module: compile(bytes), slot, bytes: bytes.length, entries: regions.map(({ entry }) => entry), heads: [...heads], loops: [...loops],
      own: regions.flatMap(({ own }) => own), inlined: regions.flatMap(({ inlined }) => inlined),
    };
    this.code.add(unit);
    this.#place(unit);
    this.#taken++;
    return unit;
  }

  /**
   * Regions end at loops that have one of their own, and do not hold much of what others hold already: what is
   * reached over several ways becomes a region of its own then.
   */
  #stopsAt(index: number, size: number, joins: boolean): boolean {
    if (this.code.isLoop(index)) return true;
    if (size < SHARED_SIZE) return false;
    return this.code.has(index) || (joins && this.covered[index] >= SHARED_BY);
  }

  #place(unit: TranslatedUnit): void {
    const slots = unit.slot + unit.entries.length;
    if (this.#table.length < slots) this.#table.grow(Math.ceil((slots - this.#table.length) / TABLE_STEP) * TABLE_STEP);
    new WASM.Instance(unit.module, this.#imports);
    unit.heads.forEach((head) => { this.#mark(head); });
    unit.entries.forEach((entry, k) => {
      this.#memory.map[entry] = unit.slot + k;
      this.#mark(entry);
    });
  }

  #mark(index: number): void {
    if (!isHandedBack(this.target, index)) this.marked[index] = KIND.TRANSLATED;
  }

  /** Counts regions over runs of halfwords. */
  #cover(runs: readonly number[]): void {
    const { covered } = this;
    for (let k = 0; k < runs.length; k += 2) {
      for (let index = runs[k]; index < runs[k + 1]; index++) if (covered[index] < 255) covered[index]++;
    }
  }

  /** Brings the marked code up to what is decoded at the core's place, where it was found empty. */
  catchUp(core: Core): void {
    const { ops } = core.code;
    if (ops[core.i] === KIND.UNDECODED) decodeHere(core, core.i);
    const end = Math.min(core.i + DECODED_AHEAD, ops.length);
    for (let k = core.i; k < end; k++) if (this.marked[k] === KIND.UNDECODED) this.marked[k] = ops[k];
  }
}
