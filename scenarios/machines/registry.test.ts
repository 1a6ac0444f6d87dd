import { describe, expect, test } from 'vitest';
import { basicScenarioIds } from '../catalogue/basic.js';
import { steps } from '../catalogue/catalogue.js';
import { derived, frame, priorsOf } from '../catalogue/frame.js';
import { frameOf, frames, scenarioIds } from '../catalogue/registry.js';
import { ScenarioError } from '../errors.js';
import type { Outcome } from '../ports.js';
import { contextOf, outputOf } from './context.js';
import { judgeSafe } from './judge.js';
import { operation } from './operations.js';
import { backupDefinition, definition, definitions } from './registry.js';
import type { ScenarioDefinition } from './registry.js';
import { runDefinition, runScenario } from './run.js';
import { scenarioSetup } from './setup.js';
import { asks, ends, passes, start } from './states.js';

const codeOf = (act: () => unknown): string => {
  try { act(); } catch (error) { if (error instanceof ScenarioError) return error.code; }
  return 'nothing thrown';
};

describe('registry', () => {
  test('each frame has one machine of its id, in the same order, and its steps are the states of the machine', () => {
    expect(definitions.map(({ frame: { id } }) => id)).toEqual(scenarioIds);
    for (const { frame: { id, steps: own, claims }, machine } of definitions) {
      expect(machine.id).toBe(id);
      const states = Object.keys(machine.states).filter((key) => /^(\d|P-|S\d|claim)/.test(key));
      expect([id, states]).toEqual([id, [...own.map((step) => step.id), ...claims.map(({ state }) => state)]]);
    }
    expect(new Set(scenarioIds).size).toBe(scenarioIds.length);
    expect(scenarioIds).toEqual(expect.arrayContaining([...basicScenarioIds]));
  });

  test('what a scenario builds on exists and stands before it', () => {
    for (const [at, frame] of frames.entries())
      for (const prior of priorsOf(frame)) expect(scenarioIds.slice(0, at)).toContain(prior.scenario);
  });

  test('unknown scenarios are coded errors', () => {
    expect(codeOf(() => frameOf('13/backup'))).toBe('SCENARIO_UNKNOWN');
    expect(codeOf(() => backupDefinition('purse/9/nothing'))).toBe('SCENARIO_UNKNOWN');
  });

  test('a frame whose exchanges do not fit its steps is refused', () => {
    const draft = { id: '3/backup', embodiment: 3, phase: 'backup', title: '', covers: [] } as const;
    expect(codeOf(() => frame({ ...draft, steps: steps(1, 'backup'), exchanges: [{ name: 'x', party: 'card' }] }))).toBe('CATALOGUE_FORMAT');
    expect(codeOf(() => frame({ ...draft, steps: steps(1, 'backup'), begins: ['1-2'], exchanges: [{ name: 'x', party: 'card' }] }))).toBe('CATALOGUE_FORMAT');
  });

  test('named states keep the step they are derived from', () => {
    const [request] = derived(steps(2, 'key-backup'), { at: 'safe2', parties: { safe: 'safe2' }, only: ['3-5', '3-6'] });
    expect(request).toMatchObject({ id: '3-5@safe2', from: 'terminal', to: 'safe2', basis: '3-5' });
  });
});

/** Ports, options and progress that no scenario of the backup system has. */
interface PagerPorts { readonly card: object; readonly safe: { page(text: string): Promise<Outcome<number>> } }
interface PagerOptions { readonly text: string }
interface PagerProgress { readonly heard?: number }

const page = operation<PagerPorts, PagerOptions, PagerProgress>(async ({ scenario, ports, options }, first) => {
  const outcome = await ports.safe.page(options.text);
  return { ...judgeSafe(scenario, first, outcome), progress: outcome.ok ? { heard: outcome.value } : {} };
});

const pager: ScenarioDefinition<PagerPorts, PagerOptions, PagerProgress> = definition(scenarioSetup.createMachine({
  id: '2/recover',
  context: ({ input }) => contextOf('2/recover', input),
  output: ({ context }) => outputOf(context),
  initial: 'start',
  states: { start: start('2-9'), '2-9': asks('2-9', page, '2-10'), '2-10': passes('2-10', 'done'), ...ends },
}));

describe('a scenario on ports of its own', () => {
  const input = (answer: Outcome<number>) => ({ ports: { card: {}, safe: { page: (text: string) => Promise.resolve(text === 'hello' ? answer : { ok: false, cause: 'link', text: 'no', marks: [] } as const) } }, options: { text: 'hello' } });

  test('runs to done with what it obtained', async () => {
    const { cause, evidence, resume } = await runDefinition(pager, input({ ok: true, value: 7, marks: [] }));
    expect({ cause, steps: evidence.map(({ step }) => step), heard: resume.heard }).toEqual({ cause: 'done', steps: ['2-9', '2-10'], heard: 7 });
  });

  test('ends in the cause of its failure', async () => {
    const { cause, step } = await runDefinition(pager, input({ ok: false, cause: 'late', text: 'no answer', marks: [] }));
    expect({ cause, step }).toEqual({ cause: 'late', step: '2-10' });
  });

  test('is refused without a port it needs', () => {
    expect(codeOf(() => { void runScenario('2/recover', { ports: { card: {} } as never }); })).toBe('SCENARIO_OPTIONS');
  });
});
