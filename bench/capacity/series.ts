import type { Boundary } from '../../scenarios/index.js';
import { runLevel } from './levels.js';
import { needAhead } from './stage.js';
import type { Stages } from './stage.js';
import type { CapacityRow, RoomLevel } from './types.js';

/** How free room is laid out: pages in one run, pages in runs of each length up to the need, index entries. */
export const shapes = ['whole', 'split', 'entries'] as const;

/** See {@link shapes}. */
export type Shape = (typeof shapes)[number];

/** A series ends when it has gone through from so many successive levels. */
const enough = 2;

/** Levels of one series, from none upward; the last one that may be asked for. */
interface Series {
  readonly first: number;
  readonly last: number;
  readonly level: (at: number) => RoomLevel;
}

/** The series of a shape for a need in pages and entries: beyond twice the need and a page nothing new is expected. */
export function seriesOf(shape: Shape, need: { readonly pages: number; readonly entries: number }): readonly Series[] {
  const last = 2 * need.pages + 2;
  if (shape === 'entries') return [{ first: 0, last: 2 * need.entries + 2, level: (entries) => ({ entries }) }];
  if (shape === 'whole') return [{ first: 0, last, level: (pages) => ({ pages, run: pages }) }];
  return Array.from({ length: Math.max(need.pages, 1) }, (_, at) => at + 1)
    .map((run) => ({ first: run + 1, last: Math.max(2 * need.pages + 1, run + 2), level: (pages) => ({ pages, run }) }));
}

/** Starts the subject at a place from every level of a shape, each series until it has gone through from two levels in a row. */
export async function runSeries(stages: Stages, at: Boundary, shape: Shape, tell: (done: number, total: number) => void): Promise<readonly CapacityRow[]> {
  const need = needAhead(await stages.needs(), at) ?? { pages: 0, entries: 0 };
  const series = seriesOf(shape, need);
  const total = series.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const rows: CapacityRow[] = [];
  let past = 0;
  for (const { first, last, level } of series) {
    let through = 0;
    for (let step = first; step <= last && through < enough; step += 1) {
      const row = await runLevel(stages, { at, level: level(step) });
      rows.push(row);
      through = row.outcome === 'done' ? through + 1 : 0;
      tell(past + step - first + 1, total);
    }
    past += last - first + 1;
  }
  return rows;
}
