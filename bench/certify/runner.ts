import type { PointRelatedEvent } from '../../reports/index.js';
import { missingFor, pathPoints, plan, planId, planPoint } from '../../scenarios/index.js';
import type { Capability, ListedPoint, SystemName } from '../../scenarios/index.js';
import { purseCutRunner } from '../purse/cut-runner.js';
import { purseRunner } from '../purse/runner.js';
import { cutEvents, runCuts, tearPoint, tearPoints } from '../tear/index.js';
import { BenchError } from '../world/errors.js';
import type { WorldFactory } from './factory.js';
import { replayCutLine, replayLine } from './options.js';
import type { CertifyOptions } from './options.js';
import { pointEvent, verdictEvent } from './point-events.js';
import { runPoint } from './point.js';

export { pointEvent, verdictEvent } from './point-events.js';

/** What a runner may use for its points; one for all points of a worker. */
export interface RunnerSetting {
  readonly options: CertifyOptions;
  /** Image, chip, seed, and worlds with one personalised card of the backup system. */
  readonly factory: WorldFactory;
  readonly offered: readonly Capability[];
  /** True when the transitions of the machines are recorded. */
  readonly traces: boolean;
  /** The command line that reproduces a point. */
  readonly replay: (point: string) => string;
}

/** What decides which points a campaign has. */
export type CampaignChoice = Pick<CertifyOptions, 'cuts'> & Partial<Pick<CertifyOptions, 'paths'>>;

/**
 * Runs and judges points of one kind in its own way. The events of a point begin with its `point` event and end with
 * its `verdict` event (see {@link pointEvent} and {@link verdictEvent}); a point that needs what is not offered never
 * reaches `run`.
 */
export interface PointRunner {
  readonly system: SystemName;
  /** Id of the plan, for records. */
  readonly plan: string;
  /** The points of a campaign in the order in which they are run. */
  points(options: CampaignChoice): readonly ListedPoint[];
  /** Rejects only on a defect of the bench itself. */
  run(point: string, setting: RunnerSetting): Promise<readonly PointRelatedEvent[]>;
}

/** Events of a point that is not run because the statement, chip or bench does not offer what it needs. */
export const unsupportedEvents = (point: ListedPoint, missing: readonly Capability[], replay: string): readonly PointRelatedEvent[] =>
  [pointEvent(point), verdictEvent(point, { verdict: 'unsupported', reasons: [`needs ${missing.join(', ')}`] }, { replay })];

/** Points of the backup system on one card and in-process safes. */
export const backupRunner: PointRunner = {
  system: 'backup',
  plan: planId,
  points: () => plan,
  run: async (point, setting) => (await runPoint(planPoint(point), setting)).events,
};

/** Paths derived from the machines of the backup system. */
export const pathRunner: PointRunner = {
  system: 'backup',
  plan: planId,
  points: ({ paths }) => (paths ? pathPoints() : []),
  async run(id, setting) {
    const point = pathPoints().find((one) => one.id === id);
    if (point === undefined) throw new BenchError('BENCH_USAGE', `no path has the id ${id}`, 'nothing was run');
    return (await runPoint(point, setting)).events;
  },
};

/** Power cuts at random cycles of each phase of the backup system. */
export const cutRunner: PointRunner = {
  system: 'backup',
  plan: planId,
  points: ({ cuts }) => (cuts > 0 ? tearPoints.map((point) => ({ ...point, needs: [...point.needs, 'power-control'] })) : []),
  async run(id, { factory, options }) {
    const [result] = await runCuts({ factory, cuts: options.cuts, seed: options.seed, points: [tearPoint(id)] });
    return cutEvents(result, (caseId) => replayCutLine(options, caseId));
  },
};

/** All runners in the order in which their points are run; another system adds its runner before the cuts. */
export const pointRunners: readonly PointRunner[] = [
  backupRunner,
  purseRunner,
  pathRunner,
  cutRunner,
  purseCutRunner,
];

/** Every point of a campaign with its runner, in order. */
export const listedPoints = (options: CampaignChoice, runners: readonly PointRunner[] = pointRunners): readonly ListedPoint[] =>
  runners.flatMap((runner) => runner.points(options));

/** Runs one point of a runner, or says what is missing for it. */
export async function runListed(runner: PointRunner, point: ListedPoint, setting: RunnerSetting): Promise<readonly PointRelatedEvent[]> {
  const missing = missingFor(point, setting.offered);
  return missing.length > 0 ? unsupportedEvents(point, missing, setting.replay(point.id)) : runner.run(point.id, setting);
}

/** A setting for the points of one worker. */
export const runnerSetting = (options: CertifyOptions, factory: WorldFactory): RunnerSetting =>
  ({ options, factory, offered: options.offered, traces: options.paths, replay: (id) => replayLine(options, id) });
