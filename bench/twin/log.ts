import { scenarioParts } from '../../scenarios/index.js';
import type { ScenarioListener, TwinProgress } from '../../scenarios/index.js';
import { BenchLog } from '../world/bench-log.js';
import type { TwinFactory } from './factory.js';

/** Collects what happens in one point as record events. */
export class TwinLog extends BenchLog {
  /** Leads what a factory's worlds tell to this log. What crosses of a session is sealed; ISSUE is kept out by its sender. */
  attach(factory: TwinFactory): void {
    factory.hooks = this.slotHooks;
  }

  /** A listener that records the steps of the runs, each under its phase. */
  readonly listener: ScenarioListener<TwinProgress> = (event) => {
    if (event.type !== 'step') return;
    const { step, kinds, outcome } = event.evidence;
    const { embodiment, phase } = scenarioParts(event.scenario);
    this.events.push({ type: 'step', point: this.point, system: 'twin', embodiment, phase, step, evidence: kinds, outcome, cycle: this.now() });
  };
}
