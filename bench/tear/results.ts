import { isDeviceError } from '../../devices/index.js';
import type { PointRelatedEvent } from '../../reports/index.js';
import type { WorldFactory } from '../certify/factory.js';
import { BenchError } from '../world/errors.js';
import { TearError } from './errors.js';
import type { Aim } from './forward.js';
import { tearClause, tearPoints } from './points.js';
import type { TearPoint } from './points.js';
import { defaultPolicies } from './policies.js';
import { sampleCuts } from './sample.js';
import type { CutReport } from './sample.js';

/** Cuts of one phase as a result beside the plan's points. Plain data. */
export interface CutResult {
  /** For example `2-backup-Z-01`. */
  readonly id: string;
  readonly scenario: string;
  readonly title: string;
  /** Steps, claims and rules in words. */
  readonly clause: string;
  readonly needs: readonly string[];
  readonly verdict: 'pass' | 'fail' | 'aborted';
  /** One sentence for each kind of breach, with a case id; empty on pass. */
  readonly reasons: readonly string[];
  /** Absent when nothing could be cut. */
  readonly report?: CutReport;
}

/** How a campaign of cuts is run. */
export interface CutCampaign {
  readonly factory: WorldFactory;
  /** Cuts of each point. */
  readonly cuts: number;
  readonly seed: number;
  /** Default {@link defaultPolicies}. */
  readonly policies?: readonly string[];
  /** Default `phase`. */
  readonly aim?: Aim;
  /** Default {@link tearPoints}. */
  readonly points?: readonly TearPoint[];
  /** Called after each point. */
  readonly onResult?: (result: CutResult) => void;
  /** True once no further point is to be begun. */
  readonly stopped?: () => boolean;
}

/** One sentence for each different breach: how many cases, and the first of them. */
function reasonsOf({ uncut, failures }: CutReport): string[] {
  const seen = new Map<string, { count: number; first: string; step: string | undefined }>();
  for (const { case: id, alike, findings } of failures)
    for (const { invariant, text, step } of findings) {
      const name = `${invariant}: ${text}`;
      const known = seen.get(name) ?? { count: 0, first: id, step };
      seen.set(name, { ...known, count: known.count + 1 + alike });
    }
  return [
    ...uncut.map(({ invariant, text }) => `${invariant}: ${text} (without a cut)`),
    ...[...seen].map(([name, { count, first, step }]) => `${name} (${count} times, first ${step === undefined ? '' : `after step ${step}, `}${first})`),
  ];
}

async function runOne(point: TearPoint, campaign: CutCampaign): Promise<CutResult> {
  const { id, scenario, title, needs } = point;
  const about = { id, scenario, title, needs: [...needs, 'power-control'], clause: tearClause(point) };
  try {
    const report = await sampleCuts({ ...campaign, point });
    const reasons = reasonsOf(report);
    return { ...about, verdict: reasons.length > 0 ? 'fail' : 'pass', reasons, report };
  } catch (error) {
    if (!(error instanceof BenchError) && !(error instanceof TearError) && !isDeviceError(error)) throw error;
    return { ...about, verdict: 'aborted', reasons: [`${error.code}: ${error.message}`] };
  }
}

/** Cuts every point and judges it; a point that cannot be prepared is aborted, not failed. */
export async function runCuts(campaign: CutCampaign): Promise<CutResult[]> {
  const { points = tearPoints, onResult, stopped = () => false } = campaign;
  const results: CutResult[] = [];
  for (const point of points) {
    if (stopped()) break;
    const result = await runOne(point, campaign);
    results.push(result);
    onResult?.(result);
  }
  return results;
}

/** One line for people: what was cut and what came out. */
export function cutLine({ id, verdict, report }: CutResult): string {
  if (!report) return `${id} ${verdict}`;
  const { cuts, distinct, recoveries, worst } = report;
  return `${id} ${verdict}: ${cuts} cuts, ${distinct} distinct memories, ${recoveries} recoveries of at most ${worst.pages} pages and ${worst.cycles} cycles`;
}

/** The events of a result for a record; `replay` gives the command line that repeats a case. */
export function cutEvents(result: CutResult, replay: (caseId: string) => string): PointRelatedEvent[] {
  const { id, scenario, title, clause, needs, verdict, reasons, report } = result;
  const failures = report?.failures ?? [];
  return [
    { type: 'point', point: id, scenario, title, clause, needs, cycle: 0 },
    { type: 'fault', point: id, fault: 'power-cut', applied: report !== undefined, text: `${cutLine(result)}; weak cells read ${(report?.policies ?? defaultPolicies).join(', ')}` },
    ...[...report?.uncut ?? [], ...failures.flatMap(({ findings }) => findings)].map(({ invariant, text, step }): PointRelatedEvent => (
      { type: 'finding', point: id, invariant, text, ...step !== undefined && { step } }
    )),
    {
      type: 'verdict', point: id, verdict, cycle: report?.to ?? 0, clause, reasons,
      flags: [],
      replay: failures.length > 0 ? replay(failures[0].case) : '',
    },
  ];
}
