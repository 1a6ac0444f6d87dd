import type { Cycles, Device, DeviceHost, ResetKind, Violation } from './types.js';
import { EmulatorError } from './errors.js';
import { CORTEX_M0_CYCLES, CORTEX_M0PLUS_CYCLES } from './cpu/cycles.js';
import {
  Core,
  RAM_BASE,
  cycleOf,
  decodeHere,
  endSlice,
  forgetCode,
  pcOf,
  setPc,
  violate,
  watchStack,
  type MappedRegion,
  type MemoryRegion,
} from './cpu/core.js';
import { currentPc, reschedule } from './cpu/bus.js';
import { createSegment } from './cpu/decode.js';
import { readXpsr, resetCore, writeFlags } from './cpu/exceptions.js';
import { KIND } from './cpu/kinds.js';
import { setIrqLine } from './cpu/nvic.js';
import { runCore, type StopReason } from './cpu/run.js';
import { SCALARS, type CoreScalars, type MachineSnapshot } from './snapshot.js';
import { Engine, type EngineChoice, type EngineCounts } from './translate/engine.js';
import { MachineMemory } from './translate/layout.js';
import { Translations } from './translate/translations.js';
import { SymbolTable, type Image, type ImageSymbol } from './image/image.js';

/** What a machine is made of. */
export interface MachineConfig {
  /** Cycle table and CPUID; the Cortex-M0+ also has VTOR and unprivileged Thread mode. */
  readonly core: 'cortex-m0' | 'cortex-m0plus';
  /** Code memory at 0: bytes, and wait states of each 32-bit fetch or data read. */
  readonly code: { readonly size: number; readonly waitStates?: number };
  /** RAM at 0x20000000: bytes, and the seed of what it holds at power-on (default 1; 0 gives zeros). */
  readonly ram: { readonly size: number; readonly seed?: number };
  /** Further read-only memory. */
  readonly regions?: readonly MemoryRegion[];
  /** Devices in the order in which they get events of the same cycle; a function gets the host first. */
  readonly devices?: readonly (Device | ((host: MachineHost) => Device))[];
  /** Cycles of MULS: 1 (default) or 32. */
  readonly multiplier?: 1 | 32;
  /** How code is run; all give the same results to the cycle. Default `auto`: what is hot is translated. */
  readonly engine?: EngineChoice;
  /** Translated code shared with other machines; default: the machine's own. */
  readonly translations?: Translations;
  /** Memory made by {@link createMachineMemory}, for a caller whose region lies in it; default: made here. */
  readonly memory?: MachineMemory;
}

/** What the machine offers its devices: {@link DeviceHost} and the stack limit of SYSCTL. */
export interface MachineHost extends DeviceHost {
  /** Sets STACK_LIMIT (docs/chip.md, SYSCTL 0x24): lowest permitted stack address, 0 for none. */
  setStackLimit(address: number): void;
}

/** How a run may end. */
export interface RunOptions {
  /** Cycle before which everything is done; the instruction under way at it is completed. Default: no limit. */
  readonly until?: Cycles;
  /** What a sleep with no possible wake-up does: `stop` (default) ends the run, `advance` passes the time to `until`. */
  readonly idle?: 'stop' | 'advance';
}

/** How a run ended. */
export interface RunResult {
  readonly reason: StopReason;
  readonly cycle: Cycles;
  /** Instructions executed in this run. */
  readonly instructions: number;
  readonly pc: number;
  /** Value of TRACE.EXIT when the reason is `exit`. */
  readonly exitCode?: number;
}

/** The registers as a debugger sees them. */
export interface Registers {
  /** r0 to r12, SP, LR, pc: unsigned. */
  readonly r: readonly number[];
  readonly xpsr: number;
  readonly msp: number;
  readonly psp: number;
  readonly primask: number;
  readonly control: number;
}

const VIOLATION_BOUND = 10_000;

