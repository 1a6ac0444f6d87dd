import type { Core } from '../cpu/core.js';
import { KIND_MASK, costOf } from '../cpu/decode.js';
import { execute } from '../cpu/interpreter.js';
import { KIND } from '../cpu/kinds.js';
import { accessSlow } from '../cpu/memory.js';
import { REASON, REASON_SHIFT, type Target } from './emitter.js';
import { Hotness, loopAround } from './hotness.js';
import { Installed, isHandedBack } from './installed.js';
import { HEAD, type MachineMemory } from './layout.js';
import type { Translations } from './translations.js';

/** How code is run: interpreted, translated at once, or translated where it is hot. */
export type EngineChoice = 'auto' | 'interpreter' | 'wasm';

/**
 * First and last length of a piece of interpretation before a look at where the time goes, cycles. It grows for the
 * reason given in cpu/run.ts.
 */
const FIRST_PIECE = 500;
const LAST_PIECE = 10_000;
/** A budget below this is interpreted at once. */
const LEAST = 24;

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
  readonly #hotness: Hotness;
  readonly #eager: boolean;
  /** Bytes of the window that translated code may read; 0 when it lies in other memory. */
  readonly #windowSize: number;
  #target: Target | undefined;
  /** Undefined while nothing is translated. */
  #installed: Installed | undefined;
  #checked = false;
  #pieceLength = FIRST_PIECE;

  constructor(core: Core, memory: MachineMemory, choice: Exclude<EngineChoice, 'interpreter'>, translations: Translations) {
    this.#core = core;
    this.#memory = memory;
    this.#translations = translations;
    this.#hotness = new Hotness(choice, memory.sizes.code / 2);
    this.#eager = choice === 'wasm';
    const { u8 } = core.window;
    this.#windowSize = u8.buffer === memory.wasm.buffer && u8.byteOffset === memory.layout.window ? core.window.size : 0;
  }

  /** Forgets all translations: the code has changed. */
  forget(): void {
    if (this.#target === undefined) return;
    this.#memory.map.fill(0);
    this.#target = undefined;
    this.#installed = undefined;
    this.#hotness.clear();
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
    if (core.left < LEAST) return execute(core);
    const index = core.i;
    const slot = this.#memory.map[index];
    if (slot === 0) return this.#outside(core, index, first);
    return core.n === core.z ? this.#go(core, slot, index) : this.#single(core);
  }

  /** No region begins here: it is interpreted, unless it has become hot. */
  #outside(core: Core, index: number, first: boolean): number {
    if (this.#installed === undefined && !this.#eager) return this.#interpret(core);
    const installed = this.#open();
    installed.install();
    const { starts, misses } = this.#hotness.policy;
    const covered = first && installed.covered[index] !== 0;
    if (!covered && this.#hotness.visit(index, first ? starts : misses) && this.#translate(index)) return -1;
    return this.#interpret(core);
  }

  /** Enters translated code; comes back with the interpreter having done what it left over. */
  #go(core: Core, slot: number, index: number): number {
    if (core.ramCodeWords !== 0 && !this.#checked) {
      this.#checked = true;
      this.forget();
      this.#begin();
      return -1;
    }
    this.#intoHead(core);
    this.counts.entered++;
    this.#installed?.enter(slot, index);
    const { head } = this.#memory;
    const left = head[HEAD.ACC >> 2];
    this.#hotness.grow(core.left - left);
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

  /** Puts what translated code needs into the memory they share. */
  #intoHead(core: Core): void {
    const { head } = this.#memory;
    head[HEAD.ACC >> 2] = core.left;
    head[(HEAD.ACC >> 2) + 1] = core.left >> 31;
    head[HEAD.SP_WATCH >> 2] = core.spWatch;
    head[HEAD.WINDOW >> 2] = core.window.region.onRead === undefined ? this.#windowSize : 0;
    head[HEAD.RAM_CODE_FIRST >> 2] = core.ramCodeFirst;
    head[HEAD.RAM_CODE_WORDS >> 2] = core.ramCodeWords;
    head[HEAD.NZ >> 2] = core.n;
    head[HEAD.C >> 2] = core.c;
    head[HEAD.V >> 2] = core.v;
  }

  #interpret(core: Core): number {
    const marked = this.#installed?.marked;
    const before = core.left;
    const start = core.i;
    const op = this.#piece(core, this.#pieceLength, marked ?? core.code.ops);
    if (this.#pieceLength < LAST_PIECE) this.#pieceLength = Math.ceil(this.#pieceLength * 1.05);
    const spent = before - core.left;
    this.counts.interpreted += spent;
    const kind = op & KIND_MASK;
    if (op !== -1 && (kind === KIND.TRANSLATED || (kind === KIND.UNDECODED && marked !== undefined))) {
      core.i--;
      core.instructions--;
      if (this.#hotness.spend(start, spent)) this.#translate(start);
      return kind === KIND.TRANSLATED ? this.#marking(core, core.i) : this.#catchUp(core);
    }
    if (op === KIND.STRADDLE && core.left >= costOf(core.code.ops[core.i])) return this.#single(core);
    if (this.#hotness.spend(core.i, spent)) this.#warm(core.i);
    return op;
  }

  /** The interpreter stands at a mark: a region, which the next turn enters, or the head of a loop. */
  #marking(core: Core, index: number): number {
    if (this.#memory.map[index] !== 0) return -1;
    if (this.#hotness.visit(index, this.#hotness.policy.heads) && this.#translate(index)) return -1;
    return this.#single(core);
  }

  #catchUp(core: Core): number {
    this.#installed?.catchUp(core);
    return -1;
  }

  #warm(index: number): void {
    const { target } = this.#open();
    this.#translate(loopAround(target.source, index));
  }

  /** Prepares for the current code; takes over what others have translated for it. */
  #begin(): Target {
    const core = this.#core;
    const { code, table, multiplier, window } = core;
    this.#target = {
      source: { segment: code, table, multiplier, callees: new Map() }, layout: this.#memory.layout,
      sizes: { ...this.#memory.sizes, window: this.#windowSize }, windowBase: window.base, checked: this.#checked,
    };
    const known = this.#translations.find(this.#configuration(), code.i32);
    if (known !== undefined && known.units.length > 0) this.#open();
    return this.#target;
  }

  /** All but the code itself that translated code depends on. */
  #configuration(): string {
    const { table, multiplier, code, window } = this.#core;
    const { sizes, layout } = this.#memory;
    return JSON.stringify([table.core, multiplier, code.waitStates, sizes, layout.ram, this.#windowSize, window.base, this.#checked]);
  }

  #open(): Installed {
    const target = this.#target ?? this.#begin();
    this.#installed ??= new Installed(this.#translations.of(this.#configuration(), this.#core.code.i32), target, this.#memory);
    return this.#installed;
  }

  /** Translates the region at `index` with what is about to be hot; false when none can begin there. */
  #translate(index: number): boolean {
    const installed = this.#open();
    installed.install();
    if (this.#memory.map[index] !== 0) return true;
    if (isHandedBack(installed.target, index)) return false;
    const unit = installed.translate([index, ...this.#hotness.takeWarm().filter((at) => at !== index)]);
    if (unit === undefined) return false;
    this.counts.regions += unit.entries.length;
    this.counts.modules++;
    this.counts.bytes += unit.bytes;
    return true;
  }
}
