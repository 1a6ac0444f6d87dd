import type { WeakPolicy } from '../../emulator/index.js';
import { TearError } from './errors.js';

/** What weak cells read in the sessions after a cut. */
export interface CutPolicy {
  /** For case ids, for example `random-2`. */
  readonly name: string;
  /** In the session after the cut. */
  readonly first: WeakPolicy;
  /** In every later one. */
  readonly then: WeakPolicy;
}

/**
 * Policies by name. `new`, `old`: all weak cells alike, in each session; `new-old`: new in the first session, old in the
 * later ones, `old-new` the other way; `random-N`: drawn at each read, seed N in the first session, another later;
 * `unstable-N`: new at the first N reads of a session, old ever after; `strong`: for memories without weak cells.
 * @throws TearError TEAR_CASE for another name
 */
export function policyOf(name: string): CutPolicy {
  const same = (policy: WeakPolicy): CutPolicy => ({ name, first: policy, then: policy });
  const [, kind, number] = /^(random|unstable)-(\d+)$/.exec(name) ?? [];
  if (kind === 'unstable') return same({ kind, reads: Number(number) });
  if (kind === 'random') return { name, first: { kind, seed: Number(number) }, then: { kind, seed: Number(number) + 0x10000 } };
  switch (name) {
    case 'new': case 'old': return same({ kind: name });
    case 'strong': return same({ kind: 'new' });
    case 'new-old': return { name, first: { kind: 'new' }, then: { kind: 'old' } };
    case 'old-new': return { name, first: { kind: 'old' }, then: { kind: 'new' } };
    default: throw new TearError('TEAR_CASE', `there is no weak-cell policy ${name}`);
  }
}

/** The policies every torn memory is judged under unless told otherwise. */
export const defaultPolicies = ['new', 'old', 'random-1', 'random-2', 'unstable-1'] as const;

/** The one name for memories without weak cells: every policy reads the same. */
export const strong = 'strong';
