import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { safeCommand } from '../cli/safe.js';
import { safeLoad } from '../cli/safe-load.js';
import { certificate as certificateCodec } from '../codec/index.js';
import { createSafe, inProcessClient, lmdbStore, memoryStore } from '../safe/index.js';
import type { SafeStore } from '../safe/index.js';
import * as records from '../safe/record.js';
import { buildSafeCommand } from '../safe/testing/built.js';
import { safeId, safeKeys } from '../safe/testing/card.js';
import { Acknowledged, seededNumbers } from './acknowledged.js';
import { registerRange } from './drive.js';
import { growthOf, isLogarithmic, latencyOf } from './figures.js';
import { sweep, timeLookups } from './lookups.js';
import { loadRequest } from './requests.js';
import { runLoad, sizesOf } from './run.js';
import type { LoadResult } from './run.js';
import { loadText } from './text.js';

const scratch = mkdtempSync(join(tmpdir(), 'cardbench-load-test-'));
let entry = '';
beforeAll(() => { entry = buildSafeCommand(join(scratch, 'built')); });
afterAll(() => { rmSync(scratch, { recursive: true, force: true }); });

const setting = (store: string, by: string) => ({
  certificates: 300, store: join(scratch, store), connections: 16, kills: 2, inFlight: 60, seed: 1, entry: by, before: [],
  now: () => performance.now(), stopped: () => false, progress: () => undefined,
});
const quiet = { now: () => performance.now(), stopped: () => false, progress: () => undefined };

/** Registers `count` certificates at a safe over `store` in this process. */
async function filled(store: SafeStore, count: number): Promise<Acknowledged> {
  const book = new Acknowledged(1, 200);
  const safe = createSafe({ id: safeId, keys: safeKeys, store });
  await registerRange({ ...quiet, client: inProcessClient(safe), book, lanes: 1 }, 0, count);
  return book;
}

describe('a load test of a served safe', () => {
  test('the reference safe passes: all there after kills, every record as acknowledged', async () => {
    const result = await runLoad(setting('good', entry));
    expect(result.defects).toEqual([]);
    expect(result.verdict).toBe('pass');
    expect(result.records).toBe(300 + result.kills[0].sent + result.kills[1].sent + 2);
    expect(result.rows.map(({ certificates }) => certificates)).toEqual([100, 300]);
    expect(result.rows.every(({ perSecond, bytes, depth }) => perSecond > 0 && bytes > 0 && depth > 0)).toBe(true);
    expect(result.kills.every(({ broken, acknowledged, sent }) => broken > 0 && acknowledged > 0 && sent === broken + acknowledged)).toBe(true);
    expect(loadText(result)).toMatch(/kill 2: \d+ sent, \d+ acknowledged.*\n\d+ records: each as acknowledged.*\npass$/);
  });

  test('stopped on the way: aborted, no size is claimed that was not reached, what was answered is compared all the same', async () => {
    let asked = 0;
    const result = await runLoad({ ...setting('stopped', entry), stopped: () => (asked += 1) > 180 });
    expect(result.rows.map(({ certificates }) => certificates)).toEqual([100]);
    expect(result).toMatchObject({ kills: [], defects: [], verdict: 'aborted' });
    expect(result.records).toBeLessThan(300);
    expect(result.records).toBeGreaterThan(100);
  });

  test('a safe that answers before anything is on the disk is caught', async () => {
    const careless = join(scratch, 'built', 'careless.js');
    writeFileSync(careless, `import { createSafe, lmdbStore, memoryStore, openHome, serveSafe } from './bench/safe/index.js';
import { safeCommand } from './bench/cli/safe.js';
const directory = process.argv[process.argv.indexOf('--store') + 1];
const io = { out: () => undefined, err: () => undefined, now: () => 0 };
await safeCommand(['init', '--store', directory], io);
const home = openHome(directory);
await lmdbStore(home.records).close();
const server = await serveSafe({ safe: createSafe({ id: home.id, keys: home.keys, store: memoryStore() }) });
process.stdout.write('safe at ' + server.url + '\\n');
process.once('SIGTERM', () => void server.close());
`);
    const result = await runLoad({ ...setting('careless', careless), certificates: 100, kills: 1 });
    expect(result.verdict).toBe('fail');
    expect(result.defects.join('\n')).toMatch(/was acknowledged and is answered SAFE_UNKNOWN after the restart/);
    expect(result.defects.join('\n')).toMatch(/counter \d+ was given twice/);
  });
});

