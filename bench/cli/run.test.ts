import { describe, expect, test } from 'vitest';
import { backupDefinitions } from '../../scenarios/index.js';
import { runCommand } from './run.js';

async function run(...argv: string[]): Promise<{ readonly code: number; readonly out: readonly string[]; readonly err: readonly string[] }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCommand(argv, { out: (line) => { out.push(line); }, err: (line) => { err.push(line); }, now: () => 0 });
  return { code, out, err };
}

describe('cardbench run', () => {
  test.each(backupDefinitions.map(({ frame }) => frame.id))('%s, as it is', async (scenario) => {
    const { code, out, err } = await run(scenario);
    expect([code, err, out.at(-1)]).toEqual([0, [], expect.stringContaining(`${scenario}: done at `)]);
  });

  test('variant, key, hash and deletions', async () => {
    expect((await run('2/recover', '--variant', 'common-key', '--delete')).code).toBe(0);
    expect((await run('6/key-recover', '--key', 'seed')).code).toBe(0);
    expect((await run('1/backup', '--hash', 'SHA-1', '--protocol', 'T=0')).code).toBe(0);
  });

  test('what a scenario does not have is refused with code and way out', async () => {
    const { code, err } = await run('8/backup', '--variant', 'common-key');
    expect([code, err.join()]).toEqual([2, expect.stringMatching(/^SCENARIO_OPTIONS: 8\/backup has no variant.*leave it out/)]);
    expect((await run('2/key-backup', '--key', 'seed')).code).toBe(2);
    expect((await run('13/backup')).err[0]).toMatch(/^BENCH_USAGE: SCENARIO: expected 1\/backup/);
  });
});
