import { steps } from './catalogue.js';
import { backupBetween } from './basic.js';
import { frame } from './frame.js';
import type { ScenarioFrame } from './frame.js';

/** Frame of embodiment 11: the card chooses, the terminal drives, every value chosen goes to the safe and makes room. */
export const conditionFrames: readonly ScenarioFrame[] = [
  frame({
    id: '11/auto-backup', embodiment: 11, phase: 'auto-backup', title: 'automatic backup by condition', steps: steps(11, 'auto-backup'), covers: [20, 36],
    begins: ['2-1', '2-6', '2-8', '2-10', '2-11'], without: ['keyKind', 'deleteAfterRegistration', 'deleteAfterRecovery'],
    exchanges: [
      { name: 'extract', party: 'card', receives: 'list' },
      { name: 'registerBegin', party: 'card', receives: 'request', needs: ['queue'] },
      { name: 'register', party: 'safe', sends: 'request', receives: 'certificate', needs: ['queue', 'handle', 'request'] },
      { name: 'registerEnd', party: 'card', sends: 'certificate', needs: ['queue', 'handle', 'certificate'] },
      { name: 'backupEnd', party: 'card', needs: ['queue', 'handle'] },
    ],
    list: { work: [], goal: 'deposited' }, goal: ({ item }) => ({ item: item ?? '$item', value: 'absent', certificate: 'stored' }),
    between: backupBetween, midway: [{ item: '$item', value: 'pending', certificate: 'absent' }],
    prepares: { conditions: { 1: [{ about: 'class', classes: [1] }] } },
  }),
];
