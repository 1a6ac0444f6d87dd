import type { PointRelatedEvent } from '../../reports/index.js';
import { missingFor, pathPoints, plan, planId, planPoint } from '../../scenarios/index.js';
import type { ListedPoint } from '../../scenarios/index.js';
import { conditionCutRunner } from '../conditions/cut-runner.js';
import { terminalRunner } from '../conditions/terminal-runner.js';
import { memberCutRunner, memberRunner } from '../member/runner.js';
import { purseCutRunner } from '../purse/cut-runner.js';
import { purseRunner } from '../purse/runner.js';
import { twinCutRunner } from '../twin/cut-runner.js';
import { twinRunner } from '../twin/runner.js';
import { cutEvents, runCuts, tearPoint, tearPoints } from '../tear/index.js';
import { BenchError } from '../world/errors.js';
import type { WorldFactory } from './factory.js';
import { replayCutLine, replayLine } from './options.js';
import type { CertifyOptions } from './options.js';
import { runPoint } from './point.js';
import { pointEvent, verdictEvent } from './point-runner.js';
import type { CampaignChoice, PointRunner, RunnerSetting } from './point-runner.js';
import { missingAtSafes } from './served.js';

export * from './point-runner.js';

/** Events of a point that is not run because the statement, chip or bench does not offer what it needs. */
export const unsupportedEvents = (point: ListedPoint, missing: readonly string[], replay: string): readonly PointRelatedEvent[] =>
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

/** Runners of cuts that are drawn at random, beside those of one card and its phases. */
export const sampledCutRunners: readonly PointRunner[] = [memberCutRunner, conditionCutRunner, purseCutRunner, twinCutRunner];

/** All runners in the order in which their points are run; another system adds its runner before the cuts. */
export const pointRunners: readonly PointRunner[] = [
  backupRunner,
  terminalRunner,
  pathRunner,
  purseRunner,
  memberRunner,
  memberCutRunner,
  conditionCutRunner,
  twinRunner,
  cutRunner,
  purseCutRunner,
  twinCutRunner,
];

/** Every point of a campaign with its runner, in order. */
export const listedPoints = (options: CampaignChoice, runners: readonly PointRunner[] = pointRunners): readonly ListedPoint[] =>
  runners.flatMap((runner) => runner.points(options));

/** Runs one point of a runner, or says what is missing for it. */
export async function runListed(runner: PointRunner, point: ListedPoint, setting: RunnerSetting): Promise<readonly PointRelatedEvent[]> {
  const missing = [...missingFor(point, setting.offered), ...missingAtSafes(point, setting.factory.served)];
  return missing.length > 0 ? unsupportedEvents(point, missing, setting.replay(point.id)) : runner.run(point.id, setting);
}

/** A setting for the points of one worker. */
export const runnerSetting = (options: CertifyOptions, factory: WorldFactory): RunnerSetting =>
  ({ options, factory, offered: options.offered, traces: options.paths, replay: (id) => replayLine(options, id) });
