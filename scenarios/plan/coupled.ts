import type { ScenarioOptions } from '../machines/types.js';
import type { StepId } from '../ports.js';
import { clause, completes, eitherWay, item, other, ready, scenarioOf, scenarioPoint } from './frames.js';
import type { Draft, Group } from './frames.js';
import type { Fault, ObjectName, Place } from './faults.js';
import type { CardExpectation, Expectation, ItemExpectation, PlanPoint, Preparation, SafeExpectation } from './types.js';
import { cold, flip, lost } from './fault-makers.js';

const two = { safes: 2 } as const;
const common = { variant: 'common-key' } as const;
const deleted = { deleteAfterRegistration: true } as const;
const receipt = { deleteAfterRecovery: true } as const;
const xor = (count: number): ScenarioOptions => ({ keyDivision: { scheme: 'xor', threshold: count, count } });
const shamir: ScenarioOptions = { keyDivision: { scheme: 'shamir', threshold: 3, count: 3 } };
const origin: ScenarioOptions = { keyDivision: { scheme: 'origin', threshold: 3, count: 3 } };

type Name = '6/backup' | '6/recover';

/** What a point says beside its scenario. */
type Sketch = Omit<Draft, 'clause' | 'prepare'> & {
  readonly claims?: readonly number[];
  readonly rules?: readonly string[];
  readonly at?: readonly StepId[];
  /** Options of the registration before a recovery; default: those of the run. */
  readonly prior?: ScenarioOptions;
  readonly prepare?: Partial<Preparation>;
};

/** Rules and claims of a scenario: the whole system (11), and what its medium does (33, 34). */
const about = {
  '6/backup': { rules: ['5.2', '5.4-8', '5.4-12', '5.4-13'], claims: [11, 33] },
  '6/recover': { rules: ['5.4-9', '5.4-14'], claims: [11, 34] },
} as const satisfies Readonly<Record<Name, { readonly rules: readonly string[]; readonly claims: readonly number[] }>>;

function point(scenario: Name, group: Group, number: number, sketch: Sketch): PlanPoint {
  const { claims = about[scenario].claims, rules = about[scenario].rules, at = [], options = {}, prior = options, prepare, ...rest } = sketch;
  const gone: Partial<Preparation> = scenario === '6/recover' ? { deletedKeys: [prior.variant === 'common-key' ? 'common' : 'decoding'] } : {};
  return scenarioPoint(scenario, group, number, { ...rest, options, clause: clause(at, rules, claims), prepare: { ...ready(scenario, two, prior), ...gone, ...prepare } });
}

const keyOf = ({ variant }: ScenarioOptions): '$decoding' | '$common' => (variant === 'common-key' ? '$common' : '$decoding');
const described = (...items: readonly ItemExpectation[]): CardExpectation => ({ is: 'described', items });

/** The value is given up for the coupled certificate, the key is there and has its parts' certificates. */
const registered = (options: ScenarioOptions, safe: SafeExpectation): Expectation => completes('6/backup', {
  safe, card: described(
    { item, value: options.deleteAfterRegistration ? 'absent' : 'deposited', certificate: 'stored' },
    { item: keyOf(options), key: 'present', certificate: 'stored', ...options.keyDivision?.scheme === 'origin' && { renewed: true } },
  ),
});

/** The value is usable and the key is back. */
const recovered = (options: ScenarioOptions, safe: SafeExpectation): Expectation => completes('6/recover', {
  safe, card: described(
    { item, value: 'active', certificate: options.deleteAfterRecovery ? 'absent' : 'spent' }, { item: keyOf(options), key: 'present', certificate: 'stored' },
  ),
});

interface Way {
  readonly title: string;
  readonly options?: ScenarioOptions;
  readonly prior?: ScenarioOptions;
  readonly safe: SafeExpectation;
  readonly needs?: PlanPoint['needs'];
  readonly claims?: readonly number[];
  readonly prepare?: Partial<Preparation>;
}

const nominal = (scenario: Name, expect: typeof registered, ways: readonly Way[]): PlanPoint[] => ways.map(({ options = {}, safe, claims = [], ...way }, at) =>
  point(scenario, 'N', at + 1, { ...way, options, claims: [...about[scenario].claims, ...claims], expect: expect(options, safe) }));

