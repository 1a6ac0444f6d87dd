import { describe, expect, test } from 'vitest';
import { basicScenarioIds } from '../../scenarios/index.js';
import type { ScenarioOutput } from '../../scenarios/index.js';
import { levelTables } from '../../reports/index.js';
import { TearError } from '../tear/index.js';
import { capacityCaseId, isCapacityCase, parseCapacityCase } from './case-id.js';
import { edgeLevel } from './cuts.js';
import { capacityDefinition } from './definition.js';
import { rowEvents } from './events.js';
import { sufficiency } from './judge.js';
import { classOf, edgesOf, edgesText, searchRam } from './ram.js';
import type { RamClass, RamSize } from './ram.js';
import { levelName, levelOf, placeRuns, runsOf } from './room.js';
import { seriesOf } from './series.js';
import { needAhead, needBefore } from './stage.js';
import { placesOf, subjectOf } from './subject.js';
import type { CapacityOptions, CapacityRow } from './types.js';

const options: CapacityOptions = {
  image: 'card.elf', chip: 'c2010', overrides: [], seed: 1, protocol: 'T=1', scenarios: ['2/recover'], parts: ['levels', 'cuts'], cuts: 3,
};

const row: CapacityRow = {
  case: 'cap:01234567:c2010:T=1:1:2-recover:level:2-5:pages-3', point: '2-recover-C-2-5-pages-3', scenario: '2/recover', part: 'levels',
  title: '192 B free at 2-5', clause: 'claims 24', before: '2-5', condition: 'pages-3', applied: true, outcome: 'suspended', at: '2-7', sw: '6A84',
  need: { bytes: 256, entries: 1 }, room: { free: 192, run: 192, entries: 54 }, told: { needed: 256, free: 192, entries: 54, ins: 0x18 },
  holders: [{ name: '3 x A ACTIVE', bytes: 512 }], did: 'suspended', conserved: true, findings: [], verdict: 'pass', reasons: [], cycle: 7, digest: 'ab',
};

