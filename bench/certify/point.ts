import { answers, CodecError, commands } from '../codec/index.js';
import type { PageMap } from '../nvm/index.js';
import { isDeviceError } from '../../devices/index.js';
import type { PointRelatedEvent } from '../../reports/index.js';
import {
  checkState, clauseText, missingFor, runScenario, verdictOf,
} from '../../scenarios/index.js';
import type {
  AbstractWorld, Capability, Finding, Judgement, Observation, PlanPoint, RunHooks, ScenarioListener, ScenarioOutput, ScenarioRun, ScriptOutput,
} from '../../scenarios/index.js';
import { faultAtWork } from '../faults/carry-out.js';
import type { FaultAtWork } from '../faults/carry-out.js';
import { intercepted } from '../faults/intercept.js';
import type { Interceptor } from '../faults/intercept.js';
import { noBindings } from '../script/build.js';
import type { Bindings } from '../script/build.js';
import { runScript } from '../script/run.js';
import { BenchError } from '../world/errors.js';
import type { World } from '../world/world.js';
import type { Bulk, WorldFactory } from './factory.js';
import { cardFindings, worldFindings } from './findings.js';
import { PointLog } from './log.js';
import { optionsOf, prepare, runAgain } from './prepare.js';
import { troubleOf } from './served.js';

/** A point run and judged. */
export interface PointResult {
  readonly point: PlanPoint;
  readonly judgement: Judgement;
  readonly observation: Observation;
  readonly events: readonly PointRelatedEvent[];
}

/** How points are run. */
export interface PointSetting {
  readonly factory: WorldFactory;
  readonly offered: readonly Capability[];
  /** True when the transitions that the machines take are recorded; default false. */
  readonly traces?: boolean;
  /** The command line that reproduces a point. */
  replay(point: string): string;
}

interface Run {
  readonly end: ScenarioOutput | ScriptOutput;
  readonly faultApplied: boolean;
  readonly faultReached: boolean;
}

/** States of the world at rest, in order: between any two lies at most one command or request. */
type History = AbstractWorld[];

function stateListener(world: World, history: History): ScenarioListener {
  return (event) => {
    if (event.type === 'boundary' && !world.rehearsing && world.card.session !== undefined) history.push(world.abstract());
  };
}

/** Runs a scenario up to the boundary where another run is to take it up; nothing is sent there. Throws BenchError BENCH_PREPARE when it does not come to it. */
async function stoppedBefore(run: ScenarioRun, world: World, history: History): Promise<{ readonly resume?: ScenarioOutput['resume'] }> {
  const { scenario, resumeAt } = run;
  if (resumeAt === undefined) return {};
  const stopper: Interceptor = {
    around: (call, sent, proceed) => (call.steps[0] === resumeAt ? Promise.resolve({ ok: false, cause: 'link', text: 'stopped here', marks: [] }) : proceed(sent)),
  };
  const { resume, cause, text } = await runScenario(scenario, {
    ports: intercepted(scenario, world.ports, stopper), options: optionsOf(run, world), listener: stateListener(world, history),
  });
  if (cause !== 'link' || resume.at !== resumeAt) throw new BenchError('BENCH_PREPARE', `${scenario} did not stop before ${resumeAt} but at ${resume.at}: ${text}`);
  return { resume };
}

async function runFaulty(
  run: ScenarioRun, point: PlanPoint, world: World, bound: Bindings, log: PointLog, history: History, hooks: RunHooks,
): Promise<Run> {
  let fault: FaultAtWork | undefined;
  if (point.fault !== undefined) {
    const item = run.item === undefined ? undefined : world.names.get(run.item);
    fault = faultAtWork(point.fault, { world, scenario: run.scenario, item, saved: bound.objects });
  }
  const [steps, states] = [log.listener(run.scenario), stateListener(world, history)];
  const listener: ScenarioListener = (event) => {
    steps(event);
    states(event);
  };
  const resume = await stoppedBefore(run, world, history);
  const ports = fault === undefined ? world.ports : intercepted(run.scenario, world.ports, fault);
  const end = await runScenario(run.scenario, { ports, options: optionsOf(run, world), listener, ...resume }, hooks);
  if (fault !== undefined)
    log.events.push({ type: 'fault', point: point.id, fault: fault.fault.fault, applied: fault.applied, text: fault.text, cycle: log.now() });
  return { end, faultApplied: fault?.applied ?? false, faultReached: fault?.reached ?? false };
}

async function runPlan(point: PlanPoint, world: World, bound: Bindings, log: PointLog, history: History, hooks: RunHooks): Promise<Run> {
  if (point.run.run === 'scenario') return runFaulty(point.run, point, world, bound, log, history, hooks);
  const end = await runScript(point.run.commands, world, bound, () => { history.push(world.abstract()); });
  return { end, faultApplied: true, faultReached: true };
}

/** Power back on after a cut, so that the card has settled what it had begun. */
async function comeToRest(world: World): Promise<void> {
  if (world.card.session === undefined) await world.reset('cold');
}

/** Who holds how much, alike items together. */
function holdersOf({ holders }: PageMap): { name: string; bytes: number }[] {
  const sums = new Map<string, { count: number; bytes: number }>();
  for (const { what, bytes } of holders) {
    const sum = sums.get(what) ?? { count: 0, bytes: 0 };
    sums.set(what, { count: sum.count + 1, bytes: sum.bytes + bytes });
  }
  return [...sums].map(([what, { count, bytes }]) => ({ name: `${count} x ${what}`, bytes }));
}

