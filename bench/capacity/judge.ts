import { verdictOf } from '../../scenarios/index.js';
import type { AbstractWorld, Boundary, Expectation, Finding, PlanPoint, SafeExpectation, ScenarioOutput } from '../../scenarios/index.js';
import { callsOf } from '../faults/calls.js';
import { pageSize } from '../nvm/index.js';
import type { Seen } from './levels.js';
import { ended, plain } from './rows.js';
import type { StepNeed } from './stage.js';
import { instructionAt } from './stage.js';
import type { TearPoint } from '../tear/index.js';
import type { CapacityRow, RoomFigures, RowOutcome, ShortageTold } from './types.js';

/** Everything a level is judged by. */
export interface LevelScene {
  readonly point: Omit<PlanPoint, 'expect'>;
  readonly needs: readonly StepNeed[];
  /** Exchange that takes room, at the step or behind it. */
  readonly need: StepNeed | undefined;
  readonly seen: Seen;
  readonly told: ShortageTold | undefined;
  readonly after: AbstractWorld;
  /** The attempt after room was made. */
  readonly retry: ScenarioOutput | undefined;
  readonly findings: readonly Finding[];
  readonly cardId: string;
  readonly items: Readonly<Record<string, string>>;
}

/** The part of a row that is judgement. */
export type JudgedLevel = Pick<CapacityRow, 'applied' | 'outcome' | 'at' | 'sw' | 'did' | 'findings' | 'verdict' | 'reasons'>;

/** Room enough in one run, room enough in pieces only, or too little. */
export function sufficiency(room: RoomFigures, need: Pick<StepNeed, 'pages' | 'entries'> | undefined): 'enough' | 'in pieces' | 'too little' {
  if (need === undefined) return 'enough';
  if (room.entries < need.entries || room.free < need.pages * pageSize) return 'too little';
  return room.run >= need.pages * pageSize ? 'enough' : 'in pieces';
}

/** What the safe has more once a run that was looked at from `at` on has gone through. */
function safeAfter({ run }: Omit<PlanPoint, 'expect'>, at: Boundary): SafeExpectation {
  if (run.run !== 'scenario') return 'any';
  const calls = callsOf(run.scenario);
  const from = calls.findIndex(({ steps }) => steps[0] === at);
  const still = (name: string): boolean => calls.findIndex((call) => call.name === name) >= from;
  if (run.scenario.endsWith('backup')) return still('register') ? 'one-stored' : 'unchanged';
  return run.options.deleteAfterRecovery === true && still('receipt') ? 'tombstone' : 'unchanged';
}

function expectation(scene: LevelScene, at: Boundary): Expectation {
  const { need, seen, point } = scene;
  const done: Expectation = { end: ['done'], card: { is: 'as-after-success' }, safe: safeAfter(point, at), retry: 'none' };
  if (seen.room === undefined || need === undefined || sufficiency(seen.room, need) === 'enough' || seen.end.cause === 'done') return done;
  const { run } = point;
  const within = run.run === 'scenario' ? callsOf(run.scenario).find(({ steps }) => steps[0] === need.at)?.steps : undefined;
  return {
    end: ['refused', 'done'], ...within && { at: within }, sw: ['6A84'], card: { is: 'unchanged' }, safe: 'unchanged', retry: 'completes', shortage: true,
  };
}

/** The shortage as the card tells it against what the bench measured. */
function toldReasons({ told, need, seen, point }: LevelScene): string[] {
  if (seen.end.sw !== '6A84' || told === undefined || seen.room === undefined || need === undefined) return [];
  const differ = (what: string, is: number, wanted: number | undefined): string[] =>
    (wanted === undefined || is === wanted ? [] : [`I12: DF01 tells ${what} ${is}, the bench measured ${wanted}`]);
  return [
    ...differ('bytes needed', told.needed, need.pages * pageSize), ...differ('bytes free', told.free, seen.room.free),
    ...differ('entries free', told.entries, seen.room.entries), ...differ('INS', told.ins, instructionAt(point as TearPoint, need.at)),
  ];
}

/** Items of worth that the firmware itself gave up or moved out of the way. */
function gaveUp({ seen, after }: LevelScene): boolean {
  const now = new Set(after.cards[0].values.map(({ issueId }) => issueId));
  return (seen.before?.cards[0].values ?? []).some(({ issueId }) => !now.has(issueId));
}

function outcomeOf(scene: LevelScene): RowOutcome {
  const { seen: { end, room }, need, point, retry } = scene;
  if (end.cause === 'done') return room && sufficiency(room, need) === 'too little' ? 'made room' : 'done';
  if (end.cause !== 'refused') return 'broke';
  return end.sw === '6A84' && point.scenario.endsWith('recover') && retry?.cause === 'done' ? 'suspended' : 'refused';
}

const deeds: Readonly<Record<RowOutcome, string>> = {
  done: 'went through', 'made room': 'made room itself', refused: 'refused', suspended: 'suspended, and went on once there was room',
  broke: 'broke off', 'not run': 'nothing',
};

function didOf(scene: LevelScene, outcome: RowOutcome): string {
  const goesOn = outcome === 'refused' && scene.retry?.cause === 'done' ? ', and did it once there was room' : '';
  return `${deeds[outcome]}${goesOn}`;
}

/** Went through with less than it takes, without anything given up for it. */
function suspicious(scene: LevelScene, outcome: RowOutcome): string[] {
  if (outcome !== 'made room' || gaveUp(scene)) return [];
  return [`I12: went through with ${scene.seen.room?.free ?? 0} B and ${scene.seen.room?.entries ?? 0} entries free, less than it takes, and nothing was given up for it`];
}

/** Judges one start from a level of free room. */
export function judgeLevel(scene: LevelScene): JudgedLevel {
  const { seen, point, told, after, findings, cardId, items, retry } = scene;
  const at = point.fault?.fault === 'memory' ? (point.fault.before) : (scene.needs[0].at);
  const expect = expectation(scene, at);
  const judgement = verdictOf({ ...point, expect }, {
    missing: [], faultApplied: seen.reached && seen.unmade === undefined, faultReached: seen.reached, hasTrace: true, end: seen.end,
    ...seen.before && { before: seen.before }, after, cardId, items, findings, shortageTold: told !== undefined,
    ...expect.retry === 'completes' && retry && seen.end.cause !== 'done' ? { retry } : {},
  });
  const outcome = outcomeOf(scene);
  const more = judgement.verdict === 'invalid' ? [] : [...toldReasons(scene), ...suspicious(scene, outcome)];
  const unmade = judgement.verdict === 'invalid' && seen.unmade !== undefined ? [`the level could not be made: ${seen.unmade}`] : [];
  const reasons = [...judgement.reasons, ...more, ...unmade];
  return {
    applied: seen.reached && seen.unmade === undefined, outcome: judgement.verdict === 'invalid' ? 'not run' : outcome, ...ended(seen.end),
    did: didOf(scene, outcome), findings: plain(findings), verdict: more.length > 0 && judgement.verdict === 'pass' ? 'fail' : judgement.verdict, reasons,
  };
}