describe('levels', () => {
  test.each([
    [{ pages: 0, run: 0 }, 'pages-0', []], [{ pages: 3, run: 3 }, 'pages-3', [3]], [{ pages: 7, run: 3 }, 'pages-7-runs-3', [3, 3, 1]],
  ] as const)('%j is %s', (level, name, runs) => {
    expect(levelName(level)).toBe(name);
    expect(levelOf(name)).toEqual(level);
    expect(runsOf(level)).toEqual(runs);
  });

  test('index entries have levels too; other names have none', () => {
    expect(levelOf(levelName({ entries: 2 }))).toEqual({ entries: 2 });
    expect(['pages', 'pages-x', 'entries--1', 'pages-3-runs-'].map(levelOf)).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('runs are placed with a page kept between them, within what lies together', () => {
    expect(placeRuns([10, 11, 12, 13, 14, 20, 21, 22], [2, 2, 3])).toEqual([10, 11, 13, 14, 20, 21, 22]);
    expect(placeRuns([10, 11, 12, 13], [2, 2])).toBeUndefined();
    expect(placeRuns([10, 12, 14], [1, 1, 1])).toEqual([10, 12, 14]);
    expect(placeRuns([10, 11, 12], [])).toEqual([]);
    expect(placeRuns([10, 12], [2])).toBeUndefined();
  });

  test('a series covers every level from none to beyond the need, in one run and in runs of each length', () => {
    const [whole] = seriesOf('whole', { pages: 3, entries: 1 });
    expect([whole.first, whole.last]).toEqual([0, 8]);
    const split = seriesOf('split', { pages: 3, entries: 1 });
    expect(split.map(({ first, last, level }) => [first, last, level(5)])).toEqual([
      [2, 7, { pages: 5, run: 1 }], [3, 7, { pages: 5, run: 2 }], [4, 7, { pages: 5, run: 3 }],
    ]);
    expect(seriesOf('entries', { pages: 3, entries: 1 })[0].level(0)).toEqual({ entries: 0 });
  });

  test('room is enough in one run, enough in pieces, or too little', () => {
    const need = { pages: 2, entries: 1 };
    expect(sufficiency({ free: 128, run: 128, entries: 1 }, need)).toBe('enough');
    expect(sufficiency({ free: 128, run: 64, entries: 1 }, need)).toBe('in pieces');
    expect(sufficiency({ free: 64, run: 64, entries: 1 }, need)).toBe('too little');
    expect(sufficiency({ free: 1280, run: 1280, entries: 0 }, need)).toBe('too little');
    expect(sufficiency({ free: 0, run: 0, entries: 0 }, undefined)).toBe('enough');
  });

  test('the exchange that takes room lies at the step or behind it', () => {
    const needs = [{ at: '2-1', pages: 0, entries: 0 }, { at: '2-5', pages: 4, entries: 1 }, { at: '2-9', pages: 0, entries: 0 }] as const;
    expect(needAhead(needs, '2-1')).toBe(needs[1]);
    expect(needAhead(needs, '2-9')).toBeUndefined();
    expect(needBefore(needs, '2-9')).toEqual({ pages: 4, entries: 1 });
    expect(edgeLevel('short', needs[1])).toEqual({ pages: 3, run: 3 });
    expect(edgeLevel('short', undefined)).toBeUndefined();
  });

  test('every scenario has a place in front of each exchange and each deletion', () => {
    expect(basicScenarioIds.map((id) => placesOf(subjectOf(id)).length)).toEqual([5, 7, 5, 7, 4, 4]);
  });
});

describe('RAM', () => {
  const size = (bytes: number, kind: RamClass): RamSize => ({ bytes, class: kind, row });
  const firmware = (bytes: number): RamClass => (bytes >= 2048 ? 'completes' : bytes === 1600 || bytes <= 512 ? 'breaks' : 'refuses');

  test('the search finds the edges, a hole between them too, and stops below the second break in a row', async () => {
    const sizes = await searchRam((bytes) => Promise.resolve(size(bytes, firmware(bytes))), 8192, () => undefined);
    expect(edgesOf(sizes)).toEqual({ completes: 2048, refuses: 576, breaks: [1600, 512, 448] });
    expect(sizes.map(({ bytes }) => bytes)).toContain(8192);
    expect(edgesText(edgesOf(sizes))).toBe('goes through from 2048 B; least at which it refuses and nothing is lost: 576 B; breaks at 1600 B, 512 B, 448 B');
  });

  test('a firmware that does not go through on the whole chip is not searched', async () => {
    expect(await searchRam((bytes) => Promise.resolve(size(bytes, 'breaks')), 8192, () => undefined)).toHaveLength(1);
  });

  test('a break is never taken for a refusal', () => {
    const end = (cause: ScenarioOutput['cause'], sw?: string) => ({ cause, step: '2-1', text: '', ...sw !== undefined && { sw } } as const);
    const finding = { invariant: 'I13', text: 'STACK_LIMIT' } as const;
    expect(classOf({ end: end('done'), findings: [], missed: undefined }, [])).toBe('completes');
    expect(classOf({ end: end('refused', '6A84'), findings: [], missed: undefined }, [])).toBe('refuses');
    expect(classOf({ end: end('done'), findings: [finding], missed: undefined }, [])).toBe('breaks');
    expect(classOf({ end: end('refused', '6A84'), findings: [], missed: undefined }, [finding])).toBe('breaks');
    expect(classOf({ end: end('done'), findings: [], missed: 'the value is gone' }, [])).toBe('breaks');
    for (const cause of ['link', 'late', 'unexpected'] as const) expect(classOf({ end: end(cause), findings: [], missed: undefined }, [])).toBe('breaks');
  });
});

describe('case ids', () => {
  test('hold everything and can be read back', () => {
    const one = parseCapacityCase(row.case);
    expect(one).toEqual({ firmware: '01234567', chip: 'c2010', protocol: 'T=1', seed: 1, scenario: '2-recover', what: ['level', '2-5', 'pages-3'] });
    expect(capacityCaseId(one)).toBe(row.case);
    expect([isCapacityCase(row.case), isCapacityCase('cut:1')]).toEqual([true, false]);
  });

  test.each(['cap:1', row.case.slice(1), `${row.case} `, row.case.replace('T=1', 'T=2')])('%j is none', (text) => {
    expect(() => parseCapacityCase(text)).toThrow(TearError);
  });
});

describe('record', () => {
  test('units come in order of steps and shapes', async () => {
    const units = await capacityDefinition.units(options);
    expect(units.slice(0, 4)).toEqual(['2-recover:levels:2-1:whole', '2-recover:levels:2-1:split', '2-recover:levels:2-1:entries', '2-recover:levels:2-5:whole']);
    expect(units.slice(-4)).toEqual(['2-recover:levels:spend', '2-recover:cuts:short', '2-recover:cuts:equal', '2-recover:cuts:above']);
  });

  test('a row is told as level, shortage and verdict, with the line that repeats it', () => {
    const events = rowEvents(options, row);
    expect(events.map(({ type }) => type)).toEqual(['point', 'fault', 'shortage', 'level', 'verdict']);
    expect(events[2]).toMatchObject({ needed: 256, free: 192, sw: '6A84', step: '2-7', lost: false, holders: row.holders });
    expect(events[4]).toMatchObject({ verdict: 'pass', replay: expect.stringContaining(`cardbench replay ${row.case}`) as string });
  });

  test('the tables are drawn from the record: one line a level, figures of the card beside those of the bench', () => {
    const table = levelTables({ events: rowEvents(options, { ...row, conserved: false, verdict: 'fail', reasons: ['x'] }) });
    expect(table[1]).toBe('2/recover: started from every level of free room');
    expect(table[4].replace(/ +/g, ' ')).toBe('2-5 pages-3 192 192 54 256 256 192 54 suspended 2-7 6A84 NO fail suspended 3 x A ACTIVE 512 B');
  });

  test('a unit without a result does not pass', () => {
    const events = capacityDefinition.events(options, [], ['2-recover:cuts:short']);
    expect(events.at(-1)).toMatchObject({ type: 'verdict', point: '2-recover-cuts-short', verdict: 'aborted' });
  });
});
