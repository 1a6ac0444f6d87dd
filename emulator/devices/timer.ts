import type { Cycles, DeviceHost, ResetKind } from '../types.js';
import { Peripheral } from './peripheral.js';

/** Register offsets. */
export const TIMER_REGISTER = { CTRL: 0, LOAD: 4, VALUE: 8, STATUS: 12, CYCLE_LO: 16, CYCLE_HI: 20 } as const;

const RUN = 1;
const INTERRUPT = 2;
const PERIODIC = 4;
const IRQ = 2;

interface TimerState {
  ctrl: number;
  load: number;
  /** Cycle of the next expiry; Infinity when stopped. */
  expiry: Cycles;
  /** Cycles left while stopped. */
  left: number;
  expired: boolean;
  resetAt: Cycles;
  high: number;
}

/**
 * Interval timer and cycle counter. Setting `run` starts from LOAD (without effect while LOAD is 0); clearing it
 * holds VALUE; a timer that is not periodic clears `run` when it expires.
 */
export class Timer extends Peripheral {
  readonly name = 'TIMER';
  readonly base = 0x40003000;
  #s: TimerState = fresh(0);
  #level = false;

  /** `host` is the machine it sits in. */
  constructor(host: DeviceHost) {
    super(host);
  }

  override nextEvent(): Cycles {
    return this.#s.expiry;
  }

  override onEvent(now: Cycles): void {
    const s = this.#s;
    while (s.expiry <= now) {
      s.expired = true;
      if ((s.ctrl & PERIODIC) !== 0) s.expiry += s.load;
      else this.#stop(0);
    }
    this.#update();
  }

  reset(_kind: ResetKind, now: Cycles): void {
    this.#s = fresh(now);
    this.#update();
  }

  snapshot(): unknown {
    return { ...this.#s };
  }

  restore(state: unknown): void {
    this.#s = { ...(state as TimerState) };
    this.#level = this.#wanted();
  }

  protected override readRegister(offset: number, now: Cycles): number {
    const s = this.#s;
    switch (offset) {
      case TIMER_REGISTER.CTRL: return s.ctrl;
      case TIMER_REGISTER.LOAD: return s.load;
      case TIMER_REGISTER.VALUE: return s.expiry === Infinity ? s.left : Math.max(0, s.expiry - now);
      case TIMER_REGISTER.STATUS: return Number(s.expired);
      case TIMER_REGISTER.CYCLE_LO: return this.#latch(now);
      case TIMER_REGISTER.CYCLE_HI: return s.high;
      default: return this.badRead(offset, false);
    }
  }

  protected override writeRegister(offset: number, value: number, now: Cycles): void {
    const s = this.#s;
    switch (offset) {
      case TIMER_REGISTER.CTRL: this.#control(value, now); break;
      case TIMER_REGISTER.LOAD: this.#load(value, now); break;
      case TIMER_REGISTER.STATUS: s.expired &&= (value & 1) === 0; break;
      default: this.badWrite(offset, [TIMER_REGISTER.VALUE, TIMER_REGISTER.CYCLE_LO, TIMER_REGISTER.CYCLE_HI].some((r) => r === offset));
    }
    this.#update();
  }

  #control(value: number, now: Cycles): void {
    const s = this.#s;
    if (value > 7) return this.badValue(TIMER_REGISTER.CTRL, value);
    const started = (value & ~s.ctrl & RUN) !== 0;
    const stopped = (s.ctrl & ~value & RUN) !== 0;
    s.ctrl = value;
    if (stopped) this.#stop(Math.max(0, s.expiry - now));
    if (started && s.load > 0) this.#schedule(now + s.load);
  }

  #load(value: number, now: Cycles): void {
    if (value === 0) return this.badValue(TIMER_REGISTER.LOAD, value);
    this.#s.load = value;
    if ((this.#s.ctrl & RUN) !== 0) this.#schedule(now + value);
  }

  #stop(left: number): void {
    this.#s.ctrl &= ~RUN;
    this.#s.left = left === Infinity ? 0 : left;
    this.#schedule(Infinity);
  }

  #schedule(expiry: Cycles): void {
    this.#s.expiry = expiry;
    this.host.reschedule();
  }

  #latch(now: Cycles): number {
    const count = now - this.#s.resetAt;
    this.#s.high = Math.floor(count / 4294967296);
    return count % 4294967296;
  }

  #wanted(): boolean {
    return this.#s.expired && (this.#s.ctrl & INTERRUPT) !== 0;
  }

  #update(): void {
    const level = this.#wanted();
    if (level === this.#level) return;
    this.#level = level;
    this.host.irq.set(IRQ, level);
  }
}

function fresh(now: Cycles): TimerState {
  return { ctrl: 0, load: 0, expiry: Infinity, left: 0, expired: false, resetAt: now, high: 0 };
}
