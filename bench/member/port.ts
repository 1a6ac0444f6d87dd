import { CodecError, toHex } from '../codec/index.js';
import { TlvReader } from '../codec/tlv.js';
import type {
  AdmissionObject, CentrePort, ConnectionObject, MemberCardPort, NoticeObject, OrderObject, Outcome, TelegramObject,
} from '../../scenarios/index.js';
import { cardOutcome, linkFailure } from '../terminal/outcome.js';
import type { CardLine } from '../terminal/card-line.js';
import type { Centre } from './centre.js';
import { historyOf, member } from './commands.js';
import type { MemberCommand } from './commands.js';
import { CentreError } from './errors.js';
import { admission, connectionObject, elements, notice, order } from './objects.js';
import type { Order } from './objects.js';

/** An encoded F4 as the scenarios see it. Throws CodecError; so all of these. */
export const connectionOf = (bytes: Uint8Array): ConnectionObject => ({ bytes, connection: toHex(connectionObject.decode(bytes).connection) });
/** An encoded F1. */
export function admissionOf(bytes: Uint8Array): AdmissionObject {
  const { memberNumber, verificationKey } = admission.decode(bytes);
  return { bytes, memberNumber: toHex(memberNumber), verificationKey: toHex(verificationKey) };
}
const facts = ({ transaction, store, amount, date }: Order) => ({ transaction, store: toHex(store), amount, date });
/** An encoded F5. */
export const orderOf = (bytes: Uint8Array): OrderObject => ({ bytes, ...facts(order.decode(bytes)) });
/** An encoded F3. */
export function noticeOf(bytes: Uint8Array): NoticeObject {
  const object = notice.decode(bytes);
  return { bytes, ...facts(object), memberNumber: toHex(object.memberNumber), balance: object.balance };
}
const telegramOf = (bytes: Uint8Array): TelegramObject => ({ bytes });

function keyOf(data: Uint8Array): string {
  const reader = new TlvReader(data);
  const key = elements.verificationKey.read(reader);
  reader.finish('verification key');
  return toHex(key);
}

/** Throws CodecError when an answer that must be empty is not. */
function noData(data: Uint8Array): undefined {
  if (data.length > 0) throw new CodecError('TLV_TRAILING', `${data.length} bytes where none were due`);
}

/** The member's card as the scenarios want it, over a line with the applet selected. */
export function createMemberPort(line: CardLine): MemberCardPort {
  const send = async <T>(command: MemberCommand, parse: (data: Uint8Array) => T): Promise<Outcome<T>> => {
    try {
      const answer = await line.transmit(command, command.secret);
      return cardOutcome(answer, line.takeMarks(), parse);
    } catch (error) {
      return linkFailure(error, line.takeMarks());
    }
  };
  return {
    hasTrace: line.hasTrace,
    passwords: (a, b) => send(member.passwords(a, b), noData),
    contents: (text) => send(member.contents(text), noData),
    seed: (text) => send(member.seed(text), keyOf),
    sign: (method) => send(member.sign(method), noData),
    fetch: (a) => send(member.fetch(a), noData),
    connect: ({ bytes }) => send(member.connect(bytes), noData),
    send: () => send(member.send(), telegramOf),
    admitted: ({ bytes }) => send(member.admitted(bytes), noData),
    enterA: (a) => send(member.enterA(a), noData),
    history: () => send(member.history(), (data) => historyOf(data).map((entry) => ({ bytes: order.encode(entry), ...facts(entry) }))),
    enterB: (b) => send(member.enterB(b), noData),
    pay: ({ bytes }) => send(member.pay(bytes), telegramOf),
    settled: ({ bytes }) => send(member.settled(bytes), noData),
  };
}

/** What the centre does, as an outcome. */
export function centreOutcome<T>(call: () => Uint8Array, parse: (bytes: Uint8Array) => T): Outcome<T> {
  try {
    return { ok: true, value: parse(call()), marks: [] };
  } catch (error) {
    if (!(error instanceof CentreError)) throw error;
    return { ok: false, cause: 'refused', safeCode: error.code, text: `${error.code}: ${error.message}`, marks: [] };
  }
}

/** The centre as the scenarios want it; orders are for the member who was admitted last. */
export function createCentrePort(centre: Centre): CentrePort {
  const answer = <T>(call: () => Uint8Array, parse: (bytes: Uint8Array) => T): Promise<Outcome<T>> => Promise.resolve(centreOutcome(call, parse));
  return {
    connect: () => answer(() => centre.connect(), connectionOf),
    register: ({ bytes }) => answer(() => centre.register(bytes), admissionOf),
    order: (amount) => answer(() => centre.order(centre.members.at(-1)?.number ?? '', amount), orderOf),
    pay: ({ bytes }) => answer(() => centre.pay(bytes), noticeOf),
  };
}
