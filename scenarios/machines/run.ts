import { createActor } from 'xstate';
import type { InspectionEvent } from 'xstate';
import type { ScenarioId } from '../ports.js';
import { contextOf } from './context.js';
import { backupDefinition } from './registry.js';
import { transitionOf } from './transitions.js';
import type { ScenarioDefinition } from './registry.js';
import type { ScenarioInput, ScenarioOutput } from './types.js';

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
  /** Names of the machine's transitions that led there (transitions.ts). */
  readonly took: readonly string[];
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
    if (typeof value === 'string') tell({ scenario, state: value, took: event._transitions.map((one) => transitionOf(one).name) });
  };
}

/**
 * Runs a scenario of any system to its end. Never rejects once begun: what goes wrong is in the output.
 * @param input ports, options, where to take up, listener
 * @throws ScenarioError `SCENARIO_OPTIONS`, `SCENARIO_RESUME` before anything is sent
 */
export function runDefinition<P extends object, O extends object, G extends object>(
  { frame, machine }: ScenarioDefinition<P, O, G>, input: ScenarioInput<P, O, G>, hooks: RunHooks = {},
): Promise<ScenarioOutput<G>> {
  const { inspect, clock = stillClock } = hooks;
  contextOf(frame.id, input as unknown as ScenarioInput);
  const actor = createActor(machine, { input, clock, ...inspect && { inspect: watch(frame.id, inspect) } });
  return new Promise((resolve, reject) => {
    actor.subscribe({ complete: () => { resolve(actor.getSnapshot().output as ScenarioOutput<G>); }, error: reject });
    actor.start();
  });
}

/**
 * Runs a scenario of the backup system to its end. Never rejects once begun: what goes wrong is in the output.
 * @param input ports, options, where to take up, listener
 * @throws ScenarioError `SCENARIO_UNKNOWN`, `SCENARIO_OPTIONS`, `SCENARIO_RESUME` before anything is sent
 * @example const { cause, evidence } = await runScenario('2/backup', { ports });
 */
export const runScenario = (scenario: ScenarioId, input: ScenarioInput, hooks: RunHooks = {}): Promise<ScenarioOutput> =>
  runDefinition(backupDefinition(scenario), input, hooks);
