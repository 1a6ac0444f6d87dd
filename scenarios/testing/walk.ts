import { createActor, fromPromise } from 'xstate';
import type { AnyStateMachine, InspectionEvent } from 'xstate';
import type { AnyDefinition } from '../machines/registry.js';
import type { ScenarioPath } from '../machines/paths.js';
import { runScenario } from '../machines/run.js';
import type { ScenarioClock } from '../machines/run.js';
import { transitionOf } from '../machines/transitions.js';
import type { Boundary, EvidenceKind, Progress, ScenarioListener, ScenarioOptions, ScenarioOutput } from '../machines/types.js';
import type { Failure, Outcome, Ports, StepId, StepMark } from '../ports.js';
import { cut, meddle } from './fakes.js';

/** What a walk has taken and how it ended. */
export interface Walked {
  readonly taken: readonly string[];
  readonly output: ScenarioOutput;
}

/** A clock that runs out at once when told to, otherwise never. */
const clockFor = (path: ScenarioPath, due: () => boolean): ScenarioClock => ({
  setTimeout: (fire) => { if (path.end === 'patience') queueMicrotask(() => { if (due()) fire(); }); return 0; },
  clearTimeout: () => undefined,
});

function optionsOf({ frame }: AnyDefinition, { deletes, chosen }: ScenarioPath): ScenarioOptions {
  const options = frame.claims.length === 0 ? chosen : { deleteAfterRegistration: deletes, deleteAfterRecovery: deletes, ...chosen };
  return Object.fromEntries(Object.entries(options).filter(([name]) => !frame.without?.includes(name as keyof ScenarioOptions)));
}

const groupAt = ({ frame }: AnyDefinition, at: Boundary): readonly Boundary[] => frame.exchanges.find(({ steps }) => steps[0] === at)?.steps ?? [at];

/** True when the path ends in the exchange that begins at a boundary. */
const endsIn = (definition: AnyDefinition, path: ScenarioPath, at: Boundary): boolean => path.end !== 'done' && groupAt(definition, at).includes(path.step as Boundary);

interface Task { readonly step: Boundary }

/** Where the path turns in the exchange that begins at a boundary, because of what it has found. */
function turnIn(definition: AnyDefinition, path: ScenarioPath, at: Boundary): object {
  const found = path.transitions.find(({ name, source }) => name.includes(': to ') && groupAt(definition, at).includes(source as Boundary));
  return found ? { turn: { step: found.source, to: found.target } } : {};
}

/** What is still to be done after an item: something when the path goes on to another one. */
const moreIn = (path: ScenarioPath, at: Boundary): object => ({ queue: path.transitions.some(({ name }) => name === `${at}: more`) ? [1] : [] });

/** Everything a resumed run may need; a scripted exchange looks at none of it. */
const everything = new Proxy({}, { has: () => true, get: (_, name) => (name === 'then' ? undefined : {}) }) as Progress;

/** Walks a path with an exchange that comes back with what the path says, whatever a real judge would make of it. */
export function walkScripted(definition: AnyDefinition, path: ScenarioPath): Promise<Walked> {
  let at: Boundary = path.from;
  const exchange = fromPromise<object, Task>(({ input }) => {
    at = input.step;
    if (!endsIn(definition, path, at)) return Promise.resolve({ evidence: [], progress: { handle: 1, ...moreIn(path, at), ...turnIn(definition, path, at) }, already: path.already && at === path.from });
    if (path.end === 'aborted') return Promise.reject(new Error('the bench breaks'));
    if (path.end === 'patience') return new Promise(() => undefined);
    const kinds: readonly EvidenceKind[] = ['inferred'];
    return Promise.resolve({ evidence: [{ step: at, kinds, outcome: 'done' }], progress: {}, stop: { step: path.step, cause: path.end, text: 'as the path says' } });
  });
  const { machine, frame } = definition;
  const first = frame.exchanges[0].steps[0];
  const needs = Object.fromEntries([...frame.exchanges, ...frame.claims].flatMap(({ needs: names = [] }) => names).map((name) => [name, everything]));
  const resume = path.from === first ? {} : { resume: { ...needs, handle: 1, at: path.from } };
  const ports = Object.fromEntries(frame.ports.map((role) => [role, {}]));
  const provided = machine.provide({ actors: { exchange } } as Parameters<AnyStateMachine['provide']>[0]);
  return run(provided, { ports, options: optionsOf(definition, path), ...resume }, clockFor(path, () => endsIn(definition, path, at)));
}

