import { contextOf, outputOf } from './context.js';
import { scenarioSetup } from './setup.js';
import { asks, deletes, ends, passes, reached, start } from './states.js';

/** Embodiment 2, decoding-key registration (steps 3-1 to 3-11); claim 25 deletes the key. */
export const keyBackup = scenarioSetup.createMachine({
  id: '2/key-backup',
  context: ({ input }) => contextOf('2/key-backup', input),
  output: ({ context }) => outputOf(context),
  initial: 'start',
  states: {
    start: start('3-1', '3-5', '3-8', 'claim-25'),
    '3-1': asks('3-1', 'keyRegisterBegin', '3-2'),
    '3-2': passes('3-2', '3-3'),
    '3-3': passes('3-3', '3-4'),
    '3-4': passes('3-4', '3-5'),
    '3-5': asks('3-5', 'register', '3-6'),
    '3-6': passes('3-6', '3-7'),
    '3-7': passes('3-7', '3-8'),
    '3-8': asks('3-8', 'keyRegisterEnd', '3-9'),
    '3-9': passes('3-9', '3-10'),
    '3-10': passes('3-10', '3-11'),
    '3-11': passes('3-11', 'done', deletes('claim-25', 'claim-25')),
    'claim-25': asks('claim-25', 'claim-25', 'done'),
    ...ends,
  },
});

/** Embodiment 2, decoding-key recovery (steps 4-1 to 4-14). */
export const keyRecover = scenarioSetup.createMachine({
  id: '2/key-recover',
  context: ({ input }) => contextOf('2/key-recover', input),
  output: ({ context }) => outputOf(context),
  initial: 'start',
  states: {
    start: start('4-1', '4-5', '4-9', '4-11'),
    '4-1': asks('4-1', 'listKeyCertificates', '4-2'),
    '4-2': passes('4-2', '4-3'),
    '4-3': passes('4-3', '4-4'),
    '4-4': passes('4-4', '4-5', reached('done')),
    '4-5': asks('4-5', 'keyRecoverBegin', '4-6'),
    '4-6': passes('4-6', '4-7'),
    '4-7': passes('4-7', '4-8'),
    '4-8': passes('4-8', '4-9'),
    '4-9': asks('4-9', 'retrieve', '4-10'),
    '4-10': passes('4-10', '4-11'),
    '4-11': asks('4-11', 'keyRecoverEnd', '4-12'),
    '4-12': passes('4-12', '4-13'),
    '4-13': passes('4-13', '4-14'),
    '4-14': passes('4-14', 'done'),
    ...ends,
  },
});
