import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProgress } from '../certify/progress.js';
import { BenchError } from '../world/errors.js';
import { campaignArguments } from './options.js';
import { inlineUnitPool } from './pool.js';
import { joinUnits, runUnits, unitsOf } from './run.js';
import type { CampaignOutcome, CampaignRun } from './run.js';
import { openStore, readStore, UNITS_FILE } from './store.js';
import type { CampaignDefinition } from './types.js';

let folder = '';
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'campaign-')); });
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

/** Squares of numbers; a unit is a number. */
const squares: CampaignDefinition<{ readonly most: number }, unknown> = {
  units: ({ most }) => Promise.resolve(Array.from({ length: most }, (_, i) => String(i))),
  serve: () => (unit) => Promise.resolve(Number(unit) ** 2),
  events: (_, results, missing) => [{
    type: 'verdict', point: 'squares', verdict: missing.length > 0 ? 'aborted' : 'pass', cycle: 0, clause: '', flags: [], replay: '',
    reasons: results.map(({ unit, result }) => `${unit}:${String(result)}`),
  }],
};
const options = { most: 7 };
const header = {
  tool: '0', firmware: { image: 'x', sha256: '00' }, chip: { profile: 'c2010', overrides: '00', coreHz: 1 }, seed: 1, protocol: 'T=1', plan: 'squares/1',
};

type Change = Partial<CampaignRun<{ readonly most: number }>> & { readonly stopAfter?: number };

function campaign(out: string, { stopAfter = Infinity, ...change }: Change = {}): Promise<CampaignOutcome> {
  let done = 0;
  return runUnits({
    definition: squares, options, header, key: 'k', out: join(folder, out), resume: false, shard: undefined,
    pool: inlineUnitPool(async (unit, tell) => {
      tell(1, 2);
      done += 1;
      return squares.serve(options)(unit, tell);
    }),
    progress: () => ({ step: () => undefined, end: () => undefined }), stopped: () => done >= stopAfter, ...change,
  });
}

const text = ({ recordFile }: CampaignOutcome): string => readFileSync(recordFile, 'utf8');
const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
    return 'no error';
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    return `${error.code} ${error.message}`;
  }
};

describe('a campaign', () => {
  test('gives the same record whole, stopped and resumed, and in shards joined', async () => {
    const whole = await campaign('whole');
    expect([whole.left, whole.missing, whole.record.end.counts.pass]).toEqual([0, [], 1]);
    const stopped = await campaign('stopped', { stopAfter: 3 });
    expect([stopped.left, stopped.missing, stopped.record.end.counts.aborted]).toEqual([4, ['3', '4', '5', '6'], 1]);
    expect(text(stopped)).not.toBe(text(whole));
    let ran = 0;
    const resumed = await campaign('stopped', {
      resume: true, pool: inlineUnitPool((unit) => { ran += 1; return squares.serve(options)(unit, () => undefined); }),
    });
    expect([resumed.left, ran]).toEqual([0, 4]);
    expect(text(resumed)).toBe(text(whole));
    const shards = [1, 2, 3].map((part) => ({ part, of: 3 }));
    const parts = await Promise.all(shards.map((shard) => campaign(`shard${shard.part}`, { shard })));
    expect(parts.map(({ left, missing }) => [left, missing.length])).toEqual([[0, 4], [0, 5], [0, 5]]);
    const joined = await joinUnits({ definition: squares, options, header, key: 'k', out: join(folder, 'joined') }, shards.map(({ part }) => join(folder, `shard${part}`)));
    expect(text(joined)).toBe(text(whole));
    const half = await joinUnits({ definition: squares, options, header, key: 'k', out: join(folder, 'half') }, [join(folder, 'shard1')]);
    expect([half.left, half.record.end.counts.aborted]).toEqual([4, 1]);
  });

  test('shards part the units without overlap', () => {
    const units = ['a', 'b', 'c', 'd', 'e'];
    expect([1, 2].map((part) => unitsOf(units, { part, of: 2 }))).toEqual([['a', 'c', 'e'], ['b', 'd']]);
    expect(unitsOf(units, undefined)).toBe(units);
  });

  test('an error of a unit is not swallowed, and what was done is kept', async () => {
    const broken = campaign('broken', { pool: inlineUnitPool((unit) => (unit === '2' ? Promise.reject(new Error('unit 2 broke')) : Promise.resolve(1))) });
    await expect(broken).rejects.toThrow('unit 2 broke');
    expect([...readStore(join(folder, 'broken'), 'k').keys()]).toEqual(['0', '1']);
  });
});

