import type { PointRelatedEvent } from '../../reports/index.js';
import { scenarioParts } from '../../scenarios/index.js';
import type { ScenarioListener, TwinProgress } from '../../scenarios/index.js';
import { toHex } from '../codec/index.js';
import { SlotWatch } from '../world/slot-watch.js';
import type { Shown } from '../world/slot-watch.js';
import type { TwinFactory } from './factory.js';
import type { TwinWorld } from './world.js';

/** Collects what happens in one point as record events; cycles are ticks of the bench since the point began. */
export class TwinLog {
  readonly point: string;
  readonly events: PointRelatedEvent[] = [];
  #world: TwinWorld | undefined;
  #watch: SlotWatch | undefined;
  #shown: Shown | undefined;
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
  watch(world: TwinWorld): void {
    this.#world = world;
    this.#from = world.bench.now;
    this.#watch = new SlotWatch(this.point, world.bench);
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
    this.#world = undefined;
  }

  /** Leads what a factory's worlds tell to this log. What crosses of a session is sealed; ISSUE is kept out by its sender. */
  attach(factory: TwinFactory): void {
    factory.hooks = {
      exchanged: (card, { startedAt, endedAt, command, answer, protocol, time, secret }) => {
        if (this.#world === undefined) return;
        this.events.push({
          type: 'apdu', point: this.point, card, ...time === 'wall' && { time }, cycle: startedAt - this.#from, cycles: endedAt - startedAt, protocol,
          command: `${toHex(command)}${secret ? '..' : ''}`, answer: toHex(answer),
        });
      },
      finding: (...told) => { if (this.#world !== undefined) this.#watch?.hooks.finding(...told); },
      ending: (...told) => { this.#watch?.hooks.ending(...told); },
    };
  }

  /** A listener that records the steps of the runs, each under its phase. */
  readonly listener: ScenarioListener<TwinProgress> = (event) => {
    if (event.type !== 'step') return;
    const { step, kinds, outcome } = event.evidence;
    const { embodiment, phase } = scenarioParts(event.scenario);
    this.events.push({ type: 'step', point: this.point, system: 'twin', embodiment, phase, step, evidence: kinds, outcome, cycle: this.now() });
  };
}
