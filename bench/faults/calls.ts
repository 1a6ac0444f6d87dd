import { exchanges } from '../../scenarios/index.js';
import type { ObjectName, Place, ScenarioId } from '../../scenarios/index.js';

/** An operation of the card or of a safe, as the ports name it. */
export type CallName =
  | 'listValues' | 'registerBegin' | 'registerEnd' | 'listCertificates' | 'recoverBegin' | 'recoverEnd'
  | 'keyRegisterBegin' | 'keyRecoverEnd' | 'getReceipt' | 'delete' | 'deleteKey' | 'register' | 'retrieve' | 'receipt';

/** Which steps an operation covers in a scenario and which objects cross with it. */
export interface Call {
  readonly name: CallName;
  readonly party: 'card' | 'safe';
  /** First to last. */
  readonly steps: readonly Place[];
  readonly sends?: ObjectName;
  readonly receives?: ObjectName;
}

type Kind = Omit<Call, 'steps'>;

const list = { name: 'listValues', party: 'card', receives: 'list' } as const;
const certificates = { name: 'listCertificates', party: 'card', receives: 'list' } as const;
const begin = { name: 'registerBegin', party: 'card', receives: 'request' } as const;
const keyBegin = { name: 'keyRegisterBegin', party: 'card', receives: 'request' } as const;
const register = { name: 'register', party: 'safe', sends: 'request', receives: 'certificate' } as const;
const end = { name: 'registerEnd', party: 'card', sends: 'certificate' } as const;
const recover = { name: 'recoverBegin', party: 'card', receives: 'certificate' } as const;
const retrieve = (receives: ObjectName): Kind => ({ name: 'retrieve', party: 'safe', sends: 'certificate', receives });
const recoverEnd = (sends: ObjectName): Kind => ({ name: 'recoverEnd', party: 'card', sends });

/** What each exchange of a scenario is, in order (docs/protocol.md 2.1, 3); table. */
const kinds: Readonly<Record<ScenarioId, readonly Kind[]>> = {
  '1/backup': [list, begin, register, end],
  '1/recover': [certificates, recover, retrieve('value'), recoverEnd('value')],
  '2/backup': [list, begin, register, end],
  '2/recover': [certificates, recover, retrieve('registered-value'), recoverEnd('registered-value')],
  '2/key-backup': [keyBegin, register, end],
  '2/key-recover': [certificates, recover, retrieve('key-reply'), { name: 'keyRecoverEnd', party: 'card', sends: 'key-reply' }],
};

function claimCalls(scenario: ScenarioId): Call[] {
  if (scenario === '2/key-recover') return [];
  if (scenario === '2/key-backup') return [{ name: 'deleteKey', party: 'card', steps: ['claim-25'] }];
  if (scenario.endsWith('backup')) return [{ name: 'delete', party: 'card', steps: ['claim-25'] }];
  return [
    { name: 'getReceipt', party: 'card', steps: ['claim-26-receipt'], receives: 'receipt' },
    { name: 'receipt', party: 'safe', steps: ['claim-26-safe'], sends: 'receipt' },
    { name: 'delete', party: 'card', steps: ['claim-26-delete'] },
  ];
}

/** The operations of a scenario in order. */
export function callsOf(scenario: ScenarioId): readonly Call[] {
  const numbered = exchanges(scenario).map((steps, index): Call => ({ ...kinds[scenario][index], steps }));
  return [...numbered, ...claimCalls(scenario)];
}
