import { steps } from '../../scenarios/index.js';
import type { ObjectName, Phase, ScenarioId, StepId } from '../../scenarios/index.js';

/** An operation of the card or of a safe, as the ports name it. */
export type CallName =
  | 'listValues' | 'registerBegin' | 'registerEnd' | 'listCertificates' | 'recoverBegin' | 'recoverEnd'
  | 'keyRegisterBegin' | 'keyRecoverEnd' | 'getReceipt' | 'delete' | 'deleteKey' | 'register' | 'retrieve' | 'receipt';

/** A step of the catalogue or a state beyond it. */
export type CallStep = StepId | 'claim-25' | 'claim-26-receipt' | 'claim-26-safe' | 'claim-26-delete';

/** Which steps an operation covers in a scenario and which objects cross with it. */
export interface Call {
  readonly name: CallName;
  readonly party: 'card' | 'safe';
  /** First to last. */
  readonly steps: readonly CallStep[];
  readonly sends?: ObjectName;
  readonly receives?: ObjectName;
}

interface Span {
  readonly name: CallName;
  readonly party?: 'safe';
  readonly from: StepId;
  readonly to: StepId;
  readonly sends?: ObjectName;
  readonly receives?: ObjectName;
}

/** Commands and safe requests of each scenario by their first and last step (docs/protocol.md 2.1, 3); table. */
const spans: Readonly<Record<ScenarioId, readonly Span[]>> = {
  '1/backup': [
    { name: 'listValues', from: '1-1', to: '1-4', receives: 'list' },
    { name: 'registerBegin', from: '1-5', to: '1-8', receives: 'request' },
    { name: 'register', party: 'safe', from: '1-9', to: '1-11', sends: 'request', receives: 'certificate' },
    { name: 'registerEnd', from: '1-12', to: '1-15', sends: 'certificate' },
  ],
  '1/recover': [
    { name: 'listCertificates', from: '2-1', to: '2-4', receives: 'list' },
    { name: 'recoverBegin', from: '2-5', to: '2-8', receives: 'certificate' },
    { name: 'retrieve', party: 'safe', from: '2-9', to: '2-10', sends: 'certificate', receives: 'value' },
    { name: 'recoverEnd', from: '2-11', to: '2-14', sends: 'value' },
  ],
  '2/backup': [
    { name: 'listValues', from: '1-1', to: '1-4', receives: 'list' },
    { name: 'registerBegin', from: '1-5', to: '1-9', receives: 'request' },
    { name: 'register', party: 'safe', from: '1-10', to: '1-12', sends: 'request', receives: 'certificate' },
    { name: 'registerEnd', from: '1-13', to: '1-16', sends: 'certificate' },
  ],
  '2/recover': [
    { name: 'listCertificates', from: '2-1', to: '2-4', receives: 'list' },
    { name: 'recoverBegin', from: '2-5', to: '2-8', receives: 'certificate' },
    { name: 'retrieve', party: 'safe', from: '2-9', to: '2-10', sends: 'certificate', receives: 'registered-value' },
    { name: 'recoverEnd', from: '2-11', to: '2-15', sends: 'registered-value' },
  ],
  '2/key-backup': [
    { name: 'keyRegisterBegin', from: '3-1', to: '3-4', receives: 'request' },
    { name: 'register', party: 'safe', from: '3-5', to: '3-7', sends: 'request', receives: 'certificate' },
    { name: 'registerEnd', from: '3-8', to: '3-11', sends: 'certificate' },
  ],
  '2/key-recover': [
    { name: 'listCertificates', from: '4-1', to: '4-4', receives: 'list' },
    { name: 'recoverBegin', from: '4-5', to: '4-8', receives: 'certificate' },
    { name: 'retrieve', party: 'safe', from: '4-9', to: '4-10', sends: 'certificate', receives: 'key-reply' },
    { name: 'keyRecoverEnd', from: '4-11', to: '4-14', sends: 'key-reply' },
  ],
};

function between(scenario: ScenarioId, from: StepId, to: StepId): StepId[] {
  const [embodiment, phase] = scenario.split('/') as ['1' | '2', Phase];
  const ids = steps(Number(embodiment) as 1 | 2, phase).map((step) => step.id as StepId);
  return ids.slice(ids.indexOf(from), ids.indexOf(to) + 1);
}

function claimCalls(scenario: ScenarioId): Call[] {
  const key = scenario === '2/key-backup';
  if (key) return [{ name: 'deleteKey', party: 'card', steps: ['claim-25'] }];
  if (scenario.endsWith('backup')) return [{ name: 'delete', party: 'card', steps: ['claim-25'] }];
  if (scenario === '2/key-recover') return [];
  return [
    { name: 'getReceipt', party: 'card', steps: ['claim-26-receipt'], receives: 'receipt' },
    { name: 'receipt', party: 'safe', steps: ['claim-26-safe'], sends: 'receipt' },
    { name: 'delete', party: 'card', steps: ['claim-26-delete'] },
  ];
}

/** The operations of a scenario in order. */
export function callsOf(scenario: ScenarioId): readonly Call[] {
  const numbered = spans[scenario].map(({ from, to, party, ...rest }): Call => (
    { ...rest, party: party ?? 'card', steps: between(scenario, from, to) }
  ));
  return [...numbered, ...claimCalls(scenario)];
}
