import { isDeviceError } from '../../devices/index.js';
import type { ListedPoint, SystemName } from '../../scenarios/index.js';
import type { CardCutReport, SampleSize } from '../tear/card-cases.js';
import { TearError } from '../tear/errors.js';
import { BenchError } from '../world/errors.js';
import type { WorldFactory } from './factory.js';
import { replayCutLine } from './options.js';
import { pointEvent, verdictEvent } from './point-runner.js';
import type { PointRunner } from './point-runner.js';

/** Points that share the cuts of one phase: one card, the other, both. */
const SHARES = 3;
const FAILURES_TOLD = 5;

/** What sampled cuts on the cards of one system are made from. */
export interface CardCutting<P extends ListedPoint> {
  readonly system: SystemName;
  readonly plan: string;
  readonly points: readonly P[];
  /** Says that there is no such point. */
  readonly unknown: string;
  /** Why a chip cannot have the applet; undefined when it can. */
  readonly unfit: (factory: WorldFactory) => string | undefined;
  readonly sample: (point: P, factory: WorldFactory, size: SampleSize) => Promise<CardCutReport>;
  /** What runs come to, for the text of the fault. */
  readonly aim: 'end' | 'goal';
}

function reasonsOf({ failures, unfired }: CardCutReport): readonly string[] {
  return [
    ...failures.slice(0, FAILURES_TOLD).flatMap(({ case: id, reasons }) => reasons.map((reason) => `${reason} (${id})`)),
    ...failures.length > FAILURES_TOLD ? [`${failures.length - FAILURES_TOLD} more cases failed`] : [],
    ...unfired.slice(0, FAILURES_TOLD).map((id) => `the power did not go (${id})`),
  ];
}

function verdictOf({ failures, unfired }: CardCutReport): 'pass' | 'fail' | 'invalid' {
  if (failures.length > 0) return 'fail';
  return unfired.length > 0 ? 'invalid' : 'pass';
}

/** Runs the points of sampled power cuts on one or more cards; the cuts of a phase are shared by its points. */
export function cardCutRunner<P extends ListedPoint>({ system, plan, points, unknown, unfit, sample, aim }: CardCutting<P>): PointRunner {
  return {
    system, plan, points: ({ cuts }) => (cuts > 0 ? points : []),
    async run(id, { factory, options, replay }) {
      const point = points.find((one) => one.id === id);
      if (!point) throw new BenchError('BENCH_USAGE', `${unknown} ${id}`);
      const why = unfit(factory);
      if (why !== undefined) return [pointEvent(point), verdictEvent(point, { verdict: 'unsupported', reasons: [why] }, { replay: replay(id) })];
      try {
        const report = await sample(point, factory, { cases: Math.ceil(options.cuts / SHARES), seed: options.seed });
        const [failure] = report.failures;
        const text = `${report.cases} cases, ${report.memories} different memories, at most ${report.attempts} runs to the ${aim}`;
        return [
          pointEvent(point), { type: 'fault', point: id, fault: 'power cuts', applied: report.unfired.length === 0, text },
          verdictEvent(point, { verdict: verdictOf(report), reasons: reasonsOf(report), ...failure?.step !== undefined && { step: failure.step } },
            { replay: failure ? replayCutLine(options, failure.case) : replay(id) }),
        ];
      } catch (error) {
        if (!(error instanceof TearError) && !(error instanceof BenchError) && !isDeviceError(error)) throw error;
        return [pointEvent(point), verdictEvent(point, { verdict: 'aborted', reasons: [`${error.code}: ${error.message}`] }, { replay: replay(id) })];
      }
    },
  };
}
