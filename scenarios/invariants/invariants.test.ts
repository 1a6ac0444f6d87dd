import { describe, expect, test } from 'vitest';
import { checkChange, sequencesKept, setWhole, stable } from './change-checks.js';
import { fullOrWorn, hostile, progress, secrecy } from './measured-checks.js';
import { checkState } from './state-checks.js';
import type { AbstractCard, AbstractCertificate, AbstractLedgerEntry, AbstractRecord, AbstractSafe, AbstractValue, AbstractWorld, Finding } from './state.js';

const value = (more: Partial<AbstractValue> = {}): AbstractValue =>
  ({ handle: 1, issueId: 'i1', informationClass: 1, state: 'active', quantity: 2, remaining: 0, readable: true, ...more });
const certificate = (more: Partial<AbstractCertificate> = {}): AbstractCertificate =>
  ({ handle: 9, safeId: 's1', counter: 1, hash: 'aa', kind: 'registered', cardId: 'c1', sequence: 1, state: 'stored', readable: true, ...more });
const record = (more: Partial<AbstractRecord> = {}): AbstractRecord =>
  ({ state: 'held', counter: 1, hash: 'aa', kind: 'registered', cardId: 'c1', sequence: 1, issueId: 'i1', quantity: 2, remaining: 0, keyId: 'k1', ...more });
const card = (more: Partial<AbstractCard> = {}): AbstractCard =>
  ({ cardId: 'c1', values: [value()], certificates: [], sequence: 1, loadNumber: 1, pinTries: 3, keys: { decoding: 'k1' }, ...more });
const safe = (more: Partial<AbstractSafe> = {}): AbstractSafe => {
  const records = more.records ?? [];
  return { safeId: 's1', counter: records.length, counterLimit: 9, records, ...more };
};
const entry = (more: Partial<AbstractLedgerEntry> = {}): AbstractLedgerEntry =>
  ({ issueId: 'i1', informationClass: 1, quantity: 2, remaining: 0, spentQuantity: 0, spentAmount: 0, ...more });
const world = (more: Partial<AbstractWorld> = {}): AbstractWorld => ({ cards: [card()], safes: [safe()], ledger: [entry()], lostLog: [], ...more });

const names = (findings: readonly Finding[]): string[] => findings.map(({ invariant }) => invariant);

const deposited = world({ cards: [card({ values: [value({ state: 'deposited' })], certificates: [certificate()] })], safes: [safe({ records: [record()] })] });
const removed = world({ cards: [card({ values: [], certificates: [certificate()] })], safes: [safe({ records: [record()] })] });
const back = world({ cards: [card({ certificates: [certificate({ state: 'spent' })] })], safes: [safe({ records: [record()] })] });
const ended = world({ safes: [safe({ records: [record({ state: 'tombstone' })] })] });

describe('an honest life breaks nothing', () => {
  const pending = world({ cards: [card({ values: [value({ state: 'pending' })], certificates: [certificate({ state: 'reserved' })] })], safes: [safe({ records: [record()] })] });
  const used = world({ cards: [card({ values: [value({ quantity: 1 })] })], safes: [safe({ records: [record({ state: 'tombstone' })] })], ledger: [entry({ spentQuantity: 1 })] });
  const life = [world(), pending, deposited, removed, back, ended, used];
  test('in any state', () => { for (const state of life) expect(checkState(state)).toEqual([]); });
  test('in any change', () => {
    for (const [at, state] of life.slice(1).entries()) expect(checkChange(life[at], state)).toEqual([]);
  });
});

