import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stepCounts } from '../../reports/index.js';
import type { MatrixEvent, PointRelatedEvent, RecordEvent } from '../../reports/index.js';
import { frameOf, plan, planPoint } from '../../scenarios/index.js';
import { Matrix } from './matrix.js';
import { certifyInto, faultyPath as faulty, points } from './testing/certify.js';

const scenarios = ['12/backup', '12/key-backup', '12/recover', '12/renew'] as const;
let folder = '';
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'certify-talk-')); });
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

const certify = (out: string, ...argv: string[]) => certifyInto(join(folder, out), ...argv);
const ofType = <T extends RecordEvent['type']>(events: readonly RecordEvent[], type: T) =>
  events.filter((event): event is Extract<RecordEvent, { type: T }> => event.type === type);

describe('two safes that talk', () => {
  test('the reference passes, every named state with evidence of its own, the claims with theirs', async () => {
    const { record } = await certify('reference', ...points(...scenarios.map((id) => `${id.replace('/', '-')}-N-01`)));
    expect(record.end.counts).toEqual({ pass: 4, fail: 0, invalid: 0, aborted: 0, unsupported: 0 });
    const seen = stepCounts(record).filter(({ evidence: { link, safe, mark } }) => link + safe + mark > 0)
      .map(({ embodiment, phase, step }) => `${embodiment}/${phase} ${step}`);
    const due = scenarios.flatMap((id) => frameOf(id).steps.map((step) => `${id} ${step.id}`));
    expect(due.filter((name) => !seen.includes(name))).toEqual([]);
    const matrix = new Matrix();
    for (const id of scenarios.map((scenario) => `${scenario.replace('/', '-')}-N-01`))
      matrix.take(planPoint(id), record.events.filter((event): event is PointRelatedEvent => 'point' in event && event.point === id));
    const rows = matrix.events(['embodiment-12'], 'reference').filter((event): event is MatrixEvent => event.type === 'matrix');
    const claims = rows.filter(({ row, id }) => row === 'claim' && ['22', '23', '43', '44'].includes(id));
    expect(claims.map(({ id, verdict, reconstructed, claimed }) => [id, verdict, reconstructed, claimed])).toEqual([
      ['22', 'pass', true, true], ['23', 'pass', true, true], ['43', 'pass', false, true], ['44', 'pass', false, true],
    ]);
    const states = rows.filter(({ row, scenarios: [first] }) => row === 'state' && first?.startsWith('12/'));
    expect(states).toHaveLength(due.length);
    expect(states.every(({ verdict }) => verdict === 'pass')).toBe(true);
  });

  test('the passwords of owners are in no record', async () => {
    const { recordFile } = await certify('secrets', ...points('12-recover-X-20', '12-recover-N-01'));
    const text = readFileSync(recordFile, 'utf8');
    expect(text).toContain('SAFE_OWNER_WRONG');
    for (const secret of ['heron', 'heroes', Buffer.from('seven quiet').toString('hex')]) expect(text.toLowerCase()).not.toContain(secret);
  });

  test('at least as many points that go wrong as ones that go well', () => {
    const of = plan.filter(({ embodiment }) => embodiment === 12).map(({ id }) => id);
    const well = of.filter((id) => id.includes('-N-'));
    const wrong = of.filter((id) => /-[XSO]-/.test(id));
    expect(well.length).toBeGreaterThanOrEqual(10);
    expect(wrong.length).toBeGreaterThanOrEqual(well.length);
  });

  test.each([
    ['renewal-same-key', '12-renew-N-01', undefined, '3-4'],
    ['renewal-deletes-first', '12-renew-S-03', 'I6', '3-5@safe2'],
  ])('%s is caught by %s: %s at %s', async (name, point, invariant, step) => {
    const { record } = await certify(name, faulty(name), ...points(point));
    expect(record.end.counts).toMatchObject({ pass: 0, fail: 1 });
    const [verdict] = ofType(record.events, 'verdict');
    expect(verdict).toMatchObject({ verdict: 'fail', step });
    if (invariant === undefined) expect(verdict.reasons.join()).toContain('the card registers the former key again');
    else expect(ofType(record.events, 'finding').map((event) => event.invariant)).toContain(invariant);
  });
});
