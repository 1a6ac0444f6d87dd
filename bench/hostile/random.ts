/** Numbers that look random and are the same for the same seed and stream (sfc32; not for keys). */
export class Prng {
  readonly #s: Uint32Array;

  constructor(seed: number, stream: number) {
    this.#s = Uint32Array.of(seed, stream, 0x9e3779b9 ^ seed, 1);
    for (let i = 0; i < 15; i += 1) this.next();
  }

  /** 32 bits. */
  next(): number {
    const s = this.#s;
    const sum = (s[0] + s[1] + s[3]) >>> 0;
    s[3] += 1;
    s[0] = s[1] ^ (s[1] >>> 9);
    s[1] = s[2] + (s[2] << 3);
    s[2] = (s[2] << 21) | (s[2] >>> 11);
    s[2] += sum;
    return sum;
  }

  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * limit);
  }

  /** True in `share` of the cases (0 to 1). */
  chance(share: number): boolean {
    return this.next() < share * 0x1_0000_0000;
  }

  /** 0 to 255. */
  byte(): number {
    return this.next() >>> 24;
  }

  /** `length` bytes. */
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.byte());
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}