function positiveMultiple(what: string, value: number, of: number): void {
  if (Number.isInteger(value) && value > 0 && value % of === 0) return;
  throw new EmulatorError('MACHINE_CONFIG', `${what} is ${value}`, `give a positive multiple of ${of}`);
}

function mapRegion(region: MemoryRegion): MappedRegion {
  const { buffer, byteOffset, byteLength } = region.bytes;
  positiveMultiple(`size of region ${region.name}`, byteLength, 4);
  if (byteOffset % 4 !== 0) {
    throw new EmulatorError('MACHINE_CONFIG', `region ${region.name} starts at byte ${byteOffset} of its buffer`, 'align it to 4');
  }
  return {
    region,
    base: region.base,
    size: byteLength,
    u8: region.bytes,
    u16: new Uint16Array(buffer, byteOffset, byteLength / 2),
    i32: new Int32Array(buffer, byteOffset, byteLength / 4),
  };
}

/** RAM that is too small for the longest LDM is not worth a translation. */
const LEAST_RAM = 64;

/** Memory for the engine that was asked for: undefined when only the interpreter will run. */
function memoryFor(config: MachineConfig): MachineMemory | undefined {
  if (config.memory !== undefined) return config.memory;
  if (config.engine === 'interpreter' || config.ram.size < LEAST_RAM) return undefined;
  return new MachineMemory({ code: config.code.size, window: 0, ram: config.ram.size });
}

/** Fills `bytes` with a xorshift32 sequence: what RAM holds at power-on. */
function fillGarbage(words: Int32Array, seed: number): void {
  let x = seed | 0;
  for (let k = 0; k < words.length; k++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[k] = x;
  }
}

/**
 * A core with memory and devices. Deterministic: the same image, inputs and limits give the same cycles,
 * whatever the number of `run` calls they are spread over.
 */
export class Machine {
  /** The state of the core, for the engines and debugger beside this class. */
  readonly core: Core;
  readonly host: MachineHost;
  readonly devices: readonly Device[];
  /** What the firmware did that it may not; bounded, see `violationCount`. */
  readonly violations: Violation[] = [];
  violationCount = 0;
  /** Called before each instruction with its address; undefined (free) by default. */
  trace: ((pc: number) => void) | undefined = undefined;
  symbols: SymbolTable = new SymbolTable([], []);
  readonly #breakpoints = new Set<number>();
  readonly #seed: number;
  readonly #engine: Engine | undefined;
  #image: Image | undefined = undefined;

  /** @throws EmulatorError MACHINE_CONFIG for sizes or alignments that cannot be */
  constructor(config: MachineConfig) {
    positiveMultiple('code.size', config.code.size, 4);
    positiveMultiple('ram.size', config.ram.size, 4);
    this.#seed = config.ram.seed ?? 1;
    const devices: Device[] = [];
    this.devices = devices;
    const memory = memoryFor(config);
    this.core = new Core({
      r: memory?.r ?? new Int32Array(16),
      table: config.core === 'cortex-m0' ? CORTEX_M0_CYCLES : CORTEX_M0PLUS_CYCLES,
      code: createSegment(0, memory?.code ?? new Uint8Array(config.code.size), config.code.waitStates ?? 0, false),
      ram: createSegment(RAM_BASE, memory?.ram ?? new Uint8Array(config.ram.size), 0, true),
      regions: (config.regions ?? []).map(mapRegion),
      devices,
      multiplier: config.multiplier ?? 1,
      report: (violation) => this.#report(violation),
      symbolAt: (address) => this.symbols.functionAt(address)?.name,
    });
    this.core.codeU8.fill(0xff);
    const engine = config.engine ?? 'auto';
    this.#engine = memory === undefined || engine === 'interpreter' ? undefined : new Engine(this.core, memory, engine, config.translations ?? new Translations());
    this.host = createHost(this);
    for (const device of config.devices ?? []) devices.push(typeof device === 'function' ? device(this.host) : device);
  }

