import type { ScenarioOptions } from '../machines/types.js';
import type { StepId } from '../ports.js';
import { clause, completes, other, ready, scenarioOf, scenarioPoint, scriptPoint, twoValues } from './frames.js';
import type { Draft, Group } from './frames.js';
import type { Fault, ObjectName, Place } from './faults.js';
import type { CardExpectation, Expectation, ItemExpectation, PlanPoint, Preparation, SafeExpectation } from './types.js';
import { cold, flip, lost, unreachable } from './fault-makers.js';

const seed = { keyKind: 'seed' } as const;
const gone = { deleteAfterRegistration: true } as const;
const xor: ScenarioOptions = seed;
const pair: ScenarioOptions = { ...seed, keyDivision: { scheme: 'xor', threshold: 2, count: 2 } };
const shamir: ScenarioOptions = { ...seed, keyDivision: { scheme: 'shamir', threshold: 3, count: 4 } };
/** Seed on the card, both safes known to it. */
const withSeed = { seed: true, safes: 2 } as const;

type Name = '6/key-backup' | '6/key-recover';
const rulesOf = { '6/key-backup': ['5.2', '5.4-8', '5.4-15'], '6/key-recover': ['5.4-9', '5.4-16'] } as const;

type Sketch = Omit<Draft, 'clause' | 'prepare'> & { readonly at?: readonly StepId[]; readonly claims?: readonly number[]; readonly prepare?: Partial<Preparation> };

function point(scenario: Name, group: Group, number: number, { at = [], claims = [], options = xor, needs = [], prepare, ...rest }: Sketch): PlanPoint {
  return scenarioPoint(scenario, group, number, {
    ...rest, options, needs: ['embodiment-7', ...needs], clause: clause(at, rulesOf[scenario], [13, ...claims]),
    prepare: { ...ready(scenario, withSeed, options), ...prepare },
  });
}

const described = (...items: readonly ItemExpectation[]): CardExpectation => ({ is: 'described', items });
/** The seed and its key are there; certificates of parts, or none. */
const kept = (certificate: 'stored' | 'absent'): CardExpectation => described({ item: '$seed', key: 'present', derived: 'present', certificate });
/** The seed has left, its key is there. */
const left: CardExpectation = described({ item: '$seed', key: 'absent', derived: 'present', certificate: 'stored' });
/** Seed and key are away, the parts certified. */
const away: CardExpectation = described({ item: '$seed', key: 'absent', derived: 'absent', certificate: 'stored' });
/** With or without the key. */
const certified: CardExpectation = described({ item: '$seed', key: 'absent', certificate: 'stored' });

const registers = (safe: SafeExpectation): Expectation => completes('6/key-backup', { safe });
const comesBack = (more: Partial<Expectation> = {}): Expectation => completes('6/key-recover', { safe: 'unchanged', ...more });

/** Nothing goes wrong. Numbers are never given anew. */
const honest: readonly PlanPoint[] = [
  point('6/key-backup', 'N', 7, { title: 'the seed is divided in three by XOR and registered at two safes; with the last part it leaves the card', expect: registers('stored-3') }),
  point('6/key-backup', 'N', 8, { title: 'the seed is divided, three of four parts suffice; with the fourth it leaves the card', options: shamir, expect: registers('stored-4') }),
  point('6/key-backup', 'N', 9, { title: 'seed and decoding key are gone once all parts are stored', options: { ...xor, ...gone }, claims: [25], expect: registers('stored-3') }),
  point('6/key-recover', 'N', 6, { title: 'the decoding key is derived again from three parts of its seed', expect: comesBack() }),
  point('6/key-recover', 'N', 7, { title: 'the decoding key is derived again from three of four parts of its seed', options: shamir, expect: comesBack() }),
  point('6/key-recover', 'N', 8, {
    title: 'the decoding key is derived again from parts A and B of its seed, over T=0', options: pair, needs: ['T=0'],
    prepare: { ...ready('6/key-recover', { ...withSeed, transport: 'T=0' }, pair) }, expect: comesBack(),
  }),
  point('6/key-recover', 'N', 9, {
    title: 'a key that is still there is derived again from parts of its seed and changes nothing',
    prepare: { before: [scenarioOf('6/key-backup', xor)] }, expect: comesBack({ card: { is: 'unchanged' } }),
  }),
  scenarioPoint('2/recover', 'N', 71, {
    title: 'seed and key lost, key derived again from parts of the seed, then the value recovered with it', clause: clause([], ['5.4-16', '2.4-5'], [13]),
    needs: ['embodiment-6', 'embodiment-7'],
    prepare: { ...twoValues, ...withSeed, before: [scenarioOf('7/backup', gone), scenarioOf('6/key-backup', { ...shamir, ...gone }), scenarioOf('6/key-recover', shamir)] },
    expect: completes('2/recover'),
  }),
];

