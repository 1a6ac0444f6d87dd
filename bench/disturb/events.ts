import type { RecordEvent, RecordVerdict } from '../../reports/index.js';
import type { UnitResult } from '../campaign/types.js';
import { replayCutLine } from '../certify/options.js';
import { tearClause } from '../tear/index.js';
import type { DisturbOptions, DisturbUnitResult } from './definition.js';
import { disturbPoint } from './points.js';
import { disturbOutcomes } from './run.js';
import type { DisturbReport } from './run.js';
import { attackKinds } from './spec.js';
import type { DisturbKind } from './spec.js';

const titles: Readonly<Record<DisturbKind, string>> = {
  noise: 'link noise', brownout: 'brown-out', clock: 'changing contact clock', worn: 'worn cell', stuck: 'stuck cell', drift: 'leaking cell',
  flip: 'flipped register bit', ram: 'flipped RAM bit', skip: 'skipped instructions',
};

/** All results of one kind at one point. */
interface Group {
  readonly point: string;
  readonly kind: DisturbKind;
  readonly wanted: number;
  readonly reports: readonly DisturbReport[];
  readonly lacks: readonly string[];
  readonly aborted: readonly string[];
  /** Units without a result. */
  readonly open: number;
}

function groupsOf(results: readonly UnitResult<DisturbUnitResult>[], missing: readonly string[]): Group[] {
  const groups = new Map<string, Group>();
  const add = (unit: string, change: (group: Group) => Group): void => {
    const [point, kind] = unit.split('/');
    const empty: Group = { point, kind: kind as DisturbKind, wanted: 0, reports: [], lacks: [], aborted: [], open: 0 };
    groups.set(`${point}/${kind}`, change(groups.get(`${point}/${kind}`) ?? empty));
  };
  for (const { unit, result } of results) add(unit, (group) => ({
    ...group, wanted: group.wanted + result.wanted, reports: [...group.reports, ...result.reports], lacks: result.missing,
    aborted: [...group.aborted, ...result.aborted === undefined ? [] : [result.aborted]],
  }));
  for (const unit of missing) add(unit, (group) => ({ ...group, open: group.open + 1 }));
  return [...groups.values()];
}

/** `50 disturbances took place: 30 none, 18 masked, 2 breach; 3 draws did not take place`. */
function tallyText(reports: readonly DisturbReport[]): string {
  const count = (outcome: string): number => reports.filter((report) => report.outcome === outcome).length;
  const parts = disturbOutcomes.filter((outcome) => outcome !== 'invalid' && count(outcome) > 0).map((outcome) => `${count(outcome)} ${outcome}`);
  const unfired = count('invalid');
  return `${reports.length - unfired} disturbances took place: ${parts.join(', ') || 'none'}${unfired > 0 ? `; ${unfired} draws did not take place` : ''}`;
}

/** One sentence for each different breach: how many cases, and the first of them. */
function breachTexts(reports: readonly DisturbReport[]): string[] {
  const seen = new Map<string, { readonly count: number; readonly first: string }>();
  for (const { case: id, findings } of reports)
    for (const { invariant, text } of findings) {
      const name = `${invariant}: ${text}`;
      const known = seen.get(name) ?? { count: 0, first: id };
      seen.set(name, { ...known, count: known.count + 1 });
    }
  return [...seen].map(([name, { count, first }]) => `${name} (${count} times, first ${first})`);
}

interface Judgement {
  readonly verdict: RecordVerdict;
  readonly reasons: readonly string[];
}

function judgementOf({ kind, wanted, reports, lacks, aborted, open }: Group, offered: DisturbOptions['offered']): Judgement {
  if (lacks.length > 0) return { verdict: 'unsupported', reasons: [`needs ${lacks.join(', ')}`] };
  const breaches = breachTexts(reports);
  const claimed = !attackKinds.includes(kind) || offered.includes('fault-resistance');
  if (breaches.length > 0 && claimed) return { verdict: 'fail', reasons: breaches };
  if (aborted.length > 0) return { verdict: 'aborted', reasons: aborted };
  if (open > 0) return { verdict: 'aborted', reasons: [`${open} parts of the campaign were not run`] };
  if (!claimed) return { verdict: 'unsupported', reasons: [`fault-resistance is not claimed, so this is no verdict; ${tallyText(reports)}`, ...breaches] };
  const fired = reports.filter(({ outcome }) => outcome !== 'invalid').length;
  if (fired < wanted || fired === 0) return { verdict: 'invalid', reasons: [`${fired} of ${wanted} disturbances took place`] };
  return { verdict: 'pass', reasons: [] };
}

function eventsOf(group: Group, options: DisturbOptions): RecordEvent[] {
  const { kind, reports } = group;
  const point = disturbPoint(group.point);
  const id = `${point.id}-${kind}`;
  const clause = tearClause(point);
  const needs = [...point.needs, ...attackKinds.includes(kind) ? ['fault-resistance'] : []];
  const broken = reports.find(({ findings }) => findings.length > 0);
  return [
    { type: 'point', point: id, scenario: point.scenario, title: `${point.title}: ${titles[kind]}`, clause, needs, cycle: 0 },
    { type: 'fault', point: id, fault: kind, applied: reports.some(({ outcome }) => outcome !== 'invalid'), text: tallyText(reports) },
    ...reports.map((report): RecordEvent => ({
      type: 'fault', point: id, fault: kind, applied: report.outcome !== 'invalid', cycle: report.cycle,
      text: `${report.case} ${report.outcome}; ${report.end}; ${report.proof}`,
    })),
    ...reports.flatMap((report) => report.findings.map(({ invariant, text, step }): RecordEvent => (
      { type: 'finding', point: id, invariant, text: `${text} (${report.case})`, ...step !== undefined && { step } }
    ))),
    {
      type: 'verdict', point: id, ...judgementOf(group, options.offered), cycle: Math.max(0, ...reports.map(({ cycle }) => cycle)), clause, flags: [],
      replay: broken === undefined ? '' : replayCutLine(options, broken.case),
    },
  ];
}

/** The events of a record: each kind at each point is a point of its own. */
export function disturbEvents(
  options: DisturbOptions, results: readonly UnitResult<DisturbUnitResult>[], missing: readonly string[],
): RecordEvent[] {
  return groupsOf(results, missing).flatMap((group) => eventsOf(group, options));
}
