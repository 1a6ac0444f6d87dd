/**
 * Results of public-key operations by operation and input, bounded; the oldest entry goes first. The operations are
 * pure, so a result may be shared between chips, sessions and forks. Keep one for a campaign.
 */
export class CryptoCache {
  /** Lookups answered from the cache, and those that were not. */
  hits = 0;
  misses = 0;
  readonly #limit: number;
  readonly #results = new Map<string, Uint8Array | undefined>();

  /** Holds at most `limit` results. */
  constructor(limit = 4096) {
    this.#limit = limit;
  }

  /** Number of results held. */
  get size(): number {
    return this.#results.size;
  }

  /** The result for `key`, computed on the first call; undefined is a result too. Results must not be changed. */
  get(key: string, compute: () => Uint8Array | undefined): Uint8Array | undefined {
    if (this.#results.has(key)) {
      this.hits++;
      return this.#results.get(key);
    }
    this.misses++;
    const result = compute();
    if (this.#results.size >= this.#limit) {
      const oldest = this.#results.keys().next();
      if (oldest.done !== true) this.#results.delete(oldest.value);
    }
    this.#results.set(key, result);
    return result;
  }
}
