import type { ScenarioOptions } from '../machines/types.js';
import type { ScenarioId, StepId } from '../ports.js';
import { clause, completes, eitherWay, item, midway, other, ready, scenarioOf, scenarioPoint } from './frames.js';
import type { Draft, Group } from './frames.js';
import type { Fault } from './faults.js';
import type { CardExpectation, Expectation, ItemExpectation, PlanPoint, Preparation, SafeExpectation } from './types.js';
import { cold, flip, lost, unreachable } from './fault-makers.js';

/** Both safes are known to the card: pieces and parts go to one after the other. */
const two = { safes: 2 } as const;

const common = { variant: 'common-key' } as const;
const sealedFirst = { order: 'encrypt-first' } as const;

interface Scene {
  readonly scenario: ScenarioId;
  /** Rules of docs/protocol.md. */
  readonly rules: readonly string[];
  /** Claims of the source. */
  readonly claims: readonly number[];
  readonly more: Partial<Preparation>;
}

const scenes = {
  pieces: { scenario: '4/backup', rules: ['5.2', '5.4-1', '5.4-3'], claims: [7, 8, 9], more: two },
  joined: { scenario: '4/recover', rules: ['5.4-5', '5.4-6'], claims: [7, 8, 9], more: two },
  bundle: { scenario: '5/backup', rules: ['5.2', '5.4-7'], claims: [10], more: {} },
  apart: { scenario: '5/recover', rules: ['5.4-5', '5.4-7'], claims: [10], more: {} },
  parts: { scenario: '6/key-backup', rules: ['5.2', '5.4-8'], claims: [], more: two },
  whole: { scenario: '6/key-recover', rules: ['5.4-9'], claims: [], more: two },
} as const satisfies Readonly<Record<string, Scene>>;

type SceneName = keyof typeof scenes;

/** Steps a point is about: those of embodiment 2 that its scenario varies keep their place in the clause. */
function point(name: SceneName, group: Group, number: number, draft: Omit<Draft, 'clause'> & { readonly at?: readonly StepId[]; readonly prior?: ScenarioOptions; readonly claims?: readonly number[] }): PlanPoint {
  const { scenario, rules, claims, more } = scenes[name];
  const { at = [], prior = {}, claims: besides = [], prepare, ...rest } = draft;
  return scenarioPoint(scenario, group, number, {
    ...rest, clause: clause(at, rules, [...claims, ...besides]), prepare: { ...ready(scenario, more, prior), ...prepare },
  });
}

const deposited: readonly ItemExpectation[] = [item, other].map((one) => ({ item: one, value: 'deposited', certificate: 'stored' }));
const backAgain: readonly ItemExpectation[] = [item, other].map((one) => ({ item: one, value: 'active', certificate: 'spent' }));
const described = (items: readonly ItemExpectation[]): CardExpectation => ({ is: 'described', items });

const succeeds = (name: SceneName, safe: SafeExpectation): Expectation => {
  if (name === 'bundle') return completes('5/backup', { card: described(deposited), safe });
  if (name === 'apart') return completes('5/recover', { card: described(backAgain), safe });
  return completes(scenes[name].scenario, { safe });
};

interface Way {
  readonly title: string;
  readonly options?: ScenarioOptions;
  readonly safe: SafeExpectation;
  /** Claims of the source beside those of the scene. */
  readonly claims?: readonly number[];
  /** Options of the registration before a recovery; default: the same. */
  readonly prior?: ScenarioOptions;
  readonly needs?: PlanPoint['needs'];
  readonly prepare?: Partial<Preparation>;
}

/** Points in which nothing goes wrong. */
const nominal = (name: SceneName, ways: readonly Way[]): PlanPoint[] => ways.map(({ title, options = {}, safe, prior = options, needs = [], claims = [], prepare }, at) =>
  point(name, 'N', at + 1, { title, options, prior, needs, claims, ...prepare && { prepare: { ...ready(scenes[name].scenario, scenes[name].more, prior), ...prepare } }, expect: succeeds(name, safe) }));