describe('states that break an invariant', () => {
  test.each<[string, AbstractWorld, string[]]>([
    ['the same value on two cards', world({ cards: [card(), card({ cardId: 'c2' })] }), ['I1']],
    ['a value that was never issued', world({ ledger: [] }), ['I1']],
    ['more units than are owed', world({ ledger: [entry({ spentQuantity: 1 })] }), ['I1']],
    ['more yen than are owed', world({ cards: [card({ values: [value({ informationClass: 3, remaining: 900 })] })], ledger: [entry({ informationClass: 3, remaining: 800 })] }), ['I1']],
    ['a withdrawn value still spendable', world({ ledger: [entry({ withdrawn: true })] }), ['I1']],
    ['a value nowhere', world({ cards: [card({ values: [] })] }), ['I2']],
    ['fewer units than are owed', world({ cards: [card({ values: [value({ quantity: 1 })] })] }), ['I2']],
    ['a value that cannot be read stably', world({ cards: [card({ values: [value({ readable: false })] })] }), ['I2']],
    ['a deposited value with an unreadable certificate', { ...deposited, cards: [card({ values: [value({ state: 'deposited' })], certificates: [certificate({ readable: false })] })] }, ['I2']],
    ['a deposited value whose record is a tombstone', { ...deposited, safes: [safe({ records: [record({ state: 'tombstone' })] })] }, ['I2']],
    ['more spent than issued', world({ cards: [card({ values: [] })], ledger: [entry({ spentQuantity: 3 })] }), ['I3']],
    ['more yen spent than issued', world({ cards: [card({ values: [] })], ledger: [entry({ spentQuantity: 2, spentAmount: 1 })] }), ['I3']],
    ['active and stored at once', { ...deposited, cards: [card({ certificates: [certificate()] })] }, ['I4']],
    ['pending and recovering at once', { ...deposited, cards: [card({ values: [value({ state: 'pending' })], certificates: [certificate({ state: 'recovering' }), certificate({ handle: 10, state: 'reserved' })] })] }, ['I4']],
    ['pending without room for its certificate', world({ cards: [card({ values: [value({ state: 'pending' })] })] }), ['I12']],
    ['two pending, room for one certificate and one of a key', world({
      cards: [card({ values: [value({ state: 'pending' }), value({ state: 'pending', issueId: 'i2' })], certificates: [certificate({ state: 'reserved' }), certificate({ state: 'reserved', kind: 'key' })] })],
      ledger: [entry(), entry({ issueId: 'i2' })],
    }), ['I12']],
    ['a certificate without record', world({ cards: [card({ certificates: [certificate({ state: 'spent' })] })] }), ['I7']],
    ['a certificate of another card', world({ cards: [card({ certificates: [certificate({ cardId: 'c9', state: 'spent' })] })], safes: [safe({ records: [record({ cardId: 'c9', issueId: 'i9', state: 'tombstone' })] })] }), ['I7']],
    ['a certificate with two records', { ...back, safes: [safe({ records: [record(), record()] })] }, ['I7']],
    ['ciphertext without key', { ...back, cards: [card({ certificates: [certificate({ state: 'spent' })], keys: {} })] }, ['I8']],
    ['a spent key certificate, no key in its place', { ...back, cards: [card({ certificates: [certificate({ state: 'spent' }), certificate({ kind: 'key', counter: 2, sequence: 2, hash: 'kk', handle: 10, state: 'spent' })] })], safes: [safe({ records: [record(), record({ kind: 'key', counter: 2, sequence: 2, hash: 'kk', issueId: '' })] })] }, ['I6']],
    ['ciphertext without key, its value not on the card', { ...removed, cards: [card({ values: [], certificates: [certificate()], keys: {} })] }, ['I2', 'I8']],
  ])('%s', (_, state, expected) => {
    expect(names(checkState(state))).toEqual(expected);
  });

  test('a lost value in a signed log is accounted for', () => {
    expect(checkState(world({ cards: [card({ values: [] })], lostLog: ['i1'] }))).toEqual([]);
  });

  test('a key that was deleted after its backup still counts; at the same safe only where that is permitted', () => {
    const keyRecord = record({ kind: 'key', counter: 2, sequence: 2, hash: 'kk', issueId: '' });
    const keyCertificate = certificate({ kind: 'key', counter: 2, sequence: 2, hash: 'kk', handle: 10 });
    const backed = { ...removed, cards: [card({ values: [], certificates: [certificate(), keyCertificate], keys: {} })], safes: [safe({ records: [record(), keyRecord] })] };
    expect(checkState(backed)).toEqual([]);
    expect(names(checkState(backed, true))).toEqual(['I8']);
  });
});

describe('changes that break an invariant', () => {
  const spent = world({ ledger: [entry({ spentQuantity: 1 })] });
  const money = { informationClass: 5, remaining: 10 };
  test.each<[string, AbstractWorld, AbstractWorld, string[]]>([
    ['what was spent becomes unspent', spent, world(), ['I3']],
    ['an active value vanishes', world(), world({ cards: [card({ values: [] })] }), ['I5']],
    ['cash vanishes although its quantity is nothing', world({ cards: [card({ values: [value({ ...money, quantity: 0 })] })] }), world({ cards: [card({ values: [] })] }), ['I5']],
    ['a deposited value goes together with its certificate', deposited, { ...removed, cards: [card({ values: [] })] }, ['I5', 'I6']],
    ['a deposited value goes whose record was gone', { ...deposited, safes: [safe()] }, { ...removed, safes: [safe()] }, ['I5']],
    ['a deposited value goes while being erased counts as gone', deposited, { ...removed, cards: [card({ values: [value({ state: 'deleting' })] })] }, ['I5', 'I6']],
    ['a stored certificate vanishes', removed, { ...removed, cards: [card({ values: [] })] }, ['I6']],
    ['a record vanishes without tombstone', back, { ...back, safes: [safe({ counter: 1 })] }, ['I6', 'I9']],
    ['a record becomes a tombstone too early', removed, { ...removed, safes: [safe({ records: [record({ state: 'tombstone' })] })] }, ['I6']],
    ['a tombstone comes back', ended, { ...ended, safes: [safe({ records: [record()] })] }, ['I6']],
    ['the sequence goes back', world({ cards: [card({ sequence: 5 })] }), world({ cards: [card({ sequence: 4 })] }), ['I9']],
    ['the load number goes back', world({ cards: [card({ loadNumber: 5 })] }), world({ cards: [card({ loadNumber: 4 })] }), ['I9']],
    ['the safe\'s counter stands still over a record', world(), world({ safes: [safe({ counter: 0, records: [record()] })] }), ['I9']],
    ['two objects under one sequence', world({ safes: [safe({ records: [record()] })] }), world({ safes: [safe({ records: [record(), record({ counter: 2, hash: 'bb' })] })] }), ['I9']],
  ])('%s', (_, before, after, expected) => {
    expect(names(checkChange(before, after))).toEqual(expected);
  });

  test('used-up and withdrawn values may go; the counter may return to 0', () => {
    expect(checkChange(world({ cards: [card({ values: [value({ quantity: 0 })] })] }), world({ cards: [card({ values: [] })] }))).toEqual([]);
    expect(checkChange(world(), world({ cards: [card({ values: [] })], ledger: [entry({ withdrawn: true })] }))).toEqual([]);
    expect(checkChange(world({ safes: [safe({ counter: 9 })] }), world({ safes: [safe({ counter: 0, records: [record({ counter: 0 })] })] }))).toEqual([]);
  });

  test('a key certificate goes only while its key is there', () => {
    const keyRecord = record({ kind: 'key', hash: 'kk', issueId: '' });
    const kept = (keys: AbstractCard['keys'], certificates: AbstractCertificate[]): AbstractWorld =>
      world({ cards: [card({ keys, certificates })], safes: [safe({ records: [keyRecord] })] });
    const keyCertificate = certificate({ kind: 'key', hash: 'kk' });
    expect(checkChange(kept({ decoding: 'k1' }, [keyCertificate]), kept({ decoding: 'k1' }, []))).toEqual([]);
    expect(names(checkChange(kept({}, [keyCertificate]), kept({}, [])))).toEqual(['I6']);
  });
});

