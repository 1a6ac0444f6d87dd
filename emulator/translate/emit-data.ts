import { KIND } from '../cpu/kinds.js';
import { FLAG, LOCAL, PENDING, type Emitter } from './emitter.js';
import { OP } from './encoder.js';

/** Emits one instruction; `index` is its halfword index. */
export type Handler = (e: Emitter, op: number, index: number) => void;

const d = (op: number): number => (op >>> 12) & 15;
const n = (op: number): number => (op >>> 16) & 15;
const m = (op: number): number => (op >>> 20) & 15;
const immediate = (op: number): number => op >>> 20;

/** Puts the operands into A and B and leaves them on the stack. */
function operands(e: Emitter, op: number, isImmediate: boolean): void {
  e.get(n(op));
  e.code.tee(LOCAL.A);
  if (isImmediate) e.code.i32(immediate(op));
  else e.get(m(op));
  e.code.tee(LOCAL.B);
}

/** Pops the result into register `to`, where there is one, and into N and Z. */
function result(e: Emitter, to: number | undefined, compared = false): void {
  if (to !== undefined) e.set(to, true);
  e.setNz(compared);
}

function add(isImmediate: boolean, keep: boolean): Handler {
  return (e, op) => {
    operands(e, op, isImmediate);
    e.op(OP.I32_ADD);
    e.code.tee(LOCAL.X);
    result(e, keep ? d(op) : undefined);
    e.setPending(PENDING.ADD);
  };
}

function subtract(isImmediate: boolean, keep: boolean): Handler {
  return (e, op) => {
    operands(e, op, isImmediate);
    e.op(OP.I32_SUB);
    e.code.tee(LOCAL.X);
    result(e, keep ? d(op) : undefined, true);
    e.setPending(PENDING.SUBTRACT);
  };
}

/** ADC; SBC adds the complement. */
function addWithCarry(complement: boolean): Handler {
  return (e, op) => {
    e.pushC();
    e.get(n(op));
    e.code.tee(LOCAL.T);
    e.get(m(op));
    if (complement) e.with(-1, OP.I32_XOR);
    e.code.tee(LOCAL.B);
    e.op(OP.I32_ADD);
    e.op(OP.I32_ADD);
    e.code.tee(LOCAL.X);
    result(e, d(op));
    e.code.get(LOCAL.T);
    e.code.set(LOCAL.A);
    e.setPending(PENDING.CARRY);
  };
}

const negate: Handler = (e, op) => {
  e.code.i32(0);
  e.code.tee(LOCAL.A);
  e.get(n(op));
  e.code.tee(LOCAL.B);
  e.op(OP.I32_SUB);
  e.code.tee(LOCAL.X);
  result(e, d(op), true);
  e.setPending(PENDING.SUBTRACT);
};

/** Leaves C and V alone. */
function logic(opcode: number, keep: boolean, complement = false): Handler {
  return (e, op) => {
    e.get(n(op));
    e.get(m(op));
    if (complement) e.with(-1, OP.I32_XOR);
    e.op(opcode);
    result(e, keep ? d(op) : undefined);
  };
}

const moveImmediate: Handler = (e, op) => {
  e.code.i32(immediate(op));
  e.setNz(false);
  e.setKnown(d(op), immediate(op));
};

const moveFlags: Handler = (e, op) => {
  e.get(n(op));
  result(e, d(op));
};

const complement: Handler = (e, op) => {
  e.get(m(op));
  e.with(-1, OP.I32_XOR);
  result(e, d(op));
};

/** Shift by a constant 1 to 31; the carry is bit 32 - s (left) or s - 1 (right) of what was shifted. */
function shiftImmediate(opcode: number): Handler {
  return (e, op) => {
    const s = immediate(op);
    e.get(n(op));
    e.code.tee(LOCAL.S);
    e.with(s, opcode);
    result(e, d(op));
    e.pendingC = PENDING.SHIFTED + (opcode === OP.I32_SHL ? 32 - s : s - 1);
  };
}

const logicalRight32: Handler = (e, op) => {
  e.get(n(op));
  e.code.set(LOCAL.S);
  e.pendingC = PENDING.SHIFTED + 31;
  e.code.i32(0);
  result(e, d(op));
};

const arithmeticRight32: Handler = (e, op) => {
  e.get(n(op));
  e.code.tee(LOCAL.S);
  e.with(31, OP.I32_SHR_S);
  result(e, d(op));
  e.pendingC = PENDING.SHIFTED + 31;
};

