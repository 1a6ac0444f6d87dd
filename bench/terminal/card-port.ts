import { answers, certificate as certificateCodec, commands, fromHex, toHex } from '../codec/index.js';
import type { CardCommand } from '../codec/index.js';
import type {
  CardPort, ConditionCardPort, Outcome, OwnerCardPort, Page, PinChoice, RenewingCardPort, RequestObject, SetCardPort, ValueState, Variant,
} from '../../scenarios/index.js';
import type { CardLine } from './card-line.js';
import { certificateEntry, certificateObject, requestObject, valueEntry } from './convert.js';
import { cardOutcome, linkFailure } from './outcome.js';

/** What the terminal knows beside the card's answers. */
export interface TerminalKnowledge {
  /** The digits behind a name; `ask` has none. */
  pin(choice: PinChoice): string | undefined;
  /** Issue id in hexadecimal of the value behind a handle, where it is known. */
  issueIdOf(handle: number): string | undefined;
}

const variants: Readonly<Record<Variant, 0 | 1 | 2>> = { plain: 0, 'public-key': 1, 'common-key': 2 };
const secretNames: ReadonlySet<string> = new Set(['VERIFY', 'CHANGE REFERENCE DATA']);

/** Sends one command and turns whatever happens on the link into an outcome. */
export async function exchange<T>(
  line: CardLine, command: CardCommand, parse: (data: Uint8Array) => T,
): Promise<Outcome<T>> {
  try {
    const answer = await line.transmit(command, secretNames.has(command.name));
    return cardOutcome(answer, line.takeMarks(), parse);
  } catch (error) {
    return linkFailure(error, line.takeMarks());
  }
}

/** VERIFY with the digits behind `choice`; digits the codec would refuse go out as they are. */
export function verifyCommand(digits: string | undefined): CardCommand {
  const data = digits === undefined ? new Uint8Array(0) : new TextEncoder().encode(digits);
  return { ...commands.triesLeft(), data };
}

type Send = <T>(command: CardCommand, parse: (data: Uint8Array) => T) => Promise<Outcome<T>>;
type SetOperations = Pick<SetCardPort, 'divide' | 'piece' | 'keyPart' | 'setEnd' | 'gather' | 'combine' | 'couple' | 'decouple' | 'divideKey' | 'coupleKey' | 'coupledEnd' | 'gatherCoupled' | 'decoupleKey'>;

const sealings = { 'public-key': 1, 'common-key': 2 } as const;

/** The commands of embodiments 4, 5 and 6. */
function setOperations(send: Send, request: (data: Uint8Array) => RequestObject): SetOperations {
  return {
    divide: (variant, handle, order, division, hash) => send(commands.divide(sealings[variant], handle, order, division, hash), answers.set),
    piece: (handle, index) => send(commands.piece(handle, index), request),
    keyPart: (set, index) => send(commands.keyPart(set, index), request),
    setEnd: (embodiment, certificate) => send(commands.setEnd(embodiment, certificate.bytes), answers.registerEnd),
    gather: (embodiment, handle) => send(commands.gather(embodiment, handle), (data) => certificateObject(data, answers.recoverBegin(data))),
    combine: (embodiment, certificate, objects) => send(commands.combine(embodiment, certificate, objects.map(({ bytes }) => bytes)), (data) => {
      if (embodiment === 4) return answers.recoverEnd(data);
      answers.empty(data);
      return 0;
    }),
    couple: (variant, handles, order, hash) => send(commands.couple(sealings[variant], handles, order, hash), request),
    decouple: (certificate, object) => send(commands.decouple(certificate, object.bytes), answers.handles),
    divideKey: (kind, division, safes, hash, coupled) => send(commands.divideKey(kind, division, safes.map((id) => fromHex(id)), hash, coupled), answers.set),
    coupleKey: (variant, handle, set) => send(commands.coupleKey(sealings[variant], handle, set), request),
    coupledEnd: (certificate) => send(commands.coupledEnd(certificate.bytes), answers.registerEnd),
    gatherCoupled: (handle) => send(commands.gatherCoupled(handle), (data) => certificateObject(data, answers.recoverBegin(data))),
    decoupleKey: (certificate, object) => send(commands.decoupleKey(certificate, object.bytes), answers.recoverEnd),
  };
}

type ConditionOperations = Omit<ConditionCardPort, keyof CardPort>;

