/** What the protocol side of the fake card may do. */
export interface FakeLink {
  /** Present etu in ticks. */
  etu(): number;
  /** Puts characters on the line, the first with its leading edge at `at` (ticks), then every `gapEtu`. */
  say(bytes: ArrayLike<number>, at: number, gapEtu?: number): void;
  /** Records that the terminal broke a rule. */
  complain(what: string): void;
  setRates(F: number, D: number): void;
}

/** The card's side of one protocol: gets each character with its leading edge (ticks). */
export interface FakeProtocol {
  onCharacter(byte: number, parityOk: boolean, at: number): void;
}

/** Misbehaviour of the fake card on purpose; counts are of its answers from 1. */
export interface FakeQuirks {
  /** Answer n comes this many etu too late (after its thinking time). */
  readonly late?: { readonly answer: number; readonly etu: number };
  /** Answer n is not given. */
  readonly mute?: { readonly from: number };
  /** etu between the card's characters; default 12. */
  readonly gapEtu?: number;
  /** etu between the terminal's last character and the card's first; default 16 (T=0), 22 (T=1). */
  readonly turnaroundEtu?: number;
  /** T=0: data byte by byte (INS xor FF) instead of all at once. */
  readonly byteWise?: boolean;
  /** T=1: the card announces this IFSC by S(IFS) before its first answer. */
  readonly announceIfsc?: number;
  /** T=1: the card sends S(ABORT) instead of answering the first block of a chain. */
  readonly abortChain?: boolean;
  /** T=1: the card does not answer S(RESYNCH). */
  readonly noResynch?: boolean;
}
