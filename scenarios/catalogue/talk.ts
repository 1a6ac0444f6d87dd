import type { ItemExpectation, ScenarioRun } from '../plan/types.js';
import type { ScenarioId } from '../ports.js';
import { backupExchanges, basicFrames, backupGoal, recoverBetween, recoverGoal, valueDeleted } from './basic.js';
import { steps } from './catalogue.js';
import type { Step } from './catalogue.js';
import { derived, frame } from './frame.js';
import type { ClaimExchange, Exchange, Prior, ScenarioFrame } from './frame.js';

type Run = Pick<ScenarioRun, 'options' | 'item'>;

const prepares = { safes: 2 } as const;
const without = ['variant', 'keyKind'] as const;
const backup = steps(2, 'backup');
const recover = steps(2, 'recover');
const keyBackup = steps(2, 'key-backup');
const keyRecover = steps(2, 'key-recover');

/** Steps by number, first to last. */
const range = (from: readonly Step[], first: number, last: number): readonly Step[] => from.slice(first - 1, last);
/** The same at the key safe. */
const atSafe2 = (from: readonly Step[]): readonly Step[] => derived(from, { at: 'safe2', parties: { safe: 'safe2' } });
const keyRegistered: readonly Step[] = [...range(keyBackup, 1, 4), ...atSafe2(range(keyBackup, 5, 7)), ...range(keyBackup, 8, 11)];

/** A step in other words than the one it is derived from. */
const said = (from: Step, at: string, between: Pick<Step, 'from' | 'to' | 'kind' | 'text'>): Step => ({ ...derived([from], { at })[0], ...between });

/** The owner at the key safe, which authenticates, asks the other safe, and gives both back. */
const together: readonly Step[] = [
  said(keyRecover[8], 'safe2', { from: 'terminal', to: 'safe2', kind: 'request', text: 'owner information and both certificates' }),
  said(keyRecover[9], 'owner', { from: 'safe2', to: 'safe2', kind: 'act', text: 'authenticates the owner and looks the key up' }),
  said(recover[8], 'peer', { from: 'safe2', to: 'safe', kind: 'request', text: 'certificate of the value, for an authenticated owner' }),
  said(recover[9], 'peer', { from: 'safe', to: 'safe2', kind: 'reply', text: 'looks the ciphertext up and returns it' }),
  said(keyRecover[9], 'safe2', { from: 'safe2', to: 'terminal', kind: 'reply', text: 'key and ciphertext as a set' }),
];

/** A new pair of keys; the catalogue has no step for it. */
const renewal: readonly Step[] = [
  said(keyBackup[0], 'new', { from: 'terminal', to: 'registration', kind: 'request', text: 'a new pair of keys' }),
  said(keyBackup[1], 'new', { from: 'registration', to: 'keymgmt', kind: 'request', text: 'a new pair of keys' }),
  said(keyBackup[2], 'new', { from: 'keymgmt', to: 'registration', kind: 'reply', text: 'generates the pair; nothing depends on the old one' }),
  said(keyBackup[3], 'new', { from: 'registration', to: 'terminal', kind: 'reply', text: 'end message or error message' }),
];

const keyRegistration: readonly Exchange[] = [
  { name: 'keyRegisterBegin', party: 'card', receives: 'request' },
  { name: 'registerOwned', party: 'safe2', sends: 'request', receives: 'certificate', needs: ['request'] },
  { name: 'registerEnd', party: 'card', sends: 'certificate', needs: ['certificate'] },
];

const modelOf = (id: ScenarioId): ScenarioFrame => {
  const model = basicFrames.find((one) => one.id === id);
  if (!model) throw new TypeError(`there is no ${id}`);
  return model;
};

const former: ClaimExchange['needs'] = ['former'];
const oldDeleted: readonly ClaimExchange[] = [
  { state: 'claim-26-receipt', name: 'getReceipt', party: 'card', receives: 'receipt', needs: former },
  { state: 'claim-26-safe', name: 'receipt', party: 'safe', sends: 'receipt', needs: ['former', 'receipt'] },
  { state: 'claim-26-delete', name: 'delete', party: 'card', needs: former },
  { state: 'claim-26-receipt@key', name: 'getReceipt', party: 'card', receives: 'receipt', needs: former },
  { state: 'claim-26-safe@key', name: 'receipt', party: 'safe2', sends: 'receipt', needs: ['former', 'receipt'] },
  { state: 'claim-26-delete@key', name: 'delete', party: 'card', needs: former },
];

const renewBetween = (item: ItemExpectation['item']): readonly ItemExpectation[] =>
  [{ item, value: 'active', certificate: 'spent' }, { item, value: 'pending', certificate: 'spent' }, { item, value: 'deposited', certificate: 'spent' }];

