import type { PurseOptions } from '../machines/purse.js';
import type { StepId } from '../ports.js';
import type { ChallengeAlternative, PurseEmbodiment } from '../purse-ports.js';
import type {
  PurseAction, PurseAlteration, PurseCut, PurseElement, PurseFault, PurseLeaves, PurseOperation, PursePoint, PursePreparation, TransferRun,
} from './purse-types.js';
import type { SystemPlan } from './system.js';

/** Yen paid unless a point says otherwise, and yen issued to the payer. */
const X = 300;
const W = 1000;
const money: PursePreparation = { issues: [{ to: 'payer', amount: W }] };

const paid: PurseLeaves = { payer: -X, payee: X, logged: 1, open: 0, waiting: 0 };
const nothing: PurseLeaves = { payer: 0, payee: 0, logged: 0 };
const debited: PurseLeaves = { payer: -X, payee: 0, logged: 0 };

interface Draft {
  readonly title: string;
  readonly steps: readonly StepId[];
  readonly rules: readonly string[];
  readonly negative?: boolean;
  readonly prepare?: PursePreparation;
  readonly power?: boolean;
}

const counters = new Map<string, number>();

function pointOf(embodiment: PurseEmbodiment, group: string, draft: Draft, run: PursePoint['run']): PursePoint {
  const name = `purse-${embodiment}-transfer-${group}`;
  const number = (counters.get(name) ?? 0) + 1;
  counters.set(name, number);
  return {
    id: `${name}-${String(number).padStart(2, '0')}`, title: draft.title, system: 'purse', scenario: `purse/${embodiment}/transfer`, embodiment,
    clause: { steps: draft.steps, claims: [], rules: draft.rules.map((rule) => `purse ${rule}`) },
    needs: draft.power ? ['purse', 'power-control'] : ['purse'], flags: [], negative: draft.negative ?? false, prepare: draft.prepare ?? money, run,
  };
}

type TransferDraft = Draft & { readonly options?: Partial<PurseOptions>; readonly fault?: PurseFault } & Partial<Pick<TransferRun, 'end' | 'at' | 'sw' | 'code' | 'leaves' | 'retry'>>;

function transfer(embodiment: PurseEmbodiment, group: string, draft: TransferDraft): PursePoint {
  const { options, fault, end = 'done', at, sw, code, leaves = paid, retry = 'none' } = draft;
  return pointOf(embodiment, group, draft, {
    run: 'transfer', options: { amount: X, ...options }, end, leaves, retry, ...fault && { fault },
    ...at !== undefined && { at }, ...sw !== undefined && { sw }, ...code !== undefined && { code },
  });
}

const script = (embodiment: PurseEmbodiment, group: string, draft: Draft, actions: readonly PurseAction[], leaves: PurseLeaves): PursePoint =>
  pointOf(embodiment, group, draft, { run: 'script', actions, leaves });

const all: readonly ChallengeAlternative[] = ['encrypted', 'hashed', 'signed', 'kept'];
const allSteps = (embodiment: PurseEmbodiment): readonly StepId[] => (embodiment === 1 ? ['P-1', 'P-2', 'P-3', 'P-4', 'P-5', 'P-6'] : ['P-1', 'P-2', 'P-3', 'P-3a', 'P-3b', 'P-4', 'P-5', 'P-6']);

const ask = (as = 'c', more: Partial<Extract<PurseAction, { do: 'challenge' }>> = {}): PurseAction => ({ do: 'challenge', as, amount: X, ...more });
const pay = (more: Partial<Extract<PurseAction, { do: 'pay' }>> = {}): PurseAction => ({ do: 'pay', challenge: 'c', as: 'p', ...more });
const receive = (more: Partial<Extract<PurseAction, { do: 'receive' }>> = {}): PurseAction => ({ do: 'receive', payment: 'p', as: 'e', ...more });
const log = (more: Partial<Extract<PurseAction, { do: 'log' }>> = {}): PurseAction => ({ do: 'log', entry: 'e', as: 'r', ...more });
const taken = (more: Partial<Extract<PurseAction, { do: 'taken' }>> = {}): PurseAction => ({ do: 'taken', receipt: 'r', ...more });
const query: PurseAction = { do: 'query', query: 'q', as: 's' };
const prepared: readonly PurseAction[] = [ask('c', { embodiment: 2 }), pay({ embodiment: 2 }), receive({ embodiment: 2, as: 'q' })];
const accept = (more: Partial<Extract<PurseAction, { do: 'accept' }>> = {}): PurseAction => ({ do: 'accept', service: 's', as: 'e', ...more });
const whole: readonly PurseAction[] = [ask(), pay(), receive(), log(), taken()];

