import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { basicScenarioIds } from '../../scenarios/index.js';
import { tearPoints } from './points.js';
import { CUT_PARTS, testCuts } from './testing/random-cuts.js';

test('every phase is cut, in one of the parts', () => {
  expect([...new Set(tearPoints.map(({ scenario }) => scenario))]).toEqual(expect.arrayContaining([...basicScenarioIds]));
  expect(readdirSync(new URL('.', import.meta.url)).filter((name) => /^cuts(-\d)?\.test\.ts$/.test(name))).toHaveLength(CUT_PARTS);
});

testCuts(0);
