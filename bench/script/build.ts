import { certificate, commands, fromHex, loadObject } from '../codec/index.js';
import type { BackedKey, CardCommand } from '../codec/index.js';
import type { Alteration, ItemRef, ObjectRef, Ref, SampleName, ScriptCommand } from '../../scenarios/index.js';
import { alterObject } from '../faults/alter.js';
import { verifyCommand } from '../terminal/card-port.js';
import { BenchError } from '../world/errors.js';
import { signAgain } from '../faults/sources.js';
import { pinDigits } from '../world/world.js';
import type { SafeDesk } from '../world/safes.js';
import type { World } from '../world/world.js';

/** What a script has bound so far. */
export interface Bindings {
  readonly objects: Map<string, Uint8Array>;
  readonly numbers: Map<string, number>;
  /** Handles by `$item` and `$item.certificate` as they were last seen: deleted items keep theirs. */
  readonly handles: Map<string, number>;
}

/** Empty bindings. */
export function noBindings(): Bindings {
  return { objects: new Map(), numbers: new Map(), handles: new Map() };
}

const unbound = (what: string): BenchError => new BenchError('BENCH_PREPARE', `${what} is not bound by the plan point`);

const keyNames: Readonly<Record<string, BackedKey>> = { $decoding: 'decoding', $common: 'common', $seed: 'seed' };

function presentHandle(world: World, name: string, part: string | undefined): number | undefined {
  const key = keyNames[name];
  if (key !== undefined) return world.keyCertificate(key);
  const issueId = world.names.get(name);
  return issueId === undefined ? undefined : world.handleOf(issueId, part === 'certificate' ? 'certificate' : 'value');
}

/** Handle of an item by reference. Throws BenchError BENCH_PREPARE when the card has never had it. */
export function handleOf(world: World, bound: Bindings, ref: ItemRef): number {
  if (typeof ref === 'number') return ref;
  const [name, part] = ref.split('.');
  const handle = presentHandle(world, name, part) ?? bound.handles.get(ref);
  if (handle === undefined) throw unbound(ref);
  bound.handles.set(ref, handle);
  return handle;
}

/** The safe a plan means by a name. */
export function deskOf(world: World, name: 'safe' | 'other-safe' | 'unknown-safe'): SafeDesk {
  const { safes } = world.parts;
  return { safe: safes.safe, 'other-safe': safes.other, 'unknown-safe': safes.unknown }[name];
}

/** Only certificates can be signed again here: their signature is bound to nothing but their own bytes. */
function alteredObject(
  world: World, bytes: Uint8Array, change: { element: string; how: Alteration; resign?: boolean },
): Uint8Array {
  const out = alterObject(bytes, change.element, change.how);
  if (out === undefined) throw new BenchError('BENCH_PREPARE', `${change.element} cannot be altered by ${change.how.how}`);
  if (change.resign !== true) return out;
  if (bytes[0] !== certificate.tag) throw new BenchError('BENCH_PREPARE', 'a script can sign only certificates again');
  return signAgain(world, 'certificate', out, { cardId: '', sequence: 0 });
}

/**
 * The bytes of an object by reference; a load object that corrects a value keeps its issue id. Throws BenchError
 * BENCH_PREPARE.
 */
export async function objectOf(world: World, bound: Bindings, ref: ObjectRef, corrected?: string): Promise<Uint8Array> {
  const saved = (name: Ref): Uint8Array => {
    const bytes = bound.objects.get(name);
    if (bytes === undefined) throw unbound(name);
    return bytes;
  };
  if (typeof ref === 'string') return saved(ref);
  if ('hex' in ref) return fromHex(ref.hex);
  if ('of' in ref) return alteredObject(world, saved(ref.of), ref);
  if (ref.make === 'certificate') return deskOf(world, ref.by).client.register(saved(ref.for));
  const issueId = corrected === undefined ? {} : { issueId: fromHex(corrected) };
  return loadObject.encode(world.loadObject(ref.sample as SampleName, { ahead: ref.number, otherCard: ref.card === 'other', ...issueId }));
}

const variants = { plain: 0, 'public-key': 1, 'common-key': 2 } as const;
const dataNames = {
  DF01: 'shortage', DF02: 'memory', DF03: 'credential', DF04: 'status', DF05: 'firmware', DF06: 'publicKeys',
} as const;
const wrongAid = Uint8Array.of(0xa0, 0, 0, 0, 3, 0, 0);

const textBytes = (digits: string | undefined): Uint8Array => new TextEncoder().encode(digits ?? '');

/** The card command of a script command; undefined when it is not one single command. */
export function cardCommand(world: World, bound: Bindings, c: ScriptCommand): Promise<CardCommand> | CardCommand | undefined {
  return simple(c) ?? onCondition(c) ?? onItem(world, bound, c) ?? withObject(world, bound, c);
}

