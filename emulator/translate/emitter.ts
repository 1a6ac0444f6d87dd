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

/**
 * Numbers of a translated function's locals: packed budget, index to go on at (with a reason: exit word), r0 to r14,
 * flags; operands and result of the last addition or subtraction, what was last shifted; scratch.
 */
export const LOCAL = { ACC: 0, NEXT: 1, R: 2, NZ: 17, C: 18, V: 19, A: 20, B: 21, X: 22, S: 23, T: 24, U: 25, O: 26, LAST: 26 } as const;

/** Why translated code came back: no region there, budget used up, or an instruction for the interpreter. */
export const REASON = { MISSING: 0, BUDGET: 1, BACK: 2 } as const;
/** Bits of the exit word below the reason. */
export const REASON_SHIFT = 28;

/** Flag bits of a liveness mask: C and V are computed only when somebody can see them; N and Z always. */
export const FLAG = { C: 1, V: 2, BOTH: 3 } as const;

/** Where C or V is: in its local, or to be computed from A, B and X; C also from a bit of S (SHIFTED plus its number). */
export const PENDING = { NONE: 0, ADD: 1, SUBTRACT: 2, CARRY: 3, SHIFTED: 32 } as const;

/** A label that code can branch to: a graph node's loop or follow-up, the common exit, or none. */
export interface Label {
  readonly kind: 'loop' | 'follow' | 'exit' | 'plain';
  readonly node: unknown;
}

/** What is known at a place in the code, at translation time. */
export interface Knowledge {
  readonly known: (number | undefined)[];
  readonly pendingC: number;
  readonly pendingV: number;
  readonly compared: boolean;
  readonly owedCycles: number;
  readonly owedCount: number;
  readonly frame: Frame | undefined;
}

/** Bytes round SP that are known to be RAM: from `low` up to `high`, counted from SP. What lies between two bytes of RAM is RAM. */
export interface Frame {
  readonly low: number;
  readonly high: number;
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
  /** Cycles of the block behind the current instruction. */
  rest = 0;
  /** Set behind an instruction that always leaves. */
  dead = false;
  pendingC: number = PENDING.NONE;
  pendingV: number = PENDING.NONE;
  /** True while A and B hold the operands of the comparison that N and Z come from. */
  compared = false;
  /** Cycles and instructions done that the packed budget has not been charged yet. */
  owedCycles = 0;
  owedCount = 0;
  #frame: Frame | undefined;
  #known: (number | undefined)[] = new Array<number | undefined>(15).fill(undefined);

  /** `written`: mask of the registers the region writes. */
  constructor(target: Target, written: number) {
    this.target = target;
    this.written = written;
  }

  /** What is known here, to come back to. */
  save(): Knowledge {
    const { pendingC, pendingV, compared, owedCycles, owedCount } = this;
    return { known: this.#known.slice(), pendingC, pendingV, compared, owedCycles, owedCount, frame: this.#frame };
  }

  /** Goes back to a place where that was known. */
  restore(state: Knowledge): void {
    this.#known = state.known.slice();
    this.pendingC = state.pendingC;
    this.pendingV = state.pendingV;
    this.compared = state.compared;
    this.owedCycles = state.owedCycles;
    this.owedCount = state.owedCount;
    this.#frame = state.frame;
    this.dead = false;
  }

  /** Forgets what was known: a place where paths join. */
  forget(): void {
    this.#known.fill(undefined);
    this.pendingC = this.pendingV = PENDING.NONE;
    this.compared = false;
    this.owedCycles = this.owedCount = 0;
    this.#frame = undefined;
    this.dead = false;
  }

  /** Moves behind an instruction. */
  passed(op: number): void {
    const cost = fullCost(this.target.source, op);
    this.rest -= cost;
    this.owe(cost, 1);
  }

  /** Owes more. */
  owe(cycles: number, instructions: number): void {
    this.owedCycles += cycles;
    this.owedCount += instructions;
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

  /** Pops into register `r`; `keep` leaves the value on the stack. */
  set(r: number, keep = false): void {
    if ((this.written & (1 << r)) === 0) throw new RangeError(`r${r} is written by an instruction that is not said to write it`);
    this.used |= 1 << r;
    this.#known[r] = undefined;
    if (r === 13) this.#frame = undefined;
    if (keep) this.code.tee(LOCAL.R + r);
    else this.code.set(LOCAL.R + r);
  }

  /** Pops a new SP, `by` bytes above the old one. */
  setSp(by: number): void {
    const frame = this.#frame;
    this.set(13);
    if (frame !== undefined) this.#frame = { low: frame.low - by, high: frame.high - by };
  }

  /** True where the `size` bytes from `offset` above SP on are known to be RAM. */
  inFrame(offset: number, size: number): boolean {
    return this.#frame !== undefined && offset >= this.#frame.low && offset + size <= this.#frame.high;
  }

  /** From here on the `size` bytes from `offset` above SP on are known to be RAM. */
  knowFrame(offset: number, size: number): void {
    const { low, high } = this.#frame ?? { low: offset, high: offset + size };
    this.#frame = { low: Math.min(low, offset), high: Math.max(high, offset + size) };
  }

  /** Makes register `r` a constant. */
  setKnown(r: number, value: number): void {
    this.code.i32(value);
    this.set(r);
    this.#known[r] = value | 0;
  }

  /** Pushes a flag local as it is. */
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

  /** Pops N and Z. Whoever sets them says what A and B then hold. */
  setNz(compared: boolean): void {
    this.setFlag(LOCAL.NZ);
    this.compared = compared;
  }

  /** C and V come from A, B and X from now on. */
  setPending(kind: number): void {
    this.pendingC = this.pendingV = kind;
  }

  /** Pops C. */
  setC(): void {
    this.setFlag(LOCAL.C);
    this.pendingC = PENDING.NONE;
  }

  /** Pushes C: 0 or 1. */
  pushC(): void {
    const { code, pendingC } = this;
    if (pendingC === PENDING.NONE) this.flag(LOCAL.C);
    else if (pendingC === PENDING.ADD) this.#two(LOCAL.X, LOCAL.A, OP.I32_LT_U);
    else if (pendingC === PENDING.SUBTRACT) this.#two(LOCAL.A, LOCAL.B, OP.I32_GE_U);
    else if (pendingC === PENDING.CARRY) this.#carryOut();
    else {
      code.get(LOCAL.S);
      this.with(pendingC - PENDING.SHIFTED, OP.I32_SHR_U);
      this.with(1, OP.I32_AND);
    }
  }

  #two(a: number, b: number, opcode: number): void {
    this.code.get(a);
    this.code.get(b);
    this.op(opcode);
  }

  /** Carry of an addition with carry: the majority of both top bits and the complement of the sum's. */
  #carryOut(): void {
    this.#two(LOCAL.A, LOCAL.B, OP.I32_AND);
    this.#two(LOCAL.A, LOCAL.B, OP.I32_OR);
    this.code.get(LOCAL.X);
    this.with(-1, OP.I32_XOR);
    this.op(OP.I32_AND);
    this.op(OP.I32_OR);
    this.with(31, OP.I32_SHR_U);
  }

