import { commands } from '../codec/index.js';
import type { CardCommand } from '../codec/index.js';
import { runScenario } from '../../scenarios/index.js';
import type { PlanPoint, RunHooks, SampleName, ScenarioListener, ScenarioOptions, ScenarioOutput, ScenarioRun } from '../../scenarios/index.js';
import { runScript } from '../script/run.js';
import type { Bindings } from '../script/build.js';
import { BenchError } from '../world/errors.js';
import type { World } from '../world/world.js';

/** The options of a run with the item chosen by its issue id. */
export function optionsOf(run: ScenarioRun, world: World): ScenarioOptions {
  const issueId = run.item === undefined ? undefined : world.names.get(run.item);
  return issueId === undefined ? run.options : { ...run.options, select: { ...run.options.select, issueId } };
}

/** Runs a scenario with honest peers. */
export function runHonestly(run: ScenarioRun, world: World): Promise<ScenarioOutput> {
  return runScenario(run.scenario, { ports: world.ports, options: optionsOf(run, world) });
}

/** The same scenario once more with honest peers; what its deletions have already taken from the card counts as done. */
export function runAgain(run: ScenarioRun, world: World, listener: ScenarioListener, hooks: RunHooks = {}): Promise<ScenarioOutput> {
  const { deleteAfterRegistration, deleteAfterRecovery } = run.options;
  const absentMeansDone = run.scenario === '7/seed-backup' || (run.scenario === '6/key-backup' && run.options.keyKind === 'seed') || deleteAfterRegistration === true || deleteAfterRecovery === true;
  return runScenario(run.scenario, { ports: world.ports, options: { ...optionsOf(run, world), absentMeansDone }, listener }, hooks);
}

async function must(world: World, command: CardCommand): Promise<void> {
  const { sw } = await world.line.transmit(command);
  if (sw !== 0x9000) throw new BenchError('BENCH_PREPARE', `${command.name} was answered ${sw.toString(16).toUpperCase()}`);
}

/**
 * Brings a fresh world to where a point begins. Throws BenchError BENCH_PREPARE when an honest step on the way does
 * not succeed: then nothing can be said of the point.
 */
export async function prepare(point: PlanPoint, world: World, bound: Bindings): Promise<void> {
  const { values, before = [], setup = [], pin = 'verified', deletedKeys = [], lifeCycle, conditions = {} } = point.prepare;
  await world.open(lifeCycle === 'blank' ? 'none' : 'verified');
  if (point.prepare.seed === true) await must(world, commands.generateSeed());
  for (const { as, sample } of values) await world.load(as, sample as SampleName);
  for (const [number, condition] of Object.entries(conditions)) await must(world, commands.putCondition(Number(number), condition));
  for (const run of before) {
    const { cause, step, text } = await runHonestly(run, world);
    if (cause !== 'done') throw new BenchError('BENCH_PREPARE', `${run.scenario} ended at ${step}: ${text}`);
  }
  const { cause, text } = await runScript(setup, world, bound);
  if (cause !== 'done') throw new BenchError('BENCH_PREPARE', text);
  for (const kind of deletedKeys) await must(world, commands.deleteKey(kind));
  if (pin === 'none' && lifeCycle !== 'blank') await world.line.transmit(commands.select());
  world.line.takeMarks();
}
