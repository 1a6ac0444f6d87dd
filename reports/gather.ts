import type {
  CompleteRecord, CoverageEvent, FaultEvent, FindingEvent, LevelEvent, PointEvent, RecordEvidence, ShortageEvent, StepEvent, UsageEvent, VerdictEvent, ViolationEvent,
} from './types.js';

/** Everything a record says of one point. */
export interface PointReport {
  readonly id: string;
  readonly start?: PointEvent;
  readonly steps: readonly StepEvent[];
  readonly faults: readonly FaultEvent[];
  readonly violations: readonly ViolationEvent[];
  readonly findings: readonly FindingEvent[];
  readonly shortages: readonly ShortageEvent[];
  readonly coverage: readonly CoverageEvent[];
  readonly levels: readonly LevelEvent[];
  readonly usage?: UsageEvent;
  /** Absent when the run broke off within the point. */
  readonly verdict?: VerdictEvent;
}

/** The points of a record in the order in which they began. */
export function pointsOf({ events }: Pick<CompleteRecord, 'events'>): readonly PointReport[] {
  const reports = new Map<string, {
    id: string; start?: PointEvent; steps: StepEvent[]; faults: FaultEvent[]; violations: ViolationEvent[]; findings: FindingEvent[];
    shortages: ShortageEvent[]; coverage: CoverageEvent[]; levels: LevelEvent[]; usage?: UsageEvent; verdict?: VerdictEvent;
  }>();
  for (const event of events) {
    if (event.type === 'matrix' || event.type === 'conclusion' || event.type === 'paths') continue;
    const report = reports.get(event.point) ?? { id: event.point, steps: [], faults: [], violations: [], findings: [], shortages: [], coverage: [], levels: [] };
    reports.set(event.point, report);
    switch (event.type) {
      case 'point': report.start = event; break;
      case 'step': report.steps.push(event); break;
      case 'fault': report.faults.push(event); break;
      case 'violation': report.violations.push(event); break;
      case 'finding': report.findings.push(event); break;
      case 'shortage': report.shortages.push(event); break;
      case 'usage': report.usage = event; break;
      case 'verdict': report.verdict = event; break;
      case 'coverage': report.coverage.push(event); break;
      case 'level': report.levels.push(event); break;
      case 'apdu': case 'safe': case 'timing': case 'path': break;
    }
  }
  return [...reports.values()];
}

/** Milliseconds of card time. */
export const milliseconds = (cycles: number, coreHz: number): number => (cycles / coreHz) * 1000;

/** How often a step was seen in which way, over all points. */
export interface StepCount {
  /** Absent: the backup system. */
  readonly system?: string;
  readonly embodiment: number;
  readonly phase: string;
  readonly step: string;
  readonly done: number;
  readonly refused: number;
  readonly evidence: Readonly<Record<RecordEvidence, number>>;
}

/** Names a step within all systems: `2/backup/1-7`, `purse/1/transfer/P-2`. */
export const stepKey = ({ system, embodiment, phase, step }: Pick<StepCount, 'system' | 'embodiment' | 'phase' | 'step'>): string =>
  `${system === undefined ? '' : `${system}/`}${embodiment}/${phase}/${step}`;

/** Counts of every step that occurs, in the order of first occurrence. */
export function stepCounts({ events }: Pick<CompleteRecord, 'events'>): readonly StepCount[] {
  const counts = new Map<string, Omit<StepCount, 'done' | 'refused' | 'evidence'> & { done: number; refused: number; evidence: Record<RecordEvidence, number> }>();
  for (const event of events) {
    if (event.type !== 'step') continue;
    const { system, embodiment, phase, step } = event;
    const key = stepKey(event);
    const count = counts.get(key) ?? { ...system !== undefined && { system }, embodiment, phase, step, done: 0, refused: 0, evidence: { link: 0, safe: 0, mark: 0, inferred: 0 } };
    counts.set(key, count);
    count[event.outcome] += 1;
    for (const kind of event.evidence) count.evidence[kind] += 1;
  }
  return [...counts.values()];
}
