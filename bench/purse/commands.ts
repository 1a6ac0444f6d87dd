import { concat, fromHex, uintBytes, uintOf } from '../codec/index.js';
import { CodecError } from '../codec/errors.js';
import { TlvReader, writeTlv } from '../codec/tlv.js';
import type { Applet } from '../terminal/applet.js';
import { alternatives, elements } from './objects.js';
import type { Alternative } from './objects.js';

/** AID of the purse applet. */
export const purseAid: Uint8Array = fromHex('F0 43 41 52 44 50 55 52 53 45');

/** A command of docs/purse.md 2 with its name. */
export interface PurseCommand {
  readonly name: string;
  readonly cla: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  readonly data: Uint8Array;
}

/** Embodiments of the purse. */
export type PurseEmbodiment = 1 | 2;

const none = new Uint8Array(0);
const command = (name: string, ins: number, p1: number, p2: number, data: Uint8Array = none): PurseCommand =>
  ({ name, cla: 0x80, ins, p1, p2, data });
const tagged = (name: string, ins: number, tag: number, data?: Uint8Array): PurseCommand => command(name, ins, tag >> 8, tag & 0xff, data);

/** Commands that answer nothing but a status word (INS). */
const silent: ReadonlySet<number> = new Set([0xda, 0x46, 0x40, 0x48, 0x70, 0x7c, 0x7e]);

/** The purse applet: SELECT answers 6F {84 AID}. */
export const purseApplet: Applet = {
  select: { cla: 0x00, ins: 0xa4, p1: 0x04, p2: 0x00, data: purseAid },
  selected(data) {
    const expected = writeTlv(0x6f, writeTlv(0x84, purseAid));
    if (data.length !== expected.length || !data.every((byte, at) => byte === expected[at]))
      throw new CodecError('ELEMENT_VALUE', 'SELECT of the purse did not answer its AID');
  },
  expectsData: (_, ins) => !silent.has(ins),
};

/** Code of an alternative, 1-4. */
export const alternativeCode = (name: Alternative): number => alternatives.indexOf(name) + 1;

/** Objects that can be read (docs/purse.md 2.1). */
export const readable = {
  firmware: 0xdf05, status: 0xdf20, identity: 0xdf21, certificate: 0xdf22, issue: 0xdf23, open: 0xdf24, waiting: 0xdf25, paid: 0xdf26,
} as const;

/** Objects that personalisation puts on the card. */
export const writable = { id: 0xdf30, caKey: 0xdf31, issuerKey: 0xdf32, thirdPartyKey: 0xdf33, caSignature: 0xdf34, settings: 0xdf35 } as const;

/** The commands of docs/purse.md 2. Objects go out as the bytes they came in. */
export const purse = {
  getData: (what: keyof typeof readable) => tagged(`GET DATA ${what}`, 0xca, readable[what]),
  putData: (what: keyof typeof writable, data: Uint8Array) => tagged(`PUT DATA ${what}`, 0xda, writable[what], data),
  initialise: () => command('INITIALISE', 0x46, 0, 0),
  generateKey: () => command('GENERATE KEY', 0x40, 0, 0),
  activate: () => command('ACTIVATE', 0x48, 0, 0),
  loadIssue: (issue: Uint8Array) => command('LOAD ISSUE', 0x70, 0, 0, issue),
  challenge: (embodiment: PurseEmbodiment, alternative: Alternative, amount: number) =>
    command('CHALLENGE', 0x72, embodiment, alternativeCode(alternative), writeTlv(0xd0, uintBytes(amount, 4))),
  pay: (embodiment: PurseEmbodiment, challenge: Uint8Array) => command('PAY', 0x74, embodiment, 0, challenge),
  receive: (embodiment: PurseEmbodiment, payment: Uint8Array) => command('RECEIVE', 0x76, embodiment, 0, payment),
  accept: (state: Uint8Array) => command('ACCEPT', 0x78, 2, 0, state),
  log: (challengeId: Uint8Array) => command('LOG', 0x7a, 0, 0, elements.challengeId.write(challengeId)),
  logTaken: (receipt: Uint8Array) => command('LOG TAKEN', 0x7c, 0, 0, receipt),
  drop: (challengeId: Uint8Array) => command('DROP', 0x7e, 0, 0, elements.challengeId.write(challengeId)),
} as const;

/** What DF20 tells. Sums in yen, modulo 2^32. */
export interface PurseStatus {
  readonly lifeCycle: number;
  readonly balance: number;
  readonly issued: number;
  readonly received: number;
  readonly paid: number;
  readonly lastIssue: number;
  readonly challengesOpen: number;
  readonly entriesWaiting: number;
  readonly paymentsKept: number;
  readonly settings: number;
}

const STATUS_BYTES = 25;

/** Reads DF20. Throws CodecError ELEMENT_LENGTH. */
export function purseStatus(data: Uint8Array): PurseStatus {
  if (data.length !== STATUS_BYTES) throw new CodecError('ELEMENT_LENGTH', `status: expected ${STATUS_BYTES} bytes, got ${data.length}`);
  const word = (at: number): number => uintOf(data.slice(at, at + 4));
  return {
    lifeCycle: data[0], balance: word(1), issued: word(5), received: word(9), paid: word(13), lastIssue: word(17),
    challengesOpen: data[21], entriesWaiting: data[22], paymentsKept: data[23], settings: data[24],
  };
}

/** Reads DF21: own id and public key. */
export function purseIdentity(data: Uint8Array): { readonly payeeId: Uint8Array; readonly publicKey: Uint8Array } {
  const reader = new TlvReader(data);
  const found = { payeeId: elements.payeeId.read(reader), publicKey: elements.publicKey.read(reader) };
  reader.finish('identity');
  return found;
}

/** Reads DF24 and DF25: challenge ids. */
export function challengeIds(data: Uint8Array): readonly Uint8Array[] {
  const reader = new TlvReader(data);
  const found: Uint8Array[] = [];
  while (!reader.done) found.push(elements.challengeId.read(reader));
  return found;
}

/** Reads DF26: payments kept, newest first. */
export function paymentsKept(data: Uint8Array): readonly { readonly challengeId: Uint8Array; readonly amount: number }[] {
  const reader = new TlvReader(data);
  const found: { challengeId: Uint8Array; amount: number }[] = [];
  while (!reader.done) found.push({ challengeId: elements.challengeId.read(reader), amount: elements.amount.read(reader) });
  return found;
}

/** Joins elements by hand, for what the codec would refuse to write. */
export const rawElements = (...parts: readonly (readonly [tag: number, content: Uint8Array])[]): Uint8Array =>
  concat(...parts.map(([tag, content]) => writeTlv(tag, content)));
