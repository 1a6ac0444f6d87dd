import { BenchClock } from './bench-clock.js';
import { CardSlot } from './card-slot.js';
import type { SlotCard, SlotHooks, SlotState } from './card-slot.js';
import { BenchError } from './errors.js';

/** A party of the bench that has a state of its own: a safe, a third party, an issuer. */
export interface Party {
  save(): unknown;
  restore(state: unknown): void;
}

/** Cards and parties at one moment between exchanges. */
export interface BenchState {
  readonly now: number;
  readonly slots: readonly SlotState[];
  readonly parties: readonly unknown[];
}

/** What a bench is made from. */
export interface CardBenchParts<R extends string> {
  readonly cards: Readonly<Record<R, SlotCard>>;
  readonly parties?: readonly Party[];
  /** Ticks in a second; default: the core clock of the first emulated card, else 1 MHz. */
  readonly hz?: number;
  readonly hooks?: SlotHooks;
}

/**
 * A bench with any number of cards, emulated and real, under one clock. One exchange at a time, whichever card it is
 * with; so the order of things is the order of the calls, on every machine. A single card on its own time is a `World`.
 */
export class CardBench<R extends string = string> {
  readonly clock: BenchClock;
  readonly #slots: ReadonlyMap<string, CardSlot>;
  readonly #parties: readonly Party[];
  #busy: string | undefined;

  constructor({ cards, parties = [], hz, hooks = {} }: CardBenchParts<R>) {
    const entries = Object.entries<SlotCard>(cards);
    const first = entries.find(([, { virtual }]) => virtual !== undefined)?.[1].virtual?.hz;
    this.clock = new BenchClock(hz ?? first ?? 1_000_000);
    this.#parties = parties;
    this.#slots = new Map(entries.map(([role, card]) => [role, new CardSlot(role, card, this.clock, hooks, (work) => this.#alone(role, work))]));
  }

  /** Roles in the order in which they were given. */
  get roles(): readonly R[] {
    return [...this.#slots.keys()] as R[];
  }

  /** Present time in ticks. */
  get now(): number {
    return this.clock.now;
  }

  /** The card of a role. Throws BenchError BENCH_USAGE when there is none. */
  slot(role: R): CardSlot {
    const slot = this.#slots.get(role);
    if (slot) return slot;
    throw new BenchError('BENCH_USAGE', `there is no card '${role}'; there are ${this.roles.join(', ')}`);
  }

  /** Brings all powered cards to the common time; gives the roles whose power has gone meanwhile. */
  async sync(): Promise<readonly R[]> {
    const cut: R[] = [];
    for (const role of this.roles)
      if (!await this.#alone(role, () => this.slot(role).catchUp())) cut.push(role);
    return cut;
  }

  /** Lets so many ticks pass with nothing on any line. */
  async idle(ticks: number): Promise<readonly R[]> {
    this.clock.reach(this.now + ticks);
    return this.sync();
  }

  /** Saves all cards and parties together. Throws BenchError BENCH_USAGE with a real card, DeviceError CHANNEL_BUSY. */
  save(): BenchState {
    return { now: this.now, slots: this.roles.map((role) => this.slot(role).save()), parties: this.#parties.map((party) => party.save()) };
  }

  /** Takes a state of this bench back, as often as wanted. */
  restore(state: BenchState): void {
    this.roles.forEach((role, at) => { this.slot(role).restore(state.slots[at]); });
    this.#parties.forEach((party, at) => { party.restore(state.parties[at]); });
    this.clock.set(state.now);
  }

  async #alone<T>(role: string, work: () => Promise<T>): Promise<T> {
    if (this.#busy !== undefined)
      throw new BenchError('BENCH_USAGE', `an exchange with '${role}' was begun during one with '${this.#busy}'`, 'the first exchange goes on');
    this.#busy = role;
    try {
      return await work();
    } finally {
      this.#busy = undefined;
    }
  }
}
