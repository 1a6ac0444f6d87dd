import { describe, expect, test } from 'vitest';
import type { AbstractCard, AbstractCertificate, AbstractRecord, AbstractValue, AbstractWorld } from '../invariants/state.js';
import type { ScenarioOutput } from '../machines/types.js';
import { planPoint } from './plan.js';
import type { Observation, PlanPoint } from './types.js';
import { swFits, verdictOf } from './verdict.js';

const value = (issueId: string, state: AbstractValue['state'], more: Partial<AbstractValue> = {}): AbstractValue =>
  ({ handle: 1, issueId, informationClass: 1, state, quantity: 1, remaining: 0, readable: true, ...more });
const certificate = (state: AbstractCertificate['state'], more: Partial<AbstractCertificate> = {}): AbstractCertificate =>
  ({ handle: 9, safeId: 's1', counter: 1, hash: 'aa', kind: 'registered', cardId: 'c1', sequence: 1, state, readable: true, ...more });
const record = (more: Partial<AbstractRecord> = {}): AbstractRecord =>
  ({ state: 'held', counter: 1, hash: 'aa', kind: 'registered', cardId: 'c1', sequence: 1, issueId: 'i1', ...more });
const world = (card: Partial<AbstractCard>, records: AbstractRecord[]): AbstractWorld => ({
  cards: [{ cardId: 'c1', values: [], certificates: [], sequence: 1, loadNumber: 2, pinTries: 3, keys: { decoding: 'k1' }, ...card }],
  safes: [{ safeId: 's1', counter: records.length, counterLimit: 99, records }], ledger: [], lostLog: [],
});

const fresh = world({ values: [value('i1', 'active'), value('i2', 'active')] }, []);
const pending = world({ values: [value('i1', 'pending'), value('i2', 'active')], certificates: [certificate('reserved')] }, [record()]);
const stored = world({ values: [value('i1', 'deposited'), value('i2', 'active')], certificates: [certificate('stored')] }, [record()]);

const output = (more: Partial<ScenarioOutput> = {}): ScenarioOutput => ({
  scenario: '2/backup', verdict: 'pass', cause: 'done', step: '1-16', text: 'done', already: false, evidence: [], flags: [], resume: { at: '1-13' }, ...more,
});
const seen = (more: Partial<Observation> = {}): Observation => ({
  missing: [], faultApplied: true, hasTrace: true, end: output(), before: fresh, after: stored, cardId: 'c1', items: { $item: 'i1', $other: 'i2' }, findings: [], ...more,
});
const refusal = output({ cause: 'refused', step: '1-15', sw: '6A80', text: 'the card answered 6A80' });
const nominal = planPoint('2-backup-N-01');
const wrongHash = planPoint('2-backup-A-02');
const tampered = seen({ end: refusal, after: pending, retry: output() });
const reasons = (point: PlanPoint, observation: Observation): readonly string[] => verdictOf(point, observation).reasons;

describe('verdicts', () => {
  test('pass', () => {
    expect(verdictOf(nominal, seen())).toMatchObject({ verdict: 'pass', reasons: [] });
    expect(verdictOf(wrongHash, tampered)).toMatchObject({ verdict: 'pass', reasons: [] });
  });

  test('unsupported, aborted, invalid', () => {
    expect(verdictOf(nominal, seen({ missing: ['T=0'] }))).toMatchObject({ verdict: 'unsupported', reasons: ['needs T=0'] });
    expect(verdictOf(nominal, seen({ aborted: 'reader gone' }))).toMatchObject({ verdict: 'aborted', reasons: ['reader gone'] });
    expect(verdictOf(nominal, seen({ end: output({ cause: 'aborted', text: 'x' }) }))).toMatchObject({ verdict: 'aborted' });
    expect(verdictOf(wrongHash, { ...tampered, faultApplied: false })).toMatchObject({ verdict: 'invalid', reasons: ['the fault (alter) was not carried out'] });
    const { before, after, ...blind } = seen();
    expect([before, after]).toHaveLength(2);
    expect(verdictOf(nominal, blind)).toMatchObject({ verdict: 'invalid' });
  });

  test('a broken invariant fails even when the fault did not fire, and names its step', () => {
    const findings = [{ invariant: 'I4' as const, text: 'both', step: '1-15' }];
    expect(verdictOf(wrongHash, { ...tampered, faultApplied: false, findings })).toMatchObject({ verdict: 'fail', reasons: ['I4: both'] });
    expect(verdictOf(nominal, seen({ findings }))).toMatchObject({ verdict: 'fail', step: '1-15', reasons: ['I4: both'] });
  });

  test('a wrong hash that is accepted fails with step and clause', () => {
    const verdict = verdictOf(wrongHash, seen());
    expect(verdict).toMatchObject({ verdict: 'fail', step: '1-15', clause: 'steps 1-13, 1-15; protocol 2.4-2' });
    expect(verdict.reasons[0]).toBe('ended in done at 1-16 (done), expected refused');
  });

  test('another status word, another step, no retry, a retry that fails', () => {
    expect(reasons(wrongHash, { ...tampered, end: { ...refusal, sw: '6F00' } })).toEqual(['answered 6F00, expected 6A80']);
    expect(reasons(wrongHash, { ...tampered, end: { ...refusal, step: '1-13' } })).toEqual(['ended at 1-13, expected 1-15']);
    expect(reasons(wrongHash, { ...tampered, end: { ...refusal, step: '1-16' }, hasTrace: false })).toEqual([]);
    expect(reasons(wrongHash, seen({ end: refusal, after: pending }))).toEqual(['no retry was made, expected one that ends in done']);
    expect(reasons(wrongHash, { ...tampered, retry: refusal })).toEqual(['an honest retry ended in refused at 1-15 (the card answered 6A80), expected done']);
  });

  test('a safe code that is not the expected one', () => {
    const point = planPoint('2-backup-S-05');
    const busy = output({ cause: 'refused', step: '1-11', safeCode: 'SAFE_STORE', text: 'x' });
    const left = world({ values: [value('i1', 'pending'), value('i2', 'active')] }, []);
    expect(reasons(point, seen({ end: busy, after: left, retry: output() }))).toEqual(['the safe answered SAFE_STORE, expected SAFE_BUSY']);
  });

  test('a silent legacy hash fails, a flagged one does not', () => {
    const end = output({ flags: ['legacy-hash SHA-1'] });
    expect(reasons(nominal, seen({ end }))).toEqual(['legacy-hash SHA-1 was used although the point does not say so']);
    expect(reasons(planPoint('2-backup-N-30'), seen({ end }))).toEqual([]);
  });

  test('an untold shortage fails', () => {
    const point = planPoint('2-backup-M-01');
    const end = output({ cause: 'refused', step: '1-7', sw: '6A84', text: 'full' });
    expect(reasons(point, seen({ end, after: fresh }))).toEqual(['the card did not tell the shortage (DF01)']);
    expect(reasons(point, seen({ end, after: fresh, shortageTold: true }))).toEqual([]);
  });
});

