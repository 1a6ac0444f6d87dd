import { twinCutPoints, twinPlan } from '../../scenarios/index.js';
import { cardCutRunner } from '../certify/card-cut-runner.js';
import { sampleTwinCuts } from './cut-campaign.js';
import { tooSmallForTwin, TWIN_CHIP_PAGES, twinFactoryOf } from './runner.js';

/** Sampled power cuts on one or both cards in backup, promotion and restore; the cuts of a phase are shared by its points. */
export const twinCutRunner = cardCutRunner({
  system: 'twin', plan: twinPlan.id, points: twinCutPoints, unknown: 'primary and secondary card have no cut point', aim: 'goal',
  unfit: (factory) => (tooSmallForTwin(factory) ? `primary and secondary card need ${TWIN_CHIP_PAGES} EEPROM pages` : undefined),
  sample: (point, factory, size) => sampleTwinCuts(point, twinFactoryOf(factory), factory.setup, size),
});
