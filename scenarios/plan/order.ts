import type { Embodiment } from '../ports.js';
import { clause, item, leaves, other, scenarioOf, scenarioPoint, ready, midway, scriptPoint, twoValues } from './frames.js';
import { begin, finish, recoverBegin, recovered, recoverEnd, registered, variantOf } from './scripts.js';
import type { ScriptCommand } from './script.js';
import type { ItemExpectation, PlanPoint } from './types.js';

const pending: ItemExpectation = { item, value: 'pending', certificate: 'absent' };
const active: ItemExpectation = { item, value: 'active' };
const deposited: ItemExpectation = { item, value: 'deposited', certificate: 'stored' };
const spent: ItemExpectation = { item, value: 'active', certificate: 'spent' };

/** Registration out of order. Numbers are never given anew. */
function registration(embodiment: Embodiment): PlanPoint[] {
  const e = embodiment;
  const scenario = `${e}/backup`;
  const steps = e === 1 ? clause(['1-5', '1-8', '1-12', '1-15'], ['2.4-1', '2.4-2']) : clause(['1-5', '1-9', '1-13', '1-16'], ['2.4-1', '2.4-2']);
  const one = registered(e, item, '$certificate');
  return [
    scriptPoint(scenario, 'O', 1, {
      title: 'END without BEGIN: the certificate of a cancelled registration', clause: steps,
      commands: [begin(e, item, '$request'), { do: 'safe-register', request: '$request', expect: '200', save: '$certificate' }, { do: 'cancel', item, expect: '9000' }, finish(e, '$certificate', '6985')],
      expect: { ...leaves(active), safe: 'one-stored' },
    }),
    scriptPoint(scenario, 'O', 2, {
      title: 'BEGIN again gives the same bytes', clause: steps,
      commands: [begin(e, item, '$first'), { ...begin(e, item, '$second'), check: [{ is: 'same', as: '$first' }] }, { ...begin(e, item, '$third'), check: [{ is: 'same', as: '$first' }] }],
      expect: leaves(pending),
    }),
    scriptPoint(scenario, 'O', 3, {
      title: 'END again gives the same handle, also after power was cut', clause: steps, needs: ['power-control'],
      commands: [...one, { ...finish(e, '$certificate'), times: 3 }, { do: 'reset', kind: 'cold', expect: 'ATR' }, { do: 'select', expect: '9000' }, { do: 'verify', pin: 'right', expect: '9000' }, finish(e, '$certificate')],
      expect: { ...leaves(deposited), safe: 'one-stored' },
    }),
    scriptPoint(scenario, 'O', 4, {
      title: 'BEGIN with a legacy hash although the card does not allow it', clause: steps,
      commands: [begin(e, item, '$request', '6A80', 'SHA-1'), begin(e, item, '$request', '6A80', 'MD5')],
    }),
    scriptPoint(scenario, 'O', 5, {
      title: 'BEGIN with another hash cancels and begins anew; the first certificate is then refused', clause: steps, needs: ['legacy-hashes'],
      prepare: { ...twoValues, settings: { legacyHashes: true } },
      commands: [begin(e, item, '$first'), { do: 'safe-register', request: '$first', expect: '200', save: '$old' }, { ...begin(e, item, '$second', '9000', 'SHA-1'), check: [{ is: 'different', as: '$first' }] }, finish(e, '$old', '6985')],
      expect: { ...leaves(pending), safe: 'one-stored' }, flags: ['legacy-hash SHA-1'],
    }),
    scriptPoint(scenario, 'O', 6, {
      title: 'BEGIN of a deposited value', clause: steps, commands: [...one, begin(e, item, '$request', '6985')],
      expect: { ...leaves(deposited), safe: 'one-stored' },
    }),
  ];
}

