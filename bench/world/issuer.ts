import { signed, signerOf, uintBytes, concat } from '../codec/index.js';
import type { Credential, LoadObject, PublicKeyOps, Signer, ValueInformation } from '../codec/index.js';
import type { RandomSource } from './random.js';

/** The test bench's issuer: signs credentials and load objects and gives out issue ids. */
export interface Issuer {
  readonly publicKey: Uint8Array;
  /** Signs the keys a card generated (E9). */
  certify(card: Omit<Credential, 'signature'>): Credential;
  /** A signed load object (EC); nothing is booked. */
  loadObject(cardId: Uint8Array, loadNumber: number, value: ValueInformation): LoadObject;
  /** An issue id (8 bytes) not given before. */
  newIssueId(): Uint8Array;
}

/** An issuer with keys drawn from `random`; issue ids count up after `lastIssued`. */
export function createIssuer(random: RandomSource, ops?: PublicKeyOps, lastIssued = 0): Issuer {
  const signer: Signer = signerOf(random(32), ops);
  let issued = lastIssued;
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
