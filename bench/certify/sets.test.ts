import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stepCounts } from '../../reports/index.js';
import type { RecordEvent } from '../../reports/index.js';
import { frameOf } from '../../scenarios/index.js';
import { certifyInto, faultyPath as faulty, points } from './testing/certify.js';

const scenarios = ['4/backup', '4/recover', '5/backup', '5/recover', '6/backup', '6/recover', '6/key-backup', '6/key-recover'] as const;
let folder = '';
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'certify-sets-')); });
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

const certify = (out: string, ...argv: string[]) => certifyInto(join(folder, out), ...argv);

describe('pieces, bundles and key parts', () => {
  test('the reference passes, every named state with evidence of its own', async () => {
    const { record } = await certify('reference', ...points('4-backup-N-01', '4-recover-N-06', '5-backup-N-01', '5-recover-N-02', '6-backup-N-03', '6-recover-N-03', '6-key-backup-N-02', '6-key-recover-N-05'));
    expect(record.end.counts).toEqual({ pass: 8, fail: 0, invalid: 0, aborted: 0, unsupported: 0 });
    const seen = stepCounts(record).filter(({ evidence: { link, safe, mark } }) => link + safe + mark > 0)
      .map(({ embodiment, phase, step }) => `${embodiment}/${phase} ${step}`);
    const due = scenarios.flatMap((id) => frameOf(id).steps.map((step) => `${id} ${step.id}`));
    expect(due.filter((name) => !seen.includes(name))).toEqual([]);
  });

  test('a lost, altered or cut exchange of a set is no loss', async () => {
    const { record } = await certify('trouble', ...points('4-backup-R-04', '4-backup-S-01', '4-recover-A-01', '4-recover-R-03', '5-backup-R-01', '5-recover-R-01', '6-key-recover-A-01', '6-backup-S-02', '6-backup-R-09', '6-backup-X-01', '6-recover-A-01', '6-recover-R-04', '6-recover-W-01'));
    expect(record.end.counts).toEqual({ pass: 13, fail: 0, invalid: 0, aborted: 0, unsupported: 0 });
  });

  test.each([
    ['piece-deposits', '4-backup-N-01', 'I2', '1-9@piece2'],
    ['pieces-not-spent', '4-recover-N-01', 'I4', '2-15@all'],
    ['bundle-early', '5-backup-S-01', 'I2', '1-10@all'],
    ['bundle-not-spent', '5-recover-N-01', 'I4', '2-15@all'],
    ['part-is-key', '6-key-backup-N-01', 'I8', '3-11@part3'],
    ['part-suffices', '6-key-backup-K-01', 'I8', '3-10@part2'],
    ['coupled-early', '6-backup-S-01', 'I2', '1-10@all'],
    ['coupled-counts-early', '6-backup-K-03', 'I8', '3-10@part3'],
  ])('%s is caught by %s: %s at %s', async (name, point, invariant, step) => {
    const { record } = await certify(name, faulty(name), ...points(point));
    expect(record.end.counts).toMatchObject({ pass: 0, fail: 1 });
    const found = record.events.filter((event): event is Extract<RecordEvent, { type: 'finding' }> => event.type === 'finding');
    expect(found.map((event) => event.invariant)).toContain(invariant);
    const verdict = record.events.find((event) => event.type === 'verdict');
    expect(verdict).toMatchObject({ verdict: 'fail', step });
  });

  test('a seed in parts: the reference passes, with the fault of a safe, a certificate and the power too', async () => {
    const { record } = await certify('seed', ...points('6-key-backup-N-08', '6-key-backup-S-03', '6-key-backup-A-04', '6-key-backup-R-04', '6-key-recover-N-07', '6-key-recover-X-01', '2-recover-N-71'));
    expect(record.end.counts).toEqual({ pass: 7, fail: 0, invalid: 0, aborted: 0, unsupported: 0 });
  });

  test.each([
    ['seed-part-suffices', '6-key-backup-N-07', '3-4@part2'],
    ['seed-parts-stay', '6-key-backup-N-07', '3-11@part3'],
    ['seed-other-version', '6-key-recover-N-06', '4-14@all'],
  ])('%s is caught by %s at %s', async (name, point, step) => {
    const { record } = await certify(name, faulty(name), ...points(point));
    expect(record.events.filter((event) => event.type === 'verdict')).toMatchObject([{ point, verdict: 'fail', step }]);
  });

  test('coupled-no-part is caught by 6-recover-N-01: the key cannot be put together', async () => {
    const { record } = await certify('coupled-no-part', faulty('coupled-no-part'), ...points('6-backup-N-01', '6-recover-N-01'));
    expect(record.events.filter((event) => event.type === 'verdict')).toMatchObject([{ point: '6-backup-N-01', verdict: 'pass' }, { point: '6-recover-N-01', verdict: 'fail', step: '4-12@all' }]);
  });
});
