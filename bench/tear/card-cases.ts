import type { TestSetup } from '../certify/factory.js';
import type { CardCutResult, CardTear, RoleCut } from './card-cuts.js';
import { caseOf } from './case-id.js';
import { TearError } from './errors.js';

/** Everything that fixes one case of power cuts on several cards. */
export interface CardCutCase<R extends string> {
  /** First 8 hexadecimal digits of the image's digest. */
  readonly firmware: string;
  readonly chip: string;
  readonly protocol: 'T=0' | 'T=1';
  readonly seed: number;
  readonly point: string;
  /** At most one for each card. */
  readonly cuts: readonly RoleCut<R>[];
  /** Weak-cell policy after each cut. */
  readonly policy: string;
}

/** Case ids of one kind of power cuts. */
export interface CardCases<R extends string> {
  /** How they begin. */
  readonly prefix: string;
  /** A case as one string: `cards:1f2e3d4c:c2010:T=1:7:purse-1-transfer-C-03:payer@812345+payee@917354:random-2`. */
  readonly id: (of: CardCutCase<R>) => string;
  /** Reads a case id. Throws TearError TEAR_CASE when it is none of this kind. */
  readonly parse: (text: string) => CardCutCase<R>;
  /** The case id of cuts under a setup. */
  readonly idUnder: (setup: TestSetup, point: string, cuts: readonly RoleCut<R>[], policy: string) => string;
}

/**
 * Case ids of power cuts on the cards of these roles.
 * @param kind first part of the ids
 * @param about whose cuts they are, for messages
 */
export function cardCases<R extends string>(kind: string, roles: readonly R[], about: string): CardCases<R> {
  const one = `(?:${roles.join('|')})@\\d+`;
  const form = new RegExp(`^${kind}:([0-9a-f]{8}):([^:]+):(T=[01]):(\\d+):([^:]+):(${one}(?:\\+${one})?):([a-z0-9-]+)$`);
  const id = ({ firmware, chip, protocol, seed, point, cuts, policy }: CardCutCase<R>): string =>
    [kind, firmware, chip, protocol, seed, point, cuts.map(({ card, tick }) => `${card}@${tick}`).join('+'), policy].join(':');
  return {
    prefix: `${kind}:`,
    id,
    parse(text) {
      const parts = form.exec(text);
      const [, firmware, chip, protocol, seed, point, cuts = '', policy] = parts ?? [];
      const read = cuts.split('+').map((cut) => {
        const [card, tick] = cut.split('@');
        return { card: card as R, tick: Number(tick) };
      });
      const once = new Set(read.map(({ card }) => card)).size === read.length;
      if (!parts || !once) throw new TearError('TEAR_CASE', `${text} is no case id of power cuts on ${about}`);
      return { firmware, chip, protocol: protocol as CardCutCase<R>['protocol'], seed: Number(seed), point, cuts: read, policy };
    },
    idUnder(setup, point, cuts, policy) {
      const { firmware, chip, protocol, seed } = caseOf(setup, point, [], []);
      return id({ firmware, chip, protocol, seed, point, cuts, policy });
    },
  };
}

/** What a sample of power cuts on the cards of one run has shown. */
export interface CardCutReport {
  readonly cases: number;
  /** Cases in which the power of a card did not go: they prove nothing. */
  readonly unfired: readonly string[];
  /** Cases that broke an invariant or did not come to their end, by case id. */
  readonly failures: readonly { readonly case: string; readonly reasons: readonly string[]; readonly step?: string }[];
  /** Different memories that the cuts left. */
  readonly memories: number;
  /** Most runs that were needed to come to the end. */
  readonly attempts: number;
}

/** How large a sample is. */
export interface SampleSize {
  readonly cases: number;
  readonly seed: number;
  readonly stopped?: () => boolean;
}

/** Cuts at sampled moments; the same cases for the same seed. @param idOf the case id of cuts. Throws TearError TEAR_RUN. */
export async function sampleCards<R extends string>(
  tear: CardTear<R>, idOf: (cuts: readonly RoleCut<R>[], policy: string) => string, { cases, seed, stopped = () => false }: SampleSize,
): Promise<CardCutReport> {
  const memories = new Set<string>();
  const [unfired, failures]: [string[], CardCutReport['failures'][number][]] = [[], []];
  let [done, attempts] = [0, 0];
  for (; done < cases && !stopped(); done++) {
    const { cuts, policy } = await tear.draw(done, seed);
    const { reasons, step, fired, ...result } = await tear.run(cuts, policy);
    const id = idOf(cuts, policy);
    for (const memory of result.memories) memories.add(memory);
    attempts = Math.max(attempts, result.attempts);
    if (reasons.length > 0) failures.push({ case: id, reasons, ...step !== undefined && { step } });
    else if (fired.length < cuts.length) unfired.push(id);
  }
  return { cases: done, unfired, failures, memories: memories.size, attempts };
}

/** Runs one case again. Throws TearError TEAR_CASE when it is one of another firmware, chip, protocol or seed. */
export async function replayCards<R extends string, P extends { readonly id: string }>(
  id: string, { parse, idUnder }: CardCases<R>, points: readonly P[], setup: TestSetup, tearOf: (point: P) => Promise<CardTear<R>>,
): Promise<CardCutResult<R>> {
  const { point: name, cuts, policy } = parse(id);
  const point = points.find((one) => one.id === name);
  if (!point) throw new TearError('TEAR_CASE', `there is no point ${name}`);
  const own = idUnder(setup, name, cuts, policy);
  if (own !== id) throw new TearError('TEAR_CASE', `${id} is a case of another firmware, chip, protocol or seed than ${own}`);
  return (await tearOf(point)).run(cuts, policy);
}
