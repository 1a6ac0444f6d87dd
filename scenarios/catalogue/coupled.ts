import { backupBetween, backupGoal, recoverBetween, recoverGoal, recoveryDeleted, valueDeleted } from './basic.js';
import { frame } from './frame.js';
import type { Exchange, ScenarioFrame } from './frame.js';
import { named, partIndexes, range } from './sets.js';

/** Parts of group B: the first part is coupled with the ciphertext, all others go to the second safe. */
export const restIndexes = partIndexes.slice(1);

const list: Exchange = { name: 'listValues', party: 'card', receives: 'list' };
const certificates: Exchange = { name: 'listCertificates', party: 'card', receives: 'list' };

const restBackup = restIndexes.map((i) => ({
  begins: [`3-3@part${i}`, `3-5@part${i}`, `3-8@part${i}`],
  steps: [...named('key-backup', range(3, 3, 4), `part${i}`), ...named('key-backup', range(3, 5, 7), `part${i}`, 'safe2'), ...named('key-backup', range(3, 8, 11), `part${i}`)],
  exchanges: [
    { name: 'keyPart', party: 'card', receives: 'request', needs: ['handle', 'set', 'coupled'] },
    { name: 'register', party: 'safe2', sends: 'request', receives: 'certificate', needs: ['handle', 'set', 'coupled', 'request'] },
    { name: 'setEnd', party: 'card', sends: 'certificate', needs: ['handle', 'set', 'coupled', 'certificate'] },
  ] satisfies Exchange[],
}));

const restRecover = restIndexes.map((i) => ({
  begins: [`4-5@part${i}`, `4-9@part${i}`],
  steps: [...named('key-recover', range(4, 5, 8), `part${i}`), ...named('key-recover', range(4, 9, 10), `part${i}`, 'safe2')],
  exchanges: [
    { name: 'gather', party: 'card', receives: 'certificate', needs: ['handle', 'pieces', 'object'] },
    { name: 'retrieve', party: 'safe2', sends: 'certificate', receives: 'key-reply', needs: ['handle', 'pieces', 'object', 'certificate'] },
  ] satisfies Exchange[],
}));

const ports = ['card', 'safe', 'safe2'];

/** Frames of embodiment 6 whole: the ciphertext of a value coupled with a part of its key, the other parts at another safe. */
export const coupledFrames: readonly ScenarioFrame[] = [
  frame({
    id: '6/backup', embodiment: 6, phase: 'backup', title: 'registration of a ciphertext coupled with a part of its key', covers: [11], ports,
    steps: [
      ...named('backup', range(1, 1, 4)), ...named('key-backup', range(3, 1, 2), 'all'), ...named('backup', range(1, 5, 12), 'all'),
      ...restBackup.flatMap((part) => part.steps), ...named('backup', range(1, 13, 16), 'all'),
    ],
    begins: ['1-1', '3-1@all', '1-5@all', '1-10@all', ...restBackup.flatMap((part) => part.begins), '1-13@all'],
    exchanges: [
      list, { name: 'divideKey', party: 'card', needs: ['handle'] },
      { name: 'coupleKey', party: 'card', receives: 'request', needs: ['handle', 'set'] },
      { name: 'register', party: 'safe', sends: 'request', receives: 'certificate', needs: ['handle', 'set', 'request'] },
      ...restBackup.flatMap((part) => part.exchanges),
      { name: 'coupledEnd', party: 'card', sends: 'certificate', needs: ['handle', 'coupled'] },
    ],
    claims: valueDeleted, list: { work: ['active', 'pending'], goal: 'deposited' }, goal: backupGoal, between: backupBetween,
    midway: [{ item: '$item', value: 'pending', certificate: 'absent' }],
  }),
  frame({
    id: '6/recover', embodiment: 6, phase: 'recover', title: 'recovery of a value and its key from ciphertext and parts', covers: [11], ports,
    steps: [
      ...named('key-recover', range(4, 1, 4)), ...named('recover', range(2, 5, 10), 'all'), ...restRecover.flatMap((part) => part.steps),
      ...named('key-recover', range(4, 11, 14), 'all'), ...named('recover', range(2, 11, 15), 'all'),
    ],
    begins: ['4-1', '2-5@all', '2-9@all', ...restRecover.flatMap((part) => part.begins), '4-11@all', '2-11@all'],
    exchanges: [
      certificates, { name: 'gatherCoupled', party: 'card', receives: 'certificate', needs: ['handle', 'pieces'] },
      { name: 'retrieve', party: 'safe', sends: 'certificate', receives: 'registered-value', needs: ['handle', 'pieces', 'certificate'] },
      ...restRecover.flatMap((part) => part.exchanges),
      { name: 'combine', party: 'card', needs: ['handle', 'pieces', 'object'] },
      { name: 'decoupleKey', party: 'card', sends: 'registered-value', needs: ['handle', 'object'] },
    ],
    claims: recoveryDeleted, list: { work: ['stored', 'recovering'], goal: 'spent', kind: 'coupled' }, goal: recoverGoal, between: recoverBetween,
    midway: [{ item: '$item', value: 'deposited', certificate: 'recovering' }], prior: { scenario: '6/backup' },
  }),
];
