import type { PurseCutPoint } from '../../scenarios/index.js';
import type { TestSetup } from '../certify/factory.js';
import { TearError } from '../tear/errors.js';
import { cardCaseId, cardCaseOf, parseCardCase } from './cut-case.js';
import type { PurseFactory } from './factory.js';
import { CardTear } from './tear.js';
import type { CardCutResult } from './tear.js';

/** What a sample of power cuts on the cards of one transfer has shown. */
export interface CardCutReport {
  readonly cases: number;
  /** Cases in which the power of a card did not go: they prove nothing. */
  readonly unfired: readonly string[];
  /** Cases that broke an invariant or did not come to their end, by case id. */
  readonly failures: readonly { readonly case: string; readonly reasons: readonly string[]; readonly step?: string }[];
  /** Different memories that the cuts left. */
  readonly memories: number;
  /** Most runs that a transfer needed to come to its end. */
  readonly attempts: number;
}

/** Cuts the cards of a transfer at sampled moments; the same cases for the same seed. Throws TearError TEAR_RUN. */
export async function sampleCardCuts(
  point: PurseCutPoint, factory: PurseFactory, setup: TestSetup, { cases, seed, stopped = () => false }: { readonly cases: number; readonly seed: number; readonly stopped?: () => boolean },
): Promise<CardCutReport> {
  const tear = new CardTear(point, await factory.world(point.prepare));
  const memories = new Set<string>();
  const [unfired, failures]: [string[], CardCutReport['failures'][number][]] = [[], []];
  let [done, attempts] = [0, 0];
  for (; done < cases && !stopped(); done++) {
    const { cuts, policy } = await tear.draw(done, seed);
    const result = await tear.run(cuts, policy);
    const id = cardCaseId(cardCaseOf(setup, point.id, cuts, policy));
    for (const memory of result.memories) memories.add(memory);
    attempts = Math.max(attempts, result.attempts);
    const { reasons, step } = result;
    if (reasons.length > 0) failures.push({ case: id, reasons, ...step !== undefined && { step } });
    else if (result.fired.length < cuts.length) unfired.push(id);
  }
  return { cases: done, unfired, failures, memories: memories.size, attempts };
}

/** Runs one case again. Throws TearError TEAR_CASE when it is one of another firmware, chip, protocol or seed. */
export async function replayCardCuts(id: string, points: readonly PurseCutPoint[], factory: PurseFactory, setup: TestSetup): Promise<CardCutResult> {
  const wanted = parseCardCase(id);
  const { cuts, policy } = wanted;
  const point = points.find((one) => one.id === wanted.point);
  if (!point) throw new TearError('TEAR_CASE', `there is no point ${wanted.point}`);
  const own = cardCaseId(cardCaseOf(setup, point.id, cuts, policy));
  if (own !== id) throw new TearError('TEAR_CASE', `${id} is a case of another firmware, chip, protocol or seed than ${own}`);
  return new CardTear(point, await factory.world(point.prepare)).run(cuts, policy);
}
