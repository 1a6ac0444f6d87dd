import { CodecError, equalBytes, nobleOps, signerOf, toHex } from '../codec/index.js';
import type { PublicKeyOps, Signer } from '../codec/index.js';
import type { PurseIssueRecord, PurseLogRecord } from '../../scenarios/index.js';
import { memoryStore } from '../safe/index.js';
import type { MemoryStore, StoreSnapshot } from '../safe/index.js';
import type { Party } from '../world/card-bench.js';
import type { RandomSource } from '../world/random.js';
import { issue, logEntry, logQuery, logReceipt, serviceState } from './objects.js';
import type { LogEntry } from './objects.js';
import { messages, paidMessage } from './signatures.js';

/** Why a third party takes no log entry or answers no query. */
export type ThirdPartyErrorCode =
  'LOG_SYNTAX' | 'LOG_CA_SIGNATURE' | 'LOG_ISSUER_SIGNATURE' | 'LOG_PAYMENT_SIGNATURE' | 'LOG_CONFLICT' | 'LOG_CLOSED' | 'LOG_SILENT';

const nextOf: Readonly<Record<ThirdPartyErrorCode, string>> = {
  LOG_SYNTAX: 'compare the object with docs/purse.md 1.2',
  LOG_CA_SIGNATURE: "ask the payer's card for its CA certificate",
  LOG_ISSUER_SIGNATURE: "ask the issuer for the records of the payer's key",
  LOG_PAYMENT_SIGNATURE: 'send the entry as the payee gave it',
  LOG_CONFLICT: 'another entry is kept under the same payee and challenge: compare the two',
  LOG_CLOSED: 'send the entry again when the log is taken',
  LOG_SILENT: 'send the same again',
};

/** Coded refusal of the third party. */
export class ThirdPartyError extends Error {
  readonly code: ThirdPartyErrorCode;
  readonly stillTrue: string;
  readonly next: string;

  constructor(code: ThirdPartyErrorCode, message: string, stillTrue = 'the log is unchanged; the payee keeps its entry') {
    super(message);
    this.name = 'ThirdPartyError';
    this.code = code;
    this.stillTrue = stillTrue;
    this.next = nextOf[code];
  }
}

/** The certification authority: signs the keys of cards and knows whose they are. */
export interface Authority extends Party {
  readonly publicKey: Uint8Array;
  /** SkT of a card's key. */
  certify(payeeId: Uint8Array, publicKey: Uint8Array): Uint8Array;
}

/** The issuer: signs amounts for keys and keeps a record of each. */
export interface MoneyIssuer extends Party {
  readonly publicKey: Uint8Array;
  /** An issue (F6, encoded) under the key's next number, recorded. */
  issue(publicKey: Uint8Array, amount: number): Uint8Array;
  records(): readonly PurseIssueRecord[];
}

/** The third party: keeps the log (docs/purse.md 4). Its methods throw ThirdPartyError. */
export interface ThirdParty extends Party {
  readonly publicKey: Uint8Array;
  /** False: service state 00. Entries that come all the same are taken. */
  available: boolean;
  /** Answers a log query (F3) by a service state (F4). */
  query(bytes: Uint8Array): Uint8Array;
  /** Verifies and keeps a log entry (F2), answers a receipt (F5). */
  log(bytes: Uint8Array): Uint8Array;
  entries(): readonly PurseLogRecord[];
}

/** A certification authority with keys drawn from `random`. */
export function createAuthority(random: RandomSource, ops?: PublicKeyOps): Authority {
  const signer = signerOf(random(32), ops);
  return {
    publicKey: signer.publicKey,
    certify: (_, publicKey) => signer.sign(messages.key({ publicKey })),
    save: () => undefined,
    restore: () => undefined,
  };
}

