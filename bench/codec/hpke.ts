import { gcm } from '@noble/ciphers/aes.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, textBytes, uintBytes } from './bytes.js';
import { CodecError } from './errors.js';
import { nobleOps } from './ops.js';
import type { PublicKeyOps } from './ops.js';

// RFC 9180: KEM 0x0020 DHKEM(X25519, HKDF-SHA256), KDF 0x0001 HKDF-SHA256, AEAD 0x0001 AES-128-GCM.
const kemSuite = concat(textBytes('KEM'), uintBytes(0x0020, 2));
const hpkeSuite = concat(textBytes('HPKE'), uintBytes(0x0020, 2), uintBytes(0x0001, 2), uintBytes(0x0001, 2));
const empty = new Uint8Array(0);

const labeledExtract = (suite: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array =>
  extract(sha256, concat(textBytes('HPKE-v1'), suite, textBytes(label), ikm), salt);

const labeledExpand = (suite: Uint8Array, prk: Uint8Array, label: string, info: Uint8Array, length: number): Uint8Array =>
  expand(sha256, prk, concat(uintBytes(length, 2), textBytes('HPKE-v1'), suite, textBytes(label), info), length);

/** DeriveKeyPair of RFC 9180 7.1.3 for X25519: the private key (32) of key material of at least 32 bytes. */
export function deriveKeyPair(ikm: Uint8Array): Uint8Array {
  return labeledExpand(kemSuite, labeledExtract(kemSuite, empty, 'dkp_prk', ikm), 'sk', empty, 32);
}

function sharedSecret(dh: Uint8Array, enc: Uint8Array, recipient: Uint8Array): Uint8Array {
  const prk = labeledExtract(kemSuite, empty, 'eae_prk', dh);
  return labeledExpand(kemSuite, prk, 'shared_secret', concat(enc, recipient), 32);
}

function keySchedule(secret: Uint8Array, info: Uint8Array): { key: Uint8Array; nonce: Uint8Array } {
  const context = concat(
    Uint8Array.of(0x00),
    labeledExtract(hpkeSuite, empty, 'psk_id_hash', empty),
    labeledExtract(hpkeSuite, empty, 'info_hash', info),
  );
  const prk = labeledExtract(hpkeSuite, secret, 'secret', empty);
  return {
    key: labeledExpand(hpkeSuite, prk, 'key', context, 16),
    nonce: labeledExpand(hpkeSuite, prk, 'base_nonce', context, 12),
  };
}

/** What both ends of one sealed message share: info and associated data. */
export interface HpkeContext {
  readonly info: Uint8Array;
  readonly aad: Uint8Array;
}

/**
 * HPKE base mode, one shot (RFC 9180 6.1): enc (32) || ciphertext || tag (16). `ephemeral` is the X25519 private key
 * of this one message: never use one with two plaintexts. Throws CodecError CRYPTO_KEY.
 */
export function hpkeSeal(
  recipient: Uint8Array, ephemeral: Uint8Array, context: HpkeContext, plaintext: Uint8Array,
  ops: PublicKeyOps = nobleOps,
): Uint8Array {
  const enc = ops.agreementPublic(ephemeral);
  const { key, nonce } = keySchedule(sharedSecret(ops.agree(ephemeral, recipient), enc, recipient), context.info);
  return concat(enc, gcm(key, nonce, context.aad).encrypt(plaintext));
}

/** The opposite of hpkeSeal. Throws CodecError CRYPTO_OPEN when it does not open, CRYPTO_KEY for an unusable key. */
export function hpkeOpen(
  privateKey: Uint8Array, context: HpkeContext, sealed: Uint8Array, ops: PublicKeyOps = nobleOps,
): Uint8Array {
  if (sealed.length < 48) throw new CodecError('CRYPTO_OPEN', `sealed message: at least 48 bytes, got ${sealed.length}`);
  const enc = sealed.slice(0, 32);
  const recipient = ops.agreementPublic(privateKey);
  const { key, nonce } = keySchedule(sharedSecret(ops.agree(privateKey, enc), enc, recipient), context.info);
  return openGcm(key, nonce, context.aad, sealed.slice(32));
}

/** AES-GCM decryption (SP 800-38D). Throws CodecError CRYPTO_OPEN when the tag is wrong. */
export function openGcm(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array {
  try {
    return gcm(key, nonce, aad).decrypt(sealed);
  } catch {
    throw new CodecError('CRYPTO_OPEN', 'the message does not open with this key and binding');
  }
}

/** AES-GCM encryption: ciphertext || tag (16). Key 16 or 32 bytes, nonce 12. Throws CodecError CRYPTO_KEY. */
export function sealGcm(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  if ((key.length !== 16 && key.length !== 32) || nonce.length !== 12)
    throw new CodecError('CRYPTO_KEY', `AES-GCM: ${key.length} bytes of key, ${nonce.length} of nonce`);
  return gcm(key, nonce, aad).encrypt(plaintext);
}
