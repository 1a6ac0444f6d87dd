import type { Ref } from '../plan/script.js';
import type { ItemExpectation, ScenarioRun } from '../plan/types.js';
import type { BasicScenarioId } from '../ports.js';
import { steps } from './catalogue.js';
import { frame } from './frame.js';
import type { ClaimExchange, Exchange, ScenarioFrame } from './frame.js';

type Run = Pick<ScenarioRun, 'options' | 'item'>;

const keyItem = ({ options }: Run): Ref => (options.keyKind === 'common' ? '$common' : '$decoding');

/** What a value's registration leaves on the card. */
export const backupGoal = ({ options, item }: Run): ItemExpectation =>
  ({ item: item ?? '$item', value: options.deleteAfterRegistration ? 'absent' : 'deposited', certificate: 'stored' });

/** What a value's recovery leaves on the card. */
export const recoverGoal = ({ options, item }: Run): ItemExpectation =>
  ({ item: item ?? '$item', value: 'active', certificate: options.deleteAfterRecovery ? 'absent' : 'spent' });

/** States of a value between nothing and its registration. */
export const backupBetween = (item: Ref): readonly ItemExpectation[] =>
  [{ item, value: 'pending', certificate: 'absent' }, { item, value: 'deposited', certificate: 'stored' }, { item, value: 'active' }];

/** States of a value between nothing and its recovery. */
export const recoverBetween = (item: Ref): readonly ItemExpectation[] => [
  { item, value: 'deposited', certificate: 'recovering' }, { item, value: 'absent', certificate: 'recovering' },
  { item, value: 'active', certificate: 'spent' }, { item, value: 'deposited', certificate: 'stored' },
  { item, value: 'absent', certificate: 'stored' },
];

const backupMidway: readonly ItemExpectation[] = [{ item: '$item', value: 'pending', certificate: 'absent' }];
const recoverMidway: readonly ItemExpectation[] = [{ item: '$item', value: 'deposited', certificate: 'recovering' }];

const list: Exchange = { name: 'listValues', party: 'card', receives: 'list' };
const certificates: Exchange = { name: 'listCertificates', party: 'card', receives: 'list' };
const begin: Exchange = { name: 'registerBegin', party: 'card', receives: 'request', needs: ['handle'] };
const keyBegin: Exchange = { name: 'keyRegisterBegin', party: 'card', receives: 'request' };
const register: Exchange = { name: 'register', party: 'safe', sends: 'request', receives: 'certificate', needs: ['handle', 'request'] };
const end: Exchange = { name: 'registerEnd', party: 'card', sends: 'certificate', needs: ['handle', 'certificate'] };
const recover: Exchange = { name: 'recoverBegin', party: 'card', receives: 'certificate', needs: ['handle'] };
const retrieve: Exchange = { name: 'retrieve', party: 'safe', sends: 'certificate', needs: ['handle', 'certificate'] };
const recoverEnd: Exchange = { name: 'recoverEnd', party: 'card', needs: ['handle', 'object'] };

/** Exchanges of a value's registration. */
export const backupExchanges: readonly Exchange[] = [list, begin, register, end];

/** Claim 25: the value is deleted from the card. */
export const valueDeleted: readonly ClaimExchange[] = [{ state: 'claim-25', name: 'delete', party: 'card', needs: ['handle'] }];

/** Claim 26: receipt from the card, to the safe, certificate deleted. */
export const recoveryDeleted: readonly ClaimExchange[] = [
  { state: 'claim-26-receipt', name: 'getReceipt', party: 'card', receives: 'receipt', needs: ['handle'] },
  { state: 'claim-26-safe', name: 'receipt', party: 'safe', sends: 'receipt', needs: ['receipt', 'handle'] },
  { state: 'claim-26-delete', name: 'delete', party: 'card', needs: ['handle'] },
];

/** The scenarios of embodiments 1 and 2, in protocol order. */
export const basicScenarioIds: readonly BasicScenarioId[] =
  ['1/backup', '1/recover', '2/backup', '2/recover', '2/key-backup', '2/key-recover'];

/** Frames of embodiments 1 and 2. */
export const basicFrames: readonly ScenarioFrame[] = [
  frame({
    id: '1/backup', embodiment: 1, phase: 'backup', title: 'value registration', steps: steps(1, 'backup'), covers: [1, 2, 27],
    exchanges: backupExchanges, claims: valueDeleted, without: ['variant'],
    list: { work: ['active', 'pending'], goal: 'deposited' }, goal: backupGoal, between: backupBetween, midway: backupMidway,
  }),
  frame({
    id: '1/recover', embodiment: 1, phase: 'recover', title: 'value recovery', steps: steps(1, 'recover'), covers: [1, 2, 28],
    exchanges: [certificates, recover, { ...retrieve, receives: 'value' }, { ...recoverEnd, sends: 'value' }], claims: recoveryDeleted, without: ['variant'],
    list: { work: ['stored', 'recovering'], goal: 'spent', kind: 'plain' }, goal: recoverGoal, between: recoverBetween, midway: recoverMidway, prior: { scenario: '1/backup' },
  }),
  frame({
    id: '2/backup', embodiment: 2, phase: 'backup', title: 'encrypted value registration', steps: steps(2, 'backup'), covers: [4, 29],
    exchanges: backupExchanges, claims: valueDeleted,
    list: { work: ['active', 'pending'], goal: 'deposited' }, goal: backupGoal, between: backupBetween, midway: backupMidway,
  }),
  frame({
    id: '2/recover', embodiment: 2, phase: 'recover', title: 'encrypted value recovery', steps: steps(2, 'recover'), covers: [4, 30],
    exchanges: [certificates, recover, { ...retrieve, receives: 'registered-value' }, { ...recoverEnd, sends: 'registered-value' }], claims: recoveryDeleted,
    list: { work: ['stored', 'recovering'], goal: 'spent', kind: 'registered' }, goal: recoverGoal, between: recoverBetween, midway: recoverMidway, prior: { scenario: '2/backup' },
  }),
  frame({
    id: '2/key-backup', embodiment: 2, phase: 'key-backup', title: 'decoding-key registration', steps: steps(2, 'key-backup'), covers: [5],
    exchanges: [keyBegin, { ...register, needs: ['request'] }, { ...end, needs: ['certificate'] }], claims: [{ state: 'claim-25', name: 'deleteKey', party: 'card' }],
    list: { work: [] },
    goal: (run) => ({ item: keyItem(run), key: run.options.deleteAfterRegistration ? 'absent' : 'present', certificate: 'stored' }),
    midway: [{ item: '$decoding', key: 'present', certificate: 'absent' }],
  }),
  frame({
    id: '2/key-recover', embodiment: 2, phase: 'key-recover', title: 'decoding-key recovery', steps: steps(2, 'key-recover'), covers: [5],
    exchanges: [certificates, recover, { ...retrieve, receives: 'key-reply' }, { name: 'keyRecoverEnd', party: 'card', sends: 'key-reply', needs: ['handle', 'object'] }],
    list: { work: ['stored'], kind: 'key' },
    goal: (run) => ({ item: keyItem(run), key: 'present', certificate: 'stored' }),
    midway: [{ item: '$decoding', key: 'absent', certificate: 'stored' }], prior: { scenario: '2/key-backup', options: { deleteAfterRegistration: true } },
  }),
];
