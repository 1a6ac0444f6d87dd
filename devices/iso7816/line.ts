import { DeviceError } from '../errors.js';
import type { BlockEvent, BlockKind, ChannelObserver } from '../channel/observer.js';
import type { BytePort, Character, Direction, SendOutcome, Ticks } from '../channel/port.js';
import { wait } from '../channel/steps.js';
import type { Steps } from '../channel/steps.js';
import type { Finding, FindingCode } from './findings.js';

/** Rounding of edges to whole ticks, in etu: shorter than this is no violation. */
const EDGE_ROUNDING_ETU = 0.02;

/** Length of a character in etu, guard time not counted (ISO/IEC 7816-3, 7.2). */
const CHARACTER_ETU = 10;

/** Minimum distances a protocol permits on the line, in etu between leading edges. */
export interface LineLimits {
  /** Between two characters of the card. */
  readonly guardEtu: number;
  /** Between the terminal's last character and the card's first one. */
  readonly turnaroundEtu: number;
  /** Code, rule and clause of a turnaround that is too short. */
  readonly turnaround: Pick<Finding, 'code' | 'rule' | 'clause'>;
  readonly guardClause: string;
}

/** Where a time comes from, for findings. */
export interface TimeLimit {
  readonly code: FindingCode;
  readonly clause: string;
  /** Longest permitted time between leading edges, in etu. */
  readonly etu: number;
  /** The leading edge it counts from, in ticks. */
  readonly since: Ticks;
}

/** Saved state of a {@link Line}. */
export interface LineState {
  readonly lastSent: Ticks;
  readonly lastReceived: Ticks;
  readonly cardSpoke: boolean;
  /** Nothing is sent before; -Infinity when nothing holds. */
  readonly holdUntil: Ticks;
}

/**
 * The terminal's end of the line: a port with a memory of the last edges, which measures in etu,
 * records findings and feeds the observer.
 */
export class Line {
  readonly port: BytePort;
  /** Findings since `takeFindings`. */
  #findings: Finding[] = [];
  readonly #observer: ChannelObserver;
  #holdUntil: Ticks = -Infinity;
  /** Leading edges of the last characters, in ticks. */
  lastSent: Ticks = -Infinity;
  lastReceived: Ticks = -Infinity;
  /** Forgets all edges: after a reset. */
  forget(): void {
    this.lastSent = this.lastReceived = this.#holdUntil = -Infinity;
    this.limits = undefined;
  }

  /** The last character on the line was the card's. */
  cardSpoke = false;
  limits: LineLimits | undefined;
  /** True while what is on the line must not be shown. */
  secret = false;

  constructor(port: BytePort, observer: ChannelObserver) {
    this.port = port;
    this.#observer = observer;
  }

  /** Leading edge of the last character either way, in ticks. */
  get lastEdge(): Ticks {
    return Math.max(this.lastSent, this.lastReceived);
  }

  /** Ticks in `n` etu at the present settings. */
  ticks(n: number): Ticks {
    return n * this.port.etu();
  }

  /** etu between two moments, rounded to a thousandth. */
  etuBetween(from: Ticks, to: Ticks): number {
    return Math.round(((to - from) / this.port.etu()) * 1000) / 1000;
  }

  /** Records a finding and shows it to the observer. */
  find(finding: Finding): void {
    this.#findings.push(finding);
    this.#observer.finding?.(finding);
  }

  /** The findings recorded since the last call. */
  takeFindings(): Finding[] {
    const findings = this.#findings;
    this.#findings = [];
    return findings;
  }

