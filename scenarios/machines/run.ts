import { createActor } from 'xstate';
import type { InspectionEvent } from 'xstate';
import { scenarioParts } from '../catalogue/catalogue.js';
import type { ScenarioId } from '../ports.js';
import { contextOf } from './context.js';
import { encryptedBackup, encryptedRecover } from './encrypted.js';
import { keyBackup, keyRecover } from './keys.js';
import { plainBackup, plainRecover } from './plain.js';
import type { ScenarioInput, ScenarioOutput } from './types.js';

/** The machines by scenario. */
export const machines = {
  '1/backup': plainBackup,
  '1/recover': plainRecover,
  '2/backup': encryptedBackup,
  '2/recover': encryptedRecover,
  '2/key-backup': keyBackup,
  '2/key-recover': keyRecover,
} as const satisfies Record<ScenarioId, unknown>;

/** A clock for the machines' patience, in milliseconds; the owner of the channel's time provides it. */
export interface ScenarioClock {
  setTimeout(fn: (...args: unknown[]) => void, timeout: number): unknown;
  clearTimeout(id: unknown): void;
}

/** A clock on which no time passes: calls are awaited without end, the ports alone decide what is late. */
export const stillClock: ScenarioClock = { setTimeout: () => 0, clearTimeout: () => undefined };

/** A transition as `inspect` tells it, without session ids so that equal runs give equal traces. */
export interface Transition {
  readonly scenario: ScenarioId;
  readonly state: string;
}

/** How a run is watched and timed. */
export interface RunHooks {
  /** Default: {@link stillClock}. */
  readonly clock?: ScenarioClock;
  readonly inspect?: (transition: Transition) => void;
}

function watch(scenario: ScenarioId, tell: (transition: Transition) => void): (event: InspectionEvent) => void {
  return (event) => {
    if (event.type !== '@xstate.microstep') return;
    const { value } = event.snapshot as { value?: unknown };
    if (typeof value === 'string') tell({ scenario, state: value });
  };
}

/**
 * Runs a scenario to its end. Never rejects once begun: what goes wrong is in the output.
 * @param input ports, options, where to take up, listener
 * @throws ScenarioError `SCENARIO_UNKNOWN`, `SCENARIO_OPTIONS`, `SCENARIO_RESUME` before anything is sent
 * @example const { cause, evidence } = await runScenario('2/backup', { ports });
 */
export function runScenario(scenario: ScenarioId, input: ScenarioInput, hooks: RunHooks = {}): Promise<ScenarioOutput> {
  scenarioParts(scenario);
  contextOf(scenario, input);
  const { inspect, clock = stillClock } = hooks;
  const actor = createActor(machines[scenario], { input, clock, ...inspect && { inspect: watch(scenario, inspect) } });
  return new Promise((resolve, reject) => {
    actor.subscribe({ complete: () => { resolve(actor.getSnapshot().output as ScenarioOutput); }, error: reject });
    actor.start();
  });
}
