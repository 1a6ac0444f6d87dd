import type { Finding } from '../../scenarios/index.js';
import type { Judged, ResultClass } from './judge.js';
import { policyFamilies } from './policies.js';
import type { PolicyFamily } from './policies.js';
import type { TimedOperation, Timeline } from './timeline.js';

/** One kind of breach with its simplest case. Plain data. */
export interface Breach {
  readonly invariant: Finding['invariant'];
  readonly text: string;
  /** Last step the card had marked when the power went. */
  readonly step?: string;
  /** Cases that broke it. */
  readonly cases: number;
  /** The case with the simplest policy and, of those, the earliest cut. */
  readonly first: string;
  /** Rank of that case: policies first, then cycles; lower is simpler. */
  readonly rank: readonly number[];
}

/** A measure at its worst, and the case that gave it. */
export interface Worst {
  readonly value: number;
  readonly case: string;
}

/** Second cuts, within the recovery of a first one. */
export interface SecondReport {
  /** First cases times the intervals of their recovery. */
  readonly pairs: number;
  /** Different memories that were judged. */
  readonly images: number;
  /** Judgements of them: under each policy. */
  readonly cases: number;
  /** Different ways to go that were run. */
  readonly paths: number;
}

/** What came of a part of a timeline. Plain data; parts of one timeline can be added up. */
export interface UnitReport {
  readonly point: string;
  readonly seed: number;
  /** Absent for the cuts outside of page operations. */
  readonly operation?: TimedOperation;
  /** Cycles covered, intervals they fall into, different memories left, those with weak cells. */
  readonly cycles: number;
  readonly intervals: number;
  readonly images: number;
  readonly weakImages: number;
  /** Judgements: memories under each policy; different ways to go that were run. */
  readonly cases: number;
  readonly paths: number;
  readonly classes: Readonly<Record<ResultClass, number>>;
  readonly breaches: readonly Breach[];
  readonly worst: { readonly pages: Worst; readonly cycles: Worst; readonly retries: Worst; readonly atrLate: Worst; readonly atrEarly: Worst };
  readonly second?: SecondReport;
}

const none: Worst = { value: 0, case: '' };

/** Adds up what cases give. */
export class Tally {
  #cycles = 0;
  #intervals = 0;
  #images = 0;
  #weakImages = 0;
  #cases = 0;
  readonly #classes: Record<ResultClass, number> = { old: 0, new: 0, partial: 0, unstable: 0, unreadable: 0 };
  readonly #breaches = new Map<string, Breach>();
  readonly #worst = { pages: none, cycles: none, retries: none, atrLate: none, atrEarly: { value: Number.MAX_SAFE_INTEGER, case: '' } };
  readonly #second = { pairs: 0, images: 0, cases: 0 };

  /** An interval of so many cycles; `fresh` when it leaves a memory not seen before. */
  interval(cycles: number, fresh: boolean, weak: boolean): void {
    this.#cycles += cycles;
    this.#intervals += 1;
    this.#images += Number(fresh);
    this.#weakImages += Number(fresh && weak);
  }

  /** A judged case; `rank` orders cases by how simple they are. */
  case(judged: Judged, name: () => string, rank: readonly number[], step: string | undefined): void {
    this.#cases += 1;
    this.#classes[judged.result] += 1;
    this.#weigh(judged, name, rank, step);
  }

  /** Pairs of cuts, run or not. */
  pairs(count: number): void {
    this.#second.pairs += count;
  }

  /** A memory that a second cut left. */
  secondImage(): void {
    this.#second.images += 1;
  }

  /** A judged case of two cuts. */
  secondCase(judged: Judged, name: () => string, rank: readonly number[], step: string | undefined): void {
    this.#second.cases += 1;
    this.#weigh(judged, name, rank, step);
  }