const good: readonly PlanPoint[] = [
  ...nominal('6/backup', registered, [
    { title: 'the ciphertext of a value is coupled with one of three key parts, two parts go to the second safe', safe: 'stored-3' },
    { title: 'the ciphertext of a value is coupled with part A, part B goes to the second safe', options: xor(2), safe: 'stored-2' },
    { title: 'the ciphertext of a value is coupled with one of four key parts', options: xor(4), safe: 'stored-4' },
    { title: 'the ciphertext of a value is coupled with a share of its key, three of three needed', options: shamir, safe: 'stored-3' },
    { title: 'the ciphertext of a value is coupled with a part of its key (common-key variant)', options: { ...common, ...xor(2) }, safe: 'stored-2', needs: ['common-key'] },
    { title: 'the value is deleted once its coupled certificate is stored', options: deleted, safe: 'stored-3', claims: [25, 35] },
    { title: 'a key pair is generated from parts, the first of which is coupled with a ciphertext', options: origin, safe: 'stored-3', claims: [12] },
  ]),
  ...nominal('6/recover', recovered, [
    { title: 'value and deleted key come back from ciphertext and three parts', safe: 'unchanged' },
    { title: 'value and deleted key come back from ciphertext and parts A and B', options: xor(2), safe: 'unchanged' },
    { title: 'value and deleted key come back from ciphertext and four parts', options: xor(4), safe: 'unchanged' },
    { title: 'value and deleted key come back from ciphertext and three shares', options: shamir, safe: 'unchanged' },
    { title: 'value and deleted key come back from ciphertext and parts (common-key variant)', options: { ...common, ...xor(2) }, safe: 'unchanged', needs: ['common-key'] },
    { title: 'a deleted value and its deleted key come back', prior: deleted, safe: 'unchanged' },
    { title: 'a value comes back and a key pair is generated from its parts again', options: origin, safe: 'unchanged', claims: [12] },
    { title: 'a deleted value and its key come back; receipt, certificate and the safe\'s copy deleted', prior: deleted, options: { deleteAfterRecovery: true }, safe: 'tombstone', claims: [26] },
    { title: 'a value comes back while its key is still on the card', safe: 'unchanged', prepare: { deletedKeys: [] } },
  ]),
];

interface Trouble {
  readonly title: string;
  readonly fault: Fault;
  readonly expect: Expectation;
  readonly options?: ScenarioOptions;
  readonly prior?: ScenarioOptions;
  readonly needs?: PlanPoint['needs'];
  readonly prepare?: Partial<Preparation>;
  /** Claims of the source that the stop itself shows; default none. */
  readonly claims?: readonly number[];
}

const troubles = (scenario: Name, group: Group, list: readonly Trouble[]): PlanPoint[] =>
  list.map(({ claims = [], ...draft }, at) => point(scenario, group, at + 1, { ...draft, claims }));

const safe = (at: Place, how: 'unreachable' | 'misdirected' | 'forgets' | 'late'): Fault => ({ fault: 'safe', at, how });
const foreign = (at: Place, object: ObjectName = 'certificate'): Fault => ({ fault: 'swap', at, object, by: 'foreign' });

/** The registration is begun and the key is as before; parts whose certificates have come are stored. */
const pending: CardExpectation = described({ item, value: 'pending', certificate: 'absent' }, { item: '$decoding', key: 'present' });
/** The value is where it was and the key still away. */
const waiting: CardExpectation = described({ item, value: 'deposited', certificate: 'recovering' }, { item: '$decoding', key: 'absent', certificate: 'stored' });
/** The key is back, the value not yet. */
const keyBack: CardExpectation = described({ item, value: 'deposited', certificate: 'recovering' }, { item: '$decoding', key: 'present', certificate: 'stored' });
/** Whatever a cut has left, the invariants and an honest retry judge it. */
const somewhere: CardExpectation = described({ item }, { item: '$decoding' });
const asBefore: CardExpectation = { is: 'unchanged' };