const nominal: readonly PursePoint[] = [
  ...([1, 2] as const).flatMap((embodiment) => all.map((alternative) => transfer(embodiment, 'N', { title: `a payment, challenge ${alternative}`, steps: allSteps(embodiment), rules: ['1.4'], options: { alternative } }))),
  transfer(1, 'N', { title: 'a payment of everything the payer holds', steps: ['P-2'], rules: ['3-3'], options: { amount: W }, leaves: { ...paid, payer: -W, payee: W } }),
  transfer(1, 'N', { title: 'a payment of more than the newest of three issues', steps: ['P-2'], rules: ['3-1', '3-3'], options: { amount: 700 },
    prepare: { issues: [{ to: 'payer', amount: 400 }, { to: 'payer', amount: 250 }, { to: 'payer', amount: 100 }] }, leaves: { ...paid, payer: -700, payee: 700 } }),
  transfer(1, 'N', { title: 'a second payment after a first', steps: allSteps(1), rules: ['3-3', '3-4'], prepare: { ...money, before: [{ amount: 200 }] } }),
  transfer(2, 'N', { title: 'a payee that takes payments of embodiment 2 only', steps: allSteps(2), rules: ['2.1'], prepare: { ...money, askedOnly: true } }),
  script(1, 'N', { title: 'a challenge of embodiment 1 for each alternative, received in another order', steps: ['P-1', 'P-3'], rules: ['3-2', '3-4'] }, [
    ...all.map((alternative, at) => ask(`c${at}`, { alternative, amount: 10 + at })),
    ...[2, 0, 3, 1].flatMap((at): PurseAction[] => [pay({ challenge: `c${at}`, as: `p${at}` }), receive({ payment: `p${at}`, as: `e${at}` }), log({ entry: `e${at}`, as: `r${at}` }), taken({ receipt: `r${at}` })]),
  ], { payer: -46, payee: 46, logged: 4, open: 0, waiting: 0 }),
];

const repeated: readonly PursePoint[] = [
  script(1, 'R', { title: 'PAY again gives the same payment and debits once', steps: ['P-2'], rules: ['3-3', '3-12'] }, [ask(), pay(), pay({ as: 'again', same: 'p' }), receive(), log(), taken(), pay({ as: 'later', same: 'p' })], paid),
  script(1, 'R', { title: 'RECEIVE again gives the same entry and credits once', steps: ['P-4', 'P-5'], rules: ['3-4', '3-12'] }, [ask(), pay(), receive(), receive({ as: 'again', same: 'e' }), log(), taken()], paid),
  script(1, 'R', { title: 'LOG gives the entry that waits', steps: ['P-5'], rules: ['3-6'] }, [ask(), pay(), receive(), { do: 'reset', card: 'payee', kind: 'cold' }, { do: 'fetch', challenge: 'c', same: 'e' }, log(), taken()], paid),
  script(1, 'R', { title: 'the log takes an entry twice and gives the same receipt, the card takes that twice', steps: ['P-6'], rules: ['3-7', '4'] }, [...whole, log({ as: 'again', same: 'r' }), taken()], paid),
  script(1, 'R', { title: 'the last issue loaded again changes nothing', steps: ['P-2'], rules: ['3-1'] }, [{ do: 'issue', to: 'payer', amount: 70, as: 'i' }, { do: 'issue', to: 'payer', amount: 70, again: 'i' }], { ...nothing, payer: 70 }),
  script(2, 'R', { title: 'ACCEPT again gives the same entry and credits once', steps: ['P-3b', 'P-4'], rules: ['3-5', '3-12'] }, [...prepared, query, accept(), accept({ as: 'again', same: 'e' }), log(), taken()], paid),
  script(2, 'R', { title: 'RECEIVE again before ACCEPT', steps: ['P-3', 'P-3a'], rules: ['3-4'] }, [...prepared, receive({ embodiment: 2, as: 'again', same: 'q' }), query, accept(), log(), taken()], paid),
];

