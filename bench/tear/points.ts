import { clauseText, planPoint } from '../../scenarios/index.js';
import type { Clause, PlanPoint, ScenarioRun } from '../../scenarios/index.js';
import { TearError } from './errors.js';

/** A phase in which the power is cut: prepared and run as a point of the plan, under an id of its own. */
export interface TearPoint extends PlanPoint {
  readonly run: ScenarioRun;
}

/** Rules every cut is about: atomic changes, repeatable commands, idempotent safes. */
const rules = ['2.4-12', '3-a', '3-b'];

/** A value at the safe that only the key can open: whoever loses the key loses it too. */
const sealedBesides: ScenarioRun = { run: 'scenario', scenario: '2/backup', options: {}, item: '$other' };

interface Draft {
  readonly id: string;
  /** Point of the plan that is prepared and run alike. */
  readonly like: string;
  readonly title: string;
  readonly besides?: ScenarioRun;
}

function point({ id, like, title, besides }: Draft): TearPoint {
  const model = planPoint(like);
  if (model.run.run !== 'scenario') throw new TearError('TEAR_RUN', `${like} runs no scenario`);
  const { before = [], ...rest } = model.prepare;
  const clause: Clause = { ...model.clause, rules: [...model.clause.rules, ...rules] };
  const prepare = { ...rest, before: [...besides ? [besides] : [], ...before] };
  return { ...model, id, title, clause, prepare, run: model.run };
}

const value = (embodiment: 1 | 2): TearPoint[] => [
  { id: `${embodiment}-backup-Z-01`, like: `${embodiment}-backup-N-01`, title: 'power cut while a value is registered' },
  { id: `${embodiment}-backup-Z-02`, like: `${embodiment}-backup-N-10`, title: 'power cut while a value is registered and deleted' },
  { id: `${embodiment}-recover-Z-01`, like: `${embodiment}-recover-N-01`, title: 'power cut while a value that is still there comes back' },
  { id: `${embodiment}-recover-Z-02`, like: `${embodiment}-recover-N-12`, title: 'power cut while a deleted value comes back, receipt, certificate deleted' },
].map(point);

const key = [
  { id: '2-key-backup-Z-01', like: '2-key-backup-N-01', title: 'power cut while the decoding key is registered', besides: sealedBesides },
  { id: '2-key-backup-Z-02', like: '2-key-backup-N-51', title: 'power cut while the decoding key is registered and deleted', besides: sealedBesides },
  { id: '2-key-recover-Z-01', like: '2-key-recover-N-01', title: 'power cut while a deleted decoding key comes back', besides: sealedBesides },
].map(point);

/** A value that only the key of the seed can open. */
const sealedBySeed: ScenarioRun = { run: 'scenario', scenario: '7/backup', options: {}, item: '$other' };

const seed = [
  { id: '7-seed-backup-Z-01', like: '7-seed-backup-N-01', title: 'power cut while the seed is registered', besides: sealedBySeed },
  { id: '7-seed-backup-Z-02', like: '7-seed-backup-N-02', title: 'power cut while the seed is registered and its key deleted', besides: sealedBySeed },
  { id: '7-backup-Z-01', like: '7-backup-N-01', title: 'power cut while a value is registered under the key of a seed' },
  { id: '6-key-backup-Z-02', like: '6-key-backup-N-09', title: 'power cut while the seed is registered in parts and its key deleted', besides: sealedBySeed },
  { id: '6-key-recover-Z-02', like: '6-key-recover-N-06', title: 'power cut while a deleted decoding key is derived again from parts of its seed', besides: sealedBySeed },
  { id: '7-seed-recover-Z-01', like: '7-seed-recover-N-02', title: 'power cut while a deleted decoding key is derived again', besides: sealedBySeed },
].map(point);

/** A key in parts with a value at the safes that only it opens. */
const sets = [
  { id: '4-backup-Z-01', like: '4-backup-N-01', title: 'power cut while a value is divided and registered in pieces' },
  { id: '4-backup-Z-02', like: '4-backup-N-07', title: 'power cut while a value is registered in pieces and deleted' },
  { id: '4-backup-Z-03', like: '4-backup-N-05', title: 'power cut while two of three pieces are deposited' },
  { id: '4-recover-Z-01', like: '4-recover-N-01', title: 'power cut while a value that is still there is combined' },
  { id: '4-recover-Z-02', like: '4-recover-N-06', title: 'power cut while a deleted value is combined' },
  { id: '5-backup-Z-01', like: '5-backup-N-01', title: 'power cut while two values are coupled and registered' },
  { id: '5-recover-Z-01', like: '5-recover-N-01', title: 'power cut while two values are decoupled' },
  { id: '6-backup-Z-01', like: '6-backup-N-02', title: 'power cut while a ciphertext is registered with part A of its key', besides: sealedBesides },
  { id: '6-backup-Z-02', like: '6-backup-N-06', title: 'power cut while a ciphertext is registered with a part of its key and the value deleted' },
  { id: '6-recover-Z-01', like: '6-recover-N-02', title: 'power cut while value and deleted key come back', besides: sealedBesides },
  { id: '6-recover-Z-02', like: '6-recover-N-08', title: 'power cut while a deleted value and its key come back, receipt, certificate deleted' },
  { id: '6-key-backup-Z-01', like: '6-key-backup-N-01', title: 'power cut while a key is registered in parts', besides: sealedBesides },
  { id: '6-key-recover-Z-01', like: '6-key-recover-N-01', title: 'power cut while a deleted key is put together from its parts', besides: sealedBesides },
].map(point);

