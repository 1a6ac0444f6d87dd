import { RAM_BASE } from '../cpu/core.js';
import { KIND } from '../cpu/kinds.js';
import type { Handler } from './emit-data.js';
import { LOCAL, REASON, pack, type Emitter } from './emitter.js';
import { OP } from './encoder.js';
import { HEAD } from './layout.js';
import { fullCost } from './region.js';

interface Access {
  readonly size: 1 | 2 | 4;
  readonly opcode: number;
  /** The second part of the address is a register instead of an immediate. */
  readonly register: boolean;
}

const d = (op: number): number => (op >>> 12) & 15;
const n = (op: number): number => (op >>> 16) & 15;
const third = (op: number): number => op >>> 20;

/** The address when it is known now. */
function knownAddress(e: Emitter, op: number, register: boolean): number | undefined {
  const base = e.known(n(op));
  const offset = register ? e.known(third(op) & 15) : third(op);
  return base === undefined || offset === undefined ? undefined : (base + offset) >>> 0;
}

/** Puts the address less the first of RAM into O. */
function offsetIntoO(e: Emitter, op: number, register: boolean): void {
  if (register) {
    e.ramOffset(n(op), 0);
    e.get(third(op) & 15);
    e.op(OP.I32_ADD);
  } else e.ramOffset(n(op), third(op));
  e.code.set(LOCAL.O);
}

/** Charges the wait of a data read from code; leaves behind the instruction when the block's rest is not covered any more. */
function chargeDataWait(e: Emitter, op: number, index: number): void {
  const { source } = e.target;
  if (source.segment.waitStates === 0) return;
  const state = e.save();
  e.charge(pack(source.segment.waitStates, 0));
  e.owe(fullCost(source, op), 1);
  e.short(e.owedCycles + e.rest - fullCost(source, op));
  e.leaveIf(index + 1, REASON.BUDGET);
  e.restore(state);
}

/** Reads at the address in O into register d(op). */
function readInto(e: Emitter, op: number, opcode: number, offset: number): void {
  e.code.get(LOCAL.O);
  e.code.memory(opcode, offset);
  e.set(d(op));
}

/** Reads from the window, which a hook may have closed, or leaves. */
function readWindow(e: Emitter, op: number, index: number, { size, opcode }: Access): void {
  const { target } = e;
  if (target.sizes.window === 0) {
    e.leave(index, REASON.BACK);
    return;
  }
  e.code.get(LOCAL.O);
  e.with(target.windowBase, OP.I32_SUB);
  e.code.tee(LOCAL.O);
  if (size > 1) e.with(size >>> 1, OP.I32_ROTR);
  e.code.i32(0);
  e.code.memory(OP.I32_LOAD, HEAD.WINDOW);
  if (size > 1) e.with(size >>> 1, OP.I32_SHR_U);
  e.op(OP.I32_GE_U);
  e.leaveIf(index);
  readInto(e, op, opcode, target.layout.window);
}

/** A load whose address is not known: RAM, then code, then the window, or leave. */
function loadAnywhere(e: Emitter, op: number, index: number, access: Access): void {
  const { sizes, layout } = e.target;
  offsetIntoO(e, op, access.register);
  e.code.get(LOCAL.O);
  e.fits(access.size, sizes.ram);
  e.open(OP.IF);
  readInto(e, op, access.opcode, layout.ram);
  e.op(OP.ELSE);
  e.code.get(LOCAL.O);
  e.with(RAM_BASE, OP.I32_ADD);
  e.code.tee(LOCAL.O);
  e.fits(access.size, sizes.code);
  e.open(OP.IF);
  readInto(e, op, access.opcode, layout.code);
  chargeDataWait(e, op, index);
  e.op(OP.ELSE);
  readWindow(e, op, index, access);
  e.close();
  e.close();
}

function inside(offset: number, size: number, bytes: number): boolean {
  return offset % size === 0 && offset < bytes;
}

