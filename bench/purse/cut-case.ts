import type { TestSetup } from '../certify/factory.js';
import type { RoleCut } from '../tear/card-cuts.js';
import { caseOf } from '../tear/case-id.js';
import { TearError } from '../tear/errors.js';
import { purseRoles } from './world.js';
import type { PurseRole } from './world.js';

/** The power of one card goes, so many ticks of the bench after the transfer began. */
export type CardCut = RoleCut<PurseRole>;

/** Everything that fixes one case of power cuts on the cards of a transfer. */
export interface CardCutCase {
  /** First 8 hexadecimal digits of the image's digest. */
  readonly firmware: string;
  readonly chip: string;
  readonly protocol: 'T=0' | 'T=1';
  readonly seed: number;
  readonly point: string;
  /** At most one for each card. */
  readonly cuts: readonly CardCut[];
  /** Weak-cell policy after each cut. */
  readonly policy: string;
}

/** How case ids of this kind begin. */
export const CARD_CASE_PREFIX = 'cards:';

/** A case as one string: `cards:1f2e3d4c:c2010:T=1:7:purse-1-transfer-C-03:payer@812345+payee@917354:random-2`. */
export const cardCaseId = ({ firmware, chip, protocol, seed, point, cuts, policy }: CardCutCase): string =>
  ['cards', firmware, chip, protocol, seed, point, cuts.map(({ card, tick }) => `${card}@${tick}`).join('+'), policy].join(':');

/** Reads a case id. Throws TearError TEAR_CASE when it is none. */
export function parseCardCase(text: string): CardCutCase {
  const parts = /^cards:([0-9a-f]{8}):([^:]+):(T=[01]):(\d+):([^:]+):([a-z]+@\d+(?:\+[a-z]+@\d+)?):([a-z0-9-]+)$/.exec(text);
  const [, firmware, chip, protocol, seed, point, cuts = '', policy] = parts ?? [];
  const read = cuts.split('+').map((cut) => {
    const [card, tick] = cut.split('@');
    return { card: card as PurseRole, tick: Number(tick) };
  });
  const known = read.every(({ card }) => purseRoles.includes(card)) && new Set(read.map(({ card }) => card)).size === read.length;
  if (!parts || !known) throw new TearError('TEAR_CASE', `${text} is no case id of power cuts on several cards`);
  return { firmware, chip, protocol: protocol as CardCutCase['protocol'], seed: Number(seed), point, cuts: read, policy };
}

/** The case of cuts under a setup. */
export function cardCaseOf(setup: TestSetup, point: string, cuts: readonly CardCut[], policy: string): CardCutCase {
  const { firmware, chip, protocol, seed } = caseOf(setup, point, [], []);
  return { firmware, chip, protocol, seed, point, cuts, policy };
}
