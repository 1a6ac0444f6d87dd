import type { MemberOptions } from '../machines/member.js';
import type { StepId } from '../ports.js';
import type { MemberAction, MemberLeaves, MemberPoint, MemberPreparation, MemberScenarioRun } from './member-types.js';
import type { SystemPlan } from './system.js';

/** Yen issued before trades, and yen paid unless a point says otherwise. */
const ISSUED = 1000;
const X = 300;

const fresh: MemberPreparation = {};
const trading: MemberPreparation = { registered: { seed: 'autograph' }, issued: ISSUED };
const nobody: MemberLeaves = { registered: false, balance: 0, owed: 0, paid: 0 };
const joined: MemberLeaves = { ...nobody, registered: true };
const untouched: MemberLeaves = { ...joined, balance: ISSUED };
const bought: MemberLeaves = { ...joined, balance: ISSUED - X, owed: X };

interface Draft {
  readonly title: string;
  readonly steps: readonly StepId[];
  readonly rules: readonly string[];
  readonly negative?: boolean;
  readonly prepare?: MemberPreparation;
}

const counters = new Map<string, number>();

function pointOf(phase: 'register' | 'trade', group: string, { title, steps, rules, negative = false, prepare }: Draft, run: MemberPoint['run']): MemberPoint {
  const name = `member-1-${phase}-${group}`;
  const number = (counters.get(name) ?? 0) + 1;
  counters.set(name, number);
  return {
    id: `${name}-${String(number).padStart(2, '0')}`, title, system: 'member', scenario: `member/1/${phase}`,
    clause: { steps, claims: [], rules: rules.map((rule) => `member ${rule}`) }, needs: ['member'], flags: [], negative,
    prepare: prepare ?? (phase === 'register' ? fresh : trading), run,
  };
}

type ScenarioDraft = Draft & { readonly options?: MemberOptions; readonly leaves: MemberLeaves } & Partial<Pick<MemberScenarioRun, 'end' | 'at' | 'sw' | 'code'>>;

function scenario(phase: 'register' | 'trade', group: string, { options = {}, end = 'done', at, sw, code, leaves, ...draft }: ScenarioDraft): MemberPoint {
  return pointOf(phase, group, draft, {
    run: 'scenario', options, end, leaves, ...at !== undefined && { at }, ...sw !== undefined && { sw }, ...code !== undefined && { code },
  });
}

const script = (phase: 'register' | 'trade', group: string, draft: Draft, actions: readonly MemberAction[], leaves: MemberLeaves): MemberPoint =>
  pointOf(phase, group, draft, { run: 'script', actions, leaves });

const method1: readonly StepId[] = ['S1', 'S2', 'S3', 'S4', 'S5', 'S6', 'S7', 'S8', 'S9'];
const method2: readonly StepId[] = ['S1', 'S2', 'S3', 'S4', 'S5', 'S10', 'S8', 'S9'];
const trade: readonly StepId[] = ['S11', 'S12', 'S13', 'S14'];

const begin: readonly MemberAction[] = [{ do: 'passwords', a: 'A', b: 'B' }, { do: 'contents', text: 'name; address' }, { do: 'seed', text: 'autograph' }];
const sent: readonly MemberAction[] = [...begin, { do: 'sign', method: 2 }, { do: 'connect' }, { do: 'send', as: 't' }];
const entered: readonly MemberAction[] = [{ do: 'a', password: 'A' }, { do: 'b', password: 'B' }];
const instructed: readonly MemberAction[] = [...entered, { do: 'order', as: 'o', amount: X }, { do: 'connect' }, { do: 'pay', order: 'o', as: 't' }];
const settled: readonly MemberAction[] = [...instructed, { do: 'settle', telegram: 't', as: 'n' }, { do: 'settled', notice: 'n' }];

