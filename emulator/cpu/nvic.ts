import { endSlice, type Core } from './core.js';

/** Exception numbers (ARM DDI 0419, table B1-3). */
export const EXCEPTION = { RESET: 1, NMI: 2, HARD_FAULT: 3, SVCALL: 11, PENDSV: 14, SYSTICK: 15, IRQ0: 16 } as const;

const SYSTEM_ORDER = [2, 3, 11, 14, 15] as const;

/** SCR.SEVONPEND. */
export const SEVONPEND = 16;

/** Priority of exception `number`; lower is more urgent. */
export function priorityOf(core: Core, number: number): number {
  if (number === EXCEPTION.NMI) return -2;
  if (number === EXCEPTION.HARD_FAULT) return -1;
  return core.priority[number];
}

/** The most urgent pending exception with a priority below `limit`; 0 when there is none. Ties go to the lower number. */
export function pickPending(core: Core, limit: number): number {
  let best = 0;
  let bound = limit;
  if (core.sysPending !== 0) {
    for (const number of SYSTEM_ORDER) {
      if ((core.sysPending & (1 << number)) === 0) continue;
      const priority = priorityOf(core, number);
      if (priority < bound) {
        best = number;
        bound = priority;
      }
    }
  }
  for (let rest = core.irqPending & core.irqEnabled; rest !== 0; rest &= rest - 1) {
    const number = EXCEPTION.IRQ0 + 31 - Math.clz32(rest & -rest);
    const priority = core.priority[number];
    if (priority < bound) {
      best = number;
      bound = priority;
    }
  }
  return best;
}

/** Priority an exception must beat to be taken now. */
export function executionPriority(core: Core): number {
  return core.primask !== 0 && core.activePriority > 0 ? 0 : core.activePriority;
}

/** Recomputes the priority of what is running from the active exceptions. */
export function updateActive(core: Core): void {
  let lowest = 256;
  for (const number of SYSTEM_ORDER) {
    if ((core.sysActive & (1 << number)) !== 0) lowest = Math.min(lowest, priorityOf(core, number));
  }
  for (let rest = core.irqActive; rest !== 0; rest &= rest - 1) {
    lowest = Math.min(lowest, core.priority[EXCEPTION.IRQ0 + 31 - Math.clz32(rest & -rest)]);
  }
  core.activePriority = lowest;
}

/** Recomputes whether an exception must be taken, and ends the slice if so. */
export function updateReady(core: Core): void {
  const pending = core.sysPending !== 0 || (core.irqPending & core.irqEnabled) !== 0;
  core.ready = pending && pickPending(core, executionPriority(core)) !== 0;
  if (core.ready && core.left > 0) endSlice(core);
}

/** True when WFI must wake: an exception is pending that would be taken if PRIMASK were clear. */
export function wakesWfi(core: Core): boolean {
  return pickPending(core, core.activePriority) !== 0;
}

/** Pends interrupts of mask `bits`; those newly pending may set the event register (SEVONPEND). */
export function pendIrqs(core: Core, bits: number): void {
  const fresh = bits & ~core.irqPending;
  core.irqPending |= bits;
  if (fresh !== 0 && (core.scr & SEVONPEND) !== 0) core.eventRegister = true;
  updateReady(core);
}

/** Pends system exception `number`. */
export function pendSystem(core: Core, number: number): void {
  const bit = 1 << number;
  if ((core.sysPending & bit) === 0 && (core.scr & SEVONPEND) !== 0) core.eventRegister = true;
  core.sysPending |= bit;
  updateReady(core);
}

/** Drives the level of external interrupt `irq` (0 to 31): a rising level pends it. */
export function setIrqLine(core: Core, irq: number, level: boolean): void {
  const bit = 1 << irq;
  if (!level) {
    core.irqLines &= ~bit;
    return;
  }
  if ((core.irqLines & bit) !== 0) return;
  core.irqLines |= bit;
  pendIrqs(core, bit);
}

/** Marks `number` active and no longer pending. */
export function activate(core: Core, number: number): void {
  if (number >= EXCEPTION.IRQ0) {
    const bit = 1 << (number - EXCEPTION.IRQ0);
    core.irqPending &= ~bit;
    core.irqActive |= bit;
  } else {
    core.sysPending &= ~(1 << number);
    core.sysActive |= 1 << number;
  }
  core.ipsr = number;
  updateActive(core);
}

/** Marks `number` inactive; a level interrupt whose line is still high is pending again. */
export function deactivate(core: Core, number: number): void {
  if (number >= EXCEPTION.IRQ0) {
    const bit = 1 << (number - EXCEPTION.IRQ0);
    core.irqActive &= ~bit;
    if ((core.irqLines & bit) !== 0) core.irqPending |= bit;
  } else {
    core.sysActive &= ~(1 << number);
  }
  updateActive(core);
}

/** True when exception `number` is active. */
export function isActive(core: Core, number: number): boolean {
  if (number >= EXCEPTION.IRQ0) return (core.irqActive & (1 << (number - EXCEPTION.IRQ0))) !== 0;
  return (core.sysActive & (1 << number)) !== 0;
}

/** Clears pending bits of interrupts; those whose line is high and which are not active stay pending. */
export function clearPendingIrqs(core: Core, bits: number): void {
  core.irqPending = (core.irqPending & ~bits) | (bits & core.irqLines & ~core.irqActive);
  updateReady(core);
}
