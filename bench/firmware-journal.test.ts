import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'devices', 'firmware', 'hosttest');
const missing = ['gcc', 'make'].filter((tool) => spawnSync(tool, ['--version']).status !== 0);
const title = missing.length > 0
  ? `journal on the host (skipped: no ${missing.join(', no ')}; enable with: bash .ci/system-packages)`
  : 'journal on the host';

/** Half width of the weak zone and spread of the cells' moments; the last makes nearly every cell weak at once. */
const models = [['0.03', '0.12'], ['0.12', '0.05'], ['0.3', '0.05'], ['0.6', '0.05']] as const;

describe.skipIf(missing.length > 0)(title, () => {
  let out: string;

  beforeAll(() => {
    out = mkdtempSync(join(tmpdir(), 'cardbench-journal-'));
  });

  afterAll(() => {
    rmSync(out, { recursive: true, force: true });
  });

  const build = (fault: string): string => {
    execFileSync('make', ['-s', `OUT=${out}`, `FAULT=${fault}`], { cwd: folder, stdio: 'pipe', timeout: 60_000 });
    return join(out, `journal${fault}`);
  };
  const run = (program: string, seed: number, weak: string, spread: string): { status: number | null; line: string } => {
    const result = spawnSync(program, [String(seed), '3000', weak, spread], { encoding: 'utf8', timeout: 60_000 });
    return { status: result.status, line: result.stdout.trim() };
  };

  test.each(models)('random cuts, weak zone %s, spread %s: every change whole or absent', (weak, spread) => {
    const { status, line } = run(build(''), 1, weak, spread);
    expect(line).toMatch(/^committed \d{3,}, cut \d{4}, cut in recovery \d{4}, worn \d{3,}$/);
    expect(status).toBe(0);
  });

  test.each([
    ['NO_JOURNAL', 'a change is partial'],
    ['JOURNAL_ENDS_EARLY', 'a change is partial'],
    ['NO_REFRESH', 'a boot without a command changed the state'],
    ['REFRESH_ERASES', 'a change is partial'],
    ['RECOVERY_ENDS_EARLY', 'a change is partial'],
    ['JOURNAL_NOT_CLEARED', 'a change is partial'],
    ['COMMIT_WORD', 'a change is partial'],
    ['TARGET_NOT_REWRITTEN', 'a boot without a command changed the state'],
  ])('the fuzz finds the fault %s', (fault, what) => {
    const program = build(fault);
    const lines = models.flatMap(([weak, spread]) => [1, 2, 3].map((seed) => run(program, seed, weak, spread).line));
    expect(lines.filter((line) => line.startsWith('breach:')).length).toBeGreaterThan(0);
    expect(lines.join('\n')).toContain(what);
  });
});
