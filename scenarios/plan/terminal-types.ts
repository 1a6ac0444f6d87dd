import type { RoomChoice } from '../conditions/room.js';
import type { Trigger } from '../conditions/triggers.js';
import type { EndCause } from '../machines/types.js';
import type { Ref } from './script.js';
import type { PlanPoint } from './types.js';

/** What a trigger starts: automatic backup by the conditions, recovery of what becomes valid tomorrow, or of everything. */
export type TerminalAct = 'backup' | 'recover-tomorrow' | 'recover';

/** A rule of the terminal 160. */
export interface TerminalRule {
  readonly trigger: Trigger;
  readonly does: TerminalAct;
}

/** Something that happens at a minute of virtual time. Plain data. */
export interface TerminalEvent {
  readonly minute: number;
  readonly signal?: number;
  readonly battery?: number;
  /** The user asks for the extraction. */
  readonly asks?: true;
  /** A new item arrives under a name. */
  readonly load?: { readonly as: Ref; readonly sample: string };
  /** The user wants a backed-up item back. */
  readonly recover?: Ref;
  /** The user uses an item up and deletes it. */
  readonly discard?: Ref;
  /** The user plans to need so many bytes on a day, `YYYY-MM-DD`. */
  readonly plans?: { readonly date: string; readonly bytes: number };
  /** The safe can no longer be reached, or again. */
  readonly safe?: 'gone' | 'back';
}

/** What a terminal with rules lives through; virtual time, nobody sleeps. Plain data. */
export interface TerminalRun {
  /** Date and minute of the day at which it is switched on; reception and battery then. */
  readonly start: { readonly date: string; readonly timeOfDay: number; readonly signal: number; readonly battery: number };
  readonly rules: readonly TerminalRule[];
  readonly events: readonly TerminalEvent[];
  /** Minutes it lives. */
  readonly until: number;
  /** What the user does when room is short. */
  readonly choice: RoomChoice;
  /** What is selected by hand. */
  readonly byHand?: readonly Ref[];
  /** Pages left free on the card before the first minute. */
  readonly leave?: number;
}

/** What must have come of it. */
export interface TerminalExpectation {
  /** Everything that was started, in order, and how it ended. */
  readonly started: readonly { readonly minute: number; readonly does: TerminalAct; readonly end: EndCause }[];
  /** How items that needed room ended, in order; default none. */
  readonly room?: readonly ('done' | 'suspended')[];
  /** How often a shortage was shown; default never. */
  readonly shown?: number;
}

/** A point about the terminal 160; its `run` is empty, what happens is in `terminal`. */
export interface TerminalPoint extends PlanPoint {
  readonly terminal: TerminalRun;
  readonly lives: TerminalExpectation;
}
