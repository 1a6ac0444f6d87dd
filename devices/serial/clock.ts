import type { PortClock, Ticks } from '../channel/port.js';

/** The time of a stream port: wall time for a real device, the card's for an emulated one. */
export interface StreamClock extends PortClock {
  now(): Ticks;
  /**
   * Resolves at `moment`, or earlier when something may have arrived. `stop` ends the wait at once.
   */
  wait(moment: Ticks, stop: AbortSignal): Promise<void>;
}

/** Wall time in ms, from a monotonic clock and a timer. */
export interface WallTime {
  /** Milliseconds on a monotonic clock. */
  now(): number;
  /** Calls back after `ms`; returns a function that cancels. */
  after(ms: number, call: () => void): () => void;
}

/** The monotonic clock and the timers of this host. */
export const HOST_TIME: WallTime = {
  now: () => performance.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

/** Longest single timer, in ms: longer ones overflow to zero. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A stream clock on wall time; `uncertaintyMs` is how far time stamps may be off (driver and USB latency). */
export function wallClock(uncertaintyMs: number, time: WallTime = HOST_TIME): StreamClock {
  return {
    unit: 'ms',
    perMs: 1,
    uncertainty: uncertaintyMs,
    now: () => time.now(),
    wait: (moment, stop) => new Promise<void>((resolve) => {
      const cancel = time.after(Math.min(LONGEST_TIMER_MS, Math.max(0, moment - time.now())), resolve);
      stop.addEventListener('abort', () => {
        cancel();
        resolve();
      }, { once: true });
    }),
  };
}