describe('what is remembered of acknowledged certificates', () => {
  test('a store that lost, changed or added a record is found out', async () => {
    const directory = join(scratch, 'tampered');
    const store = lmdbStore(directory);
    const book = await filled(store, 30);
    expect(await sweep(directory, book)).toBe(30);
    expect(book.defects).toEqual([]);
    const all = [...store.range('certificate/')];
    const damage = (key: string, value: Uint8Array | undefined): void => store.transaction((writer) => {
      if (value === undefined) writer.delete(key);
      else writer.put(key, value);
    });
    const record = records.decodeRecord(all[7][1]);
    const other = records.encodeRecord({ ...record, certificate: record.certificate.map((byte, at) => (at === 100 ? byte ^ 1 : byte)) });
    damage(all[7][0], other);
    await sweep(directory, book);
    expect(book.defects).toEqual([expect.stringMatching(/^record 8 .*another certificate was acknowledged/)]);
    damage(all[7][0], all[7][1]);
    damage(all[29][0], undefined);
    book.defects.length = 0;
    await sweep(directory, book);
    expect(book.defects).toEqual(['1 acknowledged certificates are not in the store']);
    damage(all[3][0], undefined);
    await sweep(directory, book);
    expect(book.defects).toContain('record 4 of the index has counter 5');
    await store.close();
  });

  test('a repeated counter and a certificate of something else are defects', async () => {
    const safe = inProcessClient(createSafe({ id: safeId, keys: safeKeys, store: memoryStore() }));
    const again = inProcessClient(createSafe({ id: safeId, keys: safeKeys, store: memoryStore() }));
    const book = new Acknowledged(1);
    const [first, second] = [loadRequest(0), loadRequest(1)];
    expect(book.take(0, first, await safe.register(first.request))).toBe(1);
    expect(book.defects).toEqual([]);
    book.take(1, second, await again.register(second.request));
    expect(book.defects).toEqual(['counter 1 was given twice']);
    book.take(2, loadRequest(2), await safe.register(second.request));
    expect(book.defects.at(-1)).toBe('certificate 2 is not of registration 2');
    expect(book.highest).toBe(2);
  });

  test('the sample is the same for the same seed and reaches over the whole load', async () => {
    const book = await filled(memoryStore(), 600);
    expect(book.samples).toHaveLength(200);
    const indices = book.samples.map(({ index }) => index);
    expect(new Set(indices).size).toBe(200);
    expect(indices.filter((index) => index >= 300).length).toBeGreaterThan(60);
    const numbers = seededNumbers(5);
    const repeated = seededNumbers(5);
    expect(Array.from({ length: 9 }, () => numbers(100))).toEqual(Array.from({ length: 9 }, () => repeated(100)));
  });
});

describe('the rule for O(log n)', () => {
  const row = (certificates: number, p50: number) => ({ certificates, lookup: { p50, p99: p50 } });

  test('the same time and logarithmic growth pass, a search through everything or the root of it fails', () => {
    const rows = (time: (size: number) => number) => growthOf([10_000, 100_000, 1_000_000].map((size) => row(size, time(size))));
    expect(isLogarithmic(rows(() => 5))).toBe(true);
    expect(isLogarithmic(rows((size) => Math.log2(size)))).toBe(true);
    expect(isLogarithmic(rows((size) => size / 1000))).toBe(false);
    expect(isLogarithmic(rows((size) => Math.sqrt(size)))).toBe(false);
    expect(rows(() => 5)[1]).toMatchObject({ from: 10_000, to: 1_000_000, factor: 1 });
    expect(rows(() => 5)[1].allowed).toBeCloseTo(3);
  });

  test('a lookup that goes through all records is measured as such', async () => {
    const stores = [memoryStore(), memoryStore()];
    const books = [await filled(stores[0], 100), await filled(stores[1], 1000)];
    const scanning = (store: SafeStore): SafeStore => ({
      ...store, get: (key) => [...store.range('')].find(([name]) => name === key)?.[1],
    });
    const rows = [100, 1000].map((certificates, at) =>
      ({ certificates, lookup: timeLookups(scanning(stores[at]), shortened(books[at]), quiet.now) }));
    expect(isLogarithmic(growthOf(rows))).toBe(false);
    expect(timeLookups(stores[0], books[1], quiet.now).p50).toBeGreaterThan(0);
    expect(books[1].defects[0]).toMatch(/^record .* is not found/);
  });

  const shortened = (book: Acknowledged): Acknowledged => {
    book.samples.length = 20;
    return book;
  };

  test('percentiles are nearest ranks; sizes are at least 100', () => {
    const values = Array.from({ length: 200 }, (_, at) => 200 - at);
    expect(latencyOf(values)).toEqual({ p50: 100, p99: 198 });
    expect(() => latencyOf([])).toThrow(RangeError);
    expect(sizesOf(1_000_000)).toEqual([10_000, 100_000, 1_000_000]);
    expect(sizesOf(500)).toEqual([100, 500]);
  });
});

describe('cardbench safe load', () => {
  async function run(...argv: string[]): Promise<{ code: number; out: string[]; err: string }> {
    const [out, err]: [string[], string[]] = [[], []];
    const io = { out: (line: string) => void out.push(line), err: (line: string) => void err.push(line), now: () => performance.now() };
    const code = argv[0] === 'load' ? await safeCommand(argv, io) : await safeLoad(argv, io, entry, []);
    return { code, out, err: err.join('\n') };
  }

  test('prints JSON and leaves nothing behind', async () => {
    const { code, out } = await run('--certificates', '100', '--kills', '0', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out.join('')) as LoadResult).toMatchObject({ records: 100, defects: [], verdict: 'pass', kills: [] });
  });

  test.each([
    ['too few', ['--certificates', '5']], ['no number', ['--kills', 'x']], ['a strange option', ['--nonsense']], ['a store that exists', ['--store', '.']],
  ])('%s: exit 2', async (_, argv) => {
    const { code, err } = await run('load', ...argv);
    expect([code, err.includes('SAFE_SETUP')]).toEqual([2, true]);
  });
});

test('a certificate of the load is a plain one of its card and sequence', () => {
  const [first, again, later] = [loadRequest(0), loadRequest(0), loadRequest(50_000)];
  expect(first.request).toEqual(again.request);
  expect(later.cardId).toEqual(first.cardId);
  expect([first.sequence, later.sequence]).toEqual([1, 2]);
  const safe = createSafe({ id: safeId, keys: safeKeys, store: memoryStore() });
  expect(certificateCodec.decode(safe.register(first.request))).toMatchObject({ kind: 'plain', sequence: 1, counter: 1 });
});
