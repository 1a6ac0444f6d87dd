/** The invariants of card-to-card money (docs/channels.md 3). */
export type PurseInvariantId = 'V1' | 'V2' | 'V3' | 'V4' | 'V5' | 'V6' | 'V7';

/** One breach of an invariant. */
export interface PurseFinding {
  readonly invariant: PurseInvariantId;
  readonly text: string;
}

/** One record of the issuer. Keys and ids in hexadecimal, amounts in yen; so everywhere here. */
export interface PurseIssueRecord {
  readonly key: string;
  readonly amount: number;
  readonly number: number;
}

/** One entry of the third party's log. */
export interface PurseLogRecord {
  readonly payeeId: string;
  readonly challengeId: string;
  readonly payerKey: string;
  readonly amount: number;
}

/** A payment a card has made, as it tells it. */
export interface PursePayment {
  readonly challengeId: string;
  readonly amount: number;
}

/** A card as it tells of itself by GET DATA. */
export interface AbstractPurse {
  readonly id: string;
  readonly key: string;
  readonly balance: number;
  readonly issued: number;
  readonly received: number;
  readonly paid: number;
  readonly lastIssue: number;
  /** Challenge ids that can still be paid. */
  readonly open: readonly string[];
  /** Log entries that wait for a receipt. */
  readonly waiting: readonly PurseLogRecord[];
  /** The newest payments, newest first. */
  readonly payments: readonly PursePayment[];
}

/** Cards, issuing records and log at one moment at rest. */
export interface AbstractPurseWorld {
  readonly cards: readonly AbstractPurse[];
  readonly issues: readonly PurseIssueRecord[];
  readonly log: readonly PurseLogRecord[];
}

const sum = (amounts: readonly { readonly amount: number }[]): number => amounts.reduce((total, { amount }) => total + amount, 0);
const nameOf = (payeeId: string, challengeId: string): string => `${payeeId}/${challengeId}`;

/**
 * Balance of a card, readable or not, from issuing records and log alone (docs/purse.md 3, rule 10). Yen.
 * @param card id and key that the CA knows to belong together
 */
export function balanceProof({ issues, log }: Pick<AbstractPurseWorld, 'issues' | 'log'>, card: { readonly id: string; readonly key: string }): number {
  return sum(issues.filter(({ key }) => key === card.key)) + sum(log.filter(({ payeeId }) => payeeId === card.id)) - sum(log.filter(({ payerKey }) => payerKey === card.key));
}

/** What has been credited to a card: its log entries, at the third party or still waiting. */
function creditedTo(card: AbstractPurse, { log }: AbstractPurseWorld): readonly PurseLogRecord[] {
  const logged = log.filter(({ payeeId }) => payeeId === card.id);
  return [...logged, ...card.waiting.filter(({ challengeId }) => !logged.some((entry) => entry.challengeId === challengeId))];
}

/** Payments less one for each record of the same challenge and amount; an altered challenge may have been paid beside the true one. */
function without(payments: readonly PursePayment[], records: readonly PurseLogRecord[]): readonly PursePayment[] {
  const left = [...payments];
  for (const { challengeId, amount } of records) {
    const at = left.findIndex((payment) => payment.challengeId === challengeId && payment.amount === amount);
    if (at >= 0) left.splice(at, 1);
  }
  return left;
}

/** Payments of a card that no card has been credited with. */
const pendingOf = (card: AbstractPurse, world: AbstractPurseWorld): readonly PursePayment[] =>
  without(card.payments, world.cards.flatMap((payee) => creditedTo(payee, world)).filter(({ payerKey }) => payerKey === card.key));

/** V1: value is neither made nor lost between cards and log. */
function conserved(world: AbstractPurseWorld): PurseFinding[] {
  const { cards } = world;
  const held = cards.reduce((total, { balance }) => total + balance, 0);
  const issued = cards.reduce((total, card) => total + card.issued, 0);
  const pending = sum(cards.flatMap((card) => pendingOf(card, world)));
  const found: PurseFinding[] = held + pending === issued ? []
    : [{ invariant: 'V1', text: `the cards hold ${held}, ${pending} is paid and not credited, together ${held + pending}; ${issued} was issued to them` }];
  for (const card of cards) {
    const { id, balance, received, paid } = card;
    if (balance !== card.issued + received - paid) found.push({ invariant: 'V1', text: `card ${id} holds ${balance}, its sums are ${card.issued} + ${received} - ${paid}` });
    const credited = sum(creditedTo(card, world));
    if (received !== credited) found.push({ invariant: 'V1', text: `card ${id} has received ${received}, its log entries are ${credited}` });
  }
  return found;
}

