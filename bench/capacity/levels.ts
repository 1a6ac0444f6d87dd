import { fullOrWorn, runScenario } from '../../scenarios/index.js';
import type { AbstractWorld, Boundary, Finding, PlanPoint, ScenarioListener, ScenarioOutput } from '../../scenarios/index.js';
import { worldFindings } from '../certify/findings.js';
import { optionsOf, runAgain } from '../certify/prepare.js';
import { intercepted } from '../faults/intercept.js';
import { pageSize } from '../nvm/index.js';
import { orBrick } from '../tear/rest.js';
import type { World } from '../world/world.js';
import { judgeLevel } from './judge.js';
import type { JudgedLevel } from './judge.js';
import { endSession, holdersOf, shortageOf, spendAll, Watch } from './look.js';
import { levelName, makeLevel, makeRoom, roomOf } from './room.js';
import { named } from './rows.js';
import { needAhead, needBefore } from './stage.js';
import type { Stages, StepNeed } from './stage.js';
import type { CapacityRow, RoomFigures, RoomHolder, RoomLevel, ShortageTold } from './types.js';

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
async function startAt(stages: Stages, world: World, { at, level }: Condition, history: AbstractWorld[]): Promise<Seen> {
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

/** A start, and the card right after it; still powered. */
export interface Start {
  readonly world: World;
  readonly watch: Watch;
  /** States at rest in order. */
  readonly history: AbstractWorld[];
  readonly seen: Seen;
  readonly told: ShortageTold | undefined;
  readonly after: AbstractWorld;
  /** Of the power session, when the run had ended. */
  readonly cycle: number;
}

/** Starts the subject on a full memory with just the room that the exchanges before the place take, the level made there. */
export async function start(stages: Stages, condition: Condition): Promise<Start> {
  const watch = new Watch();
  const scarce = 'entries' in condition.level ? 'entries' : 'pages';
  const world = stages.fork(await stages.full(scarce), watch.hooks);
  await world.open();
  const { pages, entries } = needBefore(await stages.needs(), condition.at);
  await makeRoom(world, scarce === 'pages' ? pages : 0, scarce === 'entries' ? entries : 0);
  const history: AbstractWorld[] = [world.abstract()];
  const seen = await startAt(stages, world, condition, history);
  const cycle = world.line.now();
  const told = seen.end.cause === 'refused' ? await shortageOf(world) : undefined;
  const after = world.abstract();
  history.push(after);
  return { world, watch, history, seen, told, after, cycle };
}

/** What the invariants, the line, the chip and spending everything say of a start and what followed it. */
export async function conclude(stages: Stages, { world, watch, history, seen, after }: Start, findings: readonly Finding[]): Promise<{
  readonly findings: readonly Finding[]; readonly digest: string;
}> {
  history.push(world.abstract());
  const all = [...findings, ...worldFindings(history, world), ...refusalFindings(seen, after)];
  watch.collect(world);
  const { rest, digest } = await endSession(world);
  return { findings: [...all, ...watch.findings, ...await spendAll(stages, rest)], digest };
}

/** The point of the plan that a start amounts to, but for its expectation. */
function pointOf({ subject }: Stages, { at, level }: Condition): Omit<PlanPoint, 'expect'> {
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
function refusalFindings({ before, end }: Seen, after: AbstractWorld): readonly Finding[] {
  if (before === undefined || end.sw === undefined) return [];
  return fullOrWorn({
    sw: end.sw, before: before.cards[0], after: after.cards[0], outsideEffects: recordsIn(after) - recordsIn(before), step: end.step,
  });
}

/** What an exchange takes, for a row. */
export const needOf = (need: StepNeed | undefined): Pick<CapacityRow, 'need'> =>
  (need === undefined ? {} : { need: { bytes: need.pages * pageSize, entries: need.entries } });

/** Goes on where a start was refused, once the user has made room. */
function afterRoom(stages: Stages, { world, history }: Start, need: StepNeed | undefined, findings: Finding[]): Promise<ScenarioOutput | undefined> {
  return orBrick(findings, 'after room was made', async () => {
    if (world.card.session === undefined) await world.reset('cold');
    await makeRoom(world, Math.max(need?.pages ?? 0, 1), Math.max(need?.entries ?? 0, 2));
    return runAgain(stages.subject.run, world, statesTo(world, history));
  });
}

/** The figures of a start for a row. */
export const figures = ({ seen, told, cycle }: Start, need: StepNeed | undefined): Pick<CapacityRow, 'need' | 'room' | 'told' | 'holders' | 'cycle'> =>
  ({ ...needOf(need), ...seen.room && { room: seen.room }, ...told && { told }, holders: seen.holders, cycle });

/** Judges a start by what was seen of it and what was found out afterwards. */
export async function judged(stages: Stages, condition: Condition, begun: Start, retry: ScenarioOutput | undefined, findings: readonly Finding[]): Promise<JudgedLevel> {
  const needs = await stages.needs();
  const { seen, told, after, world } = begun;
  return judgeLevel({
    point: pointOf(stages, condition), needs, need: needAhead(needs, condition.at), seen, told, after, retry, findings, cardId: world.cardId,
    items: Object.fromEntries(world.names),
  });
}

/** Starts the subject from a level of free room at a place, judges what comes of it, goes on once there is room, and spends everything. */
export async function runLevel(stages: Stages, condition: Condition): Promise<CapacityRow> {
  const { at, level } = condition;
  const need = needAhead(await stages.needs(), at);
  const begun = await start(stages, condition);
  const { seen } = begun;
  const early: Finding[] = [];
  const retry = seen.end.cause !== 'done' && seen.unmade === undefined ? await afterRoom(stages, begun, need, early) : undefined;
  const { findings, digest } = await conclude(stages, begun, early);
  const { title, clause } = pointOf(stages, condition);
  return {
    ...named({ factory: stages.factory, subject: { ...stages.subject, clause } }, {
      part: 'levels', title, before: at, condition: levelName(level), what: ['level', at, levelName(level)],
    }),
    ...figures(begun, need), conserved: findings.length === 0, digest, ...await judged(stages, condition, begun, retry, findings),
  };
}
