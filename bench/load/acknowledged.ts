import { sha256 } from '@noble/hashes/sha2.js';
import { certificate as certificateCodec, equalBytes, hashX, toHex } from '../codec/index.js';
import type { LoadRequest } from './requests.js';

/** Four bytes of a certificate's SHA-256, never 0: what is remembered of each. */
function checkOf(certificate: Uint8Array): number {
  const [a, b, c, d] = sha256(certificate);
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0 || 1;
}

/** A generator of numbers from 0 to below `bound`, the same for the same seed (xorshift32). */
export function seededNumbers(seed: number): (bound: number) => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return (bound) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % bound;
  };
}

/** A certificate kept for lookups, with the number of its registration. */
export interface Sample {
  readonly index: number;
  readonly certificate: Uint8Array;
}

/** Remembers what a safe has acknowledged and says what is wrong with it: a few bytes for each certificate. */
export class Acknowledged {
  /** What is wrong, in words; empty when nothing is. */
  readonly defects: string[] = [];
  /** A uniform sample of the certificates. */
  readonly samples: Sample[] = [];
  readonly #sampleSize: number;
  readonly #random: (bound: number) => number;
  /** By counter: 0 where none was acknowledged. */
  #checks = new Uint32Array(1024);
  #count = 0;
  #highest = -1;

  constructor(seed: number, sampleSize = 2000) {
    this.#random = seededNumbers(seed);
    this.#sampleSize = sampleSize;
  }

  /** Certificates acknowledged, each counted once. */
  get count(): number {
    return this.#count;
  }

  /** Highest counter seen, -1 before the first. */
  get highest(): number {
    return this.#highest;
  }

  /** Notes a new certificate and gives its counter; a counter given before, or a certificate of something else, is a defect. */
  take(index: number, sent: LoadRequest, certificate: Uint8Array): number {
    const { counter, cardId, sequence, algorithm, hash } = certificateCodec.decode(certificate);
    if (!equalBytes(cardId, sent.cardId) || sequence !== sent.sequence || !equalBytes(hash, hashX(algorithm, sent.value)))
      this.defects.push(`certificate ${counter} is not of registration ${index}`);
    this.#room(counter);
    if (this.#checks[counter] !== 0) this.defects.push(`counter ${counter} was given twice`);
    this.#checks[counter] = checkOf(certificate);
    this.#count += 1;
    this.#highest = Math.max(this.#highest, counter);
    this.#sample({ index, certificate });
    return counter;
  }

  /** What a store's record says against what was acknowledged under its counter; a defect where they differ. */
  compare(counter: number, certificate: Uint8Array): void {
    if (this.#checks[counter] === checkOf(certificate)) return;
    const known = this.#checks[counter] ? 'another certificate was acknowledged' : 'nothing was acknowledged';
    this.defects.push(`record ${counter} (${toHex(certificate.slice(0, 8))}...): ${known}`);
  }

  #room(counter: number): void {
    if (counter < this.#checks.length) return;
    const grown = new Uint32Array(Math.max(2 * this.#checks.length, counter + 1));
    grown.set(this.#checks);
    this.#checks = grown;
  }

  #sample(one: Sample): void {
    if (this.samples.length < this.#sampleSize) this.samples.push(one);
    else {
      const at = this.#random(this.#count);
      if (at < this.#sampleSize) this.samples[at] = one;
    }
  }
}
