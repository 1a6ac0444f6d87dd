import { toHex } from '../codec/index.js';
import type { PointRelatedEvent } from '../../reports/index.js';
import { scenarioParts } from '../../scenarios/index.js';
import type { PurseProgress, ScenarioId, ScenarioListener } from '../../scenarios/index.js';
import { SlotWatch } from '../world/slot-watch.js';
import type { Shown } from '../world/slot-watch.js';
import type { PurseFactory } from './factory.js';
import type { PurseWorld } from './world.js';

/** Collects what happens in one point of the purse as record events; cycles are ticks of the bench since the point began. */
export class PurseLog {
  readonly point: string;
  readonly events: PointRelatedEvent[] = [];
  #world: PurseWorld | undefined;
  #watch: SlotWatch | undefined;
  #from = 0;
  #cycle = 0;

  constructor(point: string) {
    this.point = point;
  }

  /** Time of the point so far, in ticks of the bench. */
  now(): number {
    return this.#world === undefined ? this.#cycle : Math.max(0, this.#world.bench.now - this.#from);
  }

  /** From here on the point runs in this world. */
  watch(world: PurseWorld): void {
    this.#world = world;
    this.#from = world.bench.now;
    this.#watch = new SlotWatch(this.point, world.bench);
  }

  /** What the cards have shown beside their answers; to be asked once, at the end. */
  shown(): Shown {
    return this.#watch?.end() ?? { events: [], problems: [] };
  }

  /** Leads what a factory's worlds tell to this log. */
  attach(factory: PurseFactory): void {
    factory.hooks = {
      exchanged: (card, { startedAt, endedAt, command, answer, protocol, time }) => {
        if (this.#world === undefined) return;
        this.events.push({
          type: 'apdu', point: this.point, card, ...time === 'wall' && { time }, cycle: startedAt - this.#from, cycles: endedAt - startedAt, protocol,
          command: toHex(command), answer: toHex(answer),
        });
      },
      finding: (...told) => { this.#watch?.hooks.finding(...told); },
      ending: (...told) => { this.#watch?.hooks.ending(...told); },
      log: ({ operation, sent, received, code }) => {
        if (this.#world === undefined) return;
        this.events.push({
          type: 'safe', point: this.point, cycle: this.now(), cycles: 0, safe: 'thirdparty', operation, sent, received, status: code === undefined ? 200 : 422,
          ...code !== undefined && { code },
        });
      },
    };
  }

  /** A listener that records the steps of a transfer. */
  listener(scenario: ScenarioId): ScenarioListener<PurseProgress> {
    const { embodiment, phase } = scenarioParts(scenario);
    return (event) => {
      if (event.type !== 'step') return;
      const { step, kinds, outcome } = event.evidence;
      this.events.push({ type: 'step', point: this.point, system: 'purse', embodiment, phase, step, evidence: kinds, outcome, cycle: this.now() });
    };
  }
}
