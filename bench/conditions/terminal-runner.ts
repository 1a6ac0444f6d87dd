import { isDeviceError } from '../../devices/index.js';
import type { PointRelatedEvent } from '../../reports/index.js';
import { planId, terminalPoints, verdictOf } from '../../scenarios/index.js';
import type { AbstractWorld, Observation, TerminalExpectation, TerminalPoint } from '../../scenarios/index.js';
import { cardFindings, worldFindings } from '../certify/findings.js';
import { PointLog } from '../certify/log.js';
import { pointEvent, verdictEvent } from '../certify/point-runner.js';
import type { PointRunner, RunnerSetting } from '../certify/point-runner.js';
import { prepare } from '../certify/prepare.js';
import { noBindings } from '../script/build.js';
import { BenchError } from '../world/errors.js';
import { fillMemory } from '../world/fill.js';
import type { World } from '../world/world.js';
import { Terminal } from './terminal.js';
import type { Lived } from './terminal.js';

const words = (started: TerminalExpectation['started']): string => started.map(({ minute, does, end }) => `${does} at minute ${minute}: ${end}`).join(', ') || 'nothing';

/** What was started, how items that needed room ended, what was shown: each that is not as it must be. */
function livedReasons({ lives: { started, room = [], shown = 0 } }: TerminalPoint, lived: Lived): string[] {
  const reasons: string[] = [];
  if (words(lived.started) !== words(started)) reasons.push(`the terminal started ${words(lived.started)}, expected ${words(started)}`);
  const ends = lived.room.map(({ end, text }) => (end === 'failed' ? `failed (${text})` : end)).join();
  if (ends !== room.join()) reasons.push(`what needed room ended ${ends || 'not at all'}, expected ${room.join() || 'nothing'}`);
  if (lived.shown.length !== shown) reasons.push(`a shortage was shown ${lived.shown.length} times, expected ${shown}`);
  return reasons;
}

/** A shortage that the user was shown must be one: more than the longest free run held then. */
function shownReasons({ shown }: Lived): string[] {
  return shown.filter(({ needed }) => needed === 0).map(() => 'a shortage of nothing was shown');
}

async function lived(point: TerminalPoint, world: World, log: PointLog): Promise<{ readonly observation: Observation; readonly reasons: readonly string[] }> {
  await prepare(point, world, noBindings());
  const { leave } = point.terminal;
  if (leave !== undefined && !await fillMemory(world, { pages: leave })) throw new BenchError('BENCH_PREPARE', `${point.id}: the memory cannot be filled up to ${leave} pages`);
  const before = world.abstract();
  const history: AbstractWorld[] = [before];
  const terminal = new Terminal(world, point.terminal, {
    listener: (scenario) => {
      const steps = log.listener(scenario);
      return (event) => {
        steps(event);
        if (event.type !== 'step') history.push(world.abstract());
      };
    },
    rested: () => { history.push(world.abstract()); },
  });
  const life = await terminal.live();
  const after = world.abstract();
  history.push(after);
  log.events.push(log.usage(world));
  return {
    reasons: [...livedReasons(point, life), ...shownReasons(life)],
    observation: {
      missing: [], faultApplied: true, hasTrace: true, end: { cause: 'done', text: 'the terminal has lived through its minutes' }, before, after, cardId: world.cardId,
      items: Object.fromEntries(world.names), findings: [...worldFindings(history, world), ...cardFindings(log)],
    },
  };
}

async function run(id: string, { factory, replay }: RunnerSetting): Promise<readonly PointRelatedEvent[]> {
  const point = terminalPoints.find((one) => one.id === id);
  if (!point) throw new BenchError('BENCH_USAGE', `the terminal has no point ${id}`, 'nothing was run');
  const log = new PointLog(id);
  log.events.push(pointEvent(point));
  try {
    const world = await factory.world({ ...point.prepare, ...point.terminal.leave !== undefined && { bulk: 'pages' as const } }, log.hooks);
    log.watch(world);
    const { observation, reasons } = await lived(point, world, log);
    const judged = verdictOf(point, observation);
    for (const { invariant, text } of observation.findings) log.events.push({ type: 'finding', point: id, invariant, text });
    const all = [...reasons, ...judged.reasons];
    log.events.push(verdictEvent(point, { verdict: all.length > 0 ? 'fail' : 'pass', reasons: all }, { cycle: log.now(), replay: replay(id) }));
  } catch (error) {
    if (!(error instanceof BenchError) && !isDeviceError(error)) throw error;
    log.events.push(verdictEvent(point, { verdict: 'aborted', reasons: [`${error.code}: ${error.message}`] }, { cycle: log.now(), replay: replay(id) }));
  }
  return log.events;
}

/** The terminal 160: triggers, and what is done when room is short. */
export const terminalRunner: PointRunner = { system: 'backup', plan: planId, points: () => terminalPoints, run };
