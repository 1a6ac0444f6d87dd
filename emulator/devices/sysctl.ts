import type { DeviceHost, ResetKind } from '../types.js';
import { hash32 } from '../eeprom/math.js';
import type { ChipProfile } from '../profiles/schema.js';
import { Peripheral } from './peripheral.js';

/** Register offsets. */
export const SYSCTL_REGISTER = {
  ID: 0x00, CAPS: 0x04, CODE_SIZE: 0x08, RAM_SIZE: 0x0c, EEPROM_SIZE: 0x10, EEPROM_PAGE: 0x14, CORE_HZ: 0x18, CARD_HZ: 0x1c,
  RESET_CAUSE: 0x20, STACK_LIMIT: 0x24, UID0: 0x28, UID1: 0x2c, UID2: 0x30, UID3: 0x34, CLKEN: 0x38, SUPPLY: 0x3c,
} as const;

const ID = 0x43423031;
const CLOCKS = 0x7e;
const UID_SALT = 0x55494430;
const CAUSE: Readonly<Record<ResetKind, number>> = { 'power-on': 1, warm: 2, software: 4 };

interface SysctlState {
  cause: number;
  stackLimit: number;
  clocks: number;
  supply: boolean;
}

/** System control: sizes, clocks, reset cause, stack limit, unique number. */
export class Sysctl extends Peripheral {
  readonly name = 'SYSCTL';
  readonly base = 0x40000000;
  readonly #fixed: ReadonlyMap<number, number>;
  readonly #setStackLimit: (address: number) => void;
  #s: SysctlState = { cause: CAUSE['power-on'], stackLimit: 0, clocks: CLOCKS, supply: true };

  /** `setStackLimit` is called with each new limit, 0 for none. */
  constructor(host: DeviceHost, profile: ChipProfile, seed: number, setStackLimit: (address: number) => void) {
    super(host);
    this.#setStackLimit = setStackLimit;
    const uid = uniqueNumber(seed);
    this.#fixed = new Map<number, number>([
      [SYSCTL_REGISTER.ID, ID],
      [SYSCTL_REGISTER.CAPS, Number(profile.crypto.present)],
      [SYSCTL_REGISTER.CODE_SIZE, profile.code.bytes],
      [SYSCTL_REGISTER.RAM_SIZE, profile.ram.bytes],
      [SYSCTL_REGISTER.EEPROM_SIZE, profile.eeprom.bytes],
      [SYSCTL_REGISTER.EEPROM_PAGE, profile.eeprom.page],
      [SYSCTL_REGISTER.CORE_HZ, profile.cpu.hz],
      [SYSCTL_REGISTER.CARD_HZ, profile.card.hz],
      ...uid.map((word, i): [number, number] => [SYSCTL_REGISTER.UID0 + 4 * i, word]),
    ]);
  }

  /** The clock of peripheral `bit` (see CLKEN) runs. */
  clocked(bit: number): boolean {
    return (this.#s.clocks & (1 << bit)) !== 0;
  }

  /** What SUPPLY bit 0 shows now. */
  get supplyGood(): boolean { return this.#s.supply; }

  /** What SUPPLY bit 0 shows. */
  setSupply(good: boolean): void {
    this.#s.supply = good;
  }

  reset(kind: ResetKind): void {
    this.#s = { cause: CAUSE[kind], stackLimit: 0, clocks: CLOCKS, supply: kind === 'power-on' || this.#s.supply };
    this.#setStackLimit(0);
  }

  snapshot(): unknown {
    return { ...this.#s };
  }

  restore(state: unknown): void {
    this.#s = { ...(state as SysctlState) };
  }

  protected override readRegister(offset: number): number {
    switch (offset) {
      case SYSCTL_REGISTER.RESET_CAUSE: return this.#s.cause;
      case SYSCTL_REGISTER.STACK_LIMIT: return this.#s.stackLimit;
      case SYSCTL_REGISTER.CLKEN: return this.#s.clocks;
      case SYSCTL_REGISTER.SUPPLY: return Number(this.#s.supply);
      default: return this.#fixed.get(offset) ?? this.badRead(offset, false);
    }
  }

  protected override writeRegister(offset: number, value: number): void {
    switch (offset) {
      case SYSCTL_REGISTER.STACK_LIMIT:
        this.#s.stackLimit = value;
        this.#setStackLimit(value);
        break;
      case SYSCTL_REGISTER.CLKEN:
        if ((value & ~CLOCKS) === 0) this.#s.clocks = value;
        else this.badValue(offset, value);
        break;
      default: this.badWrite(offset, offset <= SYSCTL_REGISTER.SUPPLY);
    }
  }
}

/** The 16-byte unique number of the chip with this seed, as the words UID0 to UID3. */
export function uniqueNumber(seed: number): number[] {
  return [0, 1, 2, 3].map((i) => hash32(seed, UID_SALT, i));
}
