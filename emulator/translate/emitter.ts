import { RAM_BASE } from '../cpu/core.js';
import { fullCost, type Source } from './region.js';
import { Code, OP, TYPE } from './encoder.js';
import { HEAD, type Layout, type Sizes } from './layout.js';

/** What a region is translated for. */
export interface Target {
  readonly source: Source;
  readonly layout: Layout;
  readonly sizes: Sizes;
  readonly windowBase: number;
  /** Stores look out for decoded code in RAM. */
  readonly checked: boolean;
}

/** Numbers of a translated function's locals: packed budget, index to go on at, exit word, r0 to r14, flags, scratch. */
export const LOCAL = { ACC: 0, NEXT: 1, EXIT: 2, R: 3, NZ: 18, C: 19, V: 20, A: 21, B: 22, X: 23, O: 24, LAST: 24 } as const;

/** Why translated code came back: no region there, budget used up, or an instruction for the interpreter. */
export const REASON = { MISSING: 0, BUDGET: 1, BACK: 2 } as const;
/** Bits of the exit word below the reason. */
export const REASON_SHIFT = 28;

/** A label that code can branch to: a graph node's loop or follow-up, the common exits, or none. */
export interface Label {
  readonly kind: 'loop' | 'follow' | 'exit' | 'dispatch' | 'plain';
  readonly node: unknown;
}

/** Cycles and instructions as the packed budget counts them. */
export function pack(cycles: number, instructions: number): number {
  return instructions * 0x100000000 + cycles;
}

function isPowerOfTwo(value: number): boolean {
  return (value & (value - 1)) === 0;
}

/** Emits the code of one region; holds what is known at the place reached. */
export class Emitter {
  readonly code = new Code();
  readonly target: Target;
  readonly labels: Label[] = [];
  /** Registers and flags that were named, bit = local - LOCAL.R. */
  used = 0;
  /** Of those, the ones that are stored at exits. */
  written: number;
  /** Cost and number of the block's instructions from the current one on. */
  restCost = 0;
  restCount = 0;
  /** Set behind an instruction that always leaves. */
  dead = false;
  /** True while A and B hold the operands of the last comparison or subtraction. */
  compared = false;
  readonly #known: (number | undefined)[] = new Array<number | undefined>(15).fill(undefined);

  /** `written`: mask of the registers the region writes. */
  constructor(target: Target, written: number) {
    this.target = target;
    this.written = written;
  }

  /** Forgets what was known: a place where paths join. */
  enterBlock(cost: number, count: number): void {
    this.#known.fill(undefined);
    this.compared = false;
    this.dead = false;
    this.restCost = cost;
    this.restCount = count;
  }

  /** Moves behind an instruction. */
  passed(op: number): void {
    this.restCost -= fullCost(this.target.source, op);
    this.restCount--;
  }

  /** Value of register `r` where it is a known constant. */
  known(r: number): number | undefined {
    return this.#known[r];
  }

  /** Pushes register `r`. */
  get(r: number): void {
    const value = this.#known[r];
    if (value !== undefined) {
      this.code.i32(value);
      return;
    }
    this.used |= 1 << r;
    this.code.get(LOCAL.R + r);
  }

  /** Pops into register `r`. */
  set(r: number): void {
    if ((this.written & (1 << r)) === 0) throw new RangeError(`r${r} is written by an instruction that is not said to write it`);
    this.used |= 1 << r;
    this.#known[r] = undefined;
    this.code.set(LOCAL.R + r);
  }

  /** Makes register `r` a constant. */
  setKnown(r: number, value: number): void {
    this.code.i32(value);
    this.set(r);
    this.#known[r] = value | 0;
  }

  /** Pushes a flag local. */
  flag(local: number): void {
    this.used |= 1 << (local - LOCAL.R);
    this.code.get(local);
  }

  /** Pops into a flag local. */
  setFlag(local: number): void {
    this.used |= 1 << (local - LOCAL.R);
    this.written |= 1 << (local - LOCAL.R);
    this.code.set(local);
  }

