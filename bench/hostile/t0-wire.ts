import type { EmulatedCard } from '../../devices/index.js';
import type { WireAnswer } from './wire.js';
import { Wire } from './wire.js';

const nullByte = 0x60;
/** NULLs (each after half of WT, 0.5 s) after which the card is given up: no command takes 15 s. */
const nullLimit = 30;
const getData = 0xca;
const getResponse = 0xc0;
/** Repeats of a character that drew an error signal (ISO/IEC 7816-3, 7.3). */
const repeats = 3;

/** True when P3 is Le and not Lc (docs/firmware.md, Link). */
export const isOutgoing = (cla: number, ins: number): boolean => ins === getData || (cla === 0 && ins === getResponse);

const none = (problem: string): WireAnswer => ({ data: new Uint8Array(0), problem });

/** A T=0 terminal that sends whatever it is given and judges what comes back (ISO/IEC 7816-3, 10). */
export class T0Wire {
  readonly wire: Wire;
  readonly #wt: number;

  constructor(card: EmulatedCard) {
    const { session } = card;
    if (session?.protocol !== 'T=0') throw new Error('the card does not speak T=0');
    this.#wt = 960 * (session.atr.t0.WI || 10) * session.D;
    this.wire = new Wire(card, { guard: 12, delay: 16, answer: this.#wt, character: this.#wt });
  }

  /** Longest silence of a card that works, in etu (WT). */
  get waitingTime(): number {
    return this.#wt;
  }

  /** Sends a command as a header and data cut or filled with zeros to what P3 says. Fetches the data that 6Cxx tells of. */
  async transmit(apdu: Uint8Array): Promise<WireAnswer> {
    const header = Uint8Array.from({ length: 5 }, (_, i) => apdu[i] ?? 0);
    const data = isOutgoing(header[0], header[1]) ? new Uint8Array(0)
      : Uint8Array.from({ length: header[4] }, (_, i) => apdu[5 + i] ?? 0);
    const answer = await this.tpdu(header, data);
    if (answer.sw === undefined || answer.sw >> 8 !== 0x6c || data.length > 0) return answer;
    return this.tpdu(Uint8Array.of(...header.slice(0, 4), answer.sw & 0xff), data);
  }

  /** One header with what follows it. */
  async tpdu(header: Uint8Array, data: Uint8Array): Promise<WireAnswer> {
    if (!await this.#sendAll(header)) return none('the card gives error signals to right characters');
    let sent = 0;
    const out: number[] = [];
    for (let nulls = 0; nulls < nullLimit;) {
      const byte = await this.#next();
      if (byte === undefined) return none(`no procedure byte within WT (${this.#wt} etu)`);
      if (byte === nullByte) nulls += 1;
      else if (byte >> 4 === 6 || byte >> 4 === 9) return this.#status(byte, out);
      else if (byte !== header[1] && byte !== (header[1] ^ 0xff)) return none(`procedure byte ${byte.toString(16)}`);
      else if (sent < data.length) {
        const end = byte === header[1] ? data.length : sent + 1;
        if (!await this.#sendAll(data.slice(sent, end))) return none('the card gives error signals to right characters');
        sent = end;
      } else {
        const count = byte === header[1] ? (header[4] || 256) - out.length : 1;
        for (let i = 0; i < count; i += 1) {
          const next = await this.#next();
          if (next === undefined) return none('the card stopped within its data');
          out.push(next);
        }
      }
    }
    return none(`more than ${nullLimit} NULLs`);
  }

  async #status(sw1: number, out: readonly number[]): Promise<WireAnswer> {
    const sw2 = await this.#next();
    return sw2 === undefined ? none('half a status word') : { data: Uint8Array.from(out), sw: (sw1 << 8) | sw2 };
  }

  async #next(): Promise<number | undefined> {
    const [character] = await this.wire.read(1);
    return character?.byte;
  }

  async #sendAll(bytes: Uint8Array): Promise<boolean> {
    for (let tries = 0; tries <= repeats; tries += 1) if (await this.wire.send(bytes)) return true;
    return false;
  }
}
