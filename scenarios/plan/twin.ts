import type { TwinOptions } from '../machines/twin.js';
import type { StepId } from '../ports.js';
import type { SystemPlan } from './system.js';
import type { TwinAction, TwinEnd, TwinLeaves, TwinPoint, TwinPreparation } from './twin-types.js';

/** Yen on the primary card when it is issued. */
const ISSUED = 10_000;

type Phase = 'start' | 'backup' | 'promote' | 'restore';

interface Draft {
  readonly title: string;
  readonly steps: readonly StepId[];
  readonly rules: readonly string[];
  readonly prepare?: TwinPreparation;
}

const counters = new Map<string, number>();

function pointOf(phase: Phase, negative: boolean, { title, steps, rules, prepare = {} }: Draft, run: TwinPoint['run']): TwinPoint {
  const name = `twin-1-${phase}-${negative ? 'X' : 'N'}`;
  const number = (counters.get(name) ?? 0) + 1;
  counters.set(name, number);
  return {
    id: `${name}-${String(number).padStart(2, '0')}`, title, system: 'twin', scenario: `twin/1/${phase}`, clause: { steps, claims: [], rules: rules.map((rule) => `twin ${rule}`) },
    needs: ['twin'], flags: [], negative, prepare, run,
  };
}

type RunDraft = Draft & TwinEnd & { readonly options?: Partial<TwinOptions>; readonly leaves: TwinLeaves };

/** A run of a phase; of `start` its entry checks for backup unless told otherwise. */
function run(phase: Phase, negative: boolean, { options, leaves, end, failed, at, sw, code, ...draft }: RunDraft): TwinPoint {
  return pointOf(phase, negative, draft, {
    run: 'scenario', options: { function: phase === 'start' ? 'backup' : phase, ...options }, leaves, ...end !== undefined && { end }, ...failed !== undefined && { failed },
    ...at !== undefined && { at }, ...sw !== undefined && { sw }, ...code !== undefined && { code },
  });
}

const script = (phase: Phase, negative: boolean, draft: Draft, actions: readonly TwinAction[], leaves: TwinLeaves): TwinPoint => pointOf(phase, negative, draft, { run: 'script', actions, leaves });

const range = (from: number, to: number): readonly StepId[] => Array.from({ length: to - from + 1 }, (_, at): StepId => `${from + at}`);

const asIssued: TwinLeaves = { primary: 'A', balance: ISSUED, listed: '' };
const promotedB: TwinLeaves = { primary: 'B', balance: 0, listed: 'A' };

const startNominal: readonly TwinPoint[] = [
  run('start', false, { title: 'entry checks for a backup', steps: range(101, 107), rules: ['4-1'], leaves: asIssued }),
  run('start', false, { title: 'entry checks for a promotion', steps: ['108'], rules: ['4-1'], options: { function: 'promote' }, leaves: asIssued }),
];

const backupNominal: readonly TwinPoint[] = [
  run('backup', false, { title: 'backup on a new secondary card', steps: [...range(301, 311)], rules: ['3-5', '3-6'], leaves: asIssued }),
];

const promoteNominal: readonly TwinPoint[] = [
  run('promote', false, { title: 'the secondary card becomes the primary card', steps: ['401', '402', '403', '404', '405', '406', '407', '410'], rules: ['3-7'], prepare: { state: 'backed-up', slots: '-B' }, leaves: promotedB }),
];

const restoreNominal: readonly TwinPoint[] = [
  run('restore', false, { title: 'a card withdrawn from the black list comes back', steps: ['501', '502', '508', '509', '510', '511', '507'], rules: ['3-6'], prepare: { state: 'withdrawn' }, leaves: asIssued }),
];

/** The plan of primary and secondary card. */
export const twinPlan: SystemPlan<TwinPoint> = {
  system: 'twin', id: 'twin/1', points: [...startNominal, ...backupNominal, ...promoteNominal, ...restoreNominal],
};

export { script };