/** A load from a known address; only the window still needs a look. */
function loadKnown(e: Emitter, op: number, index: number, access: Access, address: number): void {
  const { sizes, layout, windowBase } = e.target;
  const { size, opcode } = access;
  const ram = (address - RAM_BASE) >>> 0;
  const window = (address - windowBase) >>> 0;
  e.code.i32(inside(ram, size, sizes.ram) ? ram : address);
  e.code.set(LOCAL.O);
  if (inside(ram, size, sizes.ram)) readInto(e, op, opcode, layout.ram);
  else if (inside(address, size, sizes.code)) {
    readInto(e, op, opcode, layout.code);
    chargeDataWait(e, op, index);
  } else if (inside(window, size, sizes.window)) readWindow(e, op, index, access);
  else {
    e.leave(index, REASON.BACK);
    e.dead = true;
  }
}

/** Leaves unless `words` words from RAM offset O on are RAM; a misaligned base is not. */
function requireWords(e: Emitter, index: number, words: number): void {
  e.code.get(LOCAL.O);
  e.with(2, OP.I32_ROTR);
  e.with(e.target.sizes.ram / 4 - words, OP.I32_GT_U);
  e.leaveIf(index);
}

/**
 * Puts the address of a word at SP, less the first of RAM, into O; leaves when it is not in RAM. SP is always
 * aligned, and what SP points to is looked at once for all accesses of a frame.
 */
function frameIntoO(e: Emitter, op: number, index: number): void {
  const offset = third(op);
  offsetIntoO(e, op, false);
  if (e.inFrame(offset, 4)) return;
  requireWords(e, index, 1);
  e.knowFrame(offset, 4);
}

function load(size: 1 | 2 | 4, opcode: number, register: boolean): Handler {
  const access: Access = { size, opcode, register };
  return (e, op, index) => {
    const address = knownAddress(e, op, register);
    if (address !== undefined) loadKnown(e, op, index, access, address);
    else if (n(op) === 13) {
      frameIntoO(e, op, index);
      readInto(e, op, opcode, e.target.layout.ram);
    } else loadAnywhere(e, op, index, access);
  };
}

function store(size: 1 | 2 | 4, opcode: number, register: boolean): Handler {
  return (e, op, index) => {
    const { sizes, layout } = e.target;
    const address = knownAddress(e, op, register);
    if (address !== undefined && !inside((address - RAM_BASE) >>> 0, size, sizes.ram)) {
      e.leave(index, REASON.BACK);
      e.dead = true;
      return;
    }
    if (n(op) === 13) frameIntoO(e, op, index);
    else offsetIntoO(e, op, register);
    if (address === undefined && n(op) !== 13) {
      e.code.get(LOCAL.O);
      e.fits(size, sizes.ram);
      e.op(OP.I32_EQZ);
      e.leaveIf(index);
    }
    e.watchCode(index, 1);
    e.code.get(LOCAL.O);
    e.get(d(op));
    e.code.memory(opcode, layout.ram);
  };
}

function registersOf(list: number): number[] {
  return Array.from({ length: 8 }, (_, k) => k).filter((k) => (list & (1 << k)) !== 0);
}

/** Loads the registers from consecutive words at O. */
function loadList(e: Emitter, registers: readonly number[]): void {
  registers.forEach((r, k) => {
    e.code.get(LOCAL.O);
    e.code.memory(OP.I32_LOAD, e.target.layout.ram + 4 * k);
    e.set(r);
  });
}

function storeList(e: Emitter, registers: readonly number[]): void {
  registers.forEach((r, k) => {
    e.code.get(LOCAL.O);
    e.get(r);
    e.code.memory(OP.I32_STORE, e.target.layout.ram + 4 * k);
  });
}

function moveBase(e: Emitter, r: number, by: number): void {
  e.get(r);
  e.with(by, OP.I32_ADD);
  if (r === 13) e.setSp(by);
  else e.set(r);
}

/** Leaves unless the `words` words from `offset` above SP on, RAM offset O, are RAM. */
function requireFrame(e: Emitter, index: number, offset: number, words: number): void {
  if (e.inFrame(offset, 4 * words)) return;
  requireWords(e, index, words);
  e.knowFrame(offset, 4 * words);
}

