import type { Chip, CutKind, LinkEvent, NvmState, WeakPolicy } from '../../emulator/index.js';
import { DeviceError } from '../errors.js';
import { RESET_LINE } from '../channel/port.js';
import type { TapeRecorder } from './tape.js';
import type { BytePort, Character, LineSettings, PortClock, SendOptions, SendOutcome, Ticks } from '../channel/port.js';

/** Length of a character, and end of the window for its error signal, in etu (ISO/IEC 7816-3, 7.2, 7.3). */
const CHARACTER_ETU = 10;
const SIGNAL_ETU = 11;

/** A character of the terminal that the card's UART did not take. */
export type LostCharacter = Extract<LinkEvent, { readonly kind: 'collision' | 'unheard' }>;

/** With what the next power session begins. */
export interface NextSession {
  /** Default: what the last session left. */
  readonly nvm?: NvmState | Uint8Array;
  /** What weak cells read; default: the chip's own. */
  readonly policy?: WeakPolicy;
}

/** Saved state of an {@link EmulatedPort}, chip not included: plain data. */
export interface EmulatedPortState {
  readonly line: LineSettings;
  readonly queue: readonly Character[];
  readonly fresh: boolean;
  readonly cut: { readonly cycle: Ticks; readonly kind: CutKind } | undefined;
  readonly left: NvmState | undefined;
  readonly cutDone: Ticks | undefined;
  readonly markFrom: number;
}

type SignalEvent = Extract<LinkEvent, { readonly kind: 'error-signal' }>;

/**
 * The contacts of an emulated chip. Ticks are core clock cycles since power-on: each cold reset starts
 * at 0. Everything happens at once: no method returns a promise.
 */
export class EmulatedPort implements BytePort {
  readonly name: string;
  readonly clock: PortClock;
  readonly features = { parity: true, errorSignal: true, warmReset: true, power: true };
  readonly cardHz: number;
  readonly chip: Chip;
  line: LineSettings = RESET_LINE;
  /** Characters of the terminal that the card did not take, in this power session. */
  readonly lost: LostCharacter[] = [];
  /** Records what crosses the contacts from the next cold reset on; undefined by default. */
  tape: TapeRecorder | undefined = undefined;
  #queue: Character[] = [];
  #signal: SignalEvent | undefined;
  #fresh = true;
  #cut: EmulatedPortState['cut'];
  #left: NvmState | undefined;
  #cutDone: Ticks | undefined;
  #next: NextSession = {};
  #markFrom = 0;
  #spoil = false;
  #probes: readonly Ticks[] = [];
  #probed = 0;
  #see: (cycle: Ticks) => void = () => undefined;

  constructor(chip: Chip) {
    this.chip = chip;
    this.name = `emulated ${chip.profile.name}`;
    this.cardHz = chip.profile.card.hz;
    this.clock = { unit: 'cycle', perMs: chip.profile.cpu.hz / 1000, uncertainty: 0 };
  }

  /** Index into `chip.steps` at the last command. */
  get markFrom(): number {
    return this.#markFrom;
  }

  etu(): Ticks {
    return (this.line.F * this.chip.profile.cpu.hz) / (this.line.D * this.cardHz);
  }

  now(): Ticks {
    return this.chip.now;
  }

  configure(change: Partial<LineSettings>): void {
    this.line = { ...this.line, ...change };
    this.chip.link.setFD(this.line.F, this.line.D);
    this.chip.link.setInverse(this.line.convention === 'inverse');
    this.tape?.act(this.chip.now, { kind: 'line', f: this.line.F, d: this.line.D, inverse: this.line.convention === 'inverse' });
  }

  reset(kind: 'cold' | 'warm'): Ticks {
    if (kind === 'warm') {
      this.#needPower();
      this.chip.warmReset();
    } else this.#powerOn();
    this.#forgetLine();
    return this.chip.now;
  }

  powerOff(): void {
    this.takeNvm();
  }

