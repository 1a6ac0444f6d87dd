import { classCycles, type CycleTable } from './cycles.js';
import { KIND } from './kinds.js';
import { branchOffset, findInstruction, operand, type Instruction } from './table.js';

/** Executable memory with its decoded form: one packed word and one cost per halfword. */
export interface Segment {
  readonly base: number;
  /** Bytes; a multiple of 4. */
  readonly size: number;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  /**
   * Packed instruction of each halfword, 0 where not decoded yet, and one {@link KIND.RUN_OFF} at the end.
   * Bits 0-6 kind, 7-11 cost in cycles with fetch wait states (a 32-cycle MULS: less 31); then either bits
   * 12-15 d, 16-19 n, 20-31 m, immediate or list; or bits 12-31 a signed branch distance in halfwords from the
   * next halfword; or bits 12-14 d, 15-31 a literal's word index.
   */
  readonly ops: Int32Array;
  readonly waitStates: number;
  readonly writable: boolean;
}

/** Mask of a packed instruction's kind. */
export const KIND_MASK = 127;
const COST_SHIFT = 7;
const MULS_EXCESS = 31;
/** Halfwords a packed branch can span, bytes from its segment's start a packed literal can lie. */
const BRANCH_REACH = 1 << 19;
const LITERAL_REACH = 1 << 19;

/** Fixed cost of a packed instruction in cycles. */
export function costOf(op: number): number {
  return ((op >>> COST_SHIFT) & 31) + ((op & KIND_MASK) === KIND.MULS_32 ? MULS_EXCESS : 0);
}

/** Makes an undecoded segment over `bytes` (word-aligned; the memory is shared, not copied). */
export function createSegment(base: number, bytes: Uint8Array, waitStates: number, writable: boolean): Segment {
  const { buffer, byteOffset, byteLength } = bytes;
  const ops = new Int32Array(byteLength / 2 + 1);
  ops[ops.length - 1] = KIND.RUN_OFF;
  return {
    base,
    size: byteLength,
    u8: bytes,
    u16: new Uint16Array(buffer, byteOffset, byteLength / 2),
    i32: new Int32Array(buffer, byteOffset, byteLength / 4),
    ops,
    waitStates,
    writable,
  };
}

