import { expand } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, textBytes, uintBytes } from './bytes.js';
import type { BackedKey } from './elements.js';
import { CodecError } from './errors.js';
import { hpkeOpen, hpkeSeal, openGcm, sealGcm } from './hpke.js';
import type { HpkeContext } from './hpke.js';
import { digest as digestCodec } from './objects.js';
import type { Digest } from './objects.js';
import { nobleOps } from './ops.js';
import type { PublicKeyOps } from './ops.js';

/** What binds a ciphertext to one registration: card id (8), sequence, and the digest beside it. */
export interface Binding {
  readonly cardId: Uint8Array;
  readonly sequence: number;
  readonly digest: Digest;
}

/** A binding that also names the safe (8), for keys on their way. */
export interface KeyBinding extends Binding {
  readonly safeId: Uint8Array;
}

const zero = Uint8Array.of(0);
const bindingBytes = (binding: Binding): Uint8Array => concat(binding.cardId, uintBytes(binding.sequence, 4));
const labelled = (label: string, ...parts: readonly Uint8Array[]): Uint8Array =>
  concat(textBytes(label), zero, ...parts);

const valueContext = (binding: Binding): HpkeContext => ({
  info: labelled('cardbench 202 v1', bindingBytes(binding)), aad: digestCodec.encode(binding.digest),
});
const toSafe = (binding: KeyBinding): HpkeContext => ({
  info: labelled('cardbench key to safe v1', bindingBytes(binding), binding.safeId),
  aad: digestCodec.encode(binding.digest),
});
const toCard = (binding: KeyBinding): HpkeContext => ({
  info: labelled('cardbench key to card v1', bindingBytes(binding), binding.safeId),
  aad: digestCodec.encode(binding.digest),
});
const commonNonce = (sequence: number): Uint8Array => concat(new Uint8Array(8), uintBytes(sequence, 4));
const commonAad = (binding: Binding): Uint8Array =>
  labelled('cardbench 202 v1', bindingBytes(binding), digestCodec.encode(binding.digest));

function commonKey(key: Uint8Array): Uint8Array {
  if (key.length !== 16) throw new CodecError('CRYPTO_KEY', `common key: expected 16 bytes, got ${key.length}`);
  return key;
}

/** Variant 01: content of element 91 for an encoded E1, to the card's encryption key 401 (X25519 public). */
export function sealPublic(
  binding: Binding, encodedValue: Uint8Array, recipient: Uint8Array, ephemeral: Uint8Array,
  ops: PublicKeyOps = nobleOps,
): Uint8Array {
  return hpkeSeal(recipient, ephemeral, valueContext(binding), encodedValue, ops);
}

/** Variant 01: the encoded E1 from element 91. Throws CodecError CRYPTO_OPEN, CRYPTO_KEY. */
export function openPublic(
  binding: Binding, content: Uint8Array, decodingKey: Uint8Array, ops: PublicKeyOps = nobleOps,
): Uint8Array {
  return hpkeOpen(decodingKey, valueContext(binding), content, ops);
}

/** Variant 02: content of element 91 under the common key (16); the nonce is made from the sequence. */
export function sealCommon(binding: Binding, encodedValue: Uint8Array, key: Uint8Array): Uint8Array {
  const nonce = commonNonce(binding.sequence);
  return concat(nonce, sealGcm(commonKey(key), nonce, commonAad(binding), encodedValue));
}

/** Variant 02: the encoded E1 from element 91. Throws CodecError CRYPTO_OPEN (a strange nonce too), CRYPTO_KEY. */
export function openCommon(binding: Binding, content: Uint8Array, key: Uint8Array): Uint8Array {
  const nonce = commonNonce(binding.sequence);
  if (content.length < 28 || !nonce.every((byte, i) => byte === content[i]))
    throw new CodecError('CRYPTO_OPEN', 'the nonce is not that of the sequence');
  return openGcm(commonKey(key), nonce, commonAad(binding), content.slice(12));
}

