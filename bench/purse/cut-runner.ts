import { purseCutPoints, pursePlan } from '../../scenarios/index.js';
import { cardCutRunner } from '../certify/card-cut-runner.js';
import { sampleCardCuts } from './cut-campaign.js';
import { purseFactoryOf, PURSE_PAGES, tooSmall } from './runner.js';

/** Sampled power cuts on one or both cards of a transfer; the cuts of a phase are shared by its three points. */
export const purseCutRunner = cardCutRunner({
  system: 'purse', plan: pursePlan.id, points: purseCutPoints, unknown: 'the purse has no cut point', aim: 'end',
  unfit: (factory) => (tooSmall(factory) ? `the purse needs ${PURSE_PAGES} EEPROM pages` : undefined),
  sample(point, factory, size) {
    const worlds = purseFactoryOf(factory);
    worlds.hooks = {};
    return sampleCardCuts(point, worlds, factory.setup, size);
  },
});
