import { busRead, busWrite } from './bus.js';
import { RAM_BASE, cycleOf, noteStack, pcOf, setPc, spend, violate, type Core } from './core.js';
import {
  EXCEPTION,
  activate,
  deactivate,
  executionPriority,
  isActive,
  pendSystem,
  pickPending,
  priorityOf,
  updateReady,
} from './nvic.js';

const SPSEL = 2;
const SLEEPONEXIT = 2;

/** APSR, EPSR and IPSR as MRS and stacking see them; `t` includes the T bit. */
export function readXpsr(core: Core, t: boolean): number {
  const nzcv = (core.n < 0 ? 8 : 0) | (core.z === 0 ? 4 : 0) | (core.c !== 0 ? 2 : 0) | (core.v < 0 ? 1 : 0);
  return (nzcv << 28) | (t && core.thumb ? 1 << 24 : 0) | core.ipsr;
}

/** Sets N, Z, C, V from bits 31-28. */
export function writeFlags(core: Core, value: number): void {
  core.n = value;
  core.z = (value >>> 30) & 1 ? 0 : 1;
  core.c = (value >>> 29) & 1;
  core.v = value << 3;
}

/** Exchanges the active and the other stack pointer. */
export function swapStacks(core: Core): void {
  const active = core.r[13];
  core.r[13] = core.otherSp;
  core.otherSp = active;
}

/** Enters lockup: the core does nothing more until reset (ARM DDI 0419, B1.5.11). */
export function lockUp(core: Core, why: string): void {
  core.at = cycleOf(core);
  violate(core, 'LOCKUP', pcOf(core), why);
  core.lockedUp = true;
}

function pushFrame(core: Core, returnAddress: number): boolean {
  const sp = core.r[13];
  const aligned = (sp & 4) !== 0;
  const frame = ((sp - 0x20) & ~4) | 0;
  const xpsr = readXpsr(core, true) | (aligned ? 1 << 9 : 0);
  const r = core.r;
  const words = [r[0], r[1], r[2], r[3], r[12], r[14], returnAddress, xpsr];
  core.at = cycleOf(core);
  r[13] = frame;
  if (frame < core.spWatch) noteStack(core, frame);
  words.forEach((word, k) => busWrite(core, frame + 4 * k, 4, word));
  return core.busError === '';
}

/** Reads the vector of exception `number`; undefined when that faults. */
function vector(core: Core, number: number): number | undefined {
  const address = busRead(core, core.vtor + 4 * number, 4);
  if (core.busError === '') return address;
  core.busError = '';
  return undefined;
}

function vectorTo(core: Core, number: number): void {
  const target = vector(core, number);
  if (target === undefined) {
    lockUp(core, 'the vector table cannot be read');
    return;
  }
  core.thumb = (target & 1) !== 0;
  setPc(core, target);
  core.eventRegister = true;
  core.sleeping = 'no';
}

/** Leaves Thread mode's stack choice behind and gives the EXC_RETURN value for coming back. */
function excReturn(core: Core): number {
  if (core.ipsr !== 0) return 0xfffffff1 | 0;
  return (core.control & SPSEL) !== 0 ? 0xfffffffd | 0 : 0xfffffff9 | 0;
}

/**
 * Takes the most urgent pending exception: stacks eight words (double-word aligned), spends the entry
 * cycles, and only then chooses the vector, so that a more urgent exception arriving during stacking is
 * the one entered (late arrival, B1.5.13); the other stays pending.
 * @param deliver delivers device events before the given cycle
 */
export function enterException(core: Core, deliver: (until: number) => void): void {
  const returnAddress = pcOf(core);
  const link = excReturn(core);
  const stacked = pushFrame(core, returnAddress);
  if (core.ipsr === 0 && (core.control & SPSEL) !== 0) {
    swapStacks(core);
    core.control &= ~SPSEL;
  }
  if (!stacked) stackingFault(core, returnAddress);
  if (core.lockedUp) return;
  spend(core, core.table.exceptionEntry + core.code.waitStates);
  deliver(cycleOf(core) - 1);
  const number = pickPending(core, executionPriority(core));
  activate(core, number);
  core.r[14] = link;
  vectorTo(core, number);
  updateReady(core);
}

function stackingFault(core: Core, pc: number): void {
  core.busError = '';
  violate(core, 'STACKING_FAULT', pc, 'the exception frame lies outside RAM', core.r[13] >>> 0);
  const entering = pickPending(core, executionPriority(core));
  if (priorityOf(core, entering) <= -1 || executionPriority(core) <= -1) lockUp(core, 'stacking for HardFault or NMI faulted');
  else pendSystem(core, EXCEPTION.HARD_FAULT);
}

/**
 * A synchronous fault with the faulting instruction at the current pc: HardFault, or lockup when the core
 * already runs at HardFault or NMI priority.
 */
export function raiseHardFault(core: Core): void {
  if (core.activePriority <= -1) {
    lockUp(core, 'a fault at HardFault or NMI priority');
    return;
  }
  pendSystem(core, EXCEPTION.HARD_FAULT);
}

