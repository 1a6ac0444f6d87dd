import { DeviceError } from '../../errors.js';
import { RESET_LINE } from '../../channel/port.js';
import type { BytePort, Character, LineSettings, PortClock, SendOptions, SendOutcome, Ticks } from '../../channel/port.js';
import { lrc } from '../edc.js';
import { ratesOf } from '../rates.js';
import { PatternApp } from './fake-app.js';
import type { FakeApp } from './fake-app.js';
import type { FakeLink, FakeProtocol, FakeQuirks } from './fake-link.js';
import { FakeT0 } from './fake-t0.js';
import { FakeT1 } from './fake-t1.js';

/** ATR of the fake card: T=0 and T=1, WI 10, IFSC 64, BWI 4, CWI 13, LRC, TA1 = 11. */
export const FAKE_ATR = withTck([0x3b, 0x92, 0x11, 0x80, 0x31, 0x40, 0x4d, 0x46, 0x41]);

/** Appends the check character TCK, and sets K and TD1 as given. */
export function withTck(bytes: readonly number[]): Uint8Array {
  return Uint8Array.from([...bytes, lrc(bytes.slice(1))]);
}

/** Settings of a fake card. */
export interface FakeCardOptions {
  readonly atr?: Uint8Array;
  readonly app?: FakeApp;
  readonly quirks?: FakeQuirks;
  /** Contact clock cycles between RST and TS; default 500. */
  readonly atrClocks?: number;
  /** The ATR is sent with wrong parity in this character (from 0) once. */
  readonly atrBadParity?: number;
  /** etu between the characters of the ATR; default 12. */
  readonly atrGapEtu?: number;
}

interface Outgoing extends Character {
  /** Repeats given after error signals. */
  readonly repeats: number;
}

/**
 * A card as a pure model on a time line of contact clock cycles, as strict as a real one: what the
 * terminal does against the rules is in `complaints`.
 */
export class FakeCard implements BytePort, FakeLink {
  readonly name = 'fake card';
  readonly clock: PortClock = { unit: 'cycle', perMs: 3571.2, uncertainty: 0 };
  readonly features = { parity: true, errorSignal: true, warmReset: true, power: true };
  readonly cardHz = 3_571_200;
  readonly complaints: string[] = [];
  readonly app: FakeApp;
  line: LineSettings = RESET_LINE;
  readonly #options: FakeCardOptions;
  #cardRates = { F: 372, D: 1 };
  #now: Ticks = 0;
  #powered = false;
  #outbox: Outgoing[] = [];
  #protocol: FakeProtocol | undefined;
  #pps: number[] = [];
  #lastSent = -Infinity;
  #spoilNext = false;
  #lastSaid = -Infinity;

  constructor(options: FakeCardOptions = {}) {
    this.#options = options;
    this.app = options.app ?? new PatternApp();
  }

  etu(): Ticks {
    return this.line.F / this.line.D;
  }

  now(): Ticks {
    return this.#now;
  }

  configure(change: Partial<LineSettings>): void {
    this.line = { ...this.line, ...change };
  }

