import type { Finding } from '../iso7816/findings.js';
import type { Direction, Ticks } from './port.js';

/** A moment of a channel's time: cycles where the channel counts them, ms since power-on or open. */
export interface Moment {
  readonly cycles?: number;
  readonly ms: number;
}

/** A character on the line. */
export interface CharacterEvent {
  readonly direction: Direction;
  /** Undefined while a secret (PIN) is on the line. */
  readonly byte: number | undefined;
  readonly parityOk: boolean;
  /** Leading edge, in ticks. */
  readonly at: Ticks;
}

/** What a run of characters is. */
export type BlockKind = 'ATR' | 'PPS' | 'T=0 header' | 'T=0 procedure' | 'T=0 data' | 'T=0 status' | 'T=1';

/** A block on the line: ATR, PPS, a part of a T=0 exchange, a T=1 block. */
export interface BlockEvent {
  readonly direction: Direction;
  readonly kind: BlockKind;
  /** Undefined while a secret (PIN) is on the line. */
  readonly bytes: Uint8Array | undefined;
  /** For people, for example `I(0,1) 32`, `R(1) EDC`, `S(WTX request)`. */
  readonly text: string;
  readonly valid: boolean;
  /** Leading edges of the first and last character, in ticks. */
  readonly from: Ticks;
  readonly to: Ticks;
}

/** A command and its answer as the caller sees them, secrets masked. */
export interface ApduEvent {
  readonly direction: Direction;
  /** Log line, `A>> T=1 (4+0000) 00A40400` or `A<< (0018+2) (12 ms) ... 9000`. */
  readonly line: string;
  readonly at: Moment;
}

/** Hooks into a channel; all are optional and called synchronously. */
export interface ChannelObserver {
  apdu?(event: ApduEvent): void;
  block?(event: BlockEvent): void;
  character?(event: CharacterEvent): void;
  finding?(finding: Finding): void;
  reset?(kind: 'cold' | 'warm' | 'off', at: Moment): void;
}
