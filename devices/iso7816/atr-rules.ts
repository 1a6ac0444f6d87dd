import type { Atr } from './atr.js';
import type { Finding } from './findings.js';
import { hexByte } from './hex.js';

/** One requirement on the contents of an ATR. */
export interface AtrRule {
  readonly rule: 'ISO' | 'EMV';
  /** Clause of ISO/IEC 7816-3:2006, or of EMV Book 1 version 4.3. */
  readonly clause: string;
  /** What is wrong; undefined when the ATR obeys the rule. */
  readonly broken: (atr: Atr) => string | undefined;
}

const t1Level = (atr: Atr): number => atr.td.findIndex((td, i) => i >= 1 && td !== undefined && (td & 15) === 1) + 1;
const offers = (atr: Atr, t: number): boolean => atr.protocols.includes(t);

function ascending(protocols: readonly number[]): boolean {
  return protocols.every((t, i) => i === 0 || protocols[i - 1] < t);
}

/** Requirements of ISO/IEC 7816-3 on the contents of an ATR (beyond those that make it undecodable). */
export const ISO_ATR_RULES: readonly AtrRule[] = [
  { rule: 'ISO', clause: '8.3 table 7, 8', broken: (a) => (a.rates ? undefined : `TA1 ${hexByte(a.ta[0] ?? 0)} is reserved`) },
  {
    rule: 'ISO',
    clause: '8.2.3',
    broken: (a) => (ascending(a.protocols) ? undefined : `protocols ${a.protocols.join(', ')} are not in ascending order`),
  },
  { rule: 'ISO', clause: '8.2.3', broken: (a) => (a.td[0] !== undefined && (a.td[0] & 15) === 15 ? 'TD1 names T=15' : undefined) },
  { rule: 'ISO', clause: '10.2', broken: (a) => (a.t0.WI === 0 ? 'TC2 is 00 (reserved)' : undefined) },
  {
    rule: 'ISO',
    clause: '11.4.2',
    broken: (a) => (offers(a, 1) && (a.t1.ifsc === 0 || a.t1.ifsc === 255) ? `IFSC ${a.t1.ifsc} is reserved` : undefined),
  },
  { rule: 'ISO', clause: '11.4.3', broken: (a) => (offers(a, 1) && a.t1.bwi > 9 ? `BWI ${a.t1.bwi} is reserved` : undefined) },
  {
    rule: 'ISO',
    clause: '8.3',
    broken: (a) => (a.specificMode && a.specificMode.protocol !== 15 && !offers(a, a.specificMode.protocol)
      ? `TA2 names T=${a.specificMode.protocol}, which is not offered`
      : undefined),
  },
];

function emvT1(atr: Atr): string | undefined {
  if (!offers(atr, 1)) return undefined;
  const level = t1Level(atr);
  if (level > 0 && atr.tc[level] !== undefined && atr.tc[level] !== 0) return `TC3 is ${hexByte(atr.tc[level])}, permitted is 00 (LRC)`;
  if (atr.t1.ifsc < 0x10 || atr.t1.ifsc > 0xfe) return `IFSC ${atr.t1.ifsc} is outside 16 to 254`;
  if (level === 0 || atr.tb[level] === undefined) return 'TB3 is absent';
  if (atr.t1.bwi > 4) return `BWI ${atr.t1.bwi} is above 4`;
  if (atr.t1.cwi > 5) return `CWI ${atr.t1.cwi} is above 5`;
  return 2 ** atr.t1.cwi > (atr.extraGuard === 255 ? 0 : atr.extraGuard + 1) ? undefined : '2^CWI is not above N + 1';
}

/** The stricter requirements of EMV Book 1 (v4.3), 8.3, on the contents of an ATR. */
export const EMV_ATR_RULES: readonly AtrRule[] = [
  {
    rule: 'EMV',
    clause: '8.3.3.1',
    broken: (a) => (a.ta[0] === undefined || (a.ta[0] >= 0x11 && a.ta[0] <= 0x13)
      ? undefined
      : `TA1 is ${hexByte(a.ta[0])}, permitted are 11 to 13`),
  },
  { rule: 'EMV', clause: '8.3.3.2', broken: (a) => (a.tb[0] === undefined ? 'TB1 is absent' : a.tb[0] === 0 ? undefined : `TB1 is ${hexByte(a.tb[0])}, permitted is 00`) },
  { rule: 'EMV', clause: '8.3.3.3', broken: (a) => (a.tc[0] === undefined || a.tc[0] === 0 || a.tc[0] === 255 ? undefined : `TC1 is ${hexByte(a.tc[0])}, permitted are 00 and FF`) },
  {
    rule: 'EMV',
    clause: '8.3.3.4',
    broken: (a) => (a.td[0] !== undefined && (a.td[0] & 15) > 1 ? `TD1 names T=${a.td[0] & 15} as the first protocol` : undefined),
  },
  { rule: 'EMV', clause: '8.3.3.6', broken: (a) => (a.tb[1] === undefined ? undefined : 'TB2 is present') },
  { rule: 'EMV', clause: '8.3.3.7', broken: (a) => (offers(a, 0) && a.tc[1] !== undefined && a.tc[1] !== 10 ? `TC2 is ${hexByte(a.tc[1])}, permitted is 0A` : undefined) },
  { rule: 'EMV', clause: '8.3.3.9 to 11', broken: emvT1 },
];

/** Checks the contents of an ATR against rule sets; findings carry time `at` (ticks of the port). */
export function checkAtr(atr: Atr, rules: readonly AtrRule[], at: number): Finding[] {
  return rules.flatMap(({ rule, clause, broken }) => {
    const detail = broken(atr);
    return detail === undefined ? [] : [{ code: 'ATR_CONTENT', rule, clause, at, detail } satisfies Finding];
  });
}