const foreign = (at: Place, object: ObjectName): Fault => ({ fault: 'swap', at, object, by: 'foreign' });

const refused = (card: CardExpectation, at: readonly string[], sw: readonly string[], safe: SafeExpectation, more: Partial<Expectation> = {}): Expectation =>
  ({ end: ['refused'], at, sw, card, safe, retry: 'completes', ...more });
const linkLost = (card: CardExpectation, safe: SafeExpectation): Expectation => ({ end: ['link'], card, safe, retry: 'completes' });
const either = (card: CardExpectation): Expectation => ({ end: ['link', 'late', 'done'], card, safe: 'any', retry: 'completes' });
const whatever: CardExpectation = { is: 'either' };
const nothingBegun: Partial<Expectation> = { card: { is: 'unchanged' }, retry: 'none' };

/** DELETE KEY of the decoding key while its seed is on the card. */
const deleteKey = (before: Place): Fault => ({ fault: 'apdu', before, commands: [{ apdu: '80420100', expect: ['6985'] }] });

const badBackup: readonly PlanPoint[] = [
  point('6/key-backup', 'A', 3, { title: 'hash of the certificate of the seed\'s second part altered', fault: flip('3-8@part2', 'certificate', '98'), expect: refused(kept('stored'), ['3-10@part2'], ['6A80'], 'stored-2') }),
  point('6/key-backup', 'A', 4, { title: 'signature of the certificate of the seed\'s last part altered: the seed stays', fault: flip('3-8@part3', 'certificate', '92'), expect: refused(kept('stored'), ['3-10@part3'], ['6982'], 'stored-3') }),
  point('6/key-backup', 'A', 5, { title: 'the certificate of the seed\'s first part says that a key is divided', fault: { fault: 'alter', at: '3-8@part1', object: 'certificate', element: 'E2/8A', how: { how: 'flip', bit: 5 } }, expect: refused(kept('absent'), ['3-10@part1'], ['6A80'], 'stored-1') }),
  point('6/key-backup', 'X', 1, { title: 'certificate of another card instead of that of the seed\'s last part', fault: foreign('3-8@part3', 'certificate'), expect: refused(kept('stored'), ['3-9@part3', '3-10@part3'], ['6A80'], 'any') }),
  point('6/key-backup', 'O', 1, {
    title: 'a seed is not generated from parts: there is a key that values lie under', options: { ...seed, keyDivision: { scheme: 'origin', threshold: 3, count: 3 } },
    prepare: ready('6/key-backup', withSeed), expect: refused(kept('absent'), ['3-2@all'], ['6985'], 'nothing-stored', nothingBegun),
  }),
  point('6/key-backup', 'O', 2, { title: 'a card without seed: nothing to divide', prepare: { ...ready('6/key-backup', { safes: 2 }), seed: false }, expect: refused(kept('absent'), ['3-2@all'], ['6985'], 'nothing-stored', nothingBegun) }),
  point('6/key-backup', 'O', 3, { title: 'a seed that went in parts is not divided again', prepare: { before: [scenarioOf('6/key-backup', xor)] }, expect: refused(left, ['3-2@all'], ['6985'], 'nothing-stored', nothingBegun) }),
  point('6/key-backup', 'R', 3, { title: 'power lost after the division of the seed', fault: cold('3-2@all'), expect: either(whatever), needs: ['power-control'] }),
  point('6/key-backup', 'R', 4, { title: 'power lost while the certificate of the seed\'s last part is stored', fault: cold('3-10@part3'), expect: either(whatever), needs: ['power-control'] }),
  point('6/key-backup', 'L', 1, { title: 'the answer to the certificate of the seed\'s last part is lost', fault: lost('3-8@part3'), expect: either(left) }),
  point('6/key-backup', 'L', 2, { title: 'the answer to the division of the seed is lost', fault: lost('3-1@all'), expect: either(kept('absent')) }),
  point('6/key-backup', 'S', 2, { title: 'second safe unreachable for its part of the seed: the seed stays', fault: unreachable('3-5@part2'), expect: linkLost(kept('stored'), 'stored-1') }),
  point('6/key-backup', 'S', 3, { title: 'second safe unreachable when three of four parts of the seed are stored: it stays', options: shamir, fault: unreachable('3-5@part4'), expect: linkLost(kept('stored'), 'stored-3') }),
  point('6/key-backup', 'K', 2, {
    title: 'DELETE KEY when two of three parts of the seed are stored', fault: deleteKey('3-8@part3'), needs: ['raw-apdu'],
    prepare: { before: [scenarioOf('7/backup', {}, other)] }, expect: registers('stored-3'),
  }),
  point('6/key-backup', 'K', 3, { title: 'DELETE KEY when enough parts of the seed are stored and it is still on the card', options: shamir, fault: deleteKey('3-8@part4'), needs: ['raw-apdu'], expect: registers('stored-4') }),
];

