import { sha256 } from '@noble/hashes/sha2.js';
import { concat, textBytes, uintBytes } from '../codec/index.js';

/** A source of bytes: each call gives the next `length` ones. */
export type RandomSource = (length: number) => Uint8Array;

/**
 * Bytes that look random and are the same for the same seed and label: SHA-256 over label, seed and a block number.
 * For emulated runs, where every result must be repeatable; never for a served safe.
 */
export function seededRandom(seed: number, label: string): RandomSource {
  let block = 0;
  let rest = new Uint8Array(0);
  return (length) => {
    const parts: Uint8Array[] = [rest];
    let have = rest.length;
    while (have < length) {
      const fresh = sha256(concat(textBytes(label), Uint8Array.of(0), uintBytes(seed, 4), uintBytes(block, 4)));
      block += 1;
      parts.push(fresh);
      have += fresh.length;
    }
    const all = concat(...parts);
    rest = all.slice(length);
    return all.slice(0, length);
  };
}
