import type { ScenarioId } from '../ports.js';
import { clause, completes, item, leaves, other, placesOf, ready, scenarioPoint, scriptPoint, twoValues, within } from './frames.js';
import type { MemoryFault } from './faults.js';
import { begin, finish, load, recoverBegin } from './scripts.js';
import type { ScriptCommand } from './script.js';
import type { PlanPoint } from './types.js';

const full = ['6A84'] as const;

/** Scenario and preparation for each exchange that reserves room. */
const reserving: readonly { readonly scenario: ScenarioId; readonly deleted?: boolean }[] = [
  { scenario: '1/backup' }, { scenario: '2/backup' }, { scenario: '2/key-backup' },
  { scenario: '1/recover', deleted: true }, { scenario: '2/recover', deleted: true },
];

const levels: readonly MemoryFault['left'][] = [{ bytes: 0 }, { entries: 0 }, { pages: 1 }, { pages: 2 }, { pages: 4 }];

/** Full at the step that reserves room: refused with nothing changed and the shortage told, or done. */
export function atReservation(list: typeof reserving = reserving): PlanPoint[] {
  return list.flatMap(({ scenario, deleted }) => levels.map((left, index) => {
    const { begin: before } = placesOf(scenario);
    const nothing = 'pages' in left ? false : true;
    const words = 'pages' in left ? `${left.pages} pages` : 'bytes' in left ? 'no byte' : 'no index entry';
    return scenarioPoint(scenario, 'M', 1 + index, {
      title: `${words} left at ${before}`, clause: clause(within(scenario, before), ['2.4-1', '2.4-4', '2.2'], deleted ? [24] : []), needs: ['memory-fill'],
      prepare: ready(scenario, {}, deleted ? { deleteAfterRegistration: true } : {}), fault: { fault: 'memory', before, left },
      expect: nothing
        ? { end: ['refused'], at: within(scenario, before), sw: full, card: { is: 'unchanged' }, safe: 'unchanged', retry: 'none', shortage: true }
        : { end: ['refused', 'done'], sw: full, card: { is: 'either' }, safe: 'any', retry: 'none' },
    });
  }));
}

/** Full after the reservation: what was begun can be ended, since its room is kept. */
export function afterReservation(scenarios: readonly ScenarioId[] = ['1/backup', '2/backup', '2/key-backup', '1/recover', '2/recover', '2/key-recover']): PlanPoint[] {
  return scenarios.map((scenario) => {
    const { end: before } = placesOf(scenario);
    return scenarioPoint(scenario, 'M', 10, {
      title: `no byte left at ${before}: the room had been kept`, clause: clause(within(scenario, before), ['2.4-1', '2.4-4']), needs: ['memory-fill'],
      prepare: ready(scenario, {}, scenario.endsWith('/recover') ? { deleteAfterRegistration: true } : {}),
      fault: { fault: 'memory', before, left: { bytes: 0 } }, expect: completes(scenario),
    });
  });
}

const fill: ScriptCommand = { do: 'fill-memory', sample: 'smallest', expect: '6A84' };
const told: ScriptCommand = {
  do: 'get-data', tag: 'DF01', expect: '9000', check: [{ is: 'field', field: 'shortage.needed', op: '>', than: 0 }],
};

