import { isKeyKind } from '../ports.js';
import type {
  AbstractCard, AbstractCertificate, AbstractLedgerEntry, AbstractRecord, AbstractSafe, AbstractValue, AbstractWorld, Finding, InvariantId,
} from './state.js';

/** One breach. */
export const finding = (invariant: InvariantId, text: string, step?: string): Finding => ({ invariant, text, ...step !== undefined && { step } });

/** Classes whose worth is the remaining amount: pre-paid card and electronic cash (protocol.md 2.4 rule 3). */
export const isMoney = (informationClass: number): boolean => informationClass === 3 || informationClass === 5;

/** What can be spent of a value: units, or yen. */
export const worth = ({ informationClass, quantity, remaining }: AbstractValue): number => (isMoney(informationClass) ? remaining : quantity);

/** True for values that a USE would accept. */
export const spendable = ({ state }: AbstractValue): boolean => state === 'active' || state === 'pending';

/** True for a certificate with which the value behind it can be got back. */
export const redeemable = ({ state }: AbstractCertificate): boolean => state === 'stored' || state === 'recovering';

/** True for items that only hold room or are being erased. */
export const hidden = ({ state }: { readonly state: string }): boolean => state === 'reserved' || state === 'deleting';

/** Records that match a certificate whole: safe, counter, hash, card and sequence. */
export const recordsOf = (world: AbstractWorld, certificate: AbstractCertificate): readonly AbstractRecord[] =>
  world.safes.filter(({ safeId }) => safeId === certificate.safeId).flatMap(({ records }) => records.filter((record) =>
    record.counter === certificate.counter && record.hash === certificate.hash && record.cardId === certificate.cardId
    && record.sequence === certificate.sequence));

const allValues = (world: AbstractWorld): readonly AbstractValue[] => world.cards.flatMap(({ values }) => values);

/** Values and book entries of a world by issue id; kept with the world, which does not change. */
interface ByIssue {
  readonly values: ReadonlyMap<string, readonly AbstractValue[]>;
  readonly ledger: ReadonlyMap<string, AbstractLedgerEntry>;
}

const sorted = new WeakMap<AbstractWorld, ByIssue>();

function byIssue(world: AbstractWorld): ByIssue {
  const known = sorted.get(world);
  if (known) return known;
  const values = new Map<string, AbstractValue[]>();
  for (const value of allValues(world)) {
    const copies = values.get(value.issueId);
    if (copies) copies.push(value);
    else values.set(value.issueId, [value]);
  }
  const made = { values, ledger: new Map([...world.ledger].reverse().map((entry) => [entry.issueId, entry])) };
  sorted.set(world, made);
  return made;
}

const copiesOf = (world: AbstractWorld, issueId: string): readonly AbstractValue[] => byIssue(world).values.get(issueId) ?? [];

/** Units or yen owed for an issued value. */
function owed(entry: AbstractLedgerEntry, money: boolean): number {
  if (entry.withdrawn) return 0;
  return money ? entry.remaining - entry.spentAmount : entry.quantity - entry.spentQuantity;
}

/** How the worth of a value is counted, from any copy of it; tickets where nothing tells. */
function isMoneyValue(world: AbstractWorld, issueId: string, entry: AbstractLedgerEntry): boolean {
  const [copy] = copiesOf(world, issueId) as readonly (AbstractValue | undefined)[];
  return copy ? isMoney(copy.informationClass) : entry.informationClass !== undefined && isMoney(entry.informationClass);
}

/** I1: what is spendable of each value over all cards never exceeds what was issued less what was spent. */
export function noCreation(world: AbstractWorld): readonly Finding[] {
  const ids = new Set(allValues(world).filter(spendable).map(({ issueId }) => issueId));
  return [...ids].flatMap((issueId) => {
    const entry = byIssue(world).ledger.get(issueId);
    if (!entry) return [finding('I1', `value ${issueId} is spendable and was never issued`)];
    const sum = copiesOf(world, issueId).filter(spendable).reduce((total, value) => total + worth(value), 0);
    const limit = owed(entry, isMoneyValue(world, issueId, entry));
    return sum > limit ? [finding('I1', `${sum} of value ${issueId} is spendable, ${limit} is owed`)] : [];
  });
}

/** True when the key that opens a registered value is on its card or can be got back to it. */
function keyWithin(world: AbstractWorld, card: AbstractCard | undefined, record: AbstractRecord): boolean {
  const { keyId } = record;
  if (record.kind !== 'registered' || keyId === undefined) return true;
  if (card && (card.keys.decoding === keyId || card.keys.common === keyId)) return true;
  return (card?.certificates ?? []).some((certificate) => isKeyKind(certificate.kind) && redeemable(certificate) && certificate.readable
    && recordsOf(world, certificate).some((held) => held.state === 'held' && held.keyId === keyId));
}

