import { CodecError, toHex } from '../codec/index.js';
import type {
  ChallengeObject, FailureCause, LogEntryObject, LogReceiptObject, Outcome, PaymentObject, PurseCardPort, QueryObject, ServiceObject, ThirdPartyPort,
} from '../../scenarios/index.js';
import type { CardLine } from '../terminal/card-line.js';
import { cardOutcome, linkFailure } from '../terminal/outcome.js';
import { purse } from './commands.js';
import type { PurseCommand } from './commands.js';
import { challenge, logEntry, logQuery, logReceipt, paymentObject, serviceState } from './objects.js';
import { ThirdPartyError } from './parties.js';
import type { ThirdParty, ThirdPartyErrorCode } from './parties.js';

/** An encoded F0 as the scenarios see it. Throws CodecError; so all of these. */
export function challengeObject(bytes: Uint8Array): ChallengeObject {
  const { challengeId, amount } = challenge.decode(bytes);
  return { bytes, challengeId: toHex(challengeId), amount };
}
/** An encoded F1. */
export const paymentObjectOf = (bytes: Uint8Array): PaymentObject => ({ bytes, payerKey: toHex(paymentObject.decode(bytes).publicKey) });
/** An encoded F3. */
export function queryObject(bytes: Uint8Array): QueryObject {
  const { payeeId, challengeId } = logQuery.decode(bytes);
  return { bytes, payeeId: toHex(payeeId), challengeId: toHex(challengeId) };
}
/** An encoded F4. */
export function serviceObject(bytes: Uint8Array): ServiceObject {
  const { payeeId, challengeId, state } = serviceState.decode(bytes);
  return { bytes, payeeId: toHex(payeeId), challengeId: toHex(challengeId), available: state === 1 };
}
/** An encoded F2. */
export function entryObject(bytes: Uint8Array): LogEntryObject {
  const { payeeId, publicKey, challengeId, amount } = logEntry.decode(bytes);
  return { bytes, payeeId: toHex(payeeId), payerKey: toHex(publicKey), challengeId: toHex(challengeId), amount };
}
/** An encoded F5. */
export function receiptObject(bytes: Uint8Array): LogReceiptObject {
  const { payeeId, challengeId } = logReceipt.decode(bytes);
  return { bytes, payeeId: toHex(payeeId), challengeId: toHex(challengeId) };
}

/** Sends one command and turns whatever happens on the link into an outcome. */
export async function purseExchange<T>(line: CardLine, command: PurseCommand, parse: (data: Uint8Array) => T): Promise<Outcome<T>> {
  try {
    const answer = await line.transmit(command);
    return cardOutcome(answer, line.takeMarks(), parse);
  } catch (error) {
    return linkFailure(error, line.takeMarks());
  }
}

/** Throws CodecError when an answer that must be empty is not. */
export function noData(data: Uint8Array): undefined {
  if (data.length > 0) throw new CodecError('TLV_TRAILING', `${data.length} bytes where none were due`);
}

/** A card of the purse as the scenarios want it, over a line with the applet selected. */
export function createPursePort(line: CardLine): PurseCardPort {
  const send = <T>(command: PurseCommand, parse: (data: Uint8Array) => T): Promise<Outcome<T>> => purseExchange(line, command, parse);
  return {
    hasTrace: line.hasTrace,
    challenge: (embodiment, alternative, amount) => send(purse.challenge(embodiment, alternative, amount), challengeObject),
    pay: (embodiment, { bytes }) => send(purse.pay(embodiment, bytes), paymentObjectOf),
    receive: ({ bytes }) => send(purse.receive(1, bytes), entryObject),
    prepare: ({ bytes }) => send(purse.receive(2, bytes), queryObject),
    accept: ({ bytes }) => send(purse.accept(bytes), entryObject),
    logTaken: ({ bytes }) => send(purse.logTaken(bytes), noData),
  };
}

/** One request to the third party as it is recorded; lengths in bytes. */
export interface LogExchange {
  readonly operation: 'query' | 'log';
  readonly sent: number;
  readonly received: number;
  readonly code?: ThirdPartyErrorCode;
}

const causes: Partial<Record<ThirdPartyErrorCode, FailureCause>> = { LOG_SILENT: 'late', LOG_CLOSED: 'link' };

/** The third party as the scenarios want it. */
export function createThirdPartyPort(party: Pick<ThirdParty, 'query' | 'log'>, tell?: (exchange: LogExchange) => void): ThirdPartyPort {
  const ask = <T>(operation: LogExchange['operation'], bytes: Uint8Array, parse: (answer: Uint8Array) => T): Promise<Outcome<T>> => {
    try {
      const answer = party[operation](bytes);
      tell?.({ operation, sent: bytes.length, received: answer.length });
      return Promise.resolve({ ok: true, value: parse(answer), marks: [] });
    } catch (error) {
      if (error instanceof CodecError) return Promise.resolve({ ok: false, cause: 'unexpected', text: `${error.code}: ${error.message}`, marks: [] });
      if (!(error instanceof ThirdPartyError)) throw error;
      tell?.({ operation, sent: bytes.length, received: 0, code: error.code });
      return Promise.resolve({ ok: false, cause: causes[error.code] ?? 'refused', safeCode: error.code, text: `${error.code}: ${error.message}`, marks: [] });
    }
  };
  return {
    query: ({ bytes }) => ask('query', bytes, serviceObject),
    log: ({ bytes }) => ask('log', bytes, receiptObject),
  };
}
