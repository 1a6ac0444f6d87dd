/** One value of the high half of TA1 (ISO/IEC 7816-3, table 7). */
export interface ClockRate {
  /** Clock rate conversion integer Fi. */
  readonly fi: number;
  /** Highest contact clock, in MHz. */
  readonly fMaxMHz: number;
}

/** Fi and f(max) by the high half of TA1 (ISO/IEC 7816-3, table 7); undefined = reserved. */
export const CLOCK_RATES: readonly (ClockRate | undefined)[] = [
  { fi: 372, fMaxMHz: 4 },
  { fi: 372, fMaxMHz: 5 },
  { fi: 558, fMaxMHz: 6 },
  { fi: 744, fMaxMHz: 8 },
  { fi: 1116, fMaxMHz: 12 },
  { fi: 1488, fMaxMHz: 16 },
  { fi: 1860, fMaxMHz: 20 },
  undefined,
  undefined,
  { fi: 512, fMaxMHz: 5 },
  { fi: 768, fMaxMHz: 7.5 },
  { fi: 1024, fMaxMHz: 10 },
  { fi: 1536, fMaxMHz: 15 },
  { fi: 2048, fMaxMHz: 20 },
  undefined,
  undefined,
];

/** Di by the low half of TA1 (ISO/IEC 7816-3, table 8); undefined = reserved. */
export const BAUD_RATES: readonly (number | undefined)[] = [
  undefined, 1, 2, 4, 8, 16, 32, 64, 12, 20,
  undefined, undefined, undefined, undefined, undefined, undefined,
];

/** Default of TA1: Fd = 372, Dd = 1 (ISO/IEC 7816-3, 8.1). */
export const DEFAULT_TA1 = 0x11;

/** Rates named by a TA1 or PPS1 byte. */
export interface Rates {
  readonly F: number;
  readonly D: number;
  readonly fMaxMHz: number;
}

/** Decodes TA1 or PPS1; undefined when it has a reserved half. */
export function ratesOf(ta1: number): Rates | undefined {
  const clock = CLOCK_RATES[(ta1 >> 4) & 15];
  const D = BAUD_RATES[ta1 & 15];
  return clock && D !== undefined ? { F: clock.fi, D, fMaxMHz: clock.fMaxMHz } : undefined;
}
