import { isDeviceError } from '../../devices/index.js';
import type { NvmState, WeakPolicy } from '../../emulator/index.js';
import { nvmDigest } from '../../emulator/index.js';
import type { AbstractWorld, Finding, ScenarioOutput } from '../../scenarios/index.js';
import { WorldFactory } from '../certify/factory.js';
import type { Personality } from '../certify/factory.js';
import { runAgain, runHonestly } from '../certify/prepare.js';
import type { PublicKeyOps } from '../codec/index.js';
import { drawCycles, readyWorld } from '../tear/forward.js';
import type { CutGroup, CycleRange, ReadyWorld } from '../tear/forward.js';
import { defaultPolicies, policyOf, TearError } from '../tear/index.js';
import type { TearPoint } from '../tear/index.js';
import { Judge } from '../tear/judge.js';
import type { Judged } from '../tear/judge.js';
import { strong } from '../tear/policies.js';
import { lastStep, leftNow, restOf, safesDigest } from '../tear/rest.js';
import type { Rest } from '../tear/rest.js';
import { World } from '../world/world.js';
import type { WorldHooks, WorldParts } from '../world/world.js';
import { capacityCaseId, capacityCaseOf } from './case-id.js';
import { needOf } from './levels.js';
import { endSession, plenty } from './look.js';
import { levelName, makeLevel, makeRoom } from './room.js';
import { named, plain, unrun } from './rows.js';
import { narrowed } from './stage.js';
import type { Stages, StepNeed } from './stage.js';
import { dashed, placesOf } from './subject.js';
import type { CapacityRow, RoomLevel } from './types.js';

/** Levels at which the power is cut: a page less than is needed, just enough, a page more. */
export const cutEdges = ['short', 'equal', 'above'] as const;

/** See {@link cutEdges}. */
export type CutEdge = (typeof cutEdges)[number];

/** How the terminal behaves after a cut. */
interface AfterCut {
  /** Values that are spent in the end. */
  readonly shown: ReadonlySet<string>;
  /**
   * Room the user makes before an attempt: where there was too little, and for a key, whose second registration takes a
   * second certificate; undefined: none, the attempt must do with what there is.
   */
  readonly need: StepNeed | undefined;
}

/** A world after a cut: makes room before an attempt where the user has to, and always before everything is spent. */
class AfterCutWorld extends World {
  readonly #manner: AfterCut;
  #spending = false;

  constructor(parts: WorldParts, manner: AfterCut) {
    super(parts);
    this.#manner = manner;
  }

  override async open(pin: 'verified' | 'none' = 'verified'): Promise<void> {
    await super.open(pin);
    if (pin === 'none') return;
    this.#spending = true;
    await makeRoom(this, plenty.pages, plenty.entries);
  }

  override async verify(): Promise<void> {
    await super.verify();
    const { need } = this.#manner;
    if (need !== undefined) await makeRoom(this, need.pages, need.entries);
  }

  override abstract(): AbstractWorld {
    return this.#spending ? narrowed(super.abstract(), this.#manner.shown) : super.abstract();
  }
}

/** Makes worlds that begin with a memory filled to a level. */
class LevelFactory extends WorldFactory {
  override readonly ops: PublicKeyOps;
  readonly #stages: Stages;
  readonly #rest: Rest;
  readonly #manner: AfterCut;

  constructor(stages: Stages, rest: Rest, manner: AfterCut) {
    super(stages.factory.setup);
    this.ops = stages.factory.ops;
    this.#stages = stages;
    this.#rest = rest;
    this.#manner = manner;
  }