describe('measured invariants', () => {
  test('I10: boots that differ', () => {
    expect(stable(card(), card(), 'seeded')).toEqual([]);
    expect(names(stable(card(), card({ values: [] }), 'seeded'))).toEqual(['I10']);
  });

  test('I9: a sequence that a safe knows and its card has forgotten', () => {
    const at = (sequence: number, cardId = 'c1'): AbstractWorld => world({
      cards: [card({ sequence })],
      safes: [safe({ records: [record({ sequence: 2, cardId, state: 'tombstone' })] }), safe({ safeId: 's2', records: [record()] })],
    });
    expect(sequencesKept(at(2))).toEqual([]);
    expect(sequencesKept(at(3))).toEqual([]);
    expect(names(sequencesKept(at(1)))).toEqual(['I9']);
    expect(sequencesKept(at(1, 'c9'))).toEqual([]);
  });

  test('I11: brick, no end, too many boots, retries, pages', () => {
    const good = { boots: 2, retries: 3, recoveryPages: 4, alive: true, settled: true };
    expect(progress(good)).toEqual([]);
    for (const bad of [{ boots: 3 }, { retries: 4 }, { recoveryPages: 5 }, { alive: false }, { settled: false }])
      expect(names(progress({ ...good, ...bad, step: '1-15' }))).toEqual(['I11']);
    expect(progress({ ...good, boots: 3, step: '1-15' })[0].step).toBe('1-15');
  });

  test('I12: a refusal for want of room that changed something', () => {
    const full = { sw: '6A84', before: card(), after: card(), outsideEffects: 0 };
    expect(fullOrWorn(full)).toEqual([]);
    expect(names(fullOrWorn({ ...full, after: card({ sequence: 2 }) }))).toEqual(['I12']);
    expect(names(fullOrWorn({ ...full, sw: '6581', after: card({ values: [] }) }))).toEqual(['I12']);
    expect(names(fullOrWorn({ ...full, outsideEffects: 1 }))).toEqual(['I12']);
    expect(fullOrWorn({ ...full, sw: '9000', after: card({ sequence: 2 }) })).toEqual([]);
  });

  test('I13: hostile input that changes, gives tries back, hangs, or takes too long', () => {
    const calm = { before: card(), after: card({ pinTries: 2 }), waited: 10, limit: 100 };
    expect(hostile(calm)).toEqual([]);
    expect(names(hostile({ ...calm, after: card({ sequence: 9 }) }))).toEqual(['I13']);
    expect(names(hostile({ ...calm, after: card({ pinTries: 9 }) }))).toEqual(['I13']);
    expect(names(hostile({ ...calm, waited: 101 }))).toEqual(['I13']);
    expect(names(hostile({ before: calm.before, after: calm.after, limit: 100 }))).toEqual(['I13']);
  });

  test('I14: a secret in clear', () => {
    expect(secrecy([{ place: 'safe storage', what: 'key', found: 0 }])).toEqual([]);
    expect(secrecy([{ place: 'free EEPROM', what: 'value', found: 2 }])).toEqual([{ invariant: 'I14', text: 'a value stands in clear in free EEPROM, 2 times' }]);
  });

  test('I15: half a set', () => {
    expect(names(setWhole(card(), ['i1', 'i2'], false))).toEqual(['I15']);
    expect(setWhole(card(), ['i1', 'i2'], true)).toEqual([]);
    expect(setWhole(card(), ['i1'], false)).toEqual([]);
    expect(setWhole(card(), ['i2', 'i3'], false)).toEqual([]);
  });
});