/** Direct commands on a full memory. Numbers are never given anew. */
const onFullMemory: readonly PlanPoint[] = [
  scriptPoint('2/wallet', 'M', 1, {
    title: 'LOAD until it is full: 6A84, never 9000, and every value loaded is there', clause: clause([], ['2.4-10', '2.5'], [24]), needs: ['memory-fill'],
    commands: [fill, told, load('largest', 1, '$new', '6A84'), told, { do: 'list', what: 'values', expect: '9000', check: [{ is: 'lists', includes: [item, other] }] }],
    expect: { card: { is: 'described', items: [{ item, value: 'active' }, { item: other, value: 'active' }] } },
  }),
  scriptPoint('2/wallet', 'M', 2, {
    title: 'CORRECT on a full memory: refused with nothing changed, or done', clause: clause([], ['2.4-10', '2.4-12']), needs: ['memory-fill'],
    commands: [fill, { do: 'correct', item, object: { make: 'load', sample: 'largest', number: 1 }, expect: ['6A84', '9000'] }, { do: 'read', item, expect: '9000' }],
    expect: leaves({ item }),
  }),
  scriptPoint('2/wallet', 'M', 3, {
    title: 'USE on a full memory: refused with nothing changed, or done', clause: clause([], ['2.4-9', '2.4-12']), needs: ['memory-fill'],
    commands: [fill, { do: 'use', item, quantity: 1, expect: ['6A84', '9000'] }, { do: 'read', item, expect: '9000' }], expect: leaves({ item, value: 'active' }),
  }),
  scriptPoint('2/wallet', 'M', 4, {
    title: 'a full memory refuses BEGIN of both embodiments and of keys, and the next sequence is not lost on it', clause: clause([], ['2.4-1', '2.4-7'], [24]), needs: ['memory-fill', 'embodiment-1'],
    commands: [
      fill, { do: 'get-data', tag: 'DF04', field: 'status.sequence', save: '$s', expect: '9000' }, begin(1, item, '$r', '6A84'), begin(2, item, '$r', '6A84'),
      { do: 'key-register-begin', kind: 'decoding', safe: 'safe', hash: 'SHA-256', expect: '6A84', save: '$k' },
      { do: 'get-data', tag: 'DF04', expect: '9000', check: [{ is: 'field', field: 'status.sequence', op: '=', than: '$s' }] },
    ],
    expect: leaves({ item, value: 'active' }),
  }),
  scriptPoint('2/wallet', 'M', 5, {
    title: 'on a full memory, deleting a used-up value makes room for another', clause: clause([], ['2.4-3'], [21]), needs: ['memory-fill'],
    prepare: { values: [{ as: item, sample: 'largest' }, { as: other, sample: 'movie-ticket-A' }] },
    commands: [{ do: 'use', item, quantity: 65535, expect: '9000' }, fill, { do: 'delete', item, expect: '9000' }, load('smallest', 1, '$new')],
    expect: leaves({ item, value: 'absent' }, { item: other, value: 'active' }),
  }),
  scriptPoint('2/wallet', 'M', 6, {
    title: 'recovery is suspended on a full memory and goes on once a backed-up value has made room', clause: clause(['2-5', '2-8'], ['2.4-4'], [21, 24]), needs: ['memory-fill'],
    prepare: {
      ...twoValues,
      before: [
        { run: 'scenario', scenario: '2/backup', options: { deleteAfterRegistration: true }, item },
        { run: 'scenario', scenario: '2/backup', options: {}, item: other },
      ],
    },
    commands: [
      fill, recoverBegin(2, '$item.certificate', '$c', '6A84'), told, { do: 'delete', item: other, expect: '9000' },
      recoverBegin(2, '$item.certificate', '$c'), { do: 'safe-retrieve', certificate: '$c', expect: '200', save: '$o' },
      { do: 'recover-end', embodiment: 2, item: '$item.certificate', object: '$o', expect: '9000' },
    ],
    expect: leaves({ item, value: 'active', certificate: 'spent' }, { item: other, value: 'absent', certificate: 'stored' }),
  }),
  scriptPoint('2/wallet', 'M', 7, {
    title: 'CANCEL works on a full memory and gives its room back', clause: clause([], ['2.4-8']), needs: ['memory-fill'],
    commands: [begin(2, item, '$r'), fill, { do: 'cancel', item, expect: '9000' }, begin(2, item, '$r2')],
    expect: leaves({ item, value: 'pending' }),
  }),
  scriptPoint('2/wallet', 'M', 8, {
    title: 'after a shortage a reset forgets it, the memory stays full, nothing is lost', clause: clause([], ['2.2', '2.4-12']), needs: ['memory-fill', 'power-control'],
    commands: [
      fill, { do: 'reset', kind: 'cold', expect: 'ATR' }, { do: 'select', expect: '9000' }, { do: 'verify', pin: 'right', expect: '9000' },
      { do: 'get-data', tag: 'DF01', expect: '9000', check: [{ is: 'length', bytes: 0 }] }, load('largest', 1, '$new', '6A84'),
      { do: 'read', item, expect: '9000' },
    ],
    expect: leaves({ item, value: 'active' }, { item: other, value: 'active' }),
  }),
  scriptPoint('2/backup', 'M', 20, {
    title: 'a registration begun before the memory was full is ended with its certificate', clause: clause(['1-13', '1-16'], ['2.4-1', '2.4-2']), needs: ['memory-fill'],
    commands: [begin(2, item, '$r'), fill, { do: 'safe-register', request: '$r', expect: '200', save: '$c' }, finish(2, '$c')],
    expect: { ...leaves({ item, value: 'deposited', certificate: 'stored' }), safe: 'one-stored' },
  }),
];

/** Points in which memory is short. */
export const memory: readonly PlanPoint[] = [...atReservation(), ...afterReservation(), ...onFullMemory];
