import { describe, expect, test } from 'vitest';
import { basicScenarioIds } from '../catalogue/basic.js';
import { frames } from '../catalogue/registry.js';
import { ScenarioError } from '../errors.js';
import { checkPlan, clauseText, missingFor, placesOfFault, plan, planPoint, selectPoints } from './plan.js';
import { samples } from './samples.js';
import type { PlanPoint } from './types.js';

const codeOf = (act: () => unknown): string => {
  try { act(); } catch (error) { if (error instanceof ScenarioError) return error.code; }
  return 'nothing thrown';
};

const faults = (kind: string): PlanPoint[] => plan.filter((point) => point.fault?.fault === kind);

describe('test plan', () => {
  test('is sound', () => {
    expect(codeOf(() => { checkPlan(plan); })).toBe('nothing thrown');
  });

  test('is plain data', () => {
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  test('has points for each scenario: nominal, altered, safe, reset, link, repeated', () => {
    for (const scenario of basicScenarioIds)
      for (const group of ['N', 'A', 'S', 'R', 'L', 'T'])
        expect([scenario, group, plan.some(({ id }) => id.startsWith(`${scenario.replace('/', '-')}-${group}-`))]).toEqual([scenario, group, true]);
    expect(plan.length).toBeGreaterThanOrEqual(75);
  });

  test('resets the card after every step of the catalogue', () => {
    const after = faults('reset').filter(({ fault, embodiment }) => [1, 2, 3, 7].includes(embodiment) && fault?.fault === 'reset' && fault.kind === 'cold' && !fault.after.startsWith('claim'));
    expect(after).toHaveLength(frames.filter(({ system, embodiment }) => system === 'backup' && [1, 2, 3, 7].includes(embodiment)).reduce((sum, { steps }) => sum + steps.length, 0));
  });

  test('uses every kind of fault', () => {
    expect(new Set(plan.flatMap(({ fault }) => fault?.fault ?? []))).toEqual(new Set(['alter', 'swap', 'safe', 'reset', 'link', 'repeat', 'pin', 'memory', 'apdu', 'meanwhile', 'replay', 'skip', 'peer', 'owner']));
  });

  test('marks every use of a legacy hash', () => {
    const legacy = plan.filter(({ run }) => JSON.stringify(run).includes('SHA-1') && !JSON.stringify(run).includes('6A80'));
    expect(legacy.length).toBeGreaterThan(2);
    expect(legacy.filter(({ flags }) => flags.length === 0).map(({ id }) => id)).toEqual([]);
  });

  test('covers claims 1 to 6 and 20 to 28 as far as embodiments 1 and 2 have them', () => {
    const claims = new Set(plan.flatMap(({ clause }) => clause.claims));
    expect([1, 2, 3, 4, 5, 6, 20, 21, 24, 25, 26, 27, 28].filter((claim) => !claims.has(claim))).toEqual([]);
  });

  test('each command of protocol.md 2.1 for the operational card is sent by some point', () => {
    const all = JSON.stringify(plan);
    const names = ['select', 'verify', 'change-pin', 'get-data', 'list-values', 'register-begin', 'register-end', 'list-certificates', 'recover-begin',
      'recover-end', 'key-register-begin', 'get-receipt', 'delete', 'cancel', 'read', 'use', 'list', 'load', 'correct', 'generate-key', 'delete-key'];
    expect(names.filter((name) => !all.includes(`"do":"${name}"`))).toEqual([]);
  });
});

describe('finding points', () => {
  test('by id, by pattern, all', () => {
    expect(planPoint('2-backup-N-01').title).toBe('a value is encrypted, signed and registered (public-key variant)');
    expect(selectPoints(['1-backup-N-0*']).map(({ id }) => id)).toEqual(['1-backup-N-01', '1-backup-N-02', '1-backup-N-03']);
    expect(selectPoints([])).toBe(plan);
    expect(selectPoints(['2-backup-N-01']).map(({ id }) => id)).toEqual(['2-backup-N-01']);
    expect(new Set(selectPoints(['2-backup']).map(({ scenario }) => scenario))).toEqual(new Set(['2/backup']));
    expect(selectPoints(['backup-N-01']).map(({ id }) => id)).toEqual(expect.arrayContaining(['1-backup-N-01', '12-backup-N-01']));
    expect(codeOf(() => planPoint('2-backup-Z-01'))).toBe('PLAN_UNKNOWN');
  });

  test('what is missing, and the clause in words', () => {
    const point = planPoint('2-backup-N-02');
    expect(missingFor(point, ['embodiment-2'])).toEqual(['T=0']);
    expect(missingFor(point, ['embodiment-2', 'T=0'])).toEqual([]);
    expect(clauseText(planPoint('2-backup-A-01'))).toBe('steps 1-13, 1-15; protocol 2.4-2');
  });

  test('places of each fault', () => {
    expect(placesOfFault({ fault: 'skip', steps: ['1-1', '1-5'] })).toEqual(['1-1', '1-5']);
    expect(placesOfFault({ fault: 'repeat', step: '1-5', times: 2 })).toEqual(['1-5']);
  });
});

describe('an unsound plan is refused', () => {
  const point = planPoint('2-backup-A-01');
  test.each<[string, PlanPoint[]]>([
    ['an id twice', [point, point]],
    ['no clause', [{ ...point, clause: { steps: [], claims: [], rules: [] } }]],
    ['a step of another scenario', [{ ...point, fault: { fault: 'repeat', step: '4-1', times: 2 } }]],
    ['an unknown sample', [{ ...point, prepare: { values: [{ as: '$x', sample: 'gold' }] } }]],
    ['a fault beside a script', [{ ...point, run: { run: 'script', commands: [] } }]],
    ['an unknown scenario', [{ ...point, run: { run: 'scenario', scenario: '9/x' as never, options: {} } }]],
  ])('%s', (_, points) => {
    expect(codeOf(() => { checkPlan(points); })).toBe('PLAN_INVALID');
  });
});

describe('samples', () => {
  test('the first four are those of fig. 19', () => {
    expect(Object.values(samples).slice(0, 4).map(({ name, unitPrice, quantity, totalAmount, place, remaining }) => [name, unitPrice, quantity, totalAmount, place, remaining])).toEqual([
      ['movie ticket A', 1600, 1, 1600, 'B', 0], ['concert ticket C', 4500, 2, 9000, 'D', 0],
      ['pre-paid card E', 1000, 1, 1000, 'F', 800], ['movie ticket G', 1600, 2, 3200, 'H', 0],
    ]);
  });

  test('all lie within the limits of protocol.md 1.1 and 256 bytes encoded', () => {
    const bytes = (text: string): number => new TextEncoder().encode(text).length;
    for (const sample of Object.values(samples)) {
      const sizes = [bytes(sample.name), bytes(sample.place), bytes(sample.remarks)];
      expect(sizes[0] >= 1 && sizes[0] <= 48 && sizes[1] <= 48 && sizes[2] <= 64).toBe(true);
      const content = 3 + 2 + sizes[0] + 6 + 4 + 6 + 2 + sizes[1] + 2 + (sample.validity ? 8 : 0) + 6 + 2 + sizes[2] + 10;
      expect(content + 3).toBeLessThanOrEqual(256);
    }
  });
});
