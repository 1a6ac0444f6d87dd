import { concat, hpkeOpen, hpkeSeal, textBytes } from '../codec/index.js';
import type { PublicKeyOps, Signer } from '../codec/index.js';
import type { ObjectCodec } from '../codec/schema.js';
import { admission, claim, connectionObject, notice, payment, registration, storeNotice } from './objects.js';

/** One kind of signed object (docs/member.md 1.3). */
export interface Signed<T extends { readonly signature: Uint8Array }> {
  sign(object: Omit<T, 'signature'>, signer: Signer): Uint8Array;
  verify(object: T, publicKey: Uint8Array, ops: PublicKeyOps): boolean;
}

function signed<T extends { readonly signature: Uint8Array }>(codec: ObjectCodec<T>, name: string): Signed<T> {
  const message = (object: Omit<T, 'signature'>): Uint8Array => concat(textBytes(`cardbench member ${name} v1`), Uint8Array.of(0), codec.encodeUnsigned(object));
  return {
    sign: (object, signer) => codec.encode({ ...object, signature: signer.sign(message(object)) } as T),
    verify: (object, publicKey, ops) => ops.verify(publicKey, message(object), object.signature),
  };
}

/** All signed objects, by name. */
export const signatures = {
  registration: signed(registration, 'registration'), admission: signed(admission, 'admission'), payment: signed(payment, 'payment'),
  settlement: signed(notice, 'settlement'), connection: signed(connectionObject, 'connection'), notice: signed(storeNotice, 'notice'),
  claim: signed(claim, 'claim'),
} as const;

const context = (connection: Uint8Array) => ({ info: concat(textBytes('cardbench member telegram v1'), Uint8Array.of(0), connection), aad: new Uint8Array(0) });

/** Opens a telegram of a connection (docs/member.md 1.4). Throws CodecError CRYPTO_OPEN. */
export const openTelegram = (key: Uint8Array, connection: Uint8Array, telegram: Uint8Array, ops: PublicKeyOps): Uint8Array =>
  hpkeOpen(key, context(connection), telegram, ops);

/** Seals an object for the centre with an ephemeral key of the caller's. */
export const sealTelegram = (recipient: Uint8Array, ephemeral: Uint8Array, connection: Uint8Array, object: Uint8Array, ops: PublicKeyOps): Uint8Array =>
  hpkeSeal(recipient, ephemeral, context(connection), object, ops);