/** Wrapped key 9C of an E5: a key (32 or 16) to the safe's X25519 key. */
export function wrapKeyToSafe(
  binding: KeyBinding, key: Uint8Array, safePublic: Uint8Array, ephemeral: Uint8Array, ops: PublicKeyOps = nobleOps,
): Uint8Array {
  return hpkeSeal(safePublic, ephemeral, toSafe(binding), key, ops);
}

/** The key inside an E5, opened with the safe's X25519 private key. Throws CodecError CRYPTO_OPEN, CRYPTO_KEY. */
export function unwrapKeyAtSafe(
  binding: KeyBinding, wrapped: Uint8Array, safePrivate: Uint8Array, ops: PublicKeyOps = nobleOps,
): Uint8Array {
  return hpkeOpen(safePrivate, toSafe(binding), wrapped, ops);
}

/** Wrapped key 9C of an E8: a key (32 or 16) to the card's transport key. */
export function wrapKeyToCard(
  binding: KeyBinding, key: Uint8Array, transportPublic: Uint8Array, ephemeral: Uint8Array,
  ops: PublicKeyOps = nobleOps,
): Uint8Array {
  return hpkeSeal(transportPublic, ephemeral, toCard(binding), key, ops);
}

/** The key inside an E8, opened with the card's transport private key. Throws CodecError CRYPTO_OPEN, CRYPTO_KEY. */
export function unwrapKeyOnCard(
  binding: KeyBinding, wrapped: Uint8Array, transportPrivate: Uint8Array, ops: PublicKeyOps = nobleOps,
): Uint8Array {
  return hpkeOpen(transportPrivate, toCard(binding), wrapped, ops);
}

/** A key part to the safe's X25519 key and back to the card (docs/protocol.md 5.2): as keys, under labels of their own. */
const partContext = (label: string) => (binding: KeyBinding): HpkeContext => ({
  info: labelled(label, bindingBytes(binding), binding.safeId), aad: digestCodec.encode(binding.digest),
});
const partToSafe = partContext('cardbench part to safe v1');
const partToCard = partContext('cardbench part to card v1');

/** The key part of an EE, opened with the safe's X25519 private key. Throws CodecError CRYPTO_OPEN, CRYPTO_KEY. */
export const unwrapPartAtSafe = (
  binding: KeyBinding, wrapped: Uint8Array, safePrivate: Uint8Array, ops: PublicKeyOps = nobleOps,
): Uint8Array => hpkeOpen(safePrivate, partToSafe(binding), wrapped, ops);

/** Wrapped part 9C of a key part reply, to the card's transport key. */
export const wrapPartToCard = (
  binding: KeyBinding, part: Uint8Array, transportPublic: Uint8Array, ephemeral: Uint8Array, ops: PublicKeyOps = nobleOps,
): Uint8Array => hpkeSeal(transportPublic, ephemeral, partToCard(binding), part, ops);

/** Key generation algorithm 141 of 1.4 and its version. */
export const seedAlgorithm = { id: 1, version: 1 } as const;

/** The decoding key (X25519 private, 32) of a seed (32): HKDF-SHA256, expansion only. Throws CodecError CRYPTO_KEY. */
export function keyOfSeed(seed: Uint8Array, { id, version }: { readonly id: number; readonly version: number } = seedAlgorithm): Uint8Array {
  if (seed.length !== 32) throw new CodecError('CRYPTO_KEY', `seed: expected 32 bytes, got ${seed.length}`);
  return expand(sha256, seed, labelled('cardbench seed v1', Uint8Array.of(id, version)), 32);
}

/** Key id (8) of 1.4: of the X25519 public key belonging to a decoding key or to that of a seed, or of a common key. */
export function keyIdOf(kind: BackedKey, key: Uint8Array, ops: PublicKeyOps = nobleOps): Uint8Array {
  if (kind === 'common') return sha256(labelled('cardbench key id v1', commonKey(key))).slice(0, 8);
  return sha256(ops.agreementPublic(kind === 'seed' ? keyOfSeed(key) : key)).slice(0, 8);
}
