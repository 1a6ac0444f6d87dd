import type { Cycles, Violation } from './types.js';
import { CryptoCache } from './devices/crypto-cache.js';
import { ChipError } from './devices/errors.js';
import { ContactLink, type LinkState } from './devices/link.js';
import { createPeripherals, peripheralCount, type Peripherals } from './devices/peripherals.js';
import type { StepMark, TraceEvent } from './devices/trace.js';
import { EepromArray, type EepromState } from './eeprom/array.js';
import type { NvmState, WeakPolicy } from './eeprom/types.js';
import type { Image } from './image/image.js';
import type { MemoryRegion } from './cpu/core.js';
import { createMachine, type Machine, type MachineHost } from './machine.js';
import type { EngineChoice } from './translate/engine.js';
import { MachineMemory } from './translate/layout.js';
import type { Translations } from './translate/translations.js';
import type { ChipProfile } from './profiles/schema.js';
import type { MachineSnapshot } from './snapshot.js';

/** Where RAM and the EEPROM window are (docs/chip.md, address map). */
export const CHIP_MAP = { code: 0, eeprom: 0x10000000, ram: 0x20000000 } as const;

/** What a chip is made from. */
export interface ChipConfig {
  readonly profile: ChipProfile;
  readonly image: Image;
  /** Fixes cells, wear, unique number, random numbers and what RAM holds at power-on. Default 1. */
  readonly seed?: number;
  /** EEPROM left by an earlier session, or a plain image of strong cells; default: new and erased. */
  readonly eeprom?: NvmState | Uint8Array;
  /** What weak cells read in this session; default: drawn at each read by the chip's seed. */
  readonly policy?: WeakPolicy;
  /** Shared results of public-key operations; default: a cache of the chip's own. */
  readonly cryptoCache?: CryptoCache;
  /** How code is run; all give the same results to the cycle. Default `auto`: what is hot is translated. */
  readonly engine?: EngineChoice;
  /** Translated code shared with other chips; default: the chip's own. */
  readonly translations?: Translations;
}

/** Why {@link Chip.run} came back. `link`: something happened on the contact and `stopOnLink` was set. */
export type ChipStop = 'limit' | 'link' | 'exit' | 'bkpt' | 'stop-at' | 'lockup' | 'sleep-forever';

/** How a run ended. */
export interface ChipRun {
  readonly reason: ChipStop;
  readonly cycle: Cycles;
  readonly pc: number;
  readonly instructions: number;
  /** Value written to TRACE.EXIT when the reason is `exit`. */
  readonly exitCode?: number;
}

/** What a session has used. */
export interface ChipUsage {
  /** Lowest stack pointer seen since the last reset, an address. */
  readonly stackLow: number;
  /** Bytes of RAM that no longer hold what they held at power-on: a lower bound of the bytes written. */
  readonly ramTouched: number;
  /** Pages written in this session, ascending, and the number of operations. */
  readonly pagesWritten: readonly number[];
  readonly pageOperations: number;
  /** Random words drawn. */
  readonly randomWords: number;
}

/** The state of a whole chip: structured-clonable, treated as immutable. */
export interface ChipSnapshot {
  readonly machine: MachineSnapshot;
  readonly eeprom: EepromState;
  readonly link: LinkState;
  readonly left: NvmState | undefined;
  readonly stoppedAt: Cycles;
  readonly exitCode: number | undefined;
  /** Profile name and seed, to tell a chip of another kind. */
  readonly kind: string;
}

/** How power goes: at once, or with the stored charge finishing the running page if it lasts (`eeprom.holdUs`). */
export type CutKind = 'abrupt' | 'finish';

/** A chip with core, memories and peripherals, powered on at cycle 0. Deterministic. */
export class Chip {
  readonly profile: ChipProfile;
  readonly seed: number;
  /** Core and RAM, for debuggers and engines. */
  readonly machine: Machine;
  /** The EEPROM cells: write log, page counters, `model.edges()`. */
  readonly eeprom: EepromArray;
  /** The terminal's side of the I/O contact. */
  readonly link: ContactLink;
  readonly cryptoCache: CryptoCache;
  readonly #parts: Peripherals;
  readonly #ramAtPowerOn: Uint8Array;
  readonly #kind: string;
  #left: NvmState | undefined;
  #stoppedAt: Cycles = 0;
  #exitCode: number | undefined;
  #stopOnLink = false;

