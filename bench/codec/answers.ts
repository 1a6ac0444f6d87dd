import { equalBytes, uintOf } from './bytes.js';
import { applicationId } from './commands.js';
import type { CardSettings } from './commands.js';
import { decodeCondition, decodeExtracted } from './conditions.js';
import { elements } from './elements.js';
import { CodecError } from './errors.js';
import {
  certificate, credential, listEntry, receipt, registrationRequest, valueInformation,
} from './objects.js';
import type {
  Certificate, Credential, ListEntry, Receipt, RegistrationRequest, ValueInformation,
} from './objects.js';
import { sequence } from './schema.js';
import type { Part } from './schema.js';
import { TlvReader } from './tlv.js';

/** Answer of the list commands: entries, and the position to go on from (undefined: the list is complete). */
export interface ListAnswer {
  readonly entries: readonly ListEntry[];
  readonly next: number | undefined;
}
/** DF01: the last shortage since reset, in bytes and index entries. */
export interface Shortage {
  readonly needed: number;
  readonly free: number;
  readonly freeEntries: number;
  /** INS of the command that met it. */
  readonly ins: number;
}
/** DF02: memory figures, in bytes except the index entries. */
export interface MemoryFigures {
  readonly eeprom: number;
  readonly freeData: number;
  readonly largestRun: number;
  readonly freeEntries: number;
  readonly ram: number;
  readonly longestCommand: number;
  readonly longestAnswer: number;
}
/** Life cycle of a card. */
export type LifeCycle = 'blank' | 'initialised' | 'operational';
/** Which keys a card has. */
export interface KeysPresent {
  readonly decoding: boolean;
  readonly common: boolean;
  readonly signing: boolean;
  readonly transport: boolean;
  /** Of the decoding key; gone once its certificate is stored. */
  readonly seed: boolean;
}
/** DF04: status of the card. */
export interface CardStatus {
  readonly lifeCycle: LifeCycle;
  readonly pinTries: number;
  readonly keys: KeysPresent;
  readonly lastSequence: number;
  readonly lastLoadNumber: number;
}

/** Life cycles by their code. */
export const lifeCycles: readonly LifeCycle[] = ['blank', 'initialised', 'operational'];

/** Settings from their byte (DF14, DF16). Throws CodecError ELEMENT_VALUE when an unnamed bit is set. */
export function settingsOf(byte: number): CardSettings {
  if (byte > 3) throw new CodecError('ELEMENT_VALUE', `settings: unnamed bits in ${byte}`);
  return { emptyDigest: (byte & 1) !== 0, allowLegacy: (byte & 2) !== 0 };
}

function whole<T>(data: Uint8Array, part: Part<T>, what: string): T {
  const reader = new TlvReader(data);
  const value = part.read(reader);
  reader.finish(what);
  return value;
}

function sized(data: Uint8Array, length: number, what: string): Uint8Array {
  if (data.length !== length)
    throw new CodecError('ELEMENT_LENGTH', `${what}: expected ${length} bytes, got ${data.length}`, 0);
  return data;
}

function listOf(data: Uint8Array): ListAnswer {
  const reader = new TlvReader(data);
  const entries: ListEntry[] = [];
  while (reader.peek() === listEntry.tag) entries.push(listEntry.read(reader));
  const next = reader.done ? undefined : elements.position.read(reader);
  reader.finish('the list');
  return { entries, next };
}

function selected(data: Uint8Array): Uint8Array {
  const reader = new TlvReader(data);
  const outer = reader.expect(0x6f, 'file control information');
  const inside = reader.inside(outer);
  const name = inside.expect(0x84, 'application identifier');
  inside.finish('the application identifier');
  reader.finish('file control information');
  if (!equalBytes(name.content, applicationId))
    throw new CodecError('ELEMENT_VALUE', 'another application answers', name.contentOffset);
  return name.content;
}

function shortageOf(data: Uint8Array): Shortage | undefined {
  if (data.length === 0) return undefined;
  sized(data, 11, 'DF01');
  const at = (from: number, to: number): number => uintOf(data.slice(from, to));
  return { needed: at(0, 4), free: at(4, 8), freeEntries: at(8, 10), ins: at(10, 11) };
}

