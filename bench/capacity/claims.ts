import { runScenario } from '../../scenarios/index.js';
import type { AbstractWorld, Finding, ScenarioId, ScenarioOutput } from '../../scenarios/index.js';
import { worldFindings } from '../certify/findings.js';
import { optionsOf, runAgain } from '../certify/prepare.js';
import { commands } from '../codec/index.js';
import { pageSize } from '../nvm/index.js';
import { orBrick } from '../tear/rest.js';
import type { TearPoint } from '../tear/index.js';
import type { World } from '../world/world.js';
import { judgeLevel } from './judge.js';
import { needOf, openAt, pointOf, refusalFindings, startAt, statesTo } from './levels.js';
import type { Condition, Seen } from './levels.js';
import { endSession, shortageOf, spendAll, Watch } from './look.js';
import { levelName, roomOf } from './room.js';
import { ended, named, plain, reasonsOf } from './rows.js';
import { needAhead } from './stage.js';
import type { Stages, StepNeed } from './stage.js';
import { subjectOf } from './subject.js';
import type { CapacityRow } from './types.js';

/** Recoveries: what is claimed is about them. */
export type RecoverScenario = Extract<ScenarioId, '1/recover' | '2/recover'>;

/** True for the scenarios that have claims 21 and 24 as points of their own. */
export const hasClaims = (scenario: ScenarioId): scenario is RecoverScenario => scenario === '1/recover' || scenario === '2/recover';

/**
 * A value that was backed up and deleted is to come back; another one as large is backed up and still there, a smaller
 * one is not backed up yet.
 */
export function claimsSubject(scenario: RecoverScenario): TearPoint {
  const subject = subjectOf(scenario);
  const backup: ScenarioId = scenario === '1/recover' ? '1/backup' : '2/backup';
  const values = [
    { as: '$item', sample: 'long-ticket' }, { as: '$other', sample: 'long-ticket' }, { as: '$third', sample: 'movie-ticket-A' },
  ] as const;
  const before = [...subject.prepare.before ?? [], { run: 'scenario', scenario: backup, options: {}, item: '$other' } as const];
  return { ...subject, prepare: { ...subject.prepare, values, before } };
}

const isEnough = (world: World, need: StepNeed): boolean => {
  const { run, entries } = roomOf(world);
  return run >= need.pages * pageSize && entries >= need.entries;
};

/** Claims 20 and 21: backs the third value up and deletes it, where there is room for its certificate. */
async function backUpThird(world: World, embodiment: 1 | 2, history: AbstractWorld[]): Promise<string> {
  const before = roomOf(world);
  const run = { run: 'scenario', scenario: `${embodiment}/backup`, options: { deleteAfterRegistration: true }, item: '$third' } as const;
  const { cause, step, sw } = await runScenario(run.scenario, { ports: world.ports, options: optionsOf(run, world), listener: statesTo(world, history) });
  const after = roomOf(world);
  return cause === 'done' ? `$third backed up and deleted: ${before.free} B free before, ${after.free} B after`
    : `$third not backed up: ${sw ?? cause} at ${step} with ${before.free} B free`;
}

/** Deletes values whose certificates are stored, until there is room. */
async function deleteBackedUp(world: World, need: StepNeed): Promise<string[]> {
  const deeds: string[] = [];
  for (const { handle, state, class: kind } of world.contents().entries) {
    if (kind !== 'A' || state !== 'DEPOSITED' || isEnough(world, need)) continue;
    const { sw } = await world.line.transmit(commands.deleteItem(handle));
    world.line.takeMarks();
    deeds.push(`backed-up value ${handle} deleted: ${sw.toString(16).toUpperCase()}, ${roomOf(world).free} B free`);
  }
  return deeds;
}

interface Continued {
  readonly retry: ScenarioOutput | undefined;
  readonly deeds: readonly string[];
  readonly enough: boolean;
}

