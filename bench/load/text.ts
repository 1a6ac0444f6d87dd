import type { Growth, LoadRow } from './figures.js';
import type { KillRound } from './kills.js';
import type { LoadResult } from './run.js';

const heads = ['certificates', 'registered/s', 'p50 ms', 'p99 ms', 'lookup p50 us', 'p99 us', 'retrieve p50 ms', 'p99 ms', 'depth', 'store bytes', 'bytes each'];

const cells = ({ certificates, perSecond, register, lookup, retrieve, depth, bytes }: LoadRow): string[] => [
  String(certificates), perSecond.toFixed(0), register.p50.toFixed(1), register.p99.toFixed(1), lookup.p50.toFixed(1), lookup.p99.toFixed(1),
  retrieve.p50.toFixed(2), retrieve.p99.toFixed(2), String(depth), String(bytes), (bytes / certificates).toFixed(0),
];

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, column) => cell.padStart(widths[column])).join('  '));
}

const growthLine = ({ from, to, factor, allowed }: Growth): string =>
  `lookup p50 from ${from} to ${to}: ${(to / from).toFixed(0)} times the certificates, ${factor.toFixed(2)} times the time; `
  + `O(log n) allows ${allowed.toFixed(2)}: ${factor <= allowed ? 'pass' : 'fail'}`;

const killLine = ({ sent, acknowledged, broken }: KillRound, at: number): string =>
  `kill ${at + 1}: ${sent} sent, ${acknowledged} acknowledged, ${broken} broken off${broken > 0 ? '' : ': invalid, nothing was in flight any more'}`;

/** A load test's result for reading. */
export function loadText({ rows, growth, kills, records, defects, verdict }: LoadResult): string {
  const shown = defects.slice(0, 20).map((text) => `defect: ${text}`);
  const more = defects.length > shown.length ? [`and ${defects.length - shown.length} more`] : [];
  const end = defects.length === 0
    ? `${records} records: each as acknowledged, counters 1 to ${records} without gap or repeat` : `${records} records`;
  return [...(rows.length > 0 ? table([heads, ...rows.map(cells)]) : []), ...growth.map(growthLine), ...kills.map(killLine), end, ...shown, ...more, verdict].join('\n');
}
