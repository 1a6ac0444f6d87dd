import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stepCounts } from '../../reports/index.js';
import type { RecordEvent } from '../../reports/index.js';
import { frameOf } from '../../scenarios/index.js';
import { certifyInto, faultyPath as faulty, points } from './testing/certify.js';

let folder = '';
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'certify-conditions-')); });
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

const certify = (out: string, ...argv: string[]) => certifyInto(join(folder, out), ...argv);

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
