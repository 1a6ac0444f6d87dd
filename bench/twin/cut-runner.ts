import type { PointRelatedEvent } from '../../reports/index.js';
import { isDeviceError } from '../../devices/index.js';
import { twinCutPoints, twinPlan } from '../../scenarios/index.js';
import { replayCutLine } from '../certify/options.js';
import { pointEvent, verdictEvent } from '../certify/point-runner.js';
import type { PointRunner, RunnerSetting } from '../certify/point-runner.js';
import { TearError } from '../tear/errors.js';
import { BenchError } from '../world/errors.js';
import { sampleTwinCuts } from './cut-campaign.js';
import type { TwinCutReport } from './cut-campaign.js';
import { tooSmallForTwin, TWIN_CHIP_PAGES, twinFactoryOf } from './runner.js';

/** Points that share the cuts of one phase: card A, card B, both. */
const SHARES = 3;
const FAILURES_TOLD = 5;

function reasonsOf({ failures, unfired }: TwinCutReport): readonly string[] {
  return [
    ...failures.slice(0, FAILURES_TOLD).flatMap(({ case: id, reasons }) => reasons.map((reason) => `${reason} (${id})`)),
    ...failures.length > FAILURES_TOLD ? [`${failures.length - FAILURES_TOLD} more cases failed`] : [],
    ...unfired.slice(0, FAILURES_TOLD).map((id) => `the power did not go (${id})`),
  ];
}

function verdictOf({ failures, unfired }: TwinCutReport): 'pass' | 'fail' | 'invalid' {
  if (failures.length > 0) return 'fail';
  return unfired.length > 0 ? 'invalid' : 'pass';
}

async function run(id: string, { factory, options, replay }: RunnerSetting): Promise<readonly PointRelatedEvent[]> {
  const point = twinCutPoints.find((one) => one.id === id);
  if (!point) throw new BenchError('BENCH_USAGE', `primary and secondary card have no cut point ${id}`);
  if (tooSmallForTwin(factory))
    return [pointEvent(point), verdictEvent(point, { verdict: 'unsupported', reasons: [`primary and secondary card need ${TWIN_CHIP_PAGES} EEPROM pages`] }, { replay: replay(id) })];
  try {
    const report = await sampleTwinCuts(point, twinFactoryOf(factory), factory.setup, { cases: Math.ceil(options.cuts / SHARES), seed: options.seed });
    const [failure] = report.failures;
    const text = `${report.cases} cases, ${report.memories} different memories, at most ${report.attempts} runs to the goal`;
    return [
      pointEvent(point), { type: 'fault', point: id, fault: 'power cuts', applied: report.unfired.length === 0, text },
      verdictEvent(point, { verdict: verdictOf(report), reasons: reasonsOf(report), ...failure?.step !== undefined && { step: failure.step } },
        { replay: failure ? replayCutLine(options, failure.case) : replay(id) }),
    ];
  } catch (error) {
    if (!(error instanceof TearError) && !(error instanceof BenchError) && !isDeviceError(error)) throw error;
    return [pointEvent(point), verdictEvent(point, { verdict: 'aborted', reasons: [`${error.code}: ${error.message}`] }, { replay: replay(id) })];
  }
}

/** Sampled power cuts on one or both cards in backup, promotion and restore; the cuts of a phase are shared by its points. */
export const twinCutRunner: PointRunner = { system: 'twin', plan: twinPlan.id, points: ({ cuts }) => (cuts > 0 ? twinCutPoints : []), run };
