import type { Cycles, DeviceHost, ResetKind } from '../types.js';
import { hash32 } from '../eeprom/math.js';
import { Peripheral } from './peripheral.js';

/** Register offsets. */
export const RNG_REGISTER = { STATUS: 0, DATA: 4 } as const;

const SALT = 0x524e4753;

interface RngState {
  a: number;
  b: number;
  c: number;
  d: number;
  readyAt: Cycles;
  words: number;
}

/** What fixes the random numbers, and how long one takes. */
export interface RngConfig {
  readonly seed: number;
  /** Power session: each has a stream of its own; a warm reset goes on in the same stream. */
  readonly session: number;
  /** Cycles until the next word is ready. */
  readonly cycles: number;
}

/** Seeded random source (xoshiro128**, Blackman and Vigna). Violation: RNG_NOT_READY. */
export class Rng extends Peripheral {
  readonly name = 'RNG';
  readonly base = 0x40004000;
  readonly #config: RngConfig;
  #s: RngState;

  /** A source at the start of the stream of (seed, session). */
  constructor(host: DeviceHost, config: RngConfig) {
    super(host);
    this.#config = config;
    this.#s = stream(config.seed, config.session);
  }

  /** Words drawn in this power session. */
  get words(): number {
    return this.#s.words;
  }

  /** Starts the stream of another power session. */
  powerOn(session: number): void {
    this.#s = stream(this.#config.seed, session);
  }

  reset(_kind: ResetKind, now: Cycles): void {
    this.#s.readyAt = now;
  }

  snapshot(): unknown {
    return { ...this.#s };
  }

  restore(state: unknown): void {
    this.#s = { ...(state as RngState) };
  }

  protected override readRegister(offset: number, now: Cycles): number {
    if (offset === RNG_REGISTER.STATUS) return Number(now >= this.#s.readyAt);
    if (offset !== RNG_REGISTER.DATA) return this.badRead(offset, false);
    if (now < this.#s.readyAt) {
      this.refuse('RNG_NOT_READY', 'DATA read before it was ready', offset);
      return 0;
    }
    this.#s.readyAt = now + this.#config.cycles;
    return this.#draw();
  }

  protected override writeRegister(offset: number): void {
    this.badWrite(offset, offset === RNG_REGISTER.STATUS || offset === RNG_REGISTER.DATA);
  }

  #draw(): number {
    const s = this.#s;
    const result = Math.imul(rotate(Math.imul(s.b, 5), 7), 9) >>> 0;
    const t = s.b << 9;
    s.c ^= s.a;
    s.d ^= s.b;
    s.b ^= s.c;
    s.a ^= s.d;
    s.c ^= t;
    s.d = rotate(s.d, 11);
    s.words++;
    return result;
  }
}

function stream(seed: number, session: number): RngState {
  const word = (index: number): number => hash32(seed, SALT, session, index) | 0;
  return { a: word(0), b: word(1), c: word(2), d: word(3) | 1, readyAt: 0, words: 0 };
}

function rotate(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k));
}
