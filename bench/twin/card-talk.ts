import type { Outcome, StepMark } from '../../scenarios/index.js';
import { CodecError, toHex } from '../codec/index.js';
import type { ChannelLine } from '../terminal/channel-line.js';
import { cardOutcome, linkFailure } from '../terminal/outcome.js';
import { openCommand } from './commands.js';
import type { TwinCommand } from './commands.js';
import { CHALLENGE, counted, openMessage, sealMessage, sessionOf } from './session.js';
import type { Session, SessionRole } from './session.js';

/** The physical cards of a world, by the last letter of their numbers. */
export const twinCards = ['A', 'B', 'C'] as const;
/** A physical card. */
export type TwinCardName = (typeof twinCards)[number];

/** What is done to the next message on its way to or from a card. */
export type Tamper = (bytes: Uint8Array, what: 'command' | 'answer') => Uint8Array;

/** What a {@link CardTalk} works with. */
export interface TalkParts {
  readonly role: SessionRole;
  readonly keyOf: (card: TwinCardName) => Uint8Array;
  readonly lineOf: (card: TwinCardName) => ChannelLine;
  /** A fresh challenge. */
  readonly challenge: () => Uint8Array;
}

/** Status words after which the card has kept its session. */
const kept = new Set([0x9000, 0x6983, 0x6985, 0x6a80, 0x6700, 0x6581]);

/**
 * The end of the cards' encrypted sessions at device or management terminal (docs/twin.md 1.2). Opens a session with a
 * card when there is none, seals commands and opens answers.
 */
export class CardTalk {
  readonly #parts: TalkParts;
  #sessions: ReadonlyMap<TwinCardName, Session> = new Map();
  /** For tests of what crosses: set for the next sealed message, which takes it away. */
  tamper: Tamper | undefined;
  /** Every message as it crossed, for tests. */
  heard: ((card: TwinCardName, command: TwinCommand, raw: Uint8Array) => void) | undefined;

  constructor(parts: TalkParts) {
    this.#parts = parts;
  }

  save(): unknown {
    return this.#sessions;
  }

  restore(state: unknown): void {
    this.#sessions = state as ReadonlyMap<TwinCardName, Session>;
    this.tamper = undefined;
  }

  /** Forgets the session with a card: its power has gone, or it is spoken to by somebody else. */
  forget(card: TwinCardName): void {
    const rest = new Map(this.#sessions);
    rest.delete(card);
    this.#sessions = rest;
  }

  /** One command of the session; marks are the card's. A message that is not genuine is `unexpected`. */
  async send<T>(card: TwinCardName, command: TwinCommand, parse: (data: Uint8Array) => T): Promise<Outcome<T>> {
    const line = this.#parts.lineOf(card);
    try {
      const opened = this.#sessions.get(card) ?? await this.#open(card, line);
      if ('ok' in opened) return opened;
      const session = counted(opened);
      this.#keep(card, session);
      const { ins, p1 } = command;
      const sealed = this.#changed(sealMessage(session, 'command', command, command.data), 'command');
      this.heard?.(card, command, sealed);
      const answer = await line.transmit({ cla: 0x80, ins, p1, p2: 0, data: sealed });
      if (!kept.has(answer.sw) && (answer.sw & 0xfff0) !== 0x63c0) this.forget(card);
      return cardOutcome(answer, line.takeMarks(), (data) => parse(this.#opened(card, session, command, data)));
    } catch (error) {
      this.forget(card);
      return linkFailure(error, line.takeMarks());
    }
  }

  #keep(card: TwinCardName, session: Session): void {
    this.#sessions = new Map([...this.#sessions, [card, session]]);
  }

  #changed(bytes: Uint8Array, what: 'command' | 'answer'): Uint8Array {
    const changed = this.tamper?.(bytes, what);
    if (changed !== undefined && toHex(changed) !== toHex(bytes)) this.tamper = undefined;
    return changed ?? bytes;
  }

  #opened(card: TwinCardName, session: Session, command: TwinCommand, data: Uint8Array): Uint8Array {
    try {
      return openMessage(session, 'answer', command, this.#changed(data, 'answer'));
    } catch (error) {
      this.forget(card);
      throw error;
    }
  }

  async #open(card: TwinCardName, line: ChannelLine): Promise<Session | Extract<Outcome<never>, { ok: false }>> {
    const own = this.#parts.challenge();
    const command = openCommand(this.#parts.role, own);
    this.heard?.(card, command, own);
    const answer = await line.transmit({ cla: 0x80, p2: 0, ...command });
    const outcome = cardOutcome(answer, line.takeMarks(), (data) => {
      if (data.length !== CHALLENGE) throw new CodecError('ELEMENT_LENGTH', `a challenge of ${data.length} bytes`);
      return sessionOf(this.#parts.keyOf(card), this.#parts.role, own, data);
    });
    return outcome.ok ? outcome.value : outcome;
  }
}

/** Marks of a call that had several commands, in order. */
export const marksOf = (...outcomes: readonly Outcome<unknown>[]): readonly StepMark[] => outcomes.flatMap(({ marks }) => marks);
