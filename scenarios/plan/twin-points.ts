import type { TwinOptions } from '../machines/twin.js';
import type { StepId } from '../ports.js';
import type { TwinFunction } from '../twin-ports.js';
import type { TwinAction, TwinEnd, TwinLeaves, TwinPoint, TwinPreparation } from './twin-types.js';

/** Yen on the primary card when it is issued (fig. 4). */
export const TWIN_ISSUED = 10_000;

/** A phase of the system. */
export type TwinPhase = 'start' | TwinFunction;

/** What a point is about. */
export interface TwinDraft {
  readonly title: string;
  readonly steps: readonly StepId[];
  readonly rules: readonly string[];
  readonly prepare?: TwinPreparation;
}

/** A run with its end. */
export type TwinRunDraft = TwinDraft & TwinEnd & { readonly options?: Partial<TwinOptions>; readonly leaves: TwinLeaves };

/** Makers of points, which count them by phase and group. */
export interface TwinPoints {
  /** A run of a phase; of `start` its entry checks alone, for a backup unless told otherwise. */
  readonly run: (phase: TwinPhase, negative: boolean, draft: TwinRunDraft) => TwinPoint;
  readonly script: (phase: TwinPhase, negative: boolean, draft: TwinDraft, actions: readonly TwinAction[], leaves: TwinLeaves) => TwinPoint;
}

/** Makers that count from 1. */
export function twinPoints(): TwinPoints {
  const counters = new Map<string, number>();
  const pointOf = (phase: TwinPhase, negative: boolean, { title, steps, rules, prepare = {} }: TwinDraft, run: TwinPoint['run']): TwinPoint => {
    const name = `twin-1-${phase}-${negative ? 'X' : 'N'}`;
    const number = (counters.get(name) ?? 0) + 1;
    counters.set(name, number);
    return {
      id: `${name}-${String(number).padStart(2, '0')}`, title, system: 'twin', scenario: `twin/1/${phase}`, clause: { steps, claims: [], rules: rules.map((rule) => `twin ${rule}`) },
      needs: ['twin'], flags: [], negative, prepare, run,
    };
  };
  return {
    run: (phase, negative, { options, leaves, end, failed, at, sw, code, ...draft }) => pointOf(phase, negative, draft, {
      run: 'scenario', options: { function: phase === 'start' ? 'backup' : phase, ...options }, leaves, ...end !== undefined && { end }, ...failed !== undefined && { failed },
      ...at !== undefined && { at }, ...sw !== undefined && { sw }, ...code !== undefined && { code },
    }),
    script: (phase, negative, draft, actions, leaves) => pointOf(phase, negative, draft, { run: 'script', actions, leaves }),
  };
}