async function shortageTold(world: World, log: PointLog): Promise<boolean> {
  const { sw, data } = await world.line.transmit(commands.getData('shortage'));
  try {
    const shortage = sw === 0x9000 ? answers.shortage(data) : undefined;
    if (shortage === undefined) return false;
    const map = world.room();
    log.events.push({
      type: 'shortage', point: log.point, needed: shortage.needed, free: shortage.free, holders: holdersOf(map), sw: '6A84',
      did: `refused INS ${shortage.ins.toString(16).toUpperCase()}`, lost: checkState(world.abstract()).length > 0,
    });
    return shortage.free === map.freeBytes && (shortage.needed > map.largestRunBytes || shortage.freeEntries === 0 || map.freeEntries < 2);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return false;
  }
}

async function retry(point: PlanPoint, world: World, history: History, hooks: RunHooks): Promise<ScenarioOutput | undefined> {
  if (point.run.run !== 'scenario' || point.expect.retry === 'none') return undefined;
  await world.verify();
  if (point.expect.retry === 'completes-after-cancel' && point.run.item !== undefined) {
    const handle = world.handleOf(world.names.get(point.run.item) ?? '', 'value');
    if (handle !== undefined) await world.line.transmit(commands.cancel(handle));
  }
  return runAgain(point.run, world, stateListener(world, history), hooks);
}

async function observe(point: PlanPoint, world: World, log: PointLog, hooks: RunHooks): Promise<Observation> {
  const bound = noBindings();
  await prepare(point, world, bound);
  const before = world.abstract();
  const history: History = [before];
  const { end, faultApplied, faultReached } = await runPlan(point, world, bound, log, history, hooks);
  await comeToRest(world);
  const after = world.abstract();
  history.push(after);
  const told = point.expect.shortage === true ? await shortageTold(world, log) : false;
  const again = await retry(point, world, history, hooks);
  await comeToRest(world);
  history.push(world.abstract());
  return {
    missing: [], faultApplied, faultReached, hasTrace: true, end, before, after, cardId: world.cardId,
    items: Object.fromEntries(world.names), shortageTold: told,
    findings: findingsOf(history, world, log, point),
    ...(again === undefined ? {} : { retry: again }),
  };
}

function findingsOf(history: readonly AbstractWorld[], world: World, log: PointLog, point: PlanPoint): Finding[] {
  const usage = log.usage(world);
  log.events.push(usage);
  return [...worldFindings(history, world), ...cardFindings(log, point.fault?.fault === 'link')];
}

/** What the card is filled with before a point that needs a full memory. */
function bulkOf({ fault, run }: PlanPoint): Bulk | undefined {
  if (fault?.fault === 'memory') return 'entries' in fault.left ? 'entries' : 'pages';
  return run.run === 'script' && run.commands.some((command) => command.do === 'fill-memory') ? 'entries' : undefined;
}

const nothingSeen = { missing: [], faultApplied: false, hasTrace: true, findings: [] } as const;

async function seen(point: PlanPoint, setting: PointSetting, log: PointLog): Promise<Observation> {
  const { served } = setting.factory;
  const missing = missingFor(point, setting.offered);
  if (missing.length > 0) return { ...nothingSeen, missing };
  troubleOf(served);
  try {
    const world = await setting.factory.world({ ...point.prepare, bulk: bulkOf(point) }, log.hooks);
    log.watch(world);
    const took = new Set<string>();
    const observation = await observe(point, world, log, setting.traces === true ? { inspect: ({ took: names }) => { for (const name of names) took.add(name); } } : {});
    if (took.size > 0 && point.run.run === 'scenario') log.events.push({ type: 'path', point: point.id, scenario: point.run.scenario, took: [...took] });
    const trouble = troubleOf(served);
    if (trouble !== undefined) throw trouble;
    return observation;
  } catch (thrown) {
    const error: unknown = troubleOf(served) ?? thrown;
    if (error instanceof BenchError || isDeviceError(error)) return { ...nothingSeen, aborted: `${error.code}: ${error.message}` };
    throw error;
  }
}

function verdictEvents(point: PlanPoint, judgement: Judgement, observation: Observation, log: PointLog, replay: string): void {
  for (const { invariant, text, step } of observation.findings)
    log.events.push({ type: 'finding', point: point.id, invariant, text, ...(step === undefined ? {} : { step }) });
  const { end } = observation;
  const sw = end?.sw;
  const step = judgement.step ?? (end !== undefined && 'step' in end ? end.step : undefined);
  log.events.push({
    type: 'verdict', point: point.id, verdict: judgement.verdict, cycle: log.now(), clause: judgement.clause,
    reasons: judgement.reasons, flags: point.flags, replay,
    ...(end === undefined ? {} : { cause: end.cause }), ...(step === undefined ? {} : { step }), ...(sw === undefined ? {} : { sw }),
  });
}

/** Runs one point of the plan and judges it. Rejects only on a defect of the bench itself. */
export async function runPoint(point: PlanPoint, setting: PointSetting): Promise<PointResult> {
  const log = new PointLog(point.id);
  log.events.push({
    type: 'point', point: point.id, scenario: point.scenario, title: point.title, clause: clauseText(point), needs: point.needs, cycle: 0,
  });
  const observation = await seen(point, setting, log);
  const judgement = verdictOf(point, observation);
  verdictEvents(point, judgement, observation, log, setting.replay(point.id));
  return { point, judgement, observation, events: log.events };
}

