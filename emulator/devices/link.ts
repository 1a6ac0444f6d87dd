import type { Cycles } from '../types.js';
import { ChipError } from './errors.js';
import { halfEtus, makeEtu, type Etu } from './etu.js';
import { decodeFrame, encodeFrame, sampleFrame } from './frame.js';

/** Something seen on the contact from the terminal's side; cycles are core cycles since power-on. */
export type LinkEvent =
  | CardCharacter
  /** The card gave the error signal for character `index` that the terminal sent. */
  | { readonly kind: 'error-signal'; readonly index: number; readonly start: Cycles; readonly end: Cycles }
  /** Character `index` of the terminal met the card's own sending (or a reception not yet over): it is lost. */
  | { readonly kind: 'collision'; readonly index: number; readonly start: Cycles }
  /** Character `index` met a UART that was not enabled: it is lost. */
  | { readonly kind: 'unheard'; readonly index: number; readonly start: Cycles };

/** A character the card has sent. */
export interface CardCharacter {
  readonly kind: 'character';
  /** Counts the card's characters from 0, repeats included. */
  readonly ordinal: number;
  /** As the terminal reads it, with its own etu and convention. */
  readonly byte: number;
  /** Parity, start and stop moment were right. */
  readonly parityOk: boolean;
  /** Leading edge. */
  readonly start: Cycles;
  /** 10 etu after the leading edge: reported from here; an error signal may follow until 10.5 etu. */
  readonly end: Cycles;
  /** 0, or the number of this repetition after error signals. */
  readonly repeat: number;
}

/** A character on its way to the card. */
export interface IncomingCharacter {
  readonly index: number;
  readonly start: Cycles;
  readonly levels: number;
  readonly etu: Etu;
}

/** Saved state of a {@link ContactLink}. */
export interface LinkState {
  readonly f: number;
  readonly d: number;
  readonly inverse: boolean;
  readonly sent: number;
  readonly ordinal: number;
  readonly busyUntil: Cycles;
  readonly decided: number;
  readonly queue: readonly IncomingCharacter[];
  readonly events: readonly LinkEvent[];
  readonly rejected: readonly number[];
  /** Contact clock as the terminal counts it, Hz. */
  readonly cardHz: number;
}

/** What a link needs to know of its chip. */
export interface LinkConfig {
  readonly coreHz: number;
  readonly cardHz: number;
  /** Current cycle. */
  readonly now: () => Cycles;
}

/** The terminal's side of the I/O contact: all in values and cycles, no timers. */
export class ContactLink {
  readonly #config: LinkConfig;
  #etu: Etu;
  #cardHz: number;
  #f = 372;
  #d = 1;
  #inverse = false;
  #sent = 0;
  #ordinal = 0;
  #decided = 0;
  #busyUntil = 0;
  #queue: IncomingCharacter[] = [];
  #events: LinkEvent[] = [];
  #rejected = new Set<number>();
  #onQueue: () => void = () => undefined;
  #onEvent: (event: LinkEvent) => void = () => undefined;

  /** A link at F = 372, D = 1, direct convention. */
  constructor(config: LinkConfig) {
    this.#config = config;
    this.#cardHz = config.cardHz;
    this.#etu = makeEtu(372, 1, config.coreHz, config.cardHz);
  }

