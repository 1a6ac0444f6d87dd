/** Kinds of departure from the rules that are recorded. */
export const FINDING_CODES = [
  'ATR_EARLY',
  'ATR_LATE',
  'ATR_SLOW',
  'ATR_CONTENT',
  'WWT_EXCEEDED',
  'BWT_EXCEEDED',
  'CWT_EXCEEDED',
  'BGT_SHORT',
  'GUARD_SHORT',
  'TURNAROUND_SHORT',
  'PARITY_ERROR',
  'ERROR_SIGNAL',
  'BLOCK_INVALID',
  'BLOCK_REPEATED',
  'RESYNCH',
  'UNEXPECTED_CHARACTER',
  'LE_EXCEEDED',
] as const;

/** One of {@link FINDING_CODES}. */
export type FindingCode = (typeof FINDING_CODES)[number];

/** Something the card (or the line) did that the rules do not permit, or that had to be repaired. */
export interface Finding {
  readonly code: FindingCode;
  /** Which rule set it breaks; `line` = no rule broken by the card as far as can be told. */
  readonly rule: 'ISO' | 'EMV' | 'line';
  /** Clause of ISO/IEC 7816-3 or of EMV Book 1. */
  readonly clause: string;
  /** When, in ticks of the port. */
  readonly at: number;
  readonly measuredEtu?: number;
  readonly permittedEtu?: number;
  readonly detail: string;
}
