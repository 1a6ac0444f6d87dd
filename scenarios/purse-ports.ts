import type { Outcome } from './ports.js';

/** How the challenge comes back to the payee (docs/purse.md 1.4). */
export type ChallengeAlternative = 'encrypted' | 'hashed' | 'signed' | 'kept';

/** Embodiments of the purse. */
export type PurseEmbodiment = 1 | 2;

/** A challenge F0. Ids in hexadecimal, amounts in yen; so everywhere here. */
export interface ChallengeObject {
  readonly bytes: Uint8Array;
  readonly challengeId: string;
  readonly amount: number;
}

/** A payment F1. */
export interface PaymentObject {
  readonly bytes: Uint8Array;
  readonly payerKey: string;
}

/** A log query F3. */
export interface QueryObject {
  readonly bytes: Uint8Array;
  readonly payeeId: string;
  readonly challengeId: string;
}

/** A service state F4. */
export interface ServiceObject extends QueryObject {
  /** False: not now. */
  readonly available: boolean;
}

/** A log entry F2. */
export interface LogEntryObject {
  readonly bytes: Uint8Array;
  readonly payeeId: string;
  readonly payerKey: string;
  readonly challengeId: string;
  readonly amount: number;
}

/** A log receipt F5. */
export type LogReceiptObject = QueryObject;

/** A card of the purse as the terminal sees it (docs/purse.md 2), payer and payee alike. */
export interface PurseCardPort {
  /** True when the card's STEP marks reach the bench. */
  readonly hasTrace: boolean;
  challenge(embodiment: PurseEmbodiment, alternative: ChallengeAlternative, amount: number): Promise<Outcome<ChallengeObject>>;
  pay(embodiment: PurseEmbodiment, challenge: ChallengeObject): Promise<Outcome<PaymentObject>>;
  /** Embodiment 1: the payment is credited. */
  receive(payment: PaymentObject): Promise<Outcome<LogEntryObject>>;
  /** Embodiment 2: the payment is verified, nothing counts yet. */
  prepare(payment: PaymentObject): Promise<Outcome<QueryObject>>;
  accept(state: ServiceObject): Promise<Outcome<LogEntryObject>>;
  logTaken(receipt: LogReceiptObject): Promise<Outcome<undefined>>;
}

/** The third party as the payee's terminal sees it. Marks of its outcomes are empty. */
export interface ThirdPartyPort {
  query(query: QueryObject): Promise<Outcome<ServiceObject>>;
  log(entry: LogEntryObject): Promise<Outcome<LogReceiptObject>>;
}

/** The parties of a transfer. */
export interface PursePorts {
  readonly payer: PurseCardPort;
  readonly payee: PurseCardPort;
  readonly thirdparty: ThirdPartyPort;
}
