import type { AccessSize, Cycles, Device, Violation } from '../types.js';
import { KIND_MASK, decodeAt, type Segment } from './decode.js';
import { createPollState, type PollState } from './poll.js';
import type { CycleTable } from './cycles.js';
import { KIND } from './kinds.js';

/** Read-only memory beside code and RAM, such as the EEPROM window. */
export interface MemoryRegion {
  readonly name: string;
  /** First address; word-aligned. */
  readonly base: number;
  /** Backing memory, read live; its byteOffset and length are multiples of 4. */
  readonly bytes: Uint8Array;
  /**
   * Called before each read by the core when set; what it returns replaces the stored value, undefined
   * leaves it. Set and clear it at will: while undefined it costs nothing.
   * `offset` is relative to `base`, `now` the cycle at which the instruction started.
   */
  onRead?: ((offset: number, size: AccessSize, now: Cycles) => number | undefined) | undefined;
}

/** A memory region with the views the core reads it through. */
export interface MappedRegion {
  readonly region: MemoryRegion;
  readonly base: number;
  readonly size: number;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
}

const NO_REGION: MappedRegion = {
  region: { name: 'none', base: 0, bytes: new Uint8Array(0) },
  base: 0,
  size: 0,
  u8: new Uint8Array(0),
  u16: new Uint16Array(0),
  i32: new Int32Array(0),
};

/** First address of RAM (docs/chip.md). */
export const RAM_BASE = 0x20000000;

/** Everything `Core` must know when it is made. */
export interface CoreOptions {
  readonly table: CycleTable;
  /** Where the registers are kept: 16 words. */
  readonly r: Int32Array;
  readonly code: Segment;
  readonly ram: Segment;
  readonly regions: readonly MappedRegion[];
  readonly devices: readonly Device[];
  /** Cycles of MULS, 1 or 32. */
  readonly multiplier: number;
  /** Called for every violation. */
  readonly report: (violation: Violation) => void;
  /** Function name at an address, when the image has symbols. */
  readonly symbolAt: (address: number) => string | undefined;
}

/**
 * State of an ARMv6-M core: plain fields, so that the interpreter can hold them in locals. The functions of
 * this folder work on it; nothing outside the folder does, but for `emulator/machine.ts`.
 * Cycle now = `end - left` at any time.
 */
export class Core {
  readonly table: CycleTable;
  readonly code: Segment;
  readonly ram: Segment;
  readonly ramU8: Uint8Array;
  readonly codeU8: Uint8Array;
  readonly regions: readonly MappedRegion[];
  readonly devices: readonly Device[];
  /** The region the interpreter reads without leaving its loop: the first one, or an empty one. */
  readonly window: MappedRegion;
  readonly multiplier: number;
  readonly report: (violation: Violation) => void;
  readonly symbolAt: (address: number) => string | undefined;

  /** r0-r12, the active SP, LR; element 15 is unused. */
  readonly r: Int32Array;
  /** N is the sign of `n`, Z means `z` is 0, C is `c` (0 or 1), V is the sign of `v`. */
  n = 0;
  z = 1;
  c = 0;
  v = 0;
  seg: Segment;
  /** Halfword index of the next instruction in `seg`. */
  i = 0;
  /** Address of the next instruction when it is outside executable memory; -1 otherwise. */
  lost = -1;
  thumb = true;
  /** The stack pointer that is not active. */
  otherSp = 0;
  primask = 0;
  /** CONTROL: bit 0 nPRIV (Cortex-M0+ only), bit 1 SPSEL. */
  control = 0;
  ipsr = 0;
  eventRegister = false;
  sleeping: 'no' | 'wfi' | 'wfe' = 'no';
  lockedUp = false;

  left = 0;
  end: Cycles = 0;
  instructions = 0;
  /** Longest next slice of the interpreter in cycles. */
  sliceLength = 500;
  /** Cycle at which the current access or event takes place. */
  at: Cycles = 0;
  /** Set while an instruction that straddles an event must be completed. */
  force = false;
  /** Target of the far branch handed back by the interpreter. */
  target = 0;
  /** Coded reason of the fault of the current instruction; empty when none. */
  fault = '';
  busError = '';

  nextEvent: Cycles = Infinity;
  /** True when an exception is pending that the core would take now. */
  ready = false;

  /** Pending and active system exceptions, bit = exception number (2 NMI, 3 HardFault, 11 SVC, 14 PendSV, 15 SysTick). */
  sysPending = 0;
  sysActive = 0;
  irqLines = 0;
  irqPending = 0;
  irqEnabled = 0;
  irqActive = 0;
  /** Priority of each exception number: 0, 64, 128, 192. */
  readonly priority = new Uint8Array(48);
  /** Priority of what is running, PRIMASK aside: 256 thread, -1 HardFault, -2 NMI. */
  activePriority = 256;
  scr = 0;
  vtor = 0;
  resetRequested = false;
  exitCode: number | undefined = undefined;
  /** True while a device serves an access of the current instruction. */
  inAccess = false;

  tickControl = 0;
  tickReload = 0;
  tickFlag = false;
  /** Counter value at cycle `tickSince`. */
  tickValue = 0;
  tickSince: Cycles = 0;
  tickEvent: Cycles = Infinity;

