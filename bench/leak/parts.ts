import { extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, textBytes } from '../codec/index.js';
import type { KeyDivision } from '../codec/index.js';

/** A part of a key that somebody knows. */
export interface KnownPart extends KeyDivision {
  readonly set: number;
  /** From 1. */
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** Product in GF(256) with x^8 + x^4 + x^3 + x + 1. */
function times(a: number, b: number): number {
  let product = 0;
  for (let [x, y] = [a, b]; y > 0; y >>= 1) {
    if ((y & 1) === 1) product ^= x;
    x = (x << 1) ^ ((x & 0x80) === 0 ? 0 : 0x11b);
  }
  return product;
}

/** Inverse of a number other than 0: a^254. */
function inverse(a: number): number {
  let result = 1;
  for (let i = 0; i < 254; i += 1) result = times(result, a);
  return result;
}

/** The constant of the polynomial through the parts, byte by byte (Lagrange at 0; addition is XOR). */
function atZero(parts: readonly KnownPart[]): Uint8Array {
  const weights = parts.map(({ index }) => parts.reduce((weight, other) =>
    (other.index === index ? weight : times(weight, times(other.index, inverse(other.index ^ index)))), 1));
  return parts[0].bytes.map((_, at) => parts.reduce((sum, { bytes }, i) => sum ^ times(weights[i], bytes[at]), 0));
}

const exclusiveOr = (parts: readonly KnownPart[]): Uint8Array => parts[0].bytes.map((_, at) => parts.reduce((sum, { bytes }) => sum ^ bytes[at], 0));

/** The key of docs/protocol.md 5.2 that is generated from all parts. */
const generated = (parts: readonly KnownPart[]): Uint8Array =>
  extract(sha256, concat(...parts.map(({ bytes }) => bytes)), textBytes('cardbench key of parts v1')).slice(0, parts[0].bytes.length);

/** The keys that parts give: of each set of which enough are known by its own rule (docs/protocol.md 5.2). */
export function combinedKeys(parts: readonly KnownPart[]): readonly Uint8Array[] {
  return [...new Set(parts.map(({ set }) => set))].flatMap((set) => {
    const own = parts.filter((part) => part.set === set).sort((a, b) => a.index - b.index);
    const [{ scheme, threshold, count }] = own;
    if (scheme === 'shamir') return own.length < threshold ? [] : [atZero(own.slice(0, threshold))];
    return own.length < count ? [] : [scheme === 'xor' ? exclusiveOr(own) : generated(own)];
  });
}
