import { KIND, type KindName } from './kinds.js';
import type { CycleClass } from './cycles.js';

/** Where the bits of one operand sit in the instruction; parts are listed from the operand's top bits down. */
export interface FieldPart {
  /** 0 for the first halfword, 1 for the second. */
  readonly half: 0 | 1;
  readonly lsb: number;
  readonly width: number;
}

/** One row of the instruction table: everything a decoder, disassembler, translator or test needs to know. */
export interface Instruction {
  /** Unique name, as the ARMv6-M manual (ARM DDI 0419) titles the encoding. */
  readonly name: string;
  /** Halfwords: 1 or 2. */
  readonly halves: 1 | 2;
  readonly mask: number;
  readonly value: number;
  /** Of the second halfword; 0 for 16-bit instructions. */
  readonly mask2: number;
  readonly value2: number;
  /** Encodings inside mask and value that belong to another row or to nobody: [mask, value]. */
  readonly excluded: readonly (readonly [number, number])[];
  /** The same for the second halfword. */
  readonly excluded2: readonly (readonly [number, number])[];
  /** Operands by letter: d, n, m registers; i immediate; l register list; c condition; s special register. */
  readonly fields: Readonly<Record<string, readonly FieldPart[]>>;
  /** Multiplier of the immediate. */
  readonly scale: number;
  /** Assembly text as GNU objdump prints it; braces name operands. */
  readonly syntax: string;
  readonly kind: KindName;
  readonly cycles: CycleClass;
  /** What is read: operand letters, register names, flags, `mem`. */
  readonly reads: readonly string[];
  /** What is written, in the same words. */
  readonly writes: readonly string[];
}

type Codes = readonly (readonly [number, number])[];
type Extra = { scale?: number; not?: Codes; not2?: Codes };

function bits(pattern: string, half: 0 | 1, fields: Record<string, FieldPart[]>): [number, number] {
  let mask = 0;
  let value = 0;
  for (let k = 0; k < 16; k++) {
    const ch = pattern[k];
    const lsb = 15 - k;
    if (ch === '0' || ch === '1') {
      mask |= 1 << lsb;
      value |= Number(ch) << lsb;
      continue;
    }
    const letter = ch.toLowerCase();
    const parts = (fields[letter] ??= []);
    const last = parts.at(-1);
    if (last !== undefined && k > 0 && pattern[k - 1] === ch && last.half === half) {
      parts[parts.length - 1] = { half, lsb, width: last.width + 1 };
    } else {
      parts.push({ half, lsb, width: 1 });
    }
  }
  return [mask, value];
}

function row(
  name: string,
  pattern: string,
  syntax: string,
  kind: KindName,
  cycles: CycleClass,
  reads: string,
  writes: string,
  extra: Extra = {},
): Instruction {
  const [first, second] = pattern.split(' ');
  const fields: Record<string, FieldPart[]> = {};
  const [mask, value] = bits(first, 0, fields);
  const [mask2, value2] = second === undefined ? [0, 0] : bits(second, 1, fields);
  const words = (text: string): string[] => text.split(' ').filter((w) => w !== '');
  return {
    name,
    halves: second === undefined ? 1 : 2,
    mask,
    value,
    mask2,
    value2,
    excluded: extra.not ?? [],
    excluded2: extra.not2 ?? [],
    fields,
    scale: extra.scale ?? 1,
    syntax,
    kind,
    cycles,
    reads: words(reads),
    writes: words(writes),
  };
}

const CONDITIONS = ['eq', 'ne', 'cs', 'cc', 'mi', 'pl', 'vs', 'vc', 'hi', 'ls', 'ge', 'lt', 'gt', 'le'] as const;
const CONDITION_FLAGS = ['Z', 'Z', 'C', 'C', 'N', 'N', 'V', 'V', 'C Z', 'C Z', 'N V', 'N V', 'N V Z', 'N V Z'] as const;
const HINT_SYNTAX = ['', 'yield', 'wfe', 'wfi', 'sev'] as const;

function conditional(cond: number): Instruction {
  const name = CONDITIONS[cond];
  const kind = `B${name.toUpperCase()}` as KindName;
  const pattern = `1101${cond.toString(2).padStart(4, '0')}iiiiiiii`;
  return row(`B${name.toUpperCase()}`, pattern, `b${name}.n {target}`, kind, 'conditional', CONDITION_FLAGS[cond], 'pc', { scale: 2 });
}

