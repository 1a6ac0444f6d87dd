import { contextOf, outputOf } from './context.js';
import { scenarioSetup } from './setup.js';
import { asks, deletes, ends, passes, reached, reachedWhole, start } from './states.js';

/** Embodiment 2, encrypted value registration (steps 1-1 to 1-16, claim 25). */
export const encryptedBackup = scenarioSetup.createMachine({
  id: '2/backup',
  context: ({ input }) => contextOf('2/backup', input),
  output: ({ context }) => outputOf(context),
  initial: 'start',
  states: {
    start: start('1-1', '1-5', '1-10', '1-13', 'claim-25'),
    '1-1': asks('1-1', 'listValues', '1-2'),
    '1-2': passes('1-2', '1-3'),
    '1-3': passes('1-3', '1-4'),
    '1-4': passes('1-4', '1-5', reachedWhole('claim-25'), reached('claim-25')),
    '1-5': asks('1-5', 'registerBegin', '1-6'),
    '1-6': passes('1-6', '1-7'),
    '1-7': passes('1-7', '1-8'),
    '1-8': passes('1-8', '1-9'),
    '1-9': passes('1-9', '1-10'),
    '1-10': asks('1-10', 'register', '1-11'),
    '1-11': passes('1-11', '1-12'),
    '1-12': passes('1-12', '1-13'),
    '1-13': asks('1-13', 'registerEnd', '1-14'),
    '1-14': passes('1-14', '1-15'),
    '1-15': passes('1-15', '1-16'),
    '1-16': passes('1-16', 'done', deletes('claim-25', 'claim-25')),
    'claim-25': asks('claim-25', 'claim-25', 'done'),
    ...ends,
  },
});

/** Embodiment 2, encrypted value recovery (steps 2-1 to 2-15, claim 26). */
export const encryptedRecover = scenarioSetup.createMachine({
  id: '2/recover',
  context: ({ input }) => contextOf('2/recover', input),
  output: ({ context }) => outputOf(context),
  initial: 'start',
  states: {
    start: start('2-1', '2-5', '2-9', '2-11', 'claim-26-receipt', 'claim-26-safe', 'claim-26-delete'),
    '2-1': asks('2-1', 'listCertificates', '2-2'),
    '2-2': passes('2-2', '2-3'),
    '2-3': passes('2-3', '2-4'),
    '2-4': passes('2-4', '2-5', reachedWhole('claim-26-receipt'), reached('claim-26-receipt')),
    '2-5': asks('2-5', 'recoverBegin', '2-6'),
    '2-6': passes('2-6', '2-7'),
    '2-7': passes('2-7', '2-8'),
    '2-8': passes('2-8', '2-9'),
    '2-9': asks('2-9', 'retrieve', '2-10'),
    '2-10': passes('2-10', '2-11'),
    '2-11': asks('2-11', 'recoverEnd', '2-12'),
    '2-12': passes('2-12', '2-13'),
    '2-13': passes('2-13', '2-14'),
    '2-14': passes('2-14', '2-15'),
    '2-15': passes('2-15', 'done', deletes('claim-26-receipt', 'claim-26-receipt')),
    'claim-26-receipt': asks('claim-26-receipt', 'claim-26-receipt', 'claim-26-safe'),
    'claim-26-safe': asks('claim-26-safe', 'claim-26-safe', 'claim-26-delete'),
    'claim-26-delete': asks('claim-26-delete', 'claim-26-delete', 'done'),
    ...ends,
  },
});
