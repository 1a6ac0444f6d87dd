import type { PointRelatedEvent } from '../../reports/index.js';
import { toHex } from '../codec/index.js';
import type { CardBench } from './card-bench.js';
import type { SlotHooks } from './card-slot.js';
import { SlotWatch } from './slot-watch.js';
import type { Shown } from './slot-watch.js';

/** Collects what happens in one point on the cards of a bench as record events; cycles are ticks of the bench since the point began. */
export class BenchLog {
  readonly point: string;
  readonly events: PointRelatedEvent[] = [];
  #bench: CardBench | undefined;
  #watch: SlotWatch | undefined;
  #shown: Shown | undefined;
  #from = 0;
  #cycle = 0;

  constructor(point: string) {
    this.point = point;
  }

  /** True while the point runs. */
  get running(): boolean {
    return this.#bench !== undefined;
  }

  /** Time of the point so far, in ticks of the bench. */
  now(): number {
    return this.#bench === undefined ? this.#cycle : Math.max(0, this.#bench.now - this.#from);
  }

  /** From here on the point runs in this world. */
  watch({ bench }: { readonly bench: CardBench }): void {
    this.#bench = bench;
    this.#from = bench.now;
    this.#watch = new SlotWatch(this.point, bench);
  }

  /** What the cards have shown beside their answers; to be asked once, at the end. */
  shown(): Shown {
    return this.#shown ?? this.#watch?.end() ?? { events: [], problems: [] };
  }

  /** The point is over; what is looked at afterwards is not recorded. */
  over(): void {
    this.#cycle = this.now();
    this.#shown = this.#watch?.end();
    this.#watch = undefined;
    this.#bench = undefined;
  }

  /** To be led here while the point runs. Of a secret command only the header is told. */
  readonly slotHooks: SlotHooks = {
    exchanged: (card, { startedAt, endedAt, command, answer, protocol, time, secret }) => {
      if (!this.running) return;
      this.events.push({
        type: 'apdu', point: this.point, card, ...time === 'wall' && { time }, cycle: startedAt - this.#from, cycles: endedAt - startedAt, protocol,
        command: `${toHex(command)}${secret ? '..' : ''}`, answer: toHex(answer),
      });
    },
    finding: (...told) => { this.#watch?.hooks.finding(...told); },
    ending: (...told) => { this.#watch?.hooks.ending(...told); },
  };
}
