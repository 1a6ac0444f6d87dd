import { steps } from './catalogue.js';
import type { Step } from './catalogue.js';
import { backupBetween, backupGoal, recoverBetween, recoverGoal } from './basic.js';
import { derived, frame } from './frame.js';
import type { Exchange, ScenarioFrame } from './frame.js';

/** Pieces of a value that a scenario has states for. */
export const pieceIndexes = [1, 2, 3] as const;

/** Parts of a key that a scenario has states for: two at each safe, so that three of four are more than one safe has. */
export const partIndexes = [1, 2, 3, 4] as const;

/** The safe that a piece or part goes to: one after the other. */
export const safeRole = (index: number): 'safe' | 'safe2' => (index % 2 === 1 ? 'safe' : 'safe2');

/** `1-5` .. `1-7`. */
export const range = (phase: number, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${phase}-${from + i}`);

/** Steps of embodiment 2 under names of a set. */
export const named = (phase: string, ids: readonly string[], at?: string, safe = 'safe'): readonly Step[] =>
  derived(steps(2, phase), { ...at === undefined ? {} : { at }, only: ids, parties: { safe } });

const list: Exchange = { name: 'listValues', party: 'card', receives: 'list' };
const certificates: Exchange = { name: 'listCertificates', party: 'card', receives: 'list' };
const registered: Exchange = { name: 'register', party: 'safe', sends: 'request', receives: 'certificate', needs: ['handle', 'request'] };
const ended: Exchange = { name: 'setEnd', party: 'card', sends: 'certificate', needs: ['handle', 'certificate'] };
const gathered: Exchange = { name: 'gather', party: 'card', receives: 'certificate', needs: ['handle'] };
const combined: Exchange = { name: 'combine', party: 'card', needs: ['handle', 'objects'] };

const pieceBackup = pieceIndexes.map((i) => ({
  begins: [`1-8@piece${i}`, `1-10@piece${i}`, `1-13@piece${i}`],
  steps: [...named('backup', range(1, 8, 9), `piece${i}`), ...named('backup', range(1, 10, 12), `piece${i}`, safeRole(i)), ...named('backup', range(1, 13, 16), `piece${i}`)],
  exchanges: [
    { name: 'piece', party: 'card', receives: 'request', needs: ['handle'] },
    { ...registered, party: safeRole(i) }, ended,
  ] satisfies Exchange[],
}));

const pieceRecover = pieceIndexes.map((i) => ({
  begins: [`2-5@piece${i}`, `2-9@piece${i}`],
  steps: [...named('recover', range(2, 5, 8), `piece${i}`), ...named('recover', range(2, 9, 10), `piece${i}`, safeRole(i))],
  exchanges: [
    { ...gathered, needs: ['handle', 'pieces'] },
    { name: 'retrieve', party: safeRole(i), sends: 'certificate', receives: 'registered-value', needs: ['handle', 'pieces', 'certificate'] },
  ] satisfies Exchange[],
}));

const partBackup = partIndexes.map((i) => ({
  begins: [`3-3@part${i}`, `3-5@part${i}`, `3-8@part${i}`],
  steps: [...named('key-backup', range(3, 3, 4), `part${i}`), ...named('key-backup', range(3, 5, 7), `part${i}`, safeRole(i)), ...named('key-backup', range(3, 8, 11), `part${i}`)],
  exchanges: [
    { name: 'keyPart', party: 'card', receives: 'request', needs: ['set'] },
    { ...registered, party: safeRole(i), needs: ['set', 'request'] }, { ...ended, needs: ['set', 'certificate'] },
  ] satisfies Exchange[],
}));

const partRecover = partIndexes.map((i) => ({
  begins: [`4-5@part${i}`, `4-9@part${i}`],
  steps: [...named('key-recover', range(4, 5, 8), `part${i}`), ...named('key-recover', range(4, 9, 10), `part${i}`, safeRole(i))],
  exchanges: [
    { ...gathered, needs: ['pieces'] },
    { name: 'retrieve', party: safeRole(i), sends: 'certificate', receives: 'key-reply', needs: ['pieces', 'certificate'] },
  ] satisfies Exchange[],
}));

const bothSafes = ['card', 'safe', 'safe2'];

/** Frames of embodiments 4, 5 and 6. */
export const setFrames: readonly ScenarioFrame[] = [
  frame({
    id: '4/backup', embodiment: 4, phase: 'backup', title: 'registration of a value in pieces', covers: [7, 8, 9], ports: bothSafes,
    steps: [...named('backup', range(1, 1, 4)), ...named('backup', range(1, 5, 7), 'all'), ...pieceBackup.flatMap((piece) => piece.steps)],
    begins: ['1-1', '1-5@all', ...pieceBackup.flatMap((piece) => piece.begins)],
    exchanges: [list, { name: 'divide', party: 'card', needs: ['handle'] }, ...pieceBackup.flatMap((piece) => piece.exchanges)],
    claims: [{ state: 'claim-25', name: 'delete', party: 'card', needs: ['handle'] }],
    list: { work: ['active', 'pending'], goal: 'deposited' }, goal: backupGoal, between: backupBetween,
    midway: [{ item: '$item', value: 'pending', certificate: 'absent' }],
  }),
  frame({
    id: '4/recover', embodiment: 4, phase: 'recover', title: 'recovery of a value from its pieces', covers: [7, 8, 9], ports: bothSafes,
    steps: [...named('recover', range(2, 1, 4)), ...pieceRecover.flatMap((piece) => piece.steps), ...named('recover', range(2, 11, 15), 'all')],
    begins: ['2-1', ...pieceRecover.flatMap((piece) => piece.begins), '2-11@all'],
    exchanges: [certificates, ...pieceRecover.flatMap((piece) => piece.exchanges), combined],
    list: { work: ['stored', 'recovering'], goal: 'spent', kind: 'piece' }, goal: recoverGoal, between: recoverBetween,
    midway: [{ item: '$item', value: 'deposited', certificate: 'recovering' }], prior: { scenario: '4/backup' },
  }),
  frame({
    id: '5/backup', embodiment: 5, phase: 'backup', title: 'registration of several values as one', covers: [10],
    steps: [...named('backup', range(1, 1, 4)), ...named('backup', range(1, 5, 16), 'all')],
    begins: ['1-1', '1-5@all', '1-10@all', '1-13@all'],
    exchanges: [list, { name: 'couple', party: 'card', receives: 'request', needs: ['handle', 'pieces'] }, registered, ended],
    list: { work: ['active', 'pending'], goal: 'deposited' }, goal: backupGoal, between: backupBetween,
    midway: [{ item: '$item', value: 'pending', certificate: 'absent' }, { item: '$other', value: 'pending', certificate: 'absent' }],
  }),
  frame({
    id: '5/recover', embodiment: 5, phase: 'recover', title: 'recovery of several values from one', covers: [10],
    steps: [...named('recover', range(2, 1, 4)), ...named('recover', range(2, 5, 15), 'all')],
    begins: ['2-1', '2-5@all', '2-9@all', '2-11@all'],
    exchanges: [certificates, gathered, { name: 'retrieve', party: 'safe', sends: 'certificate', receives: 'registered-value', needs: ['handle', 'certificate'] },
      { name: 'decouple', party: 'card', sends: 'registered-value', needs: ['handle', 'object'] }],
    list: { work: ['stored', 'recovering'], goal: 'spent', kind: 'bundle' }, goal: recoverGoal, between: recoverBetween,
    midway: [{ item: '$item', value: 'deposited', certificate: 'recovering' }, { item: '$other', value: 'deposited', certificate: 'recovering' }],
    prior: { scenario: '5/backup' },
  }),
  frame({
    id: '6/key-backup', embodiment: 6, phase: 'key-backup', title: 'registration of a key in parts', covers: [12], ports: bothSafes,
    steps: [...named('key-backup', range(3, 1, 2), 'all'), ...partBackup.flatMap((part) => part.steps)],
    begins: ['3-1@all', ...partBackup.flatMap((part) => part.begins)],
    exchanges: [{ name: 'divideKey', party: 'card' }, ...partBackup.flatMap((part) => part.exchanges)],
    claims: [{ state: 'claim-25', name: 'deleteKey', party: 'card' }], list: { work: [] },
    goal: ({ options }) => (options.keyKind === 'seed' ? {
      item: '$seed', key: 'absent', derived: options.deleteAfterRegistration ? 'absent' : 'present', certificate: 'stored',
    } : {
      item: '$decoding', key: options.deleteAfterRegistration ? 'absent' : 'present', certificate: 'stored',
      ...options.keyDivision?.scheme === 'origin' && options.deleteAfterRegistration !== true ? { renewed: true } : {},
    }),
    between: (item) => (item === '$seed' ? [
      { item, key: 'present', derived: 'present' }, { item, key: 'absent', derived: 'present', certificate: 'stored' },
    ] : [{ item }]),
    midway: [{ item: '$decoding', key: 'present', certificate: 'absent' }],
  }),
  frame({
    id: '6/key-recover', embodiment: 6, phase: 'key-recover', title: 'recovery of a key from its parts', covers: [12], ports: bothSafes,
    steps: [...named('key-recover', range(4, 1, 4)), ...partRecover.flatMap((part) => part.steps), ...named('key-recover', range(4, 11, 14), 'all')],
    begins: ['4-1', ...partRecover.flatMap((part) => part.begins), '4-11@all'],
    exchanges: [certificates, ...partRecover.flatMap((part) => part.exchanges), { ...combined, needs: ['pieces', 'objects'] }],
    list: { work: ['stored'], kind: 'key-part' },
    goal: ({ options }) => (options.keyKind === 'seed' ? { item: '$seed', key: 'absent', derived: 'present', certificate: 'stored' } : { item: '$decoding', key: 'present', certificate: 'stored' }),
    midway: [{ item: '$decoding', key: 'absent', certificate: 'stored' }],
    prior: { scenario: '6/key-backup', options: { deleteAfterRegistration: true } },
  }),
];
