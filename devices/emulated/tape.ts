import type { Chip, LinkEvent } from '../../emulator/index.js';
import type { Ticks } from '../channel/port.js';

/** Something the terminal does. */
export type TapeAction =
  | { readonly kind: 'send'; readonly byte: number; readonly edge: Ticks; readonly wrongParity: boolean }
  | { readonly kind: 'line'; readonly f: number; readonly d: number; readonly inverse: boolean }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'reject'; readonly ordinal: number };

/** What the terminal did at a cycle of a power session, when so many events had come from the link. */
export interface TimedAction {
  readonly at: Ticks;
  readonly seen: number;
  readonly action: TapeAction;
}

/**
 * One power session as the contacts saw it, from its cold reset: what the terminal did, what the card gave back, and
 * where it ended. A card that gives back the same meets a terminal that does the same.
 */
export interface LinkTape {
  readonly actions: readonly TimedAction[];
  readonly events: readonly LinkEvent[];
  /** Cycle at which the session stood. */
  readonly end: Ticks;
}

/** A tape while it is recorded. */
export class TapeRecorder {
  readonly #actions: TimedAction[] = [];
  readonly #events: LinkEvent[] = [];

  /** Notes what the terminal does at a cycle. */
  act(at: Ticks, action: TapeAction): void {
    this.#actions.push({ at, seen: this.#events.length, action });
  }

  /** Notes what came back. */
  saw(events: readonly LinkEvent[]): void {
    this.#events.push(...events);
  }

  /** The tape up to cycle `end`. */
  tape(end: Ticks): LinkTape {
    return { actions: [...this.#actions], events: [...this.#events], end };
  }
}

function carryOut(chip: Chip, action: TapeAction): void {
  const { link } = chip;
  switch (action.kind) {
    case 'send':
      link.send(action.byte, action.edge, { wrongParity: action.wrongParity });
      break;
    case 'line':
      link.setFD(action.f, action.d);
      link.setInverse(action.inverse);
      break;
    case 'cancel':
      link.cancel();
      break;
    case 'reject':
      link.reject(action.ordinal);
  }
}

function sameEvent(a: LinkEvent, b: LinkEvent): boolean {
  if (a.kind !== b.kind || a.start !== b.start) return false;
  if (a.kind !== 'character' || b.kind !== 'character') return JSON.stringify(a) === JSON.stringify(b);
  return a.byte === b.byte && a.end === b.end && a.parityOk === b.parityOk && a.ordinal === b.ordinal && a.repeat === b.repeat;
}

/** How far a tape has been played. */
export interface TapePosition {
  /** Actions carried out. */
  readonly actions: number;
  /** Events that have come from the link. */
  readonly seen: number;
}

/**
 * Plays a tape to a chip, event by event. As long as the card gives back exactly what is on the tape, at the same cycles,
 * the session goes as it would have gone with the terminal.
 */
export class TapePlayer {
  readonly #chip: Chip;
  readonly #tape: LinkTape;
  #actions: number;
  #seen: number;

  /** A powered chip at the tape's beginning, or at a position of it. */
  constructor(chip: Chip, tape: LinkTape, from: TapePosition = { actions: 0, seen: 0 }) {
    this.#chip = chip;
    this.#tape = tape;
    this.#actions = from.actions;
    this.#seen = from.seen;
  }

  /** Where the tape is. */
  get position(): TapePosition {
    return { actions: this.#actions, seen: this.#seen };
  }

  /**
   * Plays to the tape's end, or up to cycle `until` if that is earlier: every instruction that starts before it. False as
   * soon as the chip does anything else than on the tape; its state then means nothing.
   */
  play(until = Infinity): boolean {
    const { actions, events, end } = this.#tape;
    for (; this.#actions < actions.length; this.#actions += 1) {
      const { at, seen, action } = actions[this.#actions];
      if (at >= until) return this.#run(until);
      if (!this.#advance(at, seen)) return false;
      carryOut(this.#chip, action);
    }
    return until < end ? this.#run(until) : this.#advance(end, events.length);
  }

  /** Runs to a cycle, with the events of that very cycle that had been seen then. */
  #advance(at: Ticks, seen: number): boolean {
    const chip = this.#chip;
    while (chip.now < at || this.#seen < seen) if (!this.#step(chip.now < at ? at : at + 1) || chip.now > at) return false;
    return chip.now === at && this.#seen === seen;
  }

  #run(until: Ticks): boolean {
    while (this.#chip.now < until) if (!this.#step(until)) return false;
    return true;
  }

  #step(limit: Ticks): boolean {
    const { reason } = this.#chip.run(limit, { stopOnLink: true });
    return (reason === 'limit' || reason === 'link') && this.#compare();
  }

  #compare(): boolean {
    if (this.#chip.link.pending === 0) return true;
    return this.#chip.link.take().every((event) => {
      const expected = this.#tape.events.at(this.#seen);
      this.#seen += 1;
      return expected !== undefined && sameEvent(event, expected);
    });
  }
}
