import { decodeBlock, encodeBlock } from '../t1-block.js';
import type { T1Block } from '../t1-block.js';
import { parseCommand } from '../apdu.js';
import type { FakeAnswer, FakeApp } from './fake-app.js';
import type { FakeLink, FakeProtocol, FakeQuirks } from './fake-link.js';

type IBlock = T1Block & { readonly type: 'I' };
const flip = (bit: 0 | 1): 0 | 1 => (bit === 0 ? 1 : 0);
const IFSC = 64;
const NONE = new Uint8Array(0);

/** The card's side of T=1 with LRC (ISO/IEC 7816-3, clause 11), one character at a time. */
export class FakeT1 implements FakeProtocol {
  readonly #link: FakeLink;
  readonly #app: FakeApp;
  readonly #quirks: FakeQuirks;
  #bytes: number[] = [];
  #parityOk = true;
  #lastAt = -Infinity;
  #ns: 0 | 1 = 0;
  #expected: 0 | 1 = 0;
  #ifsd = 32;
  #command: number[] = [];
  #apduChain: number[] = [];
  #answer: number[] = [];
  #rest: Uint8Array = NONE;
  #last: T1Block | undefined;
  #after: (() => void) | undefined;
  #answers = 0;
  #announced = false;

  constructor(link: FakeLink, app: FakeApp, quirks: FakeQuirks) {
    this.#link = link;
    this.#app = app;
    this.#quirks = quirks;
  }

  onCharacter(byte: number, parityOk: boolean, at: number): void {
    const gap = (at - this.#lastAt) / this.#link.etu();
    if (this.#bytes.length > 0 && gap > 11 + 2 ** 13) this.#bytes = [];
    if (this.#bytes.length === 0) this.#parityOk = true;
    this.#lastAt = at;
    this.#bytes.push(byte);
    this.#parityOk &&= parityOk;
    if (this.#bytes.length < 4 || this.#bytes.length < 4 + this.#bytes[2]) return;
    const block = decodeBlock(Uint8Array.from(this.#bytes), 'LRC');
    this.#bytes = [];
    if (typeof block === 'string' || !this.#parityOk) return this.#askAgain(block === 'edc' || !this.#parityOk ? 1 : 2);
    this.#onBlock(block);
  }

  #askAgain(error: 1 | 2): void {
    this.#send({ type: 'R', nad: 0, nr: this.#expected, error });
  }

  #onBlock(block: T1Block): void {
    if (block.type === 'S') return this.#onS(block);
    if (block.type === 'R') return this.#onR(block.nr);
    if (block.ns !== this.#expected) return this.#askAgain(2);
    if (block.inf.length > IFSC) this.#link.complain(`a block of ${block.inf.length} bytes, IFSC is ${IFSC}`);
    this.#expected = flip(this.#expected);
    this.#command.push(...block.inf);
    if (block.more) return this.#onChain();
    const command = Uint8Array.from(this.#command);
    this.#command = [];
    this.#run(command);
  }

  #onChain(): void {
    if (this.#quirks.abortChain) {
      this.#after = () => this.#reply({ data: NONE, sw: 0x6f00 });
      return this.#send({ type: 'S', nad: 0, fn: 'ABORT', response: false, inf: NONE });
    }
    this.#send({ type: 'R', nad: 0, nr: this.#expected, error: 0 });
  }

  #onR(nr: 0 | 1): void {
    const last = this.#last;
    if (!last) return this.#askAgain(2);
    if (last.type !== 'I' || last.ns === nr) return this.#send(last);
    if (this.#answer.length === 0) return this.#askAgain(2);
    this.#ns = flip(this.#ns);
    this.#sendAnswer();
  }

  #onS(block: T1Block & { type: 'S' }): void {
    if (block.response) {
      const after = this.#after;
      this.#after = undefined;
      return after ? after() : this.#askAgain(2);
    }
    if (block.fn === 'RESYNCH') {
      if (this.#quirks.noResynch) return;
      this.#ns = 0;
      this.#expected = 0;
      this.#ifsd = 32;
      this.#answer = [];
      this.#command = [];
    }
    if (block.fn === 'IFS') this.#ifsd = block.inf[0];
    this.#send({ ...block, response: true });
  }

  #run(apdu: Uint8Array): void {
    const command = parseCommand(apdu);
    if (command.ins === 0xc0) return this.#replyPart(this.#rest, 0x9000, {}, command.le ?? 256);
    this.#rest = NONE;
    if (command.cla & 0x10) {
      this.#apduChain.push(...(command.data ?? []));
      return this.#reply({ data: NONE, sw: 0x9000 });
    }
    const data = Uint8Array.from([...this.#apduChain, ...(command.data ?? [])]);
    this.#apduChain = [];
    const answer = this.#app.run({ ...command, data });
    this.#replyPart(answer.data, answer.sw, answer, 256);
  }

  #replyPart(data: Uint8Array, sw: number, timing: Partial<FakeAnswer>, most: number): void {
    this.#rest = data.slice(most);
    const more = this.#rest.length;
    this.#reply({ ...timing, data: data.subarray(0, most), sw: more > 0 ? 0x6100 | Math.min(more, 256) & 0xff : sw });
  }

  /** Starts to answer: S(IFS) and S(WTX) first where asked for. */
  #reply(answer: FakeAnswer): void {
    if (this.#quirks.announceIfsc !== undefined && !this.#announced) {
      this.#announced = true;
      this.#after = () => this.#reply(answer);
      return this.#send({ type: 'S', nad: 0, fn: 'IFS', response: false, inf: Uint8Array.of(this.#quirks.announceIfsc) });
    }
    if (answer.askTime) {
      this.#after = () => this.#reply({ ...answer, askTime: 0 });
      return this.#send({ type: 'S', nad: 0, fn: 'WTX', response: false, inf: Uint8Array.of(answer.askTime) });
    }
    this.#answer = [...answer.data, answer.sw >> 8, answer.sw & 0xff];
    this.#sendAnswer(answer.thinkEtu);
  }

  /** Sends the next part; N(S) moves on when the last part is out, as the terminal's next I-block acknowledges it. */
  #sendAnswer(thinkEtu = 0): void {
    const inf = Uint8Array.from(this.#answer.slice(0, this.#ifsd));
    this.#answer = this.#answer.slice(this.#ifsd);
    const more = this.#answer.length > 0;
    const block: IBlock = { type: 'I', nad: 0, ns: this.#ns, more, inf };
    if (!more) this.#ns = flip(this.#ns);
    this.#send(block, thinkEtu);
  }

  #send(block: T1Block, thinkEtu = 0): void {
    this.#last = block;
    this.#answers++;
    const { late, mute, turnaroundEtu = 22, gapEtu } = this.#quirks;
    if (mute && this.#answers >= mute.from) return;
    const wait = turnaroundEtu + thinkEtu + (late?.answer === this.#answers ? late.etu : 0);
    this.#link.say(encodeBlock(block, 'LRC'), this.#lastAt + wait * this.#link.etu(), gapEtu);
  }
}