const refusedAt = (title: string, rule: string, alter: PurseAlteration, sw: string, alternative: ChallengeAlternative = 'encrypted'): PursePoint =>
  script(1, 'A', { title, steps: ['P-2', 'P-3'], rules: [rule], negative: true }, [ask('c', { alternative }), pay(), receive({ alter, sw }), receive(), log(), taken()], paid);

const altered: readonly PursePoint[] = [
  ...([[X + 1, 'raised'], [X - 1, 'lowered']] as const).map(([to, how]) => script(1, 'A', { title: `x ${how} on the way to the payer`, steps: ['P-1', 'P-3'], rules: ['3-4'], negative: true },
    [ask(), pay({ alter: { element: 'amount', change: 'set', to } }), receive({ sw: '6982' })], { ...debited, payer: -to, open: 1 })),
  ...(['g1', 'g2', 'challenge-id'] as const).map((element) => script(1, 'A', { title: `${element} altered on the way to the payer`, steps: ['P-1', 'P-3'], rules: ['3-4'], negative: true },
    [ask(), pay({ alter: { element, change: 'flip' } }), receive({ sw: '6982' }), pay({ as: 'true' }), receive({ payment: 'true' }), log(), taken()], { ...paid, payer: -2 * X })),
  ...(['encrypted', 'hashed', 'signed'] as const).map((alternative) => refusedAt(`eC altered, challenge ${alternative}`, '3-4', { element: 'protected-challenge', change: 'flip' }, '6A80', alternative)),
  refusedAt('eC says another alternative', '3-4', { element: 'protected-challenge', change: 'flip-first' }, '6A80', 'hashed'),
  ...(['payment', 'public-key', 'ca-signature', 'issued-amount', 'issue-number', 'issuer-signature'] as const satisfies readonly PurseElement[])
    .map((element) => refusedAt(`${element} altered on the way to the payee`, '3-4', { element, change: element === 'issue-number' ? 'flip-first' : 'flip' }, '6982')),
  ...([['append', 'a byte more'], ['leave-out', 'an element less'], ['change-over', 'two elements changed over']] as const)
    .map(([change, what]) => refusedAt(`a payment with ${what}`, '1.2', { change }, '6A80')),
  script(1, 'A', { title: 'eC of another challenge', steps: ['P-3'], rules: ['3-4'], negative: true },
    [ask(), ask('other'), pay(), pay({ challenge: 'other', as: 'q' }), receive({ alter: { element: 'protected-challenge', change: 'from', object: 'q' }, sw: '6982' }), receive(), log(), taken()], { ...paid, payer: -2 * X, open: 1 }),
  script(1, 'A', { title: 'a challenge with a byte more', steps: ['P-1'], rules: ['1.2'], negative: true }, [ask(), pay({ alter: { change: 'append' }, sw: '6A80' }), { do: 'drop', challenge: 'c' }], { ...nothing, open: 0 }),
  script(1, 'A', { title: 'a payment of nothing', steps: ['P-1'], rules: ['3-2', '3-3'], negative: true }, [ask('n', { amount: 0, sw: '6A80' }), ask(), pay({ alter: { element: 'amount', change: 'set', to: 0 }, sw: '6A80' })], { ...nothing, open: 1 }),
];

const keys: readonly PursePoint[] = [
  ...([['wrong', 'right', 'a payer certified by somebody else than the CA'], ['right', 'wrong', 'an issue signed by somebody else than the issuer'], ['right', 'other-key', "the issuer's signature for another key"]] as const)
    .map(([ca, issuer, title]) => script(1, 'K', { title, steps: ['P-3'], rules: ['3-4'], negative: true }, [ask(), { do: 'forge', challenge: 'c', as: 'p', ca, issuer }, receive({ sw: '6982' })], { ...nothing, open: 1 })),
  script(1, 'K', { title: 'an issue signed by somebody else', steps: ['P-2'], rules: ['3-1'], negative: true }, [{ do: 'issue', to: 'payer', amount: 5, by: 'somebody', sw: '6982' }], nothing),
  script(1, 'K', { title: "an issue for the other card's key", steps: ['P-2'], rules: ['3-1'], negative: true }, [{ do: 'issue', to: 'payer', for: 'payee', amount: 5, sw: '6A80' }], nothing),
  script(1, 'K', { title: 'an issue with the amount raised', steps: ['P-2'], rules: ['3-1'], negative: true }, [{ do: 'issue', to: 'payer', amount: 5, alter: { element: 'issued-amount', change: 'set', to: 500 }, sw: '6982' }], nothing),
  script(1, 'K', { title: 'an older issue again', steps: ['P-2'], rules: ['3-1'], negative: true }, [{ do: 'issue', to: 'payer', amount: 5, as: 'i' }, { do: 'issue', to: 'payer', amount: 6 }, { do: 'issue', to: 'payer', amount: 5, again: 'i', sw: '6985' }], { ...nothing, payer: 11 }),
];