function simple(c: ScriptCommand): CardCommand | undefined {
  switch (c.do) {
    case 'select': return c.aid === 'wrong' ? { ...commands.select(), data: wrongAid } : commands.select();
    case 'verify': return verifyCommand(pinDigits(c.pin));
    case 'change-pin': return { ...commands.changePin('0000'), data: textBytes(pinDigits(c.pin)) };
    case 'get-data': return commands.getData(dataNames[c.tag]);
    case 'list-values': return commands.listValues(c.embodiment);
    case 'list-certificates': return commands.listCertificates(c.embodiment, c.what);
    case 'generate-key': return commands.generateKey(c.kind);
    case 'renew-key': return commands.renewKey();
    case 'generate-seed': return commands.generateSeed();
    case 'delete-key': return commands.deleteKey(c.kind);
    case 'initialise': return commands.initialise();
    case 'issue': return commands.issue();
    case 'put-data': {
      const [p1, p2] = fromHex(c.tag);
      return { ...commands.putCardId(new Uint8Array(8)), p1, p2, data: fromHex(c.data) };
    }
    case 'list': return commands.list({
      entries: c.what,
      ...(c.informationClass === undefined ? {} : { infoClass: c.informationClass }),
      ...(c.ends === undefined ? {} : { days: { today: c.ends.today, last: c.ends.lastDay } }),
    });
    default: return undefined;
  }
}

function onCondition(c: ScriptCommand): CardCommand | undefined {
  switch (c.do) {
    case 'date': return commands.date(c.date);
    case 'put-condition': return 'data' in c
      ? { ...commands.deleteCondition(c.number), data: fromHex(c.data) } : commands.putCondition(c.number, c.condition);
    case 'get-condition': return commands.getCondition(c.number);
    case 'extract': return commands.extract(c.number, c.date);
    default: return undefined;
  }
}

/** Handles no card gives (0000, FFFF) are sent all the same: element 8B stands first in the data. */
function onItem(world: World, bound: Bindings, c: ScriptCommand): CardCommand | undefined {
  if (!('item' in c) || typeof c.item !== 'number' || (c.item >= 1 && c.item <= 0xfffe)) return onHandle(world, bound, c);
  const command = onHandle(world, bound, { ...c, item: 1 });
  return command && { ...command, data: Uint8Array.of(...command.data.slice(0, 2), c.item >> 8, c.item & 0xff, ...command.data.slice(4)) };
}

function onHandle(world: World, bound: Bindings, c: ScriptCommand): CardCommand | undefined {
  const handle = (ref: ItemRef): number => handleOf(world, bound, ref);
  switch (c.do) {
    case 'register-begin': return commands.registerBegin(c.embodiment, variants[c.variant], handle(c.item), c.hash);
    case 'recover-begin': return commands.recoverBegin(c.embodiment, c.what, handle(c.item));
    case 'get-receipt': return commands.getReceipt(handle(c.item));
    case 'delete': return commands.deleteItem(handle(c.item));
    case 'backup-end': return commands.backupEnd(handle(c.item));
    case 'cancel': return c.item === undefined ? commands.cancelKey() : commands.cancel(handle(c.item));
    case 'read': return commands.readItem(handle(c.item));
    case 'use': return c.amount === undefined
      ? commands.useQuantity(handle(c.item), c.quantity ?? 0) : commands.useAmount(handle(c.item), c.amount);
    case 'seed-register-begin': return commands.seedRegisterBegin(deskOf(world, c.safe).entry.safeId, c.hash);
    case 'seed-recover-begin': return commands.seedRecoverBegin(c.item === undefined ? undefined : handle(c.item));
    case 'key-register-begin': return commands.keyRegisterBegin(c.kind, deskOf(world, c.safe).entry.safeId, c.hash, c.embodiment);
    default: return undefined;
  }
}

function withObject(world: World, bound: Bindings, c: ScriptCommand): Promise<CardCommand> | undefined {
  const object = (ref: ObjectRef): Promise<Uint8Array> => objectOf(world, bound, ref);
  const handle = (ref: ItemRef): number => handleOf(world, bound, ref);
  switch (c.do) {
    case 'register-end': return object(c.certificate).then((bytes) => commands.registerEnd(c.embodiment, c.what, bytes));
    case 'recover-end': return object(c.object).then((bytes) => commands.recoverEnd(c.embodiment, handle(c.item), bytes));
    case 'key-recover-end': return object(c.object).then((bytes) => commands.keyRecoverEnd(handle(c.item), bytes));
    case 'seed-recover-end': return object(c.object).then((bytes) => commands.seedRecoverEnd(handle(c.item), bytes));
    case 'load': return object(c.object).then((bytes) => commands.load(bytes));
    case 'correct': return object(c.object).then((bytes) => commands.correct(handle(c.item), bytes));
    default: return undefined;
  }
}
