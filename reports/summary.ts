import { milliseconds, pointsOf, stepCounts, stepKey } from './gather.js';
import type { PointReport, StepCount } from './gather.js';
import { conclusionLines, conclusionOf, matrixHead, matrixOf, matrixRow, pathCoverageOf, pathLines } from './matrix.js';
import type { CompleteRecord, CoverageEvent, RecordVerdict, ShortageEvent } from './types.js';

/** A step the catalogue has, for the table of evidence; the bench takes them from the scenarios' catalogue. */
export interface CatalogueStep {
  /** Absent: the backup system. */
  readonly system?: string;
  readonly embodiment: number;
  readonly phase: string;
  readonly step: string;
}

/** How a summary is drawn. */
export interface SummaryOptions {
  /** ANSI colours; the caller honours NO_COLOR. Default off. */
  readonly colour?: boolean;
  /** Every step that should occur; those never seen are shown as `never`. Default: only steps that occur. */
  readonly catalogue?: readonly CatalogueStep[];
  /** Only points that did not pass in the table of points. Default false. */
  readonly brief?: boolean;
}

type Paint = (text: string, verdict: RecordVerdict | 'none') => string;

const colours: Readonly<Record<RecordVerdict | 'none', string>> = {
  pass: '32', fail: '31', invalid: '35', aborted: '35', unsupported: '33', none: '2',
};

const painter = (on: boolean): Paint => (text, verdict) => (on ? `\u001b[${colours[verdict]}m${text}\u001b[0m` : text);

/** Lines of a table with aligned columns; those whose title begins with `>` are numbers and stand at the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const right = head.map((title) => title.startsWith('>'));
  const titles = head.map((title) => title.replace(/^>/, ''));
  const widths = titles.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at].length)));
  const line = (row: readonly string[]): string => row.map((cell, at) => (right[at] ? cell.padStart(widths[at]) : cell.padEnd(widths[at]))).join('  ').trimEnd();
  return [line(titles), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)];
}

const number = (value: number | undefined): string => (value === undefined ? '-' : String(value));

function pointRow(point: PointReport, coreHz: number): string[] {
  const { usage, verdict, steps, shortages } = point;
  return [
    point.id, verdict?.verdict ?? 'broken off', String(steps.length), number(usage?.cycles),
    usage ? milliseconds(usage.cycles, coreHz).toFixed(3) : '-', number(usage?.eepromBytes), number(usage?.eepromPages), number(usage?.ram),
    number(usage?.stack), shortages.length === 0 ? '-' : String(shortages.length), [...verdict?.flags ?? []].join(', ') || '-',
  ];
}

const pointHead = ['point', 'verdict', '>steps', '>cycles', '>ms', '>EEPROM B', '>pages', '>RAM B', '>stack B', '>shortages', 'flags'];

/** The table of points; verdicts are painted after the widths are known. */
function pointTable(points: readonly PointReport[], coreHz: number, paint: Paint): string[] {
  const [head, rule, ...rows] = table(pointHead, points.map((point) => pointRow(point, coreHz)));
  return [head, rule, ...rows.map((row, at) => {
    const verdict = points[at].verdict?.verdict;
    return row.replace(/ (pass|fail|invalid|aborted|unsupported|broken off) /, (word) => paint(word, verdict ?? 'aborted'));
  })];
}

function problem(point: PointReport, paint: Paint): string[] {
  const { verdict, start, violations } = point;
  if (!verdict) return [`${paint('BROKEN OFF', 'aborted')} ${point.id}`];
  const step = verdict.step === undefined ? '' : ` at step ${verdict.step}`;
  return [
    `${paint(verdict.verdict.toUpperCase(), verdict.verdict)} ${point.id}${step}: ${start?.title ?? ''}`,
    ...verdict.reasons.map((reason) => `  ${reason}`),
    ...violations.map(({ code, text, symbol }) => `  violation ${code}${symbol === undefined ? '' : ` in ${symbol}`}: ${text}`),
    `  clause: ${verdict.clause}`, `  replay: ${verdict.replay}`,
  ];
}

function shortageLine(point: string, { step, needed, free, holders, sw, did, lost }: ShortageEvent): string {
  const who = holders.map(({ name, bytes }) => `${name} ${bytes} B`).join(', ') || 'nobody named';
  return `${point}${step === undefined ? '' : ` at ${step}`}: ${needed} B needed, ${free} B free; the rest is held by ${who}; ${sw}; the firmware ${did}; ${lost ? 'SOMETHING WAS LOST' : 'nothing was lost'}`;
}

/** One campaign's coverage of a point in words. */
function coverageLines({ point, seed, cycles, intervals, skipped, images, weakImages, cases, paths, classes, worst, second }: CoverageEvent, coreHz: number): string[] {
  const held = Object.entries(classes).filter(([, count]) => count > 0).map(([name, count]) => `${name} ${count}`).join(', ');
  const { pages, cycles: longest, retries, atrEarly, atrLate } = worst;
  return [
    `${point}, seed ${seed}: ${cycles} cycles in ${intervals} intervals leave ${images} memories, ${weakImages} with weak cells; ${cases} cases, ${paths} ways run`,
    ...skipped === 0 ? [] : [`  ${skipped} intervals were not judged any more: enough had failed`],
    `  after the first boot: ${held}`,
    `  worst recovery: ${pages.value} page writes (${pages.case}), ${longest.value} cycles = ${milliseconds(longest.value, coreHz).toFixed(2)} ms (${longest.case}), ${retries.value} attempts`,
    `  ATR ${atrEarly.value} to ${atrLate.value} clocks after reset, 400 to 40000 are permitted`,
    ...second === undefined ? [] : [`  second cut: ${second.pairs} pairs, ${second.images} memories, ${second.cases} cases, ${second.paths} ways run`],
  ];
}

