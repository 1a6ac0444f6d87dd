import type { TwinCutPoint } from '../../scenarios/index.js';
import type { TestSetup } from '../certify/factory.js';
import { replayCards, sampleCards } from '../tear/card-cases.js';
import type { CardCutReport, SampleSize } from '../tear/card-cases.js';
import type { CardCutResult } from '../tear/card-cuts.js';
import type { TwinCardName } from './card-talk.js';
import { twinCases } from './cut-case.js';
import type { TwinFactory } from './factory.js';
import { twinTear } from './tear.js';

/** Cuts the cards of a run at sampled moments; the same cases for the same seed. Throws TearError TEAR_RUN. */
export const sampleTwinCuts = async (point: TwinCutPoint, factory: TwinFactory, setup: TestSetup, size: SampleSize): Promise<CardCutReport> =>
  sampleCards(twinTear(point, await factory.world(point.prepare)), (cuts, policy) => twinCases.idUnder(setup, point.id, cuts, policy), size);

/** Runs one case again. Throws TearError TEAR_CASE when it is one of another firmware, chip, protocol or seed. */
export const replayTwinCuts = (id: string, points: readonly TwinCutPoint[], factory: TwinFactory, setup: TestSetup): Promise<CardCutResult<TwinCardName>> =>
  replayCards(id, twinCases, points, setup, async (point) => twinTear(point, await factory.world(point.prepare)));