  override world(_personality: Personality, hooks: WorldHooks = {}): Promise<World> {
    return Promise.resolve(this.#stages.fork(this.#rest, hooks));
  }

  override worldWith(personality: Personality, nvm: NvmState, hooks: WorldHooks = {}, policy?: WeakPolicy): World {
    return new AfterCutWorld(super.worldWith(personality, nvm, hooks, policy).parts, this.#manner);
  }
}

/** A scenario at a level, ready to be cut. */
interface CutSetting {
  readonly stages: Stages;
  readonly factory: WorldFactory;
  /** Prepared by the memory itself. */
  readonly point: TearPoint;
  readonly level: { readonly pages: number; readonly run: number };
  readonly need: StepNeed | undefined;
}

async function settingAt(stages: Stages, level: CutSetting['level']): Promise<CutSetting> {
  const need = (await stages.needs()).find(({ pages }) => pages > 0);
  const world = stages.fork(await stages.full('pages'));
  await world.open();
  const unmade = await makeLevel(world, level);
  if (unmade !== undefined) throw new TearError('TEAR_RUN', `the level ${levelName(level)} could not be made: ${unmade}`);
  const { rest } = await endSession(world);
  const short = need !== undefined && (level.pages < need.pages || stages.subject.run.scenario === '2/key-backup') ? need : undefined;
  const factory = new LevelFactory(stages, rest, { shown: await stages.shown(), need: short });
  const { prepare } = stages.subject;
  return { stages, factory, level, need, point: { ...stages.subject, prepare: { ...prepare, values: [], before: [] } } };
}

/** The scenario; where it is suspended for want of room, room is made and it goes on. */
async function goThrough({ point, need }: CutSetting, world: World): Promise<ScenarioOutput> {
  const end = await runHonestly(point.run, world);
  if (end.sw !== '6A84' || need === undefined) return end;
  await makeRoom(world, need.pages, Math.max(need.entries, 1));
  return runAgain(point.run, world, () => undefined);
}

function rangeFor(setting: CutSetting, world: World): Promise<CycleRange> {
  return world.rehearse(async () => {
    const from = world.line.now();
    const { eeprom } = world.card.chip;
    const earlier = eeprom.writes.length;
    const { cause, step, text } = await goThrough(setting, world);
    if (cause !== 'done') throw new TearError('TEAR_RUN', `${levelName(setting.level)}: without a cut the run ended at ${step}: ${text}`);
    return { from, to: world.line.now(), operations: eeprom.writes.slice(earlier).map(({ start, end }) => ({ start, end })) };
  });
}

interface Cut {
  readonly ready: ReadyWorld;
  readonly groups: readonly CutGroup[];
  readonly findings: readonly Finding[];
  readonly to: number;
}

/** One run from which what each cut would leave is taken. */
async function cutAll(setting: CutSetting, cuts: number, seed: number): Promise<Cut> {
  const ready = await readyWorld(setting.factory, setting.point);
  const { world, log } = ready;
  const range = await rangeFor(setting, world);
  const cycles = drawCycles(range, cuts, seed, range.operations.length > 0 ? 'operations' : 'phase');
  const groups = new Map<string, CutGroup>();
  world.card.port.probeAt(cycles, (cycle) => {
    const nvm = leftNow(world);
    const digest = nvmDigest(nvm);
    const before = log.states.length - 1;
    const key = `${digest} ${safesDigest(world)} ${before}`;
    const group = groups.get(key);
    if (group) group.cycles.push(cycle);
    else groups.set(key, { cycle, cycles: [cycle], digest, rest: restOf(world, nvm), before, step: lastStep(world, range.from) });
  });
  await goThrough(setting, world);
  const seen = [...groups.values()].reduce((sum, group) => sum + group.cycles.length, 0);
  if (seen < cycles.length) throw new TearError('TEAR_RANGE', `${cycles.length - seen} of ${cycles.length} cycles were not reached`);
  return { ready, groups: [...groups.values()], findings: [...log.findings(), ...log.line], to: range.to };
}

/** Level of an edge by the need; undefined where the scenario takes no room and so has no level short of it. */
export function edgeLevel(edge: CutEdge, need: StepNeed | undefined): CutSetting['level'] | undefined {
  const pages = (need?.pages ?? 0) + { short: -1, equal: 0, above: 1 }[edge];
  return pages < 0 ? undefined : { pages, run: pages };
}

const cutCase = ({ stages, level }: CutSetting, cycle: number, policy: string): string =>
  capacityCaseId(capacityCaseOf(stages.factory.setup, dashed(stages.subject.run.scenario), ['cut', levelName(level), String(cycle), policy]));

interface CutFailures {
  readonly recoveries: number;
  readonly failures: readonly { readonly case: string; readonly findings: readonly Finding[] }[];
}

async function judgeAll(setting: CutSetting, { ready, groups }: Cut, tell: (done: number, total: number) => void): Promise<CutFailures> {
  const judge = new Judge(setting.factory, setting.point, ready.secrets);
  const failures: { case: string; findings: readonly Finding[] }[] = [];
  let recoveries = 0;
  for (const [at, { rest, before, cycle, step }] of groups.entries()) {
    for (const name of rest.nvm.weak.length > 0 ? defaultPolicies : [strong]) {
      const { findings } = await judge.judge({ rest, step, before: ready.log.states[before], beforeId: `state ${before}` }, policyOf(name));
      recoveries += 1;
      if (findings.length > 0) failures.push({ case: cutCase(setting, cycle, name), findings });
    }
    tell(at + 1, groups.length);
  }
  return { recoveries, failures };
}

/** Cuts the power at seeded cycles of page operations while the scenario runs at an edge of the free room. */
export async function runCutsAt(stages: Stages, edge: CutEdge, cuts: number, tell: (done: number, total: number) => void): Promise<readonly CapacityRow[]> {
  const need = (await stages.needs()).find(({ pages }) => pages > 0);
  const level = edgeLevel(edge, need);
  if (level === undefined || cuts === 0) return [];
  const name = {
    part: 'cuts', title: `${cuts} power cuts with ${level.pages} pages free`, before: placesOf(stages.subject)[0], condition: `cuts-${levelName(level)}`,
    what: ['cuts', levelName(level), String(cuts)],
  } as const;
  try {
    const setting = await settingAt(stages, level);
    const cut = await cutAll(setting, cuts, stages.factory.setup.seed);
    const { recoveries, failures } = await judgeAll(setting, cut, tell);
    const findings = [...cut.findings, ...failures.flatMap((failure) => failure.findings)];
    const reasons = [
      ...plain(cut.findings).map(({ invariant, text }) => `${invariant}: ${text} (without a cut)`),
      ...failures.map((failure) => `${failure.findings.map(({ invariant, text }) => `${invariant}: ${text}`).join('; ')} (${failure.case})`),
    ];
    const row = named(stages, name);
    return [{
      ...row, case: failures.at(0)?.case ?? row.case, applied: true, outcome: 'done', ...needOf(need), did: `${cuts} cuts left ${cut.groups.length} memories, ${recoveries} recoveries`,
      conserved: findings.length === 0, findings: plain(findings), verdict: reasons.length > 0 ? 'fail' : 'pass', reasons, cycle: cut.to,
      digest: cut.groups.at(-1)?.digest ?? '',
    }];
  } catch (error) {
    if (!(error instanceof TearError)) throw error;
    return [unrun(stages, name, 'aborted', `${error.code}: ${error.message}`)];
  }
}

/** Repeats one cut from scratch: power really gone at that cycle, one policy. @throws TearError TEAR_RANGE, TEAR_CASE */
export async function replayCutAt(stages: Stages, level: RoomLevel, cycle: number, policy: string): Promise<Judged & { readonly digest: string }> {
  if ('entries' in level) throw new TearError('TEAR_CASE', 'the power is cut at levels of pages only', 'nothing was run');
  const setting = await settingAt(stages, level);
  const { world, log, secrets } = await readyWorld(setting.factory, setting.point);
  const { from, to } = await rangeFor(setting, world);
  if (cycle < from || cycle >= to) throw new TearError('TEAR_RANGE', `cycle ${cycle} lies outside of ${from} to ${to}`, 'nothing was cut');
  world.card.cutAt(cycle);
  try {
    await goThrough(setting, world);
  } catch (error) {
    if (!isDeviceError(error)) throw error;
  }
  const step = lastStep(world, from);
  const rest = restOf(world, await world.card.powerOff());
  const scene = { rest, step, before: log.states[log.states.length - 1], beforeId: '' };
  return { ...await new Judge(setting.factory, setting.point, secrets).judge(scene, policyOf(policy)), digest: nvmDigest(rest.nvm) };
}
