import { md5, sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { HashAlgorithm } from './elements.js';

const hashes: Readonly<Record<HashAlgorithm, (data: Uint8Array) => Uint8Array>> = {
  'SHA-256': (data) => sha256(data),
  'SHA-1': (data) => sha1(data),
  MD5: (data) => md5(data),
};

/** Hash X1, X2 or X3 (docs/protocol.md 1.5) of the given bytes. */
export function hashX(algorithm: HashAlgorithm, data: Uint8Array): Uint8Array {
  return hashes[algorithm](data);
}

/** True for the algorithms that need both sides' permission and that every report flags. */
export function isLegacy(algorithm: HashAlgorithm): boolean {
  return algorithm !== 'SHA-256';
}
