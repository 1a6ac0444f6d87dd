import { tearPoints } from '../tear/index.js';
import type { TearPoint } from '../tear/index.js';
import { BenchError } from '../world/errors.js';

/** A phase that is disturbed: prepared and run as the point of the power cuts with the letter Z. */
export type DisturbPoint = TearPoint;

/** Phases of the power cuts, under ids of their own: `2-backup-D-01`. */
export const disturbPoints: readonly DisturbPoint[] = tearPoints.map((point) => (
  { ...point, id: point.id.replace('-Z-', '-D-'), title: point.title.replace('power cut', 'disturbance') }
));

/** A point by its id. @throws BenchError BENCH_USAGE */
export function disturbPoint(id: string): DisturbPoint {
  const found = disturbPoints.find((point) => point.id === id);
  if (found) return found;
  throw new BenchError('BENCH_USAGE', `there is no point ${id}; there are ${disturbPoints.map((point) => point.id).join(', ')}`, 'nothing was run');
}
