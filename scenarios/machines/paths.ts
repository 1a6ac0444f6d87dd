import { createMachine } from 'xstate';
import { getSimplePaths } from 'xstate/graph';
import type { ScenarioFrame } from '../catalogue/frame.js';
import { boundaries } from './context.js';
import type { AnyDefinition } from './registry.js';
import { transitionsOf } from './transitions.js';
import type { NamedTransition } from './transitions.js';
import type { Boundary, EndCause } from './types.js';

/** A run of a scenario from one of its boundaries to an end, as the model gives it. Plain data. */
export interface ScenarioPath {
  readonly transitions: readonly NamedTransition[];
  /** Boundary at which it is taken up; the first one: from the start. */
  readonly from: Boundary;
  /** How it ends; `patience`: the bench's own clock ran out. */
  readonly end: EndCause | 'patience';
  /** Step at which it ends. */
  readonly step: string;
  /** An earlier run had reached the goal. */
  readonly already: boolean;
  /** The deletions of claims 25 and 26 are asked for. */
  readonly deletes: boolean;
  /** Options by which its machine branches. */
  readonly chosen: Readonly<Record<string, unknown>>;
}

/** The machine without its calls: every transition is an event of its name. */
function modelOf({ machine }: AnyDefinition) {
  const edges = transitionsOf(machine);
  const states = Object.fromEntries(Object.keys(machine.states).map((key) => {
    const own = edges.filter(({ source }) => source === key);
    return [key, own.length === 0 ? { type: 'final' as const } : { on: Object.fromEntries(own.map(({ name, target }) => [name.replaceAll('.', '_'), target])) }];
  }));
  return createMachine({ id: `${machine.id} model`, initial: 'start', states });
}

const wordOf = ({ name, source }: NamedTransition): string => name.slice(source.length + 2);

function pathOf(frame: ScenarioFrame, transitions: readonly NamedTransition[]): ScenarioPath {
  const [begin] = transitions;
  const last = transitions[transitions.length - 1];
  const words = transitions.map(wordOf);
  const end = wordOf(last) === 'patience' ? 'patience' : last.target as EndCause;
  return {
    transitions, from: begin.target as Boundary, end, step: last.source,
    already: words.some((word) => word.startsWith('reached')),
    deletes: words.includes('deletes') || transitions.some(({ source, target }) => source.startsWith('claim-') || target.startsWith('claim-'))
      || (words.includes('reached') && frame.claims.length > 0),
    chosen: Object.fromEntries(words.flatMap((word) => (word.includes('=') ? [[word.split('=')[0], JSON.parse(word.slice(word.indexOf('=') + 1)) as unknown]] : []))),
  };
}

/**
 * Every run of a scenario that visits no state twice, from each of its boundaries to each of its ends, as the graph of
 * its machine has them: also those that nobody wrote a point for.
 */
export function pathsOf(definition: AnyDefinition): readonly ScenarioPath[] {
  const edges = new Map(transitionsOf(definition.machine).map((edge) => [edge.name, edge]));
  const model = modelOf(definition);
  const found = getSimplePaths(model, { events: (snapshot) => [...edges.values()].filter(({ source }) => source === snapshot.value).map(({ name }) => ({ type: name })) });
  const whole = found.filter(({ state }) => state.status === 'done');
  return whole.map(({ steps }) => pathOf(definition.frame, steps.flatMap(({ event }) => edges.get(event.type) ?? [])));
}

/** The boundaries of a scenario that a path goes through, each of which begins an exchange. */
export const exchangesOn = ({ frame }: AnyDefinition, { transitions }: ScenarioPath): readonly Boundary[] =>
  boundaries(frame.id).filter((at) => transitions.some(({ target }) => target === at));

/** Why a transition cannot be provoked on a real card with real peers, whatever is done to them. */
export type BeyondReach =
  /** The bench itself would have to fail, or its own clock to run out; in virtual time the port says what is late. */
  | 'bench'
  /** No answer of the party, good or bad, ends the exchange at this step for this cause. */
  | 'answer'
  /** The card would have to mark or answer against the protocol, or to fall silent under power. */
  | 'card';

/** Step at which a safe's exchange ends for each cause (see judgeSafe). */
function safeEnd(frame: ScenarioFrame, group: readonly string[], cause: string): string | undefined {
  if (cause === 'link') return group[0];
  const act = frame.steps.find((step) => step.from.startsWith('safe') && group.includes(step.id));
  return cause === 'refused' && act ? act.id : group.at(-1);
}

/** Why a transition is beyond reach; undefined when it can be provoked. */
export function beyondReach(frame: ScenarioFrame, { name, source }: NamedTransition): BeyondReach | undefined {
  const word = name.slice(source.length + 2);
  if (word === 'aborted' || word === 'patience') return 'bench';
  const exchange = frame.exchanges.find(({ steps }) => steps.some((step) => step === source));
  if (!['refused', 'late', 'link', 'unexpected'].includes(word)) return undefined;
  const party = (exchange ?? frame.claims.find(({ state }) => state === source))?.party ?? '';
  if (party.startsWith('safe')) return exchange && safeEnd(frame, exchange.steps, word) !== source ? 'answer' : undefined;
  return word === 'unexpected' || word === 'late' ? 'card' : undefined;
}