const some = (wanted: number, more: ScenarioOptions = {}): ScenarioOptions => ({ division: { count: 3, wanted }, ...more });
const pair: ScenarioOptions = { division: { count: 2, wanted: 3 } };
const deleted = (options: ScenarioOptions = {}): ScenarioOptions => ({ ...options, deleteAfterRegistration: true });
const shamir: ScenarioOptions = { keyDivision: { scheme: 'shamir', threshold: 3, count: 4 } };
const origin: ScenarioOptions = { keyDivision: { scheme: 'origin', threshold: 3, count: 3 } };
const quarters: ScenarioOptions = { keyDivision: { scheme: 'xor', threshold: 4, count: 4 } };
/** Claims of the medium: all pieces are registered (31), all come back (32). */
const all = { 31: { claims: [31] }, 32: { claims: [32] } } as const;
/** Claim of a key pair that is generated from its parts. */
const generated = { claims: [12] } as const;
const xorPair: ScenarioOptions = { keyDivision: { scheme: 'xor', threshold: 2, count: 2 } };

const goodWays: readonly PlanPoint[] = [
  ...nominal('pieces', [
    { title: 'a value is divided, each piece encrypted and registered, at two safes', safe: 'stored-3', ...all[31] },
    { title: 'a value is encrypted, divided, and each piece registered', options: sealedFirst, safe: 'stored-3', ...all[31] },
    { title: 'a value is divided and encrypted (common-key variant)', options: common, safe: 'stored-3', needs: ['common-key'], ...all[31] },
    { title: 'a value is encrypted and divided (common-key variant)', options: { ...common, ...sealedFirst }, safe: 'stored-3', needs: ['common-key'], ...all[31] },
    { title: 'two of three pieces are deposited, the third stays on the card', options: some(5), safe: 'stored-2' },
    { title: 'two pieces, one for each safe', options: pair, safe: 'stored-2', ...all[31] },
    { title: 'the value is deleted once all certificates are stored', options: deleted(), safe: 'stored-3', ...all[31] },
  ]),
  ...nominal('joined', [
    { title: 'a value comes back from its pieces', safe: 'unchanged', ...all[32] },
    { title: 'a value comes back from the pieces of its ciphertext', options: sealedFirst, safe: 'unchanged', ...all[32] },
    { title: 'a value comes back from its pieces (common-key variant)', options: common, safe: 'unchanged', needs: ['common-key'], ...all[32] },
    { title: 'a value comes back from the pieces of its ciphertext (common-key variant)', options: { ...common, ...sealedFirst }, safe: 'unchanged', needs: ['common-key'], ...all[32] },
    { title: 'two pieces come back and the third is on the card', options: some(5), safe: 'unchanged' },
    { title: 'a value that was deleted comes back from its pieces', safe: 'unchanged', prior: deleted(), ...all[32] },
    { title: 'a value that was deleted comes back from the pieces of its ciphertext', safe: 'unchanged', options: sealedFirst, prior: deleted(sealedFirst), ...all[32] },
  ]),
  ...nominal('bundle', [
    { title: 'two values are coupled, encrypted and registered under one certificate', safe: 'stored-1' },
    { title: 'two values are encrypted, coupled and registered under one certificate', options: sealedFirst, safe: 'stored-1' },
    { title: 'two values are coupled and encrypted (common-key variant)', options: common, safe: 'stored-1', needs: ['common-key'] },
    { title: 'two values are encrypted and coupled (common-key variant)', options: { ...common, ...sealedFirst }, safe: 'stored-1', needs: ['common-key'] },
  ]),
  ...nominal('apart', [
    { title: 'two values come back from one certificate', safe: 'unchanged' },
    { title: 'two values come back, each from a ciphertext of its own', options: sealedFirst, safe: 'unchanged' },
    { title: 'two values come back from one certificate (common-key variant)', options: common, safe: 'unchanged', needs: ['common-key'] },
  ]),
  ...nominal('parts', [
    { title: 'the decoding key is divided in three by XOR and registered at two safes', safe: 'stored-3' },
    { title: 'the decoding key is divided, three of four parts suffice', options: shamir, safe: 'stored-4' },
    { title: 'the decoding key is divided in parts A and B', options: xorPair, safe: 'stored-2' },
    { title: 'the key is deleted once enough parts are stored', options: deleted(), safe: 'stored-3' },
    { title: 'a key pair is generated from three parts, and the parts registered', options: origin, safe: 'stored-3', ...generated },
    { title: 'the decoding key is divided in four by XOR, two parts for each safe', options: quarters, safe: 'stored-4' },
  ]),
  ...nominal('whole', [
    { title: 'the decoding key comes back from its three parts', safe: 'unchanged' },
    { title: 'the decoding key comes back from three of four parts', options: shamir, safe: 'unchanged', prior: deleted(shamir) },
    { title: 'a key pair comes back by being generated from its parts again', options: origin, safe: 'unchanged', prior: deleted(origin), ...generated },
    { title: 'the decoding key comes back from parts A and B', options: xorPair, safe: 'unchanged', prior: deleted(xorPair) },
    { title: 'the decoding key comes back from all four parts', options: quarters, safe: 'unchanged', prior: deleted(quarters) },
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
}

const troubles = (name: SceneName, group: Group, list: readonly Trouble[]): PlanPoint[] => list.map(({ prepare, ...draft }, at) =>
  point(name, group, at + 1, { ...draft, ...prepare && { prepare: { ...ready(scenes[name].scenario, scenes[name].more, draft.prior), ...prepare } } }));


const refused = (name: SceneName, at: readonly string[], sw: readonly string[], safe: SafeExpectation, more: Partial<Expectation> = {}): Expectation =>
  ({ end: ['refused'], at, sw, card: midway(scenes[name].scenario), safe, retry: 'completes', ...more });
const linkLost = (name: SceneName, safe: SafeExpectation, more: Partial<Expectation> = {}): Expectation =>
  ({ end: ['link'], card: midway(scenes[name].scenario), safe, retry: 'completes', ...more });
const either = (name: SceneName): Expectation => eitherWay(scenes[name].scenario, { safe: 'any' });
const asBefore: CardExpectation = { is: 'unchanged' };

const badWays: readonly PlanPoint[] = [
  ...troubles('pieces', 'A', [
    { title: 'hash of the second piece\'s certificate altered', fault: flip('1-13@piece2', 'certificate', '98'), expect: refused('pieces', ['1-15@piece2'], ['6A80'], 'stored-2') },
    { title: 'signature of the last piece\'s certificate altered', fault: flip('1-13@piece3', 'certificate', '92'), expect: refused('pieces', ['1-15@piece3'], ['6982'], 'stored-3') },
    { title: 'digest of the first piece\'s certificate altered', fault: flip('1-13@piece1', 'certificate', 'E2/83'), expect: refused('pieces', ['1-15@piece1'], ['6A80'], 'stored-1') },
    { title: 'sequence in the second piece\'s certificate altered', fault: flip('1-13@piece2', 'certificate', '94', 20), expect: refused('pieces', ['1-15@piece2'], ['6985'], 'stored-2') },
  ]),
  ...troubles('pieces', 'R', [
    { title: 'power lost after the division', fault: cold('1-7@all'), expect: either('pieces'), needs: ['power-control'] },
    { title: 'power lost after the second piece was given out', fault: cold('1-9@piece2'), expect: either('pieces'), needs: ['power-control'] },
    { title: 'power lost after the first certificate was held', fault: cold('1-16@piece1'), expect: either('pieces'), needs: ['power-control'] },
    { title: 'power lost while the last certificate is stored', fault: cold('1-15@piece3'), expect: either('pieces'), needs: ['power-control'] },
  ]),
  ...troubles('pieces', 'L', [
    { title: 'answer to the last certificate lost', fault: lost('1-13@piece3', 'lost-answer'), expect: either('pieces') },
    { title: 'division never reaches the card', fault: lost('1-5@all', 'lost-command'), expect: { ...either('pieces'), card: asBefore } },
  ]),
  ...troubles('pieces', 'S', [
    { title: 'second safe unreachable for its piece', fault: unreachable('1-10@piece2'), expect: linkLost('pieces', 'stored-1') },
    { title: 'first safe unreachable for the first piece', fault: unreachable('1-10@piece1'), expect: linkLost('pieces', 'nothing-stored') },
  ]),
  ...troubles('pieces', 'M', [
    {
      title: 'room for two certificates when three are needed', fault: { fault: 'memory', before: '1-5@all', left: { pages: 8 } }, needs: ['memory-fill'],
      expect: { end: ['refused'], at: ['1-6@all'], sw: ['6A84'], card: asBefore, safe: 'nothing-stored', retry: 'none', shortage: true },
    },
    {
      title: 'two index entries when three are needed', fault: { fault: 'memory', before: '1-5@all', left: { entries: 2 } }, needs: ['memory-fill'],
      expect: { end: ['refused'], at: ['1-6@all'], sw: ['6A84'], card: asBefore, safe: 'nothing-stored', retry: 'none' },
    },
  ]),
  ...troubles('joined', 'A', [
    { title: 'content of the second piece altered', fault: flip('2-9@piece2', 'registered-value', 'C8'), expect: refused('joined', ['2-12@all'], ['6982'], 'unchanged') },
    { title: 'index in the identity of the first piece altered', fault: flip('2-9@piece1', 'registered-value', 'C5', 38), expect: refused('joined', ['2-12@all'], ['6A80'], 'unchanged') },
    { title: 'signature of the last piece altered', fault: flip('2-9@piece3', 'registered-value', '92'), expect: refused('joined', ['2-12@all'], ['6982'], 'unchanged') },
  ]),
  ...troubles('joined', 'R', [
    { title: 'power lost after the second certificate was gathered', fault: cold('2-8@piece2'), expect: either('joined'), needs: ['power-control'] },
    { title: 'power lost while the whole is verified', fault: cold('2-13@all'), expect: either('joined'), needs: ['power-control'] },
    { title: 'power lost when the value of deleted pieces is back', fault: cold('2-14@all'), expect: either('joined'), prior: deleted(), needs: ['power-control'] },
  ]),
  ...troubles('joined', 'L', [
    { title: 'answer to the combination lost', fault: lost('2-11@all', 'lost-answer'), expect: either('joined') },
  ]),
  ...troubles('joined', 'S', [
    { title: 'second safe unreachable: nothing is combined without its piece', fault: unreachable('2-9@piece2'), expect: linkLost('joined', 'unchanged') },
  ]),
  ...troubles('bundle', 'A', [
    { title: 'hash of the bundle\'s certificate altered', fault: flip('1-13@all', 'certificate', '98'), expect: refused('bundle', ['1-15@all'], ['6A80'], 'stored-1') },
    { title: 'signature of the bundle\'s certificate altered', fault: flip('1-13@all', 'certificate', '92'), expect: refused('bundle', ['1-15@all'], ['6982'], 'stored-1') },
  ]),
  ...troubles('bundle', 'R', [
    { title: 'power lost while the bundle is given out', fault: cold('1-8@all'), expect: { ...either('bundle'), card: { is: 'described', items: [{ item }, { item: other }] } }, needs: ['power-control'] },
    { title: 'power lost while the certificate is stored', fault: cold('1-15@all'), expect: { ...either('bundle'), card: { is: 'described', items: [{ item }, { item: other }] } }, needs: ['power-control'] },
  ]),
  ...troubles('bundle', 'S', [
    { title: 'safe unreachable for the bundle', fault: unreachable('1-10@all'), expect: linkLost('bundle', 'nothing-stored') },
  ]),
  ...troubles('apart', 'A', [
    { title: 'content of the bundle altered', fault: flip('2-9@all', 'registered-value', 'C8'), expect: refused('apart', ['2-12@all'], ['6982'], 'unchanged') },
    { title: 'count of the bundle altered', fault: flip('2-9@all', 'registered-value', 'C6', 7), expect: refused('apart', ['2-12@all'], ['6982'], 'unchanged') },
  ]),
  ...troubles('apart', 'R', [
    { title: 'power lost while the values come back', fault: cold('2-14@all'), expect: { ...either('apart'), card: { is: 'described', items: [{ item }, { item: other }] } }, needs: ['power-control'] },
  ]),
  ...troubles('apart', 'L', [
    { title: 'answer to the decoupling lost', fault: lost('2-11@all', 'lost-answer'), expect: { ...either('apart'), card: { is: 'described', items: [{ item }, { item: other }] } } },
  ]),
  ...troubles('parts', 'A', [
    { title: 'hash of the second part\'s certificate altered', fault: flip('3-8@part2', 'certificate', '98'), expect: refused('parts', ['3-10@part2'], ['6A80'], 'stored-2', { card: { is: 'described', items: [{ item: '$decoding', key: 'present', certificate: 'stored' }] } }) },
    { title: 'safe id in the first part\'s certificate altered', fault: flip('3-8@part1', 'certificate', '9A', 7), expect: refused('parts', ['3-10@part1'], ['6A82'], 'stored-1') },
  ]),
  ...troubles('parts', 'R', [
    { title: 'power lost after the division of the key', fault: cold('3-2@all'), expect: { ...either('parts'), card: { is: 'described', items: [{ item: '$decoding', key: 'present', certificate: 'stored' }] } }, needs: ['power-control'] },
    { title: 'power lost while the last part\'s certificate is stored', fault: cold('3-10@part3'), expect: { ...either('parts'), card: { is: 'described', items: [{ item: '$decoding', key: 'present', certificate: 'stored' }] } }, needs: ['power-control'] },
  ]),
  ...troubles('parts', 'S', [
    { title: 'second safe unreachable for its part', fault: unreachable('3-5@part2'), expect: linkLost('parts', 'stored-1', { card: { is: 'described', items: [{ item: '$decoding', key: 'present', certificate: 'stored' }] } }) },
  ]),
  ...troubles('parts', 'K', [
    {
      title: 'DELETE KEY when only one of three parts is stored', fault: { fault: 'apdu', before: '3-5@part2', commands: [{ apdu: '80420100', expect: ['6985'] }] },
      needs: ['raw-apdu'], prepare: { before: [scenarioOf('2/backup', {}, other)] }, expect: succeeds('parts', 'stored-3'),
    },
  ]),
  ...troubles('whole', 'A', [
    { title: 'wrapped second part altered', fault: flip('4-9@part2', 'key-reply', '9C'), expect: refused('whole', ['4-12@all'], ['6982'], 'unchanged') },
    { title: 'identity of the first part altered', fault: flip('4-9@part1', 'key-reply', 'C5', 38), expect: refused('whole', ['4-12@all'], ['6982', '6A80'], 'unchanged') },
  ]),
  ...troubles('whole', 'R', [
    { title: 'power lost while the key is put together', fault: cold('4-13@all'), expect: { ...either('whole'), card: { is: 'described', items: [{ item: '$decoding', certificate: 'stored' }] } }, needs: ['power-control'] },
  ]),
  ...troubles('whole', 'S', [
    { title: 'second safe unreachable: parts of one safe give no key', fault: unreachable('4-9@part2'), expect: linkLost('whole', 'unchanged') },
  ]),
];

/** Points of embodiments 4, 5 and 6. */
export const setPoints: readonly PlanPoint[] = [...goodWays, ...badWays];

/** A value registered in pieces that only the decoding key opens, for points about the key. */
export const piecesBesides = scenarioOf('4/backup', {}, other);