  /** @throws EmulatorError, ChipError NVM_SIZE when image or EEPROM do not fit the profile */
  constructor(config: ChipConfig) {
    const { profile } = config;
    this.profile = profile;
    this.seed = config.seed ?? 1;
    this.#kind = `${profile.name} ${this.seed} ${profile.ram.bytes} ${profile.eeprom.bytes} ${profile.peripherals}`;
    this.cryptoCache = config.cryptoCache ?? new CryptoCache();
    const clocks = { coreHz: profile.cpu.hz, cardHz: profile.card.hz };
    const memory = memoryFor(config);
    this.eeprom = new EepromArray({ profile: profile.eeprom, coreHz: clocks.coreHz, seed: this.seed, bytes: memory?.window ?? new Uint8Array(profile.eeprom.bytes) });
    this.link = new ContactLink({ ...clocks, now: () => this.now });
    const { machine, parts } = this.#assemble(config, memory);
    this.machine = machine;
    this.#parts = parts;
    this.link.connect(() => { parts.uart.lineChanged(); }, () => { this.#onLink(); });
    machine.loadImage(config.image);
    this.#start(config.eeprom, config.policy);
    this.#ramAtPowerOn = this.#ram();
  }

  /** Cycles since power-on: the first cycle not yet spent, at or a few cycles after the limit of the last run. */
  get now(): Cycles { return this.machine.cycle; }
  /** False after a power cut. */
  get powered(): boolean { return this.#left === undefined; }
  /** Step marks of the firmware, in order. */
  get steps(): readonly StepMark[] { return this.#parts.trace.steps; }
  /** Event words of the firmware, in order. */
  get events(): readonly TraceEvent[] { return this.#parts.trace.events; }
  /** What the firmware wrote to the console. */
  get console(): string { return new TextDecoder().decode(this.#parts.trace.console); }
  /** What the firmware did that the chip does not permit. */
  get violations(): readonly Violation[] { return this.machine.violations; }

  /**
   * Runs to cycle `until`: every instruction that starts and every event that lies before it. A sleeping core
   * lets the time pass. With `stopOnLink` it comes back as soon as the link has a new event.
   * @throws ChipError CHIP_OFF
   */
  run(until: Cycles, options: { readonly stopOnLink?: boolean } = {}): ChipRun {
    if (this.#left !== undefined) throw off();
    this.#stopOnLink = options.stopOnLink === true;
    this.#exitCode = undefined;
    let instructions = 0;
    for (;;) {
      const result = this.machine.run({ until, idle: 'advance' });
      instructions += result.instructions;
      this.#stoppedAt = Math.max(this.#stoppedAt, result.reason === 'limit' ? until : result.cycle);
      if (result.reason === 'reset-request') {
        this.machine.reset('software');
        continue;
      }
      if (result.reason !== 'exit') return { reason: result.reason, cycle: result.cycle, pc: result.pc, instructions };
      const { cycle, pc } = result;
      return this.#exitCode === undefined
        ? { reason: 'link', cycle, pc, instructions }
        : { reason: 'exit', cycle, pc, instructions, exitCode: this.#exitCode };
    }
  }

  /** RST goes low and high again now: the core starts anew, RAM and a running EEPROM operation go on. @throws ChipError CHIP_OFF */
  warmReset(): void {
    if (this.#left !== undefined) throw off();
    this.machine.reset('warm');
  }

  /** The supply falls or recovers: what SYSCTL.SUPPLY shows. Power still lasts until {@link powerCut}. */
  setSupply(good: boolean): void {
    this.#parts.sysctl.setSupply(good);
  }

  /** True unless the supply has fallen. */
  get supplyGood(): boolean { return this.#parts.sysctl.supplyGood; }

  /**
   * The contact clock changes: the card's etu with it, from the next character on. The core has a clock of its own, and
   * SYSCTL.CARD_HZ keeps naming the profile's. Power-on takes the change back. @throws ChipError LINK_RANGE
   */
  setCardClock(hz: number): void {
    if (!Number.isInteger(hz) || hz < 1) throw new ChipError('LINK_RANGE', `a contact clock of ${hz} Hz is out of range`, 'the clock is unchanged', 'give whole Hz above 0');
    this.#parts.uart.setCardHz(hz);
  }

  /**
   * Power goes at the cycle the last run was to reach; gives what is left of the EEPROM. `finish` lets the stored
   * charge drive the running page operation on for `eeprom.holdUs`. @throws ChipError CHIP_OFF
   */
  powerCut(kind: CutKind = 'abrupt'): NvmState {
    if (this.#left !== undefined) throw off();
    const hold = kind === 'finish' ? Math.round((this.profile.eeprom.holdUs * this.profile.cpu.hz) / 1e6) : 0;
    const at = this.#stoppedAt + hold;
    if (this.eeprom.endOfOperation <= at) this.eeprom.finish();
    this.#left = this.eeprom.cut(at);
    return this.#left;
  }

  /**
   * Powers on at cycle 0 in a new session, with the given EEPROM (default: what the last cut left; a chip that is
   * still powered is cut first). Write log, trace, link and violations start empty. @throws ChipError NVM_SIZE
   */
  powerOn(eeprom?: NvmState | Uint8Array, policy?: WeakPolicy): void {
    this.#start(eeprom ?? this.#left ?? this.powerCut(), policy);
  }

  /** What this session has used so far. */
  usage(): ChipUsage {
    const ram = this.#ram();
    let ramTouched = 0;
    for (let i = 0; i < ram.length; i++) ramTouched += Number(ram[i] !== this.#ramAtPowerOn[i]);
    const { writes } = this.eeprom;
    return {
      stackLow: this.machine.stackLowWater,
      ramTouched,
      pagesWritten: [...new Set(writes.map((write) => write.page))].sort((a, b) => a - b),
      pageOperations: writes.length,
      randomWords: this.#parts.rng.words,
    };
  }

  /** A copy of the whole chip, link and cells included; the firmware image is not part of it. */
  snapshot(): ChipSnapshot {
    return {
      machine: this.machine.snapshot(), eeprom: this.eeprom.snapshot(), link: this.link.snapshot(),
      left: this.#left, stoppedAt: this.#stoppedAt, exitCode: this.#exitCode, kind: this.#kind,
    };
  }

  /** Takes a state back, on this chip or one of the same profile, seed and image. @throws ChipError SNAPSHOT_MISMATCH */
  restore(state: ChipSnapshot): void {
    if (state.kind !== this.#kind) {
      throw new ChipError('SNAPSHOT_MISMATCH', `a snapshot of '${state.kind}' for a chip '${this.#kind}'`, 'the chip is unchanged',
        'restore it on a chip of the same profile and seed');
    }
    this.eeprom.restore(state.eeprom);
    this.link.restore(state.link);
    this.machine.restore(state.machine);
    this.#left = state.left;
    this.#stoppedAt = state.stoppedAt;
    this.#exitCode = state.exitCode;
  }

  #start(eeprom: NvmState | Uint8Array | undefined, policy: WeakPolicy = { kind: 'random', seed: this.seed }): void {
    this.eeprom.powerOn(eeprom, policy);
    this.#left = undefined;
    this.#stoppedAt = 0;
    this.#exitCode = undefined;
    this.#parts.sysctl.setSupply(true);
    this.#parts.rng.powerOn(this.eeprom.sessions);
    this.machine.violations.length = 0;
    this.machine.violationCount = 0;
    this.link.reset();
    this.machine.reset('power-on');
  }

  #ram(): Uint8Array {
    return this.machine.peek(CHIP_MAP.ram, this.profile.ram.bytes) ?? new Uint8Array(0);
  }

  #assemble(config: ChipConfig, memory: MachineMemory | undefined): { machine: Machine; parts: Peripherals } {
    const { profile, eeprom, link, seed, cryptoCache } = this;
    const window: MemoryRegion = { name: 'EEPROM', base: CHIP_MAP.eeprom, bytes: eeprom.bytes };
    eeprom.attach(window);
    let parts: Peripherals | undefined;
    const build = (host: MachineHost): Peripherals => (parts ??= createPeripherals({
      profile, seed, eeprom, link, cryptoCache, eepromBase: CHIP_MAP.eeprom, ramBase: CHIP_MAP.ram,
      host: { ...host, exit: (code) => { this.#exit(code); } },
    }));
    const machine = createMachine({
      core: profile.cpu.core,
      code: { size: profile.code.bytes, waitStates: profile.cpu.waitStates },
      ram: { size: profile.ram.bytes, seed },
      regions: profile.peripherals && profile.eeprom.bytes > 0 ? [window] : [],
      multiplier: profile.cpu.mulCycles,
      engine: config.engine ?? 'auto',
      ...(config.translations === undefined ? {} : { translations: config.translations }),
      ...(memory === undefined ? {} : { memory }),
      devices: Array.from({ length: peripheralCount(profile) }, (_, i) => (host: MachineHost) => build(host).devices[i]),
    });
    return { machine, parts: build(machine.host) };
  }

  #exit(code: number): void {
    this.#exitCode = code;
    this.machine.host.exit(code);
  }

  #onLink(): void {
    if (this.#stopOnLink) this.machine.host.exit(0);
  }
}

/** Memory of the machine with the EEPROM window in it; none for the interpreter. */
function memoryFor({ profile, engine }: ChipConfig): MachineMemory | undefined {
  return engine === 'interpreter' ? undefined : new MachineMemory({ code: profile.code.bytes, window: profile.eeprom.bytes, ram: profile.ram.bytes });
}

function off(): ChipError {
  return new ChipError('CHIP_OFF', 'the chip has no power', 'its EEPROM is kept', 'call powerOn() first');
}

/**
 * Makes a chip and powers it on at cycle 0.
 * @throws EmulatorError, ChipError NVM_SIZE when image or EEPROM do not fit the profile
 * @example
 * const chip = createChip({ profile: loadProfile('c2010'), image: loadElf(bytes), seed: 7 });
 * chip.run(1_000_000);
 * const left = chip.powerCut();
 * chip.powerOn(left, { kind: 'old' });
 */
export function createChip(config: ChipConfig): Chip {
  return new Chip(config);
}
