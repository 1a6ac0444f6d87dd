import type { Cycles } from '../types.js';
import { EmulatorError } from '../errors.js';
import { reschedule } from './bus.js';
import { cycleOf, decodeHere, spend, type Core } from './core.js';
import { enterException } from './exceptions.js';
import { execute } from './interpreter.js';
import { costOf } from './decode.js';
import { KIND } from './kinds.js';
import { EXCEPTION, pendSystem, wakesWfi } from './nvic.js';
import { doSpecial, takeFaults } from './special.js';
import { passTick } from './systick.js';

/**
 * Bounds of a slice of the fast loop in cycles. It starts short and grows: a loop that is entered and left
 * often before it gets hot is optimised with its entry and exit known, one that is not is thrown back to
 * slow code at each exit (measured: a quarter of the speed). An engine divides its interpretation up itself.
 */
const LAST_SLICE = 1_000_000;

/** Events that may take place at one cycle before a device is taken to be stuck. */
const EVENT_BOUND = 10_000;

/** Why a run ended. */
export type StopReason = 'limit' | 'bkpt' | 'stop-at' | 'lockup' | 'exit' | 'reset-request' | 'sleep-forever';

/** How far to run. */
export interface RunLimits {
  /** The run ends before the first instruction that would start at or after this cycle. */
  readonly until: Cycles;
  /** What a sleep without a possible wake-up does: end the run (`stop`) or pass the time (`advance`). */
  readonly idle: 'stop' | 'advance';
  /** Called before each instruction; when set, instructions are run one by one. */
  readonly beforeInstruction?: (() => void) | undefined;
  /** True when the next instruction carries a breakpoint (asked in single steps only). */
  readonly atBreakpoint: () => boolean;
  /** Runs code in place of the interpreter's `execute`; not used in single steps. */
  readonly engine?: { run(core: Core): number } | undefined;
}

function fireNext(core: Core): void {
  const now = core.nextEvent;
  core.at = now;
  if (core.tickEvent === now) {
    passTick(core);
    pendSystem(core, EXCEPTION.SYSTICK);
    return;
  }
  core.devices.find((device) => device.nextEvent() === now)?.onEvent(now);
}

/**
 * Delivers every event due at or before cycle `until`, in order of cycle; at the same cycle SysTick
 * comes first, then the devices in their order.
 * @throws EmulatorError MACHINE_STATE when a device's event never passes
 */
export function deliverEvents(core: Core, until: Cycles): void {
  for (let fired = 0; core.nextEvent <= until; fired++) {
    if (fired > EVENT_BOUND) {
      throw new EmulatorError('MACHINE_STATE', `an event at cycle ${core.nextEvent} repeats for ever`, 'let the device move its nextEvent() on in onEvent()');
    }
    fireNext(core);
    reschedule(core);
  }
}

/** Lets time pass while asleep; a stop reason, or undefined when something may have woken the core. */
function sleep(core: Core, limits: RunLimits): StopReason | undefined {
  const wake = core.sleeping === 'wfi' ? wakesWfi(core) : core.eventRegister || core.ready;
  if (wake) {
    if (core.sleeping === 'wfe') core.eventRegister = false;
    core.sleeping = 'no';
    return undefined;
  }
  const now = cycleOf(core);
  if (core.nextEvent === Infinity && (limits.idle === 'stop' || limits.until === Infinity)) return 'sleep-forever';
  spend(core, Math.min(core.nextEvent, limits.until) - now);
  return undefined;
}

/**
 * LDM, STM, PUSH, POP or a 32-cycle MULS that runs past the end of its slice. The core abandons such an
 * instruction for an interrupt and restarts it afterwards (DDI 0432C, 3.7.1); here that means: events inside
 * its cycles are delivered first, and if one of them makes an exception ready the instruction has had no
 * effect but the cycles it had used. Otherwise it is carried out whole.
 */
function straddle(core: Core, deliver: (until: number) => void): number {
  const start = cycleOf(core);
  const finish = start + costOf(core.seg.ops[core.i]);
  while (core.nextEvent < finish) {
    const at = core.nextEvent;
    deliver(at);
    if (core.ready) {
      spend(core, at - start);
      return -1;
    }
  }
  core.end = start + 1;
  core.left = 1;
  core.force = true;
  const op = execute(core);
  core.force = false;
  return op;
}

function pendingStop(core: Core): StopReason | undefined {
  if (core.lockedUp) return 'lockup';
  if (core.exitCode !== undefined) return 'exit';
  return core.resetRequested ? 'reset-request' : undefined;
}

function slice(core: Core, limits: RunLimits, deliver: (until: number) => void): StopReason | undefined {
  const now = cycleOf(core);
  const stepping = limits.beforeInstruction !== undefined;
  const engine = stepping ? undefined : limits.engine;
  const longest = engine === undefined ? core.sliceLength : LAST_SLICE;
  core.end = stepping ? now + 1 : Math.min(limits.until, core.nextEvent, now + longest);
  core.left = core.end - now;
  if (engine === undefined && core.sliceLength < LAST_SLICE) core.sliceLength = Math.min(LAST_SLICE, Math.ceil(core.sliceLength * 1.05));
  if (stepping) {
    if (core.seg.ops[core.i] === KIND.UNDECODED) decodeHere(core, core.i);
    limits.beforeInstruction();
  }
  let op = engine === undefined ? execute(core) : engine.run(core);
  if (op === KIND.STRADDLE) op = straddle(core, deliver);
  if (op === -1) return undefined;
  const outcome = doSpecial(core, op, deliver);
  if (outcome === 'bkpt') return 'bkpt';
  return outcome === 'breakpoint' ? 'stop-at' : undefined;
}

/** The slow loop: limits, events, faults, exceptions, sleep; and the interpreter in between. */
export function runCore(core: Core, limits: RunLimits): StopReason {
  const deliver = (until: number): void => deliverEvents(core, until);
  for (let first = true; ; first = false) {
    const stop = pendingStop(core);
    if (stop !== undefined) return stop;
    if (cycleOf(core) >= limits.until) return 'limit';
    deliver(cycleOf(core));
    if (core.exitCode !== undefined) return 'exit';
    if (core.sleeping !== 'no') {
      const reason = sleep(core, limits);
      if (reason !== undefined) return reason;
      continue;
    }
    if (core.ready) {
      enterException(core, deliver);
      continue;
    }
    if (takeFaults(core)) continue;
    if (!first && limits.beforeInstruction !== undefined && limits.atBreakpoint()) return 'stop-at';
    const reason = slice(core, limits, deliver);
    if (reason !== undefined) return reason;
  }
}
