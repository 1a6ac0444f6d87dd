import { planId } from '../../scenarios/index.js';
import type { ListedPoint } from '../../scenarios/index.js';
import { pointEvent, verdictEvent } from '../certify/point-runner.js';
import type { PointRunner } from '../certify/point-runner.js';
import { BenchError } from '../world/errors.js';
import { conditionEdits, runConditionCuts } from './cuts.js';

const PROBLEMS_TOLD = 5;

const points: readonly ListedPoint[] = conditionEdits.map(({ id, title }) => ({
  id, title, scenario: '11/condition', clause: { steps: [], claims: [20], rules: ['6.2', '2.4-12'] }, needs: ['embodiment-11', 'power-control'], flags: [],
}));

/** Power cuts while the backup conditions are edited: the old or the new condition, never a mixture. */
export const conditionCutRunner: PointRunner = {
  system: 'backup',
  plan: planId,
  points: ({ cuts }) => (cuts > 0 ? points : []),
  async run(id, { factory, options, replay }) {
    const [edit, point] = [conditionEdits.find((one) => one.id === id), points.find((one) => one.id === id)];
    if (!edit || !point) throw new BenchError('BENCH_USAGE', `there is no edit of conditions ${id}`, 'nothing was run');
    const { cases, kept, problems } = await runConditionCuts(factory, edit, options.cuts, options.seed);
    const told = [...problems.slice(0, PROBLEMS_TOLD), ...problems.length > PROBLEMS_TOLD ? [`${problems.length - PROBLEMS_TOLD} more things are wrong`] : []];
    const verdict = problems.length > 0 ? 'fail' : cases === 0 ? 'invalid' : 'pass';
    return [
      pointEvent(point), { type: 'fault', point: id, fault: 'power-cut', applied: cases > 0, text: `${cases} cases: old ${kept.old}, new ${kept.new}`, cycle: 0 },
      verdictEvent(point, { verdict, reasons: verdict === 'invalid' ? ['no cut fired'] : told }, { replay: `${replay(id)} --cuts ${options.cuts}` }),
    ];
  },
};
