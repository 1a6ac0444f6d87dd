import { priorsOf } from '../catalogue/frame.js';
import { exchanges, frameOf, scenarioParts } from '../catalogue/registry.js';
import type { Boundary, ScenarioOptions } from '../machines/types.js';
import type { Embodiment, ScenarioId, StepId } from '../ports.js';
import type { Fault } from './faults.js';
import type { Ref, ScriptCommand } from './script.js';
import type {
  Capability, CardExpectation, Clause, Expectation, ItemExpectation, PlanPoint, Preparation, SafeExpectation, ScenarioRun,
} from './types.js';

/** The value most points are about, and one beside it that must stay as it is. */
export const item: Ref = '$item';
/** See {@link item}. */
export const other: Ref = '$other';

/** Both values on a fresh card. */
export const twoValues: Preparation = {
  values: [{ as: item, sample: 'movie-ticket-A' }, { as: other, sample: 'concert-ticket-C' }],
};

/** A whole scenario on `$item`, or on nothing in particular for the key phases. */
export function scenarioOf(scenario: ScenarioId, options: ScenarioOptions = {}, on: Ref = item): ScenarioRun {
  return /key|seed/.test(scenario) ? { run: 'scenario', scenario, options } : { run: 'scenario', scenario, options, item: on };
}

/** What makes a scenario startable: recoveries are preceded by the registration of what is recovered. */
export function ready(scenario: ScenarioId, more: Partial<Preparation> = {}, options: ScenarioOptions = {}): Preparation {
  const frame = frameOf(scenario);
  const { prepares } = frame;
  const before = priorsOf(frame).map((one) => scenarioOf(one.scenario, { ...options, ...one.options }));
  return { ...twoValues, ...prepares, ...before.length > 0 && { before }, ...more };
}

/** First step of each exchange by what it does. */
export interface Places {
  readonly list?: StepId;
  readonly begin: StepId;
  readonly safe: StepId;
  readonly end: StepId;
}

/** Which exchange is the safe's: the last but one, or the first that is one where a scenario goes on at the card. */
function safeAmong(scenario: ScenarioId): number {
  const all = frameOf(scenario).exchanges;
  const usual = all.length - 2;
  return all[usual].party === 'card' ? all.findIndex(({ party }) => party !== 'card') : usual;
}

/** Where a scenario begins each exchange; key registration has no list. */
export function placesOf(scenario: ScenarioId): Places {
  const firsts = exchanges(scenario).map(([first]) => first);
  const [before, safe, end] = firsts.slice(safeAmong(scenario) - 1);
  const all = frameOf(scenario).exchanges;
  const overPath = all.some(({ name }) => name === 'registerOver' || name === 'retrieveOver');
  const begin = (overPath ? all.find(({ name }) => name === 'pathRegister' || name === 'recoverBegin')?.steps[0] : undefined) ?? before;
  return { begin, safe, end, ...firsts.length === 4 && { list: firsts[0] } };
}

/** All steps of the exchange that begins at `first`. */
export const within = (scenario: ScenarioId, first: Boundary): readonly StepId[] =>
  exchanges(scenario).find((group) => group[0] === first) ?? [];

/** The card when a run has stopped after the exchange that begins the registration or recovery. */
export const midway = (scenario: ScenarioId): CardExpectation =>
  ({ is: 'described', items: frameOf(scenario).midway ?? [] });

/** What a safe holds more after a scenario's registration; a recovery without claim 26 leaves it as it is. */
export const safeAfter = (scenario: ScenarioId): SafeExpectation => (scenario.endsWith('backup') ? 'one-stored' : scenario.endsWith('renew') ? 'renewed' : 'unchanged');

/** Expectation of a run that goes through. */
export const completes = (scenario: ScenarioId, more: Partial<Expectation> = {}): Expectation =>
  ({ end: ['done'], card: { is: 'as-after-success' }, safe: safeAfter(scenario), retry: 'none', ...more });

/** Expectation of a refusal by the card on handing over, after which an honest run goes through. */
export const refusedAtEnd = (scenario: ScenarioId, at: readonly string[], sw: readonly string[], more: Partial<Expectation> = {}): Expectation =>
  ({ end: ['refused'], at, sw, card: midway(scenario), safe: safeAfter(scenario), retry: 'completes', ...more });

/** Expectation of a cut or lost answer: old, new or the step between; an honest run goes through afterwards. */
export const eitherWay = (scenario: ScenarioId, more: Partial<Expectation> = {}): Expectation => ({
  end: ['link', 'late', 'done'], card: { is: 'either' }, safe: scenario.endsWith('backup') ? 'at-most-one' : scenario.endsWith('renew') ? 'any' : 'unchanged',
  retry: 'completes', ...more,
});

/** What a point of a plan file gives beyond its scenario. */
export interface Draft {
  readonly title: string;
  readonly clause: Clause;
  readonly needs?: readonly Capability[];
  readonly prepare?: Preparation;
  readonly options?: ScenarioOptions;
  readonly fault?: Fault;
  readonly expect: Expectation;
  readonly flags?: readonly string[];
}

/** Group letters of point ids. */
export type Group = 'N' | 'A' | 'S' | 'R' | 'L' | 'T' | 'M' | 'P' | 'O' | 'W' | 'K' | 'X';

/** `2-backup-N-03` from its parts; numbers are never given anew. */
export const pointId = (scenario: string, group: Group, number: number): string =>
  `${scenario.replace('/', '-')}-${group}-${String(number).padStart(2, '0')}`;

/** A point that runs a scenario. */
export function scenarioPoint(scenario: ScenarioId, group: Group, number: number, draft: Draft): PlanPoint {
  const { embodiment } = scenarioParts(scenario);
  const { title, clause, needs = [], options = {}, prepare = ready(scenario), fault, expect, flags = [] } = draft;
  return {
    id: pointId(scenario, group, number), title, scenario, embodiment, clause, needs: [`embodiment-${embodiment}`, ...needs], prepare,
    run: scenarioOf(scenario, options), ...fault && { fault }, expect, flags,
  };
}

/** What a script's point gives; its scenario is `2/wallet` and the like. */
export interface ScriptDraft extends Omit<Draft, 'options' | 'fault' | 'expect'> {
  readonly commands: readonly ScriptCommand[];
  /** Default: every command got its answer, the card is as before, so is the safe. */
  readonly expect?: Partial<Expectation>;
}

/** A point of direct commands. */
export function scriptPoint(scenario: string, group: Group, number: number, draft: ScriptDraft): PlanPoint {
  const { title, clause: from, needs = [], prepare = twoValues, commands, expect, flags = [] } = draft;
  const embodiment = Number(scenario.split('/')[0]) as Embodiment;
  return {
    id: pointId(scenario, group, number), title, scenario, embodiment, clause: from, prepare, flags,
    needs: [`embodiment-${embodiment}`, ...needs], run: { run: 'script', commands },
    expect: { end: ['done'], card: { is: 'unchanged' }, safe: 'unchanged', retry: 'none', ...expect },
  };
}

/** Card expectation of a script that leaves these items so and the others as they were. */
export const leaves = (...items: readonly ItemExpectation[]): Pick<Expectation, 'card'> => ({ card: { is: 'described', items } });

/** A clause in short. */
export const clause = (steps: readonly StepId[], rules: readonly string[] = [], claims: readonly number[] = []): Clause =>
  ({ steps, claims, rules });
