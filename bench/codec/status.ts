/** What a status word says about the command. */
export type StatusClass = 'done' | 'more' | 'warning' | 'memory' | 'refused' | 'unknown';

/** Meaning of a status word (ISO/IEC 7816-4, docs/protocol.md 2.5). */
export interface StatusMeaning {
  /** SW1 SW2 as one number. */
  readonly sw: number;
  /** Four hex digits. */
  readonly hex: string;
  readonly class: StatusClass;
  readonly meaning: string;
  /** 61xx: bytes still to fetch (00 means 256 or more); 63Cx: tries left. */
  readonly count?: number;
}

/** Status words by their names in docs/protocol.md 2.5. */
export const statusWords = {
  done: 0x9000, memoryFailure: 0x6581, wrongLength: 0x6700, securityStatus: 0x6982, pinBlocked: 0x6983,
  conditions: 0x6985, wrongData: 0x6a80, notFound: 0x6a82, notEnoughMemory: 0x6a84, wrongParameters: 0x6a86,
  insUnknown: 0x6d00, claUnknown: 0x6e00, noDiagnosis: 0x6f00,
} as const;

/** Status words with a fixed meaning (table). */
export const statusTable: readonly (readonly [number, StatusClass, string])[] = [
  [0x9000, 'done', 'done'],
  [0x6581, 'memory', 'memory failure (worn cell; nothing lost)'],
  [0x6700, 'refused', 'wrong length'],
  [0x6982, 'refused', 'security status not satisfied (PIN missing, signature wrong)'],
  [0x6983, 'refused', 'authentication method blocked (PIN)'],
  [0x6985, 'refused', 'conditions of use not satisfied (state, order)'],
  [0x6a80, 'refused', 'incorrect parameters in the command data field'],
  [0x6a82, 'refused', 'file or application not found (handle, safe, AID, tag)'],
  [0x6a84, 'refused', 'not enough memory space; nothing changed'],
  [0x6a86, 'refused', 'incorrect parameters P1 P2'],
  [0x6d00, 'refused', 'instruction code not supported'],
  [0x6e00, 'refused', 'class not supported'],
  [0x6f00, 'unknown', 'no precise diagnosis; the reference card never answers this'],
];

/** Meaning of a status word; words outside the contract have class `unknown`. */
export function statusMeaning(sw: number): StatusMeaning {
  const hex = sw.toString(16).toUpperCase().padStart(4, '0');
  const found = statusTable.find(([code]) => code === sw);
  if (found) return { sw, hex, class: found[1], meaning: found[2] };
  const low = sw & 0xff;
  if (sw >> 8 === 0x61) return { sw, hex, class: 'more', meaning: `${low === 0 ? '256 or more' : low} bytes to fetch`, count: low };
  if (sw >> 4 === 0x63c) return { sw, hex, class: 'warning', meaning: `wrong PIN, ${sw & 15} tries left`, count: sw & 15 };
  return { sw, hex, class: 'unknown', meaning: 'not in the contract' };
}