describe('card and safe afterwards', () => {
  test('goal not reached, another value touched, a record too many', () => {
    expect(reasons(nominal, seen({ after: pending }))).toEqual(['$item: the value is pending, expected deposited', '$item: its certificate is absent, expected stored']);
    const touched = { ...stored, cards: [{ ...stored.cards[0], values: [value('i1', 'deposited'), value('i2', 'active', { quantity: 0 })] }] };
    expect(reasons(nominal, seen({ after: touched }))).toEqual(['no longer there: value i2 active 1/0', 'not there before: value i2 active 0/0']);
    const twice = { ...stored, safes: [{ ...stored.safes[0], records: [record(), record({ counter: 2, sequence: 2 })] }] };
    expect(reasons(nominal, seen({ after: twice }))).toEqual(['the safes hold 2 records and 0 tombstones more than before, expected one record']);
  });

  test('a key that vanished is a change', () => {
    const lost = { ...stored, cards: [{ ...stored.cards[0], keys: {} }] };
    expect(reasons(nominal, seen({ after: lost }))).toEqual(['no longer there: decoding key k1']);
  });

  test('a card that is not in the world', () => {
    expect(reasons(nominal, seen({ after: { ...stored, cards: [] } })).length).toBeGreaterThan(0);
  });

  test('after a cut: before, between and after are fine, a lost value is not', () => {
    const point = planPoint('2-backup-R-13');
    const end = output({ cause: 'link', step: '1-14', text: 'x' });
    for (const after of [fresh, pending, stored]) expect(reasons(point, seen({ end, after, retry: output() }))).toEqual([]);
    const gone = world({ values: [value('i2', 'active')] }, [record()]);
    expect(reasons(point, seen({ end, after: gone, retry: output() }))[0]).toMatch(/neither as before nor as after/);
  });

  test('values loaded by the point itself are no surprise, others are', () => {
    const loaded = world({ values: [value('i1', 'active'), value('i2', 'active'), value('i3', 'active')] }, []);
    expect(reasons(planPoint('2-wallet-M-07'), seen({ end: { cause: 'done', text: '' }, after: { ...loaded, cards: [{ ...loaded.cards[0], values: [value('i1', 'pending'), value('i2', 'active'), value('i3', 'active')] }] } }))).toEqual([]);
    expect(reasons(planPoint('2-wallet-W-10'), seen({ end: { cause: 'done', text: '' }, after: loaded }))).toEqual(['not there before: value i3 active 1/0']);
  });

  test('a script that got another answer', () => {
    expect(reasons(planPoint('2-wallet-W-10'), seen({ end: { cause: 'refused', failedAt: 2, sw: '6985', text: 'READ' }, after: fresh })))
      .toEqual(['ended in refused at command 3 with 6985 (READ), expected done']);
  });

  test('the tombstone of claim 26 and the key of claim 25', () => {
    const point = planPoint('2-recover-N-11');
    const dead = world({ values: [value('i1', 'active'), value('i2', 'active')] }, [record({ state: 'tombstone' })]);
    const end = output({ scenario: '2/recover', step: 'claim-26-delete' });
    expect(reasons(point, seen({ end, before: stored, after: dead }))).toEqual([]);
    expect(reasons(point, seen({ end, before: stored, after: world({ values: [value('i1', 'active'), value('i2', 'active')] }, [record()]) })))
      .toEqual(['the safes hold 0 records and 0 tombstones more than before, expected one tombstone']);
    const keys = planPoint('2-key-backup-N-51');
    const keyRecord = record({ kind: 'key', keyId: 'k1', issueId: '' });
    const deleted = world({ values: fresh.cards[0].values, certificates: [certificate('stored', { kind: 'key' })], keys: {} }, [keyRecord]);
    const done = output({ scenario: '2/key-backup', step: 'claim-25' });
    expect(reasons(keys, seen({ end: done, after: deleted }))).toEqual([]);
    expect(reasons(keys, seen({ end: done, after: { ...deleted, cards: [{ ...deleted.cards[0], keys: { decoding: 'k1' } }] } }))).toEqual(['$decoding: the key is present, expected absent']);
  });
});

test('status word patterns', () => {
  expect([swFits('63C2', '63Cx'), swFits('63D2', '63Cx'), swFits('6a80', '6A80'), swFits('9000', '900')]).toEqual([true, false, true, false]);
});
