import { wait, drive } from './steps.js';
import type { Eventually, Steps } from './steps.js';
import type { BytePort, Character, Direction, LineSettings, PortClock, PortFeatures, SendOptions, SendOutcome, Ticks } from './port.js';

/** What is done to a character or block. */
export type LinkFaultAction = 'alter' | 'parity' | 'drop' | 'duplicate' | 'delay';

/**
 * One disturbance of the line. Characters are counted one by one in their direction, repeats included.
 * A block to the card is one run of characters the terminal sends (a T=1 block; header or data of T=0);
 * a block from the card is what it sends between two of those. A doubled block is seen again in place of
 * the next one in its direction, which is lost; a doubled character comes twice.
 */
export interface LinkFault {
  readonly direction: Direction;
  readonly unit: 'character' | 'block';
  /** Which one, from 1, counted since the plan was armed. */
  readonly nth: number;
  readonly action: LinkFaultAction;
  /** Bits that `alter` inverts; default one bit chosen by the seed. */
  readonly mask?: number;
  /** Character of a block that `alter` and `parity` touch, from 0; default 0. */
  readonly index?: number;
  /** etu by which `delay` puts off; default 100. */
  readonly etu?: number;
}

/** Proof that a fault has fired. */
export interface FiredFault {
  readonly fault: LinkFault;
  /** When, in ticks of the port. */
  readonly at: Ticks;
  /** What happened to which character; bytes are not shown. */
  readonly detail: string;
}

interface Counters {
  readonly characters: number;
  readonly blocks: number;
}

/** Saved state of a {@link DisturbedPort}: plain data. */
export interface DisturbedState {
  readonly armed: readonly LinkFault[];
  readonly fired: readonly FiredFault[];
  readonly random: number;
  readonly counters: Readonly<Record<Direction, Counters>>;
  readonly pending: readonly Character[];
  readonly shift: Ticks;
  readonly newBlock: boolean;
  readonly inBlock: number;
  readonly swallow: boolean;
  readonly recorded: readonly number[];
  readonly recording: boolean;
  readonly replayIn: readonly number[];
  readonly replayOut: readonly number[];
}

/** A character to be sent, after disturbance. */
interface OutItem {
  readonly byte: number;
  readonly bad: boolean;
  /** Index in what the terminal meant to send. */
  readonly source: number;
  /** etu waited before it, beyond the guard time. */
  readonly delayEtu: number;
}

const GUARD_ETU = 12;
const DEFAULT_DELAY_ETU = 100;

