import { fullOrWorn, runScenario } from '../../scenarios/index.js';
import type { AbstractWorld, Boundary, Finding, PlanPoint, ScenarioListener, ScenarioOutput } from '../../scenarios/index.js';
import { worldFindings } from '../certify/findings.js';
import { optionsOf, runAgain } from '../certify/prepare.js';
import { intercepted } from '../faults/intercept.js';
import { pageSize } from '../nvm/index.js';
import { orBrick } from '../tear/rest.js';
import type { World } from '../world/world.js';
import { judgeLevel } from './judge.js';
import { endSession, holdersOf, shortageOf, spendAll, Watch } from './look.js';
import { levelName, makeLevel, makeRoom, roomOf } from './room.js';
import { named } from './rows.js';
import { needAhead, needBefore } from './stage.js';
import type { Stages, StepNeed } from './stage.js';
import type { CapacityRow, RoomFigures, RoomHolder, RoomLevel } from './types.js';

/** What is in front of a step when it is started. */
export interface Condition {
  readonly at: Boundary;
  readonly level: RoomLevel;
}

/** What the bench saw of one start. */
export interface Seen {
  readonly end: ScenarioOutput;
  /** Why the level was not reached; undefined when it was. */
  readonly unmade: string | undefined;
  readonly reached: boolean;
  /** With the level made, before the step. */
  readonly before: AbstractWorld | undefined;
  readonly room: RoomFigures | undefined;
  readonly holders: readonly RoomHolder[];
}

/** Keeps the states at rest between the exchanges. */
export function statesTo(world: World, history: AbstractWorld[]): ScenarioListener {
  return (event) => { if (event.type === 'boundary' && world.card.session !== undefined) history.push(world.abstract()); };
}

/** Runs the scenario and makes the level in front of a place. */
export async function startAt(stages: Stages, world: World, { at, level }: Condition, history: AbstractWorld[]): Promise<Seen> {
  const { run } = stages.subject;
  const seen: { -readonly [K in keyof Omit<Seen, 'end'>]: Seen[K] } = {
    unmade: undefined, reached: false, before: undefined, room: undefined, holders: [],
  };
  const ports = intercepted(run.scenario, world.ports, {
    async around(call, sent, proceed) {
      if (call.steps[0] === at && !seen.reached) {
        seen.reached = true;
        seen.unmade = await makeLevel(world, level);
        seen.before = world.abstract();
        seen.room = roomOf(world);
        seen.holders = holdersOf(world);
      }
      return proceed(sent);
    },
  });
  const end = await runScenario(run.scenario, { ports, options: optionsOf(run, world), listener: statesTo(world, history) });
  return { ...seen, end };
}

/** Opens a fork of the full memory with just the room that the exchanges before the place take. */
export async function openAt(stages: Stages, { at, level }: Condition, watch: Watch): Promise<World> {
  const scarce = 'entries' in level ? 'entries' : 'pages';
  const world = stages.fork(await stages.full(scarce), watch.hooks);
  await world.open();
  const { pages, entries } = needBefore(await stages.needs(), at);
  await makeRoom(world, scarce === 'pages' ? pages : 0, scarce === 'entries' ? entries : 0);
  return world;
}

/** The point of the plan that a start amounts to, but for its expectation. */
export function pointOf({ subject }: Stages, { at, level }: Condition): Omit<PlanPoint, 'expect'> {
  const left = 'entries' in level ? { entries: level.entries } : { pages: level.pages };
  const bytes = 'entries' in level ? `${level.entries} index entries` : `${level.pages * pageSize} B`;
  const split = 'entries' in level || level.run >= level.pages ? '' : ` in runs of ${level.run * pageSize} B`;
  return {
    ...subject, id: `${subject.id}-${at}-${levelName(level)}`, title: `${bytes} free${split} at ${at}`, needs: [...subject.needs, 'memory-fill'],
    clause: { ...subject.clause, claims: [...new Set([...subject.clause.claims, 24])] }, fault: { fault: 'memory', before: at, left },
  };
}

const recordsIn = (world: AbstractWorld): number => world.safes.reduce((sum, { records }) => sum + records.length, 0);

/** I12: what was refused for want of room has changed nothing, here or at the safe. */
export function refusalFindings({ before, end }: Seen, after: AbstractWorld): readonly Finding[] {
  if (before === undefined || end.sw === undefined) return [];
  return fullOrWorn({
    sw: end.sw, before: before.cards[0], after: after.cards[0], outsideEffects: recordsIn(after) - recordsIn(before), step: end.step,
  });
}

/** What an exchange takes, for a row. */
export const needOf = (need: StepNeed | undefined): Pick<CapacityRow, 'need'> =>
  (need === undefined ? {} : { need: { bytes: need.pages * pageSize, entries: need.entries } });

/** Starts the subject from a level of free room at a place, judges what comes of it, goes on once there is room, and spends everything. */
export async function runLevel(stages: Stages, condition: Condition): Promise<CapacityRow> {
  const { subject, factory } = stages;
  const { at, level } = condition;
  const needs = await stages.needs();
  const need = needAhead(needs, at);
  const watch = new Watch();
  const world = await openAt(stages, condition, watch);
  const history: AbstractWorld[] = [world.abstract()];
  const seen = await startAt(stages, world, condition, history);
  const cycle = world.line.now();
  const told = seen.end.cause === 'refused' ? await shortageOf(world) : undefined;
  const after = world.abstract();
  history.push(after);
  const findings: Finding[] = [];
  let retry: ScenarioOutput | undefined;
  if (seen.end.cause !== 'done' && seen.unmade === undefined) {
    retry = await orBrick(findings, 'after room was made', async () => {
      if (world.card.session === undefined) await world.reset('cold');
      await makeRoom(world, Math.max(need?.pages ?? 0, 1), Math.max(need?.entries ?? 0, 2));
      return runAgain(subject.run, world, statesTo(world, history));
    });
    history.push(world.abstract());
  }
  findings.push(...worldFindings(history, world), ...refusalFindings(seen, after));
  watch.collect(world);
  const { rest, digest } = await endSession(world);
  const spent = await spendAll(stages, rest);
  const point = pointOf(stages, condition);
  const judged = judgeLevel({
    point, needs, need, seen, told, after, retry, findings: [...findings, ...watch.findings, ...spent], cardId: world.cardId, items: Object.fromEntries(world.names),
  });
  return {
    ...named({ factory, subject: { ...subject, clause: point.clause } }, {
      part: 'levels', title: point.title, before: at, condition: levelName(level), what: ['level', at, levelName(level)],
    }),
    ...needOf(need), ...seen.room && { room: seen.room }, ...told && { told },
    holders: seen.holders, conserved: spent.length === 0 && judged.kept, cycle, digest, ...judged.row,
  };
}

