import { CodecError } from '../codec/errors.js';
import { fromHex, uintBytes } from '../codec/index.js';
import { writeTlv } from '../codec/tlv.js';
import type { TwinPin, TwinPurpose } from '../../scenarios/index.js';
import type { Applet } from '../terminal/applet.js';
import type { SessionRole } from './session.js';
import { roleBytes } from './session.js';

/** AID of the twin applet. */
export const twinAid: Uint8Array = fromHex('F0 43 41 52 44 54 57 49 4E');

/** Commands of docs/twin.md 2 by name. */
export const twinIns = {
  issue: 0x46, open: 0x10, number: 0x12, read: 0x14, verify: 0x16, export: 0x18, store: 0x1a, promote: 0x1c, invalidate: 0x1e, withdraw: 0x20, balance: 0x22, shop: 0x24,
} as const;
/** Name of a command. */
export type TwinCommandName = keyof typeof twinIns;

/** P1 of READ and VERIFY. */
export const purposeBytes: Readonly<Record<TwinPurpose, number>> = { look: 0, 'backup-primary': 1, 'backup-secondary': 2, promote: 3, restore: 4, invalidated: 5 };
/** P1 of EXPORT and STORE. */
export const copyBytesOf = { backup: 1, restore: 2 } as const;

/** PINs of the cards, and what is typed in their place. */
export const cardPins: Readonly<Record<string, string>> = { A: '2468', B: '13579', C: '864200' };
/** What the holder types at a card PIN. */
export const typedPin = (pin: TwinPin, right: string): string => ({ right, wrong: '9999', short: '123', long: '1234567890123' })[pin];

/** A command before it is sealed. */
export interface TwinCommand {
  readonly ins: number;
  readonly p1: number;
  readonly data: Uint8Array;
}

const none = new Uint8Array(0);

/** A command of docs/twin.md 2. */
export const twinCommand = (name: TwinCommandName, p1 = 0, data: Uint8Array = none): TwinCommand => ({ ins: twinIns[name], p1, data });

/** OPEN with a challenge. */
export const openCommand = (role: SessionRole, challenge: Uint8Array): TwinCommand => twinCommand('open', roleBytes[role], challenge);
/** SHOP for an amount in yen; 0 asks whether the card is accepted. */
export const shopCommand = (amount: number): TwinCommand => twinCommand('shop', 0, uintBytes(amount, 4));

/** The twin applet: SELECT answers 6F {84 AID}. Every command but ISSUE answers data. */
export const twinApplet: Applet = {
  select: { cla: 0x00, ins: 0xa4, p1: 0x04, p2: 0x00, data: twinAid },
  selected(data) {
    const expected = writeTlv(0x6f, writeTlv(0x84, twinAid));
    if (data.length !== expected.length || !data.every((byte, at) => byte === expected[at]))
      throw new CodecError('ELEMENT_VALUE', 'SELECT of the twin applet did not answer its AID');
  },
  expectsData: (cla, ins) => cla === 0x00 || ins !== twinIns.issue,
};
