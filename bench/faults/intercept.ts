import type { CardPort, Outcome, Ports, SafePort, ScenarioId } from '../../scenarios/index.js';
import { callsOf } from './calls.js';
import type { Call, CallName } from './calls.js';

/** Carries out one operation with the object given to it. */
export type Proceed<S, T> = (sent: S) => Promise<Outcome<T>>;

/** Stands between the scenario and its peers. */
export interface Interceptor {
  around<S, T>(call: Call, sent: S, proceed: Proceed<S, T>): Promise<Outcome<T>>;
}

/** The ports of a scenario with an interceptor around each operation. VERIFY passes untouched. */
export function intercepted(scenario: ScenarioId, ports: Ports, interceptor: Interceptor): Ports {
  const calls = callsOf(scenario);
  const around = <S, T>(name: CallName, sent: S, proceed: Proceed<S, T>): Promise<Outcome<T>> => {
    const call = calls.find((candidate) => candidate.name === name);
    return call === undefined ? proceed(sent) : interceptor.around(call, sent, proceed);
  };
  return { card: cardAround(ports.card, around), safe: safeAround(ports.safe, around) };
}

type Around = <S, T>(name: CallName, sent: S, proceed: Proceed<S, T>) => Promise<Outcome<T>>;

function cardAround(card: CardPort, around: Around): CardPort {
  return {
    hasTrace: card.hasTrace,
    verifyPin: (pin) => card.verifyPin(pin),
    listValues: (embodiment, from) => around('listValues', undefined, () => card.listValues(embodiment, from)),
    registerBegin: (embodiment, variant, handle, hash) =>
      around('registerBegin', undefined, () => card.registerBegin(embodiment, variant, handle, hash)),
    registerEnd: (embodiment, what, certificate) =>
      around('registerEnd', certificate, (sent) => card.registerEnd(embodiment, what, sent)),
    listCertificates: (embodiment, what, from) =>
      around('listCertificates', undefined, () => card.listCertificates(embodiment, what, from)),
    recoverBegin: (embodiment, what, handle) =>
      around('recoverBegin', undefined, () => card.recoverBegin(embodiment, what, handle)),
    recoverEnd: (embodiment, certificate, object) =>
      around('recoverEnd', object, (sent) => card.recoverEnd(embodiment, certificate, sent)),
    keyRegisterBegin: (kind, safeId, hash) =>
      around('keyRegisterBegin', undefined, () => card.keyRegisterBegin(kind, safeId, hash)),
    keyRecoverEnd: (certificate, object) =>
      around('keyRecoverEnd', object, (sent) => card.keyRecoverEnd(certificate, sent)),
    getReceipt: (certificate) => around('getReceipt', undefined, () => card.getReceipt(certificate)),
    delete: (handle) => around('delete', undefined, () => card.delete(handle)),
    deleteKey: (kind) => around('deleteKey', undefined, () => card.deleteKey(kind)),
  };
}

function safeAround(safe: SafePort, around: Around): SafePort {
  return {
    safeId: safe.safeId,
    register: (request) => around('register', request, (sent) => safe.register(sent)),
    retrieve: (certificate) => around('retrieve', certificate, (sent) => safe.retrieve(sent)),
    receipt: (receipt) => around('receipt', receipt, (sent) => safe.receipt(sent)),
  };
}