function run(machine: AnyStateMachine, input: object, clock: ScenarioClock): Promise<Walked> {
  const taken: string[] = [];
  const inspect = (event: InspectionEvent): void => {
    if (event.type === '@xstate.microstep') taken.push(...event._transitions.map((transition) => transitionOf(transition).name));
  };
  const actor = createActor(machine, { input, clock, inspect });
  return new Promise((resolve, reject) => {
    actor.subscribe({ complete: () => { resolve({ taken, output: actor.getSnapshot().output as ScenarioOutput }); }, error: reject });
    actor.start();
  });
}

/** What the peer answers at the exchange in which the path ends. */
async function lastAnswer(definition: AnyDefinition, path: ScenarioPath, at: Boundary, honest: () => Promise<Outcome<unknown>>): Promise<Outcome<unknown>> {
  if (path.end === 'aborted') throw new Error('the bench breaks');
  if (path.end === 'patience') return new Promise(() => undefined);
  const group = groupAt(definition, at);
  const reached = group.slice(0, group.indexOf(path.step as Boundary));
  const { embodiment } = definition.frame;
  const marks = reached.map((id, index): StepMark => ({ embodiment, id: id as StepId, outcome: 0, cycle: 10 + index }));
  const atCard = [...definition.frame.exchanges, ...definition.frame.claims].find((one) => ('state' in one ? one.state : one.steps[0]) === at)?.party === 'card';
  const cause = path.end as Failure['cause'];
  if (!atCard || path.step.startsWith('claim-')) return cause === 'refused' ? { ...cut('link'), cause: 'refused', sw: '6A80' } : cut(cause);
  if (cause === 'unexpected') return { ...await honest(), marks };
  if (cause !== 'refused') return cut(cause, marks);
  return { ok: false, cause, sw: '6A80', text: 'no', marks: [...marks, { embodiment, id: path.step as StepId, outcome: 1, cycle: 99 }] };
}

/** The ports with the exchange of one boundary answered by `answer`. */
function portsWith(definition: AnyDefinition, ports: Ports, at: Boundary, answer: (honest: () => Promise<Outcome<unknown>>) => Promise<Outcome<unknown>>): Ports {
  const exchange = [...definition.frame.exchanges, ...definition.frame.claims].find((one) => ('state' in one ? one.state : one.steps[0]) === at);
  if (!exchange) return ports;
  const { party, name } = exchange;
  const changed = meddle(ports[party as keyof Ports], { [name]: (call: (...args: unknown[]) => Promise<Outcome<unknown>>, ...args: unknown[]) => answer(() => call(...args)) } as never);
  return { ...ports, [party]: changed };
}

/**
 * Walks a path against ports of fakes: brings the run to where the path takes it up, then lets the peer answer honestly
 * until the exchange in which the path ends.
 */
export async function walkPorts(definition: AnyDefinition, path: ScenarioPath, ports: Ports, options: ScenarioOptions = {}): Promise<Walked> {
  const { frame, machine } = definition;
  const first = frame.exchanges[0].steps[0];
  let begun = {};
  if (path.from !== first) {
    const broken = portsWith(definition, ports, path.from, () => Promise.reject(new Error('stopped here')));
    const { resume } = await runScenario(frame.id, { ports: broken, options: { ...options, ...optionsOf(definition, path) } });
    begun = { resume };
  }
  const last = [...frame.exchanges.map(({ steps }) => steps[0]), ...frame.claims.map(({ state }) => state)].find((at) => endsIn(definition, path, at));
  const meddled = last === undefined ? ports : portsWith(definition, ports, last, (honest) => lastAnswer(definition, path, last, honest));
  let at: Boundary = path.from;
  const listener: ScenarioListener = (event) => { if (event.type === 'boundary') ({ at } = event.resume); };
  return run(machine, { ports: meddled, options: { ...options, ...optionsOf(definition, path) }, listener, ...begun }, clockFor(path, () => endsIn(definition, path, at)));
}
