import type { WeakPolicy } from '../../emulator/index.js';
import { TearError } from './errors.js';

/** What weak cells read in the sessions after a cut. */
export interface CutPolicy {
  /** For case ids, for example `random-2`. */
  readonly name: string;
  readonly family: PolicyFamily;
  /** In the session after the cut. */
  readonly first: WeakPolicy;
  /** In every later one. */
  readonly then: WeakPolicy;
}

/** Kinds of policy, from the simplest on. */
export const policyFamilies = ['new', 'old', 'flip', 'unstable', 'random', 'new-old', 'old-new', 'strong'] as const;

/** Kind of a policy. */
export type PolicyFamily = (typeof policyFamilies)[number];

/**
 * Policies by name. `new`, `old`: all weak cells alike, in each session; `flip-N`: as `new`, only weak cell N (counted by
 * page and bit) the other way; `new-old`: new in the first session, old in the later ones, `old-new` the other way;
 * `random-N`: drawn at each read, seed N in the first session, another later; `unstable-N`: new at the first N reads of a
 * session, old ever after; `strong`: for memories without weak cells.
 * @throws TearError TEAR_CASE for another name
 */
export function policyOf(name: string): CutPolicy {
  const [, kind = name, number] = /^(random|unstable|flip)-(\d+)$/.exec(name) ?? [];
  const family = kind as PolicyFamily;
  const same = (policy: WeakPolicy): CutPolicy => ({ name, family, first: policy, then: policy });
  if (kind === 'unstable' && number !== undefined) return same({ kind, reads: Number(number) });
  if (kind === 'flip' && number !== undefined) return same({ kind, index: Number(number) });
  if (kind === 'random' && number !== undefined)
    return { name, family, first: { kind, seed: Number(number) }, then: { kind, seed: Number(number) + 0x10000 } };
  switch (name) {
    case 'new': case 'old': return same({ kind: name });
    case 'strong': return same({ kind: 'new' });
    case 'new-old': return { name, family, first: { kind: 'new' }, then: { kind: 'old' } };
    case 'old-new': return { name, family, first: { kind: 'old' }, then: { kind: 'new' } };
    default: throw new TearError('TEAR_CASE', `there is no weak-cell policy ${name}`);
  }
}

/** The policies that random cuts are judged under unless told otherwise. */
export const defaultPolicies = ['new', 'old', 'random-1', 'random-2', 'unstable-1'] as const;

/** The five of an exhaustive campaign: `flip` stands for each weak cell alone, `random` for eight seeds. */
export const exhaustivePolicies = ['new', 'old', 'flip', 'unstable', 'random'] as const;

/** Seeds that `random` stands for. */
const RANDOM_SEEDS = 8;

/**
 * The policies behind a list of names for a memory with so many weak cells: `flip` becomes one for each cell, `random`
 * eight, `unstable` `unstable-1`; without weak cells all are one. @throws TearError TEAR_CASE for an unknown name
 */
export function expandPolicies(names: readonly string[], weakCells: number): readonly CutPolicy[] {
  if (weakCells === 0) return [policyOf(strong)];
  return names.flatMap((name) => {
    if (name === 'flip') return Array.from({ length: weakCells }, (_, cell) => policyOf(`flip-${cell}`));
    if (name === 'random') return Array.from({ length: RANDOM_SEEDS }, (_, seed) => policyOf(`random-${seed + 1}`));
    return [policyOf(name === 'unstable' ? 'unstable-1' : name)];
  });
}

/** The one name for memories without weak cells: every policy reads the same. */
export const strong = 'strong';
