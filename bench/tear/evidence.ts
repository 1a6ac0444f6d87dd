import type { WorldFactory } from '../certify/factory.js';
import { CutJudge } from './cut-judge.js';
import { Exhaust, partsOf } from './exhaust.js';
import type { Timeline } from './timeline.js';

/**
 * The intervals of a timeline as CSV, in order and without gaps: first cycle, the one after the last, why it begins
 * there (`cell` within an operation where the span's own cause is past), operation and page under way, number of the
 * last state at rest, last step mark, digest of what a cut leaves, digest of both safes.
 */
export function intervalTable(factory: WorldFactory, timeline: Timeline): string {
  const exhaust = new Exhaust(factory, timeline);
  const judge = new CutJudge(factory, timeline);
  const rows = partsOf(timeline).flatMap((part) => exhaust.intervals(part)).map(({ span, from, to }) => {
    const page = span.operation === undefined ? '' : String(timeline.operations[span.operation].page);
    const image = exhaust.imageOf(span, from);
    return {
      from, line: [
        from, to, from === span.from ? span.cause : 'cell', span.operation ?? '', page, span.before, span.step ?? '', judge.digest(image),
        span.safes.split(' ').map((print) => print.slice(0, 16)).join('-'),
      ].join(','),
    };
  });
  rows.sort((a, b) => a.from - b.from);
  return ['from,to,cause,operation,page,state,step,memory,safes', ...rows.map(({ line }) => line), ''].join('\n');
}