  /** Contact clock by which the terminal makes its etu, Hz. */
  get cardHz(): number { return this.#cardHz; }
  /** The terminal's etu. */
  get etu(): Etu { return this.#etu; }
  /** Number of characters the card has sent, repeats included: the ordinal of the next one. */
  get cardCharacters(): number { return this.#ordinal; }
  /** First cycle at which the terminal's last queued character no longer occupies the line. */
  get busyUntil(): Cycles { return this.#busyUntil; }
  /** Events not yet taken. */
  get pending(): number { return this.#events.length; }
  /** Characters queued whose leading edge is still to come. */
  get queued(): number { return this.#queue.length; }

  /** Switches the terminal's etu to F/D for what it sends and reads from now on. @throws ChipError LINK_RANGE */
  setFD(f: number, d: number): void {
    if (!inRange(f, 1, 0xffff) || !inRange(d, 1, 0xff)) throw range(`F = ${f}, D = ${d}`);
    this.#f = f;
    this.#d = d;
    this.#etu = makeEtu(f, d, this.#config.coreHz, this.#cardHz);
  }

  /** The terminal's etu follows another contact clock from now on. @throws ChipError LINK_RANGE */
  setCardHz(hz: number): void {
    if (!inRange(hz, 1, 1e9)) throw range(`a clock of ${hz} Hz`);
    this.#cardHz = hz;
    this.setFD(this.#f, this.#d);
  }

  /** Switches the terminal's convention for what it sends and reads from now on. */
  setInverse(inverse: boolean): void {
    this.#inverse = inverse;
  }

  /** Cycles in `n` of the terminal's etu, rounded down; halves are allowed. */
  etus(n: number): Cycles {
    return halfEtus(this.#etu, Math.round(2 * n));
  }

  /**
   * Puts a character on the line with its leading edge at cycle `at`, now or later; returns its index, counted from 0.
   * Guard times are the caller's business. @throws ChipError LINK_PAST before the current cycle, LINK_OVERLAP within
   * 10 etu of the character before, LINK_RANGE for no byte
   */
  send(byte: number, at: Cycles, options: { readonly wrongParity?: boolean } = {}): number {
    if (!inRange(byte, 0, 0xff) || !Number.isSafeInteger(at)) throw range(`byte ${byte} at ${at}`);
    const now = this.#config.now();
    if (at < now) {
      throw new ChipError('LINK_PAST', `a character at cycle ${at}, but it is ${now}`, 'nothing was put on the line', 'send at a later cycle');
    }
    if (at < this.#busyUntil) {
      throw new ChipError('LINK_OVERLAP', `a character at cycle ${at}, but the one before lasts until ${this.#busyUntil}`,
        'nothing was put on the line', 'leave at least 10 etu between leading edges');
    }
    const index = this.#sent++;
    this.#queue.push({ index, start: at, levels: encodeFrame(byte, this.#inverse, options.wrongParity), etu: this.#etu });
    this.#busyUntil = at + halfEtus(this.#etu, 20);
    this.#onQueue();
    return index;
  }

  /** Takes back all characters whose leading edge is still to come; returns how many. */
  cancel(): number {
    const count = this.#queue.length;
    if (count === 0) return 0;
    this.#busyUntil = Math.min(this.#busyUntil, this.#queue[0].start);
    this.#queue = [];
    this.#onQueue();
    return count;
  }

  /**
   * Gives the error signal (T=0) for the card's character `ordinal`: in advance, or from its end until 10.5 etu
   * after its leading edge. @throws ChipError LINK_NO_SIGNAL when it is too late
   */
  reject(ordinal: number): void {
    if (ordinal < this.#decided) {
      throw new ChipError('LINK_NO_SIGNAL', `the moment for an error signal to character ${ordinal} has passed`,
        'the card took it as accepted', 'reject before 10.5 etu after the leading edge');
    }
    this.#rejected.add(ordinal);
  }

  /** Takes the events seen since the last call, oldest first. */
  take(): LinkEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Back to the state of a new link: nothing queued, seen or counted; F = 372, D = 1, direct convention. */
  reset(): void {
    this.restore({ f: 372, d: 1, inverse: false, sent: 0, ordinal: 0, busyUntil: 0, decided: 0, queue: [], events: [], rejected: [], cardHz: this.#config.cardHz });
  }

  /** Card side: whom to tell of new characters in the queue, and of events. */
  connect(onQueue: () => void, onEvent: (event: LinkEvent) => void): void {
    this.#onQueue = onQueue;
    this.#onEvent = onEvent;
  }

  /** Card side: leading edge of the next character, Infinity if none. */
  nextArrival(): Cycles {
    return this.#queue.length === 0 ? Infinity : this.#queue[0].start;
  }

  /** Card side: takes the next character off the queue. */
  arrive(): IncomingCharacter | undefined {
    return this.#queue.shift();
  }

  /** Card side: something happened. */
  report(event: LinkEvent): void {
    this.#events.push(event);
    this.#onEvent(event);
  }

  /** Card side: the card has sent the frame `levels`; returns its ordinal. */
  cardSent(levels: number, cardEtu: Etu, start: Cycles, end: Cycles, repeat: number): number {
    const seen = sampleFrame(levels, cardEtu, this.#etu);
    const { byte, parityOk } = decodeFrame(seen.levels, this.#inverse);
    const ordinal = this.#ordinal++;
    this.report({ kind: 'character', ordinal, byte, parityOk: parityOk && seen.framed, start, end, repeat });
    return ordinal;
  }

  /** Card side, at 10.5 etu: the terminal gives an error signal for `ordinal`. */
  errorFor(ordinal: number): boolean {
    this.#decided = ordinal + 1;
    return this.#rejected.delete(ordinal);
  }

  /** A deep copy of the state. */
  snapshot(): LinkState {
    return {
      f: this.#f, d: this.#d, inverse: this.#inverse, sent: this.#sent, ordinal: this.#ordinal, busyUntil: this.#busyUntil,
      decided: this.#decided, queue: this.#queue.slice(), events: this.#events.slice(), rejected: [...this.#rejected], cardHz: this.#cardHz,
    };
  }

  /** Takes a saved state back. */
  restore(state: LinkState): void {
    this.#cardHz = state.cardHz;
    this.setFD(state.f, state.d);
    this.#inverse = state.inverse;
    this.#sent = state.sent;
    this.#ordinal = state.ordinal;
    this.#busyUntil = state.busyUntil;
    this.#decided = state.decided;
    this.#queue = state.queue.slice();
    this.#events = state.events.slice();
    this.#rejected = new Set(state.rejected);
  }
}

function inRange(value: number, low: number, high: number): boolean {
  return Number.isInteger(value) && value >= low && value <= high;
}

function range(what: string): ChipError {
  return new ChipError('LINK_RANGE', `${what} is out of range`, 'the link is unchanged', 'give whole numbers within the register widths');
}
