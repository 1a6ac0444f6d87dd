import type { Character, EmulatedCard, RawSend } from '../../devices/index.js';

/** What came back to something sent. */
export interface WireAnswer {
  /** Data, without the status word. */
  readonly data: Uint8Array;
  /** Undefined when there was no right answer; `problem` then says why. */
  readonly sw?: number;
  readonly problem?: string;
}

/** How characters are sent and what the card's times are, in etu (ISO/IEC 7816-3). */
export interface WireTimes {
  readonly guard: number;
  /** Least etu from the card's last character to the terminal's first. */
  readonly delay: number;
  /** Longest silence of a card that has to answer: WT, BWT. */
  readonly answer: number;
  /** Longest time between two characters of the card. */
  readonly character: number;
}

/** A pause and wrong parity in a run of characters. */
export interface Blemish {
  /** Characters with wrong parity, by index. */
  readonly badParity?: readonly number[];
  /** The run stops before this index for so many etu. */
  readonly pause?: { readonly before: number; readonly etu: number };
}

/** Characters past all protocol layers, with the card's times measured. Errors of the channel come through. */
export class Wire {
  readonly card: EmulatedCard;
  readonly times: WireTimes;

  constructor(card: EmulatedCard, times: WireTimes) {
    this.card = card;
    this.times = times;
  }

  /** Sends characters; true when all were taken without an error signal. */
  async send(bytes: Uint8Array, { badParity = [], pause }: Blemish = {}): Promise<boolean> {
    if (bytes.length === 0) return true;
    const { guard, delay } = this.times;
    const run = async (from: number, to: number, delayEtu: number): Promise<boolean> => {
      if (from >= to) return true;
      const options: RawSend = {
        guardEtu: guard, delayEtu, badParity: badParity.filter((i) => i >= from && i < to).map((i) => i - from),
      };
      const { signalled } = await this.card.raw.sendCharacters(bytes.slice(from, to), options);
      return !signalled;
    };
    const middle = pause === undefined ? bytes.length : Math.min(pause.before, bytes.length);
    if (!await run(0, middle, delay)) return false;
    if (pause !== undefined && middle < bytes.length) await this.idle(pause.etu);
    return run(middle, bytes.length, delay);
  }

  /** Up to `count` characters, the first within `first` etu, the others within the character waiting time. */
  async read(count: number, first: number = this.times.answer): Promise<Character[]> {
    if (count <= 0) return [];
    const [start] = await this.card.raw.receiveCharacters(1, first);
    if (start === undefined) return [];
    const rest = count > 1 ? await this.card.raw.receiveCharacters(count - 1, this.times.character) : [];
    return [start, ...rest];
  }

  /** Reads on until the card has been silent for `etu`; undefined when it does not stop. */
  async silence(etu: number, most = 2000): Promise<Character[] | undefined> {
    const heard: Character[] = [];
    for (;;) {
      const [next] = await this.card.raw.receiveCharacters(1, etu);
      if (next === undefined) return heard;
      heard.push(next);
      if (heard.length > most) return undefined;
    }
  }

  async idle(etu: number): Promise<void> {
    await this.card.raw.idle(Math.ceil(this.card.port.now() + etu * this.card.port.etu()));
  }
}
