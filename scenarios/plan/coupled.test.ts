import { expect, test } from 'vitest';
import { plan } from './plan.js';
import type { PlanPoint } from './types.js';

const naming = (claim: number): readonly PlanPoint[] => plan.filter(({ clause }) => clause.claims.includes(claim));
const scenariosOf = (points: readonly PlanPoint[]): string[] => [...new Set(points.map(({ scenario }) => scenario))].sort();
const optionsOf = ({ run }: PlanPoint) => (run.run === 'scenario' ? run.options : {});

test('claims 11, 33 and 34 are named where ciphertext and part are coupled, and nowhere else', () => {
  expect(scenariosOf(naming(11))).toEqual(['6/backup', '6/recover']);
  expect(scenariosOf(naming(33))).toEqual(['6/backup']);
  expect(scenariosOf(naming(34))).toEqual(['6/recover']);
  expect([11, 33, 34].flatMap((claim) => naming(claim).filter(({ fault }) => fault !== undefined))).toEqual([]);
});

test('claim 12 is named where a key pair is generated from its parts', () => {
  expect(naming(12).map((point) => optionsOf(point).keyDivision?.scheme)).toEqual(naming(12).map(() => 'origin'));
  expect(scenariosOf(naming(12))).toEqual(['6/backup', '6/key-backup', '6/key-recover', '6/recover']);
});

test('claims 31 and 32 are named where all pieces are registered and all come back', () => {
  expect(scenariosOf(naming(31))).toEqual(['4/backup']);
  expect(scenariosOf(naming(32))).toEqual(['4/recover']);
  for (const point of [...naming(31), ...naming(32)]) {
    const { division = { count: 3, wanted: 7 } } = optionsOf(point);
    expect([point.id, division.wanted, point.fault]).toEqual([point.id, (1 << division.count) - 1, undefined]);
  }
});

test('coupled ciphertexts have more points in which something goes wrong than others', () => {
  for (const scenario of ['6/backup', '6/recover']) {
    const points = plan.filter((point) => point.scenario === scenario);
    const wrong = points.filter(({ fault }) => fault !== undefined).length;
    expect([scenario, wrong > points.length - wrong]).toEqual([scenario, true]);
  }
});
