import type { Cycles } from '../types.js';
import type { Core } from './core.js';

const ENABLE = 1;
const TICKINT = 2;

/** Cycles from a counter value to its next zero; Infinity when it never gets there. */
function cyclesToZero(core: Core): number {
  if (core.tickValue > 0) return core.tickValue;
  return core.tickReload === 0 ? Infinity : core.tickReload + 1;
}

/**
 * Brings the counter to cycle `now`. The counter loses one each cycle; the cycle after it is 0 it holds RVR,
 * so its period is RVR + 1 (ARM DDI 0419, B3.3). Reaching 0 from 1 sets COUNTFLAG; writing CVR does not.
 * @returns true when it reached 0 since the last call
 */
export function syncTick(core: Core, now: Cycles): boolean {
  const elapsed = now - core.tickSince;
  core.tickSince = now;
  if ((core.tickControl & ENABLE) === 0 || elapsed <= 0) return false;
  if (core.tickValue > elapsed) {
    core.tickValue -= elapsed;
    return false;
  }
  const toZero = cyclesToZero(core);
  if (toZero === Infinity) return false;
  if (elapsed < toZero) {
    core.tickValue = toZero - elapsed;
    return false;
  }
  const period = core.tickReload + 1;
  const past = core.tickReload === 0 ? 0 : (elapsed - toZero) % period;
  core.tickValue = past === 0 ? 0 : period - past;
  core.tickFlag = true;
  return true;
}

/** Sets `tickEvent`: the next zero, when it interrupts. */
export function scheduleTick(core: Core): void {
  const live = (core.tickControl & (ENABLE | TICKINT)) === (ENABLE | TICKINT);
  core.tickEvent = live ? core.tickSince + cyclesToZero(core) : Infinity;
}

/** The event at `tickEvent`: moves on to the next one; the caller pends SysTick. */
export function passTick(core: Core): void {
  const now = core.tickEvent;
  syncTick(core, now);
  scheduleTick(core);
}

/** Reads SYST_CSR, RVR, CVR or CALIB (`offset` 0x10 to 0x1C) at cycle `now`; CSR clears COUNTFLAG. */
export function readTick(core: Core, offset: number, now: Cycles): number {
  syncTick(core, now);
  if (offset === 0x14) return core.tickReload;
  if (offset === 0x18) return core.tickValue;
  if (offset === 0x1c) return 0xc0000000 | 0;
  const flag = core.tickFlag ? 1 << 16 : 0;
  core.tickFlag = false;
  return core.tickControl | 4 | flag;
}

/** Writes one of those registers. The reference clock is absent, so CLKSOURCE reads 1 whatever is written. */
export function writeTick(core: Core, offset: number, value: number, now: Cycles): void {
  syncTick(core, now);
  if (offset === 0x10) core.tickControl = value & 3;
  if (offset === 0x14) core.tickReload = value & 0xffffff;
  if (offset === 0x18) {
    core.tickValue = 0;
    core.tickFlag = false;
  }
  scheduleTick(core);
}
