import { describe, expect, test } from 'vitest';
import { ReportError } from './errors.js';
import { pointsOf, stepCounts } from './gather.js';
import { junit, xmlText } from './junit.js';
import { lineOf, parseRecord, readRecord, recordWriter, writeRecord } from './record.js';
import { redactAnswer, redactCommand } from './redact.js';
import { summary } from './summary.js';
import type { RecordEvent, RecordHeader, RecordLine } from './types.js';

const header: Omit<RecordHeader, 'type' | 'format' | 'version'> = {
  tool: '0.1.0', firmware: { image: 'card.elf', sha256: 'ab'.repeat(32), codeBytes: 60_000, staticRamBytes: 500 }, chip: { profile: 'c2010', overrides: 'cd'.repeat(32), coreHz: 1_000_000 },
  seed: 7, protocol: 'T=1', plan: 'backup-1-2/1',
};

const point = (id: string, cycle: number, scenario = '2/backup'): RecordEvent =>
  ({ type: 'point', point: id, scenario, title: `title of ${id}`, clause: 'steps 1-13', needs: ['embodiment-2'], cycle });
const verdict = (id: string, kind: 'pass' | 'fail' | 'invalid' | 'aborted' | 'unsupported', more: object = {}): RecordEvent => ({
  type: 'verdict', point: id, verdict: kind, cycle: 900, clause: 'steps 1-13', reasons: kind === 'pass' ? [] : [`why ${kind} <&>`], flags: [], replay: `cardbench replay X-${id}`, ...more,
});

const events: RecordEvent[] = [
  point('A', 0),
  { type: 'step', point: 'A', embodiment: 2, phase: 'backup', step: '1-1', evidence: ['link', 'mark'], outcome: 'done', cycle: 10 },
  { type: 'step', point: 'A', embodiment: 2, phase: 'backup', step: '1-2', evidence: ['mark'], outcome: 'done', cycle: 20 },
  { type: 'apdu', point: 'A', cycle: 5, cycles: 30, protocol: 'T=1', command: '8010020000', answer: '9000' },
  { type: 'safe', point: 'A', cycle: 50, cycles: 1, safe: 's1', operation: 'register', sent: 200, received: 150, status: 200 },
  { type: 'usage', point: 'A', cycles: 1500, eepromBytes: 128, eepromPages: 2, ram: 900, stack: 300 },
  { type: 'timing', point: 'A', what: 'LIST VALUES', cycles: 30 },
  verdict('A', 'pass', { flags: ['legacy-hash SHA-1'] }),
  point('B', 1000, '2/recover'),
  { type: 'fault', point: 'B', fault: 'alter', applied: true, text: 'flipped a bit' },
  { type: 'step', point: 'B', embodiment: 2, phase: 'backup', step: '1-1', evidence: ['link', 'inferred'], outcome: 'refused' },
  { type: 'violation', point: 'B', cycle: 7, code: 'EEPROM_LOCKED', pc: 4, symbol: 'write_page', text: 'no key' },
  { type: 'finding', point: 'B', invariant: 'I4', step: '1-15', text: 'both' },
  { type: 'shortage', point: 'B', step: '1-7', needed: 384, free: 64, holders: [{ name: 'values', bytes: 2048 }], sw: '6A84', did: 'refused', lost: false },
  { type: 'usage', point: 'B', cycles: 500, eepromBytes: 0, eepromPages: 0 },
  verdict('B', 'fail', { step: '1-15', cause: 'done', sw: '9000' }),
  point('C', 2000), verdict('C', 'invalid'), point('D', 3000), verdict('D', 'unsupported'), point('E', 4000), verdict('E', 'aborted'),
];

const text = writeRecord(header, events);
const record = parseRecord(text);
const codeOf = (act: () => unknown): string => {
  try { act(); } catch (error) { if (error instanceof ReportError) return error.code; }
  return 'nothing thrown';
};

