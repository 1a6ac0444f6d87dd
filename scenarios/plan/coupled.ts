import type { ScenarioOptions } from '../machines/types.js';
import type { StepId } from '../ports.js';
import { clause, completes, item, other, ready, scenarioOf, scenarioPoint } from './frames.js';
import type { Draft, Group } from './frames.js';
import type { CardExpectation, Expectation, ItemExpectation, PlanPoint, Preparation, SafeExpectation } from './types.js';

const two = { safes: 2 } as const;
const common = { variant: 'common-key' } as const;
const deleted = { deleteAfterRegistration: true } as const;
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

/** Points of embodiment 6 whole: ciphertext coupled with a part of its key. */
export const coupledPoints: readonly PlanPoint[] = [...good];

/** A value that is coupled with a part of the key, for points about another one. */
export const coupledBesides = scenarioOf('6/backup', {}, other);