/** An issuer with keys drawn from `random`. */
export function createMoneyIssuer(random: RandomSource, ops?: PublicKeyOps): MoneyIssuer {
  const signer: Signer = signerOf(random(32), ops);
  let records: readonly PurseIssueRecord[] = [];
  return {
    publicKey: signer.publicKey,
    issue(publicKey, amount) {
      const key = toHex(publicKey);
      const number = records.filter((record) => record.key === key).length + 1;
      const facts = { issuedAmount: amount, issueNumber: number, publicKey };
      records = [...records, { key, amount, number }];
      return issue.encode({ ...facts, issuerSignature: signer.sign(messages.issue(facts)) });
    },
    records: () => records,
    save: () => records,
    restore: (state) => { records = state as readonly PurseIssueRecord[]; },
  };
}

/** What a third party is made from. */
export interface ThirdPartyParts {
  readonly random: RandomSource;
  readonly caKey: Uint8Array;
  readonly issuerKey: Uint8Array;
  readonly ops?: PublicKeyOps;
  readonly store?: MemoryStore;
}

function read<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof CodecError) throw new ThirdPartyError('LOG_SYNTAX', error.message);
    throw error;
  }
}

function verify({ caKey, issuerKey, ops = nobleOps }: ThirdPartyParts, entry: LogEntry): void {
  const payer = toHex(entry.publicKey).slice(0, 8);
  if (!ops.verify(caKey, messages.key(entry), entry.caSignature)) throw new ThirdPartyError('LOG_CA_SIGNATURE', `key ${payer}... is not certified by the CA`);
  if (!ops.verify(issuerKey, messages.issue(entry), entry.issuerSignature))
    throw new ThirdPartyError('LOG_ISSUER_SIGNATURE', `the issuer has not signed ${entry.issuedAmount} for key ${payer}...`);
  if (!ops.verify(entry.publicKey, paidMessage(entry), entry.payment))
    throw new ThirdPartyError('LOG_PAYMENT_SIGNATURE', `key ${payer}... has not signed this payment of ${entry.amount}`);
}

const nameOf = ({ payeeId, challengeId }: Pick<LogEntry, 'payeeId' | 'challengeId'>): string => `log/${toHex(payeeId)}/${toHex(challengeId)}`;

function recordOf(bytes: Uint8Array): PurseLogRecord {
  const { payeeId, challengeId, publicKey, amount } = logEntry.decode(bytes);
  return { payeeId: toHex(payeeId), challengeId: toHex(challengeId), payerKey: toHex(publicKey), amount };
}

/** A third party with keys drawn from `random`. */
export function createThirdParty(parts: ThirdPartyParts): ThirdParty {
  const { random, ops, store = memoryStore() } = parts;
  const signer = signerOf(random(32), ops);
  const party: ThirdParty = {
    publicKey: signer.publicKey,
    available: true,
    query(bytes) {
      const { payeeId, challengeId } = read(() => logQuery.decode(bytes));
      const answer = { payeeId, challengeId, state: party.available ? 1 : 0 };
      return serviceState.encode({ ...answer, thirdPartySignature: signer.sign(messages.service(answer)) });
    },
    log(bytes) {
      const entry = read(() => logEntry.decode(bytes));
      verify(parts, entry);
      store.transaction((writer) => {
        const known = writer.get(nameOf(entry));
        if (known !== undefined && !equalBytes(known, bytes))
          throw new ThirdPartyError('LOG_CONFLICT', `another entry is kept for challenge ${toHex(entry.challengeId)} of payee ${toHex(entry.payeeId)}`);
        writer.put(nameOf(entry), bytes);
      });
      const { payeeId, challengeId } = entry;
      return logReceipt.encode({ payeeId, challengeId, thirdPartySignature: signer.sign(messages.receipt(entry, bytes)) });
    },
    entries: () => [...store.range('log/')].map(([, bytes]) => recordOf(bytes)),
    save: () => ({ store: store.snapshot(), available: party.available }),
    restore(state) {
      const saved = state as { readonly store: StoreSnapshot; readonly available: boolean };
      store.restore(saved.store);
      party.available = saved.available;
    },
  };
  return party;
}

