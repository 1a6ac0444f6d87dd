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

/** What `kind` does to the course of the program. */
export function flowOf(kind: number): Flow {
  if (kind >= KIND.BEQ && kind <= KIND.BLE) return 'conditional';
  if (kind === KIND.B) return 'jump';
  if (kind === KIND.BL) return 'call';
  if (COMPUTED.has(kind)) return 'computed';
  return HANDED_BACK.has(kind) ? 'back' : 'plain';
}

/** Halfwords of a translatable instruction. */
export function halvesOf(kind: number): number {
  return kind === KIND.BL || kind === KIND.BARRIER ? 2 : 1;
}

const NO_RESULT: ReadonlySet<number> = new Set([
  KIND.CMP_IMM, KIND.TST, KIND.CMP_REG, KIND.CMN, KIND.NOP, KIND.BARRIER, KIND.BX, KIND.MOV_PC, KIND.B,
  KIND.STR_REG, KIND.STRH_REG, KIND.STRB_REG, KIND.STR_IMM, KIND.STRB_IMM, KIND.STRH_IMM,
]);
const ON_SP: ReadonlySet<number> = new Set([KIND.PUSH, KIND.POP, KIND.POP_PC, KIND.ADD_SP_REG, KIND.MOV_SP_REG, KIND.ADD_SP_IMM, KIND.SUB_SP_IMM]);

/** Registers that a translatable instruction may write, bit = register. */
export function writtenBy(op: number): number {
  const kind = kindOf(op);
  if (NO_RESULT.has(kind) || flowOf(kind) === 'conditional') return 0;
  if (kind === KIND.BL || kind === KIND.BLX) return 1 << 14;
  const list = (op >>> 20) & 0xff;
  if (kind === KIND.POP || kind === KIND.POP_PC) return list | (1 << 13);
  if (ON_SP.has(kind)) return 1 << 13;
  if (kind === KIND.LDM) return list | (1 << ((op >>> 16) & 15));
  if (kind === KIND.STM) return 1 << ((op >>> 16) & 15);
  if (kind === KIND.LDR_LIT) return 1 << ((op >>> 12) & 7);
  return 1 << ((op >>> 12) & 15);
}
