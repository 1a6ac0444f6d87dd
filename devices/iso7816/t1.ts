import { DeviceError } from '../errors.js';
import type { DeviceErrorCode } from '../errors.js';
import type { Steps } from '../channel/steps.js';
import type { Atr } from './atr.js';
import type { Edc } from './edc.js';
import type { Line, LineLimits } from './line.js';
import { describeBlock, encodeBlock } from './t1-block.js';
import type { BlockFault, SFunction, T1Block } from './t1-block.js';
import { readBlock } from './t1-reader.js';

/** What a T=1 terminal needs to know of card and line. */
export interface T1Config {
  readonly edc: Edc;
  /** etu between the terminal's characters: 12 + N, or 11 for N = 255 (ISO/IEC 7816-3, 11.2). */
  readonly guardEtu: number;
  /** Character and block waiting time in etu (ISO/IEC 7816-3, 11.4.3). */
  readonly cwtEtu: number;
  readonly bwtEtu: number;
  /** IFSC after reset and after RESYNCH, in bytes. */
  readonly ifsc: number;
  /** Node address of the terminal's blocks; the card's have source and destination exchanged. */
  readonly nad: number;
  /** Requests for more waiting time taken within one command before the card is given up. */
  readonly wtxLimit: number;
}

/** The part of a T=1 link that a snapshot needs. */
export interface T1State {
  /** N(S) of the terminal's next I-block and of the card's next one. */
  readonly ns: 0 | 1;
  readonly expected: 0 | 1;
  readonly ifsc: number;
  readonly ifsd: number;
  /** A valid block has been received since the protocol began. */
  readonly started: boolean;
  readonly dead: boolean;
}

/** State at the beginning of the protocol (ISO/IEC 7816-3, 11.6.2.1: IFSD is 32). */
export function initialT1State(config: T1Config): T1State {
  return { ns: 0, expected: 0, ifsc: config.ifsc, ifsd: 32, started: false, dead: false };
}

/** Derives the T=1 parameters from an ATR and the rates in use. */
export function t1ConfigOf(atr: Atr, F: number, D: number): T1Config {
  return {
    edc: atr.t1.edc,
    guardEtu: atr.extraGuard === 255 ? 11 : 12 + atr.extraGuard,
    cwtEtu: 11 + 2 ** atr.t1.cwi,
    bwtEtu: 11 + (2 ** atr.t1.bwi * 960 * 372 * D) / F,
    ifsc: Math.min(atr.t1.ifsc, 254),
    nad: 0,
    wtxLimit: 1000,
  };
}

/** Block guard time in etu (ISO/IEC 7816-3, 11.4.3). */
export const BGT_ETU = 22;
/** Successive failures after which RESYNCH follows, and after which RESYNCH is given up (11.6.3.2, rules 6.4, 7.4). */
export const T1_TRIES = 3;

/** Limits of the line under T=1. */
export function t1LineLimits(atr: Atr): LineLimits {
  return {
    guardEtu: atr.extraGuard === 255 ? 11 : 12,
    guardClause: '11.2',
    turnaroundEtu: BGT_ETU,
    turnaround: { code: 'BGT_SHORT', rule: 'ISO', clause: '11.4.3' },
  };
}

const EMPTY = new Uint8Array(0);
const flip = (bit: 0 | 1): 0 | 1 => (bit === 0 ? 1 : 0);
const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** What is to be done about a valid block of the card. */
type Verdict = 'accept' | 'repeat' | 'invalid' | 'wtx' | 'ifs' | 'abort';

/** One dialogue: the block that has to be answered, and where its repair stands. */
interface Dialogue {
  readonly out: T1Block;
  /** The block to send next: `out`, its repeat, a response or a request to repeat. */
  current: T1Block;
  failures: number;
  lastFault: BlockFault | undefined;
  waitFactor: number;
  waits: number;
  aborted: boolean;
}

const FAULT_CODES: Partial<Record<BlockFault, DeviceErrorCode>> = { silent: 'CARD_SILENT', late: 'CARD_LATE' };

/** The terminal's side of T=1 (ISO/IEC 7816-3, clause 11). */
export class T1Terminal {
  readonly #line: Line;
  readonly config: T1Config;
  #state: T1State;

  constructor(line: Line, config: T1Config, state: T1State = initialT1State(config)) {
    this.#line = line;
    this.config = config;
    this.#state = state;
  }

  /** Present protocol state; a plain value. */
  get state(): T1State {
    return this.#state;
  }

