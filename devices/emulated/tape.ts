import type { Chip, LinkEvent, NvmState, WeakPolicy } from '../../emulator/index.js';
import type { Ticks } from '../channel/port.js';

/** Something the terminal did in a power session, at a cycle of it. */
export type TapeAction =
  | { readonly at: Ticks; readonly kind: 'send'; readonly byte: number; readonly edge: Ticks; readonly wrongParity: boolean }
  | { readonly at: Ticks; readonly kind: 'line'; readonly f: number; readonly d: number; readonly inverse: boolean }
  | { readonly at: Ticks; readonly kind: 'cancel' }
  | { readonly at: Ticks; readonly kind: 'reject'; readonly ordinal: number };

/**
 * One power session as the contacts saw it, from its cold reset: what the terminal did, what the card gave back, and
 * where it ended. A card that gives back the same meets a terminal that does the same.
 */
export interface LinkTape {
  readonly actions: readonly TapeAction[];
  readonly events: readonly LinkEvent[];
  /** Cycle at which the session stood. */
  readonly end: Ticks;
}

/** A tape while it is recorded. */
export class TapeRecorder {
  readonly #actions: TapeAction[] = [];
  readonly #events: LinkEvent[] = [];

  /** Notes what the terminal does. */
  act(action: TapeAction): void {
    this.#actions.push(action);
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

/** Plays actions up to `end`; false as soon as the chip stands elsewhere or has stopped. */
function play(chip: Chip, tape: LinkTape): boolean {
  for (const action of tape.actions) {
    if (chip.now < action.at && chip.run(action.at).reason !== 'limit') return false;
    if (chip.now !== action.at) return false;
    carryOut(chip, action);
  }
  return (chip.now >= tape.end || chip.run(tape.end).reason === 'limit') && chip.now === tape.end;
}

/**
 * Powers a chip on with `nvm` and plays a tape to it. True when the card gave back exactly what is on the tape, at the
 * same cycles: then the session went as it would have gone with the terminal, and the chip stands at the tape's end.
 * False: the chip's state means nothing. `begun` is called after power-on.
 */
export function playTape(chip: Chip, nvm: NvmState, policy: WeakPolicy, tape: LinkTape, begun: () => void): boolean {
  if (chip.powered) chip.powerCut();
  chip.powerOn(nvm, policy);
  begun();
  if (!play(chip, tape)) return false;
  const events = chip.link.take();
  return events.length === tape.events.length && events.every((event, i) => sameEvent(event, tape.events[i]));
}