const refused = (card: CardExpectation, at: readonly string[], sw: readonly string[], stored: SafeExpectation, more: Partial<Expectation> = {}): Expectation =>
  ({ end: ['refused'], at, sw, card, safe: stored, retry: 'completes', ...more });
const bySafe = (card: CardExpectation, at: readonly string[], safeCode: readonly string[], stored: SafeExpectation): Expectation =>
  ({ end: ['refused'], at, safeCode, card, safe: stored, retry: 'completes' });
const linkLost = (card: CardExpectation, stored: SafeExpectation): Expectation => ({ end: ['link', 'late'], card, safe: stored, retry: 'completes' });
const either = (scenario: Name): Expectation => ({ ...eitherWay(scenario, { safe: 'any' }), card: somewhere });

const resetAfter = (scenario: Name, steps: readonly StepId[]): PlanPoint[] => troubles(scenario, 'R', steps.map((after) => ({
  title: `power lost after ${after}`, fault: cold(after), expect: either(scenario), needs: ['power-control', ...scenario === '6/backup' && after === '1-12@all' ? [] : ['trace-port'] as const],
})));

const losesAt = (scenario: Name, steps: readonly StepId[]): PlanPoint[] => troubles(scenario, 'L', steps.flatMap((at) => (['lost-answer', 'lost-command'] as const).map((how) => ({
  title: `the ${how === 'lost-answer' ? 'answer to the command' : 'command'} of ${at} is lost`, fault: lost(at, how), expect: either(scenario),
}))));

const repeated = (scenario: Name, expect: Expectation, steps: readonly StepId[]): PlanPoint[] => troubles(scenario, 'T', steps.map((step) => ({
  title: `the exchange of ${step} three times`, fault: { fault: 'repeat', step, times: 3 } as const, expect,
})));

/** The PIN is wrong before an exchange: nothing is done without it, whatever has been done before stays. */
const withoutPin = (scenario: Name, steps: readonly StepId[]): PlanPoint[] => troubles(scenario, 'P', steps.map((before) => ({
  title: `the PIN is no longer verified at ${before}`, fault: { fault: 'pin', before, choice: 'wrong', times: 1 } as const,
  expect: { end: ['refused'] as const, at: [before], sw: ['6982'], card: somewhere, safe: 'any' as const, retry: 'completes' as const },
})));

/** A safe is too busy, or answers with something that is no object. */
const safeErrors = (steps: readonly StepId[]): readonly Trouble[] => steps.flatMap((at): readonly Trouble[] => [
  { title: `the safe is busy at ${at}`, fault: { fault: 'safe', at, how: 'error', status: 503, code: 'SAFE_BUSY' }, expect: { end: ['refused'], safeCode: ['SAFE_BUSY'], card: somewhere, safe: 'any', retry: 'completes' } },
  { title: `the safe answers with something else at ${at}`, fault: { fault: 'safe', at, how: 'garbage' }, expect: { end: ['unexpected'], card: somewhere, safe: 'any', retry: 'completes' } },
]);

/** The owner changes his mind, or looks, between two exchanges. */
const meanwhile = (before: Place, how: 'use' | 'cancel'): Fault => ({ fault: 'meanwhile', before, how: how === 'use' ? { act: 'use', quantity: 1 } : { act: 'cancel' } });

const deleteKey = (before: Place): Fault => ({ fault: 'apdu', before, commands: [{ apdu: '80420100', expect: ['6985'] }] });
/** Another value that only the key opens: whoever loses the key loses it too. */
const sealedBesides: Partial<Preparation> = { before: [scenarioOf('2/backup', {}, other)] };

