import { cutsSection } from './cuts.js';
import { enginesSection } from './engines.js';
import type { Row, Section } from './measure.js';
import { snapshotsSection } from './snapshots.js';
import { translationSection } from './translation.js';

/** All sections, in the order of the table; `--only NAME` runs one. */
const SECTIONS: readonly Section[] = [enginesSection, translationSection, snapshotsSection, cutsSection];

const NOTE = [
  'One source, one compiler call per image; rp2040js gets the copy linked for its flash at 0x10000000.',
  'The copy for the card peripherals also starts SysTick (an interrupt every 30,000 cycles).',
  'Speeds: instructions per second of CPU time, medians of alternating rounds; rp2040js runs its bare instruction loop;',
  'programs outside run two lengths of the same image, so that their start-up cancels. Read ratios within one run.',
].join('\n');

function value(row: Row): string {
  if (row.value === undefined) return '-';
  return row.value.toFixed(row.value < 10 ? 2 : row.value < 100 ? 1 : 0);
}

function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => [row.section, row.subject, row.what, value(row), row.unit, row.note ?? '']);
  const widths = [0, 1, 2, 3, 4].map((k) => Math.max(...cells.map((line) => line[k].length)));
  return cells.map((line) => line.map((cell, k) => (k === 3 ? cell.padStart(widths[k]) : cell.padEnd(widths[k] ?? 0))).join('  ').trimEnd()).join('\n');
}

const only = process.argv[process.argv.indexOf('--only') + 1];
const chosen = SECTIONS.filter(({ name }) => !process.argv.includes('--only') || name === only);
if (chosen.length === 0) {
  process.stderr.write(`no section '${only}', there are ${SECTIONS.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}
const rows: Row[] = [];
for (const section of chosen) rows.push(...(await section.run((text) => process.stderr.write(`measuring ${text}\n`))));
process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify({ note: NOTE, rows })}\n` : `${table(rows)}\n${NOTE}\n`);
