import { cycleOf, decodeHere, forgetCode, noteStack, pcOf, setPc, spend, violate, type Core } from './core.js';
import { KIND_MASK } from './decode.js';
import { exceptionReturn, raiseHardFault, readXpsr, swapStacks, writeFlags } from './exceptions.js';
import { KIND } from './kinds.js';
import { accessSlow } from './memory.js';
import { multipleSlow, popPcSlow } from './multiple.js';
import { branchOffset, findInstruction } from './table.js';
import { EXCEPTION, executionPriority, pendSystem, priorityOf, updateReady } from './nvic.js';

const SPSEL = 2;

/** What the slow loop does after a special instruction: `run` on, or stop at a breakpoint or BKPT. */
export type SpecialOutcome = 'run' | 'breakpoint' | 'bkpt';

type Deliver = (until: number) => void;

function privileged(core: Core): boolean {
  return core.ipsr !== 0 || (core.control & 1) === 0;
}

/** Puts the pc back on the instruction just fetched and records a fault there. */
function faultHere(core: Core, code: string, detail: string): void {
  core.i--;
  core.at = cycleOf(core);
  violate(core, code, pcOf(core), detail);
  raiseHardFault(core);
}

/** BX, BLX, POP to a target outside the current segment: EXC_RETURN, an even address, another segment, or nowhere. */
function branchTo(core: Core, target: number, deliver: Deliver): void {
  if (core.ipsr !== 0 && target >>> 28 === 0xf) {
    exceptionReturn(core, target, core.seg.base + (core.i - 1) * 2, deliver);
    return;
  }
  core.thumb = (target & 1) !== 0;
  setPc(core, target);
  fetchWait(core);
}

function fetchWait(core: Core): void {
  if (core.lost < 0) spend(core, (core.i & 1) * core.seg.waitStates);
}

function plainBranch(core: Core, target: number): void {
  setPc(core, target);
  fetchWait(core);
}

function conditionHolds(core: Core, condition: number): boolean {
  const { n, z, c, v } = core;
  const results = [z === 0, c !== 0, n < 0, v < 0, c !== 0 && z !== 0, (n ^ v) >= 0, z !== 0 && (n ^ v) >= 0];
  return results[condition >> 1] === ((condition & 1) === 0);
}

/** B, Bcc or BL that leaves its segment; the packed form has no room for the distance, so the encoding is read again. */
function branchFar(core: Core, op: number): void {
  const { base, u16 } = core.seg;
  const index = core.i - 1;
  const [half1, half2] = [u16[index], u16[index + 1] ?? 0];
  const instruction = findInstruction(half1, half2);
  const offset = instruction === undefined ? undefined : branchOffset(instruction, half1, half2);
  if (offset === undefined) return;
  if ((op & KIND_MASK) === KIND.BCOND_FAR) {
    if (!conditionHolds(core, (half1 >>> 8) & 15)) return;
    spend(core, core.table.conditionalTaken - core.table.conditionalNotTaken);
  }
  if ((op & KIND_MASK) === KIND.BL_FAR) core.r[14] = (base + core.i * 2 + 2) | 1;
  plainBranch(core, base + index * 2 + 4 + offset);
}

function readSpecial(core: Core, sysm: number): number | undefined {
  if (sysm < 8 && sysm !== 4) {
    const apsr = (sysm & 4) === 0 ? readXpsr(core, false) & (0xf0000000 | 0) : 0;
    return apsr | ((sysm & 1) !== 0 ? core.ipsr : 0);
  }
  const psp = (core.control & SPSEL) !== 0;
  if (sysm === 8) return privileged(core) ? (psp ? core.otherSp : core.r[13]) : 0;
  if (sysm === 9) return privileged(core) ? (psp ? core.r[13] : core.otherSp) : 0;
  if (sysm === 16) return privileged(core) ? core.primask : 0;
  return sysm === 20 ? core.control : undefined;
}

function writeStackPointer(core: Core, main: boolean, value: number): void {
  const sp = value & ~3;
  const active = main === ((core.control & SPSEL) === 0);
  if (!active) {
    core.otherSp = sp;
    return;
  }
  core.r[13] = sp;
  if (sp < core.spWatch) noteStack(core, sp);
}

function writeControl(core: Core, value: number): void {
  const spsel = core.ipsr === 0 ? value & SPSEL : core.control & SPSEL;
  const npriv = core.table.core === 'cortex-m0plus' ? value & 1 : 0;
  if (spsel !== (core.control & SPSEL)) swapStacks(core);
  core.control = spsel | npriv;
}

function writeSpecial(core: Core, sysm: number, value: number): boolean {
  if (sysm < 4) {
    writeFlags(core, value);
    return true;
  }
  if (sysm < 8 && sysm !== 4) return true;
  if (![8, 9, 16, 20].includes(sysm)) return false;
  if (!privileged(core)) return true;
  if (sysm === 16) {
    core.primask = value & 1;
    updateReady(core);
  } else if (sysm === 20) writeControl(core, value);
  else writeStackPointer(core, sysm === 8, value);
  return true;
}

