import { ReportError } from './errors.js';
import { RECORD_VERSION } from './types.js';
import type { CompleteRecord, EndEvent, RecordEvent, RecordHeader, RecordLine, RecordVerdict } from './types.js';

/** Keys that come first in every line, in this order; all others follow in alphabetical order. */
const leading = ['type', 'format', 'version', 'point', 'cycle'];

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as Readonly<Record<string, unknown>>;
  const rank = (key: string): number => (leading.includes(key) ? leading.indexOf(key) : leading.length);
  const keys = Object.keys(fields).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return Object.fromEntries(keys.filter((key) => fields[key] !== undefined).map((key) => [key, ordered(fields[key])]));
}

/** One line of a record without its line feed; keys in a fixed order, so that equal events give equal bytes. */
export const lineOf = (line: RecordLine): string => JSON.stringify(ordered(line));

/** Names under which nothing may be recorded: a last guard behind redaction. */
const forbidden = ['pin', 'privateKey', 'secretKey', 'key', 'seedKey'];

function guard(value: unknown, path: string): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (forbidden.includes(name))
      throw new ReportError('RECORD_SECRET', `${path} has a field ${name}, which may hold a secret`, 'Nothing was written; leave it out or redact it');
    guard(inner, `${path}.${name}`);
  }
}

/** Takes events and gives lines. */
export interface RecordWriter {
  /** @throws ReportError `RECORD_SECRET`, `RECORD_ORDER` after the end */
  write(event: RecordEvent): void;
  /** Writes the last line, without which a record counts as truncated. @throws ReportError `RECORD_ORDER` when called twice */
  end(): void;
}

/**
 * Writes a record line by line; the header is written at once.
 * @param sink is given each line with its line feed
 * @example const writer = recordWriter(header, (line) => { text += line; });
 */
export function recordWriter(header: Omit<RecordHeader, 'type' | 'format' | 'version'>, sink: (line: string) => void): RecordWriter {
  const counts: Record<RecordVerdict, number> = { pass: 0, fail: 0, invalid: 0, aborted: 0, unsupported: 0 };
  let lines = 0;
  let ended = false;
  const put = (line: RecordLine): void => {
    if (ended) throw new ReportError('RECORD_ORDER', `a ${line.type} came after the end`, 'The record up to its end is whole; begin another');
    guard(line, line.type);
    sink(`${lineOf(line)}\n`);
    lines += 1;
  };
  put({ type: 'header', format: 'cardbench-record', version: RECORD_VERSION, ...header });
  return {
    write(event) {
      put(event);
      if (event.type === 'verdict') counts[event.verdict] += 1;
    },
    end() {
      put({ type: 'end', lines, counts });
      ended = true;
    },
  };
}

/** A whole record as text. */
export function writeRecord(header: Omit<RecordHeader, 'type' | 'format' | 'version'>, events: readonly RecordEvent[]): string {
  const lines: string[] = [];
  const writer = recordWriter(header, (line) => { lines.push(line); });
  for (const event of events) writer.write(event);
  writer.end();
  return lines.join('');
}

/** Fields every event of a type must have with their kinds; what a reader may rely on. Table. */
const required: Readonly<Record<RecordLine['type'], Readonly<Record<string, 'string' | 'number' | 'boolean' | 'object'>>>> = {
  header: { format: 'string', version: 'number', tool: 'string', firmware: 'object', chip: 'object', seed: 'number', protocol: 'string', plan: 'string' },
  point: { point: 'string', scenario: 'string', title: 'string', clause: 'string', needs: 'object', cycle: 'number' },
  step: { point: 'string', embodiment: 'number', phase: 'string', step: 'string', evidence: 'object', outcome: 'string' },
  apdu: { point: 'string', cycle: 'number', cycles: 'number', protocol: 'string', command: 'string', answer: 'string' },
  safe: { point: 'string', cycle: 'number', cycles: 'number', safe: 'string', operation: 'string', status: 'number' },
  fault: { point: 'string', fault: 'string', applied: 'boolean', text: 'string' },
  violation: { point: 'string', cycle: 'number', code: 'string', pc: 'number', text: 'string' },
  finding: { point: 'string', invariant: 'string', text: 'string' },
  shortage: { point: 'string', needed: 'number', free: 'number', holders: 'object', sw: 'string', did: 'string', lost: 'boolean' },
  level: { point: 'string', part: 'string', before: 'string', condition: 'string', outcome: 'string', holders: 'object', did: 'string', case: 'string' },
  usage: { point: 'string', cycles: 'number', eepromPages: 'number' },
  timing: { point: 'string', what: 'string', cycles: 'number' },
  coverage: { point: 'string', seed: 'number', cycles: 'number', intervals: 'number', skipped: 'number', images: 'number', cases: 'number', paths: 'number', classes: 'object', worst: 'object' },
  verdict: { point: 'string', verdict: 'string', cycle: 'number', clause: 'string', reasons: 'object', flags: 'object', replay: 'string' },
  matrix: { row: 'string', id: 'string', text: 'string', scenarios: 'object', evidence: 'object', points: 'object', failed: 'object', verdict: 'string', reconstructed: 'boolean', claimed: 'boolean' },
  path: { point: 'string', scenario: 'string', took: 'object' },
  paths: { scenario: 'string', transitions: 'number', taken: 'number', open: 'object' },
  conclusion: { statement: 'string', certified: 'boolean', steps: 'object', states: 'object', claims: 'object', reasons: 'object' },
  end: { lines: 'number', counts: 'object' },
};

