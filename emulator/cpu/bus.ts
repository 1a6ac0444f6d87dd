import type { AccessSize, Cycles, Device } from '../types.js';
import { RAM_BASE, cycleOf, endSlice, forgetCode, violate, type Core, type MappedRegion } from './core.js';
import { costOf } from './decode.js';
import { SCS_BASE, SCS_SIZE, readScs, writeScs } from './scs.js';

/** Signed 32-bit value of `size` bytes at `offset`, zero-extended. */
function view(u8: Uint8Array, u16: Uint16Array, i32: Int32Array, offset: number, size: AccessSize): number {
  if (size === 4) return i32[offset >>> 2];
  return size === 2 ? u16[offset >>> 1] : u8[offset];
}

/** The device whose window holds `address`. */
export function deviceAt(core: Core, address: number): Device | undefined {
  for (const device of core.devices) if ((address - device.base) >>> 0 < device.size) return device;
  return undefined;
}

function regionAt(core: Core, address: number): MappedRegion | undefined {
  for (const region of core.regions) if ((address - region.base) >>> 0 < region.size) return region;
  return undefined;
}

function readRegion(core: Core, mapped: MappedRegion, offset: number, size: AccessSize): number {
  const { region } = mapped;
  if (region.onRead === undefined) return view(mapped.u8, mapped.u16, mapped.i32, offset, size);
  core.inAccess = true;
  const replaced = region.onRead(offset, size, core.at);
  core.inAccess = false;
  return replaced ?? view(mapped.u8, mapped.u16, mapped.i32, offset, size);
}

function unprivileged(core: Core): boolean {
  return (core.control & 1) !== 0 && core.ipsr === 0;
}

function readSystem(core: Core, address: number, size: AccessSize): number {
  if (unprivileged(core)) return busFail(core, 'UNPRIVILEGED');
  if (size !== 4) return busFail(core, 'SCS_WIDTH');
  return readScs(core, address - SCS_BASE, core.at) ?? 0;
}

function busFail(core: Core, code: string): number {
  core.busError = code;
  return 0;
}

/** Reads `size` bytes on the bus at cycle `core.at`; sets `busError` when that is not possible. */
export function busRead(core: Core, target: number, size: AccessSize): number {
  const address = target >>> 0;
  if ((address & (size - 1)) !== 0) return busFail(core, 'UNALIGNED');
  const ramOffset = (address - RAM_BASE) >>> 0;
  if (ramOffset < core.ram.size) return view(core.ramU8, core.ram.u16, core.ram.i32, ramOffset, size);
  const codeOffset = (address - core.code.base) >>> 0;
  if (codeOffset < core.code.size) return view(core.codeU8, core.code.u16, core.code.i32, codeOffset, size);
  const region = regionAt(core, address);
  if (region !== undefined) return readRegion(core, region, address - region.base, size);
  const device = deviceAt(core, address);
  if (device !== undefined) {
    core.inAccess = true;
    const value = device.read(address - device.base, size, core.at) | 0;
    core.inAccess = false;
    return value;
  }
  if ((address - SCS_BASE) >>> 0 < SCS_SIZE) return readSystem(core, address, size);
  return busFail(core, 'UNMAPPED_READ');
}

function writeRam(core: Core, offset: number, size: AccessSize, value: number): void {
  if (size === 4) core.ram.i32[offset >>> 2] = value;
  else if (size === 2) core.ram.u16[offset >>> 1] = value;
  else core.ramU8[offset] = value;
  const word = offset >>> 2;
  if ((word - core.ramCodeFirst) >>> 0 < core.ramCodeWords) forgetCode(core, word, 1);
}

function writeSystem(core: Core, address: number, size: AccessSize, value: number): void {
  if (unprivileged(core)) core.busError = 'UNPRIVILEGED';
  else if (size !== 4) core.busError = 'SCS_WIDTH';
  else {
    writeScs(core, address - SCS_BASE, value, core.at);
    reschedule(core);
    if (core.resetRequested) endSlice(core);
  }
}

/** Writes `size` bytes on the bus at cycle `core.at`; sets `busError` when that is not possible. */
export function busWrite(core: Core, target: number, size: AccessSize, value: number): void {
  const address = target >>> 0;
  if ((address & (size - 1)) !== 0) {
    core.busError = 'UNALIGNED';
    return;
  }
  const ramOffset = (address - RAM_BASE) >>> 0;
  if (ramOffset < core.ram.size) {
    writeRam(core, ramOffset, size, value);
    return;
  }
  const device = deviceAt(core, address);
  if (device !== undefined) {
    core.inAccess = true;
    device.write(address - device.base, size, size === 4 ? value >>> 0 : value & (size === 2 ? 0xffff : 0xff), core.at);
    core.inAccess = false;
  } else if ((address - SCS_BASE) >>> 0 < SCS_SIZE) {
    writeSystem(core, address, size, value);
  } else if ((address - core.code.base) >>> 0 < core.code.size) {
    core.busError = 'CODE_WRITE';
  } else {
    core.busError = regionAt(core, address) === undefined ? 'UNMAPPED_WRITE' : 'READ_ONLY_WRITE';
  }
}

/** Recomputes the next event; ends the slice early when it now lies inside it. */
export function reschedule(core: Core): void {
  let next = core.tickEvent;
  for (const device of core.devices) {
    const event = device.nextEvent();
    if (event < next) next = event;
  }
  core.nextEvent = next;
  if (core.left > 0 && next < core.end) {
    const cut = core.end - Math.max(next, cycleOf(core));
    core.end -= cut;
    core.left -= cut;
  }
}

/** Address of the instruction that the interpreter is carrying out (its `i` already points behind it). */
export function currentPc(core: Core): number {
  return core.seg.base + (core.i - 1) * 2;
}

function startOfInstruction(core: Core): Cycles {
  return cycleOf(core) - costOf(core.seg.ops[core.i - 1]);
}

/** Turns a bus error of the current instruction into a fault and ends the slice. */
export function takeBusError(core: Core, address: number): void {
  core.fault = core.busError;
  core.busError = '';
  violate(core, core.fault, currentPc(core), `access to 0x${(address >>> 0).toString(16).padStart(8, '0')}`, address >>> 0);
  endSlice(core);
}

/** A load the fast path could not serve. On a fault `core.fault` is set and the result is meaningless. */
export function loadSlow(core: Core, address: number, size: AccessSize): number {
  core.at = startOfInstruction(core);
  const value = busRead(core, address, size);
  if (core.busError !== '') takeBusError(core, address);
  return value;
}

/** A store the fast path could not serve. */
export function storeSlow(core: Core, address: number, size: AccessSize, value: number): void {
  core.at = startOfInstruction(core);
  busWrite(core, address, size, value);
  if (core.busError !== '') takeBusError(core, address);
}
