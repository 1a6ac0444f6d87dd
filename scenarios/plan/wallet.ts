import { clause, item, leaves, other, ready, scenarioOf, scenarioPoint, scriptPoint, twoValues } from './frames.js';
import { begin, load, recovered, registered } from './scripts.js';
import type { ItemRef, ScriptCommand } from './script.js';
import type { PlanPoint, Preparation } from './types.js';

const read = (of: ItemRef, expect = '9000'): ScriptCommand => ({ do: 'read', item: of, expect });
const use = (of: ItemRef, quantity: number, expect = '9000'): ScriptCommand => ({ do: 'use', item: of, quantity, expect });
const remove = (of: ItemRef, expect = '9000'): ScriptCommand => ({ do: 'delete', item: of, expect });

/** The four samples of fig. 19. */
const four: Preparation = {
  values: [
    { as: '$a', sample: 'movie-ticket-A' }, { as: '$c', sample: 'concert-ticket-C' }, { as: '$e', sample: 'pre-paid-card-E' }, { as: '$g', sample: 'movie-ticket-G' },
  ],
};

const money: Preparation = { values: [{ as: item, sample: 'pre-paid-card-E' }, { as: other, sample: 'cash' }] };
const tickets: Preparation = { values: [{ as: item, sample: 'movie-ticket-G' }, { as: other, sample: 'cash' }] };

/** USE, DELETE, READ. Numbers are never given anew. */
const items: readonly PlanPoint[] = [
  scriptPoint('2/wallet', 'W', 1, {
    title: 'USE lowers quantity to nothing, more is refused', clause: clause([], ['2.4-9']), prepare: tickets,
    commands: [use(item, 3, '6A80'), { do: 'use', item, quantity: 1, expect: '9000', check: [{ is: 'amounts', quantity: 1 }] }, use(item, 2, '6A80'), { do: 'use', item, quantity: 1, expect: '9000', check: [{ is: 'amounts', quantity: 0 }] }, use(item, 1, '6A80')],
    expect: leaves({ item, value: 'active', quantity: 0 }),
  }),
  scriptPoint('2/wallet', 'W', 2, {
    title: 'USE lowers the remaining amount, more is refused', clause: clause([], ['2.4-9']), prepare: money,
    commands: [{ do: 'use', item, amount: 801, expect: '6A80' }, { do: 'use', item, amount: 300, expect: '9000', check: [{ is: 'amounts', remaining: 500 }] }, { do: 'use', item, amount: 501, expect: '6A80' }],
    expect: leaves({ item, value: 'active', remaining: 500 }),
  }),
  scriptPoint('2/wallet', 'W', 3, {
    title: 'USE of a deposited value is refused', clause: clause([], ['2.4-9', '2.3']), prepare: ready('2/recover'),
    commands: [use(item, 1, '6985'), { do: 'use', item, amount: 0, expect: '6985' }],
  }),
  scriptPoint('2/wallet', 'W', 4, {
    title: 'USE of a certificate and of nothing', clause: clause([], ['2.4-9']), prepare: ready('2/recover'),
    commands: [use('$item.certificate', 1, '6985'), use(0xfffe, 1, '6A82')],
  }),
  scriptPoint('2/wallet', 'W', 5, {
    title: 'DELETE of an active value, a pending value, a stored certificate', clause: clause([], ['2.4-3']),
    prepare: { ...twoValues, before: [scenarioOf('2/backup')] },
    commands: [remove(other, '6985'), begin(2, other, '$r'), remove(other, '6985'), remove('$item.certificate', '6985'), remove(0xfffe, '6A82')],
    expect: leaves({ item: other, value: 'pending' }),
  }),
  scriptPoint('2/wallet', 'W', 6, {
    title: 'DELETE of a deposited value whose certificate is under recovery', clause: clause([], ['2.4-3']), prepare: ready('2/recover'),
    commands: [{ do: 'recover-begin', embodiment: 2, what: 'value', item: '$item.certificate', expect: '9000' }, remove(item, '6985')],
    expect: leaves({ item, value: 'deposited', certificate: 'recovering' }),
  }),
  scriptPoint('2/wallet', 'W', 7, {
    title: 'DELETE of a used-up value, twice', clause: clause([], ['2.4-3']), prepare: tickets,
    commands: [use(item, 2), remove(item), remove(item, '6A82'), read(item, '6A82')], expect: leaves({ item, value: 'absent' }),
  }),
  scriptPoint('2/wallet', 'W', 8, {
    title: 'a pre-paid card is used up when nothing remains, not by its quantity', clause: clause([], ['2.4-3']), prepare: money,
    commands: [remove(item, '6985'), use(item, 1), remove(item, '6985'), { do: 'use', item, amount: 800, expect: '9000' }, remove(item)],
    expect: leaves({ item, value: 'absent' }),
  }),
  scriptPoint('2/wallet', 'W', 9, {
    title: 'a handle is not given to another item while the old one exists', clause: clause([], ['1.1']), prepare: tickets,
    commands: [load('smallest', 1, '$x'), load('utf-8', 1, '$y'), { do: 'list', what: 'values', expect: '9000', check: [{ is: 'lists', includes: [item, other, '$x', '$y'], count: 4 }] }],
    expect: leaves({ item: '$x', value: 'active' }, { item: '$y', value: 'active' }),
  }),
  scriptPoint('2/wallet', 'W', 10, {
    title: 'READ gives value and certificate and changes nothing', clause: clause([], ['2.1']), prepare: ready('2/recover'),
    commands: [read(item), read('$item.certificate'), read(other), read(0, '6A82')],
  }),
];

