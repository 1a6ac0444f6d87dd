import type { CommandFields, ResponseApdu } from '../apdu.js';

/** What an application of the fake card answers, and how long it takes. */
export interface FakeAnswer extends ResponseApdu {
  /** etu it thinks before it answers. */
  readonly thinkEtu?: number;
  /** Times it asks for more time meanwhile (NULL, S(WTX)). */
  readonly askTime?: number;
}

/** The application of a fake card: pure over its own state. */
export interface FakeApp {
  /** True when the data of this command goes to the card (T=0 must know beforehand). */
  takesData(ins: number): boolean;
  run(command: CommandFields): FakeAnswer;
  reset(): void;
}

/** Application identifier of docs/protocol.md, section 2. */
export const AID = Uint8Array.of(0xf0, 0x43, 0x41, 0x52, 0x44, 0x42, 0x45, 0x4e, 0x43, 0x48);
const NONE = new Uint8Array(0);
const TAKES = new Set([0xa4, 0x20, 0x2e, 0xf0, 0xf4]);

/** Bytes 0, 1, 2 ... of a length, as the fake card gives them. */
export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i & 0xff);
}

/**
 * A small part of docs/protocol.md, 2.1 (SELECT, GET DATA, VERIFY, LOAD), and three commands of its
 * own: F0 gives its data back, F2 gives P1P2 bytes, F4 takes data, F6 thinks P1 * 1000 etu and asks for
 * time P2 times.
 */
export class PatternApp implements FakeApp {
  /** Commands as the application has seen them, chains assembled. */
  readonly seen: CommandFields[] = [];

  takesData(ins: number): boolean {
    return TAKES.has(ins);
  }

  run(command: CommandFields): FakeAnswer {
    this.seen.push(command);
    const { ins, p1, p2, data = NONE } = command;
    if (ins === 0xa4) return this.#select(data);
    if (ins === 0xca) return this.#getData((p1 << 8) | p2);
    if (ins === 0x20) return { data: NONE, sw: 0x63c3 };
    if (ins === 0x2e) return { data: NONE, sw: 0x6a80 };
    if (ins === 0xf0) return { data: data.slice(), sw: 0x9000 };
    if (ins === 0xf2) return { data: pattern((p1 << 8) | p2), sw: 0x9000 };
    if (ins === 0xf4) return { data: NONE, sw: 0x9000 };
    if (ins === 0xf6) return { data: NONE, sw: 0x9000, thinkEtu: p1 * 1000, askTime: p2 };
    return { data: NONE, sw: 0x6d00 };
  }

  reset(): void {
    this.seen.length = 0;
  }

  #select(aid: Uint8Array): FakeAnswer {
    const known = aid.length === AID.length && aid.every((byte, i) => byte === AID[i]);
    return known ? { data: Uint8Array.of(0x6f, 0x0c, 0x84, 0x0a, ...AID), sw: 0x9000 } : { data: NONE, sw: 0x6a82 };
  }

  #getData(tag: number): FakeAnswer {
    if (tag === 0xdf05) return { data: new TextEncoder().encode('fake card'), sw: 0x9000 };
    return tag === 0xdf02 ? { data: pattern(22), sw: 0x9000 } : { data: NONE, sw: 0x6a82 };
  }
}
