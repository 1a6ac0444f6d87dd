import type { Eventually } from './steps.js';

/**
 * A moment or duration on a port's own time line: core clock cycles on an emulated card,
 * milliseconds on a real one (see {@link PortClock}).
 */
export type Ticks = number;

/** Direct or inverse convention, as TS (3B, 3F) says (ISO/IEC 7816-3, 8.1). */
export type Convention = 'direct' | 'inverse';

/** Which way a character goes. */
export type Direction = 'to-card' | 'from-card';

/** The time line of a port. */
export interface PortClock {
  /** What one tick is. */
  readonly unit: 'cycle' | 'ms';
  /** Ticks in a millisecond. */
  readonly perMs: number;
  /** Largest error of a time stamp, in ticks: 0 on an emulated card. */
  readonly uncertainty: Ticks;
}

/** How characters are coded and how fast (ISO/IEC 7816-3, 7.2 and 7.3). */
export interface LineSettings {
  /** Clock rate conversion integer; etu = F/D contact clock cycles. */
  readonly F: number;
  /** Baud rate adjustment integer. */
  readonly D: number;
  readonly convention: Convention;
  /** True: error signal and repeat as in T=0; false: as in T=1. */
  readonly errorSignal: boolean;
}

/** The settings every card starts with after reset. */
export const RESET_LINE: LineSettings = { F: 372, D: 1, convention: 'direct', errorSignal: false };

/** A character as received from the card. */
export interface Character {
  /** Value in the convention of the line settings. */
  readonly byte: number;
  readonly parityOk: boolean;
  /** Its leading edge, in ticks. */
  readonly at: Ticks;
}

/** How a run of characters is to be sent. */
export interface SendOptions {
  /** etu between the leading edges of two characters. */
  readonly guardEtu: number;
  /** Earliest leading edge of the first one, in ticks. */
  readonly notBefore?: Ticks;
  /** Indices (from 0) of characters to be sent with wrong parity. */
  readonly badParity?: readonly number[];
}

/** What became of a run of characters. */
export interface SendOutcome {
  /** Characters that went out and drew no error signal. */
  readonly accepted: number;
  /** The character after those drew the card's error signal; the rest was not sent. */
  readonly signalled: boolean;
  /** Leading edge of the first and of the last character sent, in ticks. */
  readonly firstEdge: Ticks;
  readonly lastEdge: Ticks;
}

/** What a port can and cannot do. */
export interface PortFeatures {
  /** It shows wrong parity, and can send it. */
  readonly parity: boolean;
  /** It sees and gives the T=0 error signal. */
  readonly errorSignal: boolean;
  readonly warmReset: boolean;
  /** Power can be switched. */
  readonly power: boolean;
}

/**
 * The character-level port of a card, emulated or real. Time belongs to the port: nothing passes
 * but by its methods (emulated), or on the wall clock (real).
 *
 * Methods throw or reject with `DeviceError`: CARD_REMOVED, CARD_LINK, CARD_POWER_CUT, CARD_FAULT,
 * DEVICE_UNSUPPORTED.
 */
export interface BytePort {
  /** For people: which card on which device. */
  readonly name: string;
  readonly clock: PortClock;
  readonly features: PortFeatures;
  /** Contact clock (CLK) in Hz. */
  readonly cardHz: number;
  readonly line: LineSettings;
  /** Length of one etu at the present settings, in ticks; need not be whole. */
  etu(): Ticks;
  now(): Ticks;
  /** Changes line settings from the next character on. */
  configure(change: Partial<LineSettings>): Eventually<void>;
  /**
   * Cold: power and clock on (off first if they were on), RST high. Warm: RST low and high again.
   * Line settings return to {@link RESET_LINE}, characters not yet read are lost.
   * Resolves with the moment RST rose, in ticks.
   */
  reset(kind: 'cold' | 'warm'): Eventually<Ticks>;
  /** Deactivates the contacts. */
  powerOff(): Eventually<void>;
  /** Sends characters; stops at the first that draws an error signal. */
  send(bytes: Uint8Array, options: SendOptions): Eventually<SendOutcome>;
  /**
   * The next character whose leading edge is not after `deadline` (ticks); undefined when there is
   * none, and then `now()` is at or after `deadline`. A deadline 10 etu or more before now asks for
   * what has already arrived and lets no time pass. With the error signal on, a character of wrong
   * parity is returned (it has drawn the error signal), and its repeat is a character of its own.
   */
  receive(deadline: Ticks): Eventually<Character | undefined>;
  /**
   * The next character of the card is taken as one of wrong parity, with the error signal if that is on:
   * a disturbance for tests. Absent on ports that cannot do it.
   */
  spoilNext?(): void;
  /** Lets time pass until `moment` (ticks); characters that arrive are kept for `receive`. */
  idle(moment: Ticks): Eventually<void>;
}