const registerNominal: readonly MemberPoint[] = [
  scenario('register', 'N', { title: 'method 1, seed typed by the member', steps: method1, rules: ['3-1', '3-4', '3-5'], options: { method: 1, seed: 'autograph' }, leaves: joined }),
  scenario('register', 'N', { title: 'method 2, seed drawn by the card', steps: method2, rules: ['3-3', '3-4'], options: { method: 2 }, leaves: joined }),
  scenario('register', 'N', { title: 'method 1, password B dropped', steps: method1, rules: ['1.5'], options: { method: 1, twoPasswords: false }, leaves: joined }),
  script('register', 'N', { title: 'saved, power off, fetched and sent later', steps: ['S6', 'S7'], rules: ['3-4', '3-5'] },
    [...begin, { do: 'sign', method: 1 }, { do: 'reset', kind: 'cold' }, { do: 'fetch', a: 'A' }, { do: 'connect' }, { do: 'send', as: 't' }, { do: 'register', telegram: 't', as: 'f' }, { do: 'admit', admission: 'f' }], joined),
  script('register', 'N', { title: 'SEND again gives the same telegram, the centre the same admission, the card takes it twice', steps: ['S9'], rules: ['3-7', '3-8', '4-1'] },
    [...sent, { do: 'send', as: 'again', same: 't' }, { do: 'register', telegram: 't', as: 'f' }, { do: 'connect' }, { do: 'send', as: 'u' }, { do: 'register', telegram: 'u', as: 'g', same: 'f' }, { do: 'admit', admission: 'f' }, { do: 'admit', admission: 'g' }], joined),
  script('register', 'N', { title: 'a new key before registration replaces the one before', steps: ['S3', 'S4', 'S5'], rules: ['3-3'] },
    [...begin, { do: 'passwords', a: 'A', b: 'B' }, { do: 'seed', text: 'another' }, { do: 'contents', text: 'x' }, { do: 'sign', method: 2 }, { do: 'connect' }, { do: 'send', as: 't' }, { do: 'register', telegram: 't', as: 'f' }, { do: 'admit', admission: 'f' }], joined),
];