function evidenceRows(counts: readonly StepCount[], catalogue: readonly CatalogueStep[] | undefined, paint: Paint): string[] {
  const seen = new Map(counts.map((count) => [stepKey(count), count]));
  const wanted = catalogue ?? counts;
  const rows = wanted.map((entry) => {
    const count = seen.get(stepKey(entry));
    const cells = count ? [count.evidence.link, count.evidence.safe, count.evidence.mark, count.evidence.inferred, count.done, count.refused].map(String) : ['-', '-', '-', '-', 'never', '-'];
    return [stepKey(entry).slice(0, -entry.step.length - 1), entry.step, ...cells];
  });
  return table(['scenario', 'step', '>link', '>safe', '>mark', '>inferred', '>done', '>refused'], rows)
    .map((row) => row.replace('never', (word) => paint(word, 'fail')));
}

/** Matrix of steps and claims; brief: only rows that are not shown. */
function matrixLines(record: CompleteRecord, brief: boolean, paint: Paint): string[] {
  const rows = matrixOf(record).filter(({ verdict }) => !brief || verdict !== 'pass');
  if (rows.length === 0) return [];
  return table(matrixHead, rows.map(matrixRow))
    .map((row) => row.replace(/ (no evidence|fail) /, (word) => paint(word, 'fail')));
}

function conclusion(record: CompleteRecord, paint: Paint): string[] {
  const end = conclusionOf(record);
  return end ? conclusionLines(end).map((line) => line.replace(/^(NOT )?CERTIFIED$/, (word) => paint(word, end.certified ? 'pass' : 'fail'))) : [];
}

/** Sizes of the firmware, and the most that points have used; nothing where neither is known. */
function sizeLine({ firmware: { codeBytes, staticRamBytes } }: CompleteRecord['header'], points: readonly PointReport[]): string[] {
  const most = (of: 'ram' | 'stack'): number => points.reduce((sum, { usage }) => Math.max(sum, usage?.[of] ?? 0), 0);
  const parts = [
    ...codeBytes === undefined ? [] : [`${codeBytes} B of code`], ...staticRamBytes === undefined ? [] : [`${staticRamBytes} B of static RAM`],
    ...most('ram') === 0 ? [] : [`at most ${most('ram')} B of RAM and ${most('stack')} B of stack used in a point`],
  ];
  return parts.length > 0 ? [`size: ${parts.join(', ')}`] : [];
}

function headLines(record: CompleteRecord, points: readonly PointReport[], paint: Paint): string[] {
  const { header, end: { counts } } = record;
  const kinds: readonly RecordVerdict[] = ['pass', 'fail', 'invalid', 'aborted', 'unsupported'];
  return [
    `cardbench ${header.tool}, plan ${header.plan}, seed ${header.seed}, ${header.protocol}`,
    `firmware ${header.firmware.image} (SHA-256 ${header.firmware.sha256}), chip ${header.chip.profile}, ${header.chip.coreHz} Hz`,
    ...sizeLine(header, points),
    kinds.map((kind) => (counts[kind] > 0 ? paint(`${counts[kind]} ${kind}`, kind) : `0 ${kind}`)).join(', '),
  ];
}

/** Readable summary of a record: points, what did not pass with its replay line, shortages, flags, evidence of steps. */
export function summary(record: CompleteRecord, options: SummaryOptions = {}): string {
  const paint = painter(options.colour === true);
  const points = pointsOf(record);
  const open = points.filter(({ verdict }) => verdict?.verdict !== 'pass');
  const bad = open.filter(({ verdict }) => verdict?.verdict !== 'unsupported');
  const skipped = open.filter(({ verdict }) => verdict?.verdict === 'unsupported');
  const shown = options.brief ? open : points;
  const shortages = points.flatMap(({ id, shortages: list }) => list.map((shortage) => shortageLine(id, shortage)));
  const flagged = new Map<string, number>();
  for (const flag of points.flatMap(({ verdict }) => verdict?.flags ?? [])) flagged.set(flag, (flagged.get(flag) ?? 0) + 1);
  const evidence = stepCounts(record);
  const section = (title: string, lines: readonly string[]): string[] => (lines.length > 0 ? ['', title, ...lines] : []);
  return [
    ...headLines(record, points, paint),
    ...section('Points', shown.length > 0 ? pointTable(shown, record.header.chip.coreHz, paint) : []),
    ...section('Not passed', bad.flatMap((point) => problem(point, paint))),
    ...section('Not supported', skipped.map(({ id, verdict }) => `${id}: ${verdict?.reasons.join('; ') ?? ''}`)),
    ...section('Coverage', points.flatMap(({ coverage }) => coverage.flatMap((one) => coverageLines(one, record.header.chip.coreHz)))),
    ...section('Shortages', shortages),
    ...section('Flags', [...flagged].map(([flag, count]) => `${flag}: ${count} point${count === 1 ? '' : 's'}`)),
    ...section('Evidence of steps', evidence.length > 0 || options.catalogue ? evidenceRows(evidence, options.catalogue, paint) : []),
    ...section('Paths', pathCoverageOf(record).flatMap(pathLines)),
    ...section('Steps and claims', matrixLines(record, options.brief === true, paint)),
    ...section('Conclusion', conclusion(record, paint)),
    '',
  ].join('\n');
}
