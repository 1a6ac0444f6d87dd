import { isKeyKind } from '../ports.js';
import type { AbstractCard, AbstractCertificate, AbstractRecord, AbstractSafe, AbstractWorld, Finding } from './state.js';
import { finding, hidden, recordsOf, redeemable, spendable, worth } from './state-checks.js';

const laterOf = (world: AbstractWorld, cardId: string): AbstractCard | undefined => world.cards.find((card) => card.cardId === cardId);

/** The held record behind a redeemable certificate of a card that stands for a value. */
function deposit(world: AbstractWorld, card: AbstractCard, issueId: string): boolean {
  return card.certificates.some((certificate) => certificate.readable && redeemable(certificate)
    && recordsOf(world, certificate).some((record) => record.issueId === issueId && record.state === 'held'));
}

/** I5: a value is erased only used up, withdrawn, or DEPOSITED with a stable certificate and a held record. */
export function deletedAfterRegistering(before: AbstractWorld, after: AbstractWorld): readonly Finding[] {
  return before.cards.flatMap((card) => {
    const now = laterOf(after, card.cardId);
    if (!now) return [];
    const gone = card.values.filter((value) => !hidden(value) && !now.values.some(({ issueId, state }) => issueId === value.issueId && !hidden({ state })));
    return gone.flatMap((value) => {
      const withdrawn = after.ledger.some(({ issueId, withdrawn: back }) => issueId === value.issueId && back === true);
      if (worth(value) === 0 || withdrawn) return [];
      const fine = value.state === 'deposited' && deposit(before, card, value.issueId) && deposit(after, now, value.issueId);
      return fine ? [] : [finding('I5', `${value.state} value ${value.issueId} was erased from card ${card.cardId} without a certificate and record behind it`)];
    });
  });
}

const sameCertificate = (a: AbstractCertificate, b: AbstractCertificate): boolean =>
  a.safeId === b.safeId && a.counter === b.counter && a.hash === b.hash && a.sequence === b.sequence;

function certificateGone(before: AbstractWorld, after: AbstractWorld, card: AbstractCard): readonly Finding[] {
  const now = laterOf(after, card.cardId);
  if (!now) return [];
  const gone = card.certificates.filter((certificate) => !hidden(certificate) && !now.certificates.some((other) => !hidden(other) && sameCertificate(other, certificate)));
  return gone.flatMap((certificate) => {
    const { handle, state, kind } = certificate;
    if (state === 'spent') return [];
    if (isKeyKind(kind)) {
      const keyIds = recordsOf(before, certificate).map(({ keyId }) => keyId);
      const present = keyIds.some((keyId) => keyId !== undefined && (now.keys.decoding === keyId || now.keys.common === keyId));
      return present ? [] : [finding('I6', `key certificate ${handle} was erased and its key is not on the card`)];
    }
    return [finding('I6', `certificate ${handle} was erased as ${state}, before its value was back`)];
  });
}

/** True when the card has, before or after, committed the value of a record: only then may its copy go. */
function committed(worlds: readonly AbstractWorld[], record: AbstractRecord): boolean {
  return worlds.some((world) => (laterOf(world, record.cardId)?.certificates ?? []).some((certificate) => certificate.state === 'spent'
    && certificate.hash === record.hash && certificate.sequence === record.sequence));
}

const sameRecord = (a: AbstractRecord, b: AbstractRecord): boolean =>
  a.counter === b.counter && a.hash === b.hash && a.cardId === b.cardId && a.sequence === b.sequence;

function recordGone(worlds: readonly [AbstractWorld, AbstractWorld], safe: AbstractSafe): readonly Finding[] {
  const now = worlds[1].safes.find(({ safeId }) => safeId === safe.safeId);
  if (!now) return [];
  return safe.records.flatMap((record) => {
    const name = `record ${record.counter} of safe ${safe.safeId}`;
    const later = now.records.find((other) => sameRecord(other, record));
    if (!later) return [finding('I6', `${name} is gone and left no tombstone`)];
    if (record.state === 'tombstone' && later.state === 'held') return [finding('I6', `${name} came back from its tombstone`)];
    if (record.state === 'held' && later.state === 'tombstone' && !committed(worlds, record))
      return [finding('I6', `${name} became a tombstone before its card had the value back`)];
    return [];
  });
}

