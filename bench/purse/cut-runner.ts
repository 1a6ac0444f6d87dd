import type { PointRelatedEvent } from '../../reports/index.js';
import { purseCutPoints, pursePlan } from '../../scenarios/index.js';
import { replayCutLine } from '../certify/options.js';
import { pointEvent, verdictEvent } from '../certify/point-events.js';
import type { PointRunner, RunnerSetting } from '../certify/runner.js';
import { TearError } from '../tear/errors.js';
import { BenchError } from '../world/errors.js';
import { isDeviceError } from '../../devices/index.js';
import { sampleCardCuts } from './cut-campaign.js';
import type { CardCutReport } from './cut-campaign.js';
import { purseFactoryOf, PURSE_PAGES, tooSmall } from './runner.js';

/** Points that share the cuts of one phase: the payer, the payee, both. */
const SHARES = 3;

const FAILURES_TOLD = 5;

function reasonsOf({ failures, unfired }: CardCutReport): readonly string[] {
  return [
    ...failures.slice(0, FAILURES_TOLD).flatMap(({ case: id, reasons }) => reasons.map((reason) => `${reason} (${id})`)),
    ...failures.length > FAILURES_TOLD ? [`${failures.length - FAILURES_TOLD} more cases failed`] : [],
    ...unfired.slice(0, FAILURES_TOLD).map((id) => `the power did not go (${id})`),
  ];
}

function verdictOfCuts({ failures, unfired }: CardCutReport): 'pass' | 'fail' | 'invalid' {
  if (failures.length > 0) return 'fail';
  return unfired.length > 0 ? 'invalid' : 'pass';
}

async function run(id: string, { factory, options, replay }: RunnerSetting): Promise<readonly PointRelatedEvent[]> {
  const point = purseCutPoints.find((one) => one.id === id);
  if (!point) throw new BenchError('BENCH_USAGE', `the purse has no cut point ${id}`);
  if (tooSmall(factory))
    return [pointEvent(point), verdictEvent(point, { verdict: 'unsupported', reasons: [`the purse needs ${PURSE_PAGES} EEPROM pages`] }, { replay: replay(id) })];
  const worlds = purseFactoryOf(factory);
  worlds.hooks = {};
  try {
    const report = await sampleCardCuts(point, worlds, factory.setup, { cases: Math.ceil(options.cuts / SHARES), seed: options.seed });
    const [failure] = report.failures;
    const text = `${report.cases} cases, ${report.memories} different memories, at most ${report.attempts} runs to the end`;
    return [
      pointEvent(point), { type: 'fault', point: id, fault: 'power cuts', applied: report.unfired.length === 0, text },
      verdictEvent(point, { verdict: verdictOfCuts(report), reasons: reasonsOf(report), ...failure?.step !== undefined && { step: failure.step } },
        { replay: failure ? replayCutLine(options, failure.case) : replay(id) }),
    ];
  } catch (error) {
    if (!(error instanceof TearError) && !(error instanceof BenchError) && !isDeviceError(error)) throw error;
    return [pointEvent(point), verdictEvent(point, { verdict: 'aborted', reasons: [`${error.code}: ${error.message}`] }, { replay: replay(id) })];
  }
}

/** Sampled power cuts on one or both cards of a transfer; the cuts of a phase are shared by its three points. */
export const purseCutRunner: PointRunner = { system: 'purse', plan: pursePlan.id, points: ({ cuts }) => (cuts > 0 ? purseCutPoints : []), run };