/** More of registration: handles, interleaving, sequence numbers, other uses meanwhile. */
function registrationBeside(embodiment: Embodiment): PlanPoint[] {
  const e = embodiment;
  const scenario = `${e}/backup`;
  const steps = clause(e === 1 ? ['1-5', '1-8', '1-12', '1-15'] : ['1-5', '1-9', '1-13', '1-16'], ['2.4-1', '2.4-2']);
  const one = registered(e, item, '$certificate');
  return [
    scriptPoint(scenario, 'O', 7, {
      title: 'BEGIN of a handle that does not exist, and of a certificate', clause: steps,
      commands: [begin(e, 0xfffe, '$request', '6A82'), ...one, begin(e, '$item.certificate', '$request', '6985')],
      expect: { ...leaves(deposited), safe: 'one-stored' },
    }),
    scriptPoint(scenario, 'O', 8, {
      title: 'two registrations interleaved, ended in the other order', clause: steps,
      commands: [
        begin(e, item, '$r1'), begin(e, other, '$r2'),
        { do: 'safe-register', request: '$r2', expect: '200', save: '$c2' }, { do: 'safe-register', request: '$r1', expect: '200', save: '$c1' },
        finish(e, '$c2'), finish(e, '$c1'),
      ],
      expect: { ...leaves(deposited, { ...deposited, item: other }), safe: 'any' },
    }),
    scriptPoint(scenario, 'O', 9, {
      title: 'sequence numbers rise strictly over BEGIN, CANCEL and reset', clause: clause([], ['2.4-1']), needs: ['power-control'],
      commands: [
        { do: 'get-data', tag: 'DF04', field: 'status.sequence', save: '$s0', expect: '9000' },
        begin(e, item, '$r1'), { do: 'cancel', item, expect: '9000' },
        { do: 'get-data', tag: 'DF04', field: 'status.sequence', save: '$s1', expect: '9000', check: [{ is: 'field', field: 'status.sequence', op: '>', than: '$s0' }] },
        { do: 'reset', kind: 'cold', expect: 'ATR' }, { do: 'select', expect: '9000' }, { do: 'verify', pin: 'right', expect: '9000' },
        { do: 'get-data', tag: 'DF04', expect: '9000', check: [{ is: 'field', field: 'status.sequence', op: '>=', than: '$s1' }] },
        begin(e, item, '$r2'),
        { do: 'get-data', tag: 'DF04', expect: '9000', check: [{ is: 'field', field: 'status.sequence', op: '>', than: '$s1' }] },
      ],
      expect: leaves(pending),
    }),
    scriptPoint(scenario, 'O', 10, {
      title: 'USE of a pending value ends its registration; its certificate is then refused', clause: clause([], ['2.4-2', '2.4-9']),
      prepare: { values: [{ as: item, sample: 'movie-ticket-G' }, { as: other, sample: 'cash' }] },
      commands: [begin(e, item, '$r1'), { do: 'safe-register', request: '$r1', expect: '200', save: '$c1' }, { do: 'use', item, quantity: 1, expect: '9000', check: [{ is: 'amounts', quantity: 1 }] }, finish(e, '$c1', '6985')],
      expect: { ...leaves({ item, value: 'active', quantity: 1, certificate: 'absent' }), safe: 'one-stored' },
    }),
    scriptPoint(scenario, 'O', 11, {
      title: 'CANCEL twice, and of what is not pending', clause: clause([], ['2.4-8']),
      commands: [{ do: 'cancel', item, expect: '6985' }, begin(e, item, '$r1'), { do: 'cancel', item, expect: '9000' }, { do: 'cancel', item, expect: '6985' }, { do: 'cancel', item: 0xfffe, expect: '6A82' }, { do: 'cancel', expect: '6985' }],
      expect: leaves(active),
    }),
    scriptPoint(scenario, 'O', 12, {
      title: 'the safe refuses another object under the same card id and sequence', clause: clause([], ['3-a']),
      commands: [
        begin(e, item, '$r1'), { do: 'safe-register', request: '$r1', expect: '200', save: '$c1' },
        { do: 'safe-register', request: { of: '$r1', element: e === 1 ? 'E1/87' : 'E3/91', how: { how: 'flip', bit: -1 } }, expect: 'SAFE_CONFLICT' },
        { do: 'safe-register', request: '$r1', expect: '200', times: 3, check: [{ is: 'same', as: '$c1' }] }, finish(e, '$c1'),
      ],
      expect: { ...leaves(deposited), safe: 'one-stored' },
    }),
  ];
}