  /** Deactivates the contacts if they are not, and gives what is left of the memory. */
  takeNvm(kind: CutKind = 'abrupt'): NvmState {
    if (this.chip.powered) {
      this.#left = this.chip.powerCut(kind);
      this.#cutDone = undefined;
      this.#cut = undefined;
    }
    if (!this.#left) throw new DeviceError('CARD_LINK', { what: 'the chip has no power and no memory was kept' });
    return this.#left;
  }

  /** Says with what the next cold reset begins. */
  prepare(next: NextSession): void {
    this.#next = { ...this.#next, ...next };
  }

  /**
   * The power goes at `cycle` of this session (of the next one while the card is off), wherever the card
   * then is; undefined takes it back. A cold reset of a powered card takes it back too.
   * @throws DeviceError DEVICE_UNSUPPORTED when the cycle has passed
   */
  cutAt(cycle: Ticks | undefined, kind: CutKind = 'abrupt'): void {
    if (cycle === undefined) this.#cut = undefined;
    else if (this.chip.powered && !this.#fresh && cycle < this.chip.now) {
      throw new DeviceError('DEVICE_UNSUPPORTED', { what: `power cannot go at cycle ${cycle}: it is ${this.chip.now}` });
    } else this.#cut = { cycle, kind };
  }

  /**
   * Calls `see` when this session has come to each of `cycles` (ascending), in the middle of an exchange if need be, and
   * goes on as if nothing had been looked at. `see` may look at the chip, and cut and restore it, but not run it.
   * Replaces earlier probes; those that the session does not reach are dropped.
   */
  probeAt(cycles: readonly Ticks[], see: (cycle: Ticks) => void): void {
    this.#probes = cycles;
    this.#probed = 0;
    this.#see = see;
  }

  /** Step marks are counted from here. */
  beginCommand(): void {
    this.#markFrom = this.chip.steps.length;
  }

  send(bytes: Uint8Array, options: SendOptions): SendOutcome {
    this.#needPower();
    const { link } = this.chip;
    const first = Math.ceil(Math.max(this.chip.now, link.busyUntil, options.notBefore ?? 0));
    const gap = options.guardEtu * this.etu();
    const edgeOf = (i: number): Ticks => Math.floor(first + i * gap);
    this.#signal = undefined;
    let base = 0;
    for (let i = 0; i < bytes.length; i++) {
      const wrongParity = options.badParity?.includes(i) ?? false;
      const index = link.send(bytes[i], edgeOf(i), { wrongParity });
      this.tape?.act(this.chip.now, { kind: 'send', byte: bytes[i], edge: edgeOf(i), wrongParity });
      if (i === 0) base = index;
    }
    const last = edgeOf(bytes.length - 1);
    const signal = this.#runToSignal(Math.ceil(last + this.etu() * (this.line.errorSignal ? SIGNAL_ETU : CHARACTER_ETU)));
    if (!signal) return { accepted: bytes.length, signalled: false, firstEdge: first, lastEdge: last };
    link.cancel();
    this.tape?.act(this.chip.now, { kind: 'cancel' });
    const accepted = signal.index - base;
    return { accepted, signalled: true, firstEdge: first, lastEdge: edgeOf(accepted) };
  }

  receive(deadline: Ticks): Character | undefined {
    this.#needPower();
    const until = Math.ceil(deadline + CHARACTER_ETU * this.etu()) + 1;
    while (this.#queue.length === 0 && this.chip.now < until) this.#run(until);
    const next = this.#queue[0];
    return next && next.at <= deadline ? this.#queue.shift() : undefined;
  }

  spoilNext(): void {
    this.#spoil = true;
  }

  idle(moment: Ticks): void {
    this.#needPower();
    while (this.chip.now < moment) this.#run(moment);
  }

  /** State of the port between exchanges. */
  save(): EmulatedPortState {
    return {
      line: this.line, queue: this.#queue.slice(), fresh: this.#fresh, cut: this.#cut,
      left: this.#left, cutDone: this.#cutDone, markFrom: this.#markFrom,
    };
  }

  /** Takes a state back; the chip must be restored to the same moment. */
  load(state: EmulatedPortState): void {
    this.line = state.line;
    this.#queue = state.queue.slice();
    this.#fresh = state.fresh;
    this.#cut = state.cut;
    this.#left = state.left;
    this.#cutDone = state.cutDone;
    this.#markFrom = state.markFrom;
    this.lost.length = 0;
  }

  #powerOn(): void {
    const { nvm = this.#left, policy } = this.#next;
    this.#next = {};
    const first = this.#fresh && this.chip.now === 0 && this.chip.powered;
    this.#probes = [];
    if (this.chip.powered && !first) this.#cut = undefined;
    if (!first || nvm || policy) this.chip.powerOn(nvm, policy);
    this.#fresh = false;
    this.#left = undefined;
    this.#cutDone = undefined;
    this.#markFrom = 0;
    this.lost.length = 0;
  }

  #forgetLine(): void {
    this.chip.link.cancel();
    this.chip.link.take();
    this.#queue = [];
    this.configure(RESET_LINE);
  }

  #needPower(): void {
    if (this.chip.powered && !this.#fresh) return;
    if (this.#cutDone !== undefined) throw this.#cutError(this.#cutDone);
    throw new DeviceError('CARD_LINK', { what: 'the card has no power', stillTrue: 'nothing has been sent', next: 'call open() first' });
  }

  #cutError(cycle: Ticks): DeviceError {
    return new DeviceError('CARD_POWER_CUT', { what: `power went at cycle ${cycle}`, cycle });
  }

  #runToSignal(until: Ticks): SignalEvent | undefined {
    while (this.chip.now < until && !this.#signal) this.#run(until);
    const signal = this.#signal;
    this.#signal = undefined;
    return this.line.errorSignal ? signal : undefined;
  }

  /** Runs the chip to `until`, the next thing on the line, or the loss of power. */
  #run(until: Ticks): void {
    const cut = this.#cut;
    const probe = this.#probes.at(this.#probed) ?? Infinity;
    const limit = Math.min(cut?.cycle ?? Infinity, until, probe);
    const run = this.chip.run(limit, { stopOnLink: true });
    this.#collect();
    if (run.reason !== 'limit' && run.reason !== 'link') throw this.#fault(run.reason);
    if (limit === probe && run.reason === 'limit') {
      this.#probed += 1;
      this.#see(probe);
    }
    if (cut && limit === cut.cycle && run.reason === 'limit') this.#cutPower(cut.cycle, cut.kind);
  }