/** Lists by condition (fig. 20), of all, of one class, by term. */
const lists: readonly PlanPoint[] = [
  scriptPoint('2/wallet', 'W', 20, {
    title: 'by class: movie tickets (fig. 20a)', clause: clause([], ['2.1'], [20]), prepare: four,
    commands: [
      { do: 'list', what: 'all', informationClass: 1, expect: '9000', check: [{ is: 'lists', includes: ['$a', '$g'], excludes: ['$c', '$e'], count: 2 }] },
      { do: 'list', what: 'all', informationClass: 5, expect: '9000', check: [{ is: 'lists', count: 0 }] },
    ],
  }),
  scriptPoint('2/wallet', 'W', 21, {
    title: 'by term: ends within a month of 2000-04-15', clause: clause([], ['2.1'], [20]), prepare: four,
    commands: [
      { do: 'list', what: 'values', ends: { today: '2000-04-15', lastDay: '2000-05-15' }, expect: '9000', check: [{ is: 'lists', includes: ['$c'], excludes: ['$a', '$e', '$g'], count: 1 }] },
      { do: 'list', what: 'values', ends: { today: '2000-03-15', lastDay: '2000-04-15' }, expect: '9000', check: [{ is: 'lists', count: 0 }] },
      { do: 'list', what: 'values', ends: { today: '2000-05-31', lastDay: '2000-06-30' }, expect: '9000', check: [{ is: 'lists', includes: ['$a', '$g'], count: 2 }] },
    ],
  }),
  scriptPoint('2/wallet', 'W', 22, {
    title: 'by class and term together', clause: clause([], ['2.1'], [20]), prepare: four,
    commands: [{ do: 'list', what: 'values', informationClass: 1, ends: { today: '2000-04-01', lastDay: '2000-05-31' }, expect: '9000', check: [{ is: 'lists', includes: ['$a'], excludes: ['$c', '$g'], count: 1 }] }],
  }),
  scriptPoint('2/wallet', 'W', 23, {
    title: 'values and certificates apart and together', clause: clause([], ['2.1']), prepare: ready('2/recover'),
    commands: [
      { do: 'list', what: 'values', expect: '9000', check: [{ is: 'lists', includes: [item, other], excludes: ['$item.certificate'], count: 2 }] },
      { do: 'list', what: 'certificates', expect: '9000', check: [{ is: 'lists', includes: ['$item.certificate'], count: 1 }] },
      { do: 'list', what: 'all', expect: '9000', check: [{ is: 'lists', count: 3 }, { is: 'state', item, state: 'deposited' }, { is: 'state', item: '$item.certificate', state: 'stored' }] },
    ],
  }),
  scriptPoint('2/wallet', 'W', 24, {
    title: 'reserved items are never listed', clause: clause([], ['2.3']), commands: [begin(2, item, '$r'), { do: 'list', what: 'all', expect: '9000', check: [{ is: 'lists', includes: [item, other], count: 2 }, { is: 'state', item, state: 'pending' }] }],
    expect: leaves({ item, value: 'pending' }),
  }),
  ...([1, 2] as const).map((embodiment) => scriptPoint(`${embodiment}/wallet`, 'W', 25, {
    title: 'an empty wallet lists nothing', clause: clause(['1-1', '1-4'], ['2.1']), prepare: { values: [] },
    commands: [
      { do: 'list-values', embodiment, expect: '9000', check: [{ is: 'lists', count: 0 }] },
      { do: 'list-certificates', embodiment, what: 'value', expect: '9000', check: [{ is: 'lists', count: 0 }] },
    ],
  })),
];

