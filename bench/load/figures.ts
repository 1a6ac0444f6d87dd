/** Middle and 99th percentile of some latencies. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** Nearest-rank percentiles. @throws RangeError without values */
export function latencyOf(values: readonly number[]): Latency {
  if (values.length === 0) throw new RangeError('no latencies were measured');
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1];
  return { p50: at(0.5), p99: at(0.99) };
}

/** What was measured at one size of the store. */
export interface LoadRow {
  readonly certificates: number;
  /** Registrations answered in a second while the store grew to this size. */
  readonly perSecond: number;
  /** Milliseconds from sending a registration to its answer, with all connections busy. */
  readonly register: Latency;
  /** Microseconds of finding record and item in the store by counter, hash and the rest. */
  readonly lookup: Latency;
  /** Milliseconds of a whole retrieval over one connection. */
  readonly retrieve: Latency;
  /** Pages from the root of the store's tree to an entry. */
  readonly depth: number;
  /** Bytes of the store's file. */
  readonly bytes: number;
}

/** How lookups grew from the smallest to one larger size. */
export interface Growth {
  readonly from: number;
  readonly to: number;
  /** Middle latency there by middle latency here. */
  readonly factor: number;
  /** Most that still counts as O(log n). */
  readonly allowed: number;
}

/** Room for noise of a busy machine and for what a larger store takes out of the caches. */
const tolerance = 2;

/**
 * The rule for O(log n): from the smallest size n to each larger size m the middle lookup may grow by at most
 * 2 ln m / ln n. A search through all records grows by m / n.
 */
export function growthOf(rows: readonly Pick<LoadRow, 'certificates' | 'lookup'>[]): readonly Growth[] {
  const [first, ...larger] = rows;
  return larger.map(({ certificates, lookup }) => ({
    from: first.certificates, to: certificates, factor: lookup.p50 / first.lookup.p50,
    allowed: tolerance * (Math.log(certificates) / Math.log(first.certificates)),
  }));
}

/** True when no lookup grew faster than the rule allows. */
export function isLogarithmic(growth: readonly Growth[]): boolean {
  return growth.every(({ factor, allowed }) => factor <= allowed);
}