const badRecover: readonly PlanPoint[] = [
  point('6/key-recover', 'A', 3, { title: 'wrapped second part of the seed altered', fault: flip('4-9@part2', 'key-reply', '9C'), expect: refused(away, ['4-12@all'], ['6982'], 'unchanged') }),
  point('6/key-recover', 'A', 4, { title: 'the reply to the second part says that a key was divided', fault: { fault: 'alter', at: '4-9@part2', object: 'key-reply', element: 'E2/8A', how: { how: 'flip', bit: 5 } }, expect: refused(away, ['4-12@all'], ['6982'], 'unchanged') }),
  point('6/key-recover', 'X', 1, { title: 'a key of another card instead of the seed\'s second part', fault: foreign('4-9@part2', 'key-reply'), expect: refused(away, ['4-12@all'], ['6A80', '6982', '6985'], 'any') }),
  point('6/key-recover', 'R', 2, { title: 'power lost while the key of the joined seed is derived', fault: cold('4-12@all'), expect: either(certified), needs: ['power-control'] }),
  point('6/key-recover', 'L', 1, { title: 'the answer to the joining of the seed is lost', fault: lost('4-11@all'), expect: either(left) }),
  point('6/key-recover', 'S', 2, { title: 'second safe unreachable: the parts of one safe give no seed', fault: unreachable('4-9@part2'), expect: linkLost(away, 'unchanged') }),
];

const script = (number: number, title: string, rules: readonly string[], commands: Parameters<typeof scriptPoint>[3]['commands']): PlanPoint =>
  scriptPoint('7/wallet', 'O', number, {
    title, clause: clause([], rules, [13]), needs: ['embodiment-6'], prepare: { ...twoValues, ...withSeed, before: [scenarioOf('6/key-backup', xor)] }, commands,
  });

/** What a divided seed forbids. */
const forbidden: readonly PlanPoint[] = [
  script(17, 'no second seed, and no key of its own, while parts of the first are at the safes', ['5.4-15', '2.7-1'], [{ do: 'generate-seed', expect: '6985' }, { do: 'generate-key', kind: 'decoding', expect: '6985' }]),
  script(18, 'a seed that went in parts is not registered whole', ['5.4-15', '2.7-2'], [
    { do: 'seed-register-begin', safe: 'other-safe', hash: 'SHA-256', expect: '6985' }, { do: 'seed-recover-begin', expect: '6A82' },
  ]),
  scriptPoint('7/wallet', 'O', 19, {
    title: 'a value deposited under the key of a seed in parts stays where it is without the key', clause: clause([], ['2.4-5', '5.4-15'], [13]), needs: ['embodiment-6'],
    prepare: { ...twoValues, ...withSeed, before: [scenarioOf('7/backup'), scenarioOf('6/key-backup', { ...xor, ...gone })] },
    commands: [
      { do: 'recover-begin', embodiment: 2, what: 'value', item: '$item.certificate', expect: '9000', save: '$certificate' },
      { do: 'safe-retrieve', certificate: '$certificate', expect: '200', save: '$object' },
      { do: 'recover-end', embodiment: 2, item: '$item.certificate', object: '$object', expect: '6985' },
      { do: 'cancel', item: '$item.certificate', expect: '9000' },
    ],
  }),
];

/** Points of a seed that is divided (embodiments 6 and 7 together). */
export const seedParts: readonly PlanPoint[] = [...honest, ...badBackup, ...badRecover, ...forbidden];
