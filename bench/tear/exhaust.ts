import { countWeak } from '../../emulator/index.js';
import type { NvmState } from '../../emulator/index.js';
import type { WorldFactory } from '../certify/factory.js';
import { caseId, caseOf } from './case-id.js';
import { CutJudge } from './cut-judge.js';
import type { CutImage, Verdict } from './cut-judge.js';
import { expandPolicies } from './policies.js';
import type { CutPolicy } from './policies.js';
import { judgeSecondCuts } from './second.js';
import { rankOf, Tally } from './tally.js';
import type { UnitReport } from './tally.js';
import { CutMaker } from './timeline.js';
import type { Span, Timeline } from './timeline.js';

/** How the cuts of a timeline are judged. */
export interface CutManner {
  /** Names and families, see {@link expandPolicies}. */
  readonly policies: readonly string[];
  /** 2: power is cut once more within the recovery. */
  readonly depth: 1 | 2;
  /** Cycles that are cut; undefined: all. */
  readonly sample: readonly number[] | undefined;
  /** A part is given up after so many different ways to break an invariant; 0: never. */
  readonly failures: number;
}

/** Part of a timeline: the cuts during one page operation, or all others. */
export type Part = number | 'rest';

/** The parts of a timeline in order. */
export const partsOf = ({ operations }: Pick<Timeline, 'operations'>): readonly Part[] => [...operations.map(({ index }) => index), 'rest'];

/** A cut in a span, and the first later cycle at which a cut leaves something else. */
export interface Interval {
  readonly span: Span;
  readonly from: number;
  readonly to: number;
}

/** A first cut under one policy, with what is known of it. */
export interface FirstCase {
  readonly interval: Interval;
  readonly policy: CutPolicy;
  readonly verdict: Verdict;
}

/** Hears how many intervals of a part are done, of how many. */
export type PartListener = (done: number, total: number) => void;

/** Judges the cuts of one timeline part by part. */
export class Exhaust {
  readonly timeline: Timeline;
  readonly factory: WorldFactory;
  readonly #maker: CutMaker;
  readonly #judge: CutJudge;

  constructor(factory: WorldFactory, timeline: Timeline) {
    this.factory = factory;
    this.timeline = timeline;
    this.#maker = new CutMaker(factory);
    this.#judge = new CutJudge(factory, timeline);
  }

  /** Judges every cut of a part, or those of the sample. */
  async run(part: Part, manner: CutManner, tell: PartListener = () => undefined): Promise<UnitReport> {
    this.#judge.forget();
    const operation = part === 'rest' ? undefined : this.timeline.operations[part];
    const intervals = this.intervals(part, manner.sample);
    const tally = new Tally();
    const firsts: FirstCase[] = [];
    const total = intervals.length * manner.depth;
    const seen = new Set<string>();
    for (const [at, interval] of intervals.entries()) {
      if (this.#enough(manner)) {
        tally.skip(intervals.length - at);
        break;
      }
      const image = this.imageOf(interval.span, interval.from);
      const key = `${this.#judge.digest(image)} ${interval.span.before} ${interval.span.safes}`;
      tally.interval(interval.to - interval.from, !seen.has(key), image.nvm.weak.length > 0);
      if (!seen.has(key)) {
        const cases = await this.#first(image, interval, manner, tally);
        if (manner.depth === 2) firsts.push(...cases);
      }
      seen.add(key);
      if (at % 16 === 0) tell(at, total);
    }
    const { paths } = this.#judge;
    if (manner.depth === 1) return tally.report(this.timeline, this.factory.setup.seed, operation, paths);
    await judgeSecondCuts({
      firsts, judge: this.#judge, array: this.#maker.array, policies: manner.policies, tally, enough: () => this.#enough(manner),
      imageOf: (span, cycle) => this.imageOf(span, cycle),
      name: (cycles, policies) => this.name(cycles, policies), tell: (done) => { tell(intervals.length + done * intervals.length, total); },
    });
    return tally.report(this.timeline, this.factory.setup.seed, operation, paths, this.#judge.paths - paths);
  }

  /** The intervals of a part in order: each with one cut for all its cycles. With a sample: those cycles alone. */
  intervals(part: Part, sample?: readonly number[]): readonly Interval[] {
    const spans = this.timeline.spans.filter((span) => span.operation === (part === 'rest' ? undefined : part));
    if (sample !== undefined)
      return spans.flatMap((span) => sample.filter((cycle) => cycle >= span.from && cycle < span.to).map((cycle) => ({ span, from: cycle, to: cycle + 1 })));
    return spans.flatMap((span) => {
      const cycles = this.#maker.cyclesOf(span);
      return cycles.map((from, i) => ({ span, from, to: cycles[i + 1] ?? span.to }));
    });
  }

  /** The image that a cut at `cycle` of a span leaves. */
  imageOf(span: Span, cycle: number): CutImage {
    const nvm = this.#maker.leftAt(span, cycle);
    const torn = tornPages(span, nvm, this.factory.setup.profile.eeprom.cells.disturb > 0);
    return { nvm, span, torn, changed: torn };
  }

  /** Id of a case: cycles of the cuts and names of the policies after each. */
  name(cycles: readonly number[], policies: readonly string[]): string {
    return caseId(caseOf(this.factory.setup, this.timeline.point.id, cycles, policies));
  }

  #enough({ failures }: CutManner): boolean {
    return failures > 0 && this.#judge.broken >= failures;
  }

  async #first(image: CutImage, interval: Interval, { policies }: CutManner, tally: Tally): Promise<readonly FirstCase[]> {
    const { span, from } = interval;
    const firsts: FirstCase[] = [];
    for (const policy of expandPolicies(policies, countWeak(image.nvm.weak))) {
      const verdict = await this.#judge.judge(image, policy);
      tally.case(verdict.judged, () => this.name([from], [policy.name]), rankOf([policy.family], [from]), span.step);
      firsts.push({ interval, policy, verdict });
    }
    return firsts;
  }
}

/** Pages that a cut in a span leaves different from one to the next. */
function tornPages(span: Span, nvm: NvmState, disturbs: boolean): ReadonlySet<number> {
  const weak = nvm.weak.map(({ page }) => page);
  const { op } = span.eeprom;
  if (span.operation === undefined || op === undefined) return new Set(weak);
  return new Set([op.page, ...(disturbs ? [op.page - 1, op.page + 1] : []), ...weak]);
}
