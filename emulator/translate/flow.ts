import { KIND_MASK } from '../cpu/decode.js';
import { KIND } from '../cpu/kinds.js';

/** What an instruction does to the course of the program; `back` is left to the interpreter. */
export type Flow = 'plain' | 'conditional' | 'jump' | 'call' | 'computed' | 'back';

/** Kinds that translated code never carries out: it leaves before them and the interpreter does them. */
export const HANDED_BACK: ReadonlySet<number> = new Set([
  KIND.UNDECODED, KIND.ADD_PC, KIND.LDR_LIT_FAR, KIND.WFE, KIND.WFI, KIND.SEV, KIND.CPS, KIND.BKPT, KIND.SVC, KIND.UDF,
  KIND.BCOND_FAR, KIND.B_FAR, KIND.BL_FAR, KIND.MSR, KIND.MRS, KIND.UNDEFINED, KIND.RUN_OFF, KIND.BREAKPOINT,
  KIND.STRADDLE, KIND.STACK, KIND.CODE_WRITTEN, KIND.TRANSLATED,
]);

const COMPUTED: ReadonlySet<number> = new Set([KIND.BX, KIND.BLX, KIND.MOV_PC, KIND.POP_PC]);

/** Kind number of a packed instruction. */
export function kindOf(op: number): number {
  return op & KIND_MASK;
}

function findFlow(kind: number): Flow {
  if (kind >= KIND.BEQ && kind <= KIND.BLE) return 'conditional';
  if (kind === KIND.B) return 'jump';
  if (kind === KIND.BL) return 'call';
  if (COMPUTED.has(kind)) return 'computed';
  return HANDED_BACK.has(kind) ? 'back' : 'plain';
}

const FLOWS: readonly Flow[] = Array.from({ length: 128 }, (_, kind) => findFlow(kind));

/** What `kind` does to the course of the program. */
export function flowOf(kind: number): Flow {
  return FLOWS[kind];
}

/** Halfwords of a translatable instruction. */
export function halvesOf(kind: number): number {
  return kind === KIND.BL || kind === KIND.BARRIER ? 2 : 1;
}

/** Which part of an instruction names the registers it writes. */
type Result = 'none' | 'link' | 'list' | 'sp' | 'base' | 'list and base' | 'low' | 'd';

function findResult(kind: number): Result {
  const none: readonly number[] = [
    KIND.CMP_IMM, KIND.TST, KIND.CMP_REG, KIND.CMN, KIND.NOP, KIND.BARRIER, KIND.BX, KIND.MOV_PC, KIND.B,
    KIND.STR_REG, KIND.STRH_REG, KIND.STRB_REG, KIND.STR_IMM, KIND.STRB_IMM, KIND.STRH_IMM,
  ];
  const sp: readonly number[] = [KIND.PUSH, KIND.ADD_SP_REG, KIND.MOV_SP_REG, KIND.ADD_SP_IMM, KIND.SUB_SP_IMM];
  if (none.includes(kind) || flowOf(kind) === 'conditional') return 'none';
  if (kind === KIND.BL || kind === KIND.BLX) return 'link';
  if (kind === KIND.POP || kind === KIND.POP_PC) return 'list';
  if (kind === KIND.STM) return 'base';
  if (kind === KIND.LDM) return 'list and base';
  if (kind === KIND.LDR_LIT) return 'low';
  return sp.includes(kind) ? 'sp' : 'd';
}

const RESULTS: readonly Result[] = Array.from({ length: 128 }, (_, kind) => findResult(kind));

/** Registers that a translatable instruction may write, bit = register. */
export function writtenBy(op: number): number {
  switch (RESULTS[kindOf(op)]) {
    case 'none':
      return 0;
    case 'link':
      return 1 << 14;
    case 'list':
      return ((op >>> 20) & 0xff) | (1 << 13);
    case 'sp':
      return 1 << 13;
    case 'base':
      return 1 << ((op >>> 16) & 15);
    case 'list and base':
      return ((op >>> 20) & 0xff) | (1 << ((op >>> 16) & 15));
    case 'low':
      return 1 << ((op >>> 12) & 7);
    case 'd':
      return 1 << ((op >>> 12) & 15);
  }
}
