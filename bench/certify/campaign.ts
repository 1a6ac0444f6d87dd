import { mkdirSync, openSync, writeSync, closeSync, writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { junit, parseRecord, recordWriter, summary } from '../../reports/index.js';
import type { CatalogueStep, CompleteRecord, ConclusionEvent, PointRelatedEvent, RecordHeader, RecordVerdict } from '../../reports/index.js';
import { frames, selectPoints } from '../../scenarios/index.js';
import type { ListedPoint } from '../../scenarios/index.js';
import { BenchError } from '../world/errors.js';
import { Matrix } from './matrix.js';
import { PathCoverage } from './coverage.js';
import type { CertifyOptions } from './options.js';
import type { Pool } from './pool.js';
import type { Progress } from './progress.js';
import { listedPoints, pointRunners } from './runner.js';
import type { CampaignChoice, PointRunner } from './runner.js';
import type { PointAnswer } from './server.js';

/** What a campaign needs from outside. */
export interface CampaignSetting {
  readonly options: CertifyOptions;
  readonly header: Omit<RecordHeader, 'type' | 'format' | 'version'>;
  readonly pool: Pool;
  progress(total: number): Progress;
  /** Default: those of all systems. */
  readonly runners?: readonly PointRunner[];
  /** True once the user wants to stop. */
  stopped(): boolean;
}

/** What a campaign has come to. */
export interface CampaignResult {
  readonly record: CompleteRecord;
  readonly recordFile: string;
  /** First point that was not run, when it was stopped. */
  readonly next: string | undefined;
}

/** The points chosen by patterns and first point, power cuts last. Throws BenchError BENCH_USAGE when there is none. */
export function chosenPoints(
  { points, from, ...choice }: Pick<CertifyOptions, 'points' | 'from'> & CampaignChoice, runners: readonly PointRunner[] = pointRunners,
): readonly ListedPoint[] {
  const chosen = selectPoints(points, listedPoints(choice, runners));
  const first = from === undefined ? 0 : chosen.findIndex((point) => point.id === from);
  if (first < 0) throw new BenchError('BENCH_USAGE', `--from: the chosen points have no ${from}`, 'nothing was run');
  if (chosen.length === 0) throw new BenchError('BENCH_USAGE', `--point: no point fits ${points.join(', ')}`, 'nothing was run');
  return chosen.slice(first);
}

/** Every step of every scenario, for the table of evidence. */
export function catalogueSteps(): readonly CatalogueStep[] {
  return frames.flatMap(({ system, embodiment, phase, steps }) => steps.map(({ id }) => (
    { ...system !== 'backup' && { system }, embodiment, phase, step: id }
  )));
}

function crashEvents(point: ListedPoint, crash: string): PointRelatedEvent[] {
  const text = crash.split('\n')[0];
  return [
    { type: 'point', point: point.id, scenario: point.scenario, title: point.title, clause: '', needs: point.needs, cycle: 0 },
    { type: 'verdict', point: point.id, verdict: 'aborted', cycle: 0, clause: '', reasons: [`defect of the bench: ${text}`], flags: [], replay: '' },
  ];
}

const eventsOf = (answer: PointAnswer, point: ListedPoint): readonly PointRelatedEvent[] =>
  ('crash' in answer ? crashEvents(point, answer.crash) : answer.events);

function openRecord(folder: string): { file: string; fd: number } {
  const file = join(folder, 'record.jsonl');
  try {
    mkdirSync(folder, { recursive: true });
    return { file, fd: openSync(file, 'w') };
  } catch (error) {
    throw new BenchError('BENCH_OUTPUT', `${file} cannot be written: ${String(error)}`, 'nothing was run');
  }
}

/** Runs the chosen points, streams the record and draws the reports from it. */
export async function runCampaign(setting: CampaignSetting): Promise<CampaignResult> {
  const { options, header, pool } = setting;
  const stopped = (): boolean => setting.stopped();
  const points = chosenPoints(options, setting.runners);
  const byId = new Map(points.map((point) => [point.id, point]));
  const { file, fd } = openRecord(options.out);
  const writer = recordWriter(header, (line) => void writeSync(fd, line));
  const progress = setting.progress(points.length);
  let done = 0;
  const matrix = new Matrix();
  const coverage = new PathCoverage();
  await pool.run(points.map((point) => point.id), (answer) => {
    const point = byId.get(answer.point);
    if (point === undefined) return;
    const events = eventsOf(answer, point);
    for (const event of events) writer.write(event);
    matrix.take(point, events);
    for (const event of events) if (event.type === 'path') coverage.take(event);
    done += 1;
    progress.step(done, answer.point);
  }, stopped);
  progress.end();
  if (options.paths) for (const event of coverage.events()) writer.write(event);
  if (options.all) {
    const broken = done === points.length ? [] : [`stopped after ${done} of ${points.length} points`];
    for (const event of matrix.events(options.offered, options.statement, broken)) writer.write(event);
  }
  writer.end();
  closeSync(fd);
  const record = parseRecord(readFileSync(file, 'utf8'));
  writeReports(options.out, record);
  return { record, recordFile: file, next: points[done]?.id };
}

function writeReports(folder: string, record: CompleteRecord): void {
  writeFileSync(join(folder, 'junit.xml'), junit(record));
  writeFileSync(join(folder, 'summary.txt'), summary(record, { catalogue: catalogueSteps() }));
}

/** Exit code by the conventions: 1 before 3 before 0; a step or claim of a complete matrix that is not shown counts as failed. */
export function exitCodeOf(counts: Readonly<Record<RecordVerdict, number>>, complete: boolean, conclusion?: ConclusionEvent): number {
  const open = conclusion !== undefined && [conclusion.steps, conclusion.states, conclusion.claims].some(({ shown, all }) => shown < all);
  if (counts.fail > 0 || (complete && open)) return 1;
  if (conclusion?.certified === false && counts.invalid + counts.aborted === 0) return complete ? 1 : 3;
  return counts.invalid + counts.aborted > 0 || !complete ? 3 : 0;
}