/** Output function of the mulberry32 generator: 32 well-mixed bits of a counter. */
function mix(counter: number): number {
  let t = Math.imul(counter ^ (counter >>> 15), counter | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return (t ^ (t >>> 14)) >>> 0;
}

function initialState(faults: readonly LinkFault[], seed: number): DisturbedState {
  const zero = { characters: 0, blocks: 0 };
  return {
    armed: faults, fired: [], random: seed >>> 0, counters: { 'to-card': zero, 'from-card': zero }, pending: [], shift: 0,
    newBlock: true, inBlock: 0, swallow: false, recorded: [], recording: false, replayIn: [], replayOut: [],
  };
}

/** A port that disturbs the characters of another one by a plan; without a plan it changes nothing. */
export class DisturbedPort implements BytePort {
  readonly #inner: BytePort;
  readonly #seed: number;
  #s: DisturbedState;

  constructor(inner: BytePort, faults: readonly LinkFault[], seed = 1) {
    this.#inner = inner;
    this.#seed = seed;
    this.#s = initialState(faults, seed);
  }

  get name(): string { return this.#inner.name; }
  get clock(): PortClock { return this.#inner.clock; }
  get features(): PortFeatures { return this.#inner.features; }
  get cardHz(): number { return this.#inner.cardHz; }
  get line(): LineSettings { return this.#inner.line; }

  /** Faults that have fired, in order. */
  get fired(): readonly FiredFault[] { return this.#s.fired; }

  /** Replaces the plan; counting starts anew, and the record of what fired is cleared. */
  arm(faults: readonly LinkFault[]): void {
    this.#s = { ...initialState(faults, this.#seed), newBlock: this.#s.newBlock };
  }

  /** State for a snapshot. */
  save(): DisturbedState { return this.#s; }

  /** Takes a state back. */
  load(state: DisturbedState): void { this.#s = state; }

  etu(): Ticks { return this.#inner.etu(); }
  now(): Ticks { return this.#inner.now(); }
  configure(change: Partial<LineSettings>): Eventually<void> { return this.#inner.configure(change); }
  powerOff(): Eventually<void> { return this.#inner.powerOff(); }
  idle(moment: Ticks): Eventually<void> { return this.#inner.idle(moment); }

  reset(kind: 'cold' | 'warm'): Eventually<Ticks> {
    this.#set({ pending: [], shift: 0, newBlock: true, inBlock: 0, swallow: false, recording: false, replayIn: [], replayOut: [] });
    return this.#inner.reset(kind);
  }

  send(bytes: Uint8Array, options: SendOptions): Eventually<SendOutcome> {
    if (!this.#armed('to-card')) {
      this.#startCardBlock();
      return this.#inner.send(bytes, options);
    }
    return drive(this.#send(bytes, options));
  }

  receive(deadline: Ticks): Eventually<Character | undefined> {
    return this.#armed('from-card') ? drive(this.#receive(deadline)) : this.#inner.receive(deadline);
  }

  #armed(direction: Direction): boolean {
    const { armed, pending, shift, replayIn, replayOut, swallow, recording } = this.#s;
    if (armed.some((fault) => fault.direction === direction)) return true;
    return direction === 'from-card' ? pending.length + replayIn.length + shift > 0 || swallow || recording : replayOut.length > 0;
  }

  #set(change: Partial<DisturbedState>): void {
    this.#s = { ...this.#s, ...change };
  }

  #startCardBlock(): void {
    const { recording, recorded, replayIn } = this.#s;
    const again = recording ? recorded : replayIn;
    this.#set({ newBlock: true, swallow: false, shift: 0, recording: false, recorded: [], replayIn: again });
  }

  #count(direction: Direction, unit: 'characters' | 'blocks'): number {
    const old = this.#s.counters[direction];
    const n = old[unit] + 1;
    this.#set({ counters: { ...this.#s.counters, [direction]: { ...old, [unit]: n } } });
    return n;
  }

  /** Faults of the plan that are due (and `fits`); each fires once and is recorded. */
  #due(direction: Direction, unit: 'character' | 'block', nth: number, fits: (f: LinkFault) => boolean = () => true): LinkFault[] {
    if (this.#s.armed.length === 0) return [];
    const due = this.#s.armed.filter((f) => f.direction === direction && f.unit === unit && f.nth === nth && fits(f));
    if (due.length === 0) return due;
    const at = this.#inner.now();
    const fired = due.map((fault) => ({ fault, at, detail: `${fault.action} ${unit} ${nth} ${direction}` }));
    this.#set({ armed: this.#s.armed.filter((f) => !due.includes(f)), fired: [...this.#s.fired, ...fired] });
    return due;
  }

  #mask(fault: LinkFault): number {
    if (fault.mask !== undefined) return fault.mask & 0xff;
    const random = (this.#s.random + 0x6d2b79f5) >>> 0;
    this.#set({ random });
    return 1 << (mix(random) >>> 29);
  }

  *#send(bytes: Uint8Array, options: SendOptions): Steps<SendOutcome> {
    this.#startCardBlock();
    const replay = this.#s.replayOut;
    if (replay.length > 0) {
      this.#set({ replayOut: [] });
      const outcome = yield* wait(this.#inner.send(Uint8Array.from(replay), options));
      return outcome.signalled ? { ...outcome, accepted: Math.min(outcome.accepted, bytes.length - 1) } : { ...outcome, accepted: bytes.length };
    }
    const faults = this.#due('to-card', 'block', this.#count('to-card', 'blocks'));
    if (faults.some((f) => f.action === 'duplicate')) this.#set({ replayOut: [...bytes] });
    const late = faults.filter((f) => f.action === 'delay').reduce((sum, f) => sum + (f.etu ?? DEFAULT_DELAY_ETU), 0);
    const notBefore = Math.ceil(Math.max(this.#inner.now(), options.notBefore ?? 0) + late * this.#inner.etu());
    if (faults.some((f) => f.action === 'drop')) return yield* this.#sendItems([], 0, bytes.length, { ...options, notBefore });
    return yield* this.#sendPlanned(bytes, { ...options, notBefore }, faults);
  }

  /** Where the error signal may stop the run, characters are planned and sent one by one. */
  *#sendPlanned(bytes: Uint8Array, options: SendOptions & { readonly notBefore: Ticks }, faults: readonly LinkFault[]): Steps<SendOutcome> {
    const step = this.#inner.line.errorSignal ? 1 : Math.max(1, bytes.length);
    let { notBefore } = options;
    let firstEdge: Ticks | undefined;
    for (let at = 0; ; at += step) {
      const end = Math.min(bytes.length, at + step);
      const items = this.#plan(bytes, at, end, options, faults);
      const outcome = yield* this.#sendItems(items, at, end, { ...options, notBefore });
      firstEdge ??= outcome.firstEdge;
      if (outcome.signalled || end === bytes.length) return { ...outcome, firstEdge };
      notBefore = Math.ceil(outcome.lastEdge + options.guardEtu * this.#inner.etu());
    }
  }

  #plan(bytes: Uint8Array, from: number, end: number, options: SendOptions, blockFaults: readonly LinkFault[]): OutItem[] {
    const items: OutItem[] = [];
    let delayEtu = 0;
    for (let source = from; source < end; source++) {
      const touching = blockFaults.filter((f) => (f.action === 'alter' || f.action === 'parity') && (f.index ?? 0) === source);
      const faults = [...touching, ...this.#due('to-card', 'character', this.#count('to-card', 'characters'))];
      let byte = bytes[source];
      let bad = options.badParity?.includes(source) ?? false;
      for (const fault of faults) {
        if (fault.action === 'alter') byte ^= this.#mask(fault);
        if (fault.action === 'parity') bad = true;
        if (fault.action === 'delay') delayEtu += fault.etu ?? DEFAULT_DELAY_ETU;
      }
      if (faults.some((f) => f.action === 'drop')) {
        delayEtu += options.guardEtu;
        continue;
      }
      items.push({ byte, bad, source, delayEtu });
      delayEtu = 0;
      if (faults.some((f) => f.action === 'duplicate')) items.push({ byte, bad, source, delayEtu: 0 });
    }
    return items;
  }

  /** Sends characters `from` to `to` in runs without a pause; what was dropped passes as time. */
  *#sendItems(items: readonly OutItem[], from: number, to: number, options: SendOptions & { readonly notBefore: Ticks }): Steps<SendOutcome> {
    const etu = this.#inner.etu();
    const { guardEtu, notBefore: first } = options;
    const end = Math.ceil(first + (to - from - 1) * guardEtu * etu);
    let edge = first - guardEtu * etu;
    let firstEdge: Ticks | undefined;
    for (let at = 0; at < items.length;) {
      const notBefore = Math.ceil(edge + (guardEtu + items[at].delayEtu) * etu);
      let stop = at + 1;
      while (stop < items.length && items[stop].delayEtu === 0) stop++;
      const run = items.slice(at, stop);
      const badParity = run.flatMap((item, i) => (item.bad ? [i] : []));
      const bytes = Uint8Array.from(run, (item) => item.byte);
      const outcome = yield* wait(this.#inner.send(bytes, { guardEtu, notBefore, badParity }));
      firstEdge ??= outcome.firstEdge;
      edge = outcome.lastEdge;
      if (outcome.signalled) return { ...outcome, firstEdge, accepted: run[outcome.accepted].source };
      at = stop;
    }
    if (edge < end) yield* wait(this.#inner.idle(Math.ceil(end + 10 * etu)));
    return { accepted: to, signalled: false, firstEdge: firstEdge ?? first, lastEdge: Math.max(edge, end) };
  }

  *#receive(deadline: Ticks): Steps<Character | undefined> {
    for (;;) {
      const next = this.#s.pending[0];
      if (next) {
        if (next.at > deadline) {
          if (deadline > this.#inner.now()) yield* wait(this.#inner.idle(deadline));
          return undefined;
        }
        this.#set({ pending: this.#s.pending.slice(1) });
        if (next.at > this.#inner.now()) yield* wait(this.#inner.idle(next.at));
        return next;
      }
      if (this.#spoils()) this.#inner.spoilNext?.();
      const character = yield* wait(this.#inner.receive(deadline - this.#s.shift));
      if (!character) return undefined;
      this.#disturb(character);
    }
  }

  /** The next character of the card is to have wrong parity: the port must know beforehand. */
  #spoils(): boolean {
    const { armed, counters, newBlock, inBlock } = this.#s;
    const { characters, blocks } = counters['from-card'];
    return armed.some((f) => f.direction === 'from-card' && f.action === 'parity' && (f.unit === 'character'
      ? f.nth === characters + 1
      : f.nth === blocks + (newBlock ? 1 : 0) && (f.index ?? 0) === (newBlock ? 0 : inBlock)));
  }

  /** Puts what becomes of a character of the card into `pending`. */
  #disturb(character: Character): void {
    if (this.#s.newBlock) this.#beginBlock(character);
    if (this.#s.swallow) return;
    const at = character.at + this.#s.shift;
    if (this.#s.recording) this.#set({ recorded: [...this.#s.recorded, character.byte] });
    const index = this.#s.inBlock;
    this.#set({ inBlock: index + 1 });
    const faults = [...this.#blockFaultsAt(index), ...this.#due('from-card', 'character', this.#count('from-card', 'characters'))];
    let out: Character[] = [{ ...character, at }];
    for (const fault of faults) out = this.#apply(fault, out);
    this.#set({ pending: [...this.#s.pending, ...out] });
  }

  #apply(fault: LinkFault, out: Character[]): Character[] {
    const etu = this.#inner.etu();
    switch (fault.action) {
      case 'alter': {
        const mask = this.#mask(fault);
        return out.map((c) => ({ ...c, byte: c.byte ^ mask }));
      }
      case 'parity': return out.map((c) => ({ ...c, parityOk: false }));
      case 'drop': return [];
      case 'duplicate': {
        const more = Math.ceil(GUARD_ETU * etu);
        this.#set({ shift: this.#s.shift + more });
        return out.flatMap((c) => [c, { ...c, at: c.at + more }]);
      }
      case 'delay': {
        const more = Math.ceil((fault.etu ?? DEFAULT_DELAY_ETU) * etu);
        this.#set({ shift: this.#s.shift + more });
        return out.map((c) => ({ ...c, at: c.at + more }));
      }
    }
  }

  /** Faults of the running block that touch its character `index`; they fire when it comes. */
  #blockFaultsAt(index: number): LinkFault[] {
    const nth = this.#s.counters['from-card'].blocks;
    return this.#due('from-card', 'block', nth, (f) => (f.index ?? 0) === index);
  }

  #beginBlock(character: Character): void {
    this.#set({ newBlock: false, inBlock: 0, recording: false });
    const nth = this.#count('from-card', 'blocks');
    const { replayIn } = this.#s;
    if (replayIn.length > 0) {
      const gap = GUARD_ETU * this.#inner.etu();
      const again = replayIn.map((byte, i) => ({ byte, parityOk: true, at: Math.floor(character.at + i * gap) }));
      this.#set({ swallow: true, replayIn: [], pending: [...this.#s.pending, ...again] });
      return;
    }
    const whole = (f: LinkFault): boolean => f.action === 'drop' || f.action === 'duplicate';
    for (const fault of this.#due('from-card', 'block', nth, whole)) {
      if (fault.action === 'drop') this.#set({ swallow: true });
      if (fault.action === 'duplicate') this.#set({ recording: true });
    }
  }
}
