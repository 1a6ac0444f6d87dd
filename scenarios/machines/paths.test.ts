import { describe, expect, test } from 'vitest';
import { basicScenarioIds } from '../catalogue/basic.js';
import { priorsOf } from '../catalogue/frame.js';
import { frameOf } from '../catalogue/registry.js';
import type { ScenarioId } from '../ports.js';
import { FakeCard, FakeSafe } from '../testing/fakes.js';
import { walkPorts, walkScripted } from '../testing/walk.js';
import type { Walked } from '../testing/walk.js';
import { beyondReach, pathsOf } from './paths.js';
import type { ScenarioPath } from './paths.js';
import { backupDefinition, definitions } from './registry.js';
import type { AnyDefinition } from './registry.js';
import { runScenario } from './run.js';
import { transitionsOf } from './transitions.js';
import type { ScenarioOptions } from './types.js';

const names = ({ transitions }: ScenarioPath): readonly string[] => transitions.map(({ name }) => name);

/** What a walk must have come to, by the model alone. */
const foreseen = (path: ScenarioPath): unknown => ({ taken: names(path), cause: path.end === 'patience' ? 'late' : path.end, ...path.end !== 'done' && { step: path.step } });

const came = (path: ScenarioPath, { taken, output }: Walked): unknown => ({ taken, cause: output.cause, ...path.end !== 'done' && { step: output.step } });

function coverage(id: string, all: readonly string[], taken: ReadonlySet<string>): void {
  const open = all.filter((name) => !taken.has(name));
  console.log(`${id}: ${all.length - open.length} of ${all.length} transitions${open.length === 0 ? '' : `; not: ${open.join(', ')}`}`);
}

describe.each(definitions.map((definition) => [definition.frame.id, definition] as const))('%s', (id, definition) => {
  const all = transitionsOf(definition.machine).map(({ name }) => name);
  const paths = pathsOf(definition);

  test('names of transitions are unique, and the paths of the model take each of them', () => {
    expect(new Set(all).size).toBe(all.length);
    expect(new Set(paths.flatMap(names))).toEqual(new Set(all));
  });

  test('the machine goes every path of the model, transition by transition, and so takes every transition', async () => {
    const taken = new Set<string>();
    for (const path of paths) {
      const walked = await walkScripted(definition, path);
      expect(came(path, walked)).toEqual(foreseen(path));
      for (const name of walked.taken) taken.add(name);
    }
    coverage(`${id}, ${paths.length} paths`, all, taken);
    expect(all.filter((name) => !taken.has(name))).toEqual([]);
  });
});

/** A bench of fakes on which the path can be walked, with the options it takes. */
async function benchFor(id: ScenarioId, path: ScenarioPath): Promise<{ readonly ports: { card: FakeCard; safe: FakeSafe }; readonly options: ScenarioOptions }> {
  const ports = { card: new FakeCard(), safe: new FakeSafe() };
  ports.card.load('ticket');
  const frame = frameOf(id);
  const [prior] = priorsOf(frame);
  if (prior && !(path.already && frame.list?.goal === undefined)) expect((await runScenario(prior.scenario, { ports, options: prior.options ?? {} })).cause).toBe('done');
  const select = frame.list?.goal === undefined ? {} : { select: {} };
  if (path.already && frame.list?.goal !== undefined) expect((await runScenario(id, { ports, options: select })).cause).toBe('done');
  return { ports, options: { ...select, ...path.already && { absentMeansDone: true } } };
}

/** True for a path none of whose transitions needs an answer that no port gives. */
const byPorts = ({ frame }: AnyDefinition, path: ScenarioPath): boolean => path.transitions.every((transition) => beyondReach(frame, transition) !== 'answer');

describe.each(basicScenarioIds)('%s against fakes', (id) => {
  const definition = backupDefinition(id);
  const all = transitionsOf(definition.machine);

  test('answers of card and safe lead the machine along every path they can, and so through every transition they can', async () => {
    const taken = new Set<string>();
    const paths = pathsOf(definition).filter((path) => byPorts(definition, path));
    for (const path of paths) {
      const { ports, options } = await benchFor(id, path);
      const walked = await walkPorts(definition, path, ports, options);
      expect(came(path, walked)).toEqual(foreseen(path));
      for (const name of walked.taken) taken.add(name);
    }
    const within = all.filter((transition) => beyondReach(definition.frame, transition) !== 'answer').map(({ name }) => name);
    coverage(`${id} against fakes, ${paths.length} paths`, within, taken);
    expect(within.filter((name) => !taken.has(name))).toEqual([]);
  });

  test('the transitions no answer leads to are those of a safe\'s exchange at steps where it cannot end', () => {
    const beyond = all.filter((transition) => beyondReach(definition.frame, transition) === 'answer');
    const safes = definition.frame.exchanges.filter(({ party }) => party === 'safe').flatMap(({ steps }) => steps as readonly string[]);
    expect(beyond.every(({ source }) => safes.includes(source))).toBe(true);
    expect(beyond).toHaveLength(4 * (safes.length - 1));
  });
});