/** LOAD and CORRECT. */
const loading: readonly PlanPoint[] = [
  scriptPoint('2/wallet', 'W', 30, {
    title: 'the very last load object again gives the same handle, an older one is refused', clause: clause([], ['2.4-10']),
    commands: [
      load('cash', 1, '$x'), { do: 'load', object: '$x.load', expect: '9000', times: 2 },
      { do: 'list', what: 'values', expect: '9000', check: [{ is: 'lists', includes: [item, other, '$x'], count: 3 }] },
      { do: 'load', object: { make: 'load', sample: 'cash', number: 0 }, expect: '6985' },
      { do: 'load', object: { make: 'load', sample: 'smallest', number: -1 }, expect: '6985' },
    ],
    expect: leaves({ item: '$x', value: 'active' }),
  }),
  scriptPoint('2/wallet', 'W', 31, {
    title: 'a load object for another card', clause: clause([], ['2.4-10']), commands: [{ do: 'load', object: { make: 'load', sample: 'cash', number: 1, card: 'other' }, expect: '6A80' }],
  }),
  scriptPoint('2/wallet', 'W', 32, {
    title: 'CORRECT of an active value keeps its handle; of a pending or deposited one it is refused', clause: clause([], ['2.4-10'], [25]),
    prepare: { ...twoValues, before: [scenarioOf('2/backup')] },
    commands: [
      { do: 'correct', item, object: { make: 'load', sample: 'smallest', number: 1 }, expect: '6985' },
      { do: 'correct', item: other, object: { make: 'load', sample: 'movie-ticket-G', number: 1 }, expect: '9000' }, read(other), begin(2, other, '$r'),
      { do: 'correct', item: other, object: { make: 'load', sample: 'cash', number: 1 }, expect: '6985' },
    ],
    expect: { card: { is: 'described', items: [{ item, value: 'deposited' }, { item: other }] } },
  }),
  scriptPoint('2/wallet', 'W', 33, {
    title: 'load numbers rise strictly; one may be left out', clause: clause([], ['2.4-10']),
    commands: [load('cash', 5, '$x'), load('cash', 1, '$y'), { do: 'load', object: { make: 'load', sample: 'cash', number: -3 }, expect: '6985' }],
    expect: leaves({ item: '$x', value: 'active' }, { item: '$y', value: 'active' }),
  }),
];

const keyBegin = (expect: string, kind: 'decoding' | 'common' = 'decoding'): ScriptCommand =>
  ({ do: 'key-register-begin', kind, safe: 'safe', hash: 'SHA-256', expect, save: '$k' });