  #cutPower(cycle: Ticks, kind: CutKind): never {
    this.#left = this.chip.powerCut(kind);
    this.#cut = undefined;
    this.#cutDone = cycle;
    throw this.#cutError(cycle);
  }

  #fault(reason: string): DeviceError {
    const { violations } = this.chip;
    const last = violations.length > 0 ? violations[violations.length - 1] : undefined;
    const why = last ? `; last violation ${last.code} at pc ${last.pc.toString(16)}: ${last.detail}` : '';
    return new DeviceError('CARD_FAULT', { what: `the chip stopped (${reason}) at cycle ${this.chip.now}${why}`, cycle: this.chip.now });
  }

  #collect(): void {
    if (this.chip.link.pending === 0) return;
    const events = this.chip.link.take();
    this.tape?.saw(events);
    for (const event of events) {
      if (event.kind === 'error-signal') this.#signal = event;
      else if (event.kind !== 'character') this.lost.push(event);
      else {
        const parityOk = event.parityOk && !this.#spoil;
        this.#spoil = false;
        if (!parityOk && this.line.errorSignal) this.#reject(event.ordinal);
        this.#queue.push({ byte: event.byte, parityOk, at: event.start });
      }
    }
  }

  /** Gives the error signal; a card that works as in T=1 does not listen for it any more. */
  #reject(ordinal: number): void {
    try {
      this.chip.link.reject(ordinal);
      this.tape?.act(this.chip.now, { kind: 'reject', ordinal });
    } catch (error) {
      if ((error as { code?: string }).code !== 'LINK_NO_SIGNAL') throw error;
    }
  }
}
