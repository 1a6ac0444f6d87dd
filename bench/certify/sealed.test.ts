import { describe, expect, test } from 'vitest';
import { loadProfile } from '../../emulator/index.js';
import { capabilities, plan, planPoint } from '../../scenarios/index.js';
import type { Capability, PlanPoint } from '../../scenarios/index.js';
import { firmwareImage } from '../firmware/faulty.js';
import { WorldFactory } from './factory.js';
import { runPoint } from './point.js';

const factories = new Map<string | undefined, WorldFactory>();
function factoryOf(build: string | undefined): WorldFactory {
  const known = factories.get(build) ?? new WorldFactory({ image: firmwareImage(build), profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' });
  factories.set(build, known);
  return known;
}

/** What the campaign says of a point: `pass`, `unsupported`, or the step at which it failed and why. */
async function said(build: string | undefined, point: PlanPoint, offered: readonly Capability[] = capabilities): Promise<string> {
  const { judgement } = await runPoint(point, { factory: factoryOf(build), offered, replay: () => '' });
  if (judgement.verdict === 'pass') return 'pass';
  return `${judgement.verdict} at ${'step' in judgement ? judgement.step : ''}: ${judgement.reasons.join('; ')}`;
}

const own = plan.filter(({ needs }) => needs.includes('sealed-traffic'));

describe('embodiment 3 with everything past the terminal sealed', () => {
  test('a firmware that does not claim it has it unsupported, and embodiment 3 is as it was', async () => {
    const without = capabilities.filter((one) => one !== 'sealed-traffic');
    expect(await said(undefined, planPoint('3-backup-N-200'), without)).toContain('needs sealed-traffic');
    expect(await said(undefined, planPoint('3-backup-N-01'), without)).toBe('pass');
    expect(own.every(({ id }) => /^3-(backup|recover)-[A-Z]-[2-9]\d\d$|^3-sealed-O-/.test(id))).toBe(true);
    expect(plan.filter(({ embodiment, needs }) => embodiment === 3 && !needs.includes('sealed-traffic')).every(({ run }) => run.run !== 'scenario' || run.options.sealed === undefined)).toBe(true);
  });

  test('a card without the memory for it refuses and has nothing changed, and works in clear', async () => {
    const factory = new WorldFactory({ image: firmwareImage(undefined), profile: loadProfile('c2010', ['ram.bytes=3328']), seed: 1, protocol: 'T=1' });
    const { judgement } = await runPoint(planPoint('3-backup-N-200'), { factory, offered: capabilities, replay: () => '' });
    expect(judgement.reasons[0]).toMatch(/^ended in refused at 1-7 with 6A84/);
    expect(judgement.reasons).toContain('$item: the value is active, expected deposited');
    expect((await runPoint(planPoint('3-backup-N-01'), { factory, offered: capabilities, replay: () => '' })).judgement.verdict).toBe('pass');
  });

  test('negative points are at least as many as positive ones', () => {
    const of = (group: RegExp): number => own.filter(({ id }) => group.test(id)).length;
    expect(of(/-N-/)).toBe(16);
    expect(of(/-X-/)).toBeGreaterThanOrEqual(30);
  });

  test.each(own.filter(({ id }) => /-[NXO]-/.test(id)).map((point) => [point.id, point] as const))('%s', async (_, point) => {
    expect(await said(undefined, point)).toBe('pass');
  });

  test.each([
    ['path-plain', '3-backup-N-200', /at 1-9: .*the content of the request is registered, expected sealed/],
    ['owner-any-reply', '3-recover-X-200', /at 2-12: ended in done .*expected refused/],
    ['owner-any-reply', '3-recover-X-212', /at 2-12: ended in done .*expected refused/],
    ['owner-not-spent', '3-recover-N-201', /I4: value \w+ is active and its certificate \d+ is stored/],
    ['value-beside-key', '3-sealed-O-02', /register-begin was answered 9000, expected 6985/],
  ] as const)('the faulty build %s is caught at %s', async (build, id, words) => {
    expect(await said(build, planPoint(id))).toMatch(words);
  });
});

describe('embodiment 12 with a value that went sealed', () => {
  test('the paired safe does not give it to the key safe in clear: SAFE_PEER', async () => {
    const model = planPoint('12-recover-N-01');
    const before = (model.prepare.before ?? []).map((run) => (run.scenario === '12/backup' ? { ...run, scenario: '3/backup' as const, options: { ...run.options, sealed: true } } : run));
    expect(before.map(({ scenario }) => scenario)).toContain('3/backup');
    const point: PlanPoint = { ...model, prepare: { ...model.prepare, before }, expect: { ...model.expect, end: ['refused'], safeCode: ['SAFE_PEER'], card: { is: 'described', items: [{ item: '$item', certificate: 'recovering' }] }, retry: 'none' } };
    expect(await said(undefined, point)).toBe('pass');
  });
});
