import type { NvmState, WeakPage } from './types.js';

/** Bytes a hash is taken over at a time; an EEPROM is a whole number of them. */
const BLOCK = 64;

/**
 * A 64-bit hash (16 hexadecimal digits) of what later sessions can see of an EEPROM: bytes, weak cells and torn
 * pages; not its wear and session counters. Equal states give equal digests on every machine; not cryptographic.
 */
export function nvmDigest(state: NvmState): string {
  return new NvmHash(state.bytes).digest(state.bytes, state.weak, state.torn, []);
}

/** Digests of memories that differ from one in few places: the hashes of its blocks are kept. */
export class NvmHash {
  readonly #blocks: Int32Array;
  readonly #sum: readonly [number, number];

  /** `base` is the memory that the others are near. */
  constructor(base: Uint8Array) {
    const words = wordsOf(base);
    const count = Math.ceil(base.length / BLOCK);
    this.#blocks = new Int32Array(count * 2);
    let [a, b] = [0, 0];
    for (let block = 0; block < count; block++) {
      hashBlock(words, block, this.#blocks, block * 2);
      a = (a + this.#blocks[block * 2]) | 0;
      b = (b + this.#blocks[block * 2 + 1]) | 0;
    }
    this.#sum = [a, b];
  }

  /**
   * As {@link nvmDigest} of a memory that differs from the base in `changed` only: offsets of bytes, one for each
   * block of 64 that may differ, no block twice.
   */
  digest(bytes: Uint8Array, weak: readonly WeakPage[], torn: readonly number[], changed: readonly number[]): string {
    const words = wordsOf(bytes);
    const fresh = new Int32Array(2);
    let [a, b] = this.#sum;
    for (const offset of changed) {
      const block = Math.floor(offset / BLOCK);
      hashBlock(words, block, fresh, 0);
      a = (a + fresh[0] - this.#blocks[block * 2]) | 0;
      b = (b + fresh[1] - this.#blocks[block * 2 + 1]) | 0;
    }
    const hash = new Lanes();
    hash.add(a);
    hash.add(b);
    for (const page of weak) {
      hash.add(page.page);
      page.bits.forEach((bit, i) => { hash.add(bit * 2 + page.toErased[i]); hash.add(Math.round(page.charge[i] * 1e6)); });
    }
    hash.add(-1);
    for (const page of torn) hash.add(page);
    return hash.digest();
  }
}

/** Hash of one block, its place included, into two words of `into`. */
function hashBlock(words: Int32Array, block: number, into: Int32Array, at: number): void {
  const first = (block * BLOCK) / 4;
  const end = Math.min(first + BLOCK / 4, words.length);
  let a = Math.imul(block + 1, 0x9e3779b1);
  let b = Math.imul(block ^ 0x5bd1e995, 0x85ebca77);
  for (let i = first; i < end; i++) {
    a = Math.imul(a ^ words[i], 0x85ebca6b);
    a ^= a >>> 15;
    b = Math.imul(b + words[i], 0xc2b2ae35);
    b ^= b >>> 13;
  }
  a = Math.imul(a ^ (b >>> 7), 0x27d4eb2f);
  b = Math.imul(b ^ (a >>> 11), 0x165667b1);
  into[at] = a ^ (a >>> 15);
  into[at + 1] = b ^ (b >>> 16);
}

/** Two multiplicative 32-bit lanes. */
class Lanes {
  #a = 0x811c9dc5 | 0;
  #b = 0x9e3779b9 | 0;

  add(word: number): void {
    let a = Math.imul(this.#a ^ word, 0x85ebca6b);
    a ^= a >>> 15;
    let b = Math.imul(this.#b + word, 0xc2b2ae35);
    b ^= b >>> 13;
    this.#a = (a + b) | 0;
    this.#b = b ^ (a << 7);
  }

  digest(): string {
    for (let i = 0; i < 4; i++) this.add(i);
    return [this.#a, this.#b].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
  }
}

/** Words in memory order of this machine, read little-endian everywhere. */
function wordsOf(bytes: Uint8Array): Int32Array {
  const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
  if (little && bytes.byteOffset % 4 === 0 && bytes.length % 4 === 0) return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const words = new Int32Array(Math.ceil(bytes.length / 4));
  bytes.forEach((byte, i) => { words[i >> 2] |= byte << (8 * (i & 3)); });
  return words;
}
