import { concat, fromHex, textBytes } from './bytes.js';
import { dateElement, encodeCondition } from './conditions.js';
import type { ConditionTerm } from './conditions.js';
import { dayBytes, elements } from './elements.js';
import type { BackedKey, HashAlgorithm, KeyKind, Variant } from './elements.js';
import { CodecError } from './errors.js';
import { certificate, keyReply, loadObject, safeEntry } from './objects.js';
import type { Certificate, KeyReply, LoadObject, SafeEntry } from './objects.js';
import { setElements } from './pieces.js';
import type { Division, KeyDivision, SetOrder } from './pieces.js';
import { writeTlv } from './tlv.js';

/** Application identifier of the card applet. */
export const applicationId: Uint8Array = fromHex('F0 43 41 52 44 42 45 4E 43 48');

/** The commands of docs/protocol.md 2.1: name -> CLA, INS (table). */
export const commandTable = {
  SELECT: [0x00, 0xa4], 'GET RESPONSE': [0x00, 0xc0], VERIFY: [0x00, 0x20], 'CHANGE REFERENCE DATA': [0x00, 0x24],
  'GET DATA': [0x80, 0xca], 'LIST VALUES': [0x80, 0x10], 'REGISTER BEGIN': [0x80, 0x12], 'REGISTER END': [0x80, 0x14],
  'LIST CERTIFICATES': [0x80, 0x16], 'RECOVER BEGIN': [0x80, 0x18], 'RECOVER END': [0x80, 0x1a],
  'KEY REGISTER BEGIN': [0x80, 0x1c], 'KEY RECOVER END': [0x80, 0x1e], 'GET RECEIPT': [0x80, 0x22],
  DELETE: [0x80, 0x24], CANCEL: [0x80, 0x26], READ: [0x80, 0x28], USE: [0x80, 0x2a], LIST: [0x80, 0x2c],
  LOAD: [0x80, 0x2e], CORRECT: [0x80, 0x30], 'GENERATE KEY': [0x80, 0x40], 'DELETE KEY': [0x80, 0x42], 'RENEW KEY': [0x80, 0x44],
  'GENERATE SEED': [0x80, 0x50], 'SEED REGISTER BEGIN': [0x80, 0x52], 'SEED RECOVER BEGIN': [0x80, 0x54],
  'SEED RECOVER END': [0x80, 0x56], 'PATH REGISTER BEGIN': [0x80, 0x58], 'PATH RECOVER END': [0x80, 0x5a],
  DIVIDE: [0x80, 0x32], PIECE: [0x80, 0x34], 'SET END': [0x80, 0x36], GATHER: [0x80, 0x38], COMBINE: [0x80, 0x3a],
  COUPLE: [0x80, 0x3c], 'DIVIDE KEY': [0x80, 0x3e], 'COUPLE KEY': [0x80, 0x70],
  DATE: [0x80, 0x5e], 'PUT CONDITION': [0x80, 0x4a], 'GET CONDITION': [0x80, 0x4c], EXTRACT: [0x80, 0x4e], 'BACKUP END': [0x80, 0x5c],
  INITIALISE: [0x80, 0x46], 'PUT DATA': [0x80, 0xda], ISSUE: [0x80, 0x48],
} as const satisfies Record<string, readonly [number, number]>;

/** Name of a card command. */
export type CommandName = keyof typeof commandTable;

/** One command as plain data; chaining, Lc/Le and GET RESPONSE belong to the card channel. */
export interface CardCommand {
  readonly name: CommandName;
  readonly cla: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  readonly data: Uint8Array;
}

/** Embodiments of the protocol, as P1 of their commands. */
export type Embodiment = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12;
/** Kinds of GENERATE KEY. */
export type GeneratedKey = KeyKind | 'signing' | 'transport';

/** Objects of GET DATA and PUT DATA (docs/protocol.md 2.2) by name. */
export const dataTags = {
  shortage: 0xdf01, memory: 0xdf02, credential: 0xdf03, status: 0xdf04, firmware: 0xdf05, publicKeys: 0xdf06,
  cardId: 0xdf10, issuerKey: 0xdf11, safe: 0xdf12, pin: 0xdf13, settings: 0xdf14, credentialSignature: 0xdf15,
  currentSettings: 0xdf16,
} as const;
/** Name of an object that can be read by GET DATA. */
export type ReadableData =
  'shortage' | 'memory' | 'credential' | 'status' | 'firmware' | 'publicKeys' | 'currentSettings';

/** Settings of DF14 and DF16. */
export interface CardSettings {
  readonly emptyDigest: boolean;
  readonly allowLegacy: boolean;
}