/** I6: certificate and copy go only after the value is back; the safe keeps a tombstone. */
export function deletedAfterRecovery(before: AbstractWorld, after: AbstractWorld): readonly Finding[] {
  return [
    ...before.cards.flatMap((card) => certificateGone(before, after, card)),
    ...before.safes.flatMap((safe) => recordGone([before, after], safe)),
  ];
}

function counterStep(before: AbstractSafe, after: AbstractSafe): readonly Finding[] {
  const modulus = after.counterLimit + 1;
  const went = (after.counter - before.counter + modulus) % modulus;
  const more = after.records.length - before.records.length;
  if (went === more % modulus) return [];
  return [finding('I9', `the counter of safe ${after.safeId} went from ${before.counter} to ${after.counter} with ${more} new records`)];
}

/** I9: sequence and load numbers never go back, the safe's counter goes up by one a record, no sequence stands for two objects. */
export function countersRise(before: AbstractWorld, after: AbstractWorld): readonly Finding[] {
  const cards = before.cards.flatMap((card) => {
    const now = laterOf(after, card.cardId);
    if (!now) return [];
    return [
      ...now.sequence < card.sequence ? [finding('I9', `the sequence of card ${card.cardId} went back from ${card.sequence} to ${now.sequence}`)] : [],
      ...now.loadNumber < card.loadNumber ? [finding('I9', `the load number of card ${card.cardId} went back from ${card.loadNumber} to ${now.loadNumber}`)] : [],
    ];
  });
  const safes = before.safes.flatMap((safe) => {
    const now = after.safes.find(({ safeId }) => safeId === safe.safeId);
    return now ? counterStep(safe, now) : [];
  });
  return [...cards, ...safes, ...sequenceReused(after)];
}

/** Two different objects under one sequence of a card: with the common-key variant the same nonce twice. */
function sequenceReused(world: AbstractWorld): readonly Finding[] {
  const seen = new Map<string, string>();
  return world.safes.flatMap(({ records }) => records).flatMap(({ cardId, sequence, hash }) => {
    const name = `${cardId}/${sequence}`;
    const first = seen.get(name) ?? hash;
    seen.set(name, first);
    return first === hash ? [] : [finding('I9', `sequence ${sequence} of card ${cardId} stands for two different objects`)];
  });
}

/**
 * I9 at power-on: no safe holds a record of a sequence that its card has forgotten and is going to give again. Only for
 * requests that reached the safe unaltered.
 */
export function sequencesKept(world: AbstractWorld): readonly Finding[] {
  return world.cards.flatMap(({ cardId, sequence }) => {
    const given = world.safes.flatMap(({ records }) => records.filter((record) => record.cardId === cardId).map((record) => record.sequence));
    const last = Math.max(0, ...given);
    return last > sequence ? [finding('I9', `card ${cardId} has given sequence ${last} and is at ${sequence} after power-on`)] : [];
  });
}

/** I3 over time: what was spent stays spent. */
export function spentStays(before: AbstractWorld, after: AbstractWorld): readonly Finding[] {
  return before.ledger.flatMap((entry) => {
    const now = after.ledger.find(({ issueId }) => issueId === entry.issueId);
    const less = now && (now.spentQuantity < entry.spentQuantity || now.spentAmount < entry.spentAmount);
    return less ? [finding('I3', `what was spent of value ${entry.issueId} has become less`)] : [];
  });
}

/** All invariants that a change from one state at rest to a later one can break: I3, I5, I6, I9. */
export const checkChange = (before: AbstractWorld, after: AbstractWorld): readonly Finding[] => [
  ...spentStays(before, after), ...deletedAfterRegistering(before, after), ...deletedAfterRecovery(before, after), ...countersRise(before, after),
];

const asText = (value: unknown): string => JSON.stringify(value);

/** I10: two boots without a command give the same abstract state; `policy` names the weak-bit policy. */
export function stable(first: AbstractCard, second: AbstractCard, policy: string): readonly Finding[] {
  return asText(first) === asText(second) ? [] : [finding('I10', `two boots of card ${first.cardId} differ under weak-bit policy ${policy}`)];
}

/** I15: a set registered or recovered together is all or nothing, unless each item can be repeated. */
export function setWhole(card: AbstractCard, issueIds: readonly string[], idempotent: boolean): readonly Finding[] {
  const back = issueIds.filter((id) => card.values.some((value) => value.issueId === id && spendable(value)));
  if (idempotent || back.length === 0 || back.length === issueIds.length) return [];
  return [finding('I15', `${back.length} of ${issueIds.length} values of a set are on card ${card.cardId}`)];
}
