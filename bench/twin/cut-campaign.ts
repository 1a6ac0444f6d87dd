import type { TwinCutPoint } from '../../scenarios/index.js';
import type { TestSetup } from '../certify/factory.js';
import { TearError } from '../tear/errors.js';
import { parseTwinCase, twinCaseId, twinCaseOf } from './cut-case.js';
import type { TwinFactory } from './factory.js';
import { TwinTear } from './tear.js';
import type { TwinCutResult } from './tear.js';

/** What a sample of power cuts on the cards of one run has shown. */
export interface TwinCutReport {
  readonly cases: number;
  /** Cases in which the power of a card did not go: they prove nothing. */
  readonly unfired: readonly string[];
  /** Cases that broke an invariant or did not come to their goal, by case id. */
  readonly failures: readonly { readonly case: string; readonly reasons: readonly string[]; readonly step?: string }[];
  /** Different memories that the cuts left. */
  readonly memories: number;
  /** Most runs that were needed to come to the goal. */
  readonly attempts: number;
}

/** Cuts the cards of a run at sampled moments; the same cases for the same seed. Throws TearError TEAR_RUN. */
export async function sampleTwinCuts(point: TwinCutPoint, factory: TwinFactory, setup: TestSetup, { cases, seed }: { readonly cases: number; readonly seed: number }): Promise<TwinCutReport> {
  const tear = new TwinTear(point, await factory.world(point.prepare));
  const memories = new Set<string>();
  const [unfired, failures]: [string[], TwinCutReport['failures'][number][]] = [[], []];
  let attempts = 0;
  for (let number = 0; number < cases; number++) {
    const { cuts, policy } = await tear.draw(number, seed);
    const result = await tear.run(cuts, policy);
    const id = twinCaseId(twinCaseOf(setup, point.id, cuts, policy));
    for (const memory of result.memories) memories.add(memory);
    attempts = Math.max(attempts, result.attempts);
    const { reasons, step, fired } = result;
    if (reasons.length > 0) failures.push({ case: id, reasons, ...step !== undefined && { step } });
    else if (fired.length < cuts.length) unfired.push(id);
  }
  return { cases, unfired, failures, memories: memories.size, attempts };
}

/** Runs one case again. Throws TearError TEAR_CASE when it is one of another firmware, chip, protocol or seed. */
export async function replayTwinCuts(id: string, points: readonly TwinCutPoint[], factory: TwinFactory, setup: TestSetup): Promise<TwinCutResult> {
  const { point: name, cuts, policy } = parseTwinCase(id);
  const point = points.find((one) => one.id === name);
  if (!point) throw new TearError('TEAR_CASE', `there is no point ${name}`);
  const own = twinCaseId(twinCaseOf(setup, name, cuts, policy));
  if (own !== id) throw new TearError('TEAR_CASE', `${id} is a case of another firmware, chip, protocol or seed than ${own}`);
  return new TwinTear(point, await factory.world(point.prepare)).run(cuts, policy);
}
