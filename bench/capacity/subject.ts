import type { Boundary, Phase, PlanPoint, ScenarioId } from '../../scenarios/index.js';
import { boundaries, scenarioParts } from '../../scenarios/index.js';
import { tearPoint } from '../tear/index.js';
import type { TearPoint } from '../tear/index.js';

/** Point of the power cuts that is prepared and run alike: with the deletions of claims 25 and 26. */
const models: Readonly<Record<ScenarioId, string>> = {
  '1/backup': '1-backup-Z-02', '1/recover': '1-recover-Z-02', '2/backup': '2-backup-Z-02', '2/recover': '2-recover-Z-02',
  '2/key-backup': '2-key-backup-Z-02', '2/key-recover': '2-key-recover-Z-01',
};

/** `2/recover` as it stands in ids. */
export const dashed = (scenario: ScenarioId): string => scenario.replace('/', '-');

/**
 * What a capacity campaign runs for a scenario: the item is the largest value there is, so that its room is the largest;
 * two values beside it must stay as they are.
 */
export function subjectOf(scenario: ScenarioId): TearPoint {
  const model = tearPoint(models[scenario]);
  const values: PlanPoint['prepare']['values'] = [
    { as: '$item', sample: 'long-ticket' }, { as: '$other', sample: 'movie-ticket-A' }, { as: '$third', sample: 'concert-ticket-C' },
  ];
  return { ...model, id: `${dashed(scenario)}-C`, prepare: { ...model.prepare, values } };
}

const deletions: Readonly<Record<Phase, (options: TearPoint['run']['options']) => boolean>> = {
  backup: (options) => options.deleteAfterRegistration === true,
  'key-backup': (options) => options.deleteAfterRegistration === true,
  recover: (options) => options.deleteAfterRecovery === true,
  'key-recover': () => false,
};

/** The places in front of which room is made short: the first step of each exchange, then the deletions. */
export function placesOf({ run }: TearPoint): readonly Boundary[] {
  const { scenario, options } = run;
  const { phase } = scenarioParts(scenario);
  return boundaries(scenario).filter((at) => !at.startsWith('claim') || deletions[phase](options));
}
