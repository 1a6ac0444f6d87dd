import type { AccessSize, Cycles, DeviceHost } from '../types.js';
import type { EepromArray } from '../eeprom/array.js';
import { Peripheral } from './peripheral.js';

/** Register offsets; BUFFER goes on for a page. */
export const EEPROM_REGISTER = { KEY: 0, CMD: 4, ADDR: 8, STATUS: 12, IE: 16, FILL: 20, BUFFER: 0x100 } as const;
/** Bits of STATUS. */
export const EEPROM_STATUS = {
  BUSY: 1, PHASE: 2, DONE: 4, ERR_OVERLAP: 8, ERR_LOCKED: 16, ERR_ALIGN: 32, ERR_RANGE: 64, VERIFY: 128, ERR_READ_BUSY: 256,
} as const;
/** Bits of CMD. */
export const EEPROM_COMMAND = { ERASE: 1, PROGRAM: 2, FORCE: 0x100 } as const;
/** The two words that unlock one command, in order. */
export const EEPROM_KEYS = [0x8c9daebf, 0x13243546] as const;

const IRQ = 1;
const CLEARABLE = 0x1fc;

interface ControllerState {
  /** Key words accepted so far; 2 is unlocked. */
  keys: number;
  addr: number;
  sticky: number;
  ie: number;
  readonly buffer: Uint8Array;
}

/**
 * The strict EEPROM controller. Violations: EEPROM_OVERLAP, EEPROM_LOCKED, EEPROM_ALIGN, EEPROM_RANGE,
 * EEPROM_READ_BUSY (the ERR bits), EEPROM_COMMAND (neither erase nor program, or an unknown bit).
 */
export class EepromController extends Peripheral {
  readonly name = 'EEPROM';
  readonly base = 0x40002000;
  readonly #array: EepromArray;
  readonly #erased: number;
  #s: ControllerState;
  #level = false;

  /** `array` are the cells, `erased` the value of an erased byte, `windowBase` where the array is read. */
  constructor(host: DeviceHost, array: EepromArray, erased: number, windowBase: number) {
    super(host);
    this.#array = array;
    this.#erased = erased;
    this.#s = this.#fresh();
    array.onBusyRead((offset) => {
      this.#error(EEPROM_STATUS.ERR_READ_BUSY, 'EEPROM_READ_BUSY', `page ${array.operation?.page ?? 0} read while it is busy`, windowBase + offset);
    });
  }

