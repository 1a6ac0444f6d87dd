import { sha256 } from '@noble/hashes/sha2.js';
import { concat, textBytes } from '../codec/index.js';
import { elements } from './objects.js';
import type { CaCertificate, Challenge, Issue, LogEntry, LogReceipt, ServiceState } from './objects.js';

const zero = Uint8Array.of(0);
const labelled = (label: string, ...parts: readonly Uint8Array[]): Uint8Array => concat(textBytes(label), zero, ...parts);

/** G1 of a payee's id (8) and R1 (16); docs/purse.md 1.3. */
export const g1Of = (payeeId: Uint8Array, r1: Uint8Array): Uint8Array => sha256(labelled('cardbench purse G1 v1', payeeId, r1));

/** G2 of a payee's public key (32) and R2 (16). */
export const g2Of = (publicKey: Uint8Array, r2: Uint8Array): Uint8Array => sha256(labelled('cardbench purse G2 v1', publicKey, r2));

/** What the signatures of docs/purse.md 1.3 are made over. */
export const messages = {
  /** SkT(PkUA), by the CA. */
  key: ({ publicKey }: Pick<CaCertificate, 'publicKey'>) => labelled('cardbench purse key v1', elements.publicKey.write(publicKey)),
  /** SkI(w, PkUA), by the issuer. */
  issue: ({ issuedAmount, issueNumber, publicKey }: Pick<Issue, 'issuedAmount' | 'issueNumber' | 'publicKey'>) => labelled(
    'cardbench purse issue v1', elements.issuedAmount.write(issuedAmount), elements.issueNumber.write(issueNumber), elements.publicKey.write(publicKey),
  ),
  /** S, by the payer. */
  payment: ({ amount, g1, g2, challengeId }: Pick<Challenge, 'amount' | 'g1' | 'g2' | 'challengeId'>) => labelled(
    'cardbench purse payment v1', elements.amount.write(amount), elements.g1.write(g1), elements.g2.write(g2), elements.challengeId.write(challengeId),
  ),
  /** Of a service state, by the third party. */
  service: ({ payeeId, challengeId, state }: Pick<ServiceState, 'payeeId' | 'challengeId' | 'state'>) => labelled(
    'cardbench purse service v1', elements.payeeId.write(payeeId), elements.challengeId.write(challengeId), elements.state.write(state),
  ),
  /** Of a receipt for an encoded log entry, by the third party. */
  receipt: ({ payeeId, challengeId }: Pick<LogReceipt, 'payeeId' | 'challengeId'>, entry: Uint8Array) => labelled(
    'cardbench purse receipt v1', sha256(entry), elements.payeeId.write(payeeId), elements.challengeId.write(challengeId),
  ),
} as const;

/** What S of a log entry was made over: G1 is made from the payee's id and R1. */
export const paidMessage = ({ amount, payeeId, r1, g2, challengeId }: LogEntry): Uint8Array =>
  messages.payment({ amount, g1: g1Of(payeeId, r1), g2, challengeId });
