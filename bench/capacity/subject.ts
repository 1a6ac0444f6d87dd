import type { BasicScenarioId, Boundary, PlanPoint, ScenarioId } from '../../scenarios/index.js';
import { boundaries } from '../../scenarios/index.js';
import { tearPoint } from '../tear/index.js';
import type { TearPoint } from '../tear/index.js';

/** Point of the power cuts that is prepared and run alike: with the deletions of claims 25 and 26. */
const models: Readonly<Record<BasicScenarioId, string>> = {
  '1/backup': '1-backup-Z-02', '1/recover': '1-recover-Z-02', '2/backup': '2-backup-Z-02', '2/recover': '2-recover-Z-02',
  '2/key-backup': '2-key-backup-Z-02', '2/key-recover': '2-key-recover-Z-01',
};

/** `2/recover` as it stands in ids. */
export const dashed = (scenario: ScenarioId): string => scenario.replaceAll('/', '-');

/**
 * What a capacity campaign runs for a scenario: the item is the largest value there is, so that its room is the largest;
 * two values beside it must stay as they are.
 */
export function subjectOf(scenario: BasicScenarioId): TearPoint {
  const model = tearPoint(models[scenario]);
  const values: PlanPoint['prepare']['values'] = [
    { as: '$item', sample: 'long-ticket' }, { as: '$other', sample: 'movie-ticket-A' }, { as: '$third', sample: 'concert-ticket-C' },
  ];
  return { ...model, id: `${dashed(scenario)}-C`, prepare: { ...model.prepare, values } };
}

/** The places in front of which room is made short: the first step of each exchange, then the deletions. */
export function placesOf({ run }: TearPoint): readonly Boundary[] {
  const { scenario, options } = run;
  const deletes = (scenario.endsWith('backup') ? options.deleteAfterRegistration : options.deleteAfterRecovery) === true;
  return boundaries(scenario).filter((at) => !at.startsWith('claim') || deletes);
}