const keys = clause([], ['2.4-7'], [5]);

/** Rules about keys. */
const keyRules: readonly PlanPoint[] = [
  scriptPoint('2/keys', 'K', 1, { title: 'DELETE KEY before its backup', clause: keys, commands: [{ do: 'delete-key', kind: 'decoding', expect: '6985' }, { do: 'delete-key', kind: 'common', expect: '6985' }] }),
  scriptPoint('2/keys', 'K', 2, {
    title: 'DELETE KEY with a registration only begun', clause: keys, commands: [keyBegin('9000'), { do: 'delete-key', kind: 'decoding', expect: '6985' }],
  }),
  scriptPoint('2/keys', 'K', 3, {
    title: 'the certificate of one key does not permit the deletion of the other', clause: keys, needs: ['common-key'], prepare: { ...twoValues, before: [scenarioOf('2/key-backup')] },
    commands: [{ do: 'delete-key', kind: 'common', expect: '6985' }],
  }),
  scriptPoint('2/keys', 'K', 4, {
    title: 'GENERATE KEY while a value is deposited under the key', clause: keys, prepare: ready('2/recover'), commands: [{ do: 'generate-key', kind: 'decoding', expect: '6985' }],
  }),
  scriptPoint('2/keys', 'K', 5, {
    title: 'GENERATE KEY while a registration is pending, and while a key certificate exists', clause: keys,
    commands: [begin(2, item, '$r'), { do: 'generate-key', kind: 'decoding', expect: '6985' }], expect: leaves({ item, value: 'pending' }),
  }),
  scriptPoint('2/keys', 'K', 6, {
    title: 'GENERATE KEY while its key certificate exists', clause: keys, prepare: { ...twoValues, before: [scenarioOf('2/key-backup')] },
    commands: [{ do: 'generate-key', kind: 'decoding', expect: '6985' }],
  }),
  scriptPoint('2/keys', 'K', 7, {
    title: 'BEGIN, recovery and key registration without the key', clause: keys,
    prepare: { ...twoValues, before: [scenarioOf('2/backup'), scenarioOf('2/key-backup', { deleteAfterRegistration: true })] },
    commands: [
      begin(2, other, '$r', '6985'), keyBegin('6985'),
      { do: 'recover-begin', embodiment: 2, what: 'value', item: '$item.certificate', expect: '9000', save: '$c' },
      { do: 'safe-retrieve', certificate: '$c', expect: '200', save: '$o' },
      { do: 'recover-end', embodiment: 2, item: '$item.certificate', object: '$o', expect: '6985' },
    ],
    expect: leaves({ item, value: 'deposited', certificate: 'recovering' }),
  }),
  scriptPoint('2/keys', 'K', 8, {
    title: 'KEY REGISTER BEGIN for a safe the card does not know', clause: keys,
    commands: [{ do: 'key-register-begin', kind: 'decoding', safe: 'unknown-safe', hash: 'SHA-256', expect: '6A82' }],
  }),
  scriptPoint('2/keys', 'K', 9, {
    title: 'KEY REGISTER BEGIN again gives the same bytes; CANCEL drops it', clause: keys,
    commands: [keyBegin('9000'), { ...keyBegin('9000'), save: '$k2', check: [{ is: 'same', as: '$k' }] }, { do: 'cancel', expect: '9000' }, { do: 'cancel', expect: '6985' }],
  }),
  scriptPoint('2/keys', 'K', 10, {
    title: 'a key certificate may be deleted while its key is present, and not without it', clause: clause([], ['2.4-3', '2.4-7']),
    prepare: { ...twoValues, setup: [keyBegin('9000'), { do: 'safe-register', request: '$k', expect: '200', save: '$kc' }, { do: 'register-end', embodiment: 2, what: 'key', certificate: '$kc', expect: '9000', save: '$key' }] },
    commands: [{ do: 'delete-key', kind: 'decoding', expect: '9000' }, remove('$key', '6985')],
    expect: leaves({ item: '$decoding', key: 'absent', certificate: 'stored' }),
  }),
  scriptPoint('2/keys', 'K', 11, {
    title: 'END of a value\'s certificate as a key\'s, and of a key\'s as a value\'s', clause: clause(['3-8', '3-11', '1-13', '1-16'], ['2.4-2', '2.4-7']),
    commands: [
      begin(2, item, '$r'), { do: 'safe-register', request: '$r', expect: '200', save: '$c' }, { do: 'register-end', embodiment: 2, what: 'key', certificate: '$c', expect: ['6985', '6A80'] },
      keyBegin('9000'), { do: 'safe-register', request: '$k', expect: '200', save: '$kc' }, { do: 'register-end', embodiment: 2, what: 'value', certificate: '$kc', expect: ['6985', '6A80'] },
    ],
    expect: { ...leaves({ item, value: 'pending' }, { item: '$decoding', key: 'present', certificate: 'absent' }), safe: 'any' },
  }),
  scenarioPoint('2/key-backup', 'K', 1, {
    title: 'key registered at a second safe, which then holds no value (claim 6)', clause: clause(['3-5', '3-6', '3-7'], ['2.4-7'], [6]), needs: ['two-safes'],
    prepare: { ...twoValues, safes: 2, before: [scenarioOf('2/backup')] }, expect: { end: ['done'], card: { is: 'as-after-success' }, safe: 'one-stored', retry: 'none' },
  }),
];

