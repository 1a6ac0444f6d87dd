import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { endurance, loadImage, loadProfile } from '../../emulator/index.js';
import { parseRecord, writeRecord } from '../../reports/index.js';
import { WorldFactory } from '../certify/factory.js';
import { headerOf, loadSetup } from '../certify/setup.js';
import { pageMap, pageSize } from '../nvm/index.js';
import { runClaims } from './claims.js';
import { runCutsAt } from './cuts.js';
import { capacityDefinition } from './definition.js';
import { runLevel } from './levels.js';
import { runRam } from './ram.js';
import { replayCapacity } from './replay.js';
import { makeLevel, roomOf } from './room.js';
import type { CapacityOptions, RoomLevel } from './types.js';
import { Bench } from './units.js';
import { runWear, wornMemory, writtenPages } from './wear.js';

const path = (name: string): string => fileURLToPath(new URL(`../../devices/firmware/images/${name}.elf`, import.meta.url));
/** Faulty builds have every system: on a chip with little memory they need more code and RAM than it has. */
const wider = (name: string): string[] => (name.startsWith('faulty/') ? ['code.bytes=65536', 'ram.bytes=8192'] : []);
const options = (name: string, chip = 'c2000'): CapacityOptions => (
  { image: path(name), chip, overrides: wider(name), seed: 1, protocol: 'T=1', scenarios: ['2/recover'], parts: ['levels'], cuts: 0 }
);
const factoryOf = (name: string, chip = 'c2000'): WorldFactory =>
  new WorldFactory({ image: loadImage(readFileSync(path(name))), profile: loadProfile(chip, wider(name)), seed: 1, protocol: 'T=1' });

const bench = new Bench(factoryOf('card-small'));

describe('levels of free room on a real card memory', () => {
  test.each<RoomLevel>([{ pages: 0, run: 0 }, { pages: 5, run: 5 }, { pages: 7, run: 2 }])('%j is made by commands and read by the bench', async (level) => {
    const stages = bench.stages('2/recover');
    const world = stages.fork(await stages.full('pages'));
    await world.open();
    expect(await makeLevel(world, level)).toBeUndefined();
    const { owners, freeBytes } = pageMap(world.memory());
    const runs = owners.map(({ kind }) => (kind === 'free' ? 'f' : '-')).join('').split(/-+/).filter((run) => run !== '').map(({ length }) => length);
    expect(runs.sort((a, b) => b - a)).toEqual('entries' in level || level.pages === 0 ? [] : level.run === 2 ? [2, 2, 2, 1] : [5]);
    expect(freeBytes).toBe('entries' in level ? -1 : level.pages * pageSize);
  });

  test('a level that cannot be made is said so, and the row is invalid', async () => {
    const stages = bench.stages('2/recover');
    const row = await runLevel(stages, { at: '2-5', level: { pages: 90, run: 1 } });
    expect(row).toMatchObject({ verdict: 'invalid', applied: false, outcome: 'not run' });
    expect(row.reasons.join()).toMatch(/could not be made: the plugs do not lie so/);
  });

  test('one unit: every level up to two that go through; the same from another server; repeated by its case', async () => {
    const unit = '2-recover:levels:2-5:whole';
    const { rows } = await capacityDefinition.serve(options('card-small'))(unit, () => undefined);
    expect(rows.map(({ condition, outcome, verdict }) => [condition, outcome, verdict])).toEqual([
      ...['pages-0', 'pages-1', 'pages-2', 'pages-3'].map((name) => [name, 'suspended', 'pass']), ['pages-4', 'done', 'pass'], ['pages-5', 'done', 'pass'],
    ]);
    expect(rows[3]).toMatchObject({ at: '2-7', sw: '6A84', need: { bytes: 256 }, room: { free: 192 }, told: { needed: 256, free: 192 }, conserved: true });
    const serve = capacityDefinition.serve(options('card-small'));
    await serve('2-recover:levels:2-11:entries', () => undefined);
    expect(await serve(unit, () => undefined)).toEqual({ rows });
    const replayed = await replayCapacity(factoryOf('card-small'), rows[3].case);
    expect(replayed).toMatchObject({ digest: rows[3].digest, verdict: 'pass' });
    const header = headerOf(options('card-small'), readFileSync(path('card-small')), loadSetup(options('card-small'), readFileSync(path('card-small'))), 'capacity/1');
    const text = writeRecord(header, capacityDefinition.events(options('card-small'), [{ unit, result: { rows } }], []));
    expect(parseRecord(text).end.counts).toMatchObject({ pass: 6, fail: 0 });
  });

  test('index entries run out: suspended, told with the entries that are free', async () => {
    const row = await runLevel(bench.stages('1/backup'), { at: '1-5', level: { entries: 0 } });
    expect(row).toMatchObject({ outcome: 'refused', verdict: 'pass', sw: '6A84', told: { entries: 0, ins: 0x12 }, conserved: true });
  });

  test('claims 24 and 21: suspended with the shortage shown; others backed up and deleted, then it goes on', async () => {
    const [suspended, madeRoom] = await runClaims(bench.stages('1/recover', 'claims'), { pages: 3, run: 3 });
    expect(suspended).toMatchObject({ outcome: 'suspended', verdict: 'pass', told: { needed: 256, free: 192 }, conserved: true });
    expect(madeRoom).toMatchObject({ outcome: 'done', verdict: 'pass', conserved: true });
    expect(madeRoom.did).toMatch(/\$third backed up and deleted.*backed-up value \d+ deleted: 9000/);
    expect(madeRoom.steps?.map(({ step }) => step)).toContain('2-14');
  });
});