/** Value and key are at their safes, the key nowhere else. */
const registered: readonly Prior[] = [{ scenario: '12/backup' }, { scenario: '12/key-backup', options: { deleteAfterRegistration: true } }];

/** Frames of embodiment 12: safe 164 has the values, safe 165 the key and its owner; both talk to each other. */
export const talkFrames: readonly ScenarioFrame[] = [
  frame({
    ...modelOf('2/backup'), id: '12/backup', embodiment: 12, title: 'value registration at the safe that talks to the key safe', steps: backup, covers: [22, 43],
    exchanges: backupExchanges, claims: valueDeleted, prepares, without,
  }),
  frame({
    ...modelOf('2/key-backup'), id: '12/key-backup', embodiment: 12, title: 'decoding-key registration with owner authentication', steps: keyRegistered, covers: [22, 43],
    exchanges: keyRegistration, ports: ['card', 'safe2'], prepares, without,
  }),
  frame({
    id: '12/recover', embodiment: 12, phase: 'recover', title: 'the owner gets key and value from the key safe', covers: [22, 43], ports: ['card', 'safe', 'safe2'], prepares, without,
    steps: [...range(keyRecover, 1, 8), ...range(recover, 1, 8), ...together, ...range(keyRecover, 11, 14), ...range(recover, 11, 15)],
    begins: ['4-1', '4-5', '2-1', '2-5', '4-9@safe2', '4-11', '2-11'],
    exchanges: [
      { name: 'listCertificates', party: 'card', receives: 'list' },
      { name: 'recoverBegin', party: 'card', receives: 'certificate', needs: ['keyHandle'] },
      { name: 'listCertificates', party: 'card', receives: 'list', needs: ['keyHandle', 'keyCertificate'] },
      { name: 'recoverBegin', party: 'card', receives: 'certificate', needs: ['keyHandle', 'keyCertificate', 'handle'] },
      { name: 'retrieveSet', party: 'safe2', needs: ['keyHandle', 'keyCertificate', 'handle', 'certificate'] },
      { name: 'keyRecoverEnd', party: 'card', sends: 'key-reply', needs: ['keyHandle', 'handle', 'object', 'keyObject'] },
      { name: 'recoverEnd', party: 'card', sends: 'registered-value', needs: ['handle', 'object'] },
    ],
    list: { work: ['stored', 'recovering'], goal: 'spent', kind: 'registered' }, goal: (run) => ({ ...recoverGoal({ ...run, options: {} }), derived: 'present' }),
    beside: () => [{ item: '$decoding', key: 'present', certificate: 'stored' }], between: recoverBetween,
    midway: [{ item: '$item', value: 'deposited', certificate: 'recovering', derived: 'absent' }],
    prior: registered,
  }),
  frame({
    id: '12/renew', embodiment: 12, phase: 'renew', title: 'a new pair of keys; value and key are registered anew', covers: [23, 44], ports: ['card', 'safe', 'safe2'], prepares, without,
    steps: [
      ...range(backup, 1, 4), ...derived(range(recover, 1, 4), { at: 'old' }), ...derived(range(keyRecover, 1, 4), { at: 'old' }), ...renewal,
      ...range(backup, 5, 16), ...keyRegistered,
    ],
    begins: ['1-1', '2-1@old', '4-1@old', '3-1@new', '1-5', '1-10', '1-13', '3-1', '3-5@safe2', '3-8'],
    exchanges: [
      { name: 'listValues', party: 'card', receives: 'list' },
      { name: 'listCertificates', party: 'card', receives: 'list', needs: ['handle', 'entry'] },
      { name: 'listCertificates', party: 'card', receives: 'list', needs: ['handle', 'entry'] },
      { name: 'renewKey', party: 'card', needs: ['handle', 'entry', 'former'] },
      { name: 'registerBegin', party: 'card', receives: 'request', needs: ['handle', 'entry', 'former'] },
      { name: 'register', party: 'safe', sends: 'request', receives: 'certificate', needs: ['handle', 'entry', 'former', 'request'] },
      { name: 'registerEnd', party: 'card', sends: 'certificate', needs: ['handle', 'entry', 'former', 'certificate'] },
      ...keyRegistration.map((one) => ({ ...one, needs: ['entry', 'former', ...one.needs ?? []] as const })),
    ],
    claims: oldDeleted, list: { work: ['active', 'pending', 'deposited'] },
    goal: (run: Run) => ({ ...backupGoal({ ...run, options: {} }), only: true }),
    beside: () => [{ item: '$decoding', key: 'present', certificate: 'stored', renewed: true, only: true }],
    between: renewBetween, midway: [{ item: '$item', value: 'pending', certificate: 'spent' }],
    prior: [...registered, { scenario: '12/recover' }],
  }),
];