async function makeRoomByBackup(stages: Stages, world: World, need: StepNeed, findings: Finding[], history: AbstractWorld[]): Promise<Continued> {
  const { run } = stages.subject;
  let deeds: string[] = [];
  const retry = await orBrick(findings, 'making room by backing up', async () => {
    deeds = [await backUpThird(world, run.scenario.startsWith('1') ? 1 : 2, history)];
    history.push(world.abstract());
    for (const deed of await deleteBackedUp(world, need)) deeds.push(deed);
    history.push(world.abstract());
    return runAgain(run, world, statesTo(world, history));
  });
  return { retry, deeds, enough: deeds.length > 1 };
}

function roomRow(stages: Stages, condition: Condition, need: StepNeed, seen: Seen, { retry, deeds, enough }: Continued, findings: readonly Finding[], rest: Pick<CapacityRow, 'conserved' | 'cycle' | 'digest'>): CapacityRow {
  const name = levelName(condition.level);
  const suspended = seen.end.cause === 'refused' && seen.end.sw === '6A84' && seen.unmade === undefined;
  const reasons = [
    ...retry?.cause === 'done' ? [] : [`the recovery did not go on: ${retry?.text ?? 'the card was lost'} (${deeds.join('; ')})`],
    ...enough ? [] : ['no backed-up value was deleted'], ...reasonsOf(findings),
  ];
  const cannot = suspended ? [] : [`the recovery was not suspended (${seen.unmade ?? seen.end.text})`];
  return {
    ...named({ ...stages, subject: { ...stages.subject, clause: { ...stages.subject.clause, claims: [21, 24, 25] } } }, {
      part: 'claims', title: 'room made by backing others up and deleting them, then the recovery goes on', before: condition.at,
      condition: `claim-21-${name}`, what: ['claim-21', name],
    }),
    applied: suspended, outcome: retry?.cause === 'done' ? 'done' : 'refused', ...retry && ended(retry), ...needOf(need),
    ...seen.room && { room: seen.room }, holders: seen.holders, did: deeds.join('; '), findings: plain(findings),
    verdict: reasons.length > 0 ? 'fail' : cannot.length > 0 ? 'invalid' : 'pass', reasons: [...reasons, ...cannot],
    steps: retry?.evidence ?? [], ...rest,
  };
}

/**
 * Claim 24: on a full memory the recovery is suspended with the shortage shown. Claim 21: others are backed up and
 * deleted, and the recovery goes on and completes. Two rows from one run. `stages` are those of {@link claimsSubject}.
 */
export async function runClaims(stages: Stages, level: { readonly pages: number; readonly run: number }): Promise<readonly CapacityRow[]> {
  const needs = await stages.needs();
  const need = needs.find(({ pages }) => pages > 0) ?? needs[0];
  const condition: Condition = { at: need.at, level };
  const watch = new Watch();
  const history: AbstractWorld[] = [];
  const world = await openAt(stages, condition, watch);
  history.push(world.abstract());
  const seen = await startAt(stages, world, condition, history);
  const told = await shortageOf(world);
  const after = world.abstract();
  history.push(after);
  const findings: Finding[] = [];
  const continued = await makeRoomByBackup(stages, world, need, findings, history);
  history.push(world.abstract());
  findings.push(...worldFindings(history, world), ...refusalFindings(seen, after));
  watch.collect(world);
  const cycle = world.line.now();
  const { rest, digest } = await endSession(world);
  findings.push(...watch.findings, ...await spendAll(stages, rest));
  const common = { conserved: findings.length === 0, cycle, digest };
  const point = pointOf(stages, condition);
  const judged = judgeLevel({
    point, needs, need: needAhead(needs, need.at), seen, told, after, retry: continued.retry, findings, cardId: world.cardId,
    items: Object.fromEntries(world.names),
  });
  const suspended: CapacityRow = {
    ...named({ ...stages, subject: { ...stages.subject, clause: { ...stages.subject.clause, claims: [24] } } }, {
      part: 'claims', title: `recovery with ${level.pages * pageSize} B free: suspended, the shortage shown`, before: need.at,
      condition: `claim-24-${levelName(level)}`, what: ['claim-24', levelName(level)],
    }),
    ...needOf(need), ...seen.room && { room: seen.room }, ...told && { told }, holders: seen.holders, steps: seen.end.evidence, ...common, ...judged.row,
  };
  return [suspended, roomRow(stages, condition, need, seen, continued, findings, common)];
}