const badBackup: readonly PlanPoint[] = [
  ...troubles('6/backup', 'A', [
    { title: 'hash of the coupled certificate altered', fault: flip('1-13@all', 'certificate', '98'), expect: refused(pending, ['1-15@all'], ['6A80'], 'stored-3') },
    { title: 'signature of the coupled certificate altered', fault: flip('1-13@all', 'certificate', '92'), expect: refused(pending, ['1-15@all'], ['6982'], 'stored-3') },
    { title: 'digest of the coupled certificate altered', fault: flip('1-13@all', 'certificate', 'E2/83'), expect: refused(pending, ['1-15@all'], ['6A80'], 'stored-3') },
    { title: 'sequence in the coupled certificate altered', fault: flip('1-13@all', 'certificate', '94', 20), expect: refused(pending, ['1-15@all'], ['6985'], 'stored-3') },
    { title: 'safe id in the coupled certificate altered', fault: flip('1-13@all', 'certificate', '9A', 7), expect: refused(pending, ['1-15@all'], ['6A82'], 'stored-3') },
    { title: 'kind of the coupled certificate altered to that of a bundle', fault: { fault: 'alter', at: '1-13@all', object: 'certificate', element: '9B', how: { how: 'set', bytes: '06' } }, expect: refused(pending, ['1-15@all'], ['6A80'], 'stored-3') },
    { title: 'hash of the second part\'s certificate altered', fault: flip('3-8@part2', 'certificate', '98'), expect: refused(pending, ['3-10@part2'], ['6A80'], 'stored-2') },
    { title: 'coupled object altered on its way to the safe', fault: flip('1-10@all', 'request', 'EF/C8', -1), expect: refused(pending, ['1-15@all'], ['6A80'], 'stored-3', { retry: 'completes-after-cancel' }) },
    { title: 'coupled object says that no part is in it', fault: flip('1-10@all', 'request', 'EF/C6', 15), expect: bySafe(pending, ['1-11@all'], ['SAFE_BAD_OBJECT'], 'nothing-stored') },
  ]),
  ...troubles('6/backup', 'X', [
    { title: 'the coupled object is registered at the second safe: its certificate is refused', fault: safe('1-10@all', 'misdirected'), expect: refused(pending, ['1-15@all'], ['6A82'], 'stored-3', { retry: 'completes' }) },
    { title: 'the second part is sent to the safe of the coupled object', fault: safe('3-5@part2', 'misdirected'), expect: bySafe(pending, ['3-6@part2'], ['SAFE_BAD_SIGNATURE', 'SAFE_BAD_OBJECT'], 'stored-1') },
    { title: 'coupled certificate of another card', fault: foreign('1-13@all'), expect: refused(pending, ['1-14@all', '1-15@all'], ['6A80'], 'any') },
    { title: 'certificate of another card instead of the second part\'s', fault: foreign('3-8@part2'), expect: refused(pending, ['3-9@part2', '3-10@part2'], ['6A80'], 'any') },
  ]),
  ...resetAfter('6/backup', ['3-2@all', '1-7@all', '1-9@all', '1-12@all', '3-9@part2', '3-11@part2', '3-10@part3', '1-14@all', '1-15@all']),
  ...withoutPin('6/backup', ['1-1', '3-1@all', '1-5@all', '3-3@part2', '3-8@part2', '3-3@part3', '3-8@part3', '1-13@all']),
  ...losesAt('6/backup', ['3-1@all', '1-5@all', '3-3@part2', '3-8@part3', '1-13@all']),
  ...repeated('6/backup', registered({}, 'stored-3'), ['1-1', '3-1@all', '1-5@all', '1-10@all', '3-3@part2', '3-5@part2', '3-8@part2', '1-13@all']),
  ...troubles('6/backup', 'S', [
    { title: 'first safe unreachable for the coupled object', fault: safe('1-10@all', 'unreachable'), expect: linkLost(pending, 'nothing-stored') },
    { title: 'second safe unreachable for its part: the value is not given up', fault: safe('3-5@part2', 'unreachable'), expect: linkLost(pending, 'stored-1') },
    { title: 'second safe unreachable for the last part: the value is not given up', fault: safe('3-5@part3', 'unreachable'), expect: linkLost(pending, 'stored-2') },
    { title: 'first safe answers after the terminal\'s patience', fault: safe('1-10@all', 'late'), expect: linkLost(pending, 'stored-1') },
    ...safeErrors(['1-10@all', '3-5@part2', '3-5@part3']),
  ]),
  ...troubles('6/backup', 'M', [
    { title: 'room for two certificates when three are needed', fault: { fault: 'memory', before: '3-1@all', left: { pages: 8 } }, needs: ['memory-fill'], claims: [24], expect: { end: ['refused'], at: ['3-2@all'], sw: ['6A84'], card: asBefore, safe: 'nothing-stored', retry: 'none', shortage: true } },
    { title: 'two index entries when three are needed', fault: { fault: 'memory', before: '3-1@all', left: { entries: 2 } }, needs: ['memory-fill'], expect: { end: ['refused'], at: ['3-2@all'], sw: ['6A84'], card: asBefore, safe: 'nothing-stored', retry: 'none' } },
  ]),
  ...troubles('6/backup', 'K', [
    { title: 'DELETE KEY when the coupled object is at the safe and no part is', fault: deleteKey('3-5@part2'), needs: ['raw-apdu'], prepare: sealedBesides, expect: registered({}, 'stored-3') },
    { title: 'DELETE KEY when all parts are stored and the coupled certificate is not', fault: deleteKey('1-13@all'), needs: ['raw-apdu'], prepare: sealedBesides, expect: registered({}, 'stored-3') },
    { title: 'DELETE KEY when one of two parts is stored', fault: deleteKey('3-5@part3'), needs: ['raw-apdu'], prepare: sealedBesides, expect: registered({}, 'stored-3') },
    { title: 'a second value is coupled under the same key, with parts of its own', fault: { fault: 'repeat', step: '1-5@all', times: 2 }, prepare: { before: [scenarioOf('6/backup', {}, other)] }, expect: registered({}, 'stored-3') },
  ]),
  ...troubles('6/backup', 'W', [
    { title: 'the value is used before its coupled certificate is handed over: the registration is over', fault: meanwhile('1-13@all', 'use'), options: {}, expect: refused(described({ item, value: 'active', certificate: 'absent', quantity: 0 }, { item: '$decoding', key: 'present' }), ['1-15@all'], ['6985'], 'stored-3', { retry: 'completes' }) },
    { title: 'the registration is cancelled before the coupled certificate is handed over', fault: meanwhile('1-13@all', 'cancel'), expect: refused(described({ item, value: 'active', certificate: 'absent' }, { item: '$decoding', key: 'present' }), ['1-15@all'], ['6985'], 'stored-3') },
  ]),
];

