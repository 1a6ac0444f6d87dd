import { isDeviceError } from '../../devices/index.js';
import { checkPurse, checkPurseChange } from '../../scenarios/index.js';
import type { AbstractPurseWorld, EndCause, PurseFinding, PurseLeaves, PursePoint, PurseOperation, TransferRun, ScenarioListener, PurseProgress } from '../../scenarios/index.js';
import { CodecError } from '../codec/index.js';
import { BenchError } from '../world/errors.js';
import { purseFaultAtWork, timedPorts } from './faults.js';
import { resumeTransfer, runTransfer } from './honest.js';
import type { TransferOutput } from './honest.js';
import { runPurseScript } from './script.js';
import type { PurseFactory } from './factory.js';
import type { PurseWorld } from './world.js';

/** A point of the purse's plan run and judged. */
export interface PurseResult {
  readonly verdict: 'pass' | 'fail' | 'invalid' | 'aborted';
  readonly reasons: readonly string[];
  readonly findings: readonly PurseFinding[];
  readonly cause?: EndCause;
  readonly step?: string;
  readonly sw?: string;
  /** What the fault was and whether it happened; absent where there was none. */
  readonly fault?: { readonly name: string; readonly fired: boolean };
}

/** Hears what a point does. */
export interface PurseListener {
  readonly listener?: ScenarioListener<PurseProgress>;
  /** The world is ready; the point begins. */
  readonly began?: (world: PurseWorld) => void;
}

/** What is not as a point says it must be left. */
function leavesProblems(before: AbstractPurseWorld, after: AbstractPurseWorld, { payer, payee, logged, open, waiting }: PurseLeaves, when: string): string[] {
  const [a, b] = [0, 1].map((at) => after.cards[at].balance - before.cards[at].balance);
  const differs = (what: string, found: number, wanted: number | undefined): string[] =>
    wanted === undefined || found === wanted ? [] : [`${when}: ${what} ${found}, expected ${wanted}`];
  return [
    ...differs('the payer holds more by', a, payer), ...differs('the payee holds more by', b, payee),
    ...differs('log entries more:', after.log.length - before.log.length, logged),
    ...differs('challenges open on the payee:', after.cards[1].open.length, open), ...differs('entries waiting on the payee:', after.cards[1].waiting.length, waiting),
  ];
}

function endProblems(run: TransferRun, { cause, step, sw, safeCode, text }: TransferOutput): string[] {
  const told = `it ended ${cause} at ${step} (${text})`;
  return [
    ...(cause === run.end ? [] : [`expected the end ${run.end}, ${told}`]),
    ...(run.at === undefined || step === run.at ? [] : [`expected the end at ${run.at}, ${told}`]),
    ...(run.sw === undefined || sw === run.sw ? [] : [`expected status ${run.sw}, ${told}`]),
    ...(run.code === undefined || safeCode === run.code ? [] : [`expected refusal ${run.code}, ${told}`]),
  ];
}

/** What a transfer leaves that has gone through after all. */
const through = ({ options: { amount } }: TransferRun): PurseLeaves => ({ payer: -amount, payee: amount, logged: 1, open: 0, waiting: 0 });

/** All moments at rest of a point, in order, with what the invariants say of them. */
class Rests {
  readonly #world: PurseWorld;
  readonly states: AbstractPurseWorld[] = [];
  readonly findings: PurseFinding[] = [];

  constructor(world: PurseWorld) {
    this.#world = world;
  }

  async look(): Promise<AbstractPurseWorld> {
    const now = await this.#world.abstract();
    const last = this.states.at(-1);
    this.states.push(now);
    this.findings.push(...checkPurse(now), ...last ? checkPurseChange(last, now) : []);
    return now;
  }
}

