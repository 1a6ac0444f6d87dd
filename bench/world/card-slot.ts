import { isDeviceError } from '../../devices/index.js';
import type { CardChannel, EmulatedCard, Finding } from '../../devices/index.js';
import type { ChipUsage, CutKind, Violation } from '../../emulator/index.js';
import type { Applet } from '../terminal/applet.js';
import { ChannelLine } from '../terminal/channel-line.js';
import type { ChannelExchange, ChannelTime } from '../terminal/channel-line.js';
import type { BenchClock } from './bench-clock.js';
import { BenchError } from './errors.js';

/** What an emulated card shows beside its answers, of the present power session. */
export interface CardShown {
  readonly violations: readonly Violation[];
  readonly usage: ChipUsage;
  readonly ramBytes: number;
}

/** What an emulated card offers beside its channel: time that can be advanced, saved and cut. */
export interface VirtualCard {
  /** Core clock, by which its cycles become time. */
  readonly hz: number;
  /** Lets the card run to a cycle of its session with nothing on the line. Rejects with CARD_POWER_CUT. */
  runTo(cycle: number): Promise<void>;
  cutAt(cycle: number | undefined, kind?: CutKind): void;
  snapshot(): unknown;
  restore(state: unknown): void;
  /** Absent: a stand-in without a chip. */
  shown?(): CardShown;
}

/** A card to be put into a slot. */
export interface SlotCard {
  readonly channel: CardChannel;
  readonly applet: Applet;
  /** Absent: a real card, which brings wall time. */
  readonly virtual?: VirtualCard;
}

/** What a slot tells; called synchronously. */
export interface SlotHooks {
  exchanged?(role: string, exchange: ChannelExchange & { readonly time: 'virtual' | 'wall' }): void;
  finding?(role: string, finding: Finding): void;
  /** A power session of the card ends: what it has shown must be collected now. */
  ending?(role: string): void;
  /** The power of the card has gone by a cut, noticed at `tick`. */
  cut?(role: string, tick: number): void;
}

/** Hooks that lead to those of the moment: worlds that are used again tell whoever listens now. */
export const leadingTo = (now: () => SlotHooks): Required<SlotHooks> => ({
  exchanged: (...told) => now().exchanged?.(...told), finding: (...told) => now().finding?.(...told),
  ending: (...told) => now().ending?.(...told), cut: (...told) => now().cut?.(...told),
});

/** State of a slot between exchanges. */
export interface SlotState {
  readonly origin: number;
  readonly begun: boolean;
  readonly card: unknown;
}

/** An emulated card for a slot. */
export function emulatedSlot(card: EmulatedCard, applet: Applet): SlotCard {
  return {
    channel: card, applet,
    virtual: {
      hz: card.chip.profile.cpu.hz,
      runTo: (cycle) => card.runTo(cycle),
      cutAt: (cycle, kind) => { card.cutAt(cycle, kind); },
      snapshot: () => card.snapshot(),
      restore: (state) => { card.restore(state as ReturnType<EmulatedCard['snapshot']>); },
      shown: () => ({ violations: card.violations, usage: card.usage(), ramBytes: card.chip.profile.ram.bytes }),
    },
  };
}

/** A card on a device of this machine, for a slot: its time is the wall's, it can be neither saved nor cut. */
export const realSlot = (channel: CardChannel, applet: Applet): SlotCard => ({ channel, applet });

/**
 * One card of a bench with its own line. A powered card that is not spoken to idles: it is run to the common time before
 * the next thing is sent to it, and what it then takes is added to the common time. A card without power has no time.
 */
export class CardSlot {
  readonly role: string;
  readonly channel: CardChannel;
  readonly line: ChannelLine;
  readonly virtual: VirtualCard | undefined;
  readonly #clock: BenchClock;
  readonly #hooks: SlotHooks;
  /** Bench time of cycle 0 of the present session. */
  #origin = 0;
  #begun = false;