  /** A stack pointer below this needs a look: a new low-water mark, or the limit. */
  spWatch = 0x7fffffff;
  stackLow = 0x7fffffff;
  stackLimit = 0;
  /** Lowest stack pointer reported against the limit. */
  limitLow = 0x7fffffff;

  /** Where the core was when it last read a device register that can be polled. */
  readonly poll: PollState = createPollState();

  /** Word index range of RAM that holds decoded code. */
  ramCodeFirst = 0;
  ramCodeWords = 0;

  constructor(options: CoreOptions) {
    this.r = options.r;
    this.table = options.table;
    this.code = options.code;
    this.ram = options.ram;
    this.ramU8 = options.ram.u8;
    this.codeU8 = options.code.u8;
    this.regions = options.regions;
    this.devices = options.devices;
    this.window = options.regions[0] ?? NO_REGION;
    this.multiplier = options.multiplier;
    this.report = options.report;
    this.symbolAt = options.symbolAt;
    this.seg = options.code;
  }
}

/** Cycle at which the core stands. */
export function cycleOf(core: Core): Cycles {
  return core.end - core.left;
}

/** Address of the next instruction. */
export function pcOf(core: Core): number {
  return core.lost >= 0 ? core.lost : core.seg.base + core.i * 2;
}

/** Makes `address` (bit 0 ignored) the next instruction. */
export function setPc(core: Core, address: number): void {
  const target = (address & ~1) >>> 0;
  for (const seg of [core.code, core.ram]) {
    const offset = (target - seg.base) >>> 0;
    if (offset < seg.size) {
      core.seg = seg;
      core.i = offset >>> 1;
      core.lost = -1;
      return;
    }
  }
  core.lost = target;
}

/** Ends the running slice after the current instruction, so that the slow loop looks at the state. */
export function endSlice(core: Core): void {
  core.end -= core.left;
  core.left = 0;
}

/** Spends cycles outside the interpreter. */
export function spend(core: Core, cycles: number): void {
  core.end += cycles;
}

/** Records a violation at `pc`. */
export function violate(core: Core, code: string, pc: number, detail: string, address?: number): void {
  const symbol = core.symbolAt(pc);
  core.report({
    code,
    cycle: core.at,
    pc,
    detail,
    ...(address === undefined ? {} : { address }),
    ...(symbol === undefined ? {} : { symbol }),
  });
}

/** Halfwords decoded in one go in code memory. */
const DECODE_RUN = 64;

/** Decodes the undecoded instruction at `index` of the current segment; in code memory also those behind it. */
export function decodeHere(core: Core, index: number): void {
  const { seg } = core;
  if (!seg.writable) {
    const end = Math.min(index + DECODE_RUN, seg.u16.length);
    for (let k = index; k < end; k++) if (seg.ops[k] === 0) decodeAt(seg, k, core.table, core.multiplier);
    return;
  }
  decodeAt(seg, index, core.table, core.multiplier);
  const first = index >>> 1;
  const last = Math.min((index + 1) >>> 1, (seg.size >>> 2) - 1);
  if (core.ramCodeWords === 0) {
    core.ramCodeFirst = first;
    core.ramCodeWords = last - first + 1;
    return;
  }
  const end = Math.max(core.ramCodeFirst + core.ramCodeWords, last + 1);
  core.ramCodeFirst = Math.min(core.ramCodeFirst, first);
  core.ramCodeWords = end - core.ramCodeFirst;
}

/** Forgets the decoded form of `words` words of RAM from word `first` on, after they were written. */
export function forgetCode(core: Core, first: number, words: number): void {
  const { ops } = core.ram;
  const from = Math.max(first * 2 - 1, 0);
  const to = Math.min((first + words) * 2, ops.length - 1);
  for (let index = from; index < to; index++) {
    if ((ops[index] & KIND_MASK) === KIND.BREAKPOINT) continue;
    ops[index] = 0;
  }
}

/** Notes a new stack pointer below `spWatch`: low-water mark and STACK_LIMIT (docs/chip.md, SYSCTL 0x24). */
export function noteStack(core: Core, sp: number): void {
  const inRam = (sp - RAM_BASE) >>> 0 < core.ram.size;
  if (inRam && sp < core.stackLow) core.stackLow = sp;
  if (sp >>> 0 < core.stackLimit && sp < core.limitLow) {
    core.limitLow = sp;
    const pc = core.lost >= 0 ? core.lost : core.seg.base + (core.i - 1) * 2;
    core.at = cycleOf(core);
    const depth = core.stackLimit - (sp >>> 0);
    violate(core, 'STACK_LIMIT', pc, `SP is ${depth} bytes below STACK_LIMIT`, sp >>> 0);
  }
  watchStack(core);
}

/** Recomputes `spWatch` after a change of the limit or the marks. */
export function watchStack(core: Core): void {
  const limit = core.stackLimit === 0 ? 0 : Math.min(core.stackLimit, core.limitLow);
  core.spWatch = Math.min(0x7fffffff, Math.max(core.stackLow, limit));
}