const limits: readonly PursePoint[] = [
  transfer(1, 'L', { title: 'x one yen more than the payer holds', steps: ['P-2'], rules: ['3-3'], negative: true, options: { amount: W + 1 }, end: 'refused', at: 'P-2', sw: '6985', leaves: nothing, retry: 'refused' }),
  transfer(2, 'L', { title: 'x more than is left after a first payment', steps: ['P-2'], rules: ['3-3'], negative: true, prepare: { ...money, before: [{ amount: 800 }] }, options: { amount: 201 }, end: 'refused', at: 'P-2', sw: '6985', leaves: nothing, retry: 'refused' }),
  transfer(1, 'L', { title: 'a payer without an issue', steps: ['P-2'], rules: ['3-3'], negative: true, prepare: { issues: [] }, end: 'refused', at: 'P-2', sw: '6985', leaves: nothing, retry: 'refused' }),
  script(1, 'L', { title: 'a seventh open challenge', steps: ['P-1'], rules: ['3-2'], negative: true }, [...Array.from({ length: 6 }, (_, at) => ask(`c${at}`)), ask('c6', { sw: '6A84' }), { do: 'drop', challenge: 'c0' }, ask('c7')], { ...nothing, open: 6 }),
  script(1, 'L', { title: 'a fifth log entry waiting', steps: ['P-4'], rules: ['3-4'], negative: true }, [
    ...[0, 1, 2, 3].flatMap((at): PurseAction[] => [ask(`c${at}`, { amount: 10 }), pay({ challenge: `c${at}`, as: `p${at}` }), receive({ payment: `p${at}`, as: `e${at}` })]),
    ask('c', { amount: 10 }), pay(), receive({ sw: '6A84' }), log({ entry: 'e0' }), taken(), receive(),
  ], { payer: -50, payee: 50, logged: 1, open: 0, waiting: 4 }),
];

const order: readonly PursePoint[] = [
  script(1, 'O', { title: 'a payment replayed after its receipt', steps: ['P-3', 'P-4'], rules: ['3-9'], negative: true }, [...whole, receive({ as: 'again', sw: '6985' })], paid),
  script(1, 'O', { title: 'a challenge paid by a second payer after it was used', steps: ['P-3', 'P-4'], rules: ['3-9'], negative: true }, [...whole, { do: 'forge', challenge: 'c', as: 'q', ca: 'right', issuer: 'right' }, receive({ payment: 'q', as: 'again', sw: '6985' })], paid),
  script(1, 'O', { title: 'the second of two payers of one challenge, while the entry of the first waits', steps: ['P-3', 'P-4'], rules: ['3-9'], negative: true }, [ask(), pay(), receive(), { do: 'forge', challenge: 'c', as: 'q', ca: 'right', issuer: 'right' }, receive({ payment: 'q', as: 'again', sw: '6985' }), log(), taken()], paid),
  script(1, 'O', { title: 'a payment for a challenge that was dropped', steps: ['P-3'], rules: ['3-8'], negative: true }, [ask(), { do: 'drop', challenge: 'c' }, { do: 'drop', challenge: 'c', sw: '6A82' }, ask('d'), pay({ challenge: 'd', alter: { element: 'protected-challenge', change: 'from', object: 'c' } }), receive({ sw: '6985' })], { ...debited, open: 1 }),
  script(1, 'O', { title: 'LOG of a challenge without an entry', steps: ['P-5'], rules: ['3-6'], negative: true }, [ask(), { do: 'fetch', challenge: 'c', sw: '6A82' }, { do: 'drop', challenge: 'c' }], nothing),
  script(1, 'O', { title: 'a payee of embodiment 2 only refuses embodiment 1', steps: ['P-3'], rules: ['2.1', '3-4'], negative: true, prepare: { ...money, askedOnly: true } }, [ask(), pay(), receive({ sw: '6985' })], { ...debited, open: 1 }),
  script(2, 'O', { title: 'ACCEPT of what was not received', steps: ['P-3b'], rules: ['3-5'], negative: true }, [...prepared, query, { do: 'reset', card: 'payee', kind: 'warm' }, accept({ sw: '6985' }), receive({ embodiment: 2, as: 'again' }), accept(), log(), taken()], paid),
  script(2, 'O', { title: 'the state of another challenge', steps: ['P-3b'], rules: ['3-5'], negative: true },
    [...prepared, query, ask('d', { embodiment: 2 }), pay({ challenge: 'd', as: 'pd', embodiment: 2 }), receive({ payment: 'pd', embodiment: 2, as: 'qd' }), accept({ sw: '6985' })], { ...debited, payer: -2 * X, open: 2 }),
];

