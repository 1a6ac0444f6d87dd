import { DeviceError } from '../errors.js';
import type { BlockKind } from '../channel/observer.js';
import type { Character } from '../channel/port.js';
import type { Steps } from '../channel/steps.js';
import type { Atr } from './atr.js';
import { hexByte } from './hex.js';
import type { Line, LineLimits } from './line.js';

/** What a T=0 terminal needs to know of card and line. */
export interface T0Config {
  /** etu between the terminal's characters: 12 + N, 12 for N = 255 (ISO/IEC 7816-3, 8.3). */
  readonly guardEtu: number;
  /** Waiting time WT in etu: 960 * WI * D (ISO/IEC 7816-3, 10.2). */
  readonly wtEtu: number;
  /** Repeats of one character, either way, before the line is given up (EMV Book 1, 9.2.3: three). */
  readonly repeatLimit: number;
  /** NULL bytes taken within one command before the card is given up. */
  readonly nullLimit: number;
}

/** Derives the T=0 parameters from an ATR and the rates in use. */
export function t0ConfigOf(atr: Atr, D: number): T0Config {
  return {
    guardEtu: atr.extraGuard === 255 ? 12 : 12 + atr.extraGuard,
    wtEtu: 960 * (atr.t0.WI || 10) * D,
    repeatLimit: 3,
    nullLimit: 10_000,
  };
}

/** Least etu between characters of opposite direction (EMV Book 1, 9.2.2.1). */
export const T0_TURNAROUND_ETU = 16;
/** Least etu from the leading edge of a character to that of its repeat: 10.5 + 1 + 2 (ISO/IEC 7816-3, 7.3). */
export const REPEAT_ETU = 13.5;

/** Limits of the line under T=0. */
export const T0_LINE_LIMITS: LineLimits = {
  guardEtu: 12,
  guardClause: '8.3',
  turnaroundEtu: T0_TURNAROUND_ETU,
  turnaround: { code: 'TURNAROUND_SHORT', rule: 'EMV', clause: '9.2.2.1' },
};

/** A TPDU of T=0: header CLA INS P1 P2 P3, and the data when it goes to the card. */
export interface Tpdu {
  readonly header: Uint8Array;
  readonly data?: Uint8Array;
}

/** Answer to a TPDU. */
export interface TpduAnswer {
  readonly data: Uint8Array;
  readonly sw: number;
}

/** The terminal's side of T=0 (ISO/IEC 7816-3, clause 10). It keeps no state between commands. */
export class T0Terminal {
  readonly #line: Line;
  readonly config: T0Config;

  constructor(line: Line, config: T0Config) {
    this.#line = line;
    this.config = config;
  }

  /**
   * Carries out one TPDU: procedure bytes NULL, INS, INS xor FF, SW1 SW2.
   *
   * @throws DeviceError CARD_SILENT, CARD_LATE, CARD_PROTOCOL (no procedure byte), CARD_LINK (repeats used up)
   */
  *exchange(tpdu: Tpdu): Steps<TpduAnswer> {
    yield* this.#line.dropUnexpected();
    yield* this.#send(tpdu.header, 'T=0 header');
    const ins = tpdu.header[1];
    const outgoing = tpdu.data;
    const expected = outgoing ? 0 : tpdu.header[4] || 256;
    const received: number[] = [];
    let sent = 0;
    let nulls = 0;
    for (;;) {
      const first = yield* this.#next();
      const byte = first.byte;
      if (byte === 0x60) {
        this.#show('T=0 procedure', [first]);
        this.#countNull(++nulls);
        continue;
      }
      if (((byte ^ ins) & 0xfe) !== 0 && ((byte ^ ins ^ 0xff) & 0xfe) !== 0) {
        return yield* this.#status(first, Uint8Array.from(received));
      }
      this.#show('T=0 procedure', [first]);
      const all = byte === ins;
      if (!all && byte !== (ins ^ 0xff)) throw this.#noProcedure(byte, ins);
      if (outgoing) {
        const part = outgoing.subarray(sent, all ? outgoing.length : sent + 1);
        if (part.length === 0) throw this.#tooMuch('asks for more data than the command has');
        yield* this.#send(part, 'T=0 data');
        sent += part.length;
      } else {
        const count = all ? expected - received.length : 1;
        if (received.length + count > expected || count === 0) throw this.#tooMuch('sends more data than Le asks for');
        received.push(...(yield* this.#take(count)));
      }
    }
  }

  #countNull(nulls: number): void {
    if (nulls <= this.config.nullLimit) return;
    throw new DeviceError('CARD_PROTOCOL', { what: `the card sent NULL ${nulls} times in one command` });
  }

  #noProcedure(byte: number, ins: number): DeviceError {
    return new DeviceError('CARD_PROTOCOL', { what: `${hexByte(byte)} is no procedure byte for INS ${hexByte(ins)}` });
  }

