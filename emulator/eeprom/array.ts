import type { ChipProfile } from '../profiles/schema.js';
import type { AccessSize, Cycles } from '../types.js';
import { ChipError } from '../devices/errors.js';
import { CellModel, WeakBuilder, type PageCells, type PageOperation } from './cells.js';
import { hash32, unit } from './math.js';
import { WeakReader, type WeakReaderState } from './policy.js';
import type { NvmState, WeakPage, WeakPolicy, WriteRecord } from './types.js';
import type { WatchListener } from './watch.js';
import { applyWear } from './wear.js';

const WEAK = 1;
const BUSY = 2;
const WATCHED = 4;
const DISTURB_SALT = 0x44495354;

/** What an {@link EepromArray} is made from. */
export interface EepromConfig {
  readonly profile: ChipProfile['eeprom'];
  /** Core clock, to turn microseconds into cycles. */
  readonly coreHz: number;
  /** The chip's seed: fixes its cells and its wear. */
  readonly seed: number;
  /** Memory behind the EEPROM window; must be `profile.bytes` long. */
  readonly bytes: Uint8Array;
}

/** A memory window whose reads can be taken over; while `onRead` is undefined they are plain memory reads. */
export interface HookedWindow {
  onRead?: ((offset: number, size: AccessSize, now: Cycles) => number | undefined) | undefined;
}

/** Saved state of an {@link EepromArray}. */
export interface EepromState {
  readonly bytes: Uint8Array;
  readonly weak: readonly WeakPage[];
  readonly torn: readonly number[];
  readonly cycles: Uint32Array;
  readonly sessions: number;
  readonly op: PageOperation | undefined;
  readonly policy: WeakPolicy;
  readonly born: readonly WeakPage[];
  readonly reader: WeakReaderState;
  readonly writes: readonly WriteRecord[];
}

/**
 * EEPROM cells behind a plain memory window. `bytes` is what reads give as long as `special(page)` is false; a
 * page that is busy, or weak under a policy whose reads change, is read through {@link read}.
 */
export class EepromArray {
  /** The memory window. */
  readonly bytes: Uint8Array;
  readonly pageBytes: number;
  readonly pages: number;
  /** Length of the erase and program phase, cycles. */
  readonly eraseCycles: number;
  readonly programCycles: number;
  readonly model: CellModel;
  readonly #config: EepromConfig;
  readonly #erased: number;
  readonly #flags: Uint8Array;
  #special = 0;
  #weak = new Map<number, WeakPage>();
  #torn = new Set<number>();
  #cycles: Uint32Array;
  #sessions = 0;
  #op: PageOperation | undefined;
  #policy: WeakPolicy;
  #born: readonly WeakPage[] = [];
  #reader: WeakReader;
  #writes: WriteRecord[] = [];
  #onBusyRead: (offset: number, now: Cycles) => void = () => undefined;
  #window: HookedWindow | undefined;
  #watched: ReadonlySet<number> = new Set();
  #tell: WatchListener | undefined;
  #started: ((operation: PageOperation) => void) | undefined;