const registerWrong: readonly MemberPoint[] = [
  script('register', 'X', { title: 'a seed before passwords', steps: ['S3'], rules: ['3-3'], negative: true }, [{ do: 'seed', sw: '6982' }], nobody),
  script('register', 'X', { title: 'a signature before a seed', steps: ['S6'], rules: ['3-4'], negative: true }, [{ do: 'passwords', a: 'A', b: 'B' }, { do: 'contents', text: 'x' }, { do: 'sign', method: 1, sw: '6982' }], nobody),
  script('register', 'X', { title: 'a signature without contents', steps: ['S10'], rules: ['3-4'], negative: true }, [{ do: 'passwords', a: 'A', b: 'B' }, { do: 'seed' }, { do: 'sign', method: 2, sw: '6985' }], nobody),
  script('register', 'X', { title: 'passwords too short, too long, of other characters', steps: ['S1'], rules: ['1.1'], negative: true },
    [{ do: 'passwords', a: 'short', b: 'B', sw: '6A80' }, { do: 'passwords', a: 'A', b: 'long', sw: '6A80' }, { do: 'passwords', a: 'odd', sw: '6A80' }], nobody),
  script('register', 'X', { title: 'A alone does not sign a registration', steps: ['S10'], rules: ['1.5', '3-4'], negative: true },
    [...begin, { do: 'reset', kind: 'warm' }, { do: 'a', password: 'A' }, { do: 'contents', text: 'x' }, { do: 'sign', method: 2, sw: '6982' }], nobody),
  script('register', 'X', { title: 'FETCH with nothing saved', steps: ['S7'], rules: ['3-5'], negative: true }, [...begin, { do: 'fetch', a: 'A', sw: '6A82' }], nobody),
  script('register', 'X', { title: 'three wrong passwords at FETCH block A for good', steps: ['S7'], rules: ['3-5'], negative: true },
    [...begin, { do: 'sign', method: 1 }, { do: 'fetch', a: 'wrong', sw: '63C2' }, { do: 'fetch', a: 'wrong', sw: '63C1' }, { do: 'fetch', a: 'wrong', sw: '63C0' }, { do: 'fetch', a: 'A', sw: '6983' }, { do: 'reset', kind: 'cold' }, { do: 'a', password: 'A', sw: '6983' }], nobody),
  script('register', 'X', { title: 'SEND without a connection, and after a reset', steps: ['S9'], rules: ['3-7'], negative: true },
    [...begin, { do: 'sign', method: 2 }, { do: 'send', as: 't', sw: '6985' }, { do: 'connect' }, { do: 'reset', kind: 'warm' }, { do: 'connect' }, { do: 'send', as: 't', sw: '6985' }], nobody),
  script('register', 'X', { title: 'a connection signed by somebody else, altered, with a byte more', steps: ['S8'], rules: ['3-6'], negative: true },
    [{ do: 'connect', by: 'somebody', sw: '6982' }, { do: 'connect', alter: { change: 'flip', tag: 'D7' }, sw: '6982' }, { do: 'connect', alter: { change: 'append' }, sw: '6A80' }], nobody),
  script('register', 'X', { title: 'the centre refuses a telegram that was altered, and one of another connection', steps: ['S9'], rules: ['1.4', '4-1'], negative: true },
    [...sent, { do: 'register', telegram: 't', as: 'f', alter: { change: 'append' }, code: 'CENTRE_TELEGRAM' }, { do: 'connect' }, { do: 'register', telegram: 't', as: 'f', code: 'CENTRE_TELEGRAM' }], nobody),
  script('register', 'X', { title: 'an admission signed by somebody else, with another number, for another key', steps: ['S9'], rules: ['3-8'], negative: true },
    [...sent, { do: 'register', telegram: 't', as: 'f' }, { do: 'admit', admission: 'f', by: 'somebody', sw: '6982' }, { do: 'admit', admission: 'f', alter: { change: 'flip', tag: 'D6' }, sw: '6982' }, { do: 'admit', admission: 'f', alter: { change: 'flip', tag: 'D4' }, sw: '6A80' }, { do: 'admit', admission: 'f' }], joined),
  script('register', 'X', { title: 'a registered card takes no new passwords, contents, seed', steps: ['S1', 'S2', 'S3'], rules: ['3-1', '3-2', '3-3'], negative: true, prepare: { registered: {} } },
    [{ do: 'passwords', a: 'A', sw: '6985' }, { do: 'contents', text: 'x', sw: '6985' }, { do: 'seed', sw: '6985' }], joined),
];

const tradeNominal: readonly MemberPoint[] = [
  scenario('trade', 'N', { title: 'a payment, the store is owed it', steps: trade, rules: ['3-12', '4-3'], options: { amount: X }, leaves: bought }),
  scenario('trade', 'N', { title: 'a payment of the whole balance', steps: ['S14'], rules: ['4-3'], options: { amount: ISSUED }, leaves: { ...joined, balance: 0, owed: ISSUED } }),
  scenario('trade', 'N', { title: 'a payment where password B is dropped', steps: ['S11', 'S12', 'S14'], rules: ['3-9'], prepare: { registered: { twoPasswords: false }, issued: ISSUED }, options: { twoPasswords: false, amount: X }, leaves: bought }),
  script('trade', 'N', { title: 'the history shows the newest eight of nine payments', steps: ['S12'], rules: ['1.5', '3-13'] }, [
    ...entered,
    ...Array.from({ length: 9 }, (_, at): MemberAction[] => [{ do: 'order', as: `o${at}`, amount: 10 }, { do: 'connect' }, { do: 'pay', order: `o${at}`, as: `t${at}` }, { do: 'settle', telegram: `t${at}`, as: `n${at}` }, { do: 'settled', notice: `n${at}` }]).flat(),
    { do: 'history', entries: [9, 8, 7, 6, 5, 4, 3, 2] }, { do: 'reset', kind: 'cold' }, { do: 'a', password: 'A' }, { do: 'history', entries: [9, 8, 7, 6, 5, 4, 3, 2] },
  ], { ...joined, balance: ISSUED - 90, owed: 90 }),
  script('trade', 'N', { title: 'PAY again gives the same telegram, the centre the same notice, the card takes it twice', steps: ['S14'], rules: ['3-12', '3-13', '4-3'] },
    [...instructed, { do: 'pay', order: 'o', as: 'u', same: 't' }, { do: 'settle', telegram: 't', as: 'n' }, { do: 'connect' }, { do: 'pay', order: 'o', as: 'v' }, { do: 'settle', telegram: 'v', as: 'm', same: 'n' }, { do: 'settled', notice: 'n' }, { do: 'settled', notice: 'm' }, { do: 'history', entries: [1] }], bought),
  script('trade', 'N', { title: 'the store claims and is paid once', steps: ['S14'], rules: ['4-4'] }, [...settled, { do: 'claim', order: 'o' }, { do: 'claim', order: 'o', code: 'CENTRE_PAID' }], { ...joined, balance: ISSUED - X, owed: 0, paid: X }),
  script('trade', 'N', { title: 'value is issued in each of the four ways', steps: ['S14'], rules: ['4-5'], prepare: { registered: {} } },
    (['credit', 'own-bank', 'direct-transfer', 'cash-mail'] as const).map((way): MemberAction => ({ do: 'issue', amount: 100, way })), { ...joined, balance: 400 }),
];

