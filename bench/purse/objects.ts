import { bytesElement, template, uintElement } from '../codec/schema.js';

/** Alternatives for the challenge that comes back (docs/purse.md 1.4). */
export const alternatives = ['encrypted', 'hashed', 'signed', 'kept'] as const;
/** Name of an alternative; its code is its place, from 1. */
export type Alternative = (typeof alternatives)[number];

/** Elements of docs/purse.md 1.1. Amounts in yen, lengths in bytes. */
export const elements = {
  amount: uintElement(0xd0, 'amount x', 4, 1),
  challengeId: bytesElement(0xd1, 'challenge id', [8]),
  g1: bytesElement(0xd2, 'G1', [32]),
  g2: bytesElement(0xd3, 'G2', [32]),
  protectedChallenge: bytesElement(0xd4, 'protected challenge eC', { min: 13, max: 77 }),
  payeeId: bytesElement(0xd5, 'payee id', [8]),
  publicKey: bytesElement(0xd6, 'public key', [32]),
  caSignature: bytesElement(0xd7, 'CA signature', [64]),
  issuedAmount: uintElement(0xd8, 'issued amount w', 4),
  issueNumber: uintElement(0xd9, 'issue number', 4, 1),
  issuerSignature: bytesElement(0xda, "issuer's signature", [64]),
  payment: bytesElement(0xdb, 'payment signature S', [64]),
  r1: bytesElement(0xdc, 'R1', [16]),
  state: uintElement(0xdd, 'service state', 1, 0, 1),
  thirdPartySignature: bytesElement(0xde, "third party's signature", [64]),
} as const;

/** A challenge (F0). */
export interface Challenge {
  readonly amount: number;
  readonly challengeId: Uint8Array;
  readonly g1: Uint8Array;
  readonly g2: Uint8Array;
  readonly protectedChallenge: Uint8Array;
}
/** The issuer's signature over an amount for a card's key, with what it covers. */
export interface IssueFacts {
  readonly issuedAmount: number;
  readonly issueNumber: number;
  readonly issuerSignature: Uint8Array;
}
/** A payment (F1). */
export interface Payment extends IssueFacts {
  readonly protectedChallenge: Uint8Array;
  readonly payment: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly caSignature: Uint8Array;
}
/** A log entry (F2). */
export interface LogEntry extends IssueFacts {
  readonly payeeId: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly caSignature: Uint8Array;
  readonly payment: Uint8Array;
  readonly amount: number;
  readonly r1: Uint8Array;
  readonly g2: Uint8Array;
  readonly challengeId: Uint8Array;
}
/** A log query (F3). */
export interface LogQuery {
  readonly payeeId: Uint8Array;
  readonly challengeId: Uint8Array;
  readonly publicKey: Uint8Array;
}
/** A service state (F4): 1 the log can be taken now, 0 not now. */
export interface ServiceState {
  readonly payeeId: Uint8Array;
  readonly challengeId: Uint8Array;
  readonly state: number;
  readonly thirdPartySignature: Uint8Array;
}
/** A log receipt (F5). */
export interface LogReceipt {
  readonly payeeId: Uint8Array;
  readonly challengeId: Uint8Array;
  readonly thirdPartySignature: Uint8Array;
}
/** An issue (F6). */
export interface Issue extends IssueFacts {
  readonly publicKey: Uint8Array;
}
/** A CA certificate (F7). */
export interface CaCertificate {
  readonly publicKey: Uint8Array;
  readonly caSignature: Uint8Array;
}

const { amount, challengeId, g1, g2, protectedChallenge, payeeId, publicKey, caSignature, issuedAmount, issueNumber, issuerSignature, payment, r1, state, thirdPartySignature } = elements;

/** F0. */
export const challenge = template<Challenge>(0xf0, 'challenge', { amount, g1, g2, challengeId, protectedChallenge });
/** F1. */
export const paymentObject = template<Payment>(0xf1, 'payment', { protectedChallenge, payment, publicKey, caSignature, issuedAmount, issueNumber, issuerSignature });
/** F2. */
export const logEntry = template<LogEntry>(0xf2, 'log entry', {
  payeeId, issuedAmount, issueNumber, issuerSignature, publicKey, caSignature, payment, amount, r1, g2, challengeId,
});
/** F3. */
export const logQuery = template<LogQuery>(0xf3, 'log query', { payeeId, challengeId, publicKey });
/** F4. */
export const serviceState = template<ServiceState>(0xf4, 'service state', { payeeId, challengeId, state, thirdPartySignature });
/** F5. */
export const logReceipt = template<LogReceipt>(0xf5, 'log receipt', { payeeId, challengeId, thirdPartySignature });
/** F6. */
export const issue = template<Issue>(0xf6, 'issue', { issuedAmount, issueNumber, publicKey, issuerSignature });
/** F7. */
export const caCertificate = template<CaCertificate>(0xf7, 'CA certificate', { publicKey, caSignature });