  /**
   * Sends a command and returns the answer, chained both ways as needed.
   *
   * @throws DeviceError CARD_SILENT, CARD_LATE, CARD_PROTOCOL (the link was resynchronised, or the card
   * aborted), CARD_LINK (the link is dead)
   */
  *exchange(command: Uint8Array): Steps<Uint8Array> {
    let at = 0;
    for (;;) {
      const inf = command.subarray(at, at + this.#state.ifsc);
      at += inf.length;
      const more = at < command.length;
      const answer = yield* this.#converse({ type: 'I', nad: this.config.nad, ns: this.#state.ns, more, inf });
      this.#set({ ns: flip(this.#state.ns) });
      if (answer.type === 'I') return yield* this.#collect(answer);
    }
  }

  *#collect(first: T1Block & { type: 'I' }): Steps<Uint8Array> {
    const bytes = [...first.inf];
    let block = first;
    while (block.more) {
      const next = yield* this.#converse({ type: 'R', nad: this.config.nad, nr: this.#state.expected, error: 0 });
      if (next.type !== 'I') throw new DeviceError('CARD_PROTOCOL', { what: 'the card aborted its chained answer' });
      block = next;
      bytes.push(...block.inf);
    }
    return Uint8Array.from(bytes);
  }

  /** Tells the card that the terminal takes blocks of `ifsd` bytes (1 to 254). */
  *negotiateIfsd(ifsd: number): Steps<void> {
    yield* this.#request('IFS', Uint8Array.of(ifsd));
    this.#set({ ifsd });
  }

  /** S(RESYNCH request); both sides start anew. @throws DeviceError when the card does not follow: the link is dead */
  *resynch(): Steps<void> {
    yield* this.#request('RESYNCH', EMPTY);
    this.#state = { ...initialT1State(this.config), started: true };
  }

