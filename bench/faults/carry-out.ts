import { certificate as certificateCodec, paths, registrationRequest } from '../codec/index.js';
import { isKeyKind } from '../../scenarios/index.js';
import type {
  AlterFault, CertificateObject, Failure, Fault, ObjectName, Outcome, SafeFault, SwapFault, TwoSafePorts,
} from '../../scenarios/index.js';
import { certificateObject, requestObject, retrievedObject } from '../terminal/convert.js';
import { certificateBy, foreignObject, replyBy, signAgain } from './sources.js';
import type { ObjectContext } from './sources.js';
import { alterObject } from './alter.js';
import type { Call } from './calls.js';
import { carryOutCardFault } from './card-faults.js';
import { carryOutOwnerFault, carryOutPeerFault } from './peer-faults.js';
import type { FaultSetting, FaultState } from './setting.js';
import type { Interceptor, Proceed } from './intercept.js';

/** A fault at work in a scenario. */
export interface FaultAtWork extends Interceptor {
  readonly fault: Fault;
  /** True once it was carried out. */
  readonly applied: boolean;
  /** True once the run came to its place. */
  readonly reached: boolean;
  /** What was done, for the record. */
  readonly text: string;
}

interface Carried {
  readonly bytes: Uint8Array;
}

const isCarried = (value: unknown): value is Carried =>
  typeof value === 'object' && value !== null && (value as Partial<Carried>).bytes instanceof Uint8Array;

/** The object again with other bytes; its decoded fields follow the bytes where these can be decoded. */
function withBytes<T>(value: T, bytes: Uint8Array, object: ObjectName): T {
  const fields = value as T & Carried & { readonly hashAlgorithm?: 'SHA-256' };
  try {
    if (object === 'request') return requestObject(bytes, registrationRequest.decode(bytes)) as T;
    if (object === 'certificate') return { ...fields, ...certificateObject(bytes, certificateCodec.decode(bytes)) };
    if (object === 'value' || object === 'registered-value' || object === 'key-reply' || object === 'path-reply')
      return retrievedObject(bytes, fields.hashAlgorithm ?? 'SHA-256') as T;
  } catch {
    return { ...fields, bytes };
  }
  return { ...fields, bytes };
}

function observe(state: FaultState, value: unknown): void {
  if (!isCarried(value)) return;
  const seen = value as Carried & Partial<ObjectContext> & Pick<Partial<CertificateObject>, 'kind'>;
  if (seen.bytes[0] === registrationRequest.tag) state.request = seen.bytes;
  if (seen.cardId === undefined || seen.sequence === undefined) return;
  state.context = {
    ...state.context, cardId: seen.cardId, sequence: seen.sequence,
    ...(seen.safeId === undefined ? {} : { safeId: seen.safeId }),
    ...(seen.counter === undefined ? {} : { counter: seen.counter }),
  };
  if (isKeyKind(seen.kind)) state.keyContext = state.context;
}

function altered(fault: AlterFault, setting: FaultSetting, state: FaultState, bytes: Uint8Array): Uint8Array | undefined {
  const out = alterObject(bytes, fault.element, fault.how);
  if (out === undefined || fault.resign !== true) return out;
  const context = fault.object === 'key-reply' ? state.keyContext ?? state.context : state.context;
  return context && signAgain(setting.world, fault.object, out, context);
}

async function swapped(fault: SwapFault, setting: FaultSetting, state: FaultState, bytes: Uint8Array): Promise<Uint8Array | undefined> {
  if (fault.with !== undefined) return setting.saved.get(fault.with);
  const { world, scenario } = setting;
  const { safes } = world.parts;
  if (bytes[0] === paths.reply.tag && state.context && (fault.by === 'other-safe' || fault.by === 'unknown-safe'))
    return replyBy(fault.by === 'other-safe' ? safes.other : safes.unknown, bytes, state.context);
  if (fault.by === 'foreign') return foreignObject(world, scenario, fault.object);
  if (state.request === undefined || fault.object !== 'certificate') return undefined;
  if (fault.by === 'unknown-safe') return certificateBy(safes.unknown, state.request);
  if (fault.by === 'other-safe') return certificateBy(scenario.includes('seed') ? safes.safe : safes.other, state.request);
  return undefined;
}

