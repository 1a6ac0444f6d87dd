import type { PointRelatedEvent, RecordVerdict } from '../../reports/index.js';
import { clauseText } from '../../scenarios/index.js';
import type { ListedPoint } from '../../scenarios/index.js';

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
