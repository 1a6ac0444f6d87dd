import { describe, expect, test } from 'vitest';
import { balanceProof, checkPurse, checkPurseChange, checkPurseStable, pursePlan, steps } from '../../scenarios/index.js';
import type { AbstractPurseWorld, PursePoint, PurseProgress, ScenarioEvent } from '../../scenarios/index.js';
import { CodecError, concat, memoOps, toHex } from '../codec/index.js';
import { PurseFactory } from './factory.js';
import { runTransfer } from './honest.js';
import { challenge, issue, logEntry, paymentObject } from './objects.js';
import { createAuthority, createMoneyIssuer, createThirdParty, ThirdPartyError } from './parties.js';
import { runPursePoint } from './point.js';
import { seededRandom } from '../world/random.js';
import { fakeSlot, FakePurse } from './testing/fake-purse.js';
import type { Flaw } from './testing/fake-purse.js';

const ops = memoOps(undefined, 100_000);
const factoryOf = (...flaws: Flaw[]): PurseFactory => new PurseFactory(1, ops, (role) => Promise.resolve(fakeSlot(new FakePurse(role === 'payer' ? 11 : 12, flaws, ops))));
const point = (id: string): PursePoint => {
  const found = pursePlan.points.find((one) => one.id === id);
  if (!found) throw new Error(id);
  return found;
};

describe('codec', () => {
  const long = new Uint8Array(64).fill(7);
  const key = new Uint8Array(32).fill(5);

  test('objects of the lengths that docs/purse.md names', () => {
    const facts = { issuedAmount: 9, issueNumber: 1, issuerSignature: long };
    const f1 = { protectedChallenge: new Uint8Array(77), payment: long, publicKey: key, caSignature: long, ...facts };
    expect(paymentObject.encode(f1)).toHaveLength(327);
    expect(paymentObject.decode(paymentObject.encode(f1))).toEqual(f1);
    const f2 = { payeeId: new Uint8Array(8), publicKey: key, caSignature: long, payment: long, amount: 3, r1: new Uint8Array(16), g2: key, challengeId: new Uint8Array(8), ...facts };
    expect(logEntry.encode(f2)).toHaveLength(326);
    expect(toHex(issue.encode({ publicKey: key, ...facts })).slice(0, 24)).toBe('F670D80400000009D9040000');
  });

  test('an amount of nothing, a byte too many, an element missing are refused', () => {
    const one = { amount: 1, challengeId: new Uint8Array(8), g1: key, g2: key, protectedChallenge: new Uint8Array(13) };
    expect(() => challenge.encode({ ...one, amount: 0 })).toThrow(CodecError);
    expect(() => challenge.decode(concat(challenge.encode(one), Uint8Array.of(0)))).toThrow(CodecError);
    expect(() => challenge.encode({ ...one, protectedChallenge: new Uint8Array(12) })).toThrow(CodecError);
  });
});

describe('parties', () => {
  test('the third party refuses what is no entry, and each error says what to do', () => {
    const authority = createAuthority(seededRandom(1, 'a'), ops);
    const issuer = createMoneyIssuer(seededRandom(1, 'i'), ops);
    const party = createThirdParty({ random: seededRandom(1, 't'), caKey: authority.publicKey, issuerKey: issuer.publicKey, ops });
    expect(() => party.log(Uint8Array.of(1, 2))).toThrow(expect.objectContaining({ code: 'LOG_SYNTAX' }));
    const error = new ThirdPartyError('LOG_CONFLICT', 'x');
    expect([error.stillTrue.length > 5, error.next.length > 5]).toEqual([true, true]);
    expect([issuer.issue(authority.publicKey, 5), issuer.issue(authority.publicKey, 6)].map((one) => issue.decode(one).issueNumber)).toEqual([1, 2]);
  });
});

describe('machines', () => {
  test.each([1, 2] as const)('embodiment %i goes through its steps in order, each with evidence', async (embodiment) => {
    const world = await factoryOf().world({ issues: [{ to: 'payer', amount: 500 }] });
    const events: ScenarioEvent<PurseProgress>[] = [];
    const output = await runTransfer(`purse/${embodiment}/transfer`, world.ports, { amount: 120 }, { listener: (event) => events.push(event) });
    expect(output).toMatchObject({ verdict: 'pass', cause: 'done', step: 'P-6' });
    expect(output.evidence.map(({ step }) => step)).toEqual(steps(embodiment, 'transfer', 'purse').map(({ id }) => id));
    expect(output.evidence.find(({ step }) => step === 'P-4')).toMatchObject({ kinds: ['mark'], outcome: 'done' });
    expect(events.filter(({ type }) => type === 'boundary')).toHaveLength(embodiment === 1 ? 4 : 6);
  });

  test('a card that marks nothing is not believed', async () => {
    const world = await factoryOf('marks-nothing').world({ issues: [{ to: 'payer', amount: 500 }] });
    expect(await runTransfer('purse/1/transfer', world.ports, { amount: 120 })).toMatchObject({ cause: 'unexpected', step: 'P-1' });
  });
});