const thirdParty: readonly PursePoint[] = [
  transfer(2, 'T', { title: 'the log cannot be taken: not accepted, nothing changes', steps: ['P-3b'], rules: ['3-5'], negative: true, fault: { fault: 'closed' }, end: 'refused', at: 'P-3b', sw: '6985', leaves: { ...debited, open: 1, waiting: 0 }, retry: 'completes' }),
  script(2, 'T', { title: 'a state made good on the way', steps: ['P-3b'], rules: ['3-5'], negative: true }, [...prepared, { do: 'service', available: false }, query, accept({ alter: { element: 'state', change: 'set', to: 1 }, sw: '6982' })], { ...debited, open: 1 }),
  script(2, 'T', { title: 'a state with another signature', steps: ['P-3b'], rules: ['3-5'], negative: true }, [...prepared, query, accept({ alter: { element: 'third-party-signature', change: 'flip' }, sw: '6982' }), accept(), log(), taken()], paid),
  script(2, 'T', { title: "a state for another payee's id", steps: ['P-3b'], rules: ['3-5'], negative: true }, [...prepared, query, accept({ alter: { element: 'payee-id', change: 'flip' }, sw: '6A80' }), accept(), log(), taken()], paid),
  ...([['amount', 'LOG_PAYMENT_SIGNATURE'], ['payment', 'LOG_PAYMENT_SIGNATURE'], ['r1', 'LOG_PAYMENT_SIGNATURE'], ['ca-signature', 'LOG_CA_SIGNATURE'], ['issuer-signature', 'LOG_ISSUER_SIGNATURE']] as const)
    .map(([element, code]) => script(1, 'T', { title: `the third party refuses an entry whose ${element} was altered`, steps: ['P-5', 'P-6'], rules: ['4'], negative: true }, [ask(), pay(), receive(), log({ alter: { element, change: 'flip' }, code }), log(), taken()], paid)),
  transfer(1, 'T', { title: 'the third party refuses: the entry waits on the card', steps: ['P-6'], rules: ['3-6', '4'], negative: true, fault: { fault: 'alter', of: 'log', what: 'sent', alter: { element: 'payment', change: 'flip' } }, end: 'refused', at: 'P-6', code: 'LOG_PAYMENT_SIGNATURE', leaves: { payer: -X, payee: X, logged: 0, open: 0, waiting: 1 }, retry: 'completes' }),
  script(1, 'T', { title: 'a receipt with another signature', steps: ['P-6'], rules: ['3-7'], negative: true }, [ask(), pay(), receive(), log(), taken({ alter: { element: 'third-party-signature', change: 'flip' }, sw: '6982' }), { do: 'fetch', challenge: 'c', same: 'e' }, taken()], paid),
  script(1, 'T', { title: "a receipt for another payee's id", steps: ['P-6'], rules: ['3-7'], negative: true }, [ask(), pay(), receive(), log(), taken({ alter: { element: 'payee-id', change: 'flip' }, sw: '6A80' }), taken()], paid),
  script(1, 'T', { title: 'the receipt of another entry', steps: ['P-6'], rules: ['3-7'], negative: true },
    [...whole, ask('d'), pay({ challenge: 'd', as: 'pd' }), receive({ payment: 'pd', as: 'ed' }), log({ entry: 'ed', as: 'rd' }), taken({ receipt: 'rd', alter: { element: 'third-party-signature', change: 'from', object: 'r' }, sw: '6982' }), taken({ receipt: 'rd' })], { ...paid, payer: -2 * X, payee: 2 * X, logged: 2 }),
];