function moveSpecial(core: Core, op: number): void {
  const sysm = (op >>> 20) & 0xff;
  const reg = (op >>> 12) & 15;
  if ((op & KIND_MASK) === KIND.MRS) {
    const value = readSpecial(core, sysm);
    if (value === undefined) faultHere(core, 'UNDEFINED', `MRS of special register ${sysm}`);
    else core.r[reg] = value;
    if (value !== undefined) core.i++;
  } else if (writeSpecial(core, sysm, core.r[reg])) core.i++;
  else faultHere(core, 'UNDEFINED', `MSR of special register ${sysm}`);
}

function changeState(core: Core, op: number): void {
  if (!privileged(core)) return;
  core.primask = (op >>> 20) & 1;
  updateReady(core);
}

function waitForEvent(core: Core): void {
  if (core.eventRegister) core.eventRegister = false;
  else core.sleeping = 'wfe';
}

/** SVC, or HardFault with the SVC as return address when SVCall may not be taken now (B1.5.6, B1.5.10). */
function superviser(core: Core): void {
  if (priorityOf(core, EXCEPTION.SVCALL) < executionPriority(core)) {
    pendSystem(core, EXCEPTION.SVCALL);
    return;
  }
  faultHere(core, 'SVC_ESCALATED', 'SVC where SVCall cannot preempt');
}

function undefinedInstruction(core: Core): void {
  const half = core.seg.u16[core.i - 1];
  faultHere(core, 'UNDEFINED', `encoding 0x${half.toString(16).padStart(4, '0')} does not exist in ARMv6-M`);
}

function special(core: Core, op: number, deliver: Deliver): void {
  switch (op & KIND_MASK) {
    case KIND.UNDECODED:
      core.i--;
      core.instructions--;
      decodeHere(core, core.i);
      return;
    case KIND.STACK:
      noteStack(core, core.r[13]);
      return;
    case KIND.CODE_WRITTEN:
      forgetCode(core, core.target, 1);
      return;
    case KIND.PUSH:
    case KIND.POP:
    case KIND.STM:
    case KIND.LDM:
      multipleSlow(core, op);
      return;
    case KIND.WFE:
      waitForEvent(core);
      return;
    case KIND.WFI:
      core.sleeping = 'wfi';
      return;
    case KIND.SEV:
      core.eventRegister = true;
      return;
    case KIND.CPS:
      changeState(core, op);
      return;
    case KIND.SVC:
      superviser(core);
      return;
    case KIND.MSR:
    case KIND.MRS:
      moveSpecial(core, op);
      return;
    case KIND.RUN_OFF:
      core.i--;
      core.instructions--;
      core.lost = (core.seg.base + core.seg.size) >>> 0;
      return;
    case KIND.POP_PC: {
      const target = popPcSlow(core, op);
      if (target !== undefined) branchTo(core, target, deliver);
      return;
    }
    default:
      undefinedInstruction(core);
  }
}

/** Carries out what `execute` handed back (never KIND.STRADDLE). Its fixed cost has been charged. */
export function doSpecial(core: Core, op: number, deliver: Deliver): SpecialOutcome {
  if (accessSlow(core, op)) return 'run';
  switch (op & KIND_MASK) {
    case KIND.BX:
    case KIND.BLX:
      branchTo(core, core.target, deliver);
      return 'run';
    case KIND.ADD_PC:
      plainBranch(core, core.r[(op >>> 20) & 15] + core.seg.base + core.i * 2 + 2);
      return 'run';
    case KIND.MOV_PC:
      plainBranch(core, core.r[(op >>> 20) & 15]);
      return 'run';
    case KIND.B_FAR:
    case KIND.BL_FAR:
    case KIND.BCOND_FAR:
      branchFar(core, op);
      return 'run';
    case KIND.BREAKPOINT:
      core.i--;
      core.instructions--;
      return 'breakpoint';
    case KIND.BKPT:
      core.i--;
      return 'bkpt';
    default:
      special(core, op, deliver);
      return 'run';
  }
}

/** Faults that the interpreter noted during its last slice, or that the pc itself is. */
export function takeFaults(core: Core): boolean {
  if (core.fault !== '') {
    core.fault = '';
    core.i--;
    raiseHardFault(core);
    return true;
  }
  if (core.lost < 0 && core.thumb) return false;
  core.at = cycleOf(core);
  const pc = pcOf(core);
  if (core.thumb) violate(core, 'UNMAPPED_FETCH', pc, 'instruction fetch outside executable memory', pc);
  else violate(core, 'INVALID_STATE', pc, 'branch to an address with bit 0 clear', pc);
  raiseHardFault(core);
  return true;
}

