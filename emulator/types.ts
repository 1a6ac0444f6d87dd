/** Number of core clock cycles since power-on: a non-negative integer. */
export type Cycles = number;

/** Width of a bus access in bytes. */
export type AccessSize = 1 | 2 | 4;

/** What reset a device: power-on clears all, warm (RST line or SYSRESETREQ) keeps RAM. */
export type ResetKind = 'power-on' | 'warm' | 'software';

/** Something the firmware did that the chip does not permit; recorded, never silent. */
export interface Violation {
  /** Coded kind, for example `UNMAPPED_READ`, `STACK_LIMIT`, `EEPROM_LOCKED`. */
  readonly code: string;
  readonly cycle: Cycles;
  /** Address of the instruction at fault. */
  readonly pc: number;
  /** Address accessed, where there is one. */
  readonly address?: number;
  /** Function that holds pc, where the image has symbols. */
  readonly symbol?: string;
  readonly detail: string;
}

/** The level-sensitive interrupt inputs of the NVIC. */
export interface InterruptLines {
  /** Sets the level of external interrupt `irq` (0 to 31). */
  set(irq: number, level: boolean): void;
}

/** What a device may ask of the machine it sits in. */
export interface DeviceHost {
  readonly irq: InterruptLines;
  /** Must be called whenever the value of a device's `nextEvent()` has changed. */
  reschedule(): void;
  /** Records a violation at the current pc and cycle. */
  violation(code: string, detail: string, address?: number): void;
  /** Reads memory without side effects; undefined when any byte is unmapped. */
  peek(address: number, length: number): Uint8Array | undefined;
  /** Writes RAM as a bus master; false when any byte is outside RAM. */
  pokeRam(address: number, bytes: Uint8Array): boolean;
  /** Ends the current run after this instruction, reason `exit`. */
  exit(code: number): void;
}

/** A memory-mapped peripheral. Deterministic: its state depends on its inputs and their cycles only. */
export interface Device {
  readonly name: string;
  /** First address and length in bytes of its register window. */
  readonly base: number;
  readonly size: number;
  /** `offset` is relative to `base` and aligned to `size`. Throws nothing; what is not permitted is a violation. */
  read(offset: number, size: AccessSize, now: Cycles): number;
  write(offset: number, size: AccessSize, value: number, now: Cycles): void;
  /**
   * Optional: the cycle before which reading the register at `offset` again has no effect and gives the same
   * value, as long as no event of any device and no write comes between; at most `now` when that is not so. Lets
   * the machine skip the turns of a polling loop.
   */
  stableUntil?(offset: number, now: Cycles): Cycles;
  /** Cycle of the next thing that happens by itself; Infinity when there is none. */
  nextEvent(): Cycles;
  /** Called once with `now` = that cycle, before any instruction that starts at or after it. */
  onEvent(now: Cycles): void;
  reset(kind: ResetKind, now: Cycles): void;
  /** A deep, structured-clonable copy of the state, and back. */
  snapshot(): unknown;
  restore(state: unknown): void;
}