describe('record', () => {
  test('reads back what was written', () => {
    expect(record.header).toEqual({ type: 'header', format: 'cardbench-record', version: 1, ...header });
    expect(record.events).toEqual(events);
    expect(record.end).toEqual({ type: 'end', lines: events.length + 1, counts: { pass: 1, fail: 1, invalid: 1, aborted: 1, unsupported: 1 } });
  });

  test('equal events give equal bytes, whatever the order of their keys', () => {
    const mixed = events.map((event) => Object.fromEntries(Object.entries(event).reverse()) as unknown as RecordEvent);
    expect(writeRecord(header, mixed)).toBe(text);
    expect(lineOf({ type: 'timing', point: 'p', cycles: 1, what: 'x' })).toBe('{"type":"timing","point":"p","cycles":1,"what":"x"}');
  });

  test('is read as a stream from chunks cut anywhere', async () => {
    for (const size of [1, 7, 1000, text.length]) {
      const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size));
      const lines: RecordLine[] = [];
      for await (const line of readRecord(chunks)) lines.push(line);
      expect(lines).toHaveLength(events.length + 2);
    }
  });

  test('a truncated record gives its good lines, then says so', async () => {
    const lines: RecordLine[] = [];
    const read = async (): Promise<void> => { for await (const line of readRecord([text.slice(0, text.length / 2)])) lines.push(line); };
    await expect(read()).rejects.toMatchObject({ code: 'RECORD_TRUNCATED', line: 11 });
    expect(lines).toHaveLength(11);
  });

  const lines = text.trimEnd().split('\n');
  const join = (...parts: string[]): string => `${parts.join('\n')}\n`;
  test.each([
    ['empty', '', 'RECORD_TRUNCATED'],
    ['without header', join(...lines.slice(1)), 'RECORD_NO_HEADER'],
    ['of another format', join(lines[0].replace('cardbench-record', 'other'), ...lines.slice(1)), 'RECORD_NO_HEADER'],
    ['of a later version', join(lines[0].replace('"version":1', '"version":2'), ...lines.slice(1)), 'RECORD_VERSION'],
    ['with a line that is no JSON', join(lines[0], '{', ...lines.slice(1)), 'RECORD_CORRUPT'],
    ['with a line that is no object', join(lines[0], '7', ...lines.slice(1)), 'RECORD_CORRUPT'],
    ['with an unknown type', join(lines[0], '{"type":"rumour"}', ...lines.slice(1)), 'RECORD_CORRUPT'],
    ['with a type from the prototype', join(lines[0], '{"type":"toString"}', ...lines.slice(1)), 'RECORD_CORRUPT'],
    ['with a field missing', join(lines[0], '{"type":"timing","point":"A"}', ...lines.slice(1)), 'RECORD_CORRUPT'],
    ['with a line missing', join(...lines.slice(0, 3), ...lines.slice(4)), 'RECORD_CORRUPT'],
    ['with two headers', join(lines[0], ...lines), 'RECORD_ORDER'],
    ['going on after its end', join(...lines, lines[1]), 'RECORD_ORDER'],
    ['with bytes after its end', `${text}x`, 'RECORD_ORDER'],
    ['without its end', join(...lines.slice(0, -1)), 'RECORD_TRUNCATED'],
  ])('%s is refused', (_, bad, code) => {
    expect(codeOf(() => parseRecord(bad))).toBe(code);
  });

  test('names that may hold secrets are refused, and so is anything after the end', () => {
    const sink: string[] = [];
    const writer = recordWriter(header, (line) => sink.push(line));
    const leak = { ...point('A', 0), pin: '1234' };
    expect(codeOf(() => { writer.write(leak); })).toBe('RECORD_SECRET');
    expect(sink).toHaveLength(1);
    writer.end();
    expect(codeOf(() => { writer.write(point('A', 0)); })).toBe('RECORD_ORDER');
    expect(codeOf(() => { writer.end(); })).toBe('RECORD_ORDER');
  });
});

