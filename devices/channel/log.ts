import { commandFields, encodeCommand } from '../iso7816/apdu.js';
import type { Command, CommandFields } from '../iso7816/apdu.js';
import { hexByte, toHex } from '../iso7816/hex.js';

/** Says whether the data of a command must not be shown (PIN, key). */
export type SecretRule = (command: CommandFields) => boolean;

/** Instructions of ISO/IEC 7816-4 that carry reference data: VERIFY, CHANGE and RESET, also BER-TLV forms. */
const REFERENCE_DATA = new Set([0x20, 0x21, 0x24, 0x25, 0x2c, 0x2d]);

/** Hides the data of ISO commands with reference data, and of PUT DATA of the PIN (docs/protocol.md, 2.2). */
export const DEFAULT_SECRETS: SecretRule = ({ cla, ins, p1, p2 }) =>
  ((cla & 0x80) === 0 && REFERENCE_DATA.has(ins)) || (ins === 0xda && p1 === 0xdf && p2 === 0x13);

const four = (n: number): string => String(n).padStart(4, '0');

/** `A>> T=1 (4+0007) 00A40400 07 A0... 00`: header and data length, header, Lc, data, Le. Secret data shows as `..`. */
export function commandLine(protocol: string, command: Command, secret: boolean): string {
  const { data, le, ...head } = commandFields(command);
  const parts = [toHex(encodeCommand(head))];
  const length = data?.length ?? 0;
  if (data && length > 0) {
    parts.push(length > 255 ? `[${length}]` : hexByte(length), secret ? '..'.repeat(length) : toHex(data));
  }
  if (le !== undefined) parts.push(hexByte(le & 0xff));
  return `A>> ${protocol} (4+${four(length)}) ${parts.join(' ')}`;
}

/** `A<< (0018+2) (12 ms) ... 9000`: data length, duration in ms, data, status word. */
export function answerLine(data: Uint8Array, sw: number, ms: number): string {
  const shown = data.length > 0 ? `${toHex(data)} ` : '';
  return `A<< (${four(data.length)}+2) (${Math.round(ms)} ms) ${shown}${sw.toString(16).padStart(4, '0').toUpperCase()}`;
}

/** `A<< CARD_SILENT (12 ms)`: a command that found no answer. */
export function failureLine(code: string, ms: number): string {
  return `A<< ${code} (${Math.round(ms)} ms)`;
}
