import type { Atr } from '../iso7816/atr.js';
import type { Command } from '../iso7816/apdu.js';
import type { Finding } from '../iso7816/findings.js';
import type { ChannelObserver, Moment } from './observer.js';

/** A transmission protocol of ISO/IEC 7816-3. */
export type Protocol = 'T=0' | 'T=1';

/** What `open` and `reset` have found and settled. */
export interface CardSession {
  readonly atr: Atr;
  readonly protocol: Protocol;
  /** Rates in use: etu = F/D contact clock cycles. */
  readonly F: number;
  readonly D: number;
  /** When RST rose and when the first command could be sent. */
  readonly startedAt: Moment;
  readonly endedAt: Moment;
  /** What the card (or line) did outside the rules on the way. */
  readonly findings: readonly Finding[];
}

/** The answer to a command. */
export interface Reply {
  readonly data: Uint8Array;
  /** SW1 SW2, for example 0x9000. */
  readonly sw: number;
  /** Before the first character of the command, after the last one of the answer. */
  readonly startedAt: Moment;
  readonly endedAt: Moment;
  /** What the card (or line) did outside the rules, repaired or not. */
  readonly findings: readonly Finding[];
}

/** A step mark of the card's trace port (docs/chip.md, TRACE): only emulated cards give them. */
export interface CardMark {
  readonly embodiment: number;
  /** Step id, for example `1-15`. */
  readonly step: string;
  readonly outcome: 'done' | 'refused';
  /** Cycle at which it was written. */
  readonly cycle: number;
}

/**
 * A card behind any device: emulated, serial line, reader. One exchange at a time.
 *
 * Methods reject with `DeviceError`; `CHANNEL_CLOSED` before `open`, `CHANNEL_BUSY` during an exchange.
 */
export interface CardChannel {
  /** For people: which card on which device. */
  readonly name: string;
  /** The present session; undefined when the channel is not open. */
  readonly session: CardSession | undefined;
  /** Present time of the channel. */
  now(): Moment;
  /** Powers the card, reads the ATR, settles protocol and rates. */
  open(): Promise<CardSession>;
  /**
   * Sends a command, chained where it is longer than 255 bytes, and fetches the whole answer.
   * Rejects with CARD_SILENT, CARD_LATE, CARD_PROTOCOL, CARD_LINK, CARD_REMOVED, CARD_POWER_CUT,
   * CARD_FAULT, COMMAND_FORMAT.
   */
  transmit(command: Command): Promise<Reply>;
  /** Resets the card and settles protocol and rates anew. */
  reset(kind: 'cold' | 'warm'): Promise<CardSession>;
  /** Deactivates the card. */
  close(): Promise<void>;
  /** Adds hooks; returns a function that removes them. */
  observe(observer: ChannelObserver): () => void;
  /** Step marks since the last command began; empty where the card cannot give them. */
  marks(): readonly CardMark[];
}
