import type { TwinOptions } from '../machines/twin.js';
import { steps } from '../catalogue/catalogue.js';
import type { StepId } from '../ports.js';
import type { TwinFunction } from '../twin-ports.js';
import type { SystemPoint } from './system.js';
import type { TwinCard, TwinPreparation } from './twin-types.js';

/** What a run has come to. `invalidated`: step 506. */
export type TwinGoal = 'copied' | 'promoted' | 'restored' | 'invalidated';

/** A run whose cards lose power at sampled moments: one of them, or each once. Plain data. */
export interface TwinCutPoint extends SystemPoint {
  readonly system: 'twin';
  readonly prepare: TwinPreparation;
  readonly options: TwinOptions;
  readonly goal: TwinGoal;
  /** Cards that are cut, each once. */
  readonly cards: readonly TwinCard[];
}

const cards: readonly (readonly TwinCard[])[] = [['A'], ['B'], ['A', 'B']];

const cutsOf = (phase: TwinFunction, goal: TwinGoal, prepare: TwinPreparation, options: Partial<TwinOptions> = {}, cut = cards, from = 1): readonly TwinCutPoint[] => cut.map((names, at): TwinCutPoint => ({
  id: `twin-1-${phase}-Z-0${from + at}`, title: `power cuts on ${names.join(' and ')}${goal === 'invalidated' ? ' while it is invalidated' : ''}`, system: 'twin', scenario: `twin/1/${phase}`,
  clause: { steps: steps(1, phase, 'twin').map(({ id }) => id as StepId), claims: [], rules: ['twin 3-12'] }, needs: ['twin', 'power-control'], flags: [],
  cards: names, prepare, options: { function: phase, ...options }, goal,
}));

/** Sampled power cuts of backup, promotion and restore on either card and on both. */
export const twinCutPoints: readonly TwinCutPoint[] = [
  ...cutsOf('backup', 'copied', {}),
  ...cutsOf('promote', 'promoted', { state: 'backed-up' }),
  ...cutsOf('restore', 'restored', { state: 'withdrawn' }),
  ...cutsOf('restore', 'invalidated', { state: 'backed-up' }, { primaryPin: 'wrong' }, [['A']], 4),
];
