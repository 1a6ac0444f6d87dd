import { encodeBlock } from '../iso7816/t1-block.js';
import type { T1Block } from '../iso7816/t1-block.js';
import type { Line } from '../iso7816/line.js';
import type { Character, SendOutcome, Ticks } from './port.js';
import { wait } from './steps.js';
import type { Steps } from './steps.js';

/** How raw characters are to be sent. */
export interface RawSend {
  /** etu between leading edges; default 12. */
  readonly guardEtu?: number;
  /** etu after the card's last edge; default 22. */
  readonly delayEtu?: number;
  /** Indices (from 0) of characters with wrong parity. */
  readonly badParity?: readonly number[];
}

/** Runs a piece of work alone on the channel. */
export type Exclusive = <T>(work: () => Steps<T>) => Promise<T>;

/**
 * Characters and blocks past the protocol layer, for hostile tests. The terminal's protocol state does
 * not follow: reset the card afterwards.
 */
export class RawAccess {
  readonly #line: Line;
  readonly #alone: Exclusive;

  constructor(line: Line, alone: Exclusive) {
    this.#line = line;
    this.#alone = alone;
  }

  /** Sends characters as they are. */
  sendCharacters(bytes: Uint8Array, options: RawSend = {}): Promise<SendOutcome> {
    const { guardEtu = 12, delayEtu = 22, badParity } = options;
    return this.#alone(() => this.#line.send(bytes, guardEtu, delayEtu, badParity));
  }

  /** Sends a T=1 block with a right LRC; give bytes to `sendCharacters` for a wrong one. */
  sendBlock(block: T1Block, options: RawSend = {}): Promise<SendOutcome> {
    return this.sendCharacters(encodeBlock(block, 'LRC'), options);
  }

  /** Receives up to `count` characters, each at most `waitEtu` after the last edge. */
  receiveCharacters(count: number, waitEtu = 9600): Promise<Character[]> {
    return this.#alone(() => this.#receive(count, waitEtu));
  }

  /** Lets time pass until `moment` (ticks of the port). */
  idle(moment: Ticks): Promise<void> {
    return this.#alone(() => wait(this.#line.port.idle(moment)));
  }

  *#receive(count: number, waitEtu: number): Steps<Character[]> {
    const characters: Character[] = [];
    while (characters.length < count) {
      const character = yield* this.#line.receive(this.#line.lastEdge, waitEtu);
      if (!character) break;
      characters.push(character);
    }
    return characters;
  }
}