const operations: Readonly<Record<PurseEmbodiment, readonly (readonly [PurseOperation, PurseLeaves, PurseLeaves])[]>> = {
  1: [['challenge', nothing, nothing], ['pay', nothing, debited], ['receive', debited, { payer: -X, payee: X, logged: 0 }], ['log', { payer: -X, payee: X, logged: 0 }, { payer: -X, payee: X, logged: 1 }], ['logTaken', { payer: -X, payee: X, logged: 1 }, { payer: -X, payee: X, logged: 1 }]],
  2: [['prepare', debited, debited], ['query', debited, debited], ['accept', debited, { payer: -X, payee: X, logged: 0 }]],
};

const lost: readonly PursePoint[] = ([1, 2] as const).flatMap((embodiment) => operations[embodiment].flatMap(([of, before, after]) => (['command', 'answer'] as const).map((what) =>
  transfer(embodiment, 'Z', { title: `the ${what} of ${of} is lost`, steps: allSteps(embodiment), rules: ['3-12'], negative: true, fault: { fault: 'lost', what, of }, end: 'link', leaves: what === 'command' ? before : after, retry: 'completes' }))));

const resets: readonly PursePoint[] = [
  transfer(1, 'Z', { title: 'payee reset cold between P-1 and P-3', steps: ['P-3'], rules: ['3-2'], negative: true, fault: { fault: 'reset', card: 'payee', kind: 'cold', before: 'receive' } }),
  transfer(1, 'Z', { title: 'payer reset warm before P-2', steps: ['P-2'], rules: ['3-3'], negative: true, fault: { fault: 'reset', card: 'payer', kind: 'warm', before: 'pay' } }),
  transfer(2, 'Z', { title: 'payee reset between P-3a and P-3b: what was prepared is forgotten', steps: ['P-3b'], rules: ['3-4', '3-5'], negative: true, fault: { fault: 'reset', card: 'payee', kind: 'warm', before: 'accept' }, end: 'refused', at: 'P-3b', sw: '6985', leaves: debited, retry: 'completes' }),
];

const cut = (embodiment: PurseEmbodiment, title: string, ...cuts: readonly PurseCut[]): PursePoint => transfer(embodiment, 'P', {
  title, steps: allSteps(embodiment), rules: ['3-11', '3-12'], negative: true, power: true, fault: { fault: 'cut', cuts }, end: 'link', leaves: nothing, retry: 'completes',
});

const cuts: readonly PursePoint[] = [
  cut(1, 'power cut on the payee in CHALLENGE', { card: 'payee', during: 'challenge', part: 0.5 }),
  ...[0.2, 0.5, 0.8].map((part) => cut(1, `power cut on the payer at ${part} of PAY`, { card: 'payer', during: 'pay', part })),
  ...[0.2, 0.5, 0.8].map((part) => cut(1, `power cut on the payee at ${part} of RECEIVE`, { card: 'payee', during: 'receive', part })),
  cut(1, 'power cut on the payee in LOG TAKEN', { card: 'payee', during: 'logTaken', part: 0.5 }),
  cut(2, 'power cut on the payee while it prepares', { card: 'payee', during: 'prepare', part: 0.5 }),
  ...[0.2, 0.5, 0.8].map((part) => cut(2, `power cut on the payee at ${part} of ACCEPT`, { card: 'payee', during: 'accept', part })),
  cut(1, 'both cards lose power in PAY', { card: 'payer', during: 'pay', part: 0.5 }, { card: 'payee', during: 'pay', part: 0.5 }),
  cut(1, 'both cards lose power in RECEIVE', { card: 'payer', during: 'receive', part: 0.6 }, { card: 'payee', during: 'receive', part: 0.6 }),
  cut(2, 'both cards lose power in ACCEPT', { card: 'payer', during: 'accept', part: 0.4 }, { card: 'payee', during: 'accept', part: 0.4 }),
];

/** The test plan of card-to-card money. */
export const pursePlan: SystemPlan<PursePoint> = {
  system: 'purse', id: 'purse/1',
  points: [...nominal, ...repeated, ...altered, ...keys, ...limits, ...order, ...thirdParty, ...lost, ...resets, ...cuts],
};
