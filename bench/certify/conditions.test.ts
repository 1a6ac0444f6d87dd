import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stepCounts } from '../../reports/index.js';
import type { RecordEvent } from '../../reports/index.js';
import { frameOf } from '../../scenarios/index.js';
import { runCampaign } from './campaign.js';
import { certifyOptions } from './options.js';
import { inlinePool } from './pool.js';
import { headerOf, loadSetup } from './setup.js';

const faulty = (name: string): string => fileURLToPath(new URL(`../../devices/firmware/images/faulty/${name}.elf`, import.meta.url));
let folder = '';
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'certify-conditions-')); });
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

async function certify(out: string, ...argv: string[]) {
  const options = certifyOptions(['--chip', 'c2010', '--jobs', '1', '--cuts', '0', '--out', join(folder, out), ...argv]);
  const image = readFileSync(options.image);
  return runCampaign({
    options, header: headerOf(options, image, loadSetup(options, image)), pool: inlinePool(options), stopped: () => false,
    progress: () => ({ step: () => undefined, end: () => undefined }),
  });
}

const points = (...ids: readonly string[]): string[] => ids.flatMap((id) => ['--point', id]);

describe('automatic backup by conditions', () => {
  test('the reference passes, every step with evidence of its own', async () => {
    const { record } = await certify('reference', ...points('11-auto-backup-N-02', '11-auto-backup-N-03', '2-recover-N-80'));
    expect(record.end.counts).toEqual({ pass: 3, fail: 0, invalid: 0, aborted: 0, unsupported: 0 });
    const seen = stepCounts(record).filter(({ embodiment, evidence: { link, safe, mark } }) => embodiment === 11 && link + safe + mark > 0).map(({ step }) => step);
    expect(seen).toEqual(frameOf('11/auto-backup').steps.map(({ id }) => id));
  });

  test('what stands in the way costs no value', async () => {
    const { record } = await certify('trouble', ...points('11-auto-backup-S-30', '11-auto-backup-R-11', '11-auto-backup-L-32', '11-auto-backup-O-03', '11-auto-backup-P-04', '11-wallet-X-04'));
    expect(record.end.counts).toEqual({ pass: 6, fail: 0, invalid: 0, aborted: 0, unsupported: 0 });
  });

  test('the terminal makes room, or suspends with the shortage shown; nothing starts that has no cause', async () => {
    const { record } = await certify('terminal', ...points('11-terminal-M-01', '11-terminal-M-02', '11-terminal-M-10', '11-terminal-M-15', '11-terminal-N-01', '11-terminal-N-08', '11-terminal-X-09'));
    expect(record.end.counts).toEqual({ pass: 7, fail: 0, invalid: 0, aborted: 0, unsupported: 0 });
  });

  test.each([
    ['extract-ignores-period', '11-auto-backup-N-07', '0', '$A: the value is absent, expected active'],
    ['extract-ignores-period', '11-terminal-N-08', '0', undefined],
    ['deletes-before-certificate', '11-wallet-X-11', '0', 'I5: pending value'],
    ['condition-in-place', '11-condition-Z-01', '30', 'the store is neither as before nor as after'],
  ])('%s and %s', async (name, point, cuts, reason) => {
    const { record } = await certify(`${name}-${point}`, faulty(name), ...points(point), '--cuts', cuts);
    const verdict = record.events.find((event): event is Extract<RecordEvent, { type: 'verdict' }> => event.type === 'verdict');
    /** A point that has nothing to do with the fault is passed by the faulty build too. */
    expect(verdict?.verdict).toBe(reason === undefined ? 'pass' : 'fail');
    if (reason !== undefined) expect(verdict?.reasons.join('\n')).toContain(reason);
  });
});