  /** @param alone runs one exchange of the bench at a time */
  constructor(role: string, card: SlotCard, clock: BenchClock, hooks: SlotHooks, alone: <T>(work: () => Promise<T>) => Promise<T>) {
    this.role = role;
    this.channel = card.channel;
    this.virtual = card.virtual;
    this.#clock = clock;
    this.#hooks = hooks;
    const time: ChannelTime = {
      now: () => clock.now,
      spend: (work) => alone(() => this.#spend(work)),
      begin: (kind) => { this.#begin(kind); },
      exchanged: (exchange) => hooks.exchanged?.(role, { ...exchange, time: card.virtual ? 'virtual' : 'wall' }),
      finding: (finding) => hooks.finding?.(role, finding),
    };
    this.line = new ChannelLine(card.channel, card.applet, time, card.virtual !== undefined);
  }

  /** True while the card has power. */
  get powered(): boolean {
    return this.channel.session !== undefined;
  }

  /** Bench time of a cycle of the present session. */
  tickOf(cycle: number): number {
    return this.#origin + this.#clock.ticks(cycle, this.#need('its cycles cannot be told').hz);
  }

  /**
   * The power of the card goes at a moment of the bench's time, whatever the card then does; undefined takes it back.
   * Throws BenchError BENCH_USAGE for a real card or one without power, DeviceError when the moment has passed.
   */
  cutAt(tick: number | undefined, kind?: CutKind): void {
    const card = this.#need('its power cannot be cut');
    if (tick === undefined) {
      card.cutAt(undefined);
      return;
    }
    if (!this.powered) throw new BenchError('BENCH_USAGE', `the card '${this.role}' has no power to cut`, 'nothing was cut');
    card.cutAt(this.#clock.cycles(tick - this.#origin, card.hz), kind);
  }

  /** Runs an idling card to the common time; false when its power has gone meanwhile. Rejects with CARD_FAULT. */
  async catchUp(): Promise<boolean> {
    if (this.virtual === undefined || !this.powered) return true;
    try {
      await this.#idle(this.virtual);
      return true;
    } catch (error) {
      if (isDeviceError(error) && error.code === 'CARD_POWER_CUT') return false;
      throw error;
    }
  }

  /** State between exchanges. Throws BenchError BENCH_USAGE for a real card. */
  save(): SlotState {
    return { origin: this.#origin, begun: this.#begun, card: this.#need('its state cannot be saved').snapshot() };
  }

  /** Takes a state back. */
  restore(state: SlotState): void {
    this.#need('its state cannot be restored').restore(state.card);
    this.#origin = state.origin;
    this.#begun = state.begun;
    this.line.takeMarks();
  }

  /** Tells the hooks that the last power session is over, once. */
  finish(): void {
    if (this.#begun) this.#hooks.ending?.(this.role);
    this.#begun = false;
  }

  /** Takes the power away. */
  async powerOff(): Promise<void> {
    await this.line.close();
  }

  #need(what: string): VirtualCard {
    if (this.virtual) return this.virtual;
    throw new BenchError('BENCH_USAGE', `the card '${this.role}' is a real one: ${what}`, 'the bench is unchanged');
  }

  #begin(kind: 'cold' | 'warm'): void {
    if (kind === 'warm') return;
    this.finish();
    this.#begun = true;
    this.#origin = this.#clock.now;
  }

  async #idle(card: VirtualCard): Promise<void> {
    const to = this.#clock.cycles(this.#clock.now - this.#origin, card.hz);
    try {
      if ((this.channel.now().cycles ?? 0) < to) await card.runTo(to);
    } catch (error) {
      this.#lost(error);
      throw error;
    }
  }

  #lost(error: unknown): void {
    if (isDeviceError(error) && error.code === 'CARD_POWER_CUT') this.#hooks.cut?.(this.role, this.#clock.now);
  }

  async #spend<T>(work: () => Promise<T>): Promise<T> {
    const { virtual } = this;
    if (virtual && this.powered) await this.#idle(virtual);
    const wall = this.channel.now().ms;
    const from = this.#clock.now;
    try {
      return await work();
    } catch (error) {
      this.#clock.reach(this.#after(virtual, from, wall));
      this.#lost(error);
      throw error;
    } finally {
      this.#clock.reach(this.#after(virtual, from, wall));
    }
  }

  /** Bench time after work on the card that began at `from`; of a real card by the wall, from its own time before. */
  #after(virtual: VirtualCard | undefined, from: number, wall: number): number {
    const { cycles = 0, ms } = this.channel.now();
    if (virtual) return this.#origin + this.#clock.ticks(cycles, virtual.hz);
    return from + Math.max(0, Math.round(((ms - wall) * this.#clock.hz) / 1000));
  }
}
