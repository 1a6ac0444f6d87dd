import type { CardCommand } from '../codec/index.js';
import type { StepMark } from '../../scenarios/index.js';

/** A command's answer with its times in core clock cycles of the current power session. */
export interface LineAnswer {
  readonly data: Uint8Array;
  /** SW1 SW2 as one number. */
  readonly sw: number;
  readonly startedAt: number;
  readonly endedAt: number;
}

/**
 * What the terminal needs of a card channel: commands in, answers and step marks out. Rejects with DeviceError
 * (coded) when there is no answer.
 */
export interface CardLine {
  readonly protocol: 'T=0' | 'T=1';
  /** True when STEP marks of the card reach the bench. */
  readonly hasTrace: boolean;
  /** Sends a command, chained where it is long, and fetches the whole answer. `secret`: its data must not be recorded. */
  transmit(command: Pick<CardCommand, 'cla' | 'ins' | 'p1' | 'p2' | 'data'>, secret?: boolean): Promise<LineAnswer>;
  /** Sends one command APDU as it is: no chaining, no GET RESPONSE. */
  transmitRaw(apdu: Uint8Array): Promise<LineAnswer>;
  /** Resets the card and brings the link up again. */
  reset(kind: 'cold' | 'warm'): Promise<void>;
  /** The step marks written since the last call. */
  takeMarks(): readonly StepMark[];
  /** Present virtual time in cycles of the power session. */
  now(): number;
}
