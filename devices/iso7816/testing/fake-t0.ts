import type { FakeApp, FakeAnswer } from './fake-app.js';
import type { FakeLink, FakeProtocol, FakeQuirks } from './fake-link.js';

const NONE = new Uint8Array(0);

/** The card's side of T=0 (ISO/IEC 7816-3, clause 10), one character at a time. */
export class FakeT0 implements FakeProtocol {
  readonly #link: FakeLink;
  readonly #app: FakeApp;
  readonly #quirks: FakeQuirks;
  #header: number[] = [];
  #data: number[] = [];
  #chain: number[] = [];
  #rest: Uint8Array = NONE;
  #answers = 0;

  constructor(link: FakeLink, app: FakeApp, quirks: FakeQuirks) {
    this.#link = link;
    this.#app = app;
    this.#quirks = quirks;
  }

  onCharacter(byte: number, _parityOk: boolean, at: number): void {
    if (this.#header.length < 5) {
      this.#header.push(byte);
      if (this.#header.length === 5) this.#onHeader(at);
      return;
    }
    this.#data.push(byte);
    const wanted = this.#header[4];
    if (this.#data.length > wanted) this.#link.complain('more data than P3 says');
    if (this.#data.length === wanted) this.#run(at);
    else if (this.#quirks.byteWise) this.#say([this.#header[1] ^ 0xff], at);
  }

  #onHeader(at: number): void {
    const [, ins, , , p3] = this.#header;
    if (!this.#app.takesData(ins) || p3 === 0) return this.#run(at);
    this.#say([this.#quirks.byteWise ? ins ^ 0xff : ins], at);
  }

  #run(at: number): void {
    const [cla, ins, p1, p2, p3] = this.#header;
    const taken = this.#data;
    const takes = this.#app.takesData(ins);
    this.#header = [];
    this.#data = [];
    if (ins === 0xc0) return this.#give(ins, p3, this.#rest, 0x9000, at, {});
    this.#rest = NONE;
    if (cla & 0x10) {
      this.#chain.push(...taken);
      return this.#say([0x90, 0x00], at);
    }
    const data = Uint8Array.from([...this.#chain, ...taken]);
    this.#chain = [];
    const answer = this.#app.run({ cla, ins, p1, p2, data });
    if (takes || answer.data.length > 256) return this.#announce(answer, at);
    this.#give(ins, p3, answer.data, answer.sw, at, answer);
  }

  /** Case 4, and answers longer than 256 bytes: to be fetched by GET RESPONSE. */
  #announce(answer: FakeAnswer, at: number): void {
    this.#rest = answer.data;
    const more = Math.min(answer.data.length, 256) & 0xff;
    this.#say(answer.data.length > 0 ? [0x61, more] : [answer.sw >> 8, answer.sw & 0xff], at, answer);
  }

  #give(ins: number, p3: number, data: Uint8Array, sw: number, at: number, timing: Partial<FakeAnswer>): void {
    const le = p3 || 256;
    const part = data.subarray(0, 256);
    if (data.length > 0 && le > part.length) return this.#say([0x6c, part.length & 0xff], at, timing);
    const given = data.subarray(0, Math.min(le, data.length));
    this.#rest = data.slice(given.length);
    const end = ins === 0xc0 && this.#rest.length > 0 ? [0x61, Math.min(this.#rest.length, 256) & 0xff] : [sw >> 8, sw & 0xff];
    const body = this.#quirks.byteWise ? Array.from(given).flatMap((byte) => [ins ^ 0xff, byte]) : [ins, ...given];
    this.#say(given.length > 0 ? [...body, ...end] : end, at, timing);
  }

  #say(bytes: number[], after: number, timing: Partial<FakeAnswer> = {}): void {
    const { late, mute, turnaroundEtu = 16 } = this.#quirks;
    this.#answers++;
    if (mute && this.#answers >= mute.from) return;
    const etu = this.#link.etu();
    const nulls = timing.askTime ?? 0;
    const thinking = (timing.thinkEtu ?? 0) + (late?.answer === this.#answers ? late.etu : 0);
    for (let i = 1; i <= nulls; i++) this.#link.say([0x60], after + (turnaroundEtu + (thinking * i) / (nulls + 1)) * etu);
    this.#link.say(bytes, after + (turnaroundEtu + thinking) * etu, this.#quirks.gapEtu);
  }
}