/** Recovery out of order, double recovery, replays. */
function recovery(embodiment: Embodiment): PlanPoint[] {
  const e = embodiment;
  const scenario = `${e}/recover`;
  const steps = clause(['2-5', '2-8', '2-11', e === 1 ? '2-14' : '2-15'], ['2.4-4', '2.4-5']);
  const backup = { ...twoValues, before: [scenarioOf(e === 1 ? '1/backup' : '2/backup')] };
  const back = recovered(e, item, '$certificate', '$object');
  const certificate = '$item.certificate' as const;
  return [
    scriptPoint(scenario, 'O', 1, {
      title: 'END without BEGIN', clause: steps, prepare: backup,
      commands: [recoverBegin(e, certificate, '$c'), { do: 'safe-retrieve', certificate: '$c', expect: '200', save: '$o' }, { do: 'cancel', item: certificate, expect: '9000' }, recoverEnd(e, certificate, '$o', '6985')],
    }),
    scriptPoint(scenario, 'O', 2, {
      title: 'BEGIN again gives the same certificate', clause: steps, prepare: backup,
      commands: [recoverBegin(e, certificate, '$c1'), { ...recoverBegin(e, certificate, '$c2'), check: [{ is: 'same', as: '$c1' }] }],
      expect: leaves({ item, value: 'deposited', certificate: 'recovering' }),
    }),
    scriptPoint(scenario, 'O', 3, {
      title: 'END again gives the same handle and changes nothing', clause: steps, prepare: backup,
      commands: [...back, { ...recoverEnd(e, certificate, '$object'), times: 3 }], expect: leaves(spent),
    }),
    scriptPoint(scenario, 'O', 4, {
      title: 'double recovery: BEGIN of a spent certificate', clause: steps, prepare: backup,
      commands: [...back, recoverBegin(e, certificate, '$again', '6985')], expect: leaves(spent),
    }),
    scriptPoint(scenario, 'O', 5, {
      title: 'double spend: a value used up after its recovery does not come back', clause: clause(['2-11'], ['2.4-5', '2.4-9']), prepare: backup,
      commands: [
        ...back, { do: 'use', item, quantity: 1, expect: '9000', check: [{ is: 'amounts', quantity: 0 }] },
        recoverEnd(e, certificate, '$object'), { do: 'use', item, quantity: 1, expect: '6A80' },
      ],
      expect: leaves({ item, value: 'active', quantity: 0, certificate: 'spent' }),
    }),
  ];
}