describe('the store', () => {
  test('a last line that was cut off does not count, and is overwritten', () => {
    const out = join(folder, 'torn');
    openStore(out, 'k', false).add({ unit: 'a', result: 1 });
    appendFileSync(join(out, UNITS_FILE), '{"unit":"b","res');
    const store = openStore(out, 'k', true);
    expect([...store.found]).toEqual([['a', 1]]);
    store.add({ unit: 'c', result: 3 });
    expect([...readStore(out, 'k')]).toEqual([['a', 1], ['c', 3]]);
  });

  test('another campaign, another version, a strange line and a missing file are refused, and nothing is lost', async () => {
    const out = join(folder, 'refused');
    openStore(out, 'k', false).add({ unit: 'a', result: 1 });
    expect(await codeOf(() => openStore(out, 'other', true))).toMatch(/^BENCH_OUTPUT .* belongs to another campaign/);
    expect([...readStore(out, 'k')]).toEqual([['a', 1]]);
    appendFileSync(join(out, UNITS_FILE), 'nonsense\n');
    expect(await codeOf(() => readStore(out, 'k'))).toMatch(/^BENCH_OUTPUT .*line 3/);
    writeFileSync(join(out, UNITS_FILE), '{"type":"units","version":9,"key":"k"}\n');
    expect(await codeOf(() => openStore(out, 'k', true))).toMatch(/^BENCH_OUTPUT .*version 9/);
    writeFileSync(join(out, UNITS_FILE), 'nonsense\n');
    expect(await codeOf(() => openStore(out, 'k', true))).toMatch(/^BENCH_OUTPUT .*head/);
    expect(await codeOf(() => readStore(join(folder, 'nowhere'), 'k'))).toMatch(/^BENCH_OUTPUT .*is missing/);
    expect(await codeOf(() => openStore(join(out, UNITS_FILE, 'x'), 'k', false))).toMatch(/^BENCH_OUTPUT .*cannot be written/);
  });
});

describe('the command line', () => {
  const own = { depth: { type: 'string', default: '1' } } as const;

  test('common options and those of the kind', () => {
    const { target, manner, own: mine } = campaignArguments(['x.elf', '--chip', 'c2000', '--depth', '2', '--seed', '7', '--jobs', '3', '--shard', '2/5', '--set', 'a=1'], own);
    expect(target).toEqual({ image: 'x.elf', chip: 'c2000', overrides: ['a=1'], seed: 7, protocol: 'T=1' });
    expect(manner).toMatchObject({ jobs: 3, shard: { part: 2, of: 5 }, resume: false, join: [], out: 'cardbench-out' });
    expect(mine).toEqual({ depth: '2' });
  });

  test.each([
    [['a', 'b']], [['--protocol', 'T=2']], [['--shard', '0/2']], [['--shard', '3/2']], [['--shard', 'x']], [['--jobs', '0']], [['--seed', '-1']],
    [['--nonsense']], [['--join', 'd', '--resume']], [['--join', 'd', '--shard', '1/2']],
  ])('%j is refused', async (argv) => {
    expect(await codeOf(() => campaignArguments(argv, own))).toMatch(/^BENCH_USAGE /);
  });
});

test('progress shows shares, the rate of pieces and the time left', () => {
  const out: string[] = [];
  let now = 0;
  const progress = createProgress({ total: 4, terminal: false, write: (line) => { out.push(line); }, now: () => now });
  now = 2000;
  progress.step(1, 'unit a', 500);
  progress.step(2.5, 'unit b', 1500);
  expect(out).toEqual(['1/4, 6 s left 250/s, unit a\n', '2.5/4, 2 s left 750/s, unit b\n']);
});
