import type { Cycles } from '../types.js';
import type { Core } from './core.js';
import { EXCEPTION, clearPendingIrqs, pendIrqs, pendSystem, pickPending, updateActive, updateReady } from './nvic.js';
import { readTick, writeTick } from './systick.js';

/** System control space: first address. */
export const SCS_BASE = 0xe000e000;
/** Its size in bytes. */
export const SCS_SIZE = 0x1000;

const VECTKEY = 0x05fa;

function readIcsr(core: Core): number {
  const number = pickPending(core, 257);
  const nmi = (core.sysPending >>> EXCEPTION.NMI) & 1;
  const pendSv = (core.sysPending >>> EXCEPTION.PENDSV) & 1;
  const pendTick = (core.sysPending >>> EXCEPTION.SYSTICK) & 1;
  const anyIrq = core.irqPending !== 0 ? 1 : 0;
  return (nmi << 31) | (pendSv << 28) | (pendTick << 26) | (anyIrq << 22) | (number << 12) | core.ipsr;
}

function writeIcsr(core: Core, value: number): void {
  if (value & (1 << 31)) pendSystem(core, EXCEPTION.NMI);
  if (value & (1 << 27)) core.sysPending &= ~(1 << EXCEPTION.PENDSV);
  if (value & (1 << 28)) pendSystem(core, EXCEPTION.PENDSV);
  if (value & (1 << 25)) core.sysPending &= ~(1 << EXCEPTION.SYSTICK);
  if (value & (1 << 26)) pendSystem(core, EXCEPTION.SYSTICK);
  updateReady(core);
}

function readPriorities(core: Core, first: number): number {
  const p = core.priority;
  return p[first] | (p[first + 1] << 8) | (p[first + 2] << 16) | (p[first + 3] << 24);
}

function writePriorities(core: Core, first: number, value: number): void {
  for (let k = 0; k < 4; k++) core.priority[first + k] = (value >>> (8 * k)) & 0xc0;
  updateActive(core);
  updateReady(core);
}

/** Reads the word at `offset` of the system control space at cycle `now`; undefined where nothing is. */
export function readScs(core: Core, offset: number, now: Cycles): number | undefined {
  if (offset >= 0x10 && offset < 0x20) return readTick(core, offset, now);
  if (offset >= 0x400 && offset < 0x420) return readPriorities(core, EXCEPTION.IRQ0 + offset - 0x400);
  switch (offset) {
    case 0x008:
      return 0;
    case 0x100:
    case 0x180:
      return core.irqEnabled;
    case 0x200:
    case 0x280:
      return core.irqPending;
    case 0xd00:
      return core.table.cpuid;
    case 0xd04:
      return readIcsr(core);
    case 0xd08:
      return core.vtor;
    case 0xd0c:
      return 0xfa050000 | 0;
    case 0xd10:
      return core.scr;
    case 0xd14:
      return 0x208;
    case 0xd1c:
      return core.priority[EXCEPTION.SVCALL] << 24;
    case 0xd20:
      return (core.priority[EXCEPTION.PENDSV] << 16) | (core.priority[EXCEPTION.SYSTICK] << 24);
    case 0xd24:
      return ((core.sysPending >>> EXCEPTION.SVCALL) & 1) << 15;
    default:
      return undefined;
  }
}

/** Writes the word at `offset` at cycle `now`; false where nothing is. */
export function writeScs(core: Core, offset: number, value: number, now: Cycles): boolean {
  if (offset >= 0x10 && offset < 0x20) {
    writeTick(core, offset, value, now);
    return true;
  }
  if (offset >= 0x400 && offset < 0x420) {
    writePriorities(core, EXCEPTION.IRQ0 + offset - 0x400, value);
    return true;
  }
  return writeControl(core, offset, value) || writeSystem(core, offset, value);
}

function writeControl(core: Core, offset: number, value: number): boolean {
  switch (offset) {
    case 0x100:
      core.irqEnabled |= value;
      updateReady(core);
      return true;
    case 0x180:
      core.irqEnabled &= ~value;
      updateReady(core);
      return true;
    case 0x200:
      pendIrqs(core, value);
      return true;
    case 0x280:
      clearPendingIrqs(core, value);
      return true;
    default:
      return false;
  }
}

function writeSystem(core: Core, offset: number, value: number): boolean {
  switch (offset) {
    case 0xd04:
      writeIcsr(core, value);
      return true;
    case 0xd08:
      if (core.table.core === 'cortex-m0plus') core.vtor = value & ~0xff;
      return true;
    case 0xd0c:
      if (value >>> 16 === VECTKEY && (value & 4) !== 0) core.resetRequested = true;
      return true;
    case 0xd10:
      core.scr = value & 0x16;
      return true;
    case 0xd1c:
      core.priority[EXCEPTION.SVCALL] = (value >>> 24) & 0xc0;
      break;
    case 0xd20:
      core.priority[EXCEPTION.PENDSV] = (value >>> 16) & 0xc0;
      core.priority[EXCEPTION.SYSTICK] = (value >>> 24) & 0xc0;
      break;
    default:
      return offset === 0x008 || offset === 0xd00 || offset === 0xd14 || offset === 0xd24;
  }
  updateActive(core);
  updateReady(core);
  return true;
}