  /** Everything as plain data; `paths` and `secondPaths` are different ways run. */
  report(timeline: Timeline, seed: number, operation: TimedOperation | undefined, paths: number, secondPaths?: number): UnitReport {
    return {
      point: timeline.point.id, seed, ...(operation === undefined ? {} : { operation }), cycles: this.#cycles, intervals: this.#intervals,
      images: this.#images, weakImages: this.#weakImages, cases: this.#cases, paths, classes: { ...this.#classes },
      breaches: [...this.#breaches.values()], worst: { ...this.#worst },
      ...(secondPaths === undefined ? {} : { second: { ...this.#second, paths: secondPaths } }),
    };
  }

  #weigh(judged: Judged, name: () => string, rank: readonly number[], step: string | undefined): void {
    const { pages, cycles, retries, atrClocks } = judged;
    this.#note('pages', pages, name);
    this.#note('cycles', cycles, name);
    this.#note('retries', retries, name);
    if (atrClocks > 0) {
      this.#note('atrLate', atrClocks, name);
      if (atrClocks < this.#worst.atrEarly.value) this.#worst.atrEarly = { value: atrClocks, case: name() };
    }
    for (const found of judged.findings) this.#breach(found, name, rank, step);
  }

  #note(what: 'pages' | 'cycles' | 'retries' | 'atrLate', value: number, name: () => string): void {
    if (value > this.#worst[what].value) this.#worst[what] = { value, case: name() };
  }

  #breach({ invariant, text }: Finding, name: () => string, rank: readonly number[], step: string | undefined): void {
    const key = `${invariant}: ${text}`;
    const known = this.#breaches.get(key);
    const simpler = known === undefined || isSimpler(rank, known.rank);
    const kept = simpler ? { first: name(), rank, ...(step === undefined ? {} : { step }) } : known;
    this.#breaches.set(key, { ...kept, invariant, text, cases: (known?.cases ?? 0) + 1 });
  }
}

/** Orders ranks: the first difference decides, a shorter one comes first. */
export function isSimpler(a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) if (a[i] !== b[i]) return a[i] < b[i];
  return a.length < b.length;
}

/** Rank of a case: how simple its policies are, then its cycles. */
export const rankOf = (families: readonly PolicyFamily[], cycles: readonly number[]): readonly number[] =>
  [families.length, ...families.map((family) => policyFamilies.indexOf(family)), ...cycles];

function later(a: Worst, b: Worst): Worst {
  return b.value > a.value ? b : a;
}

function joinBreaches(all: readonly Breach[]): readonly Breach[] {
  const joined = new Map<string, Breach>();
  for (const breach of all) {
    const key = `${breach.invariant}: ${breach.text}`;
    const known = joined.get(key);
    const kept = known === undefined || isSimpler(breach.rank, known.rank) ? breach : known;
    joined.set(key, { ...kept, cases: (known?.cases ?? 0) + breach.cases });
  }
  return [...joined.values()];
}

/** Several parts of one timeline as one. */
export function addUp(parts: readonly UnitReport[]): UnitReport {
  const sum = (of: (part: UnitReport) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const classSum = (name: ResultClass): number => sum(({ classes }) => classes[name]);
  const seconds = parts.flatMap(({ second }) => second ?? []);
  const secondSum = (of: (part: SecondReport) => number): number => seconds.reduce((total, part) => total + of(part), 0);
  const worst = (of: (part: UnitReport) => Worst): Worst => parts.map(of).reduce(later, none);
  const earliest = parts.map((part) => part.worst.atrEarly).reduce((a, b) => (b.value < a.value ? b : a));
  return {
    point: parts[0].point, seed: parts[0].seed, cycles: sum(({ cycles }) => cycles), intervals: sum(({ intervals }) => intervals),
    images: sum(({ images }) => images), weakImages: sum(({ weakImages }) => weakImages), cases: sum(({ cases }) => cases), paths: sum(({ paths }) => paths),
    classes: { old: classSum('old'), new: classSum('new'), partial: classSum('partial'), unstable: classSum('unstable'), unreadable: classSum('unreadable') },
    breaches: joinBreaches(parts.flatMap(({ breaches }) => breaches)),
    worst: {
      pages: worst((part) => part.worst.pages), cycles: worst((part) => part.worst.cycles), retries: worst((part) => part.worst.retries),
      atrLate: worst((part) => part.worst.atrLate), atrEarly: earliest,
    },
    ...(seconds.length === 0 ? {} : { second: {
      pairs: secondSum(({ pairs }) => pairs), images: secondSum(({ images }) => images), cases: secondSum(({ cases }) => cases), paths: secondSum(({ paths }) => paths),
    } }),
  };
}