/** Carry of a shift by U, 1 to 32: bit 32 - U (left) or U - 1 (right) of S. */
function carryOfShift(e: Emitter, left: boolean): void {
  e.code.get(LOCAL.S);
  if (left) {
    e.code.i32(32);
    e.code.get(LOCAL.U);
  } else {
    e.code.get(LOCAL.U);
    e.code.i32(1);
  }
  e.op(OP.I32_SUB);
  e.op(OP.I32_SHR_U);
  e.with(1, OP.I32_AND);
}

function binary(e: Emitter, opcode: number): void {
  e.code.get(LOCAL.S);
  e.code.get(LOCAL.U);
  e.op(opcode);
}

/** LSL and LSR by a register: 0 beyond 31, carry 0 beyond 32. */
function shiftedLogical(e: Emitter, opcode: number): void {
  binary(e, opcode);
  e.code.i32(0);
  e.code.get(LOCAL.U);
  e.with(32, OP.I32_LT_U);
  e.op(OP.SELECT);
  e.code.set(LOCAL.T);
  carryOfShift(e, opcode === OP.I32_SHL);
  e.code.i32(0);
  e.code.get(LOCAL.U);
  e.with(32, OP.I32_LE_U);
  e.op(OP.SELECT);
  e.setC();
}

/** ASR by a register: the sign beyond 31, in the carry too. */
function shiftedArithmetic(e: Emitter): void {
  e.code.get(LOCAL.S);
  e.code.i32(31);
  e.code.get(LOCAL.U);
  e.code.get(LOCAL.U);
  e.with(31, OP.I32_GT_U);
  e.op(OP.SELECT);
  e.op(OP.I32_SHR_S);
  e.code.set(LOCAL.T);
  carryOfShift(e, false);
  e.code.get(LOCAL.T);
  e.with(1, OP.I32_AND);
  e.code.get(LOCAL.U);
  e.with(32, OP.I32_LT_U);
  e.op(OP.SELECT);
  e.setC();
}

function rotated(e: Emitter): void {
  binary(e, OP.I32_ROTR);
  e.code.tee(LOCAL.T);
  e.with(31, OP.I32_SHR_U);
  e.setC();
}

/** A shift of S by the low byte of a register, in U, into T; by 0 it leaves value and carry alone. */
function shiftRegister(shifted: (e: Emitter) => void): Handler {
  return (e, op) => {
    e.settleFlags(FLAG.C);
    e.get(n(op));
    e.code.tee(LOCAL.S);
    e.code.set(LOCAL.T);
    e.get(m(op));
    e.with(255, OP.I32_AND);
    e.code.tee(LOCAL.U);
    e.open(OP.IF);
    shifted(e);
    e.close();
    e.code.get(LOCAL.T);
    result(e, d(op));
  };
}

/** One register to another through `body`, flags untouched. */
function unary(body: (e: Emitter) => void): Handler {
  return (e, op) => {
    e.get(m(op));
    body(e);
    e.set(d(op));
  };
}

const moveHigh: Handler = (e, op) => {
  const value = e.known(m(op));
  if (value !== undefined) {
    e.setKnown(d(op), value);
    return;
  }
  e.get(m(op));
  e.set(d(op));
};

const addHigh: Handler = (e, op) => {
  e.get(n(op));
  e.get(m(op));
  e.op(OP.I32_ADD);
  e.set(d(op));
};

/** A new SP on the stack, `by` bytes above the old one where that is known, is looked at before anything changes. */
function setWatchedSp(e: Emitter, index: number, by?: number): void {
  e.watchStack(index);
  e.code.get(LOCAL.T);
  if (by === undefined) e.set(13);
  else e.setSp(by);
}

const addSpRegister: Handler = (e, op, index) => {
  e.get(13);
  e.get(m(op));
  e.op(OP.I32_ADD);
  e.with(~3, OP.I32_AND);
  setWatchedSp(e, index);
};

const moveSpRegister: Handler = (e, op, index) => {
  e.get(m(op));
  e.with(~3, OP.I32_AND);
  setWatchedSp(e, index);
};

const subtractSpImmediate: Handler = (e, op, index) => {
  e.get(13);
  e.with(immediate(op), OP.I32_SUB);
  setWatchedSp(e, index, -immediate(op));
};

/** Address of the instruction plus 4, as an instruction that names the PC sees it. */
function pcAt(e: Emitter, index: number): number {
  return e.target.source.segment.base + index * 2 + 4;
}

