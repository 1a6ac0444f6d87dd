import { readFileSync } from 'node:fs';
import { isDeviceError } from '../../devices/index.js';
import type { RecordEvent } from '../../reports/index.js';
import type { Finding } from '../../scenarios/index.js';
import type { CampaignTarget } from '../campaign/options.js';
import type { CampaignDefinition, UnitResult } from '../campaign/types.js';
import { WorldFactory } from '../certify/factory.js';
import { replayCutLine } from '../certify/options.js';
import { loadSetup } from '../certify/setup.js';
import { BenchError } from '../world/errors.js';
import { TearError } from './errors.js';
import { Exhaust, partsOf } from './exhaust.js';
import type { Part } from './exhaust.js';
import { drawCycles } from './forward.js';
import { tearClause, tearPoint } from './points.js';
import { addUp } from './tally.js';
import type { Breach, UnitReport } from './tally.js';
import { timelineOf } from './timeline.js';

/** Options of a campaign of power cuts. Plain data. */
export interface TearOptions extends CampaignTarget {
  /** Ids of tear points. */
  readonly points: readonly string[];
  readonly depth: 1 | 2;
  /** Names and families of weak-cell policies. */
  readonly policies: readonly string[];
  /** Seeds of chips, each with cells of its own. */
  readonly cells: readonly number[];
  /** Cuts of each point at random cycles; undefined: every cycle. */
  readonly sample: number | undefined;
}

/** What came of a unit, or why nothing could. */
export type TearResult = { readonly report: UnitReport; readonly uncut: readonly Finding[] } | { readonly aborted: string };

interface Place {
  readonly seed: number;
  readonly point: string;
  readonly part: Part | 'none';
}

const unitOf = ({ seed, point, part }: Place): string => `${seed}/${point}/${part}`;

function placeOf(unit: string): Place {
  const [seed, point, part] = unit.split('/');
  return { seed: Number(seed), point, part: part === 'rest' || part === 'none' ? part : Number(part) };
}

/** Makes what is needed for the units of one point and seed; keeps the last, since units come in order. */
function exhausts(options: TearOptions): (seed: number, point: string) => Promise<Exhaust> {
  let last: { readonly key: string; readonly exhaust: Promise<Exhaust> } | undefined;
  const image = readFileSync(options.image);
  return (seed, point) => {
    const key = `${seed}/${point}`;
    if (last?.key === key) return last.exhaust;
    const factory = new WorldFactory(loadSetup({ ...options, seed }, image));
    const exhaust = timelineOf(factory, tearPoint(point)).then((timeline) => new Exhaust(factory, timeline));
    last = { key, exhaust };
    return exhaust;
  };
}

/** An error that says something of the card or its preparation, not of the bench. */
function sayable(error: unknown): string | undefined {
  if (error instanceof BenchError || isDeviceError(error) || (error instanceof TearError && error.code === 'TEAR_RUN')) return `${error.code}: ${error.message}`;
  return undefined;
}

async function units(options: TearOptions): Promise<readonly string[]> {
  const exhaustOf = exhausts(options);
  const all: string[] = [];
  for (const seed of options.cells) for (const point of options.points) {
    try {
      const { timeline } = await exhaustOf(seed, point);
      all.push(...partsOf(timeline).map((part) => unitOf({ seed, point, part })));
    } catch (error) {
      if (sayable(error) === undefined) throw error;
      all.push(unitOf({ seed, point, part: 'none' }));
    }
  }
  return all;
}

function serve(options: TearOptions): (unit: string, tell: (done: number, total: number) => void) => Promise<TearResult> {
  const exhaustOf = exhausts(options);
  return async (unit, tell) => {
    const { seed, point, part } = placeOf(unit);
    try {
      const exhaust = await exhaustOf(seed, point);
      if (part === 'none') return { aborted: 'TEAR_RUN: the run did not repeat itself' };
      const { timeline } = exhaust;
      const sample = options.sample === undefined ? undefined : drawCycles({ ...timeline, operations: [] }, options.sample, seed, 'phase');
      const report = await exhaust.run(part, { ...options, sample }, tell);
      return { report, uncut: part === 'rest' ? timeline.findings : [] };
    } catch (error) {
      const text = sayable(error);
      if (text === undefined) throw error;
      return { aborted: text };
    }
  };
}

const sentence = ({ invariant, text, step, cases, first }: Breach): string =>
  `${invariant} broken by a cut after step ${step ?? 'none'}: ${text} (${cases} case${cases === 1 ? '' : 's'}, simplest ${first})`;

function coverage(report: UnitReport, point: string, policies: readonly string[]): RecordEvent {
  const { seed, cycles, intervals, images, weakImages, cases, paths, classes, worst, second } = report;
  return { type: 'coverage', point, seed, cycles, intervals, images, weakImages, cases, paths, classes, policies, worst: { ...worst }, ...second && { second } };
}

/** What is said of one point and seed. */
function pointEvents(options: TearOptions, seed: number, point: string, results: readonly TearResult[], missing: number): RecordEvent[] {
  const { id, scenario, title, needs } = tearPoint(point);
  const name = options.cells.length > 1 ? `${id}@${seed}` : id;
  const clause = tearClause(tearPoint(point));
  const reports = results.flatMap((result) => ('report' in result ? [result.report] : []));
  const report = reports.length === 0 ? undefined : addUp(reports);
  const uncut = results.flatMap((result) => ('report' in result ? result.uncut : []));
  const aborted = [...new Set(results.flatMap((result) => ('aborted' in result ? [result.aborted] : [])))];
  const breaches = [...report?.breaches ?? []];
  const broken = [...uncut.map(({ invariant, text }) => `${invariant}: ${text} (without a cut)`), ...breaches.map(sentence)];
  const open = missing > 0 ? [`${missing} of ${missing + results.length} parts were not run`] : [];
  const verdict = broken.length > 0 ? 'fail' : aborted.length + open.length > 0 ? 'aborted' : 'pass';
  return [
    { type: 'point', point: name, scenario, title, clause, needs: [...needs, 'power-control'], cycle: 0 },
    { type: 'fault', point: name, fault: 'power-cut', applied: report !== undefined && report.cases > 0, text: `power cut at ${options.sample === undefined ? 'every cycle' : 'random cycles'}, depth ${options.depth}` },
    ...report ? [coverage(report, name, options.policies)] : [],
    ...breaches.map(({ invariant, text, step }): RecordEvent => ({ type: 'finding', point: name, invariant, text, ...step !== undefined && { step } })),
    {
      type: 'verdict', point: name, verdict, cycle: 0, clause, reasons: [...broken, ...aborted, ...open], flags: [],
      ...breaches[0]?.step !== undefined && { step: breaches[0].step },
      replay: breaches.length > 0 ? replayCutLine(options, breaches[0].first) : '',
    },
  ];
}

function events(options: TearOptions, results: readonly UnitResult<TearResult>[], missing: readonly string[]): readonly RecordEvent[] {
  const prefixOf = (unit: string): string => unit.slice(0, unit.lastIndexOf('/'));
  return options.cells.flatMap((seed) => options.points.flatMap((point) => {
    const prefix = `${seed}/${point}`;
    const mine = results.filter(({ unit }) => prefixOf(unit) === prefix).map(({ result }) => result);
    return pointEvents(options, seed, point, mine, missing.filter((unit) => prefixOf(unit) === prefix).length);
  }));
}

/** Power cut at every cycle of the phases of the protocol, `cardbench tear`. */
export const tearDefinition: CampaignDefinition<TearOptions, TearResult> = { units, serve, events };