const sealedApart: ScenarioRun = { run: 'scenario', scenario: '3/backup', options: {}, item: '$other' };

const apart = [
  { id: '3-backup-Z-01', like: '3-backup-N-02', title: 'power cut while a value is registered, its key at another safe' },
  { id: '3-recover-Z-01', like: '3-recover-N-02', title: 'power cut while a value comes back, its key at another safe' },
  { id: '3-backup-Z-02', like: '3-backup-N-202', title: 'power cut while a value is registered sealed for its safe and deleted' },
  { id: '3-recover-Z-02', like: '3-recover-N-203', title: 'power cut while a deleted value comes back sealed for the card, receipt, certificate deleted' },
  { id: '3-key-backup-Z-01', like: '3-key-backup-N-01', title: 'power cut while the key is registered at the second safe', besides: sealedApart },
  { id: '3-key-recover-Z-01', like: '3-key-recover-N-01', title: 'power cut while the key comes back from the second safe', besides: sealedApart },
].map(point);

const conditions = [
  { id: '11-auto-backup-Z-01', like: '11-auto-backup-N-01', title: 'power cut while the value that meets a condition is backed up and makes room' },
  { id: '11-auto-backup-Z-02', like: '11-auto-backup-N-16', title: 'power cut while two values that meet a condition are backed up, one after the other' },
].map(point);

/** The card does the same in embodiments 8, 9 and 10; who authenticates the owner differs. */
const owners = [
  { id: '8-backup-Z-01', like: '8-backup-N-01', title: 'power cut while a value is registered over a path' },
  { id: '8-backup-Z-02', like: '8-backup-N-02', title: 'power cut while a value is registered over a path and deleted' },
  { id: '8-recover-Z-01', like: '8-recover-N-01', title: 'power cut while a value that is still there comes back over a path' },
  { id: '8-recover-Z-02', like: '8-recover-N-02', title: 'power cut while a deleted value comes back over a path, receipt, certificate deleted' },
  { id: '9-backup-Z-01', like: '9-backup-N-01', title: 'power cut while a value is registered by the result of an authentication' },
  { id: '9-recover-Z-01', like: '9-recover-N-02', title: 'power cut while a deleted value comes back by the result of an authentication' },
  { id: '10-backup-Z-01', like: '10-backup-N-01', title: 'power cut while a value is registered by an authentication device' },
  { id: '10-recover-Z-01', like: '10-recover-N-02', title: 'power cut while a deleted value comes back by an authentication device' },
].map(point);

/** A value at the first safe, its key at the second with its owner. */
const sealedOwned: ScenarioRun = { run: 'scenario', scenario: '12/backup', options: {}, item: '$other' };

const talk = [
  { id: '12-backup-Z-01', like: '12-backup-N-01', title: 'power cut while a value is registered at the safe that talks to the key safe' },
  { id: '12-key-backup-Z-01', like: '12-key-backup-N-01', title: 'power cut while the key is registered with its owner', besides: sealedOwned },
  { id: '12-recover-Z-01', like: '12-recover-N-04', title: 'power cut while the owner gets key and value back' },
  { id: '12-renew-Z-01', like: '12-renew-N-01', title: 'power cut while the key is renewed, value and key registered anew, the old copies deleted' },
].map(point);

/** The phases of all embodiments, with and without the deletions of claims 25 and 26 where they exist. */
export const tearPoints: readonly TearPoint[] = [...value(1), ...value(2), ...key, ...seed, ...sets, ...apart, ...owners, ...conditions, ...talk];

/** Ending of the id of a {@link leanPoint}. */
const leanEnding = '~lean';

/** The same phase with nothing on the card but what it needs, for shrunk failures; undefined when there is no less. */
export function leanPoint(point: TearPoint): TearPoint | undefined {
  const { item } = point.run;
  const { values, before = [] } = point.prepare;
  const needed = values.filter(({ as }) => as === item);
  if (item === undefined || needed.length === values.length) return undefined;
  const runs = before.filter((run) => run.run !== 'scenario' || run.item === undefined || run.item === item);
  return { ...point, id: `${point.id}${leanEnding}`, prepare: { ...point.prepare, values: needed, before: runs } };
}

/** A tear point by its id, or the lean form of one. @throws TearError TEAR_CASE */
export function tearPoint(id: string): TearPoint {
  const lean = id.endsWith(leanEnding);
  const known = tearPoints.find((candidate) => candidate.id === (lean ? id.slice(0, -leanEnding.length) : id));
  const found = known && lean ? leanPoint(known) : known;
  if (found) return found;
  throw new TearError('TEAR_CASE', `there is no tear point ${id}; there are ${tearPoints.map((one) => one.id).join(', ')}`);
}

/** Steps, claims and rules of a tear point in words. */
export const tearClause = (point: TearPoint): string => clauseText(point);