const NZ = 'N Z';
const NZC = 'N Z C';
const NZCV = 'N Z C V';

/**
 * The ARMv6-M instruction set, one row per encoding of ARM DDI 0419 (A5.2 and A5.3). Rows never overlap.
 * In a pattern 0 and 1 are fixed bits, a letter is a bit of that operand; an operand in two pieces changes
 * the letter's case, its top bits first. An encoding the manual calls UNPREDICTABLE is in no row: it faults,
 * as an unallocated one does, so that firmware relying on it is found.
 */
export const INSTRUCTIONS: readonly Instruction[] = [
  row('MOVS (register)', '0000000000nnnddd', 'movs {d}, {n}', 'MOVS_REG', 'alu', 'n', `d ${NZ}`),
  row('LSLS (immediate)', '00000iiiiinnnddd', 'lsls {d}, {n}, #{i}', 'LSLS_IMM', 'alu', 'n', `d ${NZC}`, { not: [[0xffc0, 0]] }),
  row('LSRS (immediate)', '00001iiiiinnnddd', 'lsrs {d}, {n}, #{shift}', 'LSRS_IMM', 'alu', 'n', `d ${NZC}`),
  row('ASRS (immediate)', '00010iiiiinnnddd', 'asrs {d}, {n}, #{shift}', 'ASRS_IMM', 'alu', 'n', `d ${NZC}`),
  row('ADDS (register)', '0001100mmmnnnddd', 'adds {d}, {n}, {m}', 'ADDS_REG', 'alu', 'n m', `d ${NZCV}`),
  row('SUBS (register)', '0001101mmmnnnddd', 'subs {d}, {n}, {m}', 'SUBS_REG', 'alu', 'n m', `d ${NZCV}`),
  row('ADDS (immediate 3)', '0001110iiinnnddd', 'adds {d}, {n}, #{i}', 'ADDS_IMM', 'alu', 'n', `d ${NZCV}`),
  row('SUBS (immediate 3)', '0001111iiinnnddd', 'subs {d}, {n}, #{i}', 'SUBS_IMM', 'alu', 'n', `d ${NZCV}`),
  row('MOVS (immediate)', '00100dddiiiiiiii', 'movs {d}, #{i}', 'MOVS_IMM', 'alu', '', `d ${NZ}`),
  row('CMP (immediate)', '00101nnniiiiiiii', 'cmp {n}, #{i}', 'CMP_IMM', 'alu', 'n', NZCV),
  row('ADDS (immediate 8)', '00110dddiiiiiiii', 'adds {d}, #{i}', 'ADDS_IMM', 'alu', 'd', `d ${NZCV}`),
  row('SUBS (immediate 8)', '00111dddiiiiiiii', 'subs {d}, #{i}', 'SUBS_IMM', 'alu', 'd', `d ${NZCV}`),
  row('ANDS', '0100000000mmmddd', 'ands {d}, {m}', 'ANDS', 'alu', 'd m', `d ${NZ}`),
  row('EORS', '0100000001mmmddd', 'eors {d}, {m}', 'EORS', 'alu', 'd m', `d ${NZ}`),
  row('LSLS (register)', '0100000010mmmddd', 'lsls {d}, {m}', 'LSLS_REG', 'alu', 'd m C', `d ${NZC}`),
  row('LSRS (register)', '0100000011mmmddd', 'lsrs {d}, {m}', 'LSRS_REG', 'alu', 'd m C', `d ${NZC}`),
  row('ASRS (register)', '0100000100mmmddd', 'asrs {d}, {m}', 'ASRS_REG', 'alu', 'd m C', `d ${NZC}`),
  row('ADCS', '0100000101mmmddd', 'adcs {d}, {m}', 'ADCS', 'alu', 'd m C', `d ${NZCV}`),
  row('SBCS', '0100000110mmmddd', 'sbcs {d}, {m}', 'SBCS', 'alu', 'd m C', `d ${NZCV}`),
  row('RORS', '0100000111mmmddd', 'rors {d}, {m}', 'RORS', 'alu', 'd m C', `d ${NZC}`),
  row('TST', '0100001000mmmnnn', 'tst {n}, {m}', 'TST', 'alu', 'n m', NZ),
  row('RSBS', '0100001001nnnddd', 'negs {d}, {n}', 'RSBS', 'alu', 'n', `d ${NZCV}`),
  row('CMP (low registers)', '0100001010mmmnnn', 'cmp {n}, {m}', 'CMP_REG', 'alu', 'n m', NZCV),
  row('CMN', '0100001011mmmnnn', 'cmn {n}, {m}', 'CMN', 'alu', 'n m', NZCV),
  row('ORRS', '0100001100mmmddd', 'orrs {d}, {m}', 'ORRS', 'alu', 'd m', `d ${NZ}`),
  row('MULS', '0100001101mmmddd', 'muls {d}, {m}', 'MULS', 'multiply', 'd m', `d ${NZ}`),
  row('BICS', '0100001110mmmddd', 'bics {d}, {m}', 'BICS', 'alu', 'd m', `d ${NZ}`),
  row('MVNS', '0100001111mmmddd', 'mvns {d}, {m}', 'MVNS', 'alu', 'm', `d ${NZ}`),
  row('ADD (register)', '01000100Dmmmmddd', 'add {d}, {m}', 'ADD_HI', 'pc-write', 'd m', 'd', { not: [[0xffff, 0x44ff]] }),
  row('CMP (high registers)', '01000101Nmmmmnnn', 'cmp {n}, {m}', 'CMP_REG', 'alu', 'n m', NZCV, {
    not: [
      [0xffc0, 0x4500],
      [0xff87, 0x4587],
      [0xff78, 0x4578],
    ],
  }),
  row('MOV (register)', '01000110Dmmmmddd', 'mov {d}, {m}', 'MOV_HI', 'pc-write', 'm', 'd'),
  row('BX', '010001110mmmm000', 'bx {m}', 'BX', 'exchange', 'm', 'pc', { not: [[0xfff8, 0x4778]] }),
  row('BLX', '010001111mmmm000', 'blx {m}', 'BLX', 'call-exchange', 'm', 'pc lr', { not: [[0xfff8, 0x47f8]] }),
  row('LDR (literal)', '01001dddiiiiiiii', 'ldr {d}, [pc, #{i}]', 'LDR_LIT', 'load', 'pc mem', 'd', { scale: 4 }),
  row('STR (register)', '0101000mmmnnnddd', 'str {d}, [{n}, {m}]', 'STR_REG', 'store', 'd n m', 'mem'),
  row('STRH (register)', '0101001mmmnnnddd', 'strh {d}, [{n}, {m}]', 'STRH_REG', 'store', 'd n m', 'mem'),
  row('STRB (register)', '0101010mmmnnnddd', 'strb {d}, [{n}, {m}]', 'STRB_REG', 'store', 'd n m', 'mem'),
  row('LDRSB (register)', '0101011mmmnnnddd', 'ldrsb {d}, [{n}, {m}]', 'LDRSB_REG', 'load', 'n m mem', 'd'),
  row('LDR (register)', '0101100mmmnnnddd', 'ldr {d}, [{n}, {m}]', 'LDR_REG', 'load', 'n m mem', 'd'),
  row('LDRH (register)', '0101101mmmnnnddd', 'ldrh {d}, [{n}, {m}]', 'LDRH_REG', 'load', 'n m mem', 'd'),
  row('LDRB (register)', '0101110mmmnnnddd', 'ldrb {d}, [{n}, {m}]', 'LDRB_REG', 'load', 'n m mem', 'd'),
  row('LDRSH (register)', '0101111mmmnnnddd', 'ldrsh {d}, [{n}, {m}]', 'LDRSH_REG', 'load', 'n m mem', 'd'),
  row('STR (immediate)', '01100iiiiinnnddd', 'str {d}, [{n}, #{i}]', 'STR_IMM', 'store', 'd n', 'mem', { scale: 4 }),
  row('LDR (immediate)', '01101iiiiinnnddd', 'ldr {d}, [{n}, #{i}]', 'LDR_IMM', 'load', 'n mem', 'd', { scale: 4 }),
  row('STRB (immediate)', '01110iiiiinnnddd', 'strb {d}, [{n}, #{i}]', 'STRB_IMM', 'store', 'd n', 'mem'),
  row('LDRB (immediate)', '01111iiiiinnnddd', 'ldrb {d}, [{n}, #{i}]', 'LDRB_IMM', 'load', 'n mem', 'd'),
  row('STRH (immediate)', '10000iiiiinnnddd', 'strh {d}, [{n}, #{i}]', 'STRH_IMM', 'store', 'd n', 'mem', { scale: 2 }),
  row('LDRH (immediate)', '10001iiiiinnnddd', 'ldrh {d}, [{n}, #{i}]', 'LDRH_IMM', 'load', 'n mem', 'd', { scale: 2 }),
  row('STR (SP)', '10010dddiiiiiiii', 'str {d}, [sp, #{i}]', 'STR_IMM', 'store', 'd sp', 'mem', { scale: 4 }),
  row('LDR (SP)', '10011dddiiiiiiii', 'ldr {d}, [sp, #{i}]', 'LDR_IMM', 'load', 'sp mem', 'd', { scale: 4 }),
  row('ADR', '10100dddiiiiiiii', 'add {d}, pc, #{i}', 'ADR', 'alu', 'pc', 'd', { scale: 4 }),
  row('ADD (SP plus immediate)', '10101dddiiiiiiii', 'add {d}, sp, #{i}', 'ADD_RD_SP', 'alu', 'sp', 'd', { scale: 4 }),
  row('ADD (SP)', '101100000iiiiiii', 'add sp, #{i}', 'ADD_SP_IMM', 'alu', 'sp', 'sp', { scale: 4 }),
  row('SUB (SP)', '101100001iiiiiii', 'sub sp, #{i}', 'SUB_SP_IMM', 'alu', 'sp', 'sp', { scale: 4 }),
  row('SXTH', '1011001000mmmddd', 'sxth {d}, {m}', 'SXTH', 'alu', 'm', 'd'),
  row('SXTB', '1011001001mmmddd', 'sxtb {d}, {m}', 'SXTB', 'alu', 'm', 'd'),
  row('UXTH', '1011001010mmmddd', 'uxth {d}, {m}', 'UXTH', 'alu', 'm', 'd'),
  row('UXTB', '1011001011mmmddd', 'uxtb {d}, {m}', 'UXTB', 'alu', 'm', 'd'),
  row('PUSH', '1011010lllllllll', 'push {list}', 'PUSH', 'multiple', 'l sp', 'mem sp', { not: [[0xffff, 0xb400]] }),
  row('CPS', '10110110011i0010', 'cps{ie} i', 'CPS', 'alu', '', 'primask'),
  row('REV', '1011101000mmmddd', 'rev {d}, {m}', 'REV', 'alu', 'm', 'd'),
  row('REV16', '1011101001mmmddd', 'rev16 {d}, {m}', 'REV16', 'alu', 'm', 'd'),
  row('REVSH', '1011101011mmmddd', 'revsh {d}, {m}', 'REVSH', 'alu', 'm', 'd'),
  row('POP', '1011110lllllllll', 'pop {list}', 'POP', 'pop', 'sp mem', 'l sp', { not: [[0xffff, 0xbc00]] }),
  row('BKPT', '10111110iiiiiiii', 'bkpt 0x{hex4}', 'BKPT', 'exception', '', ''),
  row('NOP', '1011111100000000', 'nop', 'NOP', 'alu', '', ''),
  row('YIELD', '1011111100010000', HINT_SYNTAX[1], 'NOP', 'alu', '', ''),
  row('WFE', '1011111100100000', HINT_SYNTAX[2], 'WFE', 'wait', 'event', 'event'),
  row('WFI', '1011111100110000', HINT_SYNTAX[3], 'WFI', 'wait', '', ''),
  row('SEV', '1011111101000000', HINT_SYNTAX[4], 'SEV', 'alu', '', 'event'),
  row('NOP (unallocated hint)', '10111111iiii0000', 'nop {{i}}', 'NOP', 'alu', '', '', {
    not: [
      [0xffff, 0xbf00],
      [0xffff, 0xbf10],
      [0xffff, 0xbf20],
      [0xffff, 0xbf30],
      [0xffff, 0xbf40],
    ],
  }),
  row('STM', '11000nnnllllllll', 'stmia {n}!, {list}', 'STM', 'multiple', 'l n', 'mem n', { not: [[0xf8ff, 0xc000]] }),
  row('LDM', '11001nnnllllllll', 'ldmia {n}{wb}, {list}', 'LDM', 'multiple', 'n mem', 'l n', { not: [[0xf8ff, 0xc800]] }),
  ...CONDITIONS.map((_, cond) => conditional(cond)),
  row('UDF', '11011110iiiiiiii', 'udf #{i}', 'UDF', 'exception', '', ''),
  row('SVC', '11011111iiiiiiii', 'svc {i}', 'SVC', 'exception', '', ''),
  row('B', '11100iiiiiiiiiii', 'b.n {target}', 'B', 'branch', '', 'pc', { scale: 2 }),
  row('BL', '11110Iiiiiiiiiii 11j1kIIIIIIIIIII', 'bl {target}', 'BL', 'call', '', 'pc lr', { scale: 2 }),
  row('MSR', '111100111000nnnn 10001000ssssssss', 'msr {special}, {n}', 'MSR', 'system', 'n', 's', {
    not: [
      [0xffff, 0xf38d],
      [0xffff, 0xf38f],
    ],
  }),
  row('MRS', '1111001111101111 1000ddddssssssss', 'mrs {d}, {special}', 'MRS', 'system', 's', 'd', {
    not2: [
      [0xff00, 0x8d00],
      [0xff00, 0x8f00],
    ],
  }),
  row('DSB', '1111001110111111 100011110100iiii', 'dsb {option}', 'BARRIER', 'barrier', '', ''),
  row('DMB', '1111001110111111 100011110101iiii', 'dmb {option}', 'BARRIER', 'barrier', '', ''),
  row('ISB', '1111001110111111 100011110110iiii', 'isb {option}', 'BARRIER', 'barrier', '', ''),
  row('UDF (32 bit)', '111101111111iiii 1010iiiiiiiiiiii', 'udf.w #{i}', 'UDF', 'exception', '', ''),
];

