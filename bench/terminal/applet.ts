import { answers, commands } from '../codec/index.js';
import type { CardCommand } from '../codec/index.js';

/** How the terminal brings up an applet and which of its commands answer data. */
export interface Applet {
  readonly select: Pick<CardCommand, 'cla' | 'ins' | 'p1' | 'p2' | 'data'>;
  /** Checks what SELECT answers. Throws CodecError. */
  selected(data: Uint8Array): void;
  /** False for commands that answer nothing but a status word; they are sent without Le. */
  expectsData(cla: number, ins: number): boolean;
}

/** Commands of docs/protocol.md 2.1 that answer nothing but a status word (INS). */
const silent: ReadonlySet<number> = new Set([0x20, 0x24, 0x1e, 0x26, 0x40, 0x42, 0x46, 0x4a, 0x50, 0x56, 0x5c, 0x5e, 0xda, 0x48]);
const deleteIns = 0x24;

/** The applet of docs/protocol.md. */
export const backupApplet: Applet = {
  select: commands.select(),
  selected: (data) => { answers.select(data); },
  expectsData: (cla, ins) => !silent.has(ins) && !(ins === deleteIns && (cla & 0x80) !== 0),
};

/** The fields of a command APDU as a card channel takes them. */
export function apduFields(
  { cla, ins, p1, p2, data }: Pick<CardCommand, 'cla' | 'ins' | 'p1' | 'p2' | 'data'>, applet: Applet,
): { cla: number; ins: number; p1: number; p2: number; data?: Uint8Array; le?: number } {
  return { cla, ins, p1, p2, ...(data.length > 0 ? { data } : {}), ...(applet.expectsData(cla, ins) ? { le: 256 } : {}) };
}