  /** One opcode. */
  op(opcode: number): void {
    this.code.byte(opcode);
  }

  /** A constant and an opcode on it. */
  with(value: number, opcode: number): void {
    this.code.i32(value);
    this.code.byte(opcode);
  }

  /** Opens `if`, `block` or `loop` without a value. */
  open(opcode: number, label: Label = { kind: 'plain', node: undefined }): void {
    this.code.byte(opcode);
    this.code.byte(TYPE.VOID);
    this.labels.push(label);
  }

  /** Closes the innermost. */
  close(): void {
    this.code.byte(OP.END);
    this.labels.pop();
  }

  /** Branches to the label of that kind and node. */
  branch(kind: Label['kind'], node?: unknown): void {
    const at = this.labels.findLastIndex((label) => label.kind === kind && label.node === node);
    if (at < 0) throw new RangeError(`no ${kind} label is open here`);
    this.code.byte(OP.BR);
    this.code.unsigned(this.labels.length - 1 - at);
  }

  /** Adds to the packed budget (negative: charges). */
  charge(packed: number): void {
    if (packed === 0) return;
    this.code.get(LOCAL.ACC);
    this.code.i64(packed);
    this.op(OP.I64_SUB);
    this.code.set(LOCAL.ACC);
  }

  /** Pushes whether the budget is below zero. */
  overdrawn(): void {
    this.code.get(LOCAL.ACC);
    this.op(OP.I32_WRAP_I64);
    this.with(0, OP.I32_LT_S);
  }

  /** Gives back what was charged for the current instruction and those behind it, and leaves before `index`. */
  leave(index: number, reason: number): void {
    this.charge(-pack(this.restCost, this.restCount));
    this.code.i32(index | (reason << REASON_SHIFT));
    this.code.set(LOCAL.EXIT);
    this.branch('exit');
  }

  /** Leaves before `index` if the condition on the stack holds. */
  leaveIf(index: number, reason: number = REASON.BACK): void {
    this.open(OP.IF);
    this.leave(index, reason);
    this.close();
  }

  /** Replaces an offset on the stack by whether an aligned access of `size` bytes fits into `bytes`. */
  fits(size: number, bytes: number): void {
    if (isPowerOfTwo(bytes)) {
      this.with(~(bytes - 1) | (size - 1), OP.I32_AND);
      this.op(OP.I32_EQZ);
      return;
    }
    if (size > 1) this.with(size >>> 1, OP.I32_ROTR);
    this.with(Math.floor(bytes / size), OP.I32_LT_U);
  }

  /** Leaves before `index` if the SP on the stack, kept in X, is below the watch mark. */
  watchStack(index: number): void {
    this.code.tee(LOCAL.X);
    this.code.i32(0);
    this.code.memory(OP.I32_LOAD, HEAD.SP_WATCH);
    this.op(OP.I32_LT_S);
    this.leaveIf(index);
  }

  /** Leaves before `index` if the word at RAM offset O, or one of the `words` from there on, holds decoded code. */
  watchCode(index: number, words: number): void {
    if (!this.target.checked) return;
    this.code.get(LOCAL.O);
    this.with(2, OP.I32_SHR_U);
    this.code.i32(0);
    this.code.memory(OP.I32_LOAD, HEAD.RAM_CODE_FIRST);
    this.op(OP.I32_SUB);
    this.with(words - 1, OP.I32_ADD);
    this.code.i32(0);
    this.code.memory(OP.I32_LOAD, HEAD.RAM_CODE_WORDS);
    this.with(words - 1, OP.I32_ADD);
    this.op(OP.I32_LT_U);
    this.leaveIf(index);
  }

  /** Pushes base plus `offset` less the first address of RAM. */
  ramOffset(r: number, offset: number): void {
    this.get(r);
    this.with((offset - RAM_BASE) | 0, OP.I32_ADD);
  }
}
