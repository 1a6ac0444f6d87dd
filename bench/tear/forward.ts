import { nvmDigest } from '../../emulator/index.js';
import type { AbstractWorld, Finding } from '../../scenarios/index.js';
import type { WorldFactory } from '../certify/factory.js';
import { prepare, runHonestly } from '../certify/prepare.js';
import { noBindings } from '../script/build.js';
import { secretsOf } from '../nvm/index.js';
import type { Secret } from '../nvm/index.js';
import { seededRandom } from '../world/random.js';
import type { World, WorldHooks } from '../world/world.js';
import { uintOf } from '../codec/index.js';
import { TearError } from './errors.js';
import type { TearPoint } from './points.js';
import { lastStep, leftNow, RestLog, restOf, safesDigest } from './rest.js';
import type { Rest } from './rest.js';

/** A world in which the phase of a tear point is about to run. */
export interface ReadyWorld {
  readonly world: World;
  readonly log: RestLog;
  /** Keys of the card, for the search of free memory. */
  readonly secrets: readonly Secret[];
}

/** First cycle of a phase, the cycle after its last answer, and the page operations in it. */
export interface CycleRange {
  readonly from: number;
  readonly to: number;
  readonly operations: readonly { readonly start: number; readonly end: number }[];
}

/** Where cycles are drawn from: all of the phase, or its page operations only. */
export type Aim = 'phase' | 'operations';

/** One or more cuts that leave the same memory, safes and bench. */
export interface CutGroup {
  /** The first such cycle, and all of them. */
  readonly cycle: number;
  readonly cycles: number[];
  /** nvmDigest of what is left. */
  readonly digest: string;
  readonly rest: Rest;
  /** Number of the last state at rest before the cut, in the forward run's log. */
  readonly before: number;
  /** See {@link lastStep}; of the first of the cycles. */
  readonly step: string | undefined;
}

/** What the forward run gave. */
export interface Forward {
  readonly range: CycleRange;
  readonly groups: readonly CutGroup[];
  /** States at rest of the undisturbed run, the one before the phase first. */
  readonly states: readonly AbstractWorld[];
  readonly secrets: readonly Secret[];
  /** What the invariants say of the undisturbed run. */
  readonly findings: readonly Finding[];
}

/** A fresh world brought to where the phase begins; `more` hooks are called beside the log's. Throws BenchError BENCH_PREPARE, BENCH_PERSONALISE. */
export async function readyWorld(factory: WorldFactory, point: TearPoint, more: WorldHooks = {}): Promise<ReadyWorld> {
  const log = new RestLog();
  const world = await factory.world(point.prepare, {
    ...log.hooks, ...more,
    exchanged: (exchange) => { log.hooks.exchanged?.(exchange); more.exchanged?.(exchange); },
  });
  await prepare(point, world, noBindings());
  log.begin(world);
  return { world, log, secrets: secretsOf(world.memory()) };
}

/** Runs the phase undisturbed, says where its cycles lie, and takes everything back. @throws TearError TEAR_RUN */
export function rangeOf(point: TearPoint, world: World): Promise<CycleRange> {
  return world.rehearse(async () => {
    const from = world.line.now();
    const { eeprom } = world.card.chip;
    const earlier = eeprom.writes.length;
    const { cause, step, text } = await runHonestly(point.run, world);
    if (cause !== 'done') throw new TearError('TEAR_RUN', `${point.id}: without a cut the run ended at ${step}: ${text}`);
    const operations = eeprom.writes.slice(earlier).map(({ start, end }) => ({ start, end }));
    return { from, to: world.line.now(), operations };
  });
}

/**
 * So many different cycles by a seed, ascending.
 * @throws TearError TEAR_RANGE when there are not so many
 */
export function drawCycles(range: CycleRange, cuts: number, seed: number, aim: Aim): number[] {
  const parts = aim === 'phase' ? [{ start: range.from, end: range.to }] : range.operations;
  const total = parts.reduce((sum, { start, end }) => sum + end - start, 0);
  if (cuts > total) throw new TearError('TEAR_RANGE', `${cuts} cuts were asked for, there are ${total} cycles`, 'nothing was cut');
  const random = seededRandom(seed, `cuts ${aim}`);
  const drawn = new Set<number>();
  while (drawn.size < cuts) {
    let offset = Math.floor((uintOf(random(4)) / 0x100000000) * total);
    const part = parts.find(({ start, end }) => {
      if (offset < end - start) return true;
      offset -= end - start;
      return false;
    });
    if (part) drawn.add(part.start + offset);
  }
  return [...drawn].sort((a, b) => a - b);
}

/** Runs the phase once and takes what a cut at each of the cycles would leave. @throws TearError TEAR_RUN, TEAR_RANGE */
export async function runForward(
  factory: WorldFactory, point: TearPoint, choose: (range: CycleRange) => readonly number[],
): Promise<Forward> {
  const { world, log, secrets } = await readyWorld(factory, point);
  const range = await rangeOf(point, world);
  const cycles = choose(range);
  const groups = new Map<string, CutGroup>();
  let seen = 0;
  world.card.port.probeAt(cycles, (cycle) => {
    seen += 1;
    const nvm = leftNow(world);
    const digest = nvmDigest(nvm);
    const before = log.states.length - 1;
    const key = `${digest} ${safesDigest(world)} ${before}`;
    const group = groups.get(key);
    if (group) group.cycles.push(cycle);
    else groups.set(key, { cycle, cycles: [cycle], digest, rest: restOf(world, nvm), before, step: lastStep(world, range.from) });
  });
  await runHonestly(point.run, world);
  if (seen < cycles.length) throw new TearError('TEAR_RANGE', `${cycles.length - seen} of ${cycles.length} cycles were not reached`);
  return { range, groups: [...groups.values()], states: log.states, secrets, findings: [...log.findings(), ...log.line] };
}
