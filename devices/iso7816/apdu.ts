import { DeviceError } from '../errors.js';
import { toHex } from './hex.js';

/** A command as its fields (ISO/IEC 7816-4, 5.1). */
export interface CommandFields {
  readonly cla: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  /** Any length: more than 255 bytes are sent by command chaining. */
  readonly data?: Uint8Array;
  /** Bytes of answer expected, 1 to 256; absent = no answer data expected. */
  readonly le?: number;
}

/** A command as bytes of a short APDU, or as fields. */
export type Command = Uint8Array | CommandFields;

/** Answer of the card. */
export interface ResponseApdu {
  readonly data: Uint8Array;
  /** SW1 SW2. */
  readonly sw: number;
}

/** Most data bytes in one short command APDU. */
export const SHORT_DATA = 255;
/** Most data bytes in one short response APDU. */
export const SHORT_LE = 256;
/** CLA bit that says: more of this command follows (ISO/IEC 7816-4, 5.1.1.1). */
export const CHAINING = 0x10;

function format(what: string): DeviceError {
  return new DeviceError('COMMAND_FORMAT', { what });
}

/**
 * Reads a short command APDU, cases 1 to 4 (ISO/IEC 7816-3, 12.1.2).
 * @throws DeviceError COMMAND_FORMAT; extended length is not supported
 */
export function parseCommand(apdu: Uint8Array): CommandFields {
  if (apdu.length < 4) throw format(`a command has at least 4 bytes, this one has ${apdu.length}`);
  const [cla, ins, p1, p2] = apdu;
  const header = { cla, ins, p1, p2 };
  if (apdu.length === 4) return header;
  if (apdu.length === 5) return { ...header, le: apdu[4] || SHORT_LE };
  const lc = apdu[4];
  if (lc === 0) throw format('Lc is 00: extended length is not supported');
  const data = apdu.slice(5, 5 + lc);
  if (apdu.length === 5 + lc) return { ...header, data };
  if (apdu.length === 6 + lc) return { ...header, data, le: apdu[5 + lc] || SHORT_LE };
  throw format(`Lc is ${lc}, but ${apdu.length - 5} bytes follow (${toHex(apdu.subarray(0, 5))}...)`);
}

/** Checks the fields of a command, whichever way it is given. @throws DeviceError COMMAND_FORMAT */
export function commandFields(command: Command): CommandFields {
  if (command instanceof Uint8Array) return parseCommand(command);
  for (const name of ['cla', 'ins', 'p1', 'p2'] as const) {
    const value = command[name];
    if (!Number.isInteger(value) || value < 0 || value > 255) throw format(`${name} is ${value}, not a byte`);
  }
  const le = command.le;
  if (le !== undefined && (!Number.isInteger(le) || le < 1 || le > SHORT_LE)) throw format(`le is ${le}, permitted are 1 to ${SHORT_LE}`);
  return command;
}

/** The bytes of a short APDU. @throws DeviceError COMMAND_FORMAT for more than 255 data bytes */
export function encodeCommand(command: CommandFields): Uint8Array {
  const { cla, ins, p1, p2, data, le } = command;
  const out = [cla, ins, p1, p2];
  if (data && data.length > SHORT_DATA) throw format(`${data.length} data bytes do not fit into a short APDU`);
  if (data && data.length > 0) out.push(data.length, ...data);
  if (le !== undefined) out.push(le & 0xff);
  return Uint8Array.from(out);
}

/** Splits a command with more than 255 data bytes into a chain (ISO/IEC 7816-4, 5.1.1.1). */
export function chainOf(command: CommandFields): CommandFields[] {
  const { data } = command;
  if (!data || data.length <= SHORT_DATA) return [command];
  const { cla, ins, p1, p2, le } = command;
  const links: CommandFields[] = [];
  for (let at = 0; at < data.length; at += SHORT_DATA) {
    const last = at + SHORT_DATA >= data.length;
    links.push({
      cla: last ? cla : cla | CHAINING,
      ins,
      p1,
      p2,
      data: data.slice(at, at + SHORT_DATA),
      ...(last && le !== undefined ? { le } : {}),
    });
  }
  return links;
}