describe('redaction', () => {
  test('PIN data are hidden, their length and the status stay', () => {
    expect(redactCommand('002000010431323334')).toBe('0020000104********');
    expect(redactCommand('0024010104313233')).toBe('0024010104******');
    expect(redactCommand('80DADF130431323334')).toBe('80DADF1304********');
    expect(redactCommand('00200001')).toBe('00200001');
    expect(redactCommand('8024000004' + '8B020001')).toBe('80240000048B020001');
  });

  test('wrapped keys are hidden at any depth, the rest stays', () => {
    expect(redactCommand('801400000B' + 'E509' + '9C03AABBCC' + '920111')).toBe('801400000B' + 'E509' + '9C03******' + '920111');
    expect(redactAnswer('E805' + '9C8102AABB' + '9000', '8018020400')).toBe('E805' + '9C8102****' + '9000');
    expect(redactAnswer('9C04AABB' + '9000', '8018020400')).toBe('9C04****' + '9000');
    expect(redactAnswer('E6030102039000', '8018020200')).toBe('E6030102039000');
    expect(redactAnswer('9F9000', '8018020200')).toBe('9F9000');
  });

  test('what may begin or end within a key object is hidden whole', () => {
    expect(redactCommand('901E0200029C10')).toBe('901E020002****');
    expect(redactCommand('801E020002AABB')).toBe('801E020002****');
    expect(redactAnswer('AABB6110', '801C020100')).toBe('****6110');
    expect(redactAnswer('AABB9000', '00C0000002', '801C020100')).toBe('****9000');
    expect(redactAnswer('AABB9000', '00C0000002')).toBe('****9000');
    expect(redactAnswer('AABB9000', '00C0000002', '8010020000')).toBe('AABB9000');
    expect(redactAnswer('6A82', '801C020100')).toBe('6A82');
  });
});

describe('gathering', () => {
  test('by point, in order', () => {
    expect(pointsOf(record).map(({ id, verdict: judged }) => [id, judged?.verdict])).toEqual([['A', 'pass'], ['B', 'fail'], ['C', 'invalid'], ['D', 'unsupported'], ['E', 'aborted']]);
  });

  test('steps with their evidence', () => {
    expect(stepCounts(record)).toEqual([
      { embodiment: 2, phase: 'backup', step: '1-1', done: 1, refused: 1, evidence: { link: 2, safe: 0, mark: 1, inferred: 1 } },
      { embodiment: 2, phase: 'backup', step: '1-2', done: 1, refused: 0, evidence: { link: 0, safe: 0, mark: 1, inferred: 0 } },
    ]);
  });
});

