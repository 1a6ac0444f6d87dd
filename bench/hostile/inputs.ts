import type { Blemish } from './wire.js';

/** What hostile input goes to: whole commands, T=1 blocks, or single characters under T=0. */
export type HostileLevel = 'apdu' | 'block' | 'character';

/** How an input was made, for the counts of the report. */
export type HostileKind =
  | 'random' | 'chained' | 'get-response' | 'select' | 'verify' | 'genuine' | 'mutated' | 'spliced' | 'out-of-order'
  | 'blocks' | 'garbage' | 'header' | 'short-data';

/** Characters sent in one go; the card's answer is read before the next ones. */
export interface Burst extends Blemish {
  readonly bytes: Uint8Array;
}

/** One hostile input: commands as they are, or bursts of characters. */
export type HostileInput =
  | { readonly kind: HostileKind; readonly apdus: readonly Uint8Array[] }
  | { readonly kind: HostileKind; readonly bursts: readonly Burst[] };
