import { contextOf, outputOf } from './context.js';
import { scenarioSetup } from './setup.js';
import { asks, deletes, ends, passes, reached, reachedWhole, start } from './states.js';
import { card, had, hashOf, safe } from './two-safes.js';

/** Embodiment 3, registration of a value at the first safe (steps 1-1 to 1-16, claim 25). */
export const apartBackup = scenarioSetup.createMachine({
  id: '3/backup',
  context: ({ input }) => contextOf('3/backup', input),
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

/** Embodiment 3, recovery of a value from the first safe (steps 2-1 to 2-15, claim 26). */
export const apartRecover = scenarioSetup.createMachine({
  id: '3/recover',
  context: ({ input }) => contextOf('3/recover', input),
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

/** Embodiment 3, registration of the key at the second safe (named states from steps 3-1 to 3-11); claim 25 deletes it. */
export const apartKeyBackup = scenarioSetup.createMachine({
  id: '3/key-backup',
  context: ({ input }) => contextOf('3/key-backup', input),
  output: ({ context }) => outputOf(context),
  initial: 'start',
  states: {
    start: start('3-1', '3-5@safe2', '3-8', 'claim-25'),
    '3-1': asks('3-1', card(({ ports, ...run }) =>
      ports.card.keyRegisterBegin(run.options.keyKind === 'common' ? 'common' : 'decoding', ports.safe2.safeId, hashOf({ ports, ...run }), 3), (request) => ({ request })), '3-2'),
    '3-2': passes('3-2', '3-3'),
    '3-3': passes('3-3', '3-4'),
    '3-4': passes('3-4', '3-5@safe2'),
    '3-5@safe2': asks('3-5@safe2', safe((run) => run.ports.safe2.register(had(run).request), (certificate) => ({ certificate })), '3-6@safe2'),
    '3-6@safe2': passes('3-6@safe2', '3-7@safe2'),
    '3-7@safe2': passes('3-7@safe2', '3-8'),
    '3-8': asks('3-8', 'keyRegisterEnd', '3-9'),
    '3-9': passes('3-9', '3-10'),
    '3-10': passes('3-10', '3-11'),
    '3-11': passes('3-11', 'done', deletes('claim-25', 'claim-25')),
    'claim-25': asks('claim-25', 'claim-25', 'done'),
    ...ends,
  },
});

/** Embodiment 3, recovery of the key from the second safe (named states from steps 4-1 to 4-14). */
export const apartKeyRecover = scenarioSetup.createMachine({
  id: '3/key-recover',
  context: ({ input }) => contextOf('3/key-recover', input),
  output: ({ context }) => outputOf(context),
  initial: 'start',
  states: {
    start: start('4-1', '4-5', '4-9@safe2', '4-11'),
    '4-1': asks('4-1', 'listKeyCertificates', '4-2'),
    '4-2': passes('4-2', '4-3'),
    '4-3': passes('4-3', '4-4'),
    '4-4': passes('4-4', '4-5', reached('done')),
    '4-5': asks('4-5', 'keyRecoverBegin', '4-6'),
    '4-6': passes('4-6', '4-7'),
    '4-7': passes('4-7', '4-8'),
    '4-8': passes('4-8', '4-9@safe2'),
    '4-9@safe2': asks('4-9@safe2', safe((run) => run.ports.safe2.retrieve(had(run).certificate), (object) => ({ object })), '4-10@safe2'),
    '4-10@safe2': passes('4-10@safe2', '4-11'),
    '4-11': asks('4-11', card((run) => run.ports.card.keyRecoverEnd(had(run).handle, had(run).object, 3), () => ({})), '4-12'),
    '4-12': passes('4-12', '4-13'),
    '4-13': passes('4-13', '4-14'),
    '4-14': passes('4-14', 'done'),
    ...ends,
  },
});
