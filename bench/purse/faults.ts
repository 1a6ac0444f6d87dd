import type { Failure, Outcome, PurseAlteration, PurseFault, PurseOperation, PursePorts } from '../../scenarios/index.js';
import { alterObject } from './alter.js';
import { challengeObject, entryObject, paymentObjectOf, queryObject, receiptObject, serviceObject } from './port.js';
import type { PurseRole, PurseWorld } from './world.js';

/** Start and end of each command and request of an undisturbed transfer, in ticks of the bench. */
export type OperationTimes = ReadonlyMap<PurseOperation, { readonly from: number; readonly to: number }>;

/** A fault being carried out. `fired` once it has happened; a point whose fault did not fire proves nothing. */
export interface PurseFaultAtWork {
  readonly ports: PursePorts;
  readonly fired: () => boolean;
  /** Waits for what is due at a moment that the run did not come to. */
  readonly settle?: () => Promise<void>;
}

type Call<T> = () => Promise<Outcome<T>>;
type Around = <T>(operation: PurseOperation, call: Call<T>, altered?: (bytes: Uint8Array) => T) => Promise<Outcome<T>>;

/** Ports whose every call goes through `around`; `sent` may alter what is sent. */
export function interceptedPurse({ payer, payee, thirdparty }: PursePorts, around: Around, sent: (operation: PurseOperation, bytes: Uint8Array) => Uint8Array = (_, bytes) => bytes): PursePorts {
  return {
    payer: { ...payer, pay: (embodiment, one) => around('pay', () => payer.pay(embodiment, { ...one, bytes: sent('pay', one.bytes) }), paymentObjectOf) },
    payee: {
      ...payee,
      challenge: (...args) => around('challenge', () => payee.challenge(...args), challengeObject),
      receive: (one) => around('receive', () => payee.receive({ ...one, bytes: sent('receive', one.bytes) }), entryObject),
      prepare: (one) => around('prepare', () => payee.prepare({ ...one, bytes: sent('prepare', one.bytes) }), queryObject),
      accept: (one) => around('accept', () => payee.accept({ ...one, bytes: sent('accept', one.bytes) }), entryObject),
      logTaken: (one) => around('logTaken', () => payee.logTaken({ ...one, bytes: sent('logTaken', one.bytes) })),
    },
    thirdparty: {
      query: (one) => around('query', () => thirdparty.query({ ...one, bytes: sent('query', one.bytes) }), serviceObject),
      log: (one) => around('log', () => thirdparty.log({ ...one, bytes: sent('log', one.bytes) }), receiptObject),
    },
  };
}

/** Ports that note when each call begins and ends. */
export function timedPorts(world: PurseWorld, times: Map<PurseOperation, { from: number; to: number }>): PursePorts {
  return interceptedPurse(world.ports, async (operation, call) => {
    const from = world.bench.now;
    const outcome = await call();
    times.set(operation, { from, to: world.bench.now });
    return outcome;
  });
}

const lostAnswer = (text: string): Failure => ({ ok: false, cause: 'link', text, marks: [] });

function losing(world: PurseWorld, fault: Extract<PurseFault, { fault: 'lost' }>): PurseFaultAtWork {
  let fired = false;
  const ports = interceptedPurse(world.ports, async (operation, call) => {
    if (operation !== fault.of || fired) return call();
    fired = true;
    if (fault.what === 'answer') await call();
    return lostAnswer(`the ${fault.what} of ${operation} was lost`);
  });
  return { ports, fired: () => fired };
}

function resetting(world: PurseWorld, { card, kind, before }: Extract<PurseFault, { fault: 'reset' }>): PurseFaultAtWork {
  let fired = false;
  const ports = interceptedPurse(world.ports, async (operation, call) => {
    if (operation === before && !fired) {
      fired = true;
      await world.bench.slot(card).line.reset(kind);
    }
    return call();
  });
  return { ports, fired: () => fired };
}

function altering(world: PurseWorld, of: PurseOperation, what: 'sent' | 'answer', alter: PurseAlteration): PurseFaultAtWork {
  let fired = false;
  const alterOnce = (bytes: Uint8Array): Uint8Array => {
    fired = true;
    return alterObject(bytes, alter, () => bytes);
  };
  const ports = interceptedPurse(world.ports, async (operation, call, altered) => {
    const outcome = await call();
    if (operation !== of || what !== 'answer' || !outcome.ok || fired || !altered) return outcome;
    return { ...outcome, value: altered(alterOnce((outcome.value as { readonly bytes: Uint8Array }).bytes)) };
  }, (operation, bytes) => (operation === of && what === 'sent' && !fired ? alterOnce(bytes) : bytes));
  return { ports, fired: () => fired };
}

/** Cuts at parts of the commands. A card that is not spoken to at that moment loses its power while it idles. */
function cutting(world: PurseWorld, { cuts }: Extract<PurseFault, { fault: 'cut' }>, times: OperationTimes): PurseFaultAtWork {
  const { bench } = world;
  const dark = new Set<PurseRole>();
  let last = 0;
  for (const { card, during, part } of cuts) {
    const time = times.get(during);
    if (!time) return { ports: world.ports, fired: () => false };
    const tick = Math.floor(time.from + part * (time.to - time.from));
    bench.slot(card).cutAt(tick);
    last = Math.max(last, tick + 1);
  }
  const look = (): void => { for (const { card } of cuts) if (!bench.slot(card).powered) dark.add(card); };
  return {
    ports: world.ports,
    fired: () => cuts.every(({ card }) => dark.has(card)),
    async settle() {
      await bench.sync();
      if (bench.now < last + 1) await bench.idle(last + 1 - bench.now);
      look();
    },
  };
}

/** Makes a fault ready. `times` are those of the undisturbed run from the same state. */
export function purseFaultAtWork(fault: PurseFault, world: PurseWorld, times: OperationTimes): PurseFaultAtWork {
  switch (fault.fault) {
    case 'lost': return losing(world, fault);
    case 'reset': return resetting(world, fault);
    case 'alter': return altering(world, fault.of, fault.what, fault.alter);
    case 'cut': return cutting(world, fault, times);
    case 'closed': {
      let fired = false;
      world.thirdParty.available = false;
      return {
        ports: interceptedPurse(world.ports, (operation, call) => {
          fired ||= operation === 'query';
          return call();
        }),
        fired: () => fired,
      };
    }
  }
}