  /** Shows a block to the observer. */
  block(direction: Direction, kind: BlockKind, bytes: Uint8Array, text: string, valid: boolean, from: Ticks, to: Ticks): void {
    if (!this.#observer.block) return;
    const shown: BlockEvent = { direction, kind, bytes: this.secret ? undefined : bytes, text, valid, from, to };
    this.#observer.block(shown);
  }

  /** Nothing is sent before `etu` (of the present settings) after the card's last edge; for changes of rate. */
  hold(etu: number): void {
    this.#holdUntil = this.lastReceived + this.ticks(etu);
  }

  /**
   * Sends characters, the first not before `delayEtu` after the last edge of the card and not before
   * `guardEtu` after the last of our own.
   */
  *send(bytes: Uint8Array, guardEtu: number, delayEtu: number, badParity?: readonly number[]): Steps<SendOutcome> {
    const notBefore = Math.max(this.#holdUntil, this.lastReceived + this.ticks(delayEtu), this.lastSent + this.ticks(guardEtu));
    const outcome = yield* wait(this.port.send(bytes, {
      guardEtu,
      ...(Number.isFinite(notBefore) ? { notBefore: Math.ceil(notBefore) } : {}),
      ...(badParity ? { badParity } : {}),
    }));
    this.lastSent = outcome.lastEdge;
    this.cardSpoke = false;
    this.#showSent(bytes, outcome, guardEtu);
    return outcome;
  }

  #showSent(bytes: Uint8Array, outcome: SendOutcome, guardEtu: number): void {
    if (!this.#observer.character) return;
    const count = outcome.accepted + (outcome.signalled ? 1 : 0);
    for (let i = 0; i < count; i++) {
      const at = i === count - 1 ? outcome.lastEdge : Math.floor(outcome.firstEdge + i * this.ticks(guardEtu));
      this.#observer.character({ direction: 'to-card', byte: this.secret ? undefined : bytes[i], parityOk: true, at });
    }
  }

  /** The next character of the card whose leading edge is within `etu` after `since`, or undefined. */
  *receive(since: Ticks, etu: number): Steps<Character | undefined> {
    const deadline = Math.floor(since + this.ticks(etu)) + this.port.clock.uncertainty;
    const character = yield* wait(this.port.receive(deadline));
    if (character) this.#note(character);
    return character;
  }

  /**
   * As `receive`, for a time the card has to keep. When it passes, listens on for as long again (at
   * least `graceEtu`): a character that still comes is returned as late, and a finding is recorded.
   */
  *expect(limit: TimeLimit, graceEtu = limit.etu): Steps<{ character?: Character; late: boolean }> {
    const inTime = yield* this.receive(limit.since, limit.etu);
    if (inTime) return { character: inTime, late: false };
    const character = yield* this.receive(limit.since, limit.etu + graceEtu);
    if (!character) return { late: false };
    this.find({
      code: limit.code,
      rule: 'ISO',
      clause: limit.clause,
      at: character.at,
      measuredEtu: this.etuBetween(limit.since, character.at),
      permittedEtu: limit.etu,
      detail: `the card's character came ${this.etuBetween(limit.since, character.at)} etu after the last one, permitted are ${limit.etu}`,
    });
    return { character, late: true };
  }

  #note(character: Character): void {
    this.#checkDistance(character);
    this.lastReceived = character.at;
    this.cardSpoke = true;
    const byte = this.secret ? undefined : character.byte;
    this.#observer.character?.({ direction: 'from-card', byte, parityOk: character.parityOk, at: character.at });
  }

  #checkDistance(character: Character): void {
    const limits = this.limits;
    if (!limits) return;
    const since = this.cardSpoke ? this.lastReceived : this.lastSent;
    const permittedEtu = this.cardSpoke ? limits.guardEtu : limits.turnaroundEtu;
    const measuredEtu = this.etuBetween(since, character.at + this.port.clock.uncertainty);
    if (!(measuredEtu < permittedEtu - EDGE_ROUNDING_ETU)) return;
    const kind = this.cardSpoke
      ? ({ code: 'GUARD_SHORT', rule: 'ISO', clause: limits.guardClause } as const)
      : limits.turnaround;
    const detail = `${measuredEtu} etu between leading edges, at least ${permittedEtu} are required`;
    this.find({ ...kind, at: character.at, measuredEtu, permittedEtu, detail });
  }

  /** Reads and drops what the card has sent unasked; each character is a finding. */
  *dropUnexpected(): Steps<number> {
    let count = 0;
    for (;;) {
      const character = yield* this.receive(this.port.now(), -CHARACTER_ETU);
      if (!character) return count;
      count++;
      const detail = 'the card sent a character while it had nothing to answer';
      this.find({ code: 'UNEXPECTED_CHARACTER', rule: 'ISO', clause: '10.1, 11.1', at: character.at, detail });
    }
  }

  /** Reads on until the card has been quiet for `etu`; returns the number of characters dropped. */
  *drain(etu: number, limit = 1024): Steps<number> {
    for (let count = 0; count <= limit; count++) {
      const character = yield* this.receive(this.cardSpoke ? this.lastReceived : this.port.now(), etu);
      if (!character) return count;
    }
    throw new DeviceError('CARD_PROTOCOL', { what: `the card does not stop sending (${limit} characters dropped)` });
  }

  /** The edges remembered, for a snapshot. */
  save(): LineState {
    return { lastSent: this.lastSent, lastReceived: this.lastReceived, cardSpoke: this.cardSpoke, holdUntil: this.#holdUntil };
  }

  /** Takes remembered edges back; findings not yet taken are dropped. */
  load(state: LineState): void {
    this.lastSent = state.lastSent;
    this.lastReceived = state.lastReceived;
    this.cardSpoke = state.cardSpoke;
    this.#holdUntil = state.holdUntil;
    this.#findings = [];
  }
}
