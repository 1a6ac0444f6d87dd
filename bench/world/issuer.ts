import { signed, signerOf, uintBytes, concat } from '../codec/index.js';
import type { Credential, LoadObject, PublicKeyOps, Signer, ValueInformation } from '../codec/index.js';
import type { RandomSource } from './random.js';

/** What the issuer gave out under one issue id. */
export interface IssuedValue {
  /** The value as first issued, or as last corrected. */
  readonly value: ValueInformation;
  /** Units and yen taken in for it, over all cards. */
  readonly spentQuantity: number;
  readonly spentAmount: number;
  /** True once the issuer replaced or took back the value. */
  readonly withdrawn: boolean;
}

/** The test bench's issuer: signs credentials and load objects and keeps the book of what was issued and spent. */
export interface Issuer {
  readonly publicKey: Uint8Array;
  /** Signs the keys a card generated (E9). */
  certify(card: Omit<Credential, 'signature'>): Credential;
  /** A signed load object (EC); nothing is booked. */
  loadObject(cardId: Uint8Array, loadNumber: number, value: ValueInformation): LoadObject;
  /** An issue id (8 bytes) not given before. */
  newIssueId(): Uint8Array;
}

/** An issuer with keys drawn from `random`; issue ids count up from 1. */
export function createIssuer(random: RandomSource, ops?: PublicKeyOps): Issuer {
  const signer: Signer = signerOf(random(32), ops);
  let issued = 0;
  return {
    publicKey: signer.publicKey,
    certify: (card) => signed.credential.sign(card, {}, signer),
    loadObject: (cardId, loadNumber, value) => signed.loadObject.sign({ cardId, loadNumber, value }, {}, signer),
    newIssueId() {
      issued += 1;
      return concat(uintBytes(0xca4d, 4), uintBytes(issued, 4));
    },
  };
}
