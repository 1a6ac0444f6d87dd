const scaled = (count: number, from: number, to: number): number =>
  from === to ? count : Number((BigInt(count) * BigInt(to) + BigInt(from) - 1n) / BigInt(from));

/**
 * The one clock of a bench with several cards, in ticks of a fixed rate. It moves only forward, and only by what is
 * done on a card or waited for on purpose; nothing of the machine it runs on enters. Integer arithmetic throughout.
 */
export class BenchClock {
  /** Ticks in a second. */
  readonly hz: number;
  #now = 0;

  constructor(hz: number) {
    this.hz = hz;
  }

  /** Present time in ticks. */
  get now(): number {
    return this.#now;
  }

  /** Time goes on to `tick`; an earlier one changes nothing. */
  reach(tick: number): void {
    this.#now = Math.max(this.#now, tick);
  }

  /** Takes a saved time back. */
  set(tick: number): void {
    this.#now = tick;
  }

  /** Ticks that so many cycles of a clock of `hz` last, rounded up. */
  ticks(cycles: number, hz: number): number {
    return scaled(cycles, hz, this.hz);
  }

  /** The first cycle of a clock of `hz` that is not before so many ticks. */
  cycles(ticks: number, hz: number): number {
    return scaled(ticks, this.hz, hz);
  }
}