/** Replaces the object that crosses with a call where the fault says so. */
async function exchangeObject<S, T>(
  fault: AlterFault | SwapFault, setting: FaultSetting, state: FaultState, call: Call, sent: S, proceed: Proceed<S, T>,
): Promise<Outcome<T>> {
  const replace = async <V>(value: V): Promise<V> => {
    if (!isCarried(value)) return value;
    const bytes = fault.fault === 'alter' ? altered(fault, setting, state, value.bytes) : await swapped(fault, setting, state, value.bytes);
    if (bytes === undefined) return value;
    state.applied = true;
    state.text = `${fault.object} at ${fault.at}: ${fault.fault === 'alter' ? `${fault.element} ${fault.how.how}` : `replaced (${fault.by})`}`;
    return withBytes(value, bytes, fault.object);
  };
  const first = call.steps[0] === fault.at;
  const outcome = await proceed(first && call.sends === fault.object ? await replace(sent) : sent);
  const back = outcome.ok && call.receives === fault.object && !(first && call.sends === fault.object);
  return back ? { ...outcome, value: await replace(outcome.value) } : outcome;
}

const failure = (cause: Failure['cause'], text: string, safeCode?: string): Failure =>
  ({ ok: false, cause, text, marks: [], ...(safeCode === undefined ? {} : { safeCode }) });

/** The port of the safe that a call does not go to. */
function otherPort({ world }: FaultSetting, { party }: Call): object {
  const { safe, safe2 } = world.ports as TwoSafePorts;
  return party === 'safe2' ? safe : safe2;
}

async function misbehave<S, T>(
  fault: SafeFault, setting: FaultSetting, state: FaultState, call: Call, sent: S, proceed: Proceed<S, T>,
): Promise<Outcome<T>> {
  state.applied = true;
  state.text = `safe at ${fault.at}: ${fault.how}`;
  const { safe, other } = setting.world.parts.safes;
  const { store } = call.party === 'safe2' ? other : safe;
  switch (fault.how) {
    case 'unreachable': return failure('link', 'SAFE_UNREACHABLE: no connection');
    case 'late': await proceed(sent); return failure('late', 'SAFE_TIMEOUT: the answer came too late');
    case 'lost-answer': await proceed(sent); return failure('link', 'SAFE_UNREACHABLE: the answer was lost');
    case 'twice': await proceed(sent); return proceed(sent);
    case 'error': return failure('refused', `${fault.code}: the safe answers ${fault.status}`, fault.code);
    case 'garbage': await proceed(sent); return failure('unexpected', 'the safe answered with something that is no object');
    case 'forgets': {
      const records = store.snapshot();
      store.restore({ root: undefined });
      const outcome = await proceed(sent);
      store.restore(records);
      return outcome;
    }
    case 'misdirected': {
      const wrong = otherPort(setting, call) as Readonly<Record<string, (object: S) => Promise<Outcome<T>>>>;
      return wrong[call.name](sent);
    }
    case 'wrong-record': {
      const outcome = await proceed(sent);
      const bytes = fault.with === undefined ? undefined : setting.saved.get(fault.with);
      state.applied = outcome.ok && bytes !== undefined;
      if (!outcome.ok || bytes === undefined) return outcome;
      const object = bytes[0] === certificateCodec.tag ? 'certificate' : 'value';
      return { ...outcome, value: withBytes(outcome.value, bytes, object) };
    }
  }
}

function touches(fault: Fault, call: Call): boolean {
  const at = 'at' in fault ? [fault.at] : 'before' in fault ? [fault.before] : 'after' in fault ? [fault.after]
    : 'step' in fault ? [fault.step] : fault.steps;
  return at.some((place) => call.steps.includes(place));
}

/** Puts a fault of the plan to work in a scenario of a world. */
export function faultAtWork(fault: Fault, setting: FaultSetting): FaultAtWork {
  const state: FaultState = { applied: false, reached: false, text: `${fault.fault}: not reached`, context: undefined, keyContext: undefined, request: undefined };
  const carryOut = <S, T>(call: Call, sent: S, proceed: Proceed<S, T>): Promise<Outcome<T>> => {
    if (!touches(fault, call)) return proceed(sent);
    state.reached = true;
    if (fault.fault === 'alter' || fault.fault === 'swap') return exchangeObject(fault, setting, state, call, sent, proceed);
    if (fault.fault === 'safe') return state.applied ? proceed(sent) : misbehave(fault, setting, state, call, sent, proceed);
    if (fault.fault === 'peer') return state.applied ? proceed(sent) : carryOutPeerFault(fault, setting.world, state, sent, proceed);
    if (fault.fault === 'owner') return state.applied ? proceed(sent) : carryOutOwnerFault(fault, setting.world, state, sent, proceed);
    return carryOutCardFault(fault, setting, state, call, sent, proceed);
  };
  return {
    fault,
    get applied() { return state.applied; },
    get reached() { return state.reached; },
    get text() { return state.text; },
    async around(call, sent, proceed) {
      observe(state, sent);
      const outcome = await carryOut(call, sent, proceed);
      if (outcome.ok) observe(state, outcome.value);
      return outcome;
    },
  };
}
