import type { ListedPoint, PlanPoint } from '../../scenarios/index.js';
import { toHex } from '../codec/index.js';
import { connectSafe } from '../world/served-safes.js';
import type { SafeAddress, ServedSafe } from '../world/served-safes.js';
import type { BenchError } from '../world/errors.js';

/** Parts that safes play in a world, in the order in which served ones are given. */
export const safeRoles = ['safe', 'other'] as const;

/** Served safes by the part they play; parts without one are played in this process. */
export type ServedSafes = Partial<Readonly<Record<(typeof safeRoles)[number], ServedSafe>>>;

/** Connects to the served safes, which take the parts in order. Rejects with BenchError BENCH_SAFE. */
export async function connectSafes(addresses: readonly SafeAddress[] = []): Promise<ServedSafes> {
  const served: Partial<Record<(typeof safeRoles)[number], ServedSafe>> = {};
  for (const [at, address] of addresses.entries()) served[safeRoles[at]] = await connectSafe(address);
  return served;
}

const all = (served: ServedSafes): readonly ServedSafe[] => safeRoles.flatMap((role) => served[role] ?? []);

/** Says which safe plays which part, and whose id and keys the cards know. */
export function servedLines(served: ServedSafes): readonly string[] {
  return safeRoles.flatMap((role) => {
    const safe = served[role];
    if (safe === undefined) return [];
    const { address: { url, keys }, entry } = safe;
    return [`${role}: served by ${toHex(entry.safeId)} at ${url}, id and keys are ${keys === 'own' ? 'its own' : "the bench's"}`];
  });
}

/** What went wrong between bench and safes since the last call. */
export function troubleOf(served: ServedSafes): BenchError | undefined {
  return all(served).map((safe) => safe.trouble()).find((trouble) => trouble !== undefined);
}

/** Drops what was opened at the safes. Rejects with BenchError BENCH_SAFE. */
export async function releaseSafes(served: ServedSafes): Promise<void> {
  for (const safe of all(served)) await safe.release();
}

/** True when some part of a plan point asks for an object to be signed again. */
function signsAgain(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return false;
  return (part as { readonly resign?: unknown }).resign === true || Object.values(part).some(signsAgain);
}

/** True when some part of a plan point runs embodiment 6: its key parts can be seen only with the safes' keys. */
function dividesKey(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return false;
  const { scenario } = part as { readonly scenario?: unknown };
  return (typeof scenario === 'string' && scenario.startsWith('6/')) || Object.values(part).some(dividesKey);
}

/** Objects of the plan that a safe signs. */
const bySafe: ReadonlySet<string> = new Set(['certificate', 'key-reply']);

/** A fault that signs with a safe's key; what comes sealed is signed by its safe (docs/protocol.md 2.8). */
function signsAsSafe({ fault, run }: { readonly fault?: PlanPoint['fault'] | undefined; readonly run?: PlanPoint['run'] | undefined }): boolean {
  const sealed = run?.run === 'scenario' && run.options.sealed === true;
  if (fault?.fault === 'swap') return sealed && fault.by === 'other-safe';
  return fault?.fault === 'alter' && fault.resign === true && (bySafe.has(fault.object) || (sealed && fault.object === 'registered-value'));
}

/**
 * What a point needs that served safes do not offer: their own keys (`safe-keys`), where one of their objects is to be
 * altered and signed again or a key part to be seen, and a place on their connection (`safe-wire`), where trouble between
 * them is to be made.
 */
export function missingAtSafes(
  point: ListedPoint & Partial<Pick<PlanPoint, 'fault' | 'run' | 'prepare'>>, served: ServedSafes,
): readonly string[] {
  const own = all(served).some(({ address }) => address.keys === 'own');
  const { fault, run, prepare } = point;
  const both = served.safe !== undefined && served.other !== undefined;
  if (both && fault?.fault === 'peer') return ['safe-wire'];
  const parts = own && dividesKey([run, prepare]);
  const altered = signsAsSafe({ fault, run });
  return parts || own && (altered || signsAgain([run, prepare])) ? ['safe-keys'] : [];
}