/** The commands of embodiment 11. */
function conditionOperations(send: Send, nothing: (data: Uint8Array) => undefined): ConditionOperations {
  return {
    tellDate: (date) => send(commands.date(date), nothing),
    putCondition: (number, condition) => send(commands.putCondition(number, condition), nothing),
    deleteCondition: (number) => send(commands.deleteCondition(number), nothing),
    getCondition: (number) => send(commands.getCondition(number), answers.condition),
    conditionNumbers: () => send(commands.getCondition(0), answers.conditionNumbers),
    extract: (number, date, from) => send(commands.extract(number, date, from), (data) => {
      const { entries, next } = answers.extracted(data);
      const values = entries.map(({ handle, state }) => ({ handle, state: state.toLowerCase() as ValueState }));
      return next === undefined ? { entries: values } : { entries: values, next };
    }),
    backupEnd: (handle) => send(commands.backupEnd(handle), nothing),
  };
}

/** The card as the scenarios want it, over a line with the applet selected. */
export function createCardPort(line: CardLine, known: TerminalKnowledge): RenewingCardPort & SetCardPort & OwnerCardPort & ConditionCardPort {
  const send = <T>(command: CardCommand, parse: (data: Uint8Array) => T): Promise<Outcome<T>> =>
    exchange(line, command, parse);
  const nothing = (data: Uint8Array): undefined => {
    answers.empty(data);
    return undefined;
  };
  const page = <E>(next: number | undefined, entries: readonly E[]): Page<E> =>
    next === undefined ? { entries } : { entries, next };
  const request = (data: Uint8Array) => requestObject(data, answers.registerBegin(data));
  return {
    hasTrace: line.hasTrace,
    verifyPin: (pin) => send(verifyCommand(known.pin(pin)), nothing),
    listValues: (embodiment, from) => send(commands.listValues(embodiment, from), (data) => {
      const { entries, next } = answers.listValues(data);
      return page(next, entries.flatMap((e) => (e.class === 'A' ? [valueEntry(e, known.issueIdOf(e.handle))] : [])));
    }),
    listCertificates: (embodiment, what, from) => send(commands.listCertificates(embodiment, what, from), (data) => {
      const { entries, next } = answers.listCertificates(data);
      return page(next, entries.flatMap((e) => (e.class === 'B' ? [certificateEntry(e, known.issueIdOf(e.handle))] : [])));
    }),
    registerBegin: (embodiment, variant, handle, hash, sealFor) => send(sealFor === undefined || variant === 'plain'
      ? commands.registerBegin(embodiment, variants[variant], handle, hash)
      : commands.sealedRegister(embodiment, sealings[variant], handle, hash, fromHex(sealFor)), request),
    registerEnd: (embodiment, what, certificate) =>
      send(commands.registerEnd(embodiment, what, certificate.bytes), answers.registerEnd),
    recoverBegin: (embodiment, what, handle) =>
      send(commands.recoverBegin(embodiment, what, handle), (data) => certificateObject(data, answers.recoverBegin(data))),
    recoverEnd: (embodiment, certificate, object) =>
      send(object.content === 'sealed' ? commands.sealedRecover(embodiment, certificate, object.bytes)
        : commands.recoverEnd(embodiment, certificate, object.bytes), answers.recoverEnd),
    keyRegisterBegin: (kind, safeId, hash, embodiment) => send(commands.keyRegisterBegin(kind, fromHex(safeId), hash, embodiment), request),
    keyRecoverEnd: (certificate, object, embodiment) => send(commands.keyRecoverEnd(certificate, object.bytes, embodiment), nothing),
    getReceipt: (certificate) => send(commands.getReceipt(certificate), (data) => {
      const { cardId, sequence } = answers.getReceipt(data);
      return { bytes: data, cardId: toHex(cardId), sequence };
    }),
    ...setOperations(send, request),
    ...conditionOperations(send, nothing),
    pathRegister: (embodiment, handle, hash, grant) => send(commands.pathRegister(embodiment, handle, hash, grant.bytes), request),
    pathRecover: (embodiment, certificate, object) => send(commands.pathRecover(embodiment, certificate, object.bytes), answers.recoverEnd),
    delete: (handle) => send(commands.deleteItem(handle), nothing),
    seedRegisterBegin: (safeId, hash) => send(commands.seedRegisterBegin(fromHex(safeId), hash), request),
    seedRecoverBegin: (chosen) => send(commands.seedRecoverBegin(chosen), (data) => {
      const { handle, certificate } = answers.seedRecoverBegin(data);
      return { ...certificateObject(certificateCodec.encode(certificate), certificate), handle };
    }),
    seedRecoverEnd: (certificate, object) => send(commands.seedRecoverEnd(certificate, object.bytes), nothing),
    renewKey: () => send(commands.renewKey(), nothing),
    deleteKey: (kind) => send(commands.deleteKey(kind), nothing),
  };
}