function memoryOf(data: Uint8Array): MemoryFigures {
  sized(data, 22, 'DF02');
  const at = (from: number, to: number): number => uintOf(data.slice(from, to));
  return {
    eeprom: at(0, 4), freeData: at(4, 8), largestRun: at(8, 12), freeEntries: at(12, 14), ram: at(14, 18),
    longestCommand: at(18, 20), longestAnswer: at(20, 22),
  };
}

function statusOf(data: Uint8Array): CardStatus {
  sized(data, 11, 'DF04');
  const lifeCycle = lifeCycles[data[0]];
  if (lifeCycle === undefined) throw new CodecError('ELEMENT_VALUE', `life cycle: expected 0-2, got ${data[0]}`, 0);
  const bits = data[2];
  if (bits > 31) throw new CodecError('ELEMENT_VALUE', `keys present: unnamed bits in ${bits}`, 2);
  const keys = {
    decoding: (bits & 1) !== 0, common: (bits & 2) !== 0, signing: (bits & 4) !== 0, transport: (bits & 8) !== 0,
    seed: (bits & 16) !== 0,
  };
  return {
    lifeCycle, pinTries: data[1], keys,
    lastSequence: uintOf(data.slice(3, 7)), lastLoadNumber: uintOf(data.slice(7, 11)),
  };
}

const handleOf = (data: Uint8Array): number => whole(data, elements.handle, 'the handle');
/** Handles one after the other, as COMBINE of a bundle answers. */
function handlesOf(data: Uint8Array): readonly number[] {
  const reader = new TlvReader(data);
  const handles: number[] = [];
  while (!reader.done) handles.push(elements.handle.read(reader));
  return handles;
}

const publicKeys = sequence<{ verificationKey: Uint8Array; transportKey: Uint8Array }>({
  verificationKey: elements.verificationKey, transportKey: elements.transportKey,
});
const seedBegun = sequence<{ handle: number; certificate: Certificate }>({ handle: elements.handle, certificate });
const counts = sequence<{ quantity: number; remaining: number }>({
  quantity: elements.quantity, remaining: elements.remaining,
});

function nothing(data: Uint8Array): void {
  sized(data, 0, 'answer');
}

function itemOf(data: Uint8Array): ValueInformation | Certificate {
  return data[0] === certificate.tag ? certificate.decode(data) : valueInformation.decode(data);
}

/** Parsers of the answers (without status word) to the commands of docs/protocol.md 2.1. Each throws CodecError. */
export const answers = {
  select: selected,
  listValues: listOf,
  listCertificates: listOf,
  list: listOf,
  registerBegin: (data: Uint8Array): RegistrationRequest => registrationRequest.decode(data),
  registerEnd: handleOf,
  recoverBegin: (data: Uint8Array): Certificate => certificate.decode(data),
  recoverEnd: handleOf,
  /** DIVIDE and DIVIDE KEY: the set. */
  set: (data: Uint8Array): number => whole(data, elements.sequence, 'the set'),
  handles: handlesOf,
  condition: decodeCondition,
  /** Numbers of the conditions stored. */
  conditionNumbers: (data: Uint8Array): readonly number[] => [...data],
  extracted: decodeExtracted,
  keyRegisterBegin: (data: Uint8Array): RegistrationRequest => registrationRequest.decode(data),
  /** The certificate the card chose, and its handle. */
  seedRecoverBegin: (data: Uint8Array): { handle: number; certificate: Certificate } =>
    whole(data, seedBegun, 'the seed certificate'),
  getReceipt: (data: Uint8Array): Receipt => receipt.decode(data),
  /** E1 or E6. */
  readItem: itemOf,
  use: (data: Uint8Array): { quantity: number; remaining: number } => whole(data, counts, 'the counts'),
  load: handleOf,
  correct: handleOf,
  /** Every command that answers nothing but its status word. */
  empty: nothing,
  shortage: shortageOf,
  memory: memoryOf,
  credential: (data: Uint8Array): Credential => credential.decode(data),
  status: statusOf,
  firmware: (data: Uint8Array): string => new TextDecoder('ascii').decode(data),
  publicKeys: (data: Uint8Array): { verificationKey: Uint8Array; transportKey: Uint8Array } =>
    whole(data, publicKeys, 'the keys'),
  currentSettings: (data: Uint8Array): CardSettings => settingsOf(sized(data, 1, 'DF16')[0]),
} as const;
