import { describe, expect, test } from 'vitest';
import { basicScenarioIds } from '../catalogue/basic.js';
import { boundaries } from '../machines/context.js';
import { beyondReach, pathsOf } from '../machines/paths.js';
import { backupDefinition } from '../machines/registry.js';
import { pathPoints as all } from './paths.js';
import { checkPlan, plan } from './plan.js';

const pathPoints = all();

describe('points from the paths of the models', () => {
  test('are sound, plain data, and have ids of their own', () => {
    expect(() => { checkPlan([...plan, ...pathPoints]); }).not.toThrow();
    expect(JSON.parse(JSON.stringify(pathPoints))).toEqual(pathPoints);
  });

  test.each(basicScenarioIds)('%s is taken up at each of its boundaries, alone and with trouble after', (id) => {
    const own = pathPoints.filter(({ scenario }) => scenario === id);
    const from = (negative: boolean): Set<string> => new Set(own.flatMap(({ run, fault }) =>
      (run.run === 'scenario' && (fault !== undefined) === negative ? [run.resumeAt ?? boundaries(id)[0]] : [])));
    expect(from(false)).toEqual(new Set(boundaries(id)));
    expect(from(true)).toEqual(new Set(boundaries(id)));
    expect(own.filter(({ fault }) => fault).length).toBeGreaterThan(own.filter(({ fault }) => !fault).length);
  });

  test.each(basicScenarioIds)('%s has a point for every path that can be provoked, but for refusals inside a command', (id) => {
    const definition = backupDefinition(id);
    const firsts = new Set<string>(boundaries(id));
    const able = pathsOf(definition).filter(({ transitions, end, step }) => transitions.every((one) => beyondReach(definition.frame, one) === undefined)
      && (end !== 'refused' || firsts.has(step) || definition.frame.exchanges.some(({ party, steps }) => party === 'safe' && steps.some((one) => one === step))));
    expect(pathPoints.filter(({ scenario }) => scenario === id)).toHaveLength(able.length);
  });

  test('each foresees one end at one step', () => {
    for (const { id, expect: { end, at }, fault } of pathPoints) expect([id, end.length, at?.length ?? 0]).toEqual([id, 1, fault ? 1 : 0]);
  });
});