  reset(kind: 'cold' | 'warm'): Ticks {
    if (kind === 'warm' && !this.#powered) this.complain('warm reset of an unpowered card');
    this.#powered = true;
    this.line = RESET_LINE;
    this.#cardRates = { F: 372, D: 1 };
    this.#now += 400;
    this.#outbox = [];
    this.#protocol = undefined;
    this.#pps = [];
    this.#lastSent = this.#lastSaid = -Infinity;
    this.app.reset();
    this.#sayAtr();
    return this.#now;
  }

  powerOff(): void {
    this.#powered = false;
    this.#outbox = [];
  }

  send(bytes: Uint8Array, options: SendOptions): SendOutcome {
    this.#needPower();
    const first = Math.max(this.#now, options.notBefore ?? 0);
    let at = first;
    for (let i = 0; i < bytes.length; i++) {
      at = Math.floor(first + i * options.guardEtu * this.etu());
      this.#checkLine(at, i === 0);
      const parityOk = !(options.badParity?.includes(i) ?? false);
      this.#lastSent = at;
      this.#now = at + Math.ceil(10 * this.etu());
      if (!parityOk && this.line.errorSignal) return { accepted: i, signalled: true, firstEdge: first, lastEdge: at };
      this.#hear(bytes[i], parityOk, at);
    }
    return { accepted: bytes.length, signalled: false, firstEdge: first, lastEdge: at };
  }

  spoilNext(): void {
    this.#spoilNext = true;
  }

  receive(deadline: Ticks): Character | undefined {
    this.#needPower();
    if (this.#spoilNext && this.#outbox.length > 0) {
      this.#spoil(0);
      this.#spoilNext = false;
    }
    const next = this.#outbox[0];
    if (!next || next.at > deadline) {
      this.#now = Math.max(this.#now, deadline);
      return undefined;
    }
    this.#outbox.shift();
    this.#now = Math.max(this.#now, next.at + Math.ceil(10 * this.etu()));
    if (!next.parityOk && this.line.errorSignal) this.#repeat(next);
    return { byte: next.byte, parityOk: next.parityOk, at: next.at };
  }

  idle(moment: Ticks): void {
    this.#now = Math.max(this.#now, moment);
  }

  say(bytes: ArrayLike<number>, at: number, gapEtu = 12): void {
    const gap = gapEtu * this.etu();
    for (let i = 0; i < bytes.length; i++) {
      this.#outbox.push({ byte: bytes[i], parityOk: true, at: Math.floor(at + i * gap), repeats: 0 });
    }
    this.#lastSaid = Math.floor(at + (bytes.length - 1) * gap);
  }

  complain(what: string): void {
    this.complaints.push(what);
  }

  setRates(F: number, D: number): void {
    this.#cardRates = { F, D };
  }

  #needPower(): void {
    if (!this.#powered) throw new DeviceError('CARD_LINK', { what: 'the card has no power' });
  }

  #sayAtr(): void {
    const { atr = FAKE_ATR, atrClocks = 500, atrBadParity, atrGapEtu } = this.#options;
    const inverse = atr[0] === 0x3f;
    const bytes = inverse ? Uint8Array.from([0x03, ...atr.slice(1)]) : atr;
    this.say(bytes, this.#now + atrClocks, atrGapEtu);
    if (inverse) this.#spoil(0);
    if (atrBadParity !== undefined) this.#spoil(atrBadParity);
  }

  #spoil(index: number): void {
    this.#outbox[index] = { ...this.#outbox[index], parityOk: false };
  }

  /** After an error signal the character comes again, and what follows moves back. */
  #repeat(character: Outgoing): void {
    const delay = Math.ceil(13.5 * this.etu());
    this.#outbox = this.#outbox.map((later) => ({ ...later, at: later.at + delay }));
    this.#lastSaid += delay;
    this.#outbox.unshift({ ...character, at: character.at + delay, parityOk: true, repeats: character.repeats + 1 });
  }

  #checkLine(at: Ticks, first: boolean): void {
    if (this.line.F / this.line.D !== this.#cardRates.F / this.#cardRates.D) this.complain('the terminal uses another rate');
    if (this.#outbox.some((c) => c.at < at + 10 * this.etu())) this.complain('collision: the card was sending');
    const guard = (at - this.#lastSent) / this.etu();
    if (guard < 11 - 0.02) this.complain(`guard time of ${guard} etu`);
    const turn = (at - this.#lastSaid) / this.etu();
    const least = this.#protocol instanceof FakeT1 ? 22 : 16;
    if (first && turn >= 0 && turn < least - 0.02) this.complain(`turnaround of ${turn} etu`);
  }

  #hear(byte: number, parityOk: boolean, at: Ticks): void {
    if (this.#protocol) return this.#protocol.onCharacter(byte, parityOk, at);
    if (this.#pps.length === 0 && byte !== 0xff) {
      this.#start(0);
      return this.#hear(byte, parityOk, at);
    }
    this.#pps.push(byte);
    const length = this.#pps.length < 2 ? 3 : 3 + (this.#pps[1] & 0x10 ? 1 : 0);
    if (this.#pps.length === length) this.#answerPps(at);
  }

  #answerPps(at: Ticks): void {
    const pps = this.#pps;
    if (lrc(pps) !== 0) return this.complain('PCK is wrong');
    this.say(pps, at + 16 * this.etu());
    const rates = pps[1] & 0x10 ? ratesOf(pps[2]) : { F: 372, D: 1 };
    if (rates) this.setRates(rates.F, rates.D);
    this.#start(pps[1] & 15);
  }

  #start(t: number): void {
    const quirks = this.#options.quirks ?? {};
    this.#protocol = t === 1 ? new FakeT1(this, this.app, quirks) : new FakeT0(this, this.app, quirks);
  }
}