const tradeWrong: readonly MemberPoint[] = [
  scenario('trade', 'X', { title: 'one yen more than the balance', steps: ['S14'], rules: ['4-3'], negative: true, options: { amount: ISSUED + 1 }, end: 'refused', at: 'S14', code: 'CENTRE_BALANCE', leaves: untouched }),
  scenario('trade', 'X', { title: 'a wrong password A', steps: ['S11'], rules: ['3-9'], negative: true, options: { enter: { a: 'wrong' } }, end: 'refused', at: 'S11', sw: '63C2', leaves: untouched }),
  scenario('trade', 'X', { title: 'a wrong password B', steps: ['S13'], rules: ['3-11'], negative: true, options: { enter: { b: 'wrong' } }, end: 'refused', at: 'S13', sw: '63C2', leaves: untouched }),
  scenario('trade', 'X', { title: 'password A in the place of B', steps: ['S13'], rules: ['3-11'], negative: true, options: { enter: { b: 'A' } }, end: 'refused', at: 'S13', sw: '63C2', leaves: untouched }),
  script('trade', 'X', { title: 'A alone shows the history and cannot sign', steps: ['S12', 'S14'], rules: ['1.5', '3-12'], negative: true },
    [{ do: 'a', password: 'A' }, { do: 'history', entries: [] }, { do: 'order', as: 'o', amount: X }, { do: 'connect' }, { do: 'pay', order: 'o', as: 't', sw: '6982' }], untouched),
  script('trade', 'X', { title: 'nothing opens without A', steps: ['S12', 'S13'], rules: ['3-10', '3-11'], negative: true },
    [{ do: 'history', sw: '6982' }, { do: 'b', password: 'B', sw: '6982' }, { do: 'order', as: 'o', amount: X }, { do: 'connect' }, { do: 'pay', order: 'o', as: 't', sw: '6982' }], untouched),
  script('trade', 'X', { title: 'a wrong B takes A away, three block B for good', steps: ['S13'], rules: ['3', '3-11'], negative: true },
    [{ do: 'a', password: 'A' }, { do: 'b', password: 'wrong', sw: '63C2' }, { do: 'history', sw: '6982' }, { do: 'a', password: 'A' }, { do: 'b', password: 'wrong', sw: '63C1' }, { do: 'a', password: 'A' }, { do: 'b', password: 'wrong', sw: '63C0' }, { do: 'a', password: 'A' }, { do: 'b', password: 'B', sw: '6983' }, { do: 'history', entries: [] }], untouched),
  script('trade', 'X', { title: 'another order under a number that was used', steps: ['S14'], rules: ['3-12'], negative: true },
    [...instructed, { do: 'order', as: 'p', amount: X + 1, transaction: 1 }, { do: 'pay', order: 'p', as: 'u', sw: '6985' }, { do: 'settle', telegram: 't', as: 'n' }, { do: 'settled', notice: 'n' }], bought),
  script('trade', 'X', { title: 'an order of an earlier number', steps: ['S14'], rules: ['3-12'], negative: true },
    [...entered, { do: 'order', as: 'o', amount: 10 }, { do: 'order', as: 'p', amount: 20 }, { do: 'connect' }, { do: 'pay', order: 'p', as: 't' }, { do: 'pay', order: 'o', as: 'u', sw: '6985' }], untouched),
  script('trade', 'X', { title: 'the amount raised on the way to the card: the centre refuses', steps: ['S14'], rules: ['4-3'], negative: true },
    [...entered, { do: 'order', as: 'o', amount: X }, { do: 'connect' }, { do: 'pay', order: 'o', as: 't', alter: { change: 'flip', tag: 'DA' } }, { do: 'settle', telegram: 't', as: 'n', code: 'CENTRE_ORDER' }], untouched),
  script('trade', 'X', { title: 'a telegram altered on the way, one replayed on another connection', steps: ['S14'], rules: ['1.4', '4-3'], negative: true },
    [...instructed, { do: 'settle', telegram: 't', as: 'n', alter: { change: 'append' }, code: 'CENTRE_TELEGRAM' }, { do: 'connect' }, { do: 'settle', telegram: 't', as: 'n', code: 'CENTRE_TELEGRAM' }], untouched),
  script('trade', 'X', { title: 'a notice signed by somebody else, altered, of another payment', steps: ['S14'], rules: ['3-13'], negative: true },
    [...instructed, { do: 'settle', telegram: 't', as: 'n' }, { do: 'settled', notice: 'n', by: 'somebody', sw: '6982' }, { do: 'settled', notice: 'n', alter: { change: 'flip', tag: 'DC' }, sw: '6982' },
      { do: 'settled', notice: 'n', alter: { change: 'flip', tag: 'DA' }, sw: '6985' }, { do: 'settled', notice: 'n', alter: { change: 'flip', tag: 'D6' }, sw: '6A80' }, { do: 'history', entries: [] }, { do: 'settled', notice: 'n' }, { do: 'history', entries: [1] }], bought),
  script('trade', 'X', { title: 'the notice without password A waits', steps: ['S14'], rules: ['3-13'], negative: true },
    [...instructed, { do: 'settle', telegram: 't', as: 'n' }, { do: 'reset', kind: 'cold' }, { do: 'settled', notice: 'n', sw: '6982' }, { do: 'a', password: 'A' }, { do: 'settled', notice: 'n' }, { do: 'history', entries: [1] }], bought),
  script('trade', 'X', { title: 'a card that is not registered pays nothing', steps: ['S14'], rules: ['3-12'], negative: true, prepare: fresh },
    [...begin, { do: 'connect' }, { do: 'order', as: 'o', amount: X, transaction: 1 }, { do: 'pay', order: 'o', as: 't', sw: '6985' }], nobody),
  script('trade', 'X', { title: 'a claim with another amount, by somebody else, before the settlement', steps: ['S14'], rules: ['4-4'], negative: true },
    [...instructed, { do: 'claim', order: 'o', code: 'CENTRE_UNSETTLED' }, { do: 'settle', telegram: 't', as: 'n' }, { do: 'claim', order: 'o', amount: X + 1, code: 'CENTRE_UNSETTLED' }, { do: 'claim', order: 'o', by: 'somebody', code: 'CENTRE_SIGNATURE' }, { do: 'claim', order: 'o' }], { ...joined, balance: ISSUED - X, owed: 0, paid: X }),
  script('trade', 'X', { title: 'no value is issued without confirmation, whatever the way', steps: ['S14'], rules: ['4-5'], negative: true, prepare: { registered: {} } },
    (['credit', 'own-bank', 'direct-transfer', 'cash-mail'] as const).map((way): MemberAction => ({ do: 'issue', amount: 100, way, confirmed: false, code: 'CENTRE_UNCONFIRMED' })), joined),
];

/** The plan of registration of signed information. */
export const memberPlan: SystemPlan<MemberPoint> = {
  system: 'member', id: 'member/1', points: [...registerNominal, ...registerWrong, ...tradeNominal, ...tradeWrong],
};
