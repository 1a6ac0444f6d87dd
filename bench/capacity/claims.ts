import { runScenario } from '../../scenarios/index.js';
import type { AbstractWorld, Finding, BasicScenarioId, ScenarioOutput } from '../../scenarios/index.js';
import { optionsOf, runAgain } from '../certify/prepare.js';
import { commands } from '../codec/index.js';
import { pageSize } from '../nvm/index.js';
import { orBrick } from '../tear/rest.js';
import type { TearPoint } from '../tear/index.js';
import type { World } from '../world/world.js';
import { conclude, figures, judged, start, statesTo } from './levels.js';
import type { Condition, Start } from './levels.js';
import { levelName, roomOf } from './room.js';
import { ended, named, plain, reasonsOf } from './rows.js';
import type { Stages, StepNeed } from './stage.js';
import { subjectOf } from './subject.js';
import type { CapacityRow } from './types.js';

/** Recoveries: what is claimed is about them. */
export type RecoverScenario = Extract<BasicScenarioId, '1/recover' | '2/recover'>;

/** True for the scenarios that have claims 21 and 24 as points of their own. */
export const hasClaims = (scenario: BasicScenarioId): scenario is RecoverScenario => scenario === '1/recover' || scenario === '2/recover';

/**
 * A value that was backed up and deleted is to come back; another one as large is backed up and still there, a smaller
 * one is not backed up yet.
 */
export function claimsSubject(scenario: RecoverScenario): TearPoint {
  const subject = subjectOf(scenario);
  const backup: BasicScenarioId = scenario === '1/recover' ? '1/backup' : '2/backup';
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
    deeds = [await backUpThird(world, run.scenario.startsWith('1/') ? 1 : 2, history)];
    history.push(world.abstract());
    for (const deed of await deleteBackedUp(world, need)) deeds.push(deed);
    history.push(world.abstract());
    return runAgain(run, world, statesTo(world, history));
  });
  return { retry, deeds, enough: deeds.length > 1 };
}

function clauseOf(stages: Stages, claims: readonly number[]): Pick<Stages, 'factory' | 'subject'> {
  return { factory: stages.factory, subject: { ...stages.subject, clause: { ...stages.subject.clause, claims } } };
}

type After = Pick<CapacityRow, 'conserved' | 'digest'> & { readonly all: readonly Finding[] };

function roomRow(stages: Stages, condition: Condition, begun: Start, { retry, deeds, enough }: Continued, { all, ...rest }: After): Omit<CapacityRow, 'need' | 'room' | 'told' | 'holders' | 'cycle'> {
  const name = levelName(condition.level);
  const { end, unmade } = begun.seen;
  const suspended = end.cause === 'refused' && end.sw === '6A84' && unmade === undefined;
  const reasons = [
    ...retry?.cause === 'done' ? [] : [`the recovery did not go on: ${retry?.text ?? 'the card was lost'} (${deeds.join('; ')})`],
    ...enough ? [] : ['no backed-up value was deleted'], ...reasonsOf(all),
  ];
  const cannot = suspended ? [] : [`the recovery was not suspended (${unmade ?? end.text})`];
  return {
    ...named(clauseOf(stages, [21, 24, 25]), {
      part: 'claims', title: 'room made by backing others up and deleting them, then the recovery goes on', before: condition.at,
      condition: `claim-21-${name}`, what: ['claim-21', name],
    }),
    applied: suspended, outcome: retry?.cause === 'done' ? 'done' : 'refused', ...retry && ended(retry), did: deeds.join('; '), findings: plain(all),
    verdict: reasons.length > 0 ? 'fail' : cannot.length > 0 ? 'invalid' : 'pass', reasons: [...reasons, ...cannot], steps: retry?.evidence ?? [], ...rest,
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
  const begun = await start(stages, condition);
  const early: Finding[] = [];
  const continued = await makeRoomByBackup(stages, begun.world, need, early, begun.history);
  const { findings, digest } = await conclude(stages, begun, early);
  const after: After = { conserved: findings.length === 0, digest, all: findings };
  const shown = figures(begun, need);
  const suspended: CapacityRow = {
    ...named(clauseOf(stages, [24]), {
      part: 'claims', title: `recovery with ${level.pages * pageSize} B free: suspended, the shortage shown`, before: need.at,
      condition: `claim-24-${levelName(level)}`, what: ['claim-24', levelName(level)],
    }),
    ...shown, steps: begun.seen.end.evidence, conserved: after.conserved ?? false, digest, ...await judged(stages, condition, begun, continued.retry, findings),
  };
  return [suspended, { ...shown, ...roomRow(stages, condition, begun, continued, after) }];
}