/** A certificate made in two ways, and a life with many registrations. */
const longer: readonly PlanPoint[] = [
  scriptPoint('2/wallet', 'W', 40, {
    title: 'registered and recovered three times in a row', clause: clause([], ['2.4-1', '2.4-5', '2.4-6']),
    commands: [1, 2, 3].flatMap((): readonly ScriptCommand[] => [...registered(2, item, '$c'), ...recovered(2, item, '$c2', '$o'), remove('$item.certificate')]),
    expect: { ...leaves({ item, value: 'active', certificate: 'absent' }), safe: 'any' },
  }),
];

/** Two values, each at a safe of its own; the certificate names the safe, and only that one has the value. */
const atTwoSafes: readonly PlanPoint[] = ([1, 2] as const).map((embodiment) => scriptPoint(`${embodiment}/wallet`, 'W', 41, {
  title: 'two values at two safes, each comes back from the safe its certificate names', clause: clause([], ['2.4-1', '2.4-5', '3-c'], [3]), needs: ['two-safes'],
  prepare: { ...twoValues, safes: 2 },
  commands: [
    ...registered(embodiment, item, '$c'),
    begin(embodiment, other, '$r'), { do: 'safe-register', request: '$r', safe: 'other-safe', expect: '200', save: '$c2' },
    { do: 'register-end', embodiment, what: 'value', certificate: '$c2', expect: '9000' },
    { do: 'recover-begin', embodiment, what: 'value', item: `${other}.certificate`, expect: '9000', save: '$p' },
    { do: 'safe-retrieve', certificate: '$p', expect: ['SAFE_UNKNOWN', 'SAFE_BAD_SIGNATURE'] },
    { do: 'safe-retrieve', certificate: '$p', safe: 'other-safe', expect: '200', save: '$o' },
    { do: 'recover-end', embodiment, item: `${other}.certificate`, object: '$o', expect: '9000' },
    ...recovered(embodiment, item, '$p2', '$o2'),
  ],
  expect: { ...leaves({ item, value: 'active', certificate: 'spent' }, { item: other, value: 'active', certificate: 'spent' }), safe: 'any' },
}));

/** Points about the wallet and the keys. */
export const wallet: readonly PlanPoint[] = [...items, ...lists, ...loading, ...keyRules, ...longer, ...atTwoSafes];