  /** Pushes V: its sign counts. */
  pushV(): void {
    if (this.pendingV === PENDING.NONE) {
      this.flag(LOCAL.V);
      return;
    }
    const isDifference = this.pendingV === PENDING.SUBTRACT;
    this.#two(LOCAL.A, LOCAL.X, OP.I32_XOR);
    this.#two(LOCAL.B, isDifference ? LOCAL.A : LOCAL.X, OP.I32_XOR);
    this.op(OP.I32_AND);
  }

  /** Computes those of C and V in `mask` that are still to be computed. */
  settleFlags(mask: number = FLAG.BOTH): void {
    if ((mask & FLAG.C) !== 0 && this.pendingC !== PENDING.NONE) {
      this.pushC();
      this.setC();
    }
    if ((mask & FLAG.V) === 0 || this.pendingV === PENDING.NONE) return;
    this.pushV();
    this.setFlag(LOCAL.V);
    this.pendingV = PENDING.NONE;
  }

  /** Charges what is owed. */
  settleCharge(): void {
    this.charge(pack(this.owedCycles, this.owedCount));
    this.owedCycles = this.owedCount = 0;
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
    let at = this.labels.length - 1;
    while (at >= 0 && (this.labels[at].kind !== kind || this.labels[at].node !== node)) at--;
    if (at < 0) throw new RangeError(`no ${kind} label is open here`);
    this.code.byte(OP.BR);
    this.code.unsigned(this.labels.length - 1 - at);
  }

  /** Takes from the packed budget. */
  charge(packed: number): void {
    if (packed === 0) return;
    this.code.get(LOCAL.ACC);
    this.code.i64(packed);
    this.op(OP.I64_SUB);
    this.code.set(LOCAL.ACC);
  }

  /** Pushes whether fewer than `cycles` are left of the packed budget. */
  short(cycles: number): void {
    this.code.get(LOCAL.ACC);
    this.op(OP.I32_WRAP_I64);
    this.with(cycles, OP.I32_LT_S);
  }

  /** Leaves before the instruction at `index`, everything settled. */
  leave(index: number, reason: number): void {
    const { pendingC, pendingV, owedCycles, owedCount } = this;
    this.settleFlags();
    this.settleCharge();
    this.code.i32(index | (reason << REASON_SHIFT));
    this.code.set(LOCAL.NEXT);
    this.branch('exit');
    this.pendingC = pendingC;
    this.pendingV = pendingV;
    this.owedCycles = owedCycles;
    this.owedCount = owedCount;
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

  /** Leaves before `index` if the SP on the stack, kept in T, is below the watch mark. */
  watchStack(index: number): void {
    this.code.tee(LOCAL.T);
    this.code.i32(0);
    this.code.memory(OP.I32_LOAD, HEAD.SP_WATCH);
    this.op(OP.I32_LT_S);
    this.leaveIf(index);
  }

  /** Leaves before `index` if one of the `words` from RAM offset O on holds decoded code. */
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