async function rehearsedTimes({ scenario }: PursePoint, run: TransferRun, world: PurseWorld): Promise<Map<PurseOperation, { from: number; to: number }>> {
  const times = new Map<PurseOperation, { from: number; to: number }>();
  if (run.fault?.fault !== 'cut') return times;
  const state = world.save();
  await runTransfer(scenario, timedPorts(world, times), run.options);
  world.restore(state);
  return times;
}

async function retried(run: TransferRun, world: PurseWorld, output: TransferOutput, rests: Rests, before: AbstractPurseWorld): Promise<string[]> {
  if (run.retry === 'none') return [];
  world.thirdParty.available = true;
  const again = await resumeTransfer(world, run.options, output);
  await world.bench.sync();
  await world.recover();
  const after = await rests.look();
  const told = `gone on with, it ended ${again.cause} at ${again.step} (${again.text})`;
  if (run.retry === 'refused') return again.cause === 'refused' ? [] : [`must still be refused; ${told}`];
  return [...(again.cause === 'done' ? [] : [told]), ...leavesProblems(before, after, through(run), 'gone on with')];
}

async function runTransferPoint(point: PursePoint, run: TransferRun, world: PurseWorld, { listener, began }: PurseListener): Promise<PurseResult> {
  const times = await rehearsedTimes(point, run, world);
  const rests = new Rests(world);
  // The state before is looked at in a fork, so that times stay those of the rehearsal.
  const fork = world.save();
  const before = await rests.look();
  world.restore(fork);
  began?.(world);
  const fault = run.fault && purseFaultAtWork(run.fault, world, times);
  const output = await runTransfer(point.scenario, fault?.ports ?? world.ports, run.options, { ...listener && { listener } });
  await (fault?.settle ?? (() => world.bench.sync()))();
  const fired = fault?.fired() ?? true;
  await world.recover();
  const after = await rests.look();
  const reasons = run.fault?.fault === 'cut'
    ? (output.cause === 'done' || output.cause === 'link' ? [] : [`a cut ends in the loss of the link, it ended ${output.cause} at ${output.step} (${output.text})`])
    : [...endProblems(run, output), ...leavesProblems(before, after, run.leaves, 'afterwards')];
  reasons.push(...await retried(run, world, output, rests, before));
  const { cause, step, sw } = output;
  const told = { cause, step, ...sw !== undefined && { sw }, ...run.fault && { fault: { name: run.fault.fault, fired } } };
  if (!fired) return { verdict: 'invalid', reasons: [`the fault (${run.fault?.fault ?? ''}) did not happen`, ...reasons], findings: rests.findings, ...told };
  return judged(reasons, rests.findings, told);
}

function judged(reasons: readonly string[], findings: readonly PurseFinding[], told: Partial<PurseResult> = {}): PurseResult {
  const all = [...reasons, ...findings.map(({ invariant, text }) => `${invariant}: ${text}`)];
  return { verdict: all.length === 0 ? 'pass' : 'fail', reasons: all, findings, ...told };
}

/** Runs one point and judges it. Rejects only on a defect of the bench itself. */
export async function runPursePoint(point: PursePoint, factory: PurseFactory, listener: PurseListener = {}): Promise<PurseResult> {
  try {
    const world = await factory.world(point.prepare);
    if (point.run.run === 'transfer') return await runTransferPoint(point, point.run, world, listener);
    const rests = new Rests(world);
    const before = await rests.look();
    listener.began?.(world);
    const { problem } = await runPurseScript(world, point.run.actions);
    const after = await rests.look();
    const left = problem === undefined ? leavesProblems(before, after, point.run.leaves, 'afterwards') : [];
    return judged([...problem === undefined ? [] : [problem], ...left], rests.findings);
  } catch (error) {
    if (error instanceof CodecError) return { verdict: 'fail', reasons: [`${error.code}: ${error.message}`], findings: [] };
    if (error instanceof BenchError || isDeviceError(error)) return { verdict: 'aborted', reasons: [`${error.code}: ${error.message}`], findings: [] };
    throw error;
  }
}