/** More of recovery: replays, receipts, wrong handles, stale lists. */
function recoveryBeside(embodiment: Embodiment): PlanPoint[] {
  const e = embodiment;
  const scenario = `${e}/recover`;
  const steps = clause(['2-5', '2-8', '2-11', e === 1 ? '2-14' : '2-15'], ['2.4-4', '2.4-5']);
  const backup = { ...twoValues, before: [scenarioOf(e === 1 ? '1/backup' : '2/backup')] };
  const back = recovered(e, item, '$certificate', '$object');
  const certificate = '$item.certificate' as const;
  return [
    scriptPoint(scenario, 'O', 6, {
      title: 'replay: the certificate of a finished recovery is handed over again', clause: clause([], ['2.4-2', '2.4-6'], [26]),
      prepare: { ...twoValues, setup: registered(e, item, '$old') },
      commands: [
        ...recovered(e, item, '$c', '$o'), { do: 'get-receipt', item: certificate, expect: '9000', save: '$receipt' },
        { do: 'safe-receipt', receipt: '$receipt', expect: '200' }, { do: 'delete', item: certificate, expect: '9000' },
        finish(e, '$old', '6985'), { do: 'safe-retrieve', certificate: '$old', expect: 'SAFE_TOMBSTONE' },
      ],
      expect: { ...leaves({ item, value: 'active', certificate: 'absent' }), safe: 'tombstone' },
    }),
    scriptPoint(scenario, 'O', 7, {
      title: 'the receipt again is acknowledged again; before recovery there is none', clause: clause([], ['2.4-6', '3-e'], [26]), prepare: backup,
      commands: [
        { do: 'get-receipt', item: certificate, expect: '6985' }, recoverBegin(e, certificate, '$c'), { do: 'get-receipt', item: certificate, expect: '6985' },
        { do: 'safe-retrieve', certificate: '$c', expect: '200', save: '$o' }, recoverEnd(e, certificate, '$o'),
        { do: 'get-receipt', item: certificate, expect: '9000', save: '$receipt' },
        { do: 'safe-receipt', receipt: '$receipt', expect: '200', times: 3 },
      ],
      expect: { ...leaves(spent), safe: 'tombstone' },
    }),
    scriptPoint(scenario, 'O', 8, {
      title: 'CANCEL of a recovery; it can be begun again', clause: clause([], ['2.4-8']), prepare: backup,
      commands: [recoverBegin(e, certificate, '$c1'), { do: 'cancel', item: certificate, expect: '9000' }, { do: 'cancel', item: certificate, expect: '6985' }, ...back],
      expect: leaves(spent),
    }),
    scriptPoint(scenario, 'O', 9, {
      title: 'wrong embodiment at END, wrong kind of handle', clause: steps, prepare: backup, needs: [e === 1 ? 'embodiment-2' : 'embodiment-1'],
      commands: [
        recoverBegin(e, certificate, '$c'), { do: 'safe-retrieve', certificate: '$c', expect: '200', save: '$o' },
        { do: 'recover-end', embodiment: e === 1 ? 2 : 1, item: certificate, object: '$o', expect: '6A80' }, recoverEnd(e, 0xfffe, '$o', '6A82'), recoverEnd(e, other, '$o', '6985'),
      ],
      expect: leaves({ item, value: 'deposited', certificate: 'recovering' }),
    }),
    scriptPoint(scenario, 'O', 10, {
      title: 'a list taken before a deletion is stale: its handle is not found, and none of the others has moved', clause: clause(['2-1', '2-4', '2-5'], ['1.1']),
      prepare: { ...backup, before: [scenarioOf(e === 1 ? '1/backup' : '2/backup'), scenarioOf(e === 1 ? '1/backup' : '2/backup', {}, other)] },
      commands: [
        { do: 'list-certificates', embodiment: e, what: 'value', expect: '9000', check: [{ is: 'lists', includes: [certificate, '$other.certificate'], count: 2 }] },
        ...back, { do: 'delete', item: certificate, expect: '9000' },
        { do: 'list', what: 'all', expect: '9000', check: [{ is: 'lists', includes: ['$other.certificate', item, other], excludes: [certificate], count: 3 }] },
        recoverBegin(e, certificate, '$stale', '6A82'),
        { do: 'list-certificates', embodiment: e, what: 'value', expect: '9000', check: [{ is: 'lists', includes: ['$other.certificate'], excludes: [certificate], count: 1 }] },
        recoverBegin(e, '$other.certificate', '$c'),
      ],
      expect: leaves({ item, value: 'active', certificate: 'absent' }, { item: other, value: 'deposited', certificate: 'recovering' }),
    }),
  ];
}