const push: Handler = (e, op, index) => {
  const registers = [...registersOf(third(op)), ...((op & 0x10000000) !== 0 ? [14] : [])];
  const words = registers.length;
  e.ramOffset(13, -4 * words);
  e.code.set(LOCAL.O);
  requireFrame(e, index, -4 * words, words);
  e.get(13);
  e.with(-4 * words, OP.I32_ADD);
  e.watchStack(index);
  e.watchCode(index, words);
  storeList(e, registers);
  e.code.get(LOCAL.T);
  e.setSp(-4 * words);
};

const pop: Handler = (e, op, index) => {
  const registers = registersOf(third(op));
  e.ramOffset(13, 0);
  e.code.set(LOCAL.O);
  requireFrame(e, index, 0, registers.length);
  loadList(e, registers);
  moveBase(e, 13, 4 * registers.length);
};

const storeMultiple: Handler = (e, op, index) => {
  const registers = registersOf(third(op));
  e.ramOffset(n(op), 0);
  e.code.set(LOCAL.O);
  requireWords(e, index, registers.length);
  e.watchCode(index, registers.length);
  storeList(e, registers);
  moveBase(e, n(op), 4 * registers.length);
};

const loadMultiple: Handler = (e, op, index) => {
  const registers = registersOf(third(op));
  e.ramOffset(n(op), 0);
  e.code.set(LOCAL.O);
  requireWords(e, index, registers.length);
  moveBase(e, n(op), 4 * registers.length);
  loadList(e, registers);
};

const loadLiteral: Handler = (e, op) => {
  e.setKnown((op >>> 12) & 7, e.target.source.segment.i32[op >>> 15]);
};

/**
 * POP with the PC: leaves the target's halfword index in NEXT, the rest done, or leaves before the instruction when
 * the target is no code (EXC_RETURN, an even address).
 */
export function popWithPc(e: Emitter, op: number, index: number): void {
  const registers = registersOf(third(op));
  const words = registers.length + 1;
  e.ramOffset(13, 0);
  e.code.set(LOCAL.O);
  requireFrame(e, index, 0, words);
  e.code.get(LOCAL.O);
  e.code.memory(OP.I32_LOAD, e.target.layout.ram + 4 * registers.length);
  intoNext(e, index);
  loadList(e, registers);
  moveBase(e, 13, 4 * words);
}

/** Turns the Thumb address on the stack into a halfword index in NEXT; leaves before `index` when it is none in code. */
export function intoNext(e: Emitter, index: number): void {
  const { segment } = e.target.source;
  e.with((segment.base + 1) | 0, OP.I32_SUB);
  e.with(1, OP.I32_ROTR);
  e.code.tee(LOCAL.NEXT);
  e.with(segment.size >>> 1, OP.I32_GE_U);
  e.leaveIf(index);
}

/** Handlers of loads and stores. */
export const MEMORY: ReadonlyMap<number, Handler> = new Map<number, Handler>([
  [KIND.LDR_LIT, loadLiteral],
  [KIND.LDR_REG, load(4, OP.I32_LOAD, true)], [KIND.LDR_IMM, load(4, OP.I32_LOAD, false)],
  [KIND.LDRH_REG, load(2, OP.I32_LOAD16_U, true)], [KIND.LDRH_IMM, load(2, OP.I32_LOAD16_U, false)],
  [KIND.LDRB_REG, load(1, OP.I32_LOAD8_U, true)], [KIND.LDRB_IMM, load(1, OP.I32_LOAD8_U, false)],
  [KIND.LDRSH_REG, load(2, OP.I32_LOAD16_S, true)], [KIND.LDRSB_REG, load(1, OP.I32_LOAD8_S, true)],
  [KIND.STR_REG, store(4, OP.I32_STORE, true)], [KIND.STR_IMM, store(4, OP.I32_STORE, false)],
  [KIND.STRH_REG, store(2, OP.I32_STORE16, true)], [KIND.STRH_IMM, store(2, OP.I32_STORE16, false)],
  [KIND.STRB_REG, store(1, OP.I32_STORE8, true)], [KIND.STRB_IMM, store(1, OP.I32_STORE8, false)],
  [KIND.PUSH, push], [KIND.POP, pop], [KIND.STM, storeMultiple], [KIND.LDM, loadMultiple],
]);