/** True when `half1` (and `half2`, for a 32-bit instruction) encode `instruction`. */
export function matches(instruction: Instruction, half1: number, half2: number): boolean {
  return (
    (half1 & instruction.mask) === instruction.value &&
    (half2 & instruction.mask2) === instruction.value2 &&
    !instruction.excluded.some(([mask, value]) => (half1 & mask) === value) &&
    !instruction.excluded2.some(([mask, value]) => (half2 & mask) === value)
  );
}

/** Value of an operand before scaling; 0 when the instruction has none of that letter. */
export function operand(instruction: Instruction, letter: string, half1: number, half2: number): number {
  let value = 0;
  for (const part of instruction.fields[letter] ?? []) {
    const half = part.half === 0 ? half1 : half2;
    value = value * 2 ** part.width + ((half >>> part.lsb) & ((1 << part.width) - 1));
  }
  return value;
}

/** True when `half1` is the first halfword of a 32-bit instruction (A5.1). */
export function isWide(half1: number): boolean {
  return half1 >= 0xe800;
}

/** Signed byte offset of a direct branch from the instruction's own address plus 4; undefined for anything else. */
export function branchOffset(instruction: Instruction, half1: number, half2: number): number | undefined {
  const i = operand(instruction, 'i', half1, half2);
  if (instruction.kind === 'B') return ((i << 21) >> 21) * 2;
  if (instruction.cycles === 'conditional') return ((i << 24) >> 24) * 2;
  if (instruction.kind !== 'BL') return undefined;
  const s = (half1 >>> 10) & 1;
  const i1 = ~(((half2 >>> 13) & 1) ^ s) & 1;
  const i2 = ~(((half2 >>> 11) & 1) ^ s) & 1;
  const low = ((half1 & 0x3ff) << 11) | (half2 & 0x7ff);
  return (((s << 23) | (i1 << 22) | (i2 << 21) | low) << 8 >> 8) * 2;
}

/** Dispatch number of a row's kind. */
export function kindNumber(instruction: Instruction): number {
  return KIND[instruction.kind];
}

/** Index of the row a 16-bit encoding belongs to; 255 where there is none (undefined, or a 32-bit prefix). */
export const NARROW_ROWS: Uint8Array = (() => {
  const rows = new Uint8Array(65536).fill(255);
  INSTRUCTIONS.forEach((instruction, index) => {
    if (instruction.halves === 2) return;
    const free = 0xffff & ~instruction.mask;
    let operands = free;
    for (;;) {
      const half = instruction.value | operands;
      if (matches(instruction, half, 0)) rows[half] = index;
      if (operands === 0) break;
      operands = (operands - 1) & free;
    }
  });
  return rows;
})();

/** The row that `half1` and `half2` encode, or undefined. `half2` is looked at for 32-bit instructions only. */
export function findInstruction(half1: number, half2: number): Instruction | undefined {
  if (!isWide(half1)) {
    const index = NARROW_ROWS[half1];
    return index === 255 ? undefined : INSTRUCTIONS[index];
  }
  return INSTRUCTIONS.find((instruction) => instruction.halves === 2 && matches(instruction, half1, half2));
}
