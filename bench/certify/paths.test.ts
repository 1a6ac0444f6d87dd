import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pathCoverageOf, summary } from '../../reports/index.js';
import type { CompleteRecord } from '../../reports/index.js';
import { transitionsOf, backupDefinition } from '../../scenarios/index.js';
import { PathCoverage } from './coverage.js';
import { certifyInto } from './testing/certify.js';

let folder = '';
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'paths-')); });
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

const certify = async (out: string, ...argv: string[]): Promise<CompleteRecord> => (await certifyInto(join(folder, out), ...argv)).record;

const verdicts = (record: CompleteRecord): string[] => record.events.flatMap((event) => (event.type === 'verdict' ? [`${event.point} ${event.verdict}`] : []));

test('paths taken up at every boundary end where the model foresees it on the emulated card, and their transitions are counted', async () => {
  const record = await certify('up', '--paths', '--point', '2-recover-Y-*-done', '--point', '2-recover-Y-2-11-link*');
  expect(record.end.counts).toMatchObject({ fail: 0, invalid: 0, aborted: 0, unsupported: 0 });
  expect(record.end.counts.pass).toBeGreaterThan(12);
  const found = pathCoverageOf(record).find(({ scenario }) => scenario === '2/recover');
  const open = (found?.open ?? []).map(({ transition }) => transition);
  expect(['start: 2-5', 'start: 2-9', 'start: 2-11', 'start: claim-26-safe', '2-4: reached', '2-4: reachedWhole', '2-13: link'].filter((name) => open.includes(name))).toEqual([]);
  expect(found?.open).toContainEqual({ transition: '2-9: aborted', why: 'only a broken bench takes' });
  expect((found?.taken ?? 0) + open.length).toBe(transitionsOf(backupDefinition('2/recover').machine).length);
  expect(summary(record)).toMatch(/\n2\/recover: \d+ of 114 transitions taken\n/);
});

test('without --paths there are no such points and no such lines', async () => {
  const record = await certify('none', '--point', '2-recover-N-01');
  expect(record.events.filter(({ type }) => type === 'path' || type === 'paths')).toEqual([]);
  await expect(certify('none', '--point', '2-recover-Y')).rejects.toThrow('no point fits');
});

test('a faulty build fails on a path', async () => {
  const image = fileURLToPath(new URL('../../devices/firmware/images/faulty/not-spent.elf', import.meta.url));
  const record = await certify('faulty', image, '--paths', '--point', '1-recover-Y-2-9-done');
  expect(verdicts(record)).toContain('1-recover-Y-2-9-done fail');
});

test('what was never taken is open, with the reason', () => {
  const coverage = new PathCoverage();
  coverage.take({ type: 'path', point: 'x', scenario: '1/backup', took: ['start: next', '1-1: next', '1-1: next'] });
  const [first, second] = coverage.events();
  expect(first).toMatchObject({ scenario: '1/backup', transitions: 98, taken: 2 });
  expect(second.taken).toBe(0);
  expect(new Set(second.open.map(({ why }) => why))).toEqual(new Set([
    'not provoked', 'only a broken bench takes', 'only a card that breaks the protocol takes', 'no answer of the safe ends there',
  ]));
});