/** Worth that comes back through certificates on cards: stably readable, with a held record and a key. */
function recoverable(world: AbstractWorld, issueId: string, money: boolean): number {
  const worths = world.cards.flatMap((card) => card.certificates.filter((certificate) => certificate.readable && redeemable(certificate)
    && !isKeyKind(certificate.kind) && certificate.cardId === card.cardId)
    .flatMap((certificate) => recordsOf(world, certificate).filter((record) => record.issueId === issueId && record.state === 'held' && keyWithin(world, card, record)))
    .map((record) => (money ? record.remaining : record.quantity) ?? 0));
  return Math.max(0, ...worths);
}

/** I2: every unspent value is spendable, recoverable, or in a signed lost log. */
export function allAccounted(world: AbstractWorld): readonly Finding[] {
  return world.ledger.flatMap((entry) => {
    const { issueId } = entry;
    const money = isMoneyValue(world, issueId, entry);
    const due = owed(entry, money);
    const held = copiesOf(world, issueId).filter((value) => spendable(value) && value.readable).reduce((sum, value) => sum + worth(value), 0);
    const back = recoverable(world, issueId, money);
    if (due <= 0 || Math.max(held, back) >= due || world.lostLog.includes(issueId)) return [];
    return [finding('I2', `${due} of value ${issueId} is owed, ${held} is spendable and ${back} recoverable`)];
  });
}

/** I3: what was taken in for a value never exceeds what was issued. */
export function singleSpend(world: AbstractWorld): readonly Finding[] {
  return world.ledger.flatMap(({ issueId, quantity, remaining, spentQuantity, spentAmount }) => [
    ...spentQuantity > quantity ? [finding('I3', `${spentQuantity} units of value ${issueId} were spent, ${quantity} issued`)] : [],
    ...spentAmount > remaining ? [finding('I3', `${spentAmount} yen of value ${issueId} were spent, ${remaining} issued`)] : [],
  ]);
}

/** I4: no value is at rest both spendable in a wallet and redeemable at a safe. */
export function exclusion(world: AbstractWorld): readonly Finding[] {
  return world.cards.flatMap((card) => card.certificates.filter((certificate) => redeemable(certificate) && !isKeyKind(certificate.kind)).flatMap((certificate) => {
    const ids = recordsOf(world, certificate).filter(({ state }) => state === 'held').map(({ issueId }) => issueId);
    const both = allValues(world).find((value) => spendable(value) && worth(value) > 0 && ids.includes(value.issueId));
    return both ? [finding('I4', `value ${both.issueId} is ${both.state} and its certificate ${certificate.handle} is ${certificate.state}`)] : [];
  }));
}

/** I7: each certificate of a card matches exactly one record or tombstone, and names this card. */
export function certificatesMatch(world: AbstractWorld): readonly Finding[] {
  return world.cards.flatMap(({ cardId, certificates }) => certificates.filter((certificate) => !hidden(certificate)).flatMap((certificate) => {
    const count = recordsOf(world, certificate).length;
    return [
      ...certificate.cardId === cardId ? [] : [finding('I7', `card ${cardId} holds certificate ${certificate.handle} of card ${certificate.cardId}`)],
      ...count === 1 ? [] : [finding('I7', `certificate ${certificate.handle} matches ${count} records of safe ${certificate.safeId}`)],
    ];
  }));
}

function heldKeys({ records }: AbstractSafe): readonly string[] {
  return records.flatMap(({ kind, state, keyId }) => (isKeyKind(kind) && state === 'held' && keyId !== undefined ? [keyId] : []));
}

/**
 * I8: no ciphertext at a safe without a key to open it on its card or recoverable to it; with `separate` (key at another
 * safe, claim 6) no safe that holds both.
 */
export function keysKept(world: AbstractWorld, separate = false): readonly Finding[] {
  return world.safes.flatMap((safe) => safe.records.filter(({ kind, state }) => kind === 'registered' && state === 'held').flatMap((record) => {
    const card = world.cards.find(({ cardId }) => cardId === record.cardId);
    const name = `the value of card ${record.cardId}, sequence ${record.sequence}`;
    return [
      ...card && !keyWithin(world, card, record) ? [finding('I8', `nothing opens ${name} at safe ${safe.safeId}`)] : [],
      ...separate && record.keyId !== undefined && heldKeys(safe).includes(record.keyId) ? [finding('I8', `safe ${safe.safeId} holds ${name} and its key`)] : [],
    ];
  }));
}

/** I12: as long as a registration is open, room for its certificate is reserved: the safe may have made it already. */
export function roomReserved(world: AbstractWorld): readonly Finding[] {
  return world.cards.flatMap(({ cardId, values, certificates }) => {
    const pending = values.filter(({ state }) => state === 'pending').length;
    const reserved = certificates.filter(({ state, kind }) => state === 'reserved' && !isKeyKind(kind)).length;
    return pending > reserved ? [finding('I12', `card ${cardId} has ${pending} registrations open and room reserved for ${reserved} certificates`)] : [];
  });
}

/** All invariants that one state can break: I1, I2, I3, I4, I7, I8, I12. */
export const checkState = (world: AbstractWorld, separate = false): readonly Finding[] => [
  ...noCreation(world), ...allAccounted(world), ...singleSpend(world), ...exclusion(world), ...certificatesMatch(world), ...keysKept(world, separate),
  ...roomReserved(world),
];