  #tooMuch(what: string): DeviceError {
    return new DeviceError('CARD_PROTOCOL', { what: `the card ${what}` });
  }

  *#status(first: Character, data: Uint8Array): Steps<TpduAnswer> {
    const sw1 = first.byte;
    if ((sw1 & 0xf0) !== 0x60 && (sw1 & 0xf0) !== 0x90) {
      throw new DeviceError('CARD_PROTOCOL', { what: `${hexByte(sw1)} is neither a procedure byte nor SW1` });
    }
    const sw2 = yield* this.#next();
    this.#show('T=0 status', [first, sw2]);
    return { data, sw: (sw1 << 8) | sw2.byte };
  }

  *#take(count: number): Steps<number[]> {
    const characters: Character[] = [];
    while (characters.length < count) characters.push(yield* this.#next());
    this.#show('T=0 data', characters);
    return characters.map((character) => character.byte);
  }

  #show(kind: BlockKind, characters: readonly Character[]): void {
    const bytes = Uint8Array.from(characters, (character) => character.byte);
    const last = characters[characters.length - 1].at;
    this.#line.block('from-card', kind, bytes, `${bytes.length} bytes`, true, characters[0].at, last);
  }

  /** One character within WT after the last edge; wrong parity draws the error signal and a repeat. */
  *#next(): Steps<Character> {
    for (let repeats = 0; ; repeats++) {
      const limit = { code: 'WWT_EXCEEDED', clause: '10.2', etu: this.config.wtEtu, since: this.#line.lastEdge } as const;
      const { character, late } = yield* this.#line.expect(limit);
      if (!character) throw new DeviceError('CARD_SILENT', { what: `no character within twice the waiting time of ${limit.etu} etu` });
      if (late) {
        const measured = this.#line.etuBetween(limit.since, character.at);
        throw new DeviceError('CARD_LATE', { what: `a character after ${measured} etu, the waiting time is ${limit.etu} etu` });
      }
      if (character.parityOk) return character;
      this.#findParity(character, repeats);
    }
  }

  #findParity(character: Character, repeats: number): void {
    this.#line.find({
      code: 'PARITY_ERROR',
      rule: 'line',
      clause: '7.3',
      at: character.at,
      detail: `wrong parity from the card, error signal ${repeats + 1}`,
    });
    if (!this.#line.port.features.errorSignal) {
      throw new DeviceError('CARD_LINK', { what: 'wrong parity under T=0 on a port that cannot give the error signal' });
    }
    if (repeats >= this.config.repeatLimit) {
      throw new DeviceError('CARD_LINK', { what: `a character had wrong parity ${repeats + 1} times` });
    }
  }

  *#send(bytes: Uint8Array, kind: BlockKind): Steps<void> {
    let done = 0;
    let repeats = 0;
    let from = Infinity;
    while (done < bytes.length) {
      const guard = repeats > 0 ? Math.max(REPEAT_ETU, this.config.guardEtu) : this.config.guardEtu;
      const outcome = yield* this.#sendOnce(bytes.subarray(done), guard);
      from = Math.min(from, outcome.firstEdge);
      if (outcome.accepted > 0) repeats = 0;
      done += outcome.accepted;
      if (outcome.signalled) this.#findSignal(outcome.lastEdge, ++repeats);
    }
    this.#line.block('to-card', kind, bytes, `${bytes.length} bytes`, true, from, this.#line.lastSent);
  }

  *#sendOnce(bytes: Uint8Array, firstGuard: number): Steps<{ accepted: number; signalled: boolean; firstEdge: number; lastEdge: number }> {
    if (firstGuard === this.config.guardEtu) return yield* this.#line.send(bytes, this.config.guardEtu, T0_TURNAROUND_ETU);
    return yield* this.#line.send(bytes.subarray(0, 1), firstGuard, T0_TURNAROUND_ETU);
  }

  #findSignal(at: number, repeats: number): void {
    const detail = `error signal of the card, repeat ${repeats}`;
    this.#line.find({ code: 'ERROR_SIGNAL', rule: 'line', clause: '7.3', at, detail });
    if (repeats > this.config.repeatLimit) {
      throw new DeviceError('CARD_LINK', { what: `the card refused a character ${repeats} times` });
    }
  }
}
