import type { PurseCutPoint } from '../../scenarios/index.js';
import type { TestSetup } from '../certify/factory.js';
import { replayCards, sampleCards } from '../tear/card-cases.js';
import type { CardCutReport, SampleSize } from '../tear/card-cases.js';
import type { CardCutResult } from '../tear/card-cuts.js';
import { purseCases } from './cut-case.js';
import type { PurseFactory } from './factory.js';
import { transferTear } from './tear.js';
import type { PurseRole } from './world.js';

/** Cuts the cards of a transfer at sampled moments; the same cases for the same seed. Throws TearError TEAR_RUN. */
export const sampleCardCuts = async (point: PurseCutPoint, factory: PurseFactory, setup: TestSetup, size: SampleSize): Promise<CardCutReport> =>
  sampleCards(transferTear(point, await factory.world(point.prepare)), (cuts, policy) => purseCases.idUnder(setup, point.id, cuts, policy), size);

/** Runs one case again. Throws TearError TEAR_CASE when it is one of another firmware, chip, protocol or seed. */
export const replayCardCuts = (id: string, points: readonly PurseCutPoint[], factory: PurseFactory, setup: TestSetup): Promise<CardCutResult<PurseRole>> =>
  replayCards(id, purseCases, points, setup, async (point) => transferTear(point, await factory.world(point.prepare)));
