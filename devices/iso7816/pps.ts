import { DeviceError } from '../errors.js';
import type { Steps } from '../channel/steps.js';
import { lrc } from './edc.js';
import { toHex } from './hex.js';
import type { Line } from './line.js';
import { DEFAULT_TA1, ratesOf } from './rates.js';
import { INITIAL_WAITING_ETU } from './reset.js';

/** What a PPS exchange has settled. */
export interface PpsOutcome {
  readonly protocol: number;
  readonly F: number;
  readonly D: number;
}

/** The PPS request for protocol `t` and, unless they are the default, the rates of `pps1` (ISO/IEC 7816-3, 9.2). */
export function ppsRequest(t: number, pps1: number): Uint8Array {
  const body = pps1 === DEFAULT_TA1 ? [0xff, t & 15] : [0xff, 0x10 | (t & 15), pps1];
  return Uint8Array.from([...body, lrc(body)]);
}

function refuse(request: Uint8Array, response: ArrayLike<number>, why: string): DeviceError {
  return new DeviceError('CARD_PROTOCOL', {
    what: `PPS ${toHex(request)} was answered ${toHex(Array.from(response))}: ${why}`,
    stillTrue: 'the card is powered; no command has been sent',
    next: 'reset the card; open it without PPS or with another protocol',
  });
}

/**
 * Checks a PPS response (ISO/IEC 7816-3, 9.3): the same protocol; PPS1 echoed, or left out, which
 * means the default rates.
 *
 * @throws DeviceError CARD_PROTOCOL
 */
export function checkPpsResponse(request: Uint8Array, response: Uint8Array): PpsOutcome {
  if (lrc(response) !== 0) throw refuse(request, response, 'PCK is wrong');
  if (response[0] !== 0xff) throw refuse(request, response, 'PPSS is not FF');
  if ((response[1] & 15) !== (request[1] & 15)) throw refuse(request, response, 'another protocol');
  if (response[1] & 0x60 & ~request[1]) throw refuse(request, response, 'PPS2 or PPS3 was not asked for');
  const echoed = (response[1] & 0x10) !== 0;
  if (echoed && ((request[1] & 0x10) === 0 || response[2] !== request[2])) throw refuse(request, response, 'other rates');
  const rates = ratesOf(echoed ? response[2] : DEFAULT_TA1);
  if (!rates) throw refuse(request, response, 'reserved rates');
  return { protocol: response[1] & 15, F: rates.F, D: rates.D };
}

const lengthOf = (bytes: readonly number[]): number =>
  bytes.length < 2 ? 3 : 3 + [0x10, 0x20, 0x40].filter((bit) => bytes[1] & bit).length;

/** Carries out a PPS exchange at the present line settings. @throws DeviceError CARD_SILENT, CARD_LATE, CARD_PROTOCOL */
export function* exchangePps(line: Line, t: number, pps1: number): Steps<PpsOutcome> {
  const request = ppsRequest(t, pps1);
  const sent = yield* line.send(request, 12, 16);
  line.block('to-card', 'PPS', request, `T=${t}`, true, sent.firstEdge, sent.lastEdge);
  const bytes: number[] = [];
  let from = 0;
  while (bytes.length < lengthOf(bytes)) {
    const limit = { code: 'WWT_EXCEEDED', clause: '9.1', etu: INITIAL_WAITING_ETU, since: line.lastEdge } as const;
    const { character, late } = yield* line.expect(limit);
    if (!character) {
      throw new DeviceError('CARD_SILENT', { what: `the card answered PPS with ${bytes.length} characters`, stillTrue: 'no command has been sent' });
    }
    if (late) throw new DeviceError('CARD_LATE', { what: 'the PPS response exceeds the initial waiting time', stillTrue: 'no command has been sent' });
    if (!character.parityOk) continue;
    if (bytes.length === 0) from = character.at;
    bytes.push(character.byte);
  }
  const response = Uint8Array.from(bytes);
  const outcome = checkPpsResponse(request, response);
  line.block('from-card', 'PPS', response, `T=${outcome.protocol}, F=${outcome.F}, D=${outcome.D}`, true, from, line.lastReceived);
  return outcome;
}