  override read(offset: number, size: AccessSize, now: Cycles): number {
    if (!this.#inBuffer(offset, size)) return super.read(offset, size, now);
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + this.#s.buffer[offset - EEPROM_REGISTER.BUFFER + i];
    return value;
  }

  override write(offset: number, size: AccessSize, value: number, now: Cycles): void {
    if (!this.#inBuffer(offset, size)) return super.write(offset, size, value, now);
    if (this.#overlaps('buffer written', offset)) return;
    for (let i = 0; i < size; i++) this.#s.buffer[offset - EEPROM_REGISTER.BUFFER + i] = (value >>> (8 * i)) & 0xff;
  }

  /** STATUS changes at the end of the operation and, in between, when the program phase begins. */
  stableUntil(offset: number, now: Cycles): Cycles {
    if (offset !== EEPROM_REGISTER.STATUS) return now;
    const op = this.#array.operation;
    const programs = op === undefined ? now : op.start + op.eraseCycles;
    return programs > now ? programs : Infinity;
  }

  override nextEvent(): Cycles {
    return this.#array.endOfOperation;
  }

  override onEvent(now: Cycles): void {
    if (this.#array.endOfOperation > now) return;
    this.#ended(this.#array.finish());
    this.#update();
  }

  /** A running operation goes on over a warm or software reset; all else is reset. */
  reset(): void {
    this.#s = this.#fresh();
    this.#update();
  }

  snapshot(): unknown {
    return { ...this.#s, buffer: this.#s.buffer.slice() };
  }

  restore(state: unknown): void {
    const saved = state as ControllerState;
    this.#s = { ...saved, buffer: saved.buffer.slice() };
    this.#level = this.#wanted();
  }

  protected override readRegister(offset: number, now: Cycles): number {
    switch (offset) {
      case EEPROM_REGISTER.ADDR: return this.#s.addr;
      case EEPROM_REGISTER.STATUS: return this.#s.sticky | this.#running(now);
      case EEPROM_REGISTER.IE: return this.#s.ie;
      default: return this.badRead(offset, offset <= EEPROM_REGISTER.FILL);
    }
  }

  protected override writeRegister(offset: number, value: number, now: Cycles): void {
    const s = this.#s;
    switch (offset) {
      case EEPROM_REGISTER.KEY: this.#key(value); break;
      case EEPROM_REGISTER.CMD: this.#command(value, now); break;
      case EEPROM_REGISTER.ADDR: s.addr = value; break;
      case EEPROM_REGISTER.STATUS: s.sticky &= ~(value & CLEARABLE); break;
      case EEPROM_REGISTER.IE: s.ie = value & EEPROM_STATUS.DONE; break;
      case EEPROM_REGISTER.FILL:
        if (!this.#overlaps('FILL written', offset)) s.buffer.fill(this.#erased);
        break;
      default: this.badWrite(offset, false);
    }
    this.#update();
  }

  #fresh(): ControllerState {
    return { keys: 0, addr: 0, sticky: 0, ie: 0, buffer: new Uint8Array(this.#array.pageBytes).fill(this.#erased) };
  }

  #inBuffer(offset: number, size: number): boolean {
    return offset >= EEPROM_REGISTER.BUFFER && offset + size <= EEPROM_REGISTER.BUFFER + this.#array.pageBytes;
  }

  #running(now: Cycles): number {
    const op = this.#array.operation;
    if (op === undefined) return 0;
    return EEPROM_STATUS.BUSY | (now >= op.start + op.eraseCycles ? EEPROM_STATUS.PHASE : 0);
  }

  #key(value: number): void {
    if (this.#overlaps('KEY written', EEPROM_REGISTER.KEY)) return;
    const s = this.#s;
    if (s.keys < 2 && value === EEPROM_KEYS[s.keys]) s.keys++;
    else s.keys = value === EEPROM_KEYS[0] ? 1 : 0;
  }

  #command(value: number, now: Cycles): void {
    const s = this.#s;
    if (this.#overlaps('command', EEPROM_REGISTER.CMD)) return;
    const unlocked = s.keys === 2;
    s.keys = 0;
    const at = this.base + EEPROM_REGISTER.CMD;
    if (!unlocked) return this.#error(EEPROM_STATUS.ERR_LOCKED, 'EEPROM_LOCKED', 'command without the key', at);
    if (s.addr % this.#array.pageBytes !== 0) return this.#error(EEPROM_STATUS.ERR_ALIGN, 'EEPROM_ALIGN', `ADDR 0x${s.addr.toString(16)}`, at);
    const page = s.addr / this.#array.pageBytes;
    if (page >= this.#array.pages) return this.#error(EEPROM_STATUS.ERR_RANGE, 'EEPROM_RANGE', `ADDR 0x${s.addr.toString(16)}`, at);
    const action = value & 3;
    if (action === 0 || (value & ~(3 | EEPROM_COMMAND.FORCE)) !== 0) {
      return this.refuse('EEPROM_COMMAND', `command 0x${value.toString(16)}`, EEPROM_REGISTER.CMD);
    }
    const end = this.#array.start(page, action, s.buffer, (value & EEPROM_COMMAND.FORCE) !== 0, now);
    if (end === now) this.#ended(true);
    this.host.reschedule();
  }

  #ended(verified: boolean): void {
    this.#s.sticky |= EEPROM_STATUS.DONE | (verified ? 0 : EEPROM_STATUS.VERIFY);
  }

  #overlaps(what: string, offset: number): boolean {
    if (this.#array.operation === undefined) return false;
    this.#error(EEPROM_STATUS.ERR_OVERLAP, 'EEPROM_OVERLAP', `${what} while busy`, this.base + offset);
    return true;
  }

  #error(bit: number, code: string, detail: string, address: number): void {
    this.#s.sticky |= bit;
    this.host.violation(code, `${this.name}: ${detail}`, address);
  }

  #wanted(): boolean {
    return this.#s.ie !== 0 && (this.#s.sticky & EEPROM_STATUS.DONE) !== 0;
  }

  #update(): void {
    const level = this.#wanted();
    if (level === this.#level) return;
    this.#level = level;
    this.host.irq.set(IRQ, level);
  }
}