/** V2: a challenge is used once. */
function usedOnce(world: AbstractPurseWorld): PurseFinding[] {
  const names = world.log.map(({ payeeId, challengeId }) => nameOf(payeeId, challengeId));
  const twice = names.filter((name, at) => names.indexOf(name) !== at);
  const open = world.cards.flatMap((card) => creditedTo(card, world).filter(({ challengeId }) => card.open.includes(challengeId)).map(({ challengeId }) => nameOf(card.id, challengeId)));
  return [
    ...twice.map((name): PurseFinding => ({ invariant: 'V2', text: `challenge ${name} is in the log twice` })),
    ...open.map((name): PurseFinding => ({ invariant: 'V2', text: `challenge ${name} is credited and still open` })),
  ];
}

/** V3: no card has paid more than it held. */
const neverMore = ({ cards }: AbstractPurseWorld): PurseFinding[] => cards.filter(({ issued, received, paid }) => paid > issued + received)
  .map(({ id, issued, received, paid }) => ({ invariant: 'V3', text: `card ${id} has paid ${paid}, it held ${issued + received}` }));

/** V4: everything credited was paid by the card it names, in that amount. */
function paidFor(world: AbstractPurseWorld): PurseFinding[] {
  const credits = world.cards.flatMap((card) => creditedTo(card, world));
  return credits.flatMap(({ payerKey, challengeId, amount, payeeId }): PurseFinding[] => {
    const payer = world.cards.find(({ key }) => key === payerKey);
    if (!payer) return [{ invariant: 'V4', text: `card ${payeeId} was credited ${amount} by a key that belongs to no card` }];
    const kept = payer.payments.filter((payment) => payment.challengeId === challengeId);
    if (kept.length > 0 ? kept.some((payment) => payment.amount === amount) : payer.payments.length >= PAYMENTS_KEPT) return [];
    const told = kept.map((payment) => payment.amount).join(', ');
    return [{ invariant: 'V4', text: `card ${payeeId} was credited ${amount} for challenge ${challengeId}; the payer tells ${told === '' ? 'no such payment' : told}` }];
  });
}

/** Payments a card keeps (docs/purse.md 3, rule 3). */
const PAYMENTS_KEPT = 8;

/** V5: the balance proof differs from what a whole card holds by exactly what docs/purse.md 3, rule 10 names. */
function provable(world: AbstractPurseWorld): PurseFinding[] {
  return world.cards.flatMap((card): PurseFinding[] => {
    const proof = balanceProof(world, card);
    const unloaded = sum(world.issues.filter(({ key, number }) => key === card.key && number > card.lastIssue));
    const unlogged = sum(without(card.payments, world.log.filter(({ payerKey }) => payerKey === card.key)));
    const waiting = sum(card.waiting.filter(({ challengeId }) => !world.log.some((entry) => entry.payeeId === card.id && entry.challengeId === challengeId)));
    const expected = proof - unloaded - unlogged + waiting;
    return card.balance === expected ? []
      : [{ invariant: 'V5', text: `card ${card.id} holds ${card.balance}; proved are ${proof}, less ${unloaded} not loaded and ${unlogged} not logged, with ${waiting} waiting` }];
  });
}

/** Everything that must hold of one moment at rest: V1 to V5. */
export const checkPurse = (world: AbstractPurseWorld): readonly PurseFinding[] =>
  [...conserved(world), ...usedOnce(world), ...neverMore(world), ...paidFor(world), ...provable(world)];

const counterOf = (ids: readonly string[]): number => Math.max(0, ...ids.map((id) => parseInt(id.slice(0, 8), 16)));

/** V6: nothing goes back from one moment to a later one: log, issues, sums, and a credited challenge never opens again. */
export function checkPurseChange(before: AbstractPurseWorld, after: AbstractPurseWorld): readonly PurseFinding[] {
  const found: PurseFinding[] = [];
  const logged = new Set(after.log.map((entry) => JSON.stringify(entry)));
  for (const entry of before.log)
    if (!logged.has(JSON.stringify(entry))) found.push({ invariant: 'V6', text: `the log has lost challenge ${nameOf(entry.payeeId, entry.challengeId)}` });
  for (const card of before.cards) {
    const later = after.cards.find(({ id }) => id === card.id);
    if (!later) continue;
    for (const name of ['issued', 'received', 'paid', 'lastIssue'] as const)
      if (later[name] < card[name]) found.push({ invariant: 'V6', text: `${name} of card ${card.id} went back from ${card[name]} to ${later[name]}` });
    const credited = creditedTo(card, before);
    const again = later.open.filter((id) => !card.open.includes(id) && counterOf([id]) <= counterOf([...card.open, ...credited.map(({ challengeId }) => challengeId)]));
    for (const id of again) found.push({ invariant: 'V6', text: `card ${card.id} opened challenge ${id}, whose number was used before` });
  }
  return found;
}

/** V7: a card that is booted once more tells the same. */
export function checkPurseStable(first: AbstractPurseWorld, second: AbstractPurseWorld): readonly PurseFinding[] {
  return first.cards.flatMap((card): PurseFinding[] => {
    const other = second.cards.find(({ id }) => id === card.id);
    return JSON.stringify(card) === JSON.stringify(other) ? [] : [{ invariant: 'V7', text: `card ${card.id} tells something else after a second boot` }];
  });
}