/** Steps left out or put between by a terminal at fault, in whole scenarios. */
function atFault(embodiment: Embodiment): PlanPoint[] {
  const [backup, recover] = embodiment === 1 ? ['1/backup', '1/recover'] as const : ['2/backup', '2/recover'] as const;
  const endStep = embodiment === 1 ? '1-12' : '1-13';
  return [
    scenarioPoint(backup, 'O', 50, {
      title: 'the item is used while its certificate is on the way', clause: clause([endStep], ['2.4-2', '2.4-9']),
      prepare: ready(backup, { values: [{ as: item, sample: 'movie-ticket-G' }, { as: other, sample: 'cash' }] }),
      fault: { fault: 'meanwhile', before: endStep, how: { act: 'use', quantity: 1 } },
      expect: { end: ['refused'], at: embodiment === 1 ? ['1-14'] : ['1-15'], sw: ['6985'], card: { is: 'described', items: [{ item, value: 'active', quantity: 1 }] }, safe: 'one-stored', retry: 'completes' },
    }),
    scenarioPoint(backup, 'O', 51, {
      title: 'the registration is cancelled while its certificate is on the way', clause: clause([endStep], ['2.4-2', '2.4-8']),
      fault: { fault: 'meanwhile', before: endStep, how: { act: 'cancel' } },
      expect: { end: ['refused'], at: embodiment === 1 ? ['1-14'] : ['1-15'], sw: ['6985'], card: { is: 'described', items: [active] }, safe: 'one-stored', retry: 'completes' },
    }),
    scenarioPoint(recover, 'O', 51, {
      title: 'the recovery is cancelled while the object is on the way', clause: clause(['2-11'], ['2.4-5', '2.4-8']),
      fault: { fault: 'meanwhile', before: '2-11', how: { act: 'cancel' } },
      expect: { end: ['refused'], at: embodiment === 1 ? ['2-12', '2-13'] : ['2-12', '2-13', '2-14'], sw: ['6985'], card: { is: 'described', items: [deposited] }, safe: 'unchanged', retry: 'completes' },
    }),
    scenarioPoint(backup, 'O', 52, {
      title: 'the applet is selected anew under way: the PIN is gone', clause: clause([endStep], ['2.1']),
      fault: { fault: 'meanwhile', before: endStep, how: { act: 'select' } },
      expect: { end: ['refused'], at: [endStep], sw: ['6982'], card: midway(backup), safe: 'one-stored', retry: 'completes' },
    }),
  ];
}

/** BEGIN with the other variant in between. */
function changeOfVariant(): PlanPoint {
  const first: ScriptCommand = begin(2, item, '$first');
  return scriptPoint('2/backup', 'O', 30, {
    title: 'BEGIN with the other variant cancels and begins anew; the first certificate is then refused', clause: clause(['1-5', '1-9', '1-13'], ['2.4-1']), needs: ['common-key'],
    commands: [
      first, { do: 'safe-register', request: '$first', expect: '200', save: '$old' },
      { do: 'register-begin', embodiment: 2, variant: 'common-key', item, hash: 'SHA-256', expect: '9000', save: '$second', check: [{ is: 'different', as: '$first' }] },
      finish(2, '$old', '6985'), { do: 'safe-register', request: '$second', expect: '200', save: '$new' }, finish(2, '$new'),
    ],
    expect: { ...leaves(deposited), safe: 'any' },
  });
}

/** An embodiment 1 registration ended as embodiment 2 and the other way round. */
function crossed(embodiment: Embodiment): PlanPoint {
  return scriptPoint(`${embodiment}/backup`, 'O', 31, {
    title: `END of embodiment ${embodiment === 1 ? 2 : 1} for a registration of embodiment ${embodiment}`, clause: clause([], ['2.1', '2.4-2']),
    needs: [embodiment === 1 ? 'embodiment-2' : 'embodiment-1'],
    commands: [
      { do: 'register-begin', embodiment, variant: variantOf(embodiment), item, hash: 'SHA-256', expect: '9000', save: '$r' },
      { do: 'safe-register', request: '$r', expect: '200', save: '$c' }, finish(embodiment === 1 ? 2 : 1, '$c', '6A80'), finish(embodiment, '$c'),
    ],
    expect: { ...leaves(deposited), safe: 'one-stored' },
  });
}

/** Points in which steps come out of order. */
export const order: readonly PlanPoint[] = [
  ...registration(1), ...registration(2), ...registrationBeside(1), ...registrationBeside(2),
  ...recovery(1), ...recovery(2), ...recoveryBeside(1), ...recoveryBeside(2), ...atFault(1), ...atFault(2), changeOfVariant(), crossed(1), crossed(2),
];
