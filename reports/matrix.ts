import type { CompleteRecord, ConclusionEvent, MatrixEvent, PathCoverageEvent } from './types.js';

/** The matrix of a record, in the order in which it was written; empty when the run made none. */
export const matrixOf = ({ events }: Pick<CompleteRecord, 'events'>): readonly MatrixEvent[] =>
  events.flatMap((event) => (event.type === 'matrix' ? [event] : []));

/** What the matrix of a record comes to; undefined when the run made none. */
export const conclusionOf = ({ events }: Pick<CompleteRecord, 'events'>): ConclusionEvent | undefined =>
  events.find((event): event is ConclusionEvent => event.type === 'conclusion');

const marks = ({ reconstructed, claimed }: MatrixEvent): string =>
  [...reconstructed ? ['reconstructed'] : [], ...claimed ? [] : ['not claimed']].join(', ') || '-';

/** First point of a list and how many more there are. */
function pointsText(points: readonly string[]): string {
  if (points.length === 0) return '-';
  return points.length === 1 ? points[0] : `${points[0]} and ${points.length - 1} more`;
}

/** Head of the table of rows. */
export const matrixHead: readonly string[] = ['what', 'verdict', 'evidence', 'scenarios', 'points', 'not passed', 'remarks', 'text'];

/** One row of the table. */
export function matrixRow(entry: MatrixEvent): string[] {
  const { row, id, verdict, evidence, scenarios, points, failed, text } = entry;
  const name = row === 'claim' ? `claim ${id}` : id;
  return [name, verdict, evidence.join(', ') || '-', scenarios.join(', ') || '-', pointsText(points), pointsText(failed), marks(entry), text];
}

/** The conclusion as lines: what is shown of what, and what is missing. */
export function conclusionLines({ statement, certified, steps, states, claims, reasons }: ConclusionEvent): readonly string[] {
  const share = ({ shown, all }: ConclusionEvent['steps']): string => `${shown} of ${all}`;
  return [
    `${share(steps)} step ids, ${share(states)} named states, ${share(claims)} claims with evidence (${statement})`,
    ...certified ? ['CERTIFIED'] : ['NOT CERTIFIED', ...reasons.map((reason) => `  ${reason}`)],
  ];
}

/** Coverage of the machines' transitions in a record; empty when the run took no paths. */
export const pathCoverageOf = ({ events }: Pick<CompleteRecord, 'events'>): readonly PathCoverageEvent[] =>
  events.flatMap((event) => (event.type === 'paths' ? [event] : []));

/** Coverage of one machine as lines: the count, then what is open by reason. */
export function pathLines({ scenario, transitions, taken, open }: PathCoverageEvent): readonly string[] {
  const reasons = [...new Set(open.map(({ why }) => why))];
  return [
    `${scenario}: ${taken} of ${transitions} transitions taken`,
    ...reasons.map((why) => {
      const names = open.flatMap((one) => (one.why === why ? [one.transition] : []));
      return `  ${names.length} ${why}: ${names.join(', ')}`;
    }),
  ];
}
