import type { PointRelatedEvent } from '../../reports/index.js';
import { pursePlan } from '../../scenarios/index.js';
import type { PursePoint } from '../../scenarios/index.js';
import type { WorldFactory } from '../certify/factory.js';
import { pointEvent, verdictEvent } from '../certify/point-runner.js';
import type { PointRunner, RunnerSetting } from '../certify/runner.js';
import { BenchError } from '../world/errors.js';
import { emulatedCards, PurseFactory } from './factory.js';
import { PurseLog } from './log.js';
import { runPursePoint } from './point.js';

/** EEPROM pages a chip needs to have the purse (docs/purse.md). */
export const PURSE_PAGES = 512;

const factories = new WeakMap<WorldFactory, PurseFactory>();

/** The purse's worlds of an implementation under test; made once for all points of a worker. */
export function purseFactoryOf(factory: WorldFactory): PurseFactory {
  const known = factories.get(factory) ?? new PurseFactory(factory.setup.seed, factory.ops, emulatedCards(factory.setup, factory));
  factories.set(factory, known);
  return known;
}

/** True when the chip is too small to have the purse. */
export const tooSmall = ({ setup: { profile: { eeprom } } }: WorldFactory): boolean => eeprom.bytes / eeprom.page < PURSE_PAGES;

/** A point of the purse by its id. Throws BenchError BENCH_USAGE. */
export function pursePoint(id: string): PursePoint {
  const found = pursePlan.points.find((point) => point.id === id);
  if (found) return found;
  throw new BenchError('BENCH_USAGE', `the plan of the purse has no point ${id}`);
}

async function run(id: string, { factory, replay }: RunnerSetting): Promise<readonly PointRelatedEvent[]> {
  const point = pursePoint(id);
  if (tooSmall(factory))
    return [pointEvent(point), verdictEvent(point, { verdict: 'unsupported', reasons: [`the purse needs ${PURSE_PAGES} EEPROM pages`] }, { replay: replay(id) })];
  const log = new PurseLog(id);
  const worlds = purseFactoryOf(factory);
  log.attach(worlds);
  const { verdict, reasons, findings, step, fault } = await runPursePoint(point, worlds, { listener: log.listener(point.scenario), began: (world) => { log.watch(world); } });
  const cycle = log.now();
  const shown = log.shown();
  const departed = verdict === 'pass' && shown.problems.length > 0;
  return [
    pointEvent(point), ...log.events, ...shown.events, ...shown.usage ? [shown.usage] : [],
    ...fault ? [{ type: 'fault' as const, point: id, fault: fault.name, applied: fault.fired, text: point.title, cycle }] : [],
    ...findings.map(({ invariant, text }) => ({ type: 'finding' as const, point: id, invariant, text })),
    verdictEvent(point, { verdict: departed ? 'fail' : verdict, reasons: [...reasons, ...shown.problems], ...step !== undefined && { step } }, { cycle, replay: replay(id) }),
  ];
}

/** Points of card-to-card money, on two emulated cards under one clock. */
export const purseRunner: PointRunner = { system: 'purse', plan: pursePlan.id, points: () => pursePlan.points, run };
