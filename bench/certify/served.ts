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

/** Objects of the plan that a safe signs. */
const bySafe: ReadonlySet<string> = new Set(['certificate', 'key-reply']);

/** Embodiments whose safes must know means and devices of the bench, and follow its clock. */
const withOwners: ReadonlySet<string> = new Set(['embodiment-8', 'embodiment-9', 'embodiment-10']);

/**
 * What a point needs that served safes do not offer: their own keys, where one of their objects is to be altered and signed
 * again and the compartments do not have the bench's keys; owners' means, devices and clock of the bench.
 */
export function missingAtSafes(
  point: ListedPoint & Partial<Pick<PlanPoint, 'fault' | 'run' | 'prepare'>>, served: ServedSafes,
): readonly string[] {
  const own = all(served).some(({ address }) => address.keys === 'own');
  const { fault, run, prepare, needs } = point;
  if (all(served).length > 0 && needs.some((need) => withOwners.has(need))) return ['safe-owners'];
  const altered = fault?.fault === 'alter' && fault.resign === true && bySafe.has(fault.object);
  return own && (altered || signsAgain([run, prepare])) ? ['safe-keys'] : [];
}