/** Condition of LIST: every member given must hold. Days are `YYYY-MM-DD`. */
export interface ListFilter {
  readonly entries?: 'all' | 'values' | 'certificates';
  readonly infoClass?: number;
  /** Items with a limit whose last day lies within today..last. */
  readonly days?: { readonly today: string; readonly last: string };
}

const none = new Uint8Array(0);
const generatedKinds: Readonly<Record<GeneratedKey, number>> = { decoding: 1, common: 2, signing: 3, transport: 4 };
const listParts = { all: 0x00, values: 0x41, certificates: 0x42 } as const;

function command(name: CommandName, p1: number, p2: number, data: Uint8Array = none): CardCommand {
  const [cla, ins] = commandTable[name];
  return { name, cla, ins, p1, p2, data };
}

const position = (at: number | undefined): Uint8Array => (at === undefined ? none : elements.position.write(at));
const handled = (name: CommandName, handle: number): CardCommand => command(name, 0, 0, elements.handle.write(handle));
const pinBytes = (pin: string): Uint8Array => {
  if (!/^\d{4,12}$/.test(pin)) throw new CodecError('COMMAND_ARGUMENT', 'a PIN has 4-12 ASCII digits');
  return textBytes(pin);
};
const putData = (name: keyof typeof dataTags, data: Uint8Array): CardCommand =>
  command('PUT DATA', dataTags[name] >> 8, dataTags[name] & 0xff, data);
const fixed = (what: string, data: Uint8Array, length: number): Uint8Array => {
  if (data.length !== length)
    throw new CodecError('COMMAND_ARGUMENT', `${what}: expected ${length} bytes, got ${data.length}`);
  return data;
};

/** Name of the command with this class (the chaining bit is ignored) and instruction, undefined when unknown. */
export function commandName(cla: number, ins: number): CommandName | undefined {
  const names = Object.keys(commandTable) as CommandName[];
  return names.find((name) => commandTable[name][0] === (cla & ~0x10) && commandTable[name][1] === ins);
}

/** SELECT of the applet by its AID. */
export const select = (): CardCommand => command('SELECT', 0x04, 0x00, applicationId);
/** VERIFY with a PIN of 4-12 digits. */
export const verify = (pin: string): CardCommand => command('VERIFY', 0x00, 0x01, pinBytes(pin));
/** VERIFY without data: asks for the tries left (63Cx). */
export const triesLeft = (): CardCommand => command('VERIFY', 0x00, 0x01);
/** CHANGE REFERENCE DATA: a new PIN of 4-12 digits. */
export const changePin = (pin: string): CardCommand => command('CHANGE REFERENCE DATA', 0x01, 0x01, pinBytes(pin));
/** GET DATA of one object of 2.2. */
export const getData = (what: ReadableData): CardCommand =>
  command('GET DATA', dataTags[what] >> 8, dataTags[what] & 0xff);
/** LIST VALUES from a list position (none: the start). Steps 1-1 to 1-4. */
export const listValues = (embodiment: Embodiment, at?: number): CardCommand =>
  command('LIST VALUES', embodiment, 0, position(at));
/** REGISTER BEGIN of a value; variant 0 in embodiment 1. Steps 1-5 to 1-8 and 1-5 to 1-9. */
export const registerBegin = (
  embodiment: Embodiment, variant: 0 | Variant, handle: number, algorithm: HashAlgorithm = 'SHA-256',
): CardCommand => command('REGISTER BEGIN', embodiment, variant,
  concat(elements.handle.write(handle), elements.wantedAlgorithm.write(algorithm)));
/** REGISTER END with the certificate as an object, or its bytes as the safe gave them. */
export const registerEnd = (
  embodiment: Embodiment, phase: 'value' | 'key', answer: Certificate | Uint8Array,
): CardCommand => command('REGISTER END', embodiment, phase === 'value' ? 0x01 : 0x03,
  answer instanceof Uint8Array ? answer : certificate.encode(answer));
/** LIST CERTIFICATES from a list position. Steps 2-1 to 2-4 and 4-1 to 4-4. */
export const listCertificates = (embodiment: Embodiment, phase: 'value' | 'key', at?: number): CardCommand =>
  command('LIST CERTIFICATES', embodiment, phase === 'value' ? 0x02 : 0x04, position(at));
/** RECOVER BEGIN of a certificate. Steps 2-5 to 2-8 and 4-5 to 4-8. */
export const recoverBegin = (embodiment: Embodiment, phase: 'value' | 'key', handle: number): CardCommand =>
  command('RECOVER BEGIN', embodiment, phase === 'value' ? 0x02 : 0x04, elements.handle.write(handle));