const badRecover: readonly PlanPoint[] = [
  ...troubles('6/recover', 'A', [
    { title: 'content of the coupled object altered: neither key nor value', fault: flip('2-9@all', 'registered-value', 'C8'), expect: refused(waiting, ['4-12@all'], ['6982'], 'unchanged') },
    { title: 'the part in the coupled object altered', fault: flip('2-9@all', 'registered-value', 'C8', -1), expect: refused(waiting, ['4-12@all'], ['6982'], 'unchanged') },
    { title: 'signature of the coupled object altered', fault: flip('2-9@all', 'registered-value', '92'), expect: refused(waiting, ['4-12@all'], ['6982'], 'unchanged') },
    { title: 'content of the coupled object altered once the key is back', fault: flip('2-11@all', 'registered-value', 'C8'), expect: refused(keyBack, ['2-12@all'], ['6982'], 'unchanged') },
    { title: 'digest of the coupled object altered once the key is back', fault: flip('2-11@all', 'registered-value', 'E2/83'), expect: refused(keyBack, ['2-12@all'], ['6982'], 'unchanged') },
    { title: 'wrapped second part altered', fault: flip('4-9@part2', 'key-reply', '9C'), expect: refused(waiting, ['4-12@all'], ['6982'], 'unchanged') },
    { title: 'identity of the second part altered', fault: flip('4-9@part2', 'key-reply', 'C5', 38), expect: refused(waiting, ['4-12@all'], ['6982', '6985'], 'unchanged') },
  ]),
  ...troubles('6/recover', 'X', [
    { title: 'the coupled certificate is presented at the second safe', fault: safe('2-9@all', 'misdirected'), expect: bySafe(waiting, ['2-9@all', '2-10@all'], ['SAFE_BAD_SIGNATURE'], 'unchanged') },
    { title: 'the second part\'s certificate is presented at the first safe', fault: safe('4-9@part2', 'misdirected'), expect: bySafe(waiting, ['4-9@part2', '4-10@part2'], ['SAFE_BAD_SIGNATURE'], 'unchanged') },
    { title: 'a value of another card instead of the coupled object', fault: foreign('2-11@all', 'registered-value'), expect: refused(keyBack, ['2-12@all'], ['6A80'], 'any') },
    { title: 'a key of another card instead of the second part', fault: foreign('4-9@part2', 'key-reply'), expect: refused(waiting, ['4-12@all'], ['6A80', '6982', '6985'], 'any') },
    { title: 'the first safe does not find the coupled object', fault: safe('2-9@all', 'forgets'), expect: bySafe(waiting, ['2-10@all'], ['SAFE_UNKNOWN'], 'unchanged') },
  ]),
  ...resetAfter('6/recover', ['2-7@all', '2-8@all', '4-12@all', '4-13@all', '4-14@all', '2-12@all', '2-13@all', '2-14@all']),
  ...withoutPin('6/recover', ['4-1', '2-5@all', '4-5@part2', '4-5@part3', '4-11@all', '2-11@all']),
  ...losesAt('6/recover', ['2-5@all', '4-5@part2', '4-11@all', '2-11@all']),
  ...repeated('6/recover', recovered({}, 'unchanged'), ['4-1', '2-5@all', '2-9@all', '4-5@part2', '4-9@part2', '4-11@all', '2-11@all']),
  ...troubles('6/recover', 'S', [
    { title: 'first safe unreachable: the parts of the second give nothing', fault: safe('2-9@all', 'unreachable'), expect: linkLost(waiting, 'unchanged') },
    { title: 'second safe unreachable: ciphertext and part A give nothing', fault: safe('4-9@part2', 'unreachable'), expect: linkLost(waiting, 'unchanged') },
    { title: 'second safe unreachable for the last part', fault: safe('4-9@part3', 'unreachable'), expect: linkLost(waiting, 'unchanged') },
    ...safeErrors(['2-9@all', '4-9@part2', '4-9@part3']),
    { title: 'first safe unreachable with the receipt', options: receipt, fault: safe('claim-26-safe', 'unreachable'), expect: linkLost(described({ item, value: 'active', certificate: 'spent' }, { item: '$decoding', key: 'present', certificate: 'stored' }), 'unchanged') },
    { title: 'the receipt is altered on its way', options: receipt, fault: flip('claim-26-safe', 'receipt', '98'), expect: bySafe(described({ item, value: 'active', certificate: 'spent' }, { item: '$decoding', key: 'present', certificate: 'stored' }), ['claim-26-safe'], ['SAFE_BAD_SIGNATURE', 'SAFE_UNKNOWN'], 'unchanged') },
  ]),
  ...troubles('6/recover', 'W', [
    { title: 'the recovery is cancelled before the key is put together', fault: meanwhile('4-11@all', 'cancel'), expect: refused(described({ item, value: 'deposited', certificate: 'stored' }, { item: '$decoding', key: 'absent', certificate: 'stored' }), ['4-12@all'], ['6985'], 'unchanged') },
    { title: 'the recovery is cancelled once the key is back', fault: meanwhile('2-11@all', 'cancel'), expect: refused(described({ item, value: 'deposited', certificate: 'stored' }, { item: '$decoding', key: 'present', certificate: 'stored' }), ['2-12@all'], ['6985'], 'unchanged') },
  ]),
  ...troubles('6/recover', 'M', [
    {
      title: 'no room for a deleted value: the recovery is suspended, the key stays where it is', prior: deleted, fault: { fault: 'memory', before: '2-5@all', left: { pages: 1 } }, needs: ['memory-fill'], claims: [24],
      expect: { end: ['refused'], at: ['2-7@all'], sw: ['6A84'], card: asBefore, safe: 'unchanged', retry: 'none', shortage: true },
    },
  ]),
];

/** Points of embodiment 6 whole: ciphertext coupled with a part of its key. */
export const coupledPoints: readonly PlanPoint[] = [...good, ...badBackup, ...badRecover];
