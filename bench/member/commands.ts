import { CodecError } from '../codec/errors.js';
import { concat, fromHex, textBytes, uintOf } from '../codec/index.js';
import { TlvReader, writeTlv } from '../codec/tlv.js';
import type { MemberPassword, RegistrationMethod } from '../../scenarios/index.js';
import type { Applet } from '../terminal/applet.js';
import { elements, historyEntry } from './objects.js';
import type { Order } from './objects.js';

/** AID of the member applet. */
export const memberAid: Uint8Array = fromHex('F0 43 41 52 44 4D 45 4D 42 45 52');

/** A command of docs/member.md 2 with its name. `secret`: its data must not be written down. */
export interface MemberCommand {
  readonly name: string;
  readonly cla: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  readonly data: Uint8Array;
  readonly secret: boolean;
}

/** What the member types for each name. */
export const passwordText: Readonly<Record<MemberPassword, string>> = {
  A: 'alpha pass 1', B: 'Bravo-word-22', wrong: 'not the one', short: 'five5', long: 'seventeen letters', odd: 'b\u0007ll rings',
};

const none = new Uint8Array(0);
const command = (name: string, ins: number, data: Uint8Array = none, p1 = 0, secret = false): MemberCommand => ({ name, cla: 0x80, ins, p1, p2: 0, data, secret });
const tagged = (name: string, ins: number, tag: number, data: Uint8Array = none): MemberCommand => ({ ...command(name, ins, data, tag >> 8), p2: tag & 0xff });
const password = (tag: number, name: MemberPassword): Uint8Array => writeTlv(tag, textBytes(passwordText[name]));

/** Commands that answer data (INS). */
const telling: ReadonlySet<number> = new Set([0xca, 0x14, 0x1c, 0x22, 0x26]);

/** The member applet: SELECT answers 6F {84 AID}. */
export const memberApplet: Applet = {
  select: { cla: 0x00, ins: 0xa4, p1: 0x04, p2: 0x00, data: memberAid },
  selected(data) {
    const expected = writeTlv(0x6f, writeTlv(0x84, memberAid));
    if (data.length !== expected.length || !data.every((byte, at) => byte === expected[at]))
      throw new CodecError('ELEMENT_VALUE', 'SELECT of the member applet did not answer its AID');
  },
  expectsData: (cla, ins) => cla === 0x00 || telling.has(ins),
};

/** The commands of docs/member.md 2. Objects go out as the bytes they came in. */
export const member = {
  getData: (what: 'status' | 'verificationKey' | 'memberNumber') => tagged(`GET DATA ${what}`, 0xca, { status: 0xdf40, verificationKey: 0xdf41, memberNumber: 0xdf42 }[what]),
  putData: (what: 'centreKey' | 'sealKey', data: Uint8Array) => tagged(`PUT DATA ${what}`, 0xda, { centreKey: 0xdf50, sealKey: 0xdf51 }[what], data),
  initialise: () => command('INITIALISE', 0x46),
  activate: () => command('ACTIVATE', 0x48),
  passwords: (a: MemberPassword, b?: MemberPassword) => command('PASSWORDS', 0x10, concat(password(0xd0, a), b === undefined ? none : password(0xd1, b)), 0, true),
  contents: (text: string) => command('CONTENTS', 0x12, elements.contents.write(text)),
  seed: (text?: string) => command('SEED', 0x14, text === undefined ? none : writeTlv(0xd3, textBytes(text)), 0, true),
  sign: (method: RegistrationMethod) => command('SIGN', 0x16, none, method),
  fetch: (a: MemberPassword) => command('FETCH', 0x18, password(0xd0, a), 0, true),
  connect: (connection: Uint8Array) => command('CONNECT', 0x1a, connection),
  send: () => command('SEND', 0x1c),
  admitted: (admission: Uint8Array) => command('ADMITTED', 0x1e, admission),
  enterA: (a: MemberPassword) => command('ENTER A', 0x20, password(0xd0, a), 0, true),
  history: () => command('HISTORY', 0x22),
  enterB: (b: MemberPassword) => command('ENTER B', 0x24, password(0xd1, b), 0, true),
  pay: (order: Uint8Array) => command('PAY', 0x26, order),
  settled: (notice: Uint8Array) => command('SETTLED', 0x28, notice),
} as const;

/** What DF40 tells. */
export interface MemberStatus {
  readonly lifeCycle: number;
  readonly hasKey: boolean;
  readonly saved: boolean;
  readonly registered: boolean;
  readonly twoPasswords: boolean;
  readonly tries: { readonly a: number; readonly b: number };
  readonly lastTransaction: number;
  readonly lastSettled: number;
}

const STATUS_BYTES = 12;

/** Reads DF40. Throws CodecError ELEMENT_LENGTH. */
export function memberStatus(data: Uint8Array): MemberStatus {
  if (data.length !== STATUS_BYTES) throw new CodecError('ELEMENT_LENGTH', `status: expected ${STATUS_BYTES} bytes, got ${data.length}`);
  const [lifeCycle, flags, a, b] = data;
  const has = (bit: number): boolean => (flags & (1 << bit)) !== 0;
  return {
    lifeCycle, hasKey: has(0), saved: has(1), registered: has(2), twoPasswords: has(3), tries: { a, b },
    lastTransaction: uintOf(data.slice(4, 8)), lastSettled: uintOf(data.slice(8, 12)),
  };
}

/** Reads what HISTORY answers, newest first. Throws CodecError. */
export function historyOf(data: Uint8Array): readonly Order[] {
  const reader = new TlvReader(data);
  const found: Order[] = [];
  while (!reader.done) found.push(historyEntry.read(reader));
  return found;
}