/** RECOVER END: the certificate's handle and the encoded E1 or E3 as the safe gave it. */
export const recoverEnd = (embodiment: Embodiment, handle: number, object: Uint8Array): CardCommand =>
  command('RECOVER END', embodiment, 0, concat(elements.handle.write(handle), object));
/** KEY REGISTER BEGIN of a key to a safe (id of 8 bytes). Steps 3-1 to 3-4. */
export const keyRegisterBegin = (
  kind: KeyKind, safeId: Uint8Array, algorithm: HashAlgorithm = 'SHA-256', embodiment: Embodiment = 2,
): CardCommand => command('KEY REGISTER BEGIN', embodiment, generatedKinds[kind],
  concat(elements.safeId.write(safeId), elements.wantedAlgorithm.write(algorithm)));
/** KEY RECOVER END: the key certificate's handle and the key reply. Steps 4-11 to 4-14. */
export const keyRecoverEnd = (handle: number, reply: KeyReply | Uint8Array, embodiment: Embodiment = 2): CardCommand =>
  command('KEY RECOVER END', embodiment, 0,
    concat(elements.handle.write(handle), reply instanceof Uint8Array ? reply : keyReply.encode(reply)));
/** Embodiments whose objects come in sets: pieces, bundles, key parts. */
export type SetEmbodiment = 4 | 5 | 6;
/** DIVIDE of a value. Steps 1-5 to 1-7 of embodiment 4. */
export const divide = (
  variant: Variant, handle: number, order: SetOrder, division: Division, algorithm: HashAlgorithm = 'SHA-256',
): CardCommand => command('DIVIDE', 4, variant, concat(
  elements.handle.write(handle), elements.wantedAlgorithm.write(algorithm), setElements.order.write(order), setElements.division.write(division)));
/** PIECE of a divided value. Steps 1-8 and 1-9 of embodiment 4. */
export const piece = (handle: number, index: number): CardCommand => command('PIECE', 4, index, elements.handle.write(handle));
/** PIECE: a part of a divided key by its set. Steps 3-3 and 3-4 of embodiment 6. */
export const keyPart = (set: number, index: number): CardCommand => command('PIECE', 6, index, elements.sequence.write(set));
/** SET END with a certificate as the safe gave it. */
export const setEnd = (embodiment: SetEmbodiment, certificateBytes: Uint8Array): CardCommand =>
  command('SET END', embodiment, 0, certificateBytes);
/** GATHER of a certificate of a set. */
export const gather = (embodiment: SetEmbodiment, handle: number): CardCommand =>
  command('GATHER', embodiment, 0, elements.handle.write(handle));
/** COMBINE of the pieces EE by rising index, or of key part replies. */
export const combine = (embodiment: 4 | 6, handle: number, objects: readonly Uint8Array[]): CardCommand =>
  command('COMBINE', embodiment, 0, concat(elements.handle.write(handle), writeTlv(0xef, concat(...objects))));
/** COMBINE of a bundle EF as the safe gave it. */
export const decouple = (handle: number, object: Uint8Array): CardCommand =>
  command('COMBINE', 5, 0, concat(elements.handle.write(handle), object));
/** COUPLE of values. Steps 1-5 to 1-9 of embodiment 5. */
export const couple = (variant: Variant, handles: readonly number[], order: SetOrder, algorithm: HashAlgorithm = 'SHA-256'): CardCommand =>
  command('COUPLE', 5, variant, concat(
    elements.wantedAlgorithm.write(algorithm), setElements.order.write(order), ...handles.map((handle) => elements.handle.write(handle))));
/** COUPLE KEY: the ciphertext of a value with the first part of its key. Steps 1-5 to 1-9 of embodiment 6. */
export const coupleKey = (variant: Variant, handle: number, set: number): CardCommand =>
  command('COUPLE KEY', 6, variant, concat(elements.handle.write(handle), elements.sequence.write(set)));
/** SET END with the certificate of a ciphertext coupled with a key part. */
export const coupledEnd = (certificateBytes: Uint8Array): CardCommand => command('SET END', 6, 1, certificateBytes);
/** GATHER of such a certificate. */
export const gatherCoupled = (handle: number): CardCommand => command('GATHER', 6, 1, elements.handle.write(handle));
/** COMBINE of the coupled object EF as the safe gave it: the value in it. */
export const decoupleKey = (handle: number, object: Uint8Array): CardCommand =>
  command('COMBINE', 6, 1, concat(elements.handle.write(handle), object));