function validReturn(core: Core, link: number): boolean {
  const low = link & 0xf;
  if ((link & 0x0ffffff0) !== 0x0ffffff0 || !isActive(core, core.ipsr)) return false;
  const nested = activeCount(core) > 1;
  return low === 1 ? nested : (low === 9 || low === 13) && !nested;
}

function activeCount(core: Core): number {
  let count = 0;
  for (let rest = core.sysActive; rest !== 0; rest &= rest - 1) count++;
  for (let rest = core.irqActive; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/**
 * Exception return by BX or POP with EXC_RETURN `link` (B1.5.8). With another exception to take it
 * tail-chains: no unstacking and stacking, `tailChain` cycles. Otherwise it unstacks.
 * @param deliver delivers device events before the given cycle
 */
export function exceptionReturn(core: Core, link: number, from: number, deliver: (until: number) => void): void {
  if (!validReturn(core, link)) {
    core.at = cycleOf(core);
    violate(core, 'EXC_RETURN', from, `0x${(link >>> 0).toString(16)} is no valid EXC_RETURN here`);
    setPc(core, from);
    raiseHardFault(core);
    return;
  }
  deactivate(core, core.ipsr);
  core.eventRegister = true;
  deliver(cycleOf(core));
  const next = pickPending(core, executionPriority(core));
  if (next !== 0) {
    tailChain(core, next, link);
    return;
  }
  unstack(core, link, from);
  updateReady(core);
  if (!core.ready && core.ipsr === 0 && (core.scr & SLEEPONEXIT) !== 0) core.sleeping = 'wfi';
}

function tailChain(core: Core, number: number, link: number): void {
  spend(core, core.table.tailChain);
  activate(core, number);
  core.r[14] = link;
  vectorTo(core, number);
  updateReady(core);
}

/** Registers of an exception frame in its order; pc and xPSR follow them. */
const FRAME_REGISTERS = [0, 1, 2, 3, 12, 14] as const;
/** The frame being unstacked: read whole before anything is changed. */
const FRAME = new Int32Array(8);

function unstack(core: Core, link: number, from: number): void {
  if ((link & 0xf) === 13) {
    core.control |= SPSEL;
    swapStacks(core);
  }
  const frame = core.r[13];
  core.at = cycleOf(core);
  const words = FRAME;
  for (let k = 0; k < 8; k++) words[k] = busRead(core, frame + 4 * k, 4);
  spend(core, core.table.exceptionExit);
  if (core.busError !== '') {
    core.busError = '';
    violate(core, 'UNSTACKING_FAULT', from, 'the exception frame lies outside memory', frame >>> 0);
    core.ipsr = 0;
    setPc(core, from);
    raiseHardFault(core);
    return;
  }
  const xpsr = words[7];
  for (let k = 0; k < FRAME_REGISTERS.length; k++) core.r[FRAME_REGISTERS[k]] = words[k];
  core.r[13] = frame + 0x20 + ((xpsr >>> 9) & 1) * 4;
  core.ipsr = xpsr & 0x3f;
  writeFlags(core, xpsr);
  core.thumb = (xpsr & (1 << 24)) !== 0;
  setPc(core, words[6]);
  if (((link & 0xf) === 1) !== (core.ipsr !== 0)) {
    violate(core, 'EXC_RETURN', from, 'the stacked IPSR does not fit the EXC_RETURN value');
    raiseHardFault(core);
  }
}

/** Clears the core and loads SP and pc from the vector table at 0 (B1.5.5). Devices and RAM are the caller's. */
export function resetCore(core: Core): void {
  core.r.fill(0);
  core.r[14] = -1;
  core.n = core.v = core.c = 0;
  core.z = 1;
  Object.assign(core, RESET_STATE);
  core.priority.fill(0);
  core.tickSince = cycleOf(core);
  core.r[13] = busRead(core, 0, 4) & ~3;
  const start = busRead(core, 4, 4);
  core.busError = '';
  core.thumb = (start & 1) !== 0;
  setPc(core, start);
  const sp = core.r[13];
  const top = (sp - RAM_BASE) >>> 0 <= core.ram.size ? sp : 0x7fffffff;
  core.stackLow = top;
  core.limitLow = 0x7fffffff;
  core.stackLimit = 0;
  core.spWatch = top;
}

const RESET_STATE = {
  otherSp: 0,
  primask: 0,
  control: 0,
  ipsr: 0,
  eventRegister: false,
  sleeping: 'no',
  lockedUp: false,
  force: false,
  fault: '',
  busError: '',
  ready: false,
  sysPending: 0,
  sysActive: 0,
  irqLines: 0,
  irqPending: 0,
  irqEnabled: 0,
  irqActive: 0,
  activePriority: 256,
  scr: 0,
  vtor: 0,
  resetRequested: false,
  tickControl: 0,
  tickReload: 0,
  tickFlag: false,
  tickValue: 0,
  tickEvent: Infinity,
} as const;
