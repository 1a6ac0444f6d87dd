import type { CardPort, Outcome, Ports, SafePort, ScenarioId, SeedCardPort, SetCardPort } from '../../scenarios/index.js';
import { callsOf } from './calls.js';
import type { Call } from './calls.js';

/** Carries out one operation with the object given to it. */
export type Proceed<S, T> = (sent: S) => Promise<Outcome<T>>;

/** Stands between the scenario and its peers. */
export interface Interceptor {
  around<S, T>(call: Call, sent: S, proceed: Proceed<S, T>): Promise<Outcome<T>>;
}

/**
 * The ports of a scenario with an interceptor around each operation. VERIFY passes untouched, so do operations that
 * only some embodiments have unless their port wraps them with {@link aroundOf}.
 */
export function intercepted(scenario: ScenarioId, ports: Ports, interceptor: Interceptor): Ports {
  const others = Object.entries(ports).filter(([role]) => role !== 'card').map(([role, port]): readonly [string, unknown] =>
    [role, role.startsWith('safe') ? safeAround(port as SafePort, aroundOf(scenario, role, interceptor)) : port]);
  const { safe } = ports;
  return { safe, ...Object.fromEntries(others), card: cardAround(ports.card, aroundOf(scenario, 'card', interceptor)) };
}

/** Goes around one operation of a port. */
export type Around = <S, T>(name: string, sent: S, proceed: Proceed<S, T>) => Promise<Outcome<T>>;

/**
 * The way around the operations of a party in a scenario; what the scenario does not have passes untouched. An operation
 * that a scenario has several times (a set of pieces) is told by how often it was called.
 */
export function aroundOf(scenario: ScenarioId, party: string, interceptor: Interceptor): Around {
  const calls = callsOf(scenario).filter((call) => call.party === party);
  const done = new Map<string, number>();
  return (name, sent, proceed) => {
    const alike = calls.filter((candidate) => candidate.name === name);
    const before = done.get(name) ?? 0;
    done.set(name, before + 1);
    const call = alike.at(Math.min(before, alike.length - 1));
    return call === undefined ? proceed(sent) : interceptor.around(call, sent, proceed);
  };
}

function seedAround(card: SeedCardPort, around: Around): Pick<SeedCardPort, 'seedRegisterBegin' | 'seedRecoverBegin' | 'seedRecoverEnd'> {
  return {
    seedRegisterBegin: (safeId, hash) => around('seedRegisterBegin', undefined, () => card.seedRegisterBegin(safeId, hash)),
    seedRecoverBegin: (chosen) => around('seedRecoverBegin', undefined, () => card.seedRecoverBegin(chosen)),
    seedRecoverEnd: (certificate, object) => around('seedRecoverEnd', object, (sent) => card.seedRecoverEnd(certificate, sent)),
  };
}

function cardAround(card: CardPort, around: Around): CardPort {
  return {
    ...card,
    ...'seedRegisterBegin' in card ? seedAround(card as SeedCardPort, around) : {},
    ...'divide' in card ? setAround(card as SetCardPort, around) : {},
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
    keyRegisterBegin: (kind, safeId, hash, embodiment) =>
      around('keyRegisterBegin', undefined, () => card.keyRegisterBegin(kind, safeId, hash, embodiment)),
    keyRecoverEnd: (certificate, object, embodiment) =>
      around('keyRecoverEnd', object, (sent) => card.keyRecoverEnd(certificate, sent, embodiment)),
    getReceipt: (certificate) => around('getReceipt', undefined, () => card.getReceipt(certificate)),
    delete: (handle) => around('delete', undefined, () => card.delete(handle)),
    deleteKey: (kind) => around('deleteKey', undefined, () => card.deleteKey(kind)),
  };
}

/** The operations of embodiments 4, 5 and 6. */
function setAround(card: SetCardPort, around: Around): Partial<SetCardPort> {
  return {
    divide: (...how) => around('divide', undefined, () => card.divide(...how)),
    piece: (...how) => around('piece', undefined, () => card.piece(...how)),
    keyPart: (...how) => around('keyPart', undefined, () => card.keyPart(...how)),
    setEnd: (embodiment, certificate) => around('setEnd', certificate, (sent) => card.setEnd(embodiment, sent)),
    gather: (...how) => around('gather', undefined, () => card.gather(...how)),
    combine: (...how) => around('combine', undefined, () => card.combine(...how)),
    couple: (...how) => around('couple', undefined, () => card.couple(...how)),
    decouple: (certificate, object) => around('decouple', object, (sent) => card.decouple(certificate, sent)),
    divideKey: (...how) => around('divideKey', undefined, () => card.divideKey(...how)),
    coupleKey: (...how) => around('coupleKey', undefined, () => card.coupleKey(...how)),
    coupledEnd: (certificate) => around('coupledEnd', certificate, (sent) => card.coupledEnd(sent)),
    gatherCoupled: (...how) => around('gatherCoupled', undefined, () => card.gatherCoupled(...how)),
    decoupleKey: (certificate, object) => around('decoupleKey', object, (sent) => card.decoupleKey(certificate, sent)),
  };
}

function safeAround(safe: SafePort, around: Around): SafePort {
  return {
    ...safe,
    safeId: safe.safeId,
    register: (request) => around('register', request, (sent) => safe.register(sent)),
    retrieve: (certificate) => around('retrieve', certificate, (sent) => safe.retrieve(sent)),
    receipt: (receipt) => around('receipt', receipt, (sent) => safe.receipt(sent)),
  };
}
