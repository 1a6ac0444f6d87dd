import type { PurseOptions } from '../machines/purse.js';
import type { ChallengeAlternative, PurseEmbodiment } from '../purse-ports.js';
import { steps } from '../catalogue/catalogue.js';
import type { StepId } from '../ports.js';
import type { PurseCard, PursePreparation } from './purse-types.js';
import type { SystemPoint } from './system.js';

/** A transfer whose cards lose power at sampled moments: one of them, or each once. Plain data. */
export interface PurseCutPoint extends SystemPoint {
  readonly system: 'purse';
  readonly scenario: `purse/${PurseEmbodiment}/transfer`;
  readonly prepare: PursePreparation;
  readonly options: PurseOptions;
  /** Cards that are cut, each once. */
  readonly cards: readonly PurseCard[];
}

const cards: readonly (readonly PurseCard[])[] = [['payer'], ['payee'], ['payer', 'payee']];
/** The challenge that writes most, and the one that is used most. */
const alternative: Readonly<Record<PurseEmbodiment, ChallengeAlternative>> = { 1: 'kept', 2: 'encrypted' };

/** Sampled power cuts of the transfers. */
export const purseCutPoints: readonly PurseCutPoint[] = ([1, 2] as const).flatMap((embodiment) => cards.map((cut, at): PurseCutPoint => ({
  id: `purse-${embodiment}-transfer-C-0${at + 1}`, title: `power cuts on ${cut.join(' and ')}`, system: 'purse', scenario: `purse/${embodiment}/transfer`,
  clause: { steps: steps(embodiment, 'transfer', 'purse').map(({ id }) => id as StepId), claims: [], rules: ['purse 3-11', 'purse 3-12'] },
  needs: ['purse', 'power-control'], flags: [], cards: cut,
  prepare: { issues: [{ to: 'payer', amount: 1000 }] }, options: { amount: 300, alternative: alternative[embodiment] },
})));
