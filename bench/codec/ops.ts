import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { CodecError } from './errors.js';
import { toHex } from './bytes.js';

/** The public-key operations everything here is built from; pure, so a campaign may memoise them by input. */
export interface PublicKeyOps {
  /** Ed25519 (RFC 8032): public key (32) of a seed (32). */
  signingPublic(seed: Uint8Array): Uint8Array;
  /** Ed25519 signature (64). */
  sign(seed: Uint8Array, message: Uint8Array): Uint8Array;
  /** True when the signature verifies; malformed keys and signatures give false. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** X25519 (RFC 7748): public key (32) of a private key (32). */
  agreementPublic(privateKey: Uint8Array): Uint8Array;
  /** X25519 shared secret (32). Throws CodecError CRYPTO_KEY for a wrong length or a low-order point. */
  agree(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array;
}

function keyed<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch {
    throw new CodecError('CRYPTO_KEY', `${what}: the key is not usable`);
  }
}

/** The operations by @noble/curves. */
export const nobleOps: PublicKeyOps = {
  signingPublic: (seed) => keyed('Ed25519', () => ed25519.getPublicKey(seed)),
  sign: (seed, message) => keyed('Ed25519', () => ed25519.sign(message, seed)),
  verify(publicKey, message, signature) {
    try {
      return ed25519.verify(signature, message, publicKey, { zip215: false });
    } catch {
      return false;
    }
  },
  agreementPublic: (privateKey) => keyed('X25519', () => x25519.getPublicKey(privateKey)),
  agree: (privateKey, publicKey) => keyed('X25519', () => x25519.getSharedSecret(privateKey, publicKey)),
};

/** Operations that remember results, with their counts. */
export interface MemoOps extends PublicKeyOps {
  /** Calls answered from memory, and calls computed. */
  readonly counts: { readonly hits: number; readonly misses: number };
}

/**
 * Remembers up to `limit` results by input (the oldest is dropped first). The keys stay in this process's memory:
 * for test benches only.
 */
export function memoOps(inner: PublicKeyOps = nobleOps, limit = 10_000): MemoOps {
  const memory = new Map<string, unknown>();
  const counts = { hits: 0, misses: 0 };
  const remember = <T>(name: string, inputs: readonly Uint8Array[], run: () => T): T => {
    const key = `${name}:${inputs.map(toHex).join(':')}`;
    if (memory.has(key)) {
      counts.hits += 1;
      return memory.get(key) as T;
    }
    counts.misses += 1;
    const result = run();
    memory.set(key, result);
    if (memory.size > limit) memory.delete(memory.keys().next().value as string);
    return result;
  };
  const bytes = (name: string, inputs: readonly Uint8Array[], run: () => Uint8Array): Uint8Array =>
    remember(name, inputs, run).slice();
  return {
    counts,
    signingPublic: (seed) => bytes('signingPublic', [seed], () => inner.signingPublic(seed)),
    sign: (seed, message) => bytes('sign', [seed, message], () => inner.sign(seed, message)),
    verify: (key, message, signature) =>
      remember('verify', [key, message, signature], () => inner.verify(key, message, signature)),
    agreementPublic: (key) => bytes('agreementPublic', [key], () => inner.agreementPublic(key)),
    agree: (key, publicKey) => bytes('agree', [key, publicKey], () => inner.agree(key, publicKey)),
  };
}
