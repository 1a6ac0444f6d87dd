import { DeviceError } from '../errors.js';
import type { Character, Ticks } from '../channel/port.js';
import { wait } from '../channel/steps.js';
import type { Steps } from '../channel/steps.js';
import { ATR_MAX_LENGTH, atrLength, parseAtr } from './atr.js';
import type { Atr } from './atr.js';
import { checkAtr, EMV_ATR_RULES, ISO_ATR_RULES } from './atr-rules.js';
import { hexByte } from './hex.js';
import type { Line } from './line.js';

/** Clock cycles between RST high and TS: not before, not after (ISO/IEC 7816-3, 6.2.1). */
export const ATR_FIRST_CLOCKS = { min: 400, max: 40_000 } as const;
/** Longest time between two characters of the ATR, in etu (ISO/IEC 7816-3, 8.1). */
export const INITIAL_WAITING_ETU = 9600;
/** Longest time for the whole ATR, in etu (EMV Book 1, 8.1). */
export const EMV_ATR_ETU = 20_160;
/** Repeats of one character of the ATR before the line is given up. */
const REPEAT_LIMIT = 3;

/** TS of the inverse convention, read in the direct one. */
const INVERSE_TS_RAW = 0x03;

function* readTs(line: Line, riseAt: Ticks): Steps<Character> {
  const clocks = (etu: number): number => Math.round(etu * 372);
  const etu = ATR_FIRST_CLOCKS.max / 372;
  const limit = { code: 'ATR_LATE', clause: '6.2.1', etu, since: riseAt } as const;
  const { character, late } = yield* line.expect(limit, INITIAL_WAITING_ETU);
  if (!character) throw new DeviceError('CARD_SILENT', { what: 'no answer to reset', stillTrue: 'no command has been sent' });
  const measured = line.etuBetween(riseAt, character.at);
  if (late) {
    throw new DeviceError('CARD_LATE', {
      what: `the ATR began ${clocks(measured)} clock cycles after reset, permitted are ${ATR_FIRST_CLOCKS.max}`,
      stillTrue: 'no command has been sent',
    });
  }
  const permittedEtu = ATR_FIRST_CLOCKS.min / 372;
  if (measured + line.etuBetween(0, line.port.clock.uncertainty) < permittedEtu) {
    const detail = `the ATR began ${clocks(measured)} clock cycles after reset, not before ${ATR_FIRST_CLOCKS.min}`;
    line.find({ code: 'ATR_EARLY', rule: 'ISO', clause: '6.2.1', at: character.at, measuredEtu: measured, permittedEtu, detail });
  }
  return character;
}

/** Finds the convention from TS and sets the line to it. @throws DeviceError CARD_BAD_ATR */
function* settleConvention(line: Line, ts: Character): Steps<number> {
  const inverse = ts.byte === INVERSE_TS_RAW || ts.byte === 0x3f;
  if (!inverse && (ts.byte !== 0x3b || !ts.parityOk)) {
    throw new DeviceError('CARD_BAD_ATR', { what: `TS is ${hexByte(ts.byte)}, not 3B or 3F (or has wrong parity)` });
  }
  yield* wait(line.port.configure({
    convention: inverse ? 'inverse' : 'direct',
    errorSignal: line.port.features.errorSignal,
  }));
  return inverse ? 0x3f : 0x3b;
}

function* nextCharacter(line: Line, count: number): Steps<number> {
  for (let repeats = 0; ; repeats++) {
    const limit = { code: 'ATR_SLOW', clause: '8.1', etu: INITIAL_WAITING_ETU, since: line.lastReceived } as const;
    const { character, late } = yield* line.expect(limit);
    if (!character) throw new DeviceError('CARD_BAD_ATR', { what: `the ATR ends after ${count} characters` });
    if (late) throw new DeviceError('CARD_LATE', { what: `character ${count + 1} of the ATR exceeds the initial waiting time`, stillTrue: 'no command has been sent' });
    if (character.parityOk) return character.byte;
    const detail = `wrong parity in character ${count + 1} of the ATR`;
    line.find({ code: 'PARITY_ERROR', rule: 'line', clause: '7.3', at: character.at, detail });
    if (repeats >= REPEAT_LIMIT || !line.port.features.errorSignal) throw new DeviceError('CARD_BAD_ATR', { what: detail });
  }
}

/**
 * Reads and checks the answer to reset; the line is left in the card's convention.
 *
 * @param riseAt the moment RST rose, in ticks
 * @throws DeviceError CARD_SILENT, CARD_LATE, CARD_BAD_ATR
 */
export function* readAtr(line: Line, riseAt: Ticks): Steps<Atr> {
  line.forget();
  const ts = yield* readTs(line, riseAt);
  const bytes = [yield* settleConvention(line, ts)];
  line.cardSpoke = true;
  line.limits = { guardEtu: 12, guardClause: '8.1', turnaroundEtu: 0, turnaround: { code: 'TURNAROUND_SHORT', rule: 'ISO', clause: '8.1' } };
  while (bytes.length < (atrLength(bytes) ?? ATR_MAX_LENGTH + 1)) {
    if (bytes.length > ATR_MAX_LENGTH) throw new DeviceError('CARD_BAD_ATR', { what: `the ATR has more than ${ATR_MAX_LENGTH} characters` });
    bytes.push(yield* nextCharacter(line, bytes.length));
  }
  const raw = Uint8Array.from(bytes);
  const last = line.lastReceived;
  const atr = parseAtr(raw);
  line.block('from-card', 'ATR', raw, `${raw.length} bytes`, true, ts.at, last);
  for (const finding of checkAtr(atr, [...ISO_ATR_RULES, ...EMV_ATR_RULES], last)) line.find(finding);
  const measuredEtu = line.etuBetween(ts.at, last);
  if (measuredEtu > EMV_ATR_ETU) {
    const detail = `the ATR took ${measuredEtu} etu, EMV permits ${EMV_ATR_ETU}`;
    line.find({ code: 'ATR_SLOW', rule: 'EMV', clause: '8.1', at: last, measuredEtu, permittedEtu: EMV_ATR_ETU, detail });
  }
  return atr;
}