describe('faulty firmware', () => {
  test('a full memory answered 9000 fails, and its case repeats it', async () => {
    const stages = new Bench(factoryOf('faulty/full-is-success')).stages('2/recover');
    const row = await runLevel(stages, { at: '2-1', level: { pages: 3, run: 3 } });
    expect(row).toMatchObject({ verdict: 'fail', outcome: 'broke', at: '2-8' });
    expect(await replayCapacity(factoryOf('faulty/full-is-success'), row.case)).toMatchObject({ verdict: 'fail', digest: row.digest, reasons: row.reasons });
    await expect(replayCapacity(factoryOf('card-small'), row.case)).rejects.toMatchObject({ code: 'TEAR_CASE' });
  });

  test('a value that can be recovered twice is found by spending', async () => {
    const row = await runLevel(new Bench(factoryOf('faulty/not-spent')).stages('1/backup'), { at: '1-5', level: { pages: 5, run: 5 } });
    expect(row).toMatchObject({ verdict: 'fail', conserved: false });
    expect(row.reasons.join()).toMatch(/I[13]: /);
  });

  test('a run that does not go through with ample room is aborted, not passed', async () => {
    const { rows } = await capacityDefinition.serve(options('faulty/not-spent'))('2-recover:levels:2-5:whole', () => undefined);
    expect(rows).toMatchObject([{ verdict: 'aborted', applied: false }]);
  });

  test('a deleted item that still holds its room: the level is not reached, so nothing is passed', async () => {
    const row = await runLevel(new Bench(factoryOf('faulty/stale-list')).stages('1/backup'), { at: '1-5', level: { pages: 5, run: 5 } });
    expect(row.verdict).not.toBe('pass');
  });

  test('power cuts at the edge find a value given up before its certificate is stored', async () => {
    const stages = new Bench(factoryOf('faulty/value-before-certificate')).stages('1/backup');
    const [row] = await runCutsAt(stages, 'equal', 10, () => undefined);
    expect(row).toMatchObject({ verdict: 'fail', part: 'cuts' });
    expect(row.case).toMatch(/:1-backup:cut:pages-5:\d+:/);
    const replayed = await replayCapacity(factoryOf('faulty/value-before-certificate'), row.case);
    expect(replayed.verdict).toBe('fail');
    expect(row.reasons.join('\n')).toContain(replayed.reasons[0]);
  });
});

describe('worn pages', () => {
  test('a memory is worn so that the chip misses from the operation that is meant', () => {
    const profile = loadProfile('c2000');
    const nvm = { bytes: new Uint8Array(0), weak: [], torn: [], cycles: new Uint32Array(8), sessions: 1 };
    const worn = wornMemory(nvm, [{ page: 4, at: '2-5', earlier: 3 }], { mode: 'stuck' }, profile, 1);
    expect(worn.cycles[4]).toBe(endurance(profile.eeprom.wear, 1, 4) - 3);
    expect(wornMemory(nvm, [{ page: 4, at: '2-5', earlier: 3 }], { mode: 'often' }, profile, 1).cycles[4]).toBeGreaterThan(worn.cycles[4] + 3);
    expect(nvm.cycles[4]).toBe(0);
  });

  test('a stuck page of the value\'s room: 6581, nothing lost, and other pages after CANCEL', async () => {
    const stages = bench.stages('1/recover');
    const data = (await writtenPages(stages)).filter(({ at }) => at === '2-11').find(({ page }) => page > 88);
    if (data === undefined) throw new Error('no data page was written');
    const row = await runWear(stages, [data], 'stuck', `page-${data.page}`);
    expect(row).toMatchObject({ verdict: 'pass', outcome: 'refused', sw: '6581', conserved: true });
    expect(row.did).toMatch(/CANCEL 9000, then done on other pages/);
  });
});

describe('little RAM', () => {
  test.each([[2048, 'completes'], [1984, 'refuses'], [512, 'breaks']] as const)('%d B: %s', async (bytes, kind) => {
    const size = await runRam(bench.stages('2/backup'), bytes);
    expect(size.class, size.row.did).toBe(kind);
    expect(size.row.conserved).toBe(true);
    if (kind === 'breaks') expect(size.row.did).toMatch(/STACK_LIMIT/);
  });
});

test('what is free is read from the memory', async () => {
  const stages = bench.stages('2/recover');
  const world = stages.fork(await stages.full('pages'));
  expect(roomOf(world)).toMatchObject({ free: 0, run: 0 });
});
