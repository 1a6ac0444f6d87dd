import { sha256 } from '@noble/hashes/sha2.js';
import { concat, registrationRequest, samples, textBytes, uintBytes, valueInformation } from '../codec/index.js';

/** Cards that take turns; their ids are spread, so that the store has to insert everywhere. */
const cards = 50_000;

/** One registration of the load: what is sent and what it must give back. */
export interface LoadRequest {
  /** E4. */
  readonly request: Uint8Array;
  /** The encoded E1 in it. */
  readonly value: Uint8Array;
  readonly cardId: Uint8Array;
  readonly sequence: number;
}

/** Registration number `index` (0, 1, ...): another card or sequence for each, always the same bytes for the same number. */
export function loadRequest(index: number): LoadRequest {
  const cardId = sha256(concat(textBytes('cardbench load card'), uintBytes(index % cards, 4))).slice(0, 8);
  const sequence = 1 + Math.floor(index / cards);
  const value = { ...samples[index % samples.length], issueId: concat(uintBytes(0x10ad, 4), uintBytes(index, 4)) };
  return {
    request: registrationRequest.encode({ cardId, sequence, algorithm: 'SHA-256', item: { type: 'plain', value } }),
    value: valueInformation.encode(value), cardId, sequence,
  };
}
