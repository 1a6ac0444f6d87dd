import type { TwoSafePorts } from '../ports.js';
import { contextOf, outputOf } from './context.js';
import { judgeCard } from './judge.js';
import { operation } from './operations.js';
import { scenarioSetup } from './setup.js';
import { asks, deletes, ends, passes, reached, reachedWhole, start } from './states.js';
import { card, had, hashOf, safe } from './two-safes.js';
import type { Progress, ScenarioOptions } from './types.js';

/** The seed to the safe; where an earlier run may have done it all, a certificate of the seed tells that it has. */
const seedBegin = operation<TwoSafePorts, ScenarioOptions, Progress>(async (run, first) => {
  const { card: peer, safe2 } = run.ports;
  const outcome = await peer.seedRegisterBegin(safe2.safeId, hashOf(run));
  const judged = judgeCard(run.scenario, first, outcome, peer.hasTrace);
  if (outcome.ok) return { ...judged, progress: judged.stop ? {} : { request: outcome.value } };
  const gone = outcome.cause === 'refused' && outcome.sw === '6985' && run.options.absentMeansDone === true;
  const stored = gone ? await peer.seedRecoverBegin() : undefined;
  if (stored?.ok !== true) return { ...judged, progress: {} };
  return { evidence: judged.evidence, progress: { handle: stored.value.handle }, already: true };
});

/** Embodiment 7, registration of the seed at the second safe (steps 1-1 to 1-7); claim 25 deletes its decoding key. */
export const seedBackup = scenarioSetup.createMachine({
  id: '7/seed-backup',
  context: ({ input }) => contextOf('7/seed-backup', input),
  output: ({ context }) => outputOf(context),
  initial: 'start',
  states: {
    start: start('1-1', '1-4', '1-6', 'claim-25'),
    '1-1': asks('1-1', seedBegin, '1-2', reachedWhole('claim-25'), reached('claim-25')),
    '1-2': passes('1-2', '1-3'),
    '1-3': passes('1-3', '1-4'),
    '1-4': asks('1-4', safe((run) => run.ports.safe2.register(had(run).request), (certificate) => ({ certificate })), '1-5'),
    '1-5': passes('1-5', '1-6'),
    '1-6': asks('1-6', card((run) => run.ports.card.registerEnd(7, 'key', had(run).certificate), (stored) => ({ stored })), '1-7'),
    '1-7': passes('1-7', 'done', deletes('claim-25', 'claim-25')),
    'claim-25': asks('claim-25', 'claim-25', 'done'),
    ...ends,
  },
});

/** Embodiment 7, registration of a value (steps 2-1 to 2-4, each a whole command or request). */
export const seedValueBackup = scenarioSetup.createMachine({
  id: '7/backup',
  context: ({ input }) => contextOf('7/backup', input),
  output: ({ context }) => outputOf(context),
  initial: 'start',
  states: {
    start: start('2-1', '2-2', '2-3', '2-4', 'claim-25'),
    '2-1': asks('2-1', 'listValues', '2-2', reachedWhole('claim-25'), reached('claim-25')),
    '2-2': asks('2-2', 'registerBegin', '2-3'),
    '2-3': asks('2-3', 'register', '2-4'),
    '2-4': asks('2-4', 'registerEnd', 'done', deletes('claim-25', 'claim-25')),
    'claim-25': asks('claim-25', 'claim-25', 'done'),
    ...ends,
  },
});

/** Embodiment 7, the decoding key is derived again from the seed (steps 3-1 to 3-7). */
export const seedRecover = scenarioSetup.createMachine({
  id: '7/seed-recover',
  context: ({ input }) => contextOf('7/seed-recover', input),
  output: ({ context }) => outputOf(context),
  initial: 'start',
  states: {
    start: start('3-1', '3-3', '3-5'),
    '3-1': asks('3-1', card((run) => run.ports.card.seedRecoverBegin(), ({ handle, ...certificate }) => ({ handle, certificate })), '3-2'),
    '3-2': passes('3-2', '3-3'),
    '3-3': asks('3-3', safe((run) => run.ports.safe2.retrieve(had(run).certificate), (object) => ({ object })), '3-4'),
    '3-4': passes('3-4', '3-5'),
    '3-5': asks('3-5', card((run) => run.ports.card.seedRecoverEnd(had(run).handle, had(run).object), () => ({})), '3-6'),
    '3-6': passes('3-6', '3-7'),
    '3-7': passes('3-7', 'done'),
    ...ends,
  },
});
