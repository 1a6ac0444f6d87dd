import type {
  CardPort, ConditionCardPort, DevicePort, KeySafePort, Outcome, OwnerCardPort, OwnerMeansPort, OwnerSafePort, Ports, RenewingCardPort, SafePort, ScenarioId,
  SeedCardPort, SetCardPort,
} from '../../scenarios/index.js';
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
    [role, aroundPort(role, port, aroundOf(scenario, role, interceptor))]);
  const { safe } = ports;
  return { safe, ...Object.fromEntries(others), card: cardAround(ports.card, aroundOf(scenario, 'card', interceptor)) };
}

function aroundPort(role: string, port: unknown, around: Around): unknown {
  if (role === 'owner') return meansAround(port as OwnerMeansPort, around);
  if (role === 'device') return deviceAround(port as DevicePort, around);
  if (!role.startsWith('safe')) return port;
  const safe = safeAround(port as SafePort, around);
  return 'enrol' in safe ? { ...safe, ...ownerSafeAround(port as OwnerSafePort, around) } : safe;
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
    ...'extract' in card ? conditionAround(card as ConditionCardPort, around) : {},
    ...'pathRegister' in card ? ownerCardAround(card as OwnerCardPort, around) : {},
    ...'renewKey' in card ? { renewKey: () => around('renewKey', undefined, () => (card as RenewingCardPort).renewKey()) } : {},
    hasTrace: card.hasTrace,
    verifyPin: (pin) => card.verifyPin(pin),
    listValues: (embodiment, from) => around('listValues', undefined, () => card.listValues(embodiment, from)),
    registerBegin: (...how) => around('registerBegin', undefined, () => card.registerBegin(...how)),
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

/** The operations of embodiment 11 that its scenario has. */
function conditionAround(card: ConditionCardPort, around: Around): Partial<ConditionCardPort> {
  return {
    extract: (number, date, from) => around('extract', undefined, () => card.extract(number, date, from)),
    backupEnd: (handle) => around('backupEnd', undefined, () => card.backupEnd(handle)),
  };
}

/** The commands of embodiments 8, 9 and 10. */
function ownerCardAround(card: OwnerCardPort, around: Around): Partial<OwnerCardPort> {
  return {
    pathRegister: (embodiment, handle, hash, grant) => around('pathRegister', grant, (sent) => card.pathRegister(embodiment, handle, hash, sent)),
    pathRecover: (embodiment, certificate, object) => around('pathRecover', object, (sent) => card.pathRecover(embodiment, certificate, sent)),
  };
}

function ownerSafeAround(safe: OwnerSafePort, around: Around): Partial<OwnerSafePort> {
  return {
    enrol: (choice) => around('enrol', undefined, () => safe.enrol(choice)),
    present: (certificate, choice) => around('present', certificate, (sent) => safe.present(sent, choice)),
    ownerChallenge: () => around('ownerChallenge', undefined, () => safe.ownerChallenge()),
    ownerResult: (result, certificate) => around('ownerResult', result, (sent) => safe.ownerResult(sent, certificate)),
    deviceHello: (hello) => around('deviceHello', hello, (sent) => safe.deviceHello(sent)),
    deviceProof: (proof, certificate) => around('deviceProof', proof, (sent) => safe.deviceProof(sent, certificate)),
    registerOver: (grant, request) => around('registerOver', request, (sent) => safe.registerOver(grant, sent)),
    retrieveOver: (grant, certificate) => around('retrieveOver', certificate, (sent) => safe.retrieveOver(grant, sent)),
  };
}

const meansAround = (means: OwnerMeansPort, around: Around): OwnerMeansPort => ({
  authenticate: (challenge, choice, transport) => around('authenticate', challenge, (sent) => means.authenticate(sent, choice, transport)),
});

const deviceAround = (device: DevicePort, around: Around): DevicePort => ({
  hello: () => around('hello', undefined, () => device.hello()),
  prove: (check) => around('prove', check, (sent) => device.prove(sent)),
});

/** The operations of a key safe that authenticates owners. */
const ownedAround = (safe: KeySafePort, around: Around): Pick<KeySafePort, 'registerOwned' | 'retrieveSet'> => ({
  registerOwned: (request, owner) => around('registerOwned', request, (sent) => safe.registerOwned(sent, owner)),
  retrieveSet: (owner, key, value) => around('retrieveSet', value, (sent) => safe.retrieveSet(owner, key, sent)),
});

function safeAround(safe: SafePort, around: Around): SafePort {
  return {
    ...safe,
    safeId: safe.safeId,
    register: (request) => around('register', request, (sent) => safe.register(sent)),
    ...'retrieveSet' in safe ? ownedAround(safe as KeySafePort, around) : {},
    retrieve: (certificate) => around('retrieve', certificate, (sent) => safe.retrieve(sent)),
    receipt: (receipt) => around('receipt', receipt, (sent) => safe.receipt(sent)),
  };
}