  *#request(fn: SFunction, inf: Uint8Array): Steps<void> {
    yield* this.#converse({ type: 'S', nad: this.config.nad, fn, response: false, inf });
  }

  #set(change: Partial<T1State>): void {
    this.#state = { ...this.#state, ...change };
  }

  /** Sends `out` until the card's answer to it has arrived; serves and repairs on the way (11.6.3). */
  *#converse(out: T1Block): Steps<T1Block> {
    if (this.#state.dead) throw new DeviceError('CARD_LINK', { what: 'the T=1 link is dead', stillTrue: 'nothing has been sent' });
    const dialogue: Dialogue = { out, current: out, failures: 0, lastFault: undefined, waitFactor: 1, waits: 0, aborted: false };
    for (;;) {
      yield* this.#send(dialogue.current);
      const got = yield* readBlock(this.#line, this.config, this.#state.ifsd, dialogue.waitFactor);
      dialogue.waitFactor = 1;
      if ('fault' in got) {
        dialogue.lastFault = got.fault;
        yield* this.#repair(dialogue, got.fault === 'edc' || got.fault === 'parity' ? 1 : 2);
        continue;
      }
      this.#set({ started: true });
      const done = yield* this.#handle(dialogue, got.block);
      if (done) return done;
    }
  }

  *#handle(dialogue: Dialogue, block: T1Block): Steps<T1Block | undefined> {
    switch (this.#judge(dialogue, block)) {
      case 'accept':
        if (block.type === 'I') this.#set({ expected: flip(this.#state.expected) });
        return block;
      case 'repeat':
        dialogue.lastFault = undefined;
        yield* this.#countFailure(dialogue);
        return undefined;
      case 'invalid':
        this.#noteInvalid(block);
        dialogue.lastFault = 'pcb';
        yield* this.#repair(dialogue, 2);
        return undefined;
      case 'wtx':
      case 'ifs':
      case 'abort':
        this.#serve(dialogue, block as T1Block & { type: 'S' });
        return undefined;
    }
  }

  #judge(dialogue: Dialogue, block: T1Block): Verdict {
    if (block.type === 'S') return this.#judgeS(dialogue, block);
    if (block.type === 'R') return this.#judgeR(dialogue, block.nr);
    const wanted = dialogue.out.type === 'R' || (dialogue.out.type === 'I' && !dialogue.out.more) || dialogue.aborted;
    return wanted && block.ns === this.#state.expected ? 'accept' : 'invalid';
  }

  #judgeS(dialogue: Dialogue, block: T1Block & { type: 'S' }): Verdict {
    const { out, current } = dialogue;
    if (block.response) {
      if (out.type === 'I' && current.type === 'R') {
        // The card's last block was still its response to an earlier request: it has not seen the I-block.
        dialogue.current = out;
        return 'repeat';
      }
      return out.type === 'S' && out.fn === block.fn && same(out.inf, block.inf) ? 'accept' : 'invalid';
    }
    if (out.type === 'S') return 'invalid';
    if (block.fn === 'WTX') return block.inf[0] > 0 ? 'wtx' : 'invalid';
    if (block.fn === 'IFS') return block.inf[0] > 0 && block.inf[0] < 255 ? 'ifs' : 'invalid';
    return block.fn === 'ABORT' ? 'abort' : 'invalid';
  }

  #judgeR(dialogue: Dialogue, nr: 0 | 1): Verdict {
    const { out, current, aborted } = dialogue;
    if (aborted) {
      throw new DeviceError('CARD_PROTOCOL', {
        what: 'the card aborted the exchange with S(ABORT)',
        stillTrue: 'the link is in order; the command may have been executed in part',
        next: 'repeat the command or give it up',
      });
    }
    if (out.type === 'I' && nr === out.ns) {
      dialogue.current = out;
      return 'repeat';
    }
    if (out.type === 'I' && out.more) return 'accept';
    return current.type === 'I' ? 'invalid' : 'repeat';
  }

  #noteInvalid(block: T1Block): void {
    const repeated = block.type === 'I' && block.ns !== this.#state.expected;
    this.#line.find({
      code: repeated ? 'BLOCK_REPEATED' : 'BLOCK_INVALID',
      rule: 'line',
      clause: '11.6.3',
      at: this.#line.lastReceived,
      detail: `${describeBlock(block)} does not fit here`,
    });
  }

  /** Answers a request of the card (rules 3, 4, 9). */
  #serve(dialogue: Dialogue, request: T1Block & { type: 'S' }): void {
    if (request.fn === 'WTX') {
      dialogue.waitFactor = request.inf[0];
      dialogue.waits++;
      if (dialogue.waits > this.config.wtxLimit) {
        throw new DeviceError('CARD_PROTOCOL', { what: `the card asked for more time ${dialogue.waits} times in one command` });
      }
    }
    if (request.fn === 'IFS') this.#set({ ifsc: request.inf[0] });
    if (request.fn === 'ABORT') dialogue.aborted = true;
    dialogue.failures = 0;
    dialogue.current = { ...request, nad: this.config.nad, response: true };
  }

  /** Rules 7.1 to 7.3: ask for the block again, or repeat an own request. */
  *#repair(dialogue: Dialogue, error: 1 | 2): Steps<void> {
    yield* this.#countFailure(dialogue);
    const { out } = dialogue;
    dialogue.current = out.type === 'S' ? out : { type: 'R', nad: this.config.nad, nr: this.#state.expected, error };
  }

  *#countFailure(dialogue: Dialogue): Steps<void> {
    dialogue.failures++;
    if (dialogue.failures < T1_TRIES) return;
    if (dialogue.out.type === 'S' || !this.#state.started) throw this.#die(dialogue);
    yield* this.#resynchAfter(dialogue);
  }

  #die(dialogue: Dialogue): DeviceError {
    this.#set({ dead: true });
    const code = FAULT_CODES[dialogue.lastFault ?? 'pcb'] ?? 'CARD_LINK';
    const what = `${describeBlock(dialogue.out)} found no valid answer in ${T1_TRIES} tries (last: ${dialogue.lastFault ?? 'repeat asked'})`;
    return new DeviceError(code, { what, stillTrue: 'the T=1 link is dead; a command already sent may have been executed', next: 'reset the card' });
  }

  /** Rule 7.4.2: after three failures the link starts anew, and the command is given up. */
  *#resynchAfter(dialogue: Dialogue): Steps<never> {
    yield* this.resynch();
    const detail = `after ${T1_TRIES} failures (last: ${dialogue.lastFault ?? 'repeat asked'})`;
    this.#line.find({ code: 'RESYNCH', rule: 'line', clause: '11.6.3.2, rule 7.4.2', at: this.#line.lastEdge, detail });
    throw new DeviceError(FAULT_CODES[dialogue.lastFault ?? 'pcb'] ?? 'CARD_PROTOCOL', {
      what: `${describeBlock(dialogue.out)} found no valid answer in ${T1_TRIES} tries; the link was resynchronised`,
      stillTrue: 'the link is in order; the command may have been executed',
      next: 'repeat the command',
    });
  }

  *#send(block: T1Block): Steps<void> {
    yield* this.#line.dropUnexpected();
    const bytes = encodeBlock(block, this.config.edc);
    const sent = yield* this.#line.send(bytes, this.config.guardEtu, BGT_ETU);
    this.#line.block('to-card', 'T=1', bytes, describeBlock(block), true, sent.firstEdge, sent.lastEdge);
  }
}