  /** @throws ChipError NVM_SIZE when `config.bytes` has the wrong length */
  constructor(config: EepromConfig) {
    const { profile } = config;
    if (config.bytes.length !== profile.bytes) throw sizeError(config.bytes.length, profile.bytes);
    this.#config = config;
    this.bytes = config.bytes;
    this.pageBytes = profile.page;
    this.pages = profile.bytes / profile.page;
    this.eraseCycles = Math.round((profile.eraseUs * config.coreHz) / 1e6);
    this.programCycles = Math.round((profile.programUs * config.coreHz) / 1e6);
    this.model = new CellModel(profile.cells, config.seed, profile.page, profile.erased);
    this.#erased = profile.erased;
    this.#flags = new Uint8Array(this.pages);
    this.#cycles = new Uint32Array(this.pages);
    this.#policy = { kind: 'random', seed: config.seed };
    this.#reader = new WeakReader(this.#policy, this.model, this.#erased, []);
    this.powerOn(undefined, this.#policy);
  }

  /** Operations that ended or were cut in this power session, in order. */
  get writes(): readonly WriteRecord[] { return this.#writes; }
  /** Operations each page has had over all sessions. */
  get cycles(): Uint32Array { return this.#cycles; }
  /** Power sessions including this one. */
  get sessions(): number { return this.#sessions; }
  /** The running operation. */
  get operation(): PageOperation | undefined { return this.#op; }
  /** Some page cannot be read as plain memory. */
  get anySpecial(): boolean { return this.#special > 0; }
  /** Weak pages left, ascending. */
  get weak(): readonly WeakPage[] { return sortPages(this.#weak.values()); }

  /** First cycle after the running operation; Infinity when there is none. */
  get endOfOperation(): Cycles {
    return this.#op === undefined ? Infinity : endOf(this.#op);
  }

  /** The page cannot be read as plain memory. */
  special(page: number): boolean {
    return this.#flags[page] !== 0;
  }

  /** Whom to tell that the busy page was read. */
  onBusyRead(tell: (offset: number, now: Cycles) => void): void {
    this.#onBusyRead = tell;
  }

  /**
   * Tells of everything that depends on what `pages` hold, over power sessions and until it is called anew; without
   * a listener it ends. What the core then does is fixed by what it was told, whatever else these pages hold.
   */
  watch(pages: ReadonlySet<number>, tell: WatchListener | undefined): void {
    for (const page of this.#watched) this.#flag(page, WATCHED, false);
    this.#watched = tell === undefined ? new Set() : new Set(pages);
    this.#tell = tell;
    for (const page of this.#watched) this.#flag(page, WATCHED, true);
  }

  /** Whom to tell of each operation that has begun; he may take a {@link snapshot}. Undefined ends it. */
  onStart(tell: ((operation: PageOperation) => void) | undefined): void {
    this.#started = tell;
  }

  /** Sets `window.onRead` while some page is busy or weak under a policy whose reads change, and clears it after. */
  attach(window: HookedWindow): void {
    this.#window = window;
    this.#hook();
  }

  /**
   * Begins a power session on `nvm` (undefined: a new, erased EEPROM; a plain image: strong cells, no wear).
   * Weak cells drift by `cells.drift`. @throws ChipError NVM_SIZE
   */
  powerOn(nvm: NvmState | Uint8Array | undefined, policy: WeakPolicy): void {
    const state = nvm instanceof Uint8Array ? { bytes: nvm, weak: [], torn: [], cycles: undefined, sessions: 0 } : nvm;
    if (state !== undefined && state.bytes.length !== this.bytes.length) throw sizeError(state.bytes.length, this.bytes.length);
    if (state === undefined) this.bytes.fill(this.#erased); else this.bytes.set(state.bytes);
    this.#cycles = state?.cycles?.slice() ?? new Uint32Array(this.pages);
    this.#sessions = (state?.sessions ?? 0) + 1;
    this.#torn = new Set(state?.torn);
    this.#op = undefined;
    this.#writes = [];
    this.#weak = new Map();
    for (const page of state?.weak ?? []) this.#setWeak(page.page, this.#drift(page));
    this.#begin(policy, this.weak);
    for (const page of this.#born) this.#settle(page);
    if (this.#watched.size > 0) this.#tell?.({ kind: 'power-on', policy });
  }

  /**
   * Every cycle of this session at which what a power cut would leave changes, ascending: the edges of all logged
   * operations and of the running one. Between two of them a cut leaves the same cells.
   */
  edges(): Float64Array {
    const all = new Set<number>();
    for (const { operation, end } of this.#writes) for (const edge of this.model.edges(operation)) if (edge <= end) all.add(edge);
    if (this.#op !== undefined) for (const edge of this.model.edges(this.#op)) all.add(edge);
    return Float64Array.from(all).sort();
  }

  /** Reads through weak and busy pages, little-endian; offsets as in the window, in range and aligned. */
  read(offset: number, size: AccessSize, now: Cycles): number {
    const page = Math.floor(offset / this.pageBytes);
    const value = this.#op?.page === page ? this.#readBusy(this.#op, offset, size, now) : this.#gather(offset, size, this.bytes, 0, this.#dynamic(page));
    if (this.#watched.has(page)) this.#tell?.({ kind: 'read', page, offset, size, now, value });
    return value;
  }

  #readBusy(op: PageOperation, offset: number, size: AccessSize, now: Cycles): number {
    this.#onBusyRead(offset, now);
    const cells = this.model.at(op, now);
    return this.#gather(offset, size, cells.bytes, op.page * this.pageBytes, cells.weak);
  }

  /** Reads a whole page as the controller does; counts as a read of each byte. */
  readPage(page: number): Uint8Array {
    const from = page * this.pageBytes;
    const copy = this.bytes.slice(from, from + this.pageBytes);
    const weak = this.#dynamic(page);
    if (weak !== undefined) copy.forEach((byte, i) => { copy[i] = this.#reader.readByte(weak, i, byte, from + i); });
    return copy;
  }

  /**
   * Starts an operation on `page` at cycle `now`: bit 0 of `command` erases, bit 1 programs `target`. Without
   * `force` a needless phase is left out: the erase if the page reads as erased, the programming if nothing would
   * change. Returns its first cycle after the end: `now` when nothing is to be done. Nothing may be running.
   */
  start(page: number, command: number, target: Uint8Array, force: boolean, now: Cycles): Cycles {
    const current = this.readPage(page);
    const erase = (command & 1) !== 0 && (force || !current.every((byte) => byte === this.#erased));
    const base = erase ? new Uint8Array(this.pageBytes).fill(this.#erased) : current;
    const intended = base.map((byte, i) => ((command & 2) === 0 ? byte : this.#program(byte, target[i])));
    const program = (command & 2) !== 0 && (force || intended.some((byte, i) => byte !== base[i]));
    if (this.#watched.has(page)) this.#tell?.({ kind: 'start', page, command, target: target.slice(), force, now, erase, program });
    if (!erase && !program) return now;
    const { weak, tornFactor } = this.#config.profile.cells;
    this.#op = {
      page, start: now, intended,
      eraseCycles: erase ? this.eraseCycles : 0,
      programCycles: program ? this.programCycles : 0,
      target: program ? target.slice() : undefined,
      before: this.#canonical(page),
      weak: this.#torn.has(page) ? Math.min(0.9, weak * tornFactor) : weak,
    };
    this.#flag(page, BUSY, true);
    this.#started?.(this.#op);
    return endOf(this.#op);
  }

  /** Ends the running operation, at its last cycle; false if the page does not read as intended (worn or weak cells). */
  finish(): boolean {
    const op = this.#op;
    if (op === undefined) return true;
    const cells = op.before.weak === undefined ? { bytes: op.intended.slice(), weak: undefined } : this.model.at(op, endOf(op));
    const count = ++this.#cycles[op.page];
    applyWear(this.#config.profile.wear, this.#config.seed, op.page, count, cells.bytes);
    this.#torn.delete(op.page);
    this.#leave(op, cells);
    const verified = this.readPage(op.page).every((byte, i) => byte === op.intended[i]);
    this.#log(op, endOf(op), cells.bytes, false, verified);
    if (this.#watched.has(op.page)) {
      this.#tell?.({ kind: 'finish', page: op.page, verified, settled: op.eraseCycles > 0 && verified && cells.weak === undefined });
    }
    return verified;
  }

  /** Power goes at cycle `now`: what is left. The array itself is dead until {@link powerOn}. */
  cut(now: Cycles): NvmState {
    const op = this.#op;
    if (this.#watched.size > 0) this.#tell?.({ kind: 'cut', now });
    if (op !== undefined) this.#tear(op, now);
    for (const page of this.#weak.values()) this.#put(page, (at) => page.toErased[at] === 0);
    return {
      bytes: this.bytes.slice(), weak: this.weak, torn: [...this.#torn].sort((a, b) => a - b),
      cycles: this.#cycles.slice(), sessions: this.#sessions,
    };
  }

  /** A deep copy of the state. */
  snapshot(): EepromState {
    return {
      bytes: this.bytes.slice(), weak: [...this.#weak.values()], torn: [...this.#torn], cycles: this.#cycles.slice(),
      sessions: this.#sessions, op: this.#op, policy: this.#policy, born: this.#born, reader: this.#reader.snapshot(),
      writes: this.#writes.slice(),
    };
  }

  /** Takes a state back that {@link snapshot} gave, here or on an array of the same profile and seed. */
  restore(state: EepromState): void {
    this.bytes.set(state.bytes);
    this.#cycles.set(state.cycles);
    this.#sessions = state.sessions;
    this.#torn = new Set(state.torn);
    this.#weak = new Map(state.weak.map((page) => [page.page, page]));
    this.#op = state.op;
    this.#writes = state.writes.slice();
    this.#begin(state.policy, state.born);
    this.#reader.restore(state.reader);
    if (state.op !== undefined) this.#flag(state.op.page, BUSY, true);
  }

  #begin(policy: WeakPolicy, born: readonly WeakPage[]): void {
    if (this.#special > 0) this.#flags.fill(0);
    this.#special = 0;
    this.#born = born;
    this.#policy = policy;
    this.#reader = new WeakReader(policy, this.model, this.#erased, born);
    if (!this.#reader.stable) for (const page of this.#weak.keys()) this.#flag(page, WEAK, true);
    for (const page of this.#watched) this.#flag(page, WATCHED, true);
    this.#hook();
  }

  #hook(): void {
    if (this.#window === undefined) return;
    this.#window.onRead = this.#special > 0 ? this.#onRead : undefined;
  }

  readonly #onRead = (offset: number, size: AccessSize, now: Cycles): number | undefined =>
    (this.#flags[Math.floor(offset / this.pageBytes)] === 0 ? undefined : this.read(offset, size, now));

  #dynamic(page: number): WeakPage | undefined {
    return this.#reader.stable ? undefined : this.#weak.get(page);
  }

  #gather(offset: number, size: number, bytes: Uint8Array, base: number, weak: WeakPage | undefined): number {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) {
      const plain = bytes[offset + i - base];
      const byte = weak === undefined ? plain : this.#reader.readByte(weak, (offset + i) % this.pageBytes, plain, offset + i);
      value = value * 256 + byte;
    }
    return value;
  }

  #program(byte: number, target: number): number {
    return this.#erased === 0xff ? byte & target : byte | target;
  }

  /** The page's cells with the old value at the weak ones, whatever the policy has settled there. */
  #canonical(page: number): PageCells {
    const from = page * this.pageBytes;
    const bytes = this.bytes.slice(from, from + this.pageBytes);
    const weak = this.#weak.get(page);
    if (weak !== undefined) setBits(bytes, weak, (at) => (weak.toErased[at] === 0) === (this.#erased === 0xff));
    return { bytes, weak };
  }

  #leave(op: PageOperation, cells: PageCells): void {
    this.#op = undefined;
    this.#flag(op.page, BUSY, false);
    this.bytes.set(cells.bytes, op.page * this.pageBytes);
    this.#setWeak(op.page, cells.weak);
    if (cells.weak !== undefined) this.#settle(cells.weak);
  }

  #tear(op: PageOperation, now: Cycles): void {
    const cells = this.model.at(op, now);
    this.#cycles[op.page]++;
    if (now < op.start + op.eraseCycles) this.#torn.add(op.page); else this.#torn.delete(op.page);
    this.#leave(op, cells);
    this.#log(op, now, cells.bytes, true, false);
    if (this.#config.profile.cells.disturb > 0) for (const near of [op.page - 1, op.page + 1]) this.#disturb(near, op.page);
  }

  #disturb(page: number, by: number): void {
    if (page < 0 || page >= this.pages) return;
    const { bytes, weak } = this.#canonical(page);
    const builder = new WeakBuilder(page);
    const { seed, profile } = this.#config;
    const count = this.#cycles[by];
    let previous = 0;
    for (let bit = 0; bit < this.pageBytes * 8; bit++) {
      if (weak?.bits[previous] === bit) {
        builder.add(bit, weak.charge[previous], weak.toErased[previous++]);
      } else if (unit(hash32(seed, DISTURB_SALT, page, by, count, bit)) < profile.cells.disturb) {
        builder.add(bit, 0.5, ((bytes[bit >> 3] >> (bit & 7)) & 1) === (this.#erased & 1) ? 0 : 1);
      }
    }
    this.#setWeak(page, builder.build());
  }

  /** Weak cells of a page after `cells.drift`; those that have reached the erased level become strong. */
  #drift(page: WeakPage): WeakPage | undefined {
    const { drift } = this.#config.profile.cells;
    if (drift === 0) return page;
    const builder = new WeakBuilder(page.page);
    page.bits.forEach((bit, i) => {
      const charge = page.charge[i] + drift;
      if (charge < 1) builder.add(bit, charge, page.toErased[i]);
    });
    this.#put(page, (at) => page.charge[at] + drift >= 1 || page.toErased[at] === 0);
    return builder.build();
  }

  /** Under a stable policy: writes what the weak cells read into the window. */
  #settle(weak: WeakPage): void {
    if (!this.#reader.stable) return;
    const from = weak.page * this.pageBytes;
    for (let i = 0; i < this.pageBytes; i++) this.bytes[from + i] = this.#reader.readByte(weak, i, this.bytes[from + i], from + i);
  }

  /** Sets each weak cell in the window to erased or programmed. */
  #put(weak: WeakPage, erased: (at: number) => boolean): void {
    const from = weak.page * this.pageBytes;
    setBits(this.bytes.subarray(from, from + this.pageBytes), weak, (at) => erased(at) === (this.#erased === 0xff));
  }

  #setWeak(page: number, weak: WeakPage | undefined): void {
    if (weak === undefined) this.#weak.delete(page); else this.#weak.set(page, weak);
    this.#flag(page, WEAK, weak !== undefined && !this.#reader.stable);
  }

  #flag(page: number, flag: number, on: boolean): void {
    const before = this.#flags[page];
    const after = on ? before | flag : before & ~flag;
    const change = Number(after !== 0) - Number(before !== 0);
    this.#flags[page] = after;
    if (change === 0) return;
    this.#special += change;
    this.#hook();
  }

  #log(op: PageOperation, end: Cycles, after: Uint8Array, cut: boolean, verified: boolean): void {
    const erase = op.eraseCycles > 0;
    this.#writes.push({
      page: op.page, start: op.start, programStart: op.start + op.eraseCycles, end,
      phases: erase && op.programCycles > 0 ? 'erase+program' : erase ? 'erase' : 'program',
      cut, verified, before: op.before.bytes, after, operation: op,
    });
  }
}

function endOf(op: PageOperation): Cycles {
  return op.start + op.eraseCycles + op.programCycles;
}

function setBits(bytes: Uint8Array, weak: WeakPage, high: (at: number) => boolean): void {
  weak.bits.forEach((bit, at) => {
    const mask = 1 << (bit & 7);
    bytes[bit >> 3] = high(at) ? bytes[bit >> 3] | mask : bytes[bit >> 3] & ~mask;
  });
}

function sortPages(pages: Iterable<WeakPage>): WeakPage[] {
  return [...pages].sort((a, b) => a.page - b.page);
}

function sizeError(given: number, wanted: number): ChipError {
  return new ChipError('NVM_SIZE', `the EEPROM image has ${given} bytes, the profile ${wanted}`, 'the chip was not powered',
    'give an image of the profile\'s size or override eeprom.bytes');
}
