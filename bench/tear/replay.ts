import { nvmDigest } from '../../emulator/index.js';
import type { NvmState } from '../../emulator/index.js';
import type { WorldFactory } from '../certify/factory.js';
import { runHonestly } from '../certify/prepare.js';
import { caseId, caseOf, parseCaseId } from './case-id.js';
import { TearError } from './errors.js';
import { rangeOf, readyWorld } from './forward.js';
import type { ReadyWorld } from './forward.js';
import { Judge } from './judge.js';
import type { Judged } from './judge.js';
import { tearPoint } from './points.js';
import type { TearPoint } from './points.js';
import { policyOf } from './policies.js';
import { lastStep, restOf, worldOf } from './rest.js';
import type { Rest } from './rest.js';

/** One case repeated from scratch. */
export interface CutReplay extends Judged {
  readonly case: string;
  /** nvmDigest of what the last cut left. */
  readonly digest: string;
}

/** Runs the phase with the power really going at the cycle. @throws TearError TEAR_RANGE when the phase ends before it */
async function firstCut({ world }: ReadyWorld, point: TearPoint, cycle: number): Promise<{ readonly rest: Rest; readonly step: string | undefined }> {
  const { from, to } = await rangeOf(point, world);
  if (cycle < from || cycle >= to) throw new TearError('TEAR_RANGE', `cycle ${cycle} lies outside of ${from} to ${to}`, 'nothing was cut');
  world.card.cutAt(cycle);
  await runHonestly(point.run, world);
  const step = lastStep(world, from);
  return { rest: restOf(world, await world.card.powerOff()), step };
}

/** Boots what the first cut left, with the power going once more at a cycle of the boot. */
async function secondCut(factory: WorldFactory, point: TearPoint, rest: Rest, policy: string, cycle: number): Promise<NvmState> {
  const world = worldOf(factory, point, rest, policyOf(policy).first);
  world.card.cutAt(cycle);
  const cut = await world.open('none').then(() => false, (error: unknown) => (error as { code?: string }).code === 'CARD_POWER_CUT');
  if (!cut) throw new TearError('TEAR_RANGE', `the boot after the first cut was over before cycle ${cycle}`, 'nothing was cut a second time');
  return world.card.powerOff();
}

/**
 * Repeats the case of an id: fresh world, the same preparation, power really gone at each of its cycles, its policies.
 * Throws TearError TEAR_CASE when the id is not one of this firmware, chip and seed, TEAR_RANGE when the phase or the
 * boot ends before a cycle.
 */
export async function replayCut(factory: WorldFactory, id: string): Promise<CutReplay> {
  const wanted = parseCaseId(id);
  const here = caseId(caseOf(factory.setup, wanted.point, wanted.cycles, wanted.policies));
  if (here !== id) throw new TearError('TEAR_CASE', `${id} belongs to another setup; here it would be ${here}`, 'nothing was run');
  const point = tearPoint(wanted.point);
  const policy = policyOf(wanted.policies.at(-1) ?? '');
  const ready = await readyWorld(factory, point);
  const first = await firstCut(ready, point, wanted.cycles[0]);
  const twice = wanted.cycles.length > 1;
  const rest = twice ? { ...first.rest, nvm: await secondCut(factory, point, first.rest, wanted.policies[0], wanted.cycles[1]) } : first.rest;
  const scene = { rest, step: first.step, before: ready.log.states[ready.log.states.length - 1], beforeId: '' };
  const judged = await new Judge(factory, point, ready.secrets).judge(scene, policy);
  return { case: id, digest: nvmDigest(rest.nvm), ...judged };
}
