import { exchanges, frameOf } from '../catalogue/registry.js';
import type { ScenarioOptions } from '../machines/types.js';
import type { OwnerEmbodiment } from '../owner-ports.js';
import type { ScenarioId, StepId } from '../ports.js';
import { clause, completes, ready, scenarioPoint } from './frames.js';
import type { PlanPoint } from './types.js';

const embodiments: readonly OwnerEmbodiment[] = [8, 9, 10];
const all = (scenario: ScenarioId): StepId[] => exchanges(scenario).flat();
const rule = (embodiment: OwnerEmbodiment): string => (embodiment === 10 ? '2.10' : '2.9');

interface Nominal {
  readonly title: string;
  readonly claims?: readonly number[];
  readonly options?: ScenarioOptions;
}

/** What goes through, whoever authenticates the owner. Numbers follow the order: only append. */
const nominals: readonly Nominal[] = [
  { title: 'by password' },
  { title: 'and deleted (claims 25, 26)', claims: [25, 26], options: { deleteAfterRegistration: true, deleteAfterRecovery: true } },
];

const honest: readonly PlanPoint[] = embodiments.flatMap((embodiment) => (['backup', 'recover'] as const).flatMap((phase) => {
  const scenario: ScenarioId = `${embodiment}/${phase}`;
  return nominals.map(({ title, claims = [], options = {} }, at) => scenarioPoint(scenario, 'N', 1 + at, {
    title: `${frameOf(scenario).title} ${title}`, clause: clause(all(scenario), [rule(embodiment)], claims), options,
    prepare: ready(scenario, {}, options), expect: completes(scenario, phase === 'recover' && options.deleteAfterRecovery ? { safe: 'tombstone' } : {}),
  }));
}));

/** Points of embodiments 8, 9 and 10. */
export const owners: readonly PlanPoint[] = [...honest];