function countBits(value: number): number {
  let count = 0;
  for (let rest = value; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** Dispatch number of ADD and MOV (register), which differ by where SP and PC appear. */
function highKind(isAdd: boolean, d: number, m: number): number {
  if (d === 15) return isAdd ? KIND.ADD_PC : KIND.MOV_PC;
  if (m === 15) return isAdd ? KIND.ADD_FROM_PC : KIND.MOV_FROM_PC;
  if (d === 13) return isAdd ? KIND.ADD_SP_REG : KIND.MOV_SP_REG;
  return isAdd ? KIND.ADD_HI : KIND.MOV_HI;
}

function packBranch(segment: Segment, index: number, offset: number, near: number, far: number): number {
  const distance = offset / 2 + 1;
  const target = index + 1 + distance;
  const inside = target >= 0 && target < segment.u16.length && Math.abs(distance) < BRANCH_REACH;
  return inside ? near | (distance << 12) : far;
}

function packConditional(segment: Segment, index: number, instruction: Instruction, half1: number): number {
  const kind = KIND[instruction.kind];
  const offset = branchOffset(instruction, half1, 0) ?? 0;
  return packBranch(segment, index, offset, kind, KIND.BCOND_FAR);
}

function packLiteral(segment: Segment, index: number, d: number, offset: number): number {
  const address = ((index * 2 + 4) & ~3) + offset;
  const inside = address + 4 <= segment.size && address < LITERAL_REACH;
  return inside ? KIND.LDR_LIT | (d << 12) | ((address >>> 2) << 15) : KIND.LDR_LIT_FAR | (d << 12) | (offset << 20);
}

function packList(instruction: Instruction, n: number, list: number): number {
  let kind: number = KIND[instruction.kind];
  if (kind === KIND.POP && (list & 0x100) !== 0) kind = KIND.POP_PC;
  return kind | (countBits(list & 0xff) << 12) | (n << 16) | (list << 20);
}

/** Packs the shapes that differ from the common one; undefined for the common one. */
function packSpecial(segment: Segment, index: number, instruction: Instruction, h1: number, h2: number): number | undefined {
  const get = (letter: string): number => operand(instruction, letter, h1, h2);
  const i = get('i');
  switch (instruction.kind) {
    case 'B':
      return packBranch(segment, index, branchOffset(instruction, h1, h2) ?? 0, KIND.B, KIND.B_FAR);
    case 'BL':
      return packBranch(segment, index, branchOffset(instruction, h1, h2) ?? 0, KIND.BL, KIND.BL_FAR);
    case 'LDR_LIT':
      return packLiteral(segment, index, get('d'), i * 4);
    case 'LSRS_IMM':
      return i === 0 ? KIND.LSRS_32 | (get('d') << 12) | (get('n') << 16) : undefined;
    case 'ASRS_IMM':
      return i === 0 ? KIND.ASRS_32 | (get('d') << 12) | (get('n') << 16) : undefined;
    case 'ADD_HI':
    case 'MOV_HI':
      return highKind(instruction.kind === 'ADD_HI', get('d'), get('m')) | (get('d') << 12) | (get('d') << 16) | (get('m') << 20);
    case 'PUSH':
    case 'POP':
    case 'LDM':
    case 'STM':
      return packList(instruction, get('n'), get('l'));
    case 'MSR':
      return KIND.MSR | (get('n') << 12) | (get('s') << 20);
    case 'MRS':
      return KIND.MRS | (get('d') << 12) | (get('s') << 20);
    default:
      return instruction.cycles === 'conditional' ? packConditional(segment, index, instruction, h1) : undefined;
  }
}

function pack(segment: Segment, index: number, instruction: Instruction, half1: number, half2: number): number {
  const special = packSpecial(segment, index, instruction, half1, half2);
  if (special !== undefined) return special;
  const { fields } = instruction;
  const get = (letter: string): number => operand(instruction, letter, half1, half2);
  const d = get('d');
  const spBased = instruction.name.endsWith('(SP)') || instruction.kind === 'ADD_RD_SP';
  const n = spBased ? 13 : fields.n !== undefined ? get('n') : d;
  const third = fields.i !== undefined ? get('i') * instruction.scale : get('m');
  return KIND[instruction.kind] | (d << 12) | (n << 16) | (third << 20);
}

/** Fetch wait states: one wait for each new word the instruction makes the core fetch. */
function fetchWaits(segment: Segment, index: number, halves: number): number {
  const newWord = (index & 1) === 0 || halves === 2;
  return newWord ? segment.waitStates : 0;
}

/** Registers in the list of LDM, STM, PUSH, POP, the PC or LR included. */
function listLength(instruction: Instruction, half1: number): number {
  return countBits(operand(instruction, 'l', half1, 0));
}

/**
 * Decodes the instruction at halfword `index` of `segment` into its `ops` and `cost`.
 * @param multiplier cycles of MULS: 1 or 32
 */
export function decodeAt(segment: Segment, index: number, table: CycleTable, multiplier: number): void {
  const half1 = segment.u16[index];
  const half2 = index + 1 < segment.u16.length ? segment.u16[index + 1] : 0;
  const instruction = findInstruction(half1, half2);
  if (instruction === undefined) {
    segment.ops[index] = KIND.UNDEFINED | (table.exception << COST_SHIFT);
    return;
  }
  let op = pack(segment, index, instruction, half1, half2);
  if (instruction.kind === 'MULS' && multiplier > 1) op = KIND.MULS_32 | (op & ~KIND_MASK);
  const kind = op & KIND_MASK;
  const withPc = kind === KIND.POP_PC || kind === KIND.ADD_PC || kind === KIND.MOV_PC;
  const cycles = classCycles(table, instruction.cycles, listLength(instruction, half1), withPc, multiplier);
  const cost = cycles + fetchWaits(segment, index, instruction.halves) - (kind === KIND.MULS_32 ? MULS_EXCESS : 0);
  segment.ops[index] = op | (cost << COST_SHIFT);
}
