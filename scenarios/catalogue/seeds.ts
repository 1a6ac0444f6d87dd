import type { ScenarioRun } from '../plan/types.js';
import { backupBetween, backupExchanges, backupGoal, valueDeleted } from './basic.js';
import { steps } from './catalogue.js';
import { frame } from './frame.js';
import type { ScenarioFrame } from './frame.js';

const goal = ({ options }: Pick<ScenarioRun, 'options'>) => ({
  item: '$seed', key: 'absent', derived: options.deleteAfterRegistration ? 'absent' : 'present', certificate: 'stored',
} as const);

const prepares = { seed: true, safes: 2 } as const;

/** Frames of embodiment 7: the seed at the second safe, values encrypted under its key at the first. */
export const seedFrames: readonly ScenarioFrame[] = [
  frame({
    id: '7/seed-backup', embodiment: 7, phase: 'seed-backup', title: 'encryption-seed registration', prepares, steps: steps(7, 'seed-backup'), covers: [13],
    begins: ['1-1', '1-4', '1-6'], ports: ['card', 'safe2'], without: ['variant', 'keyKind', 'select', 'deleteAfterRecovery'],
    exchanges: [
      { name: 'seedRegisterBegin', party: 'card', receives: 'request' },
      { name: 'register', party: 'safe2', sends: 'request', receives: 'certificate', needs: ['request'] },
      { name: 'registerEnd', party: 'card', sends: 'certificate', needs: ['certificate'] },
    ],
    claims: [{ state: 'claim-25', name: 'deleteKey', party: 'card' }], list: { work: [] }, goal,
    between: (item) => [
      { item, key: 'present', derived: 'present', certificate: 'absent' }, { item, key: 'absent', derived: 'present', certificate: 'stored' },
    ],
    midway: [{ item: '$seed', key: 'present', derived: 'present', certificate: 'absent' }],
  }),
  frame({
    id: '7/backup', embodiment: 7, phase: 'backup', title: 'value registration under a key from a seed', prepares, steps: steps(7, 'backup'), covers: [13],
    exchanges: backupExchanges, claims: valueDeleted, without: ['variant', 'keyKind'],
    list: { work: ['active', 'pending'], goal: 'deposited' }, goal: backupGoal, between: backupBetween,
    midway: [{ item: '$item', value: 'pending', certificate: 'absent' }],
  }),
  frame({
    id: '7/seed-recover', embodiment: 7, phase: 'seed-recover', title: 'decoding-key regeneration from the seed', prepares, steps: steps(7, 'seed-recover'), covers: [13],
    begins: ['3-1', '3-3', '3-5'], ports: ['card', 'safe2'],
    without: ['variant', 'hash', 'keyKind', 'select', 'deleteAfterRegistration', 'deleteAfterRecovery'],
    exchanges: [
      { name: 'seedRecoverBegin', party: 'card', receives: 'certificate' },
      { name: 'retrieve', party: 'safe2', sends: 'certificate', receives: 'key-reply', needs: ['handle', 'certificate'] },
      { name: 'seedRecoverEnd', party: 'card', sends: 'key-reply', needs: ['handle', 'object'] },
    ],
    list: { work: [] }, goal,
    between: (item) => [{ item, key: 'absent', derived: 'absent', certificate: 'stored' }],
    midway: [{ item: '$seed', key: 'absent', derived: 'absent', certificate: 'stored' }],
    prior: { scenario: '7/seed-backup', options: { deleteAfterRegistration: true } },
  }),
];
