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

/** True for certificates and records of keys, their seeds and their parts. */
export const isKey = ({ kind }: Pick<AbstractCertificate, 'kind'>): boolean => isKeyKind(kind);

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
  if (!sealed(record) || keyId === undefined) return true;
  if (card && (card.keys.decoding === keyId || card.keys.common === keyId)) return true;
  const held = (card?.certificates ?? []).filter((certificate) => redeemable(certificate) && certificate.readable)
    .flatMap((certificate) => recordsOf(world, certificate).filter((one) => one.state === 'held' && one.kind === certificate.kind && one.keyId === keyId));
  return held.some(({ kind }) => kind === 'key' || kind === 'seed') || enoughParts(held);
}

/** True for the kinds that only a key opens. */
const sealed = ({ kind }: AbstractRecord): boolean => kind === 'registered' || kind === 'piece' || kind === 'bundle' || kind === 'coupled';

/** True for a record that holds a part of a key, alone or coupled with a ciphertext. */
const holdsPart = ({ kind }: AbstractRecord): boolean => kind === 'key-part' || kind === 'coupled';

/** True when the parts of one division reach its threshold. */
function enoughParts(records: readonly AbstractRecord[]): boolean {
  const parts = records.flatMap((record) => (holdsPart(record) && record.part ? [record.part] : []));
  return parts.some(({ set, wanted }) => new Set(parts.filter((other) => other.set === set).map(({ index }) => index)).size >= wanted);
}

/** What a record gives back of a value: a bundle holds several. */
function contentOf(record: AbstractRecord, issueId: string): { readonly quantity: number; readonly remaining: number } | undefined {
  const held = record.holds?.find((one) => one.issueId === issueId);
  if (held) return held;
  return record.issueId === issueId ? { quantity: record.quantity ?? 0, remaining: record.remaining ?? 0 } : undefined;
}

/** True when every deposited piece of the set is there, and the card holds the others in its deposited value. */
function setWhole(card: AbstractCard, issueId: string, record: AbstractRecord, records: readonly AbstractRecord[]): boolean {
  const { part } = record;
  if (record.kind !== 'piece') return true;
  if (!part) return false;
  const indexes = Array.from({ length: part.count }, (_, i) => i + 1);
  const deposited = (index: number): boolean => ((part.wanted >> (index - 1)) & 1) === 1;
  const kept = card.values.some((value) => value.issueId === issueId && value.readable && value.state === 'deposited');
  return indexes.every((index) => (deposited(index) ? records.some((other) => other.part?.set === part.set && other.part.index === index) : kept));
}

/** Worth that comes back through certificates on cards: stably readable, with a held record and a key. */
function recoverable(world: AbstractWorld, issueId: string, money: boolean): number {
  const worths = world.cards.flatMap((card) => {
    const records = card.certificates.filter((certificate) => certificate.readable && redeemable(certificate)
      && !isKey(certificate) && certificate.cardId === card.cardId)
      .flatMap((certificate) => recordsOf(world, certificate).filter((record) => contentOf(record, issueId) !== undefined && record.state === 'held' && keyWithin(world, card, record)));
    return records.filter((record) => setWhole(card, issueId, record, records)).map((record) => contentOf(record, issueId)?.[money ? 'remaining' : 'quantity'] ?? 0);
  });
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
  return world.cards.flatMap((card) => card.certificates.filter((certificate) => redeemable(certificate) && !isKey(certificate)).flatMap((certificate) => {
    const ids = recordsOf(world, certificate).filter(({ state }) => state === 'held').flatMap(({ issueId, holds }) => (holds ? holds.map((one) => one.issueId) : [issueId]));
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
 * A safe with enough parts of a key, or with a part that is the key, opens what only card and owner may. A part that is
 * coupled with a ciphertext is sealed for its card: the safe has it and cannot read it.
 */
function partsApart(safe: AbstractSafe): readonly Finding[] {
  const held = safe.records.filter(({ kind, state }) => kind === 'key-part' && state === 'held');
  const whole = held.filter(({ opens }) => opens === true).map(({ sequence }) => finding('I8', `part ${sequence} at safe ${safe.safeId} is the whole key`));
  return enoughParts(held) ? [...whole, finding('I8', `safe ${safe.safeId} alone holds enough parts of a key`)] : whole;
}

/** True for a ciphertext whose value is back and whose key has been replaced: both certificates are spent, nobody will open it any more. */
const isReplaced = (world: AbstractWorld, card: AbstractCard, record: AbstractRecord): boolean => {
  const spent = card.certificates.filter(({ state }) => state === 'spent').flatMap((certificate) => recordsOf(world, certificate));
  return spent.includes(record) && spent.some(({ kind, keyId }) => kind === 'key' && keyId === record.keyId);
};

/**
 * I8: no ciphertext at a safe without a key to open it on its card or recoverable to it; with `separate` (key at another
 * safe, claim 6) no safe that holds both.
 */
export function keysKept(world: AbstractWorld, separate = false): readonly Finding[] {
  return world.safes.flatMap((safe) => [...partsApart(safe), ...safe.records.filter((record) => sealed(record) && record.state === 'held').flatMap((record) => {
    const card = world.cards.find(({ cardId }) => cardId === record.cardId);
    const name = `the value of card ${record.cardId}, sequence ${record.sequence}`;
    return [
      ...card && !isReplaced(world, card, record) && !keyWithin(world, card, record) ? [finding('I8', `nothing opens ${name} at safe ${safe.safeId}`)] : [],
      ...separate && record.keyId !== undefined && heldKeys(safe).includes(record.keyId) ? [finding('I8', `safe ${safe.safeId} holds ${name} and its key`)] : [],
    ];
  })]);
}

/** I6: the certificate of a key is spent only where that of the key in its place is stored, with its record. */
export function keysReplaced(world: AbstractWorld): readonly Finding[] {
  return world.cards.flatMap((card) => {
    const registered = card.certificates.some((certificate) => isKey(certificate) && redeemable(certificate)
      && recordsOf(world, certificate).some(({ state, keyId }) => state === 'held' && keyId !== undefined && keyId === card.keys.decoding));
    const spent = card.certificates.filter((certificate) => isKey(certificate) && certificate.state === 'spent');
    return registered ? [] : spent.map(({ handle }) => finding('I6', `key certificate ${handle} is spent and the key in its place is not registered`));
  });
}

/** I12: as long as a registration is open, room for its certificate is reserved: the safe may have made it already. */
export function roomReserved(world: AbstractWorld): readonly Finding[] {
  return world.cards.flatMap(({ cardId, values, certificates }) => {
    const open = values.filter(({ state }) => state === 'pending');
    const pending = open.filter(({ bundle }) => bundle === undefined).length + new Set(open.flatMap(({ bundle }) => (bundle === undefined ? [] : [bundle]))).size;
    const reserved = certificates.filter((certificate) => certificate.state === 'reserved' && !isKey(certificate)).length;
    return pending > reserved ? [finding('I12', `card ${cardId} has ${pending} registrations open and room reserved for ${reserved} certificates`)] : [];
  });
}

/** All invariants that one state can break: I1, I2, I3, I4, I6, I7, I8, I12. */
export const checkState = (world: AbstractWorld, separate = false): readonly Finding[] => [
  ...noCreation(world), ...allAccounted(world), ...singleSpend(world), ...exclusion(world), ...certificatesMatch(world), ...keysKept(world, separate),
  ...roomReserved(world), ...keysReplaced(world),
];
