import type { Finding } from '../../scenarios/index.js';
import type { WorldFactory } from '../certify/factory.js';
import { caseId, caseOf } from './case-id.js';
import { drawCycles, runForward } from './forward.js';
import type { Aim, CutGroup, CycleRange, Forward } from './forward.js';
import { Judge } from './judge.js';
import type { Judged } from './judge.js';
import type { TearPoint } from './points.js';
import { defaultPolicies, policyOf, strong } from './policies.js';

/** What is to be cut, and how often. */
export interface CutPlan {
  readonly factory: WorldFactory;
  readonly point: TearPoint;
  /** Different cycles. */
  readonly cuts: number;
  /** Fixes which. */
  readonly seed: number;
  /** Names of weak-cell policies; default {@link defaultPolicies}. */
  readonly policies?: readonly string[];
  /** Default `phase`. */
  readonly aim?: Aim;
}

/** One breach after one cut under one policy. */
export interface CutFailure {
  /** See {@link replayCut}. */
  readonly case: string;
  readonly cycle: number;
  /** Further cuts that left the same and failed alike. */
  readonly alike: number;
  /** nvmDigest of what the cut left. */
  readonly digest: string;
  readonly findings: readonly Finding[];
}

/** The worst of all recoveries. */
export interface WorstRecovery {
  /** Page operations of a recovery, and the cycle at which the last ended. */
  readonly pages: number;
  readonly cycles: number;
  /** Honest attempts to reach the goal. */
  readonly retries: number;
  /** Earliest and latest ATR, contact clocks after reset. */
  readonly atrFrom: number;
  readonly atrTo: number;
}

/** What came out of the cuts of one point. Plain data. */
export interface CutReport {
  readonly point: string;
  readonly seed: number;
  readonly policies: readonly string[];
  readonly aim: Aim;
  /** Cycles of the phase: first, and the one after the last. */
  readonly from: number;
  readonly to: number;
  readonly cuts: number;
  /** Cuts during a page operation. */
  readonly inOperation: number;
  /** Different memories with their safes; of those, with weak cells. */
  readonly distinct: number;
  readonly weak: number;
  /** Recoveries run: distinct memories times policies. */
  readonly recoveries: number;
  /** Different memories after recovery, taken to the end; different ends, of which all value was spent. */
  readonly recovered: number;
  readonly ends: number;
  /** Breaches without any cut. */
  readonly uncut: readonly Finding[];
  readonly failures: readonly CutFailure[];
  readonly worst: WorstRecovery;
}

function worse(worst: WorstRecovery, { pages, cycles, retries, atrClocks }: Judged): WorstRecovery {
  return {
    pages: Math.max(worst.pages, pages), cycles: Math.max(worst.cycles, cycles), retries: Math.max(worst.retries, retries),
    atrFrom: Math.min(worst.atrFrom, atrClocks), atrTo: Math.max(worst.atrTo, atrClocks),
  };
}

const inOperation = ({ operations }: CycleRange, cycle: number): boolean => operations.some(({ start, end }) => start <= cycle && cycle < end);

async function judgeGroups(plan: CutPlan, forward: Forward, judge: Judge): Promise<Pick<CutReport, 'recoveries' | 'failures' | 'worst'>> {
  const { factory, point, policies = defaultPolicies } = plan;
  const failures: CutFailure[] = [];
  let worst: WorstRecovery = { pages: 0, cycles: 0, retries: 0, atrFrom: Number.MAX_SAFE_INTEGER, atrTo: 0 };
  let recoveries = 0;
  for (const group of forward.groups) {
    for (const name of group.rest.nvm.weak.length > 0 ? policies : [strong]) {
      const judged = await judge.judge(sceneOf(group, forward), policyOf(name));
      recoveries += 1;
      worst = worse(worst, judged);
      const { cycle, cycles, digest } = group;
      if (judged.findings.length > 0)
        failures.push({ case: caseId(caseOf(factory.setup, point.id, [cycle], [name])), cycle, alike: cycles.length - 1, digest, findings: judged.findings });
    }
  }
  return { recoveries, failures, worst };
}

const sceneOf = ({ rest, before, step }: CutGroup, { states }: Forward) => ({ rest, step, before: states[before], beforeId: `state ${before}` });

/**
 * Cuts the power at random cycles of a phase: one forward run, from which what each cut would leave is taken; equal
 * memories are judged once per policy. Throws BenchError when the phase cannot be prepared, TearError TEAR_RUN when it
 * does not go through without a cut, TEAR_RANGE when it has too few cycles, TEAR_CASE for an unknown policy.
 */
export async function sampleCuts(plan: CutPlan): Promise<CutReport> {
  const { factory, point, cuts, seed, policies = defaultPolicies, aim = 'phase' } = plan;
  policies.forEach(policyOf);
  const forward = await runForward(factory, point, (range) => drawCycles(range, cuts, seed, aim));
  const judge = new Judge(factory, point, forward.secrets);
  const judged = await judgeGroups(plan, forward, judge);
  const { range: { from, to }, groups, findings } = forward;
  const cycles = groups.flatMap((group) => group.cycles);
  return {
    point: point.id, seed, policies, aim, from, to, cuts, inOperation: cycles.filter((cycle) => inOperation(forward.range, cycle)).length,
    distinct: groups.length, weak: groups.filter(({ rest }) => rest.nvm.weak.length > 0).length, ...judge.counts, ...judged, uncut: findings,
  };
}