describe('JUnit', () => {
  test('escapes what XML cannot hold', () => {
    expect(xmlText(`<a b="c" d='e'>&\n\u0000\ud800x😀`)).toBe('&lt;a b=&quot;c&quot; d=&apos;e&apos;&gt;&amp;&#10;\ufffd\ufffdx😀');
  });

  test('golden', () => {
    expect(junit(record).split('\n').slice(0, 30)).toEqual([
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<testsuites name="cardbench" tests="5" failures="1" errors="2" skipped="1" time="0.002000">',
      '  <testsuite name="backup-1-2/1" tests="5" failures="1" errors="2" skipped="1" time="0.002000">',
      '    <properties>',
      '      <property name="seed" value="7"/>',
      '      <property name="firmware" value="card.elf"/>',
      `      <property name="firmware.sha256" value="${'ab'.repeat(32)}"/>`,
      '      <property name="chip" value="c2010"/>',
      `      <property name="chip.overrides.sha256" value="${'cd'.repeat(32)}"/>`,
      '      <property name="protocol" value="T=1"/>',
      '      <property name="plan" value="backup-1-2/1"/>',
      '      <property name="tool" value="0.1.0"/>',
      '    </properties>',
      '    <testcase classname="2/backup" name="A" time="0.001500">',
      '      <properties>',
      '        <property name="title" value="title of A"/>',
      '        <property name="clause" value="steps 1-13"/>',
      '        <property name="needs" value="embodiment-2"/>',
      '        <property name="cycles" value="1500"/>',
      '        <property name="flag" value="legacy-hash SHA-1"/>',
      '      </properties>',
      '    </testcase>',
      '    <testcase classname="2/recover" name="B" time="0.000500">',
      '      <properties>',
      '        <property name="title" value="title of B"/>',
      '        <property name="clause" value="steps 1-13"/>',
      '        <property name="needs" value="embodiment-2"/>',
      '        <property name="cycles" value="500"/>',
      '      </properties>',
      '      <failure message="why fail &lt;&amp;&gt;" type="fail">why fail &lt;&amp;&gt;',
    ]);
  });

  test('unsupported is skipped, invalid and aborted are errors, a broken-off point too', () => {
    const xml = junit({ ...record, events: [...events, point('F', 5000)] });
    expect(xml).toContain('<skipped message="why unsupported &lt;&amp;&gt;"/>');
    expect([...xml.matchAll(/<error message="([^"]*)" type="(\w+)"/g)].map(([, , type]) => type)).toEqual(['invalid', 'aborted', 'aborted']);
    expect(xml).toContain('errors="3"');
    expect(xml).toContain('replay: cardbench replay X-B');
  });
});

describe('summary', () => {
  test('golden', () => {
    expect(summary(record).split('\n')).toEqual([
      'cardbench 0.1.0, plan backup-1-2/1, seed 7, T=1',
      `firmware card.elf (SHA-256 ${'ab'.repeat(32)}), chip c2010, 1000000 Hz`,
      'size: 60000 B of code, 500 B of static RAM, at most 900 B of RAM and 300 B of stack used in a point',
      '1 pass, 1 fail, 1 invalid, 1 aborted, 1 unsupported',
      '',
      'Points',
      'point  verdict      steps  cycles     ms  EEPROM B  pages  RAM B  stack B  shortages  flags',
      '-----  -----------  -----  ------  -----  --------  -----  -----  -------  ---------  -----------------',
      'A      pass             2    1500  1.500       128      2    900      300          -  legacy-hash SHA-1',
      'B      fail             1     500  0.500         0      0      -        -          1  -',
      'C      invalid          0       -      -         -      -      -        -          -  -',
      'D      unsupported      0       -      -         -      -      -        -          -  -',
      'E      aborted          0       -      -         -      -      -        -          -  -',
      '',
      'Not passed',
      'FAIL B at step 1-15: title of B',
      '  why fail <&>',
      '  violation EEPROM_LOCKED in write_page: no key',
      '  clause: steps 1-13',
      '  replay: cardbench replay X-B',
      'INVALID C: title of C',
      '  why invalid <&>',
      '  clause: steps 1-13',
      '  replay: cardbench replay X-C',
      'ABORTED E: title of E',
      '  why aborted <&>',
      '  clause: steps 1-13',
      '  replay: cardbench replay X-E',
      '',
      'Not supported',
      'D: why unsupported <&>',
      '',
      'Shortages',
      'B at 1-7: 384 B needed, 64 B free; the rest is held by values 2048 B; 6A84; the firmware refused; nothing was lost',
      '',
      'Flags',
      'legacy-hash SHA-1: 1 point',
      '',
      'Evidence of steps',
      'scenario  step  link  safe  mark  inferred  done  refused',
      '--------  ----  ----  ----  ----  --------  ----  -------',
      '2/backup  1-1      2     0     1         1     1        1',
      '2/backup  1-2      0     0     1         0     1        0',
      '',
    ]);
  });

  test('shows steps that never occurred, and only open points when brief', () => {
    const catalogue = [{ embodiment: 2, phase: 'backup', step: '1-1' }, { embodiment: 2, phase: 'backup', step: '1-16' }];
    const brief = summary(record, { catalogue, brief: true });
    expect(brief).toContain('2/backup  1-16     -     -     -         -  never        -');
    expect(brief).not.toContain('A      pass');
  });

  test('colours are an option and change nothing else', () => {
    const coloured = summary(record, { colour: true });
    expect(coloured).toContain('\u001b[31mFAIL\u001b[0m');
    // eslint-disable-next-line no-control-regex -- ANSI colour sequences are what is taken out
    expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(summary(record));
    expect(summary(record)).not.toContain('\u001b');
  });
});
