import type { PointRelatedEvent } from '../../reports/index.js';
import { twinPlan } from '../../scenarios/index.js';
import type { WorldFactory } from '../certify/factory.js';
import { pointEvent, verdictEvent } from '../certify/point-runner.js';
import type { PointRunner, RunnerSetting } from '../certify/point-runner.js';
import { BenchError } from '../world/errors.js';
import { emulatedTwinCards, TwinFactory } from './factory.js';
import { TwinLog } from './log.js';
import { runTwinPoint } from './point.js';

/** EEPROM pages a chip needs to have the twin applet (docs/twin.md 1). */
export const TWIN_CHIP_PAGES = 512;

const factories = new WeakMap<WorldFactory, TwinFactory>();

/** The worlds of an implementation under test; made once for all points of a worker. */
export function twinFactoryOf(factory: WorldFactory): TwinFactory {
  const known = factories.get(factory) ?? new TwinFactory(factory.setup.seed, emulatedTwinCards(factory.setup, factory));
  factories.set(factory, known);
  return known;
}

/** True when the chip is too small to have the applet. */
export const tooSmallForTwin = ({ setup: { profile: { eeprom } } }: WorldFactory): boolean => eeprom.bytes / eeprom.page < TWIN_CHIP_PAGES;

async function run(id: string, { factory, replay }: RunnerSetting): Promise<readonly PointRelatedEvent[]> {
  const point = twinPlan.points.find((one) => one.id === id);
  if (!point) throw new BenchError('BENCH_USAGE', `the plan of primary and secondary card has no point ${id}`);
  if (tooSmallForTwin(factory))
    return [pointEvent(point), verdictEvent(point, { verdict: 'unsupported', reasons: [`primary and secondary card need ${TWIN_CHIP_PAGES} EEPROM pages`] }, { replay: replay(id) })];
  const log = new TwinLog(id);
  const worlds = twinFactoryOf(factory);
  log.attach(worlds);
  const { verdict, reasons, findings, step } = await runTwinPoint(point, worlds, log);
  const shown = log.shown();
  const departed = verdict === 'pass' && shown.problems.length > 0;
  return [
    pointEvent(point), ...log.events, ...shown.events, ...shown.usage ? [shown.usage] : [],
    ...findings.map(({ invariant, text }) => ({ type: 'finding' as const, point: id, invariant, text })),
    verdictEvent(point, { verdict: departed ? 'fail' : verdict, reasons: [...reasons, ...shown.problems], ...step !== undefined && { step } }, { cycle: log.now(), replay: replay(id) }),
  ];
}

/** Points of primary and secondary card, on three emulated cards, the backup device and the issuer under one clock. */
export const twinRunner: PointRunner = { system: 'twin', plan: twinPlan.id, points: () => twinPlan.points, run };
