import { DeviceError } from '../errors.js';
import type { Steps } from '../channel/steps.js';
import { chainOf, encodeCommand, SHORT_LE } from './apdu.js';
import type { CommandFields, ResponseApdu } from './apdu.js';
import type { Line } from './line.js';
import type { T0Terminal, Tpdu } from './t0.js';
import type { T1Terminal } from './t1.js';

/** One short command, one answer, by whatever protocol. */
export type ShortExchange = (command: CommandFields) => Steps<ResponseApdu>;

/** Most answer bytes collected by GET RESPONSE: a card that never ends is given up. */
export const ANSWER_LIMIT = 65_536;

/** Maps a short APDU to T=1: it goes as it is (ISO/IEC 7816-3, 12.3). @throws DeviceError CARD_PROTOCOL */
export function overT1(terminal: T1Terminal): ShortExchange {
  return function* exchange(command) {
    const answer = yield* terminal.exchange(encodeCommand(command));
    const end = answer.length - 2;
    if (end < 0) throw new DeviceError('CARD_PROTOCOL', { what: `the answer has ${answer.length} bytes, too few for SW1 SW2` });
    return { data: answer.slice(0, end), sw: (answer[end] << 8) | answer[end + 1] };
  };
}

function tpduOf(command: CommandFields): Tpdu {
  const { cla, ins, p1, p2, data, le } = command;
  if (data && data.length > 0) return { header: Uint8Array.of(cla, ins, p1, p2, data.length), data };
  if (le === undefined) return { header: Uint8Array.of(cla, ins, p1, p2, 0), data: new Uint8Array(0) };
  return { header: Uint8Array.of(cla, ins, p1, p2, le & 0xff) };
}

/** Maps a short APDU to T=0 TPDUs, cases 1 to 3 and the first half of case 4 (ISO/IEC 7816-3, 12.2). */
export function overT0(terminal: T0Terminal): ShortExchange {
  return function* exchange(command) {
    return yield* terminal.exchange(tpduOf(command));
  };
}

/** `6Cxx`: the same command again with the length the card names (ISO/IEC 7816-3, 12.2.3). */
function* withRightLe(exchange: ShortExchange, command: CommandFields): Steps<ResponseApdu> {
  const answer = yield* exchange(command);
  if (answer.sw >> 8 !== 0x6c || command.le === undefined) return answer;
  const le = answer.sw & 0xff || SHORT_LE;
  const again = yield* exchange({ ...command, le });
  return { ...again, data: again.data.subarray(0, command.le) };
}

/** GET RESPONSE in the channel of the command, not its secure messaging or chaining bits. */
function getResponse(cla: number, le: number): CommandFields {
  return { cla: cla & 0x80 ? 0 : cla & 0x03, ins: 0xc0, p1: 0, p2: 0, le };
}

function* fetchRest(exchange: ShortExchange, cla: number, first: ResponseApdu): Steps<ResponseApdu> {
  const parts = [first.data];
  let length = first.data.length;
  let sw = first.sw;
  while (sw >> 8 === 0x61) {
    const next = yield* withRightLe(exchange, getResponse(cla, sw & 0xff || SHORT_LE));
    parts.push(next.data);
    length += next.data.length;
    sw = next.sw;
    if (sw >> 8 === 0x61 && next.data.length === 0) {
      throw new DeviceError('CARD_PROTOCOL', { what: 'GET RESPONSE gave no data and asks for another one' });
    }
    if (length > ANSWER_LIMIT) throw new DeviceError('CARD_PROTOCOL', { what: `the answer exceeds ${ANSWER_LIMIT} bytes` });
  }
  const data = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return { data, sw };
}

function checkLe(line: Line, command: CommandFields, answer: ResponseApdu): void {
  const le = command.le ?? 0;
  if (answer.data.length <= le) return;
  line.find({
    code: 'LE_EXCEEDED',
    rule: 'ISO',
    clause: '12.1.1',
    at: line.lastReceived,
    detail: `${answer.data.length} bytes of answer, Le asks for ${le}`,
  });
}

/**
 * Carries out a command of any length: chaining, `6Cxx`, `61xx`. A link of a chain that is not
 * answered 9000 ends the command with that status word.
 */
export function* transmitCommand(line: Line, exchange: ShortExchange, command: CommandFields): Steps<ResponseApdu> {
  const links = chainOf(command);
  for (const link of links.slice(0, -1)) {
    const answer = yield* exchange(link);
    if (answer.sw !== 0x9000) return answer;
  }
  const last = links[links.length - 1];
  const first = yield* withRightLe(exchange, last);
  checkLe(line, last, first);
  return yield* fetchRest(exchange, last.cla, first);
}
