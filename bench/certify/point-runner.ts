import type { PointRelatedEvent, RecordVerdict } from '../../reports/index.js';
import { clauseText } from '../../scenarios/index.js';
import type { Capability, ListedPoint, SystemName } from '../../scenarios/index.js';
import type { WorldFactory } from './factory.js';
import type { CertifyOptions } from './options.js';

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

/** First event of a point. */
export function pointEvent(point: ListedPoint): PointRelatedEvent {
  const { id, scenario, title, needs } = point;
  return { type: 'point', point: id, scenario, title, clause: clauseText(point), needs, cycle: 0 };
}

/** Last event of a point. */
export function verdictEvent(
  point: ListedPoint, judged: { readonly verdict: RecordVerdict; readonly reasons: readonly string[]; readonly step?: string },
  { cycle = 0, replay = '' }: { readonly cycle?: number; readonly replay?: string } = {},
): PointRelatedEvent {
  const { verdict, reasons, step } = judged;
  return {
    type: 'verdict', point: point.id, verdict, cycle, clause: clauseText(point), reasons, flags: point.flags, replay, ...step !== undefined && { step },
  };
}