const addFromPc: Handler = (e, op, index) => {
  e.get(d(op));
  e.with(pcAt(e, index), OP.I32_ADD);
  if (d(op) === 13) e.with(~3, OP.I32_AND);
  e.set(d(op));
};

/** Swaps the bytes of both halves. */
function swapHalves(e: Emitter): void {
  e.code.tee(LOCAL.O);
  e.with(0x00ff00ff, OP.I32_AND);
  e.with(8, OP.I32_SHL);
  e.code.get(LOCAL.O);
  e.with(8, OP.I32_SHR_U);
  e.with(0x00ff00ff, OP.I32_AND);
  e.op(OP.I32_OR);
}

/** Handlers of everything but memory and branches. */
export const DATA: ReadonlyMap<number, Handler> = new Map<number, Handler>([
  [KIND.MOVS_REG, moveFlags], [KIND.MOVS_IMM, moveImmediate], [KIND.MVNS, complement],
  [KIND.LSLS_IMM, shiftImmediate(OP.I32_SHL)], [KIND.LSRS_IMM, shiftImmediate(OP.I32_SHR_U)], [KIND.ASRS_IMM, shiftImmediate(OP.I32_SHR_S)],
  [KIND.LSRS_32, logicalRight32], [KIND.ASRS_32, arithmeticRight32],
  [KIND.ADDS_REG, add(false, true)], [KIND.ADDS_IMM, add(true, true)], [KIND.CMN, add(false, false)],
  [KIND.SUBS_REG, subtract(false, true)], [KIND.SUBS_IMM, subtract(true, true)],
  [KIND.CMP_REG, subtract(false, false)], [KIND.CMP_IMM, subtract(true, false)],
  [KIND.ADCS, addWithCarry(false)], [KIND.SBCS, addWithCarry(true)], [KIND.RSBS, negate],
  [KIND.ANDS, logic(OP.I32_AND, true)], [KIND.EORS, logic(OP.I32_XOR, true)], [KIND.ORRS, logic(OP.I32_OR, true)],
  [KIND.BICS, logic(OP.I32_AND, true, true)], [KIND.TST, logic(OP.I32_AND, false)],
  [KIND.MULS, logic(OP.I32_MUL, true)], [KIND.MULS_32, logic(OP.I32_MUL, true)],
  [KIND.LSLS_REG, shiftRegister((e) => { shiftedLogical(e, OP.I32_SHL); })],
  [KIND.LSRS_REG, shiftRegister((e) => { shiftedLogical(e, OP.I32_SHR_U); })],
  [KIND.ASRS_REG, shiftRegister(shiftedArithmetic)], [KIND.RORS, shiftRegister(rotated)],
  [KIND.ADD_HI, addHigh], [KIND.MOV_HI, moveHigh],
  [KIND.ADD_SP_REG, addSpRegister], [KIND.MOV_SP_REG, moveSpRegister], [KIND.SUB_SP_IMM, subtractSpImmediate],
  [KIND.ADD_FROM_PC, addFromPc],
  [KIND.MOV_FROM_PC, (e, op, index) => { e.setKnown(d(op), d(op) === 13 ? pcAt(e, index) & ~3 : pcAt(e, index)); }],
  [KIND.ADR, (e, op, index) => { e.setKnown(d(op), (pcAt(e, index) & ~3) + immediate(op)); }],
  [KIND.ADD_RD_SP, (e, op) => { e.get(13); e.with(immediate(op), OP.I32_ADD); e.set(d(op)); }],
  [KIND.ADD_SP_IMM, (e, op) => { e.get(13); e.with(immediate(op), OP.I32_ADD); e.setSp(immediate(op)); }],
  [KIND.SXTH, unary((e) => { e.op(OP.I32_EXTEND16_S); })], [KIND.SXTB, unary((e) => { e.op(OP.I32_EXTEND8_S); })],
  [KIND.UXTH, unary((e) => { e.with(0xffff, OP.I32_AND); })], [KIND.UXTB, unary((e) => { e.with(0xff, OP.I32_AND); })],
  [KIND.REV, unary((e) => { swapHalves(e); e.with(16, OP.I32_ROTL); })], [KIND.REV16, unary(swapHalves)],
  [KIND.REVSH, unary((e) => { swapHalves(e); e.op(OP.I32_EXTEND16_S); })],
  [KIND.NOP, () => undefined], [KIND.BARRIER, () => undefined],
]);
