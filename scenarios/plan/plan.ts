import { frameOf, scenarioIds } from '../catalogue/registry.js';
import { ScenarioError } from '../errors.js';
import { apart } from './apart.js';
import { altered } from './altered.js';
import { conditions } from './conditions.js';
import { commands } from './commands.js';
import { coupledPoints } from './coupled.js';
import type { Fault } from './faults.js';
import { memory } from './memory.js';
import { nominal } from './nominal.js';
import { owners } from './owners.js';
import { order } from './order.js';
import { samples } from './samples.js';
import { sealed } from './sealed.js';
import { seedParts } from './seed-parts.js';
import { seeds } from './seeds.js';
import { setPoints } from './sets.js';
import { talk } from './talk.js';
import { trouble } from './trouble.js';
import type { Capability, PlanPoint } from './types.js';
import { wallet } from './wallet.js';

/** Id of this plan, for records. */
export const planId = 'backup-1-2/1';

/** The test plan of the backup system, in the order in which it is run: whatever goes through first. */
export const plan: readonly PlanPoint[] = [
  ...nominal, ...order, ...wallet, ...commands, ...altered, ...memory, ...trouble, ...setPoints, ...coupledPoints, ...seeds, ...seedParts,
  ...apart, ...sealed, ...owners, ...conditions, ...talk,
];

/**
 * A point by its id.
 * @throws ScenarioError `PLAN_UNKNOWN` naming points with the same beginning
 */
export function planPoint(id: string): PlanPoint {
  const found = plan.find((point) => point.id === id);
  if (found) return found;
  const near = plan.filter((point) => point.id.startsWith(id.slice(0, 8))).slice(0, 8).map((point) => point.id);
  throw new ScenarioError('PLAN_UNKNOWN', `the plan has no point ${id}`, near.length > 0 ? `Near it: ${near.join(', ')}` : 'List the points to choose one');
}

/**
 * Points that one of the patterns names: the one whose id it is, or else those whose ids begin with it, or else those in
 * whose ids it stands from a dash on; `*` stands for anything. All points when there is no pattern.
 */
export function selectPoints(patterns: readonly string[]): readonly PlanPoint[];
/** The same of other points than those of the plan. */
export function selectPoints<P extends { readonly id: string }>(patterns: readonly string[], points: readonly P[]): readonly P[];
/** See above. */
export function selectPoints(patterns: readonly string[], points: readonly { readonly id: string }[] = plan): readonly { readonly id: string }[] {
  if (patterns.length === 0) return points;
  const tests = patterns.map((pattern) => {
    const escaped = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*');
    const whole = pattern.includes('*') ? [] : [`^${escaped}$`];
    const ways = [...whole, `^${escaped}`, `(?<![A-Za-z0-9])${escaped}`].map((way) => new RegExp(way));
    return ways.find((way) => points.some(({ id }) => way.test(id))) ?? ways[0];
  });
  return points.filter(({ id }) => tests.some((test) => test.test(id)));
}

/** What a point needs and the implementation under test, its chip or the bench does not have. */
export const missingFor = (point: Pick<PlanPoint, 'needs'>, offered: readonly Capability[]): readonly Capability[] =>
  point.needs.filter((need) => !offered.includes(need));

/** A clause in words: `steps 1-13, 1-15; claims 2; protocol 2.4-2`. */
export function clauseText({ clause }: Pick<PlanPoint, 'clause'>): string {
  const words = (name: string, list: readonly (string | number)[]): string[] => (list.length > 0 ? [`${name} ${list.join(', ')}`] : []);
  return [...words('steps', clause.steps), ...words('claims', clause.claims), ...words('protocol', clause.rules)].join('; ');
}

/** The places in a scenario that a fault names. */
export function placesOfFault(fault: Fault): readonly string[] {
  switch (fault.fault) {
    case 'alter': case 'swap': case 'safe': case 'link': case 'replay': case 'peer': case 'owner': return [fault.at];
    case 'reset': return [fault.after];
    case 'repeat': return [fault.step];
    case 'skip': return fault.steps;
    case 'pin': case 'memory': case 'apdu': case 'meanwhile': return [fault.before];
  }
}

const invalid = (point: PlanPoint, what: string): ScenarioError =>
  new ScenarioError('PLAN_INVALID', `${point.id}: ${what}`, 'No point was run; correct the plan');

function checkPlaces(point: PlanPoint): void {
  if (point.run.run !== 'scenario') return;
  const { scenario } = point.run;
  const known = [...frameOf(scenario).steps.map((step) => step.id), 'claim-25', 'claim-26-receipt', 'claim-26-safe', 'claim-26-delete', ...frameOf(scenario).claims.map(({ state }) => state)];
  const named = [...point.fault ? placesOfFault(point.fault) : [], ...point.clause.steps, ...point.expect.at ?? []];
  const foreign = named.find((place) => !known.includes(place));
  if (foreign !== undefined) throw invalid(point, `${scenario} has no step ${foreign}`);
}

/**
 * Checks a plan: ids once, steps of the catalogue, samples that exist, a clause for each point, faults only in scenarios.
 * @throws ScenarioError `PLAN_INVALID` naming the point
 */
export function checkPlan(points: readonly PlanPoint[]): void {
  const seen = new Set<string>();
  for (const point of points) {
    if (seen.has(point.id)) throw invalid(point, 'the id occurs twice');
    seen.add(point.id);
    if (clauseText(point) === '') throw invalid(point, 'no clause');
    if (point.run.run === 'script' && point.fault) throw invalid(point, 'a script has no fault of its own');
    if (point.run.run === 'scenario' && !scenarioIds.includes(point.run.scenario)) throw invalid(point, `no scenario ${point.run.scenario}`);
    const sample = point.prepare.values.find((value) => !(value.sample in samples));
    if (sample) throw invalid(point, `no sample ${sample.sample}`);
    checkPlaces(point);
  }
}
