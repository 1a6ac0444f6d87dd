import type { PointRelatedEvent, UsageEvent } from '../../reports/index.js';
import type { CardBench } from './card-bench.js';
import type { CardShown, SlotHooks } from './card-slot.js';

const RAM_BASE = 0x20000000;

/** What the cards of a bench show in a point beside their answers. */
export interface Shown {
  /** A `violation` event for each thing that a chip does not permit. */
  readonly events: readonly PointRelatedEvent[];
  /** What is wrong about it, in words: violations of the chip, departures from the transmission rules. A point with any has not passed. */
  readonly problems: readonly string[];
  /** Sums over the cards; undefined where no card is emulated. */
  readonly usage?: UsageEvent;
}

/**
 * Collects, from the moment it is made, what the cards of a bench show beside their answers: departures from ISO/IEC
 * 7816-3, violations that the chips report, and what was used. It hears of the end of each power session by {@link hooks}.
 */
export class SlotWatch<R extends string = string> {
  readonly #point: string;
  readonly #bench: CardBench<R>;
  readonly #from: number;
  readonly #events: PointRelatedEvent[] = [];
  readonly #problems: string[] = [];
  /** Violations of a present session that are older than the watch. */
  readonly #old = new Map<string, number>();
  readonly #pages = new Set<string>();
  #ram = 0;
  #stack = 0;
  #emulated = false;

  /** @param point id for the events */
  constructor(point: string, bench: CardBench<R>) {
    this.#point = point;
    this.#bench = bench;
    this.#from = bench.now;
    for (const role of bench.roles) this.#old.set(role, this.#shownBy(role)?.violations.length ?? 0);
  }

  /** To be led here while the point runs. */
  readonly hooks: Required<Pick<SlotHooks, 'finding' | 'ending'>> = {
    finding: (role, { rule, code, clause, detail }) => {
      if (rule === 'ISO') this.#problems.push(`${role}: ${code} (ISO/IEC 7816-3 ${clause}): ${detail}`);
    },
    ending: (role) => {
      this.#collect(role);
      this.#old.set(role, 0);
    },
  };

  /** Ticks since the watch began. */
  now(): number {
    return Math.max(0, this.#bench.now - this.#from);
  }

  /** Ends the watch with the present sessions. */
  end(): Shown {
    for (const role of this.#bench.roles) {
      this.#collect(role);
      this.#old.set(role, this.#shownBy(role)?.violations.length ?? 0);
    }
    const usage: UsageEvent = { type: 'usage', point: this.#point, cycles: this.now(), eepromPages: this.#pages.size, ram: this.#ram, stack: this.#stack };
    return { events: this.#events, problems: this.#problems, ...this.#emulated && { usage } };
  }

  #shownBy(role: string): CardShown | undefined {
    return this.#bench.slot(role as R).virtual?.shown?.();
  }

  #collect(role: string): void {
    const shown = this.#shownBy(role);
    if (shown === undefined) return;
    this.#emulated = true;
    for (const { code, pc, symbol, detail } of shown.violations.slice(this.#old.get(role))) {
      this.#events.push({ type: 'violation', point: this.#point, cycle: this.now(), code, pc, text: `${role}: ${detail}`, ...symbol !== undefined && { symbol } });
      this.#problems.push(`${role}: the chip reports ${code} at ${symbol ?? `pc ${pc.toString(16)}`}: ${detail}`);
    }
    const { stackLow, ramTouched, pagesWritten } = shown.usage;
    for (const page of pagesWritten) this.#pages.add(`${role} ${page}`);
    this.#ram = Math.max(this.#ram, ramTouched);
    if (stackLow <= RAM_BASE + shown.ramBytes) this.#stack = Math.max(this.#stack, RAM_BASE + shown.ramBytes - stackLow);
  }
}
