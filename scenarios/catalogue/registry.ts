import { ScenarioError } from '../errors.js';
import type { Embodiment, Phase, ScenarioId, StepId, SystemName } from '../ports.js';
import { apartFrames } from './apart.js';
import { conditionFrames } from './conditions.js';
import { basicFrames } from './basic.js';
import { coupledFrames } from './coupled.js';
import { memberFrames } from './member.js';
import type { ScenarioFrame } from './frame.js';
import { ownerFrames } from './owners.js';
import { seedFrames } from './seeds.js';
import { setFrames } from './sets.js';
import { purseFrames } from './purse.js';
import { twinFrames } from './twin.js';
import { talkFrames } from './talk.js';

/** All scenarios of all systems, in protocol order. A new family of scenarios adds its frames here and its machines in machines/registry.ts. */
export const frames: readonly ScenarioFrame[] = [
  ...basicFrames,
  ...apartFrames,
  ...setFrames,
  ...coupledFrames,
  ...seedFrames,
  ...conditionFrames,
  ...ownerFrames,
  ...talkFrames,
  ...purseFrames,
  ...memberFrames,
  ...twinFrames,
];

/** Ids of all scenarios, in protocol order. */
export const scenarioIds: readonly ScenarioId[] = frames.map(({ id }) => id);

const byId = new Map<string, ScenarioFrame>(frames.map((one) => [one.id, one]));

/**
 * Everything about a scenario but its machine.
 * @throws ScenarioError `SCENARIO_UNKNOWN`
 */
export function frameOf(id: string): ScenarioFrame {
  const known = byId.get(id);
  if (known) return known;
  throw new ScenarioError('SCENARIO_UNKNOWN', `there is no scenario ${id}`, `Known: ${scenarioIds.join(', ')}`);
}

/**
 * System, embodiment and phase of a scenario.
 * @throws ScenarioError `SCENARIO_UNKNOWN`
 */
export function scenarioParts(id: string): { readonly system: SystemName; readonly embodiment: Embodiment; readonly phase: Phase } {
  const { system, embodiment, phase } = frameOf(id);
  return { system, embodiment, phase };
}

/**
 * The steps of a scenario in exchanges: runs of steps that one command to a card or one request to another party covers.
 * @throws ScenarioError `SCENARIO_UNKNOWN`
 */
export const exchanges = (id: ScenarioId): readonly (readonly StepId[])[] => frameOf(id).exchanges.map(({ steps }) => steps);

/**
 * The exchange that holds a step.
 * @throws ScenarioError `SCENARIO_UNKNOWN`, `CATALOGUE_UNKNOWN`
 */
export function exchangeOf(id: ScenarioId, step: string): readonly StepId[] {
  const found = exchanges(id).find((group) => group.includes(step as StepId));
  if (found) return found;
  throw new ScenarioError('CATALOGUE_UNKNOWN', `${id} has no step ${step}`, `Its exchanges begin at ${exchanges(id).map(([first]) => first).join(', ')}`);
}
