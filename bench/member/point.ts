import { isDeviceError } from '../../devices/index.js';
import { checkMember, checkMemberChange, runDefinition } from '../../scenarios/index.js';
import type {
  AbstractMemberWorld, MemberFinding, MemberLeaves, MemberPoint, MemberProgress, MemberScenarioRun, ScenarioListener,
} from '../../scenarios/index.js';
import { BenchError } from '../world/errors.js';
import type { MemberFactory } from './factory.js';
import { runMemberScript } from './script.js';
import { memberScenarios } from './world.js';
import type { MemberWorld } from './world.js';

/** A point of the member system's plan run and judged. */
export interface MemberResult {
  readonly verdict: 'pass' | 'fail' | 'aborted';
  readonly reasons: readonly string[];
  readonly findings: readonly MemberFinding[];
  readonly step?: string;
}

/** Hears what a point does. */
export interface MemberListening {
  readonly listener?: ScenarioListener<MemberProgress>;
  /** The world is ready; the point begins. */
  readonly began?: (world: MemberWorld) => void;
}

function leavesProblems({ members, settlements, paid, card }: AbstractMemberWorld, wanted: MemberLeaves): string[] {
  const differs = (what: string, found: unknown, expected: unknown): string[] => (found === expected ? [] : [`afterwards ${what} is ${String(found)}, expected ${String(expected)}`]);
  const owed = settlements.filter(({ claimed }) => !claimed).reduce((sum, { amount }) => sum + amount, 0);
  return [
    ...differs('the card registered', card.registered, wanted.registered), ...differs('the balance', members.at(-1)?.balance ?? 0, wanted.balance),
    ...differs('what the store is owed', owed, wanted.owed), ...differs('what the store was paid', paid, wanted.paid),
  ];
}

async function runScenarioPoint(scenario: string, run: MemberScenarioRun, world: MemberWorld, listener?: ScenarioListener<MemberProgress>): Promise<{ readonly reasons: readonly string[]; readonly step: string }> {
  const definition = scenario.endsWith('register') ? memberScenarios.register : memberScenarios.trade;
  const { cause, step, sw, safeCode, text } = await runDefinition(definition, { ports: world.ports, options: run.options, ...listener && { listener } });
  const told = `it ended ${cause} at ${step} (${text})`;
  return {
    step,
    reasons: [
      ...(cause === run.end ? [] : [`expected the end ${run.end}, ${told}`]), ...(run.at === undefined || step === run.at ? [] : [`expected the end at ${run.at}, ${told}`]),
      ...(run.sw === undefined || sw === run.sw ? [] : [`expected status ${run.sw}, ${told}`]), ...(run.code === undefined || safeCode === run.code ? [] : [`expected refusal ${run.code}, ${told}`]),
    ],
  };
}

/** Runs one point and judges it. Rejects only on a defect of the bench itself. */
export async function runMemberPoint(point: MemberPoint, factory: MemberFactory, { listener, began }: MemberListening = {}): Promise<MemberResult> {
  try {
    const world = await factory.world(point.prepare);
    began?.(world);
    const before = await world.abstract();
    const ran = point.run.run === 'scenario' ? await runScenarioPoint(point.scenario, point.run, world, listener) : undefined;
    const problem = point.run.run === 'script' ? (await runMemberScript(world, point.run.actions)).problem : undefined;
    await world.open();
    const after = await world.abstract();
    const findings = [...checkMember(before), ...checkMember(after), ...checkMemberChange(before, after)];
    const reasons = [
      ...ran?.reasons ?? [], ...problem === undefined ? [] : [problem], ...leavesProblems(after, point.run.leaves), ...findings.map(({ invariant, text }) => `${invariant}: ${text}`),
    ];
    return { verdict: reasons.length === 0 ? 'pass' : 'fail', reasons, findings, ...ran && { step: ran.step } };
  } catch (error) {
    if (error instanceof BenchError || isDeviceError(error)) return { verdict: 'aborted', reasons: [`${error.code}: ${error.message}`], findings: [] };
    throw error;
  }
}
