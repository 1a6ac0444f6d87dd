import { milliseconds, pointsOf } from './gather.js';
import type { PointReport } from './gather.js';
import { conclusionOf, matrixOf, pathCoverageOf } from './matrix.js';
import type { CompleteRecord, RecordHeader } from './types.js';

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** Text made safe for XML 1.0 content and attributes; characters that XML cannot hold become U+FFFD. */
export const xmlText = (text: string): string =>
  text.replace(/[&<>"']/g, (char) => entities[char])
    // eslint-disable-next-line no-control-regex -- exactly the characters XML 1.0 excludes
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
    .replace(/[\t\n\r]/g, (char) => `&#${char.charCodeAt(0)};`);

const attributes = (fields: Readonly<Record<string, string | number>>): string =>
  Object.entries(fields).map(([name, value]) => ` ${name}="${xmlText(String(value))}"`).join('');

const properties = (list: readonly (readonly [string, string | number])[], indent: string): string =>
  `${indent}<properties>\n${list.map(([name, value]) => `${indent}  <property${attributes({ name, value })}/>\n`).join('')}${indent}</properties>\n`;

/** Matrix and conclusion as properties of the run; none when it made no matrix. */
function matrixProperties(record: CompleteRecord): (readonly [string, string])[] {
  const end = conclusionOf(record);
  const rows = matrixOf(record).map(({ row, id, verdict, evidence, points, reconstructed, claimed }): readonly [string, string] => [
    `${row}.${id}`, [verdict, ...evidence, `${points.length} points`, ...reconstructed ? ['reconstructed'] : [], ...claimed ? [] : ['not claimed']].join(', '),
  ]);
  return end ? [['statement', end.statement], ['conclusion', end.certified ? 'certified' : 'not certified'], ...rows] : rows;
}

function runProperties(header: RecordHeader, record: CompleteRecord): string {
  return properties([
    ['seed', header.seed], ['firmware', header.firmware.image], ['firmware.sha256', header.firmware.sha256], ['chip', header.chip.profile],
    ['chip.overrides.sha256', header.chip.overrides], ['protocol', header.protocol], ['plan', header.plan], ['tool', header.tool],
    ...pathCoverageOf(record).map(({ scenario, taken, transitions }) => [`transitions.${scenario}`, `${taken} of ${transitions}`] as const), ...matrixProperties(record),
  ], '    ');
}

const seconds = (point: PointReport, coreHz: number): string => (milliseconds(point.usage?.cycles ?? 0, coreHz) / 1000).toFixed(6);

/** What stands inside a test case: nothing on pass. */
function outcome({ verdict }: PointReport): string {
  if (!verdict) return '      <error message="the run broke off within this point" type="aborted"/>\n';
  const { reasons, clause, step, sw, cause, replay } = verdict;
  const message = reasons.join('; ');
  if (verdict.verdict === 'pass') return '';
  if (verdict.verdict === 'unsupported') return `      <skipped${attributes({ message })}/>\n`;
  const facts = [...step === undefined ? [] : [`step ${step}`], ...cause === undefined ? [] : [`ended in ${cause}`], ...sw === undefined ? [] : [`status ${sw}`]];
  const body = [...reasons, ...facts, `clause: ${clause}`, `replay: ${replay}`].map(xmlText).join('\n');
  const tag = verdict.verdict === 'fail' ? 'failure' : 'error';
  return `      <${tag}${attributes({ message, type: verdict.verdict })}>${body}</${tag}>\n`;
}

function testCase(point: PointReport, coreHz: number): string {
  const { start, verdict, usage } = point;
  const list: (readonly [string, string | number])[] = [
    ['title', start?.title ?? ''], ['clause', start?.clause ?? verdict?.clause ?? ''], ['needs', (start?.needs ?? []).join(', ')],
    ...usage ? [['cycles', usage.cycles] as const] : [], ...(verdict?.flags ?? []).map((flag) => ['flag', flag] as const),
  ];
  const head = attributes({ classname: start?.scenario ?? 'unknown', name: point.id, time: seconds(point, coreHz) });
  return `    <testcase${head}>\n${properties(list, '      ')}${outcome(point)}    </testcase>\n`;
}

/**
 * JUnit XML of a record: one test case for each plan point, classname = scenario; unsupported points are skipped with
 * their reason, invalid and aborted ones are errors. Times are card time in seconds.
 */
export function junit(record: CompleteRecord): string {
  const points = pointsOf(record);
  const count = (...verdicts: readonly string[]): number => points.filter(({ verdict }) => verdicts.includes(verdict?.verdict ?? 'broken')).length;
  const total = points.reduce((sum, { usage }) => sum + (usage?.cycles ?? 0), 0);
  const counts = {
    tests: points.length, failures: count('fail'), errors: count('invalid', 'aborted', 'broken'), skipped: count('unsupported'),
    time: (milliseconds(total, record.header.chip.coreHz) / 1000).toFixed(6),
  };
  const cases = points.map((point) => testCase(point, record.header.chip.coreHz)).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${attributes({ name: 'cardbench', ...counts })}>\n`
    + `  <testsuite${attributes({ name: record.header.plan, ...counts })}>\n${runProperties(record.header, record)}${cases}  </testsuite>\n</testsuites>\n`;
}