const corrupt = (line: number, what: string): ReportError =>
  new ReportError('RECORD_CORRUPT', `line ${line}: ${what}`, 'The lines before it are good; run the points again to replace it', line);

function parseLine(text: string, line: number): RecordLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw corrupt(line, 'no JSON');
  }
  if (typeof value !== 'object' || value === null) throw corrupt(line, 'no object');
  const fields = value as Readonly<Record<string, unknown>>;
  const { type } = fields;
  if (typeof type !== 'string' || !Object.hasOwn(required, type)) throw corrupt(line, `unknown type ${String(type)}`);
  for (const [name, kind] of Object.entries(required[type as RecordLine['type']]))
    if (typeof fields[name] !== kind || fields[name] === null) throw corrupt(line, `${type} lacks ${name} (${kind})`);
  return value as RecordLine;
}

function checkHeader(line: RecordLine): asserts line is RecordHeader {
  if (line.type !== 'header' || line.format !== 'cardbench-record')
    throw new ReportError('RECORD_NO_HEADER', `the first line is a ${line.type}, expected the header of a cardbench record`, 'Nothing was read; give a record.jsonl', 1);
  if (line.version !== RECORD_VERSION)
    throw new ReportError('RECORD_VERSION', `the record has version ${line.version}, this cardbench reads ${RECORD_VERSION}`, 'Nothing was read; use the cardbench that wrote it', 1);
}

/**
 * Reads a record as a stream, from chunks cut anywhere, yielding line by line: header, events, end.
 * @throws ReportError `RECORD_NO_HEADER`, `RECORD_VERSION`, `RECORD_CORRUPT`, `RECORD_ORDER`, `RECORD_TRUNCATED`; all
 * lines yielded before are good
 */
export async function* readRecord(chunks: AsyncIterable<string> | Iterable<string>): AsyncGenerator<RecordLine> {
  let rest = '';
  const check = lineChecker();
  for await (const chunk of chunks) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) yield check.take(part);
  }
  check.finish(rest);
}

/** Checks lines in order; common to both readers. */
function lineChecker(): { take(text: string): RecordLine; finish(rest: string): void } {
  let lines = 0;
  let ended = false;
  return {
    take(text) {
      if (ended) throw new ReportError('RECORD_ORDER', `line ${lines + 1} comes after the end`, 'The record up to its end is whole', lines + 1);
      const line = parseLine(text, lines + 1);
      if (lines === 0) checkHeader(line);
      else if (line.type === 'header') throw new ReportError('RECORD_ORDER', `line ${lines + 1} is a second header`, 'The lines before it are good', lines + 1);
      if (line.type === 'end') {
        if (line.lines !== lines) throw corrupt(lines + 1, `the end counts ${line.lines} lines, there are ${lines}`);
        ended = true;
      }
      lines += 1;
      return line;
    },
    finish(rest) {
      if (ended && rest === '') return;
      if (ended) throw new ReportError('RECORD_ORDER', 'there are bytes after the end', 'The record up to its end is whole', lines + 1);
      throw new ReportError('RECORD_TRUNCATED', `the record stops after ${lines} whole lines without its end`, 'Those lines are good; the run was interrupted, go on with --resume', lines);
    },
  };
}

/**
 * Reads a whole record from text.
 * @throws ReportError as {@link readRecord}
 */
export function parseRecord(text: string): CompleteRecord {
  const check = lineChecker();
  const parts = text.split('\n');
  const rest = parts.pop() ?? '';
  const lines = parts.map((part) => check.take(part));
  check.finish(rest);
  const [header, ...others] = lines as [RecordHeader, ...RecordLine[]];
  return { header, events: others.slice(0, -1) as RecordEvent[], end: others[others.length - 1] as EndEvent };
}
