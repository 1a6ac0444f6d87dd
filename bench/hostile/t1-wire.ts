import { decodeBlock, describeBlock, encodeBlock } from '../../devices/index.js';
import type { EmulatedCard, T1Block } from '../../devices/index.js';
import type { Blemish, WireAnswer } from './wire.js';
import { Wire } from './wire.js';

/** What the card sent as a block, or why it is none. */
export interface BlockAnswer {
  readonly block?: T1Block;
  /** What is wrong with the answer by ISO/IEC 7816-3; absent when nothing is. */
  readonly problem?: string;
}

/** Requests for more time (each after half of BWT, 0.2 s) after which the card is given up: no command takes 12 s. */
const wtxLimit = 60;
const resynchTries = 3;
/** IFSD announced by the channel, and after RESYNCH (ISO/IEC 7816-3, 11.4.2). */
const largestInf = 254;

/** A T=1 terminal that sends whatever it is given and judges what comes back (ISO/IEC 7816-3, 11). */
export class T1Wire {
  readonly wire: Wire;
  readonly #ifsc: number;
  readonly #bwt: number;
  #ns: 0 | 1;
  #expected: 0 | 1;

  constructor(card: EmulatedCard) {
    const { session, t1 } = card;
    if (session === undefined || t1 === undefined) throw new Error('the card does not speak T=1');
    const { cwi, bwi } = session.atr.t1;
    const cwt = 11 + 2 ** cwi;
    this.#bwt = 11 + (2 ** bwi * 960 * 372 * session.D) / session.F;
    this.#ifsc = t1.ifsc;
    this.#ns = t1.ns;
    this.#expected = t1.expected;
    this.wire = new Wire(card, { guard: 12, delay: 22, answer: this.#bwt, character: cwt });
  }

  /** Sends a block as bytes and reads the answer; `multiplier` is that of an S(WTX response) just given. */
  async exchange(bytes: Uint8Array, blemish: Blemish = {}, multiplier = 1): Promise<BlockAnswer> {
    await this.wire.send(bytes, blemish);
    return this.receive(multiplier);
  }

  /** One block of the card; a silence of BWT is a problem. */
  async receive(multiplier = 1): Promise<BlockAnswer> {
    const prologue = await this.wire.read(3, multiplier * this.#bwt);
    if (prologue.length === 0) return { problem: `no block within BWT (${Math.round(this.#bwt)} etu)` };
    if (prologue.length < 3) return { problem: 'the card stopped within a prologue' };
    const length = prologue[2].byte;
    if (length > largestInf) return { problem: `LEN ${length} of the card` };
    const rest = await this.wire.card.raw.receiveCharacters(length + 1, this.wire.times.character);
    const characters = [...prologue, ...rest];
    const decoded = decodeBlock(Uint8Array.from(characters, ({ byte }) => byte), 'LRC');
    if (typeof decoded === 'string') return { problem: `a block of the card is no block (${decoded})` };
    if (decoded.nad !== 0) return { problem: `NAD ${decoded.nad} of the card` };
    if (characters.some(({ parityOk }) => !parityOk)) return { problem: 'wrong parity of the card' };
    return { block: decoded };
  }

  /** Sends bytes as one command, as they are, in I-blocks of the card's size. */
  async transmit(apdu: Uint8Array): Promise<WireAnswer> {
    for (let at = 0; ; at += this.#ifsc) {
      const inf = apdu.slice(at, at + this.#ifsc);
      const more = at + this.#ifsc < apdu.length;
      const ns = this.#ns;
      this.#ns = ns === 0 ? 1 : 0;
      const answer = await this.#settled(encodeBlock({ type: 'I', nad: 0, ns, more, inf }, 'LRC'));
      if (answer.block === undefined) return { data: new Uint8Array(0), ...answer };
      if (!more) return this.#collect(answer.block);
      const { block } = answer;
      if (block.type !== 'R' || block.error !== 0 || block.nr !== this.#ns) return wrong(block);
    }
  }

  /** Sends a block and gives the card the time it asks for. */
  async #settled(bytes: Uint8Array): Promise<BlockAnswer> {
    let answer = await this.exchange(bytes);
    for (let i = 0; i < wtxLimit; i += 1) {
      const { block } = answer;
      if (block?.type !== 'S' || block.fn !== 'WTX' || block.response) return answer;
      answer = await this.exchange(encodeBlock({ ...block, response: true }, 'LRC'), {}, block.inf[0]);
    }
    return { problem: `more than ${wtxLimit} requests for time` };
  }

  async #collect(first: T1Block): Promise<WireAnswer> {
    const data: number[] = [];
    for (let block = first; ;) {
      if (block.type !== 'I' || block.ns !== this.#expected) return wrong(block);
      this.#expected = this.#expected === 0 ? 1 : 0;
      data.push(...block.inf);
      if (!block.more) break;
      const next = await this.#settled(encodeBlock({ type: 'R', nad: 0, nr: this.#expected, error: 0 }, 'LRC'));
      if (next.block === undefined) return { data: new Uint8Array(0), ...next };
      block = next.block;
    }
    if (data.length < 2) return { data: new Uint8Array(0), problem: 'an answer without a status word' };
    return { data: Uint8Array.from(data.slice(0, -2)), sw: (data[data.length - 2] << 8) | data[data.length - 1] };
  }

  /** Brings the link back to its beginning; gives the number of tries, undefined when the card does not come back. */
  async resynch(): Promise<number | undefined> {
    for (let tries = 1; tries <= resynchTries; tries += 1) {
      if (await this.wire.silence(2 * this.wire.times.character) === undefined) return undefined;
      const { block } = await this.exchange(encodeBlock({ type: 'S', nad: 0, fn: 'RESYNCH', response: false, inf: new Uint8Array(0) }, 'LRC'));
      if (block?.type === 'S' && block.fn === 'RESYNCH' && block.response) {
        this.#ns = this.#expected = 0;
        return tries;
      }
    }
    return undefined;
  }
}

const wrong = (block: T1Block): WireAnswer => ({ data: new Uint8Array(0), problem: `unexpected ${describeBlock(block)}` });
