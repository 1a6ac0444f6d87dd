import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { CodecError } from './errors.js';
import type { Signer } from './sign.js';

const { Fn, BASE } = ed25519.Point;

/** A little-endian number of 64 bytes modulo the order of the group (RFC 8032 5.1.6). */
function scalarOf(digest: Uint8Array): bigint {
  let hex = '';
  for (let at = digest.length - 1; at >= 0; at -= 1) hex += digest[at].toString(16).padStart(2, '0');
  return Fn.create(BigInt(`0x${hex}`));
}

/**
 * A signer that keeps the expanded key of an Ed25519 seed (32): the same signatures as {@link signerOf} in less than half
 * the time, because the public key is not computed anew for each. For keys that sign much, as a safe's. Throws CodecError
 * CRYPTO_KEY for a seed of another length.
 */
export function heldSigner(seed: Uint8Array): Signer {
  if (seed.length !== 32) throw new CodecError('CRYPTO_KEY', `Ed25519: expected a seed of 32 bytes, got ${seed.length}`);
  const { prefix, scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(seed);
  return {
    publicKey: Uint8Array.from(pointBytes),
    sign(message) {
      const r = scalarOf(sha512.create().update(prefix).update(message).digest());
      const commitment = BASE.multiply(r).toBytes();
      const k = scalarOf(sha512.create().update(commitment).update(pointBytes).update(message).digest());
      const signature = new Uint8Array(64);
      signature.set(commitment);
      signature.set(Fn.toBytes(Fn.add(r, Fn.mul(k, scalar))), 32);
      return signature;
    },
  };
}