  #report(violation: Violation): void {
    this.violationCount++;
    if (this.violations.length < VIOLATION_BOUND) this.violations.push(violation);
  }

  /** Cycles since power-on. */
  get cycle(): Cycles {
    return cycleOf(this.core);
  }

  /** What the translating engine did; undefined with the interpreter. */
  get engineCounts(): Readonly<EngineCounts> | undefined {
    return this.#engine?.counts;
  }

  /** Instructions executed since power-on. */
  get instructions(): number {
    return this.core.instructions;
  }

  /** Address of the next instruction. */
  get pc(): number {
    return pcOf(this.core);
  }

  /** Lowest stack pointer inside RAM since the last reset, both stacks counted. */
  get stackLowWater(): number {
    return this.core.stackLow;
  }

  /** True while the core sleeps in WFI or WFE. */
  get sleeping(): boolean {
    return this.core.sleeping !== 'no';
  }

  /**
   * Puts an image into code memory (the rest reads 0xFF) and remembers its RAM part for power-on; takes over
   * its symbols. Call `reset('power-on')` next.
   * @throws EmulatorError IMAGE_OUTSIDE when a segment does not fit this machine's memory
   */
  loadImage(image: Image): void {
    for (const { address, data } of image.segments) {
      if (this.#memoryFor(address, data.length) !== undefined) continue;
      const range = `0x${address.toString(16)}..0x${(address + data.length).toString(16)}`;
      throw new EmulatorError('IMAGE_OUTSIDE', `segment ${range} is in neither code nor RAM`, 'link it for this chip or choose another profile');
    }
    this.core.codeU8.fill(0xff);
    for (const { address, data } of image.segments) {
      if (address < RAM_BASE) this.core.codeU8.set(data, address);
    }
    this.#image = image;
    this.symbols = new SymbolTable(image.symbols, image.lines);
    this.#forgetAllCode();
  }

  #memoryFor(address: number, length: number): { bytes: Uint8Array; offset: number } | undefined {
    for (const [segment, bytes] of [[this.core.code, this.core.codeU8], [this.core.ram, this.core.ramU8]] as const) {
      const offset = address - segment.base;
      if (offset >= 0 && offset + length <= segment.size) return { bytes, offset };
    }
    return undefined;
  }

  #forgetAllCode(): void {
    for (const segment of [this.core.code, this.core.ram]) {
      segment.ops.fill(0, 0, segment.ops.length - 1);
    }
    this.core.ramCodeWords = 0;
    this.#engine?.forget();
    for (const address of this.#breakpoints) this.#patch(address);
  }

  /** Resets core and devices. Power-on starts at cycle 0 with fresh RAM; the other kinds keep RAM and cycle. */
  reset(kind: ResetKind): void {
    const { core } = this;
    endSlice(core);
    core.poll.pc = -1;
    if (kind === 'power-on') {
      core.end = 0;
      core.instructions = 0;
      this.#fillRam();
    }
    core.exitCode = undefined;
    resetCore(core);
    for (const device of this.devices) device.reset(kind, cycleOf(core));
    reschedule(core);
  }

  #fillRam(): void {
    const { core } = this;
    if (this.#seed === 0) core.ramU8.fill(0);
    else fillGarbage(core.ram.i32, this.#seed);
    for (const { address, data } of this.#image?.segments ?? []) {
      if (address >= RAM_BASE) core.ramU8.set(data, address - RAM_BASE);
    }
    if (core.ramCodeWords > 0) this.#forgetRamCode();
  }

  #forgetRamCode(): void {
    const { core } = this;
    forgetCode(core, core.ramCodeFirst, core.ramCodeWords);
    core.ramCodeWords = 0;
    for (const address of this.#breakpoints) this.#patch(address);
  }

  /** Runs until one of the stop reasons; can be called again to go on. */
  run(options: RunOptions = {}): RunResult {
    const { core } = this;
    const before = core.instructions;
    core.exitCode = undefined;
    const until = options.until ?? Infinity;
    const idle = options.idle ?? 'stop';
    const reason = this.#leaveBreakpoint(until, idle) ?? this.#runFree(until, idle);
    const result = { reason, cycle: this.cycle, instructions: core.instructions - before, pc: this.pc };
    return core.exitCode === undefined ? result : { ...result, exitCode: core.exitCode };
  }

  #runFree(until: Cycles, idle: 'stop' | 'advance'): StopReason {
    const { trace } = this;
    return runCore(this.core, {
      until,
      idle,
      beforeInstruction: trace === undefined ? undefined : () => trace(this.pc),
      atBreakpoint: () => this.#breakpoints.has(this.pc),
      engine: this.#breakpoints.size === 0 ? this.#engine : undefined,
    });
  }

  /** Executes the instruction under a breakpoint at the pc, so that a run can start on one. */
  #leaveBreakpoint(until: Cycles, idle: 'stop' | 'advance'): StopReason | undefined {
    const { pc } = this;
    if (!this.#breakpoints.has(pc) || this.cycle >= until) return undefined;
    this.#unpatch(pc);
    const reason = this.#runFree(Math.min(until, this.cycle + 1), idle);
    this.#patch(pc);
    return reason === 'limit' && this.cycle < until ? undefined : reason;
  }

  /** Executes one instruction (or takes one exception, or sleeps to the next event). */
  step(): RunResult {
    return this.run({ until: this.cycle + 1 });
  }

  /** Stops runs, reason `stop-at`, before the instruction at `address`. @throws EmulatorError MACHINE_ADDRESS outside code and RAM */
  addBreakpoint(address: number): void {
    const target = address & ~1;
    if (this.#memoryFor(target, 2) === undefined) {
      throw new EmulatorError('MACHINE_ADDRESS', `no code can be at 0x${address.toString(16)}`, 'give an address in code or RAM');
    }
    this.#breakpoints.add(target);
    this.#patch(target);
  }

  /** Takes a breakpoint away; nothing happens when there is none. */
  removeBreakpoint(address: number): void {
    if (this.#breakpoints.delete(address & ~1)) this.#unpatch(address & ~1);
  }

  #slot(address: number): [typeof this.core.code, number] {
    const segment = address >= RAM_BASE ? this.core.ram : this.core.code;
    return [segment, (address - segment.base) >>> 1];
  }

  #patch(address: number): void {
    const [segment, index] = this.#slot(address);
    segment.ops[index] = KIND.BREAKPOINT;
  }

  #unpatch(address: number): void {
    const [segment, index] = this.#slot(address);
    segment.ops[index] = 0;
  }

  /** Sets STACK_LIMIT, 0 for none. Violations `STACK_LIMIT` are recorded at each new depth below it. */
  setStackLimit(address: number): void {
    this.core.stackLimit = address >>> 0;
    this.core.limitLow = 0x7fffffff;
    watchStack(this.core);
  }

  /** Reads memory without side effects; undefined when any byte is unmapped or a device's. */
  peek(address: number, length: number): Uint8Array | undefined {
    const found = this.#memoryFor(address, length);
    if (found !== undefined) return found.bytes.slice(found.offset, found.offset + length);
    for (const region of this.core.regions) {
      const offset = address - region.base;
      if (offset >= 0 && offset + length <= region.size) return region.u8.slice(offset, offset + length);
    }
    return undefined;
  }

  /** Writes RAM or code as a debugger does; false when any byte is elsewhere. */
  poke(address: number, bytes: Uint8Array): boolean {
    const found = this.#memoryFor(address, bytes.length);
    if (found === undefined) return false;
    found.bytes.set(bytes, found.offset);
    if (address >= RAM_BASE) forgetCode(this.core, found.offset >>> 2, ((found.offset + bytes.length + 3) >>> 2) - (found.offset >>> 2));
    else this.#forgetAllCode();
    return true;
  }

  /** The registers now. */
  registers(): Registers {
    const { core } = this;
    const psp = (core.control & 2) !== 0;
    const [active, other] = [core.r[13] >>> 0, core.otherSp >>> 0];
    return {
      r: [...Array.from(core.r.subarray(0, 15), (x) => x >>> 0), this.pc],
      xpsr: readXpsr(core, true) >>> 0,
      msp: psp ? other : active,
      psp: psp ? active : other,
      primask: core.primask,
      control: core.control,
    };
  }

  /** Sets r0-r12 (0-12), the active SP (13), LR (14), pc (15) or the flags of xPSR (16), as a debugger does. */
  setRegister(index: number, value: number): void {
    if (index === 15) setPc(this.core, value);
    else if (index === 16) writeFlags(this.core, value);
    else this.core.r[index] = index === 13 ? value & ~3 : value;
  }

  /** Function that holds `address`, when the image has symbols. */
  symbolAt(address: number): ImageSymbol | undefined {
    return this.symbols.functionAt(address);
  }

  /** A copy of everything that changes: structured-clonable, for `restore` on a machine of the same configuration and image. */
  snapshot(): MachineSnapshot {
    const { core } = this;
    const scalars = {} as Record<string, unknown>;
    for (const key of SCALARS) scalars[key] = core[key];
    return {
      scalars: scalars as unknown as CoreScalars,
      inRam: core.seg === core.ram,
      r: core.r.slice(),
      priority: core.priority.slice(),
      ram: core.ramU8.slice(),
      devices: this.devices.map((device) => device.snapshot()),
      violations: this.violations.slice(),
      violationCount: this.violationCount,
    };
  }

  /** Puts a snapshot's state back; breakpoints, trace hook and image stay as they are. */
  restore(snapshot: MachineSnapshot): void {
    const { core } = this;
    Object.assign(core, snapshot.scalars);
    core.seg = snapshot.inRam ? core.ram : core.code;
    core.r.set(snapshot.r);
    core.priority.set(snapshot.priority);
    core.ramU8.set(snapshot.ram);
    core.poll.pc = -1;
    if (core.ramCodeWords > 0) this.#forgetRamCode();
    snapshot.devices.forEach((state, k) => this.devices[k].restore(state));
    this.violations.splice(0, this.violations.length, ...snapshot.violations);
    this.violationCount = snapshot.violationCount;
    reschedule(core);
  }

  /** Decodes every halfword of code memory ahead of time (otherwise done at first execution). */
  decodeAll(): void {
    const { core } = this;
    const { seg } = core;
    core.seg = core.code;
    for (let index = 0; index < core.code.u16.length; index++) if (core.code.ops[index] === 0) decodeHere(core, index);
    core.seg = seg;
  }
}

function createHost(machine: Machine): MachineHost {
  const { core } = machine;
  return {
    irq: { set: (irq, level) => setIrqLine(core, irq, level) },
    reschedule: () => reschedule(core),
    violation: (code, detail, address) => violate(core, code, core.inAccess ? currentPc(core) : pcOf(core), detail, address),
    peek: (address, length) => machine.peek(address, length),
    pokeRam: (address, bytes) => address >= RAM_BASE && machine.poke(address, bytes),
    exit: (code) => {
      core.exitCode = code;
      endSlice(core);
    },
    setStackLimit: (address) => machine.setStackLimit(address),
  };
}

/**
 * Makes a machine; it holds no image and has not been reset.
 * @throws EmulatorError MACHINE_CONFIG
 * @example
 * const machine = createMachine({ core: 'cortex-m0', code: { size: 0x40000 }, ram: { size: 0x10000 } });
 * machine.loadImage(loadElf(bytes));
 * machine.reset('power-on');
 * const { reason, cycle } = machine.run({ until: 1_000_000 });
 */
export function createMachine(config: MachineConfig): Machine {
  return new Machine(config);
}
