import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { RecordEvent } from '../../reports/index.js';
import { referenceImage } from '../certify/options.js';
import { TEAR_USAGE, tearCommand } from '../cli/tear.js';
import type { CertifyIo } from '../cli/certify.js';
import { tearDefinition } from './definition.js';
import type { TearOptions, TearResult } from './definition.js';
import { expandPolicies } from './policies.js';
import { isSimpler, rankOf } from './tally.js';

const options: TearOptions = {
  image: referenceImage, chip: 'c2010', overrides: [], seed: 1, protocol: 'T=1', points: ['1-recover-Z-01'], depth: 1, policies: ['new', 'unstable'],
  cells: [1], sample: 60, failures: 0,
};
const image = (name: string): string => fileURLToPath(new URL(`../../devices/firmware/images/${name}.elf`, import.meta.url));

async function results(of: TearOptions, order: (units: readonly string[]) => readonly string[]): Promise<{ unit: string; result: TearResult }[]> {
  const units = await tearDefinition.units(of);
  const serve = tearDefinition.serve(of);
  const found = new Map<string, TearResult>();
  for (const unit of order(units)) found.set(unit, await serve(unit, () => undefined));
  return units.filter((unit) => found.has(unit)).map((unit) => ({ unit, result: found.get(unit) as TearResult }));
}

const verdictOf = (events: readonly RecordEvent[]): string => events.flatMap((event) => (event.type === 'verdict' ? [`${event.verdict}: ${event.reasons.join('; ')}`] : [])).join();

describe('a campaign of power cuts', () => {
  test('gives the same results in any order of units, and passes only when all were run', async () => {
    const forward = await results(options, (units) => units);
    const backward = await results(options, (units) => units.toReversed());
    expect(backward).toEqual(forward);
    const events = tearDefinition.events(options, forward, []);
    expect(verdictOf(events)).toBe('pass: ');
    const coverage = events.find((event) => event.type === 'coverage');
    expect(coverage).toMatchObject({ cycles: 60, intervals: 60, skipped: 0 });
    const [first, ...rest] = forward;
    expect(verdictOf(tearDefinition.events(options, rest, [first.unit]))).toBe(`aborted: 1 of ${forward.length} parts were not run`);
  });

  test('a broken invariant fails with step, simplest case and replay line, whatever else was not run', async () => {
    const faulty = { ...options, image: image('faulty/value-before-certificate'), points: ['1-backup-Z-01'], sample: 150, policies: ['new'], failures: 3 };
    const found = await results(faulty, (units) => units);
    const events = tearDefinition.events(faulty, found.slice(1), [found[0].unit]);
    expect(verdictOf(events)).toMatch(/^fail: I\d+ broken by a cut after step 1-13: .*simplest cut:[0-9a-f]{8}:c2010:T=1:1:1-backup-Z-01[^:]*:\d+:(strong|new)\)/);
    const verdict = events.find((event) => event.type === 'verdict');
    expect(verdict).toMatchObject({ step: '1-13', replay: expect.stringMatching(/^cardbench replay cut:\S+ value-before-certificate\.elf --chip c2010$/) as string });
  });

  test('a firmware that cannot be brought to the phase is aborted, not passed', async () => {
    const link = { ...options, image: image('link'), sample: 1 };
    expect(verdictOf(tearDefinition.events(link, await results(link, (units) => units), []))).toMatch(/^aborted: \w+: /);
  });
});

describe('policies', () => {
  test('families become one policy for each cell or seed, and one for all where no cell is weak', () => {
    expect(expandPolicies(['new', 'flip', 'random', 'unstable'], 2).map(({ name }) => name)).toEqual([
      'new', 'flip-0', 'flip-1', ...Array.from({ length: 8 }, (_, i) => `random-${i + 1}`), 'unstable-1',
    ]);
    expect(expandPolicies(['new', 'flip'], 0).map(({ name }) => name)).toEqual(['strong']);
    expect(expandPolicies(['random-3'], 1)[0].first).toEqual({ kind: 'random', seed: 3 });
  });

  test('one cut is simpler than two, then the policy counts, then the cycle', () => {
    const ranks = [rankOf(['new'], [9]), rankOf(['old'], [1]), rankOf(['old'], [2]), rankOf(['random'], [1]), rankOf(['new', 'new'], [1, 1])];
    expect(ranks.slice(1).every((rank, i) => isSimpler(ranks[i], rank) && !isSimpler(rank, ranks[i]))).toBe(true);
  });
});

test.each([
  ['--scenario', '13/backup'], ['--point', 'nowhere'], ['--policies', 'odd'], ['--depth', '3'], ['--cells', 'x'], ['--sample', '0'], ['--failures', '-1'],
])('cardbench tear %s %s is refused with the usage', async (...argv) => {
  const errors: string[] = [];
  const io: CertifyIo = {
    out: () => undefined, err: (line) => { errors.push(line); }, now: () => 0, terminal: false, colour: false, progress: () => undefined, onInterrupt: () => () => undefined,
  };
  expect(await tearCommand(argv, io)).toBe(2);
  expect([errors[0].startsWith('BENCH_USAGE: '), errors.at(-1)]).toEqual([true, TEAR_USAGE]);
});
