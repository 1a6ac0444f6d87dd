import type { TestSetup } from '../certify/factory.js';
import type { RoleCut } from '../tear/card-cuts.js';
import { caseOf } from '../tear/case-id.js';
import { TearError } from '../tear/errors.js';
import { twinCards } from './card-talk.js';
import type { TwinCardName } from './card-talk.js';

/** The power of one card goes, so many ticks of the bench after the run began. */
export type TwinCut = RoleCut<TwinCardName>;

/** Everything that fixes one case of power cuts on primary and secondary card. */
export interface TwinCutCase {
  /** First 8 hexadecimal digits of the image's digest. */
  readonly firmware: string;
  readonly chip: string;
  readonly protocol: 'T=0' | 'T=1';
  readonly seed: number;
  readonly point: string;
  /** At most one for each card. */
  readonly cuts: readonly TwinCut[];
  /** Weak-cell policy after each cut. */
  readonly policy: string;
}

/** How case ids of this kind begin. */
export const TWIN_CASE_PREFIX = 'twin:';

/** A case as one string: `twin:1f2e3d4c:c2010:T=1:7:twin-1-promote-Z-03:A@812345+B@917354:random-2`. */
export const twinCaseId = ({ firmware, chip, protocol, seed, point, cuts, policy }: TwinCutCase): string =>
  ['twin', firmware, chip, protocol, seed, point, cuts.map(({ card, tick }) => `${card}@${tick}`).join('+'), policy].join(':');

/** Reads a case id. Throws TearError TEAR_CASE when it is none. */
export function parseTwinCase(text: string): TwinCutCase {
  const parts = /^twin:([0-9a-f]{8}):([^:]+):(T=[01]):(\d+):([^:]+):([ABC]@\d+(?:\+[ABC]@\d+)?):([a-z0-9-]+)$/.exec(text);
  const [, firmware, chip, protocol, seed, point, cuts = '', policy] = parts ?? [];
  const read = cuts.split('+').map((cut) => {
    const [card, tick] = cut.split('@');
    return { card: card as TwinCardName, tick: Number(tick) };
  });
  const known = read.every(({ card }) => twinCards.includes(card)) && new Set(read.map(({ card }) => card)).size === read.length;
  if (!parts || !known) throw new TearError('TEAR_CASE', `${text} is no case id of power cuts on primary and secondary card`);
  return { firmware, chip, protocol: protocol as TwinCutCase['protocol'], seed: Number(seed), point, cuts: read, policy };
}

/** The case of cuts under a setup. */
export function twinCaseOf(setup: TestSetup, point: string, cuts: readonly TwinCut[], policy: string): TwinCutCase {
  const { firmware, chip, protocol, seed } = caseOf(setup, point, [], []);
  return { firmware, chip, protocol, seed, point, cuts, policy };
}
