import { frameOf } from '../catalogue/registry.js';
import type { ScenarioId, StepId } from '../ports.js';
import { clause, completes, scenarioPoint } from './frames.js';
import type { Expectation, PlanPoint } from './types.js';

const scenarios: readonly ScenarioId[] = ['12/backup', '12/key-backup', '12/recover', '12/renew'];
const all = (scenario: ScenarioId): StepId[] => frameOf(scenario).steps.map(({ id }) => id as StepId);
/** Claims of a scenario: those of the pair it realises, in both wordings. */
const claimsOf = (scenario: ScenarioId): readonly number[] => frameOf(scenario).covers;
const whole = (scenario: ScenarioId, more: Partial<Expectation> = {}): Expectation =>
  completes(scenario, { ...scenario === '12/renew' && { safe: 'renewed' }, ...more });

/** Nothing goes wrong. Numbers are never given anew. */
const honest: readonly PlanPoint[] = [
  ...scenarios.map((scenario) => scenarioPoint(scenario, 'N', 1, {
    title: frameOf(scenario).title, clause: clause(all(scenario), ['2.9', '3.1'], claimsOf(scenario)), expect: whole(scenario),
  })),
];

/** Points of embodiment 12. */
export const talk: readonly PlanPoint[] = [...honest];
