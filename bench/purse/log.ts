import { scenarioParts } from '../../scenarios/index.js';
import type { PurseProgress, ScenarioId, ScenarioListener } from '../../scenarios/index.js';
import { BenchLog } from '../world/bench-log.js';
import type { PurseFactory } from './factory.js';

/** Collects what happens in one point of the purse as record events. */
export class PurseLog extends BenchLog {
  /** Leads what a factory's worlds tell to this log. */
  attach(factory: PurseFactory): void {
    factory.hooks = {
      ...this.slotHooks,
      log: ({ operation, sent, received, code }) => {
        if (!this.running) return;
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
