import { isDeviceError } from '../../devices/index.js';
import { checkTwin, checkTwinChange, primaryCards } from '../../scenarios/index.js';
import type { AbstractTwinWorld, EndCause, ScenarioListener, TwinFinding, TwinLeaves, TwinPoint, TwinProgress } from '../../scenarios/index.js';
import { CodecError } from '../codec/index.js';
import { BenchError } from '../world/errors.js';
import type { TwinFactory } from './factory.js';
import { endProblems, runTwinScript } from './script.js';
import type { TwinWorld } from './world.js';

/** A point of the plan run and judged. */
export interface TwinResult {
  readonly verdict: 'pass' | 'fail' | 'aborted';
  readonly reasons: readonly string[];
  readonly findings: readonly TwinFinding[];
  readonly cause?: EndCause;
  readonly step?: string;
}

/** Hears what a point does, and when it begins and is over. */
export interface TwinHearer {
  readonly listener: ScenarioListener<TwinProgress>;
  watch(world: TwinWorld): void;
  over(): void;
}

const letter = (number: string): string => number.slice(-1);

function leavesProblems(world: AbstractTwinWorld, wanted: TwinLeaves): string[] {
  const primary = primaryCards(world);
  const card = world.cards.find(({ table }) => table.cardNumber === primary[0]);
  const differs = <T extends string | number | boolean>(what: string, found: T, expected: T | undefined): string[] =>
    (expected === undefined || found === expected ? [] : [`afterwards ${what} is ${String(found)}, expected ${String(expected)}`]);
  return [
    ...differs('the primary card', primary.map(letter).join('') || '-', wanted.primary), ...differs('its balance', card?.table.balance ?? 0, wanted.balance),
    ...differs("the issuer's black list", world.issuer.blackList.map(letter).join(''), wanted.listed), ...differs('the device blocked', world.device.blocked, wanted.blocked),
  ];
}

interface Ran {
  readonly reasons: readonly string[];
  readonly cause?: EndCause;
  readonly step?: string;
}

async function carryOut({ scenario, run }: TwinPoint, world: TwinWorld, listener?: ScenarioListener<TwinProgress>): Promise<Ran> {
  if (run.run === 'script') {
    const { problem } = await runTwinScript(world, run.actions, listener);
    return { reasons: problem === undefined ? [] : [problem] };
  }
  const output = scenario === 'twin/1/start' ? await world.phase('start', run.options, listener) : await world.run(run.options, listener);
  return { reasons: endProblems(run, output), cause: output.cause, step: output.resume.failed?.step ?? output.step };
}

/** Runs one point and judges it. Rejects only on a defect of the bench itself. */
export async function runTwinPoint(point: TwinPoint, factory: TwinFactory, hearer?: TwinHearer): Promise<TwinResult> {
  try {
    const world = await factory.world(point.prepare);
    const before = await world.abstract();
    hearer?.watch(world);
    const ran = await carryOut(point, world, hearer?.listener);
    hearer?.over();
    await world.open();
    const after = await world.abstract();
    const findings = [...checkTwin(before), ...checkTwin(after), ...checkTwinChange(before, after)];
    const reasons = [...ran.reasons, ...leavesProblems(after, point.run.leaves), ...findings.map(({ invariant, text }) => `${invariant}: ${text}`)];
    return {
      verdict: reasons.length === 0 ? 'pass' : 'fail', reasons, findings, ...ran.cause !== undefined && { cause: ran.cause }, ...ran.step !== undefined && { step: ran.step },
    };
  } catch (error) {
    if (error instanceof CodecError) return { verdict: 'fail', reasons: [`${error.code}: ${error.message}`], findings: [] };
    if (error instanceof BenchError || isDeviceError(error)) return { verdict: 'aborted', reasons: [`${error.code}: ${error.message}`], findings: [] };
    throw error;
  }
}
