import type { NvmState } from './types.js';

/**
 * A 64-bit hash (16 hexadecimal digits) of what later sessions can see of an EEPROM: bytes, weak cells, torn
 * pages and stuck cells; not its wear and session counters. Equal states give equal digests on every machine; not cryptographic.
 */
export function nvmDigest(state: NvmState): string {
  const hash = new Lanes();
  const words = wordsOf(state.bytes);
  for (let i = 0; i < words.length; i++) hash.add(words[i]);
  for (const weak of state.weak) {
    hash.add(weak.page);
    weak.bits.forEach((bit, i) => { hash.add(bit * 2 + weak.toErased[i]); hash.add(Math.round(weak.charge[i] * 1e6)); });
  }
  hash.add(-1);
  for (const page of state.torn) hash.add(page);
  for (const { page, bit, stuck } of state.faulty ?? []) if (stuck !== undefined) for (const part of [-2, page, bit, stuck]) hash.add(part);
  return hash.digest();
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