describe('invariants', () => {
  const card = { id: 'B1', key: 'KB', balance: 40, issued: 0, received: 40, paid: 0, lastIssue: 0, open: [], waiting: [], payments: [] };
  const payer = { ...card, id: 'A1', key: 'KA', balance: 60, issued: 100, received: 0, paid: 40, lastIssue: 1, payments: [{ challengeId: '0000000100', amount: 40 }] };
  const entry = { payeeId: 'B1', challengeId: '0000000100', payerKey: 'KA', amount: 40 };
  const good: AbstractPurseWorld = { cards: [payer, card], issues: [{ key: 'KA', amount: 100, number: 1 }], log: [entry] };
  const broken = (change: Partial<AbstractPurseWorld>): string => [...new Set(checkPurse({ ...good, ...change }).map(({ invariant }) => invariant))].join(' ');

  test('hold of a payment that went through, is pending, or waits for its receipt', () => {
    expect(checkPurse(good)).toEqual([]);
    expect(checkPurse({ ...good, log: [], cards: [payer, { ...card, balance: 0, received: 0, open: ['0000000100'] }] })).toEqual([]);
    expect(checkPurse({ ...good, log: [], cards: [payer, { ...card, waiting: [entry] }] })).toEqual([]);
    expect(checkPurse({ ...good, issues: [...good.issues, { key: 'KA', amount: 7, number: 2 }] })).toEqual([]);
  });

  test.each([
    ['V1 V5', { cards: [payer, { ...card, balance: 80, received: 80 }] }],
    ['V1 V5', { cards: [{ ...payer, balance: 59 }, card] }],
    ['V2', { cards: [payer, { ...card, open: ['0000000100'] }] }],
    ['V1 V2 V5', { log: [entry, entry] }],
    ['V3 V5', { cards: [{ ...payer, issued: 30, balance: -10 }, card] }],
    ['V1 V4', { log: [{ ...entry, payerKey: 'somebody' }] }],
    ['V1 V4 V5', { log: [{ ...entry, amount: 41 }] }],
  ] satisfies [string, Partial<AbstractPurseWorld>][])('%s is broken', (names, change) => {
    const found = broken(change);
    expect(names.split(' ').every((name) => found.includes(name))).toBe(true);
  });

  test('nothing goes back, and a second boot tells the same', () => {
    expect(checkPurseChange(good, good)).toEqual([]);
    expect(checkPurseChange(good, { ...good, log: [] })).toHaveLength(1);
    expect(checkPurseChange(good, { ...good, cards: [{ ...payer, paid: 0 }, card] })).toHaveLength(1);
    expect(checkPurseChange(good, { ...good, cards: [payer, { ...card, open: ['0000000100'] }] })).toHaveLength(1);
    expect(checkPurseStable(good, { ...good, cards: [payer, { ...card, balance: 41 }] })).toHaveLength(1);
  });

  test('balance proof of a broken card from records and log alone', () => {
    const { issues, log } = good;
    expect([balanceProof({ issues, log }, { id: 'A1', key: 'KA' }), balanceProof({ issues, log }, { id: 'B1', key: 'KB' })]).toEqual([60, 40]);
  });
});

describe('plan', () => {
  test('ids once, steps of the catalogue, at least as many negative points as positive ones', () => {
    const { points } = pursePlan;
    expect(new Set(points.map(({ id }) => id)).size).toBe(points.length);
    for (const { clause, embodiment, scenario } of points) {
      const known = steps(embodiment, 'transfer', 'purse').map(({ id }) => id);
      expect([scenario, clause.steps.filter((step) => !known.includes(step))]).toEqual([scenario, []]);
    }
    const negative = points.filter((one) => one.negative).length;
    expect(points.length).toBeGreaterThan(80);
    expect(negative).toBeGreaterThanOrEqual(points.length - negative);
  });

  test('the fake passes every point', async () => {
    const factory = factoryOf();
    const results = [];
    for (const one of pursePlan.points) {
      const { verdict, reasons } = await runPursePoint(one, factory);
      results.push([one.id, verdict, ...reasons]);
    }
    expect(results.filter(([, verdict]) => verdict !== 'pass')).toEqual([]);
  });

  const caught: readonly [Flaw, string][] = [
    ['keeps-challenge', 'purse-1-transfer-N-01'], ['debits-late', 'purse-1-transfer-P-10'], ['overdraft', 'purse-1-transfer-L-01'], ['no-ca-check', 'purse-1-transfer-K-01'],
    ['no-issuer-check', 'purse-1-transfer-K-02'], ['no-payment-check', 'purse-1-transfer-A-10'], ['no-challenge-check', 'purse-1-transfer-A-06'],
    ['accepts-closed', 'purse-2-transfer-T-01'], ['pays-twice', 'purse-1-transfer-R-01'], ['forgets-entry', 'purse-1-transfer-R-03'], ['no-receipt-check', 'purse-1-transfer-T-07'],
    ['credits-before-answer', 'purse-1-transfer-P-05'], ['marks-nothing', 'purse-1-transfer-N-01'],
  ];
  test.each(caught)('a card with the flaw %s fails %s', async (flaw, id) => {
    expect(await runPursePoint(point(id), factoryOf(flaw))).toMatchObject({ verdict: 'fail' });
  });

  test('a fault that does not happen makes the point invalid', async () => {
    const one = point('purse-1-transfer-Z-01');
    if (one.run.run !== 'transfer') throw new Error('no transfer');
    const never: PursePoint = { ...one, run: { ...one.run, fault: { fault: 'lost', what: 'answer', of: 'accept' } } };
    expect(await runPursePoint(never, factoryOf())).toMatchObject({ verdict: 'invalid' });
  });
});
