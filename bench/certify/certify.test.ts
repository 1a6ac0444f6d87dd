import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseRecord, stepCounts } from '../../reports/index.js';
import { basicScenarioIds, planPoint } from '../../scenarios/index.js';
import { certifyCommand } from '../cli/certify.js';
import type { CertifyIo } from '../cli/certify.js';
import { chosenPoints, exitCodeOf } from './campaign.js';
import { certifyOptions, referenceFor, replayLine } from './options.js';
import { certifyInto, faultyPath as faulty } from './testing/certify.js';

let folder = '';
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'certify-')); });
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

function io(): CertifyIo & { readonly lines: string[]; readonly errors: string[] } {
  const [lines, errors]: [string[], string[]] = [[], []];
  return {
    lines, errors, terminal: false, colour: false, now: () => 0, progress: () => undefined, onInterrupt: () => () => undefined,
    out: (line) => { lines.push(line); }, err: (line) => { errors.push(line); },
  };
}

const certify = (out: string, ...argv: string[]) => certifyInto(join(folder, out), ...argv);

describe('cardbench certify', () => {
  test.each([
    ['c2000', 'T=0'], ['c2000', 'T=1'], ['c2010', 'T=0'], ['c2010', 'T=1'], ['modern', 'T=0'], ['modern', 'T=1'],
  ])('the reference passes its nominal points on %s over %s, every step with evidence', async (chip, protocol) => {
    const { record } = await certify(`ref-${chip}-${protocol}`, '--chip', chip, '--protocol', protocol, ...basicScenarioIds.flatMap((id) => ['N-01', 'N-1'].flatMap((point) => ['--point', `${id.replace('/', '-')}-${point}`])));
    expect(record.end.counts).toEqual({ pass: 16, fail: 0, invalid: 0, aborted: 0, unsupported: 0 });
    const numbered = stepCounts(record).filter(({ step }) => !step.startsWith('claim'));
    expect(numbered).toHaveLength(85);
    expect(numbered.filter(({ evidence: { link, safe, mark } }) => link + safe + mark === 0)).toEqual([]);
  });

  test('the same seed gives the same record byte for byte, another seed another one', async () => {
    const text = async (out: string, seed: string): Promise<string> =>
      readFileSync((await certify(out, '--seed', seed, '--point', '2-backup-N-01', '--point', '2-backup-R-07', '--point', '2-recover-A-05')).recordFile, 'utf8');
    const [one, two, three] = [await text('a', '1'), await text('b', '1'), await text('c', '2')];
    expect(two).toBe(one);
    expect(three).not.toBe(one);
    expect(parseRecord(one).end.counts.pass).toBe(3);
  });

  test('PIN digits and wrapped keys are in no record', async () => {
    const { recordFile } = await certify('secret', '--point', '2-key-backup-N-01', '--point', '2-key-recover-N-01');
    const text = readFileSync(recordFile, 'utf8');
    expect(text).not.toContain('323436383130');
    expect(text).toContain('"command":"00200001');
  });

  test('what a firmware does not claim is unsupported, and nothing else', async () => {
    const ics = join(folder, 'ics.yaml');
    writeFileSync(ics, 'supports: [embodiment-1, T=1, trace-port]\n');
    const { record } = await certify('ics', '--ics', ics, '--point', '1-backup-N-01', '--point', '2-backup-N-01', '--point', '1-backup-R-01');
    expect(record.end.counts).toMatchObject({ pass: 1, unsupported: 2, fail: 0 });
  });

  test.each([
    ['no-hash-compare', '2-backup-A-02', '1-15'],
    ['no-digest-compare', '2-backup-A-01', '1-15'],
    ['no-safe-signature', '2-backup-A-09', '1-15'],
    ['foreign-certificate', '2-backup-A-14', '1-15'],
    ['short-hash', '2-backup-A-03', '1-15'],
    ['sequence-reused', '1-backup-O-09', 'get-data'],
    ['full-is-success', '1-backup-M-01', '1-8'],
    ['delete-pending', '2-wallet-W-05', 'delete'],
    ['use-deposited', '2-wallet-W-03', 'use'],
    ['stale-list', '1-recover-O-10', 'list'],
    ['not-spent', '1-recover-O-04', 'recover-begin'],
    ['no-own-signature', '2-recover-A-06', '2-12'],
    ['early-receipt', '1-recover-O-07', 'get-receipt'],
    ['pin-after-compare', '2-pin-P-09', 'verify'],
    ['key-beside-value', '3-apart-O-01', 'key-register-begin'],
    ['value-beside-key', '3-apart-O-02', 'register-end'],
    ['seed-stays', '7-seed-backup-N-01', '1-7'],
    ['seed-other-version', '7-seed-recover-N-01', '3-7'],
    ['value-before-certificate', '1-backup-Z-01', undefined],
    ['index-before-data', '2-backup-Z-01', undefined],
  ])('the faulty build %s fails at %s', async (name, pattern, step) => {
    const { record } = await certify(`f-${name}`, faulty(name), '--cuts', '150', '--point', pattern);
    const failed = record.events.flatMap((event) => (event.type === 'verdict' && event.verdict === 'fail' ? [event] : []));
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.every(({ reasons, clause }) => reasons.length > 0 && clause.length > 0)).toBe(true);
    if (step !== undefined) expect(failed.map((event) => event.step)).toContain(step);
    else expect(failed[0].reasons.join()).toMatch(/I\d+: .*cut:/);
    expect(exitCodeOf(record.end.counts, true)).toBe(1);
  });

  test.each([
    [['a.elf', 'b.elf'], 'BENCH_USAGE'],
    [['--protocol', 'T=2'], 'BENCH_USAGE'],
    [['--seed', 'x'], 'BENCH_USAGE'],
    [['--nonsense'], 'BENCH_USAGE'],
    [['--ics', 'nowhere.yaml'], 'BENCH_USAGE'],
    [['--point', 'Z-99'], 'BENCH_USAGE'],
    [['--point', 'N-01', '--from', '2-backup-A-01'], 'BENCH_USAGE'],
    [['nowhere.elf'], 'BENCH_IMAGE'],
    [['--chip', 'c1999'], 'PROFILE'],
    [['--set', 'ram.bites=4'], 'PROFILE'],
  ])('%j is refused with a code and exit code 2', async (argv, code) => {
    const to = io();
    expect(await certifyCommand([...argv, '--out', join(folder, 'refused')], to)).toBe(2);
    expect(to.errors[0]).toContain(code);
    expect(to.lines).toEqual([]);
  });

  test('an image that is no card firmware is aborted, never passed', async () => {
    const other = fileURLToPath(new URL('../../emulator/testing/images/crypto.elf', import.meta.url));
    const { record } = await certify('other', other, '--point', '1-backup-N-01');
    expect(record.end.counts).toMatchObject({ pass: 0, aborted: 1 });
    expect(exitCodeOf(record.end.counts, true)).toBe(3);
  });

  test('points are chosen by pattern and first point', () => {
    const ids = (points: string[], from?: string): string[] => chosenPoints({ points, from, cuts: 0 }).map(({ id }) => id);
    expect(ids(['1-backup-N-0'])).toEqual(['1-backup-N-01', '1-backup-N-02', '1-backup-N-03']);
    expect(ids(['1-backup-N-0'], '1-backup-N-02')).toEqual(['1-backup-N-02', '1-backup-N-03']);
    const second = chosenPoints({ points: ['Z-02'], from: undefined, cuts: 1 }).map(({ id }) => id);
    expect(second.filter((id) => !id.endsWith('-Z-02'))).toEqual([]);
    expect(second).toEqual(expect.arrayContaining(['1-backup-Z-02', '8-recover-Z-02', 'twin-1-promote-Z-02']));
    expect(planPoint('1-backup-N-01').scenario).toBe('1/backup');
  });

  test('the image that is certified by default is the one that the chip can hold', () => {
    expect(referenceFor('c2010')).toMatch(/card\.elf$/);
    expect(referenceFor('c2000')).toMatch(/card-small\.elf$/);
    expect(referenceFor('c2000', ['crypto.present=false'])).toMatch(/card\.elf$/);
    expect(referenceFor('no such chip')).toMatch(/card\.elf$/);
    const options = certifyOptions(['--chip', 'c2000']);
    expect(options.image).toBe(referenceFor('c2000'));
    expect(replayLine(options, 'p')).toContain('certify --chip c2000');
  });
});
