import type { ScenarioFrame } from '../catalogue/frame.js';
import { exchanges, frameOf } from '../catalogue/registry.js';
import { beyondReach, pathsOf } from '../machines/paths.js';
import type { ScenarioPath } from '../machines/paths.js';
import { backupDefinitions } from '../machines/registry.js';
import type { ScenarioId, StepId } from '../ports.js';
import type { Fault, Place } from './faults.js';
import { clause, ready, scenarioOf, twoValues } from './frames.js';
import type { Capability, Expectation, PlanPoint, Preparation, SafeExpectation, ScenarioRun } from './types.js';

/** How a path's end is brought about with a real card and real peers; absent: nothing need be done. */
interface Provocation {
  readonly fault?: Fault;
  readonly expect?: Pick<Expectation, 'sw' | 'safeCode'>;
}

const isClaim = (step: string): boolean => step.startsWith('claim-');

function partyAt(frame: ScenarioFrame, step: string): string {
  const exchange = frame.exchanges.find(({ steps }) => steps.some((id) => id === step)) ?? frame.claims.find(({ state }) => state === step);
  return exchange?.party ?? '';
}

/** Trouble at a safe; `at` begins the exchange. */
function atSafe(at: Place, end: string): Provocation | undefined {
  switch (end) {
    case 'link': return { fault: { fault: 'safe', at, how: 'unreachable' } };
    case 'late': return { fault: { fault: 'safe', at, how: 'late' } };
    case 'unexpected': return { fault: { fault: 'safe', at, how: 'garbage' } };
    case 'refused': return { fault: { fault: 'safe', at, how: 'error', status: 503, code: 'SAFE_BUSY' }, expect: { safeCode: ['SAFE_BUSY'] } };
    default: return undefined;
  }
}

/** Trouble at the card: command or answer lost, power lost between two steps, PIN no longer verified. */
function atCard(group: readonly Place[], step: Place, end: string): Provocation | undefined {
  const [at] = group;
  if (end === 'refused') return step === at ? { fault: { fault: 'pin', before: at, choice: 'wrong', times: 1 }, expect: { sw: ['6982'] } } : undefined;
  if (end !== 'link') return undefined;
  if (step === at) return { fault: { fault: 'link', at, how: 'lost-command' } };
  if (step === group.at(-1)) return { fault: { fault: 'link', at, how: 'lost-answer' } };
  return { fault: { fault: 'reset', after: group[group.indexOf(step) - 1], kind: 'cold' } };
}

function provocationOf(frame: ScenarioFrame, { end, step }: ScenarioPath): Provocation | undefined {
  if (end === 'done') return {};
  const place = step as Place;
  const group: readonly Place[] = isClaim(step) ? [place] : exchanges(frame.id).find((steps) => steps.includes(step as StepId)) ?? [];
  return partyAt(frame, step).startsWith('safe') ? atSafe(group[0], end) : atCard(group, place, end);
}

/** What is at the safe after a run that went through. */
function safeAfter(id: ScenarioId, { already, deletes }: ScenarioPath): SafeExpectation {
  if (id.endsWith('backup')) return already ? 'unchanged' : 'one-stored';
  return deletes && frameOf(id).claims.length > 0 ? 'tombstone' : 'unchanged';
}

/** True for a path whose goal shows only by what is no longer listed: it begins with nothing to list. */
const byAbsence = ({ list }: ScenarioFrame, { already }: ScenarioPath): boolean => already && list?.goal === undefined;

/** The card before the path: a path that finds its goal reached is preceded by the run that reached it. */
function prepared(frame: ScenarioFrame, path: ScenarioPath): Preparation {
  const { id } = frame;
  const { already } = path;
  if (byAbsence(frame, path)) return twoValues;
  const before = ready(id);
  return already ? { ...before, before: [...before.before ?? [], scenarioOf(id)] } : before;
}

function runOf(frame: ScenarioFrame, path: ScenarioPath): ScenarioRun {
  const { id, claims } = frame;
  const deletions = path.deletes && claims.length > 0 ? { deleteAfterRegistration: true, deleteAfterRecovery: true } : {};
  const run = scenarioOf(id, byAbsence(frame, path) ? { absentMeansDone: true } : deletions);
  return path.from === exchanges(id)[0][0] ? run : { ...run, resumeAt: path.from };
}

function expectationOf(frame: ScenarioFrame, path: ScenarioPath, known: Provocation['expect']): Expectation {
  const { end, step, deletes } = path;
  const { id } = frame;
  if (end === 'done')
    return { end: [end], card: { is: byAbsence(frame, path) ? 'unchanged' : 'as-after-success' }, safe: safeAfter(id, path), retry: 'none' };
  return {
    end: [end === 'patience' ? 'late' : end], at: [step], ...known, card: { is: 'either' }, safe: 'any', retry: id === '2/key-backup' && deletes ? 'none' : 'completes',
  };
}

/** Id and title: where the path begins, how and where it ends, what it is told. */
function namesOf({ id }: ScenarioFrame, { from, end, step, already, deletes }: ScenarioPath): Pick<PlanPoint, 'id' | 'title'> {
  const words = [...already ? ['already'] : [], ...deletes ? ['deletes'] : []];
  const place = end === 'done' ? [] : [step];
  const begin = from === exchanges(id)[0][0] ? 'from the start' : `taken up at ${from}`;
  return {
    id: [id.replaceAll('/', '-'), 'Y', from, end, ...place, ...words].join('-'),
    title: `path ${begin}${already ? ', goal reached before,' : ''} to ${end}${place.map((at) => ` at ${at}`).join('')}`,
  };
}

function pointOf(frame: ScenarioFrame, path: ScenarioPath, { fault, expect }: Provocation): PlanPoint {
  const { id, embodiment } = frame;
  const steps = isClaim(path.step) || path.end === 'done' ? [] : [path.step as StepId];
  const needs: readonly Capability[] = fault?.fault === 'reset' ? ['power-control', 'trace-port'] : [];
  return {
    ...namesOf(frame, path), scenario: id, embodiment, clause: clause(steps, ['2.4-12']), needs: [`embodiment-${embodiment}`, ...needs],
    prepare: prepared(frame, path), run: runOf(frame, path), ...fault && { fault }, expect: expectationOf(frame, path, expect), flags: [],
  };
}

/** True where ports of the bench's one-card world do. */
const plainPorts = ({ ports, goal }: ScenarioFrame): boolean => goal !== undefined && ports.every((role) => role === 'card' || role === 'safe');

function allPoints(): readonly PlanPoint[] {
  return backupDefinitions.filter(({ frame }) => plainPorts(frame)).flatMap((definition) => {
    const { frame } = definition;
    // A way on to a further item needs two of them: the plan's own points take it.
    const paths = pathsOf(definition).filter(({ transitions }) =>
      transitions.every((transition) => beyondReach(frame, transition) === undefined && !transition.name.endsWith(': more')));
    return paths.flatMap((path) => {
      const provocation = provocationOf(frame, path);
      return provocation ? [pointOf(frame, path, provocation)] : [];
    });
  });
}

let made: readonly PlanPoint[] | undefined;

/**
 * A point for each path through each machine whose every transition can be provoked on a real card: the end and the
 * step must be those that the model foresees. Made when first asked for.
 */
export const pathPoints = (): readonly PlanPoint[] => (made ??= allPoints());