const coupledDivision = (division: KeyDivision): Uint8Array => {
  const bytes = setElements.keyDivision.write(division);
  bytes[2] |= 0x80;
  return bytes;
};

/** DIVIDE KEY: one part to each safe (ids of 8 bytes); `coupled`: the first one is going to be coupled with a value. Steps 3-1 and 3-2 of embodiment 6. */
export const divideKey = (
  kind: BackedKey, division: KeyDivision, safeIds: readonly Uint8Array[], algorithm: HashAlgorithm = 'SHA-256', coupled = false,
): CardCommand => command('DIVIDE KEY', 6, kind === 'seed' ? 5 : generatedKinds[kind], concat(
  coupled ? coupledDivision(division) : setElements.keyDivision.write(division), elements.wantedAlgorithm.write(algorithm), ...safeIds.map((id) => elements.safeId.write(id))));
/** GET RECEIPT of a SPENT certificate (claim 26). */
export const getReceipt = (handle: number): CardCommand => handled('GET RECEIPT', handle);
/** DELETE of a wallet item (claims 25, 26). */
export const deleteItem = (handle: number): CardCommand => handled('DELETE', handle);
/** CANCEL of a value's registration or a certificate's recovery. */
export const cancel = (handle: number): CardCommand => handled('CANCEL', handle);
/** CANCEL of a begun key registration. */
export const cancelKey = (): CardCommand => command('CANCEL', 0, 0);
/** READ of a wallet item. */
export const readItem = (handle: number): CardCommand => handled('READ', handle);
/** USE: so many pieces. */
export const useQuantity = (handle: number, quantity: number): CardCommand =>
  command('USE', 0, 0, concat(elements.handle.write(handle), elements.quantity.write(quantity)));
/** USE: an amount in yen. */
export const useAmount = (handle: number, amount: number): CardCommand =>
  command('USE', 0, 0, concat(elements.handle.write(handle), elements.remaining.write(amount)));
/** LIST by condition from a list position. */
export function list(filter: ListFilter = {}, at?: number): CardCommand {
  const parts = [
    filter.infoClass === undefined ? none : writeTlv(0x80, Uint8Array.of(filter.infoClass)),
    filter.days === undefined
      ? none : elements.listDays.write(concat(dayBytes(filter.days.today), dayBytes(filter.days.last))),
    position(at),
  ];
  return command('LIST', listParts[filter.entries ?? 'all'], 0, concat(...parts));
}
/** LOAD of an issuer's load object. */
export const load = (object: LoadObject | Uint8Array): CardCommand =>
  command('LOAD', 0, 0, object instanceof Uint8Array ? object : loadObject.encode(object));
/** CORRECT of a value by an issuer's load object: written anew, then the old deleted. */
export const correct = (handle: number, object: LoadObject | Uint8Array): CardCommand =>
  command('CORRECT', 0, 0,
    concat(elements.handle.write(handle), object instanceof Uint8Array ? object : loadObject.encode(object)));
/** GENERATE KEY of a kind. */
export const generateKey = (kind: GeneratedKey): CardCommand => command('GENERATE KEY', generatedKinds[kind], 0);
/** DELETE KEY after its backup. */
export const deleteKey = (kind: KeyKind): CardCommand => command('DELETE KEY', generatedKinds[kind], 0);
/** RENEW KEY: a new decoding key in the place of one whose values are all back (embodiment 12). */
export const renewKey = (): CardCommand => command('RENEW KEY', 12, 1);
/** GENERATE SEED: a new seed and the decoding key derived from it (embodiment 7). */
export const generateSeed = (): CardCommand => command('GENERATE SEED', 7, 0);
/** SEED REGISTER BEGIN to a safe (id of 8 bytes). Steps 1-1 to 1-3 of embodiment 7. */
export const seedRegisterBegin = (safeId: Uint8Array, algorithm: HashAlgorithm = 'SHA-256'): CardCommand =>
  command('SEED REGISTER BEGIN', 7, 0, concat(elements.safeId.write(safeId), elements.wantedAlgorithm.write(algorithm)));
/** SEED RECOVER BEGIN with the certificate of this handle, or any. Steps 3-1 and 3-2 of embodiment 7. */
export const seedRecoverBegin = (handle?: number): CardCommand =>
  command('SEED RECOVER BEGIN', 7, 0, handle === undefined ? none : elements.handle.write(handle));
