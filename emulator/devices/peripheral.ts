import type { AccessSize, Cycles, Device, DeviceHost, ResetKind } from '../types.js';

/** Size of each peripheral's register window, bytes (docs/chip.md, address map). */
export const WINDOW = 0x1000;

/**
 * Common part of the peripherals: word access only, registers by offset, every other access a violation.
 * Violation codes: REGISTER_WIDTH (byte or halfword access), REGISTER_UNKNOWN (no register there),
 * REGISTER_READ_ONLY, REGISTER_WRITE_ONLY, REGISTER_VALUE (a value the register cannot take; ignored).
 * `restore` does not drive the interrupt line: its level is part of the machine's own snapshot.
 */
export abstract class Peripheral implements Device {
  abstract readonly name: string;
  abstract readonly base: number;
  readonly size = WINDOW;
  protected readonly host: DeviceHost;

  /** `host` is the machine the device sits in. */
  constructor(host: DeviceHost) {
    this.host = host;
  }

  /** See {@link Device.read}. */
  read(offset: number, size: AccessSize, now: Cycles): number {
    if (size === 4) return this.readRegister(offset, now) >>> 0;
    this.refuse('REGISTER_WIDTH', `${size}-byte read`, offset);
    return 0;
  }

  /** See {@link Device.write}. */
  write(offset: number, size: AccessSize, value: number, now: Cycles): void {
    if (size === 4) this.writeRegister(offset, value >>> 0, now);
    else this.refuse('REGISTER_WIDTH', `${size}-byte write`, offset);
  }

  /** Nothing happens by itself unless a device says so. */
  nextEvent(): Cycles {
    return Infinity;
  }

  /** See {@link Device.onEvent}. */
  onEvent(now: Cycles): void {
    void now;
  }

  abstract reset(kind: ResetKind, now: Cycles): void;
  abstract snapshot(): unknown;
  abstract restore(state: unknown): void;

  protected abstract readRegister(offset: number, now: Cycles): number;
  protected abstract writeRegister(offset: number, value: number, now: Cycles): void;

  /** Records a violation at a register of this device. */
  protected refuse(code: string, detail: string, offset: number): void {
    this.host.violation(code, `${this.name}: ${detail} at offset 0x${offset.toString(16)}`, this.base + offset);
  }

  /** A read of what cannot be read: violation, gives 0. */
  protected badRead(offset: number, writeOnly: boolean): number {
    this.refuse(writeOnly ? 'REGISTER_WRITE_ONLY' : 'REGISTER_UNKNOWN', 'read', offset);
    return 0;
  }

  /** A write of what cannot be written: violation, ignored. */
  protected badWrite(offset: number, readOnly: boolean): void {
    this.refuse(readOnly ? 'REGISTER_READ_ONLY' : 'REGISTER_UNKNOWN', 'write', offset);
  }

  /** A value the register cannot take: violation, ignored. */
  protected badValue(offset: number, value: number): void {
    this.refuse('REGISTER_VALUE', `value 0x${value.toString(16)}`, offset);
  }
}