/** SEED RECOVER END: the seed certificate's handle and the key reply. Steps 3-5 to 3-7 of embodiment 7. */
export const seedRecoverEnd = (handle: number, reply: KeyReply | Uint8Array): CardCommand =>
  command('SEED RECOVER END', 7, 0,
    concat(elements.handle.write(handle), reply instanceof Uint8Array ? reply : keyReply.encode(reply)));
/** DATE: the day on which items arrive (embodiment 11). */
export const date = (day: string): CardCommand => command('DATE', 11, 0, dateElement.write(day));
/** PUT CONDITION: stores a condition under a number (1-254). */
export const putCondition = (number: number, condition: readonly ConditionTerm[]): CardCommand =>
  command('PUT CONDITION', 11, number, encodeCondition(condition));
/** PUT CONDITION without terms: deletes the condition. */
export const deleteCondition = (number: number): CardCommand => command('PUT CONDITION', 11, number);
/** GET CONDITION: its terms; number 0: the numbers of all. */
export const getCondition = (number: number): CardCommand => command('GET CONDITION', 11, number);
/** EXTRACT by a condition, or with number 0 by all, from a list position. Steps 2-1 to 2-5 of embodiment 11. */
export const extract = (number: number, day: string, at?: number): CardCommand =>
  command('EXTRACT', 11, number, concat(dateElement.write(day), position(at)));
/** BACKUP END: the value makes room. Steps 2-10 and 2-11 of embodiment 11. */
export const backupEnd = (handle: number): CardCommand => command('BACKUP END', 11, 0, elements.handle.write(handle));
/** PATH REGISTER BEGIN with the grant F0 of a path. Steps 1-5 to 1-9 of embodiments 8, 9, 10. */
export const pathRegister = (embodiment: 8 | 9 | 10, handle: number, algorithm: HashAlgorithm, grant: Uint8Array): CardCommand =>
  command('PATH REGISTER BEGIN', embodiment, 0, concat(elements.handle.write(handle), elements.wantedAlgorithm.write(algorithm), grant));
/** PATH RECOVER END: the certificate's handle and what came over the path (FB). Steps 2-11 to 2-15 of embodiments 8, 9, 10. */
export const pathRecover = (embodiment: 8 | 9 | 10, handle: number, reply: Uint8Array): CardCommand =>
  command('PATH RECOVER END', embodiment, 0, concat(elements.handle.write(handle), reply));
/** PATH REGISTER BEGIN with the safe (8) that registered value information is sealed for. Steps 1-5 to 1-9 of embodiment 3, sealed. */
export const sealedRegister = (embodiment: Embodiment, variant: Variant, handle: number, algorithm: HashAlgorithm, safeId: Uint8Array): CardCommand =>
  command('PATH REGISTER BEGIN', embodiment, variant, concat(elements.handle.write(handle), elements.wantedAlgorithm.write(algorithm), elements.safeId.write(safeId)));
/** PATH RECOVER END: the certificate's handle and the registered value information as its safe sealed it (FB). Steps 2-11 to 2-15 of embodiment 3, sealed. */
export const sealedRecover = (embodiment: Embodiment, handle: number, reply: Uint8Array): CardCommand =>
  command('PATH RECOVER END', embodiment, 0, concat(elements.handle.write(handle), reply));
/** INITIALISE: formats a card that is not operational. */
export const initialise = (): CardCommand => command('INITIALISE', 0, 0);
/** ISSUE: the life cycle becomes operational. */
export const issue = (): CardCommand => command('ISSUE', 0, 0);
/** PUT DATA DF10: card id (8). */
export const putCardId = (cardId: Uint8Array): CardCommand => putData('cardId', fixed('card id', cardId, 8));
/** PUT DATA DF11: the issuer's Ed25519 public key (32). */
export const putIssuerKey = (key: Uint8Array): CardCommand => putData('issuerKey', fixed('issuer key', key, 32));
/** PUT DATA DF12: one safe. */
export const putSafe = (entry: SafeEntry): CardCommand => putData('safe', safeEntry.encode(entry));
/** PUT DATA DF13: the PIN. */
export const putPin = (pin: string): CardCommand => putData('pin', pinBytes(pin));
/** PUT DATA DF14: the settings. */
export const putSettings = (settings: CardSettings): CardCommand =>
  putData('settings', Uint8Array.of((settings.emptyDigest ? 1 : 0) | (settings.allowLegacy ? 2 : 0)));
/** PUT DATA DF15: the issuer's signature of the credential (64). */
export const putCredentialSignature = (signature: Uint8Array): CardCommand =>
  putData('credentialSignature', fixed('signature', signature, 64));
