import { countWeak } from '../../emulator/index.js';
import type { EepromArray } from '../../emulator/index.js';
import type { CutImage, CutJudge, RecoveryOperation, Verdict } from './cut-judge.js';
import type { FirstCase } from './exhaust.js';
import type { PathMemo } from './path-memo.js';
import { expandPolicies } from './policies.js';
import { rankOf } from './tally.js';
import type { Tally } from './tally.js';
import { cutState } from './timeline.js';
import type { Span } from './timeline.js';

/** What second cuts need. */
export interface SecondSetting {
  readonly firsts: readonly FirstCase[];
  readonly judge: CutJudge;
  /** For deriving what cuts leave. */
  readonly array: EepromArray;
  readonly policies: readonly string[];
  readonly tally: Tally;
  imageOf(span: Span, cycle: number): CutImage;
  name(cycles: readonly number[], policies: readonly string[]): string;
  /** True once so much has failed that the rest need not be run. */
  enough(): boolean;
  /** Hears which part of the first cases is done, 0 to 1. */
  tell(done: number): void;
}

/** First cases that took the same path: their recoveries read, wrote and timed the same. */
function alike(firsts: readonly FirstCase[]): readonly (readonly FirstCase[])[] {
  const groups = new Map<Verdict, FirstCase[]>();
  for (const first of firsts) {
    const group = groups.get(first.verdict) ?? [];
    group.push(first);
    groups.set(first.verdict, group);
  }
  return [...groups.values()];
}

/** The cut between power-on and the first page operation: one session more, nothing written. */
function bareCut(setting: SecondSetting, image: CutImage, { policy }: FirstCase): CutImage {
  const { array } = setting;
  array.watch(new Set(), undefined);
  array.powerOn(image.nvm, policy.first);
  return { ...image, nvm: array.cut(0) };
}

/** Cycles of the second cut within an operation: one for each different image, its completion included. */
export function secondCycles(array: EepromArray, { state, start, end }: RecoveryOperation): readonly number[] {
  if (state.op === undefined) return [];
  return [start + 1, ...[...array.model.edges(state.op)].filter((cycle) => cycle > start + 1 && cycle <= end)];
}

/** Judges one image of a second cut under every policy. */
async function judgeSecond(setting: SecondSetting, first: FirstCase, image: CutImage, cycle: number): Promise<void> {
  const { judge, tally, policies } = setting;
  const { interval, policy } = first;
  tally.secondImage();
  for (const second of expandPolicies(policies, countWeak(image.nvm.weak))) {
    const { judged } = await judge.judge(image, second);
    tally.secondCase(
      judged, () => setting.name([interval.from, cycle], [policy.name, second.name]),
      rankOf([policy.family, second.family], [interval.from, cycle]), interval.span.step,
    );
  }
}

/** Pages that earlier operations of a recovery have erased: what they hold no longer depends on the first cut. */
const erasedBy = (earlier: readonly RecoveryOperation[]): ReadonlySet<number> =>
  new Set(earlier.filter(({ state }) => (state.op?.eraseCycles ?? 0) > 0).map(({ page }) => page));

/** What a second cut at `cycle` of operation `at` of the recovery from `image` leaves. */
export function secondImage(array: EepromArray, image: CutImage, operations: readonly RecoveryOperation[], at: number, cycle: number): CutImage {
  const [operation, earlier] = [operations[at], operations.slice(0, at)];
  const erased = erasedBy(earlier);
  const nvm = cutState(array, operation.state, cycle);
  return {
    nvm, span: image.span, changed: new Set([...image.changed, ...earlier.map(({ page }) => page), operation.page]),
    torn: new Set([...[...image.torn].filter((page) => !erased.has(page)), operation.page, ...nvm.weak.map(({ page }) => page)]),
  };
}

/** Second cuts in one operation: how many, and the kinds of memory they leave with their torn pages. */
interface CutCount {
  readonly count: number;
  readonly kinds: ReadonlyMap<PathMemo<Verdict>, ReadonlySet<number>>;
}

/** Judges the second cuts in one operation of a recovery. */
async function cutOperation(
  setting: SecondSetting, first: FirstCase, image: CutImage, operations: readonly RecoveryOperation[], at: number,
): Promise<CutCount> {
  const kinds = new Map<PathMemo<Verdict>, ReadonlySet<number>>();
  let count = 0;
  for (const cycle of secondCycles(setting.array, operations[at])) {
    if (setting.enough()) break;
    const second = secondImage(setting.array, image, operations, at, cycle);
    count += 1;
    kinds.set(setting.judge.memoOf(second), second.torn);
    await judgeSecond(setting, first, second, cycle);
  }
  return { count, kinds };
}

/** True when no case of these kinds depended on what the pages of the first cut held. */
function independent(kinds: CutCount['kinds'], torn: ReadonlySet<number>): boolean {
  return [...kinds].every(([memo, open]) => [...torn].every((page) => !open.has(page) || !memo.dependsOn(page)));
}

/** Intervals of an operation for another first case with the same recovery: its torn pages may hold something else. */
async function pairsOf(setting: SecondSetting, first: FirstCase, at: number): Promise<number> {
  const { operations } = await setting.judge.recovery(setting.imageOf(first.interval.span, first.interval.from), first.policy);
  return secondCycles(setting.array, operations[at]).length;
}

/** Judges the second cuts after first cases with equal recoveries: of one for all where that is sound, else of each. */
async function cutGroup(setting: SecondSetting, group: readonly FirstCase[]): Promise<void> {
  const { judge, tally } = setting;
  const [first, ...others] = group;
  const image = setting.imageOf(first.interval.span, first.interval.from);
  const { operations } = await judge.recovery(image, first.policy);
  await judgeSecond(setting, first, bareCut(setting, image, first), 0);
  tally.pairs(group.length);
  for (const [at, operation] of operations.entries()) {
    const { count, kinds } = await cutOperation(setting, first, image, operations, at);
    tally.pairs(count);
    const shared = independent(kinds, image.torn);
    for (const other of others) {
      if (shared) tally.pairs(image.torn.has(operation.page) ? await pairsOf(setting, other, at) : count);
      else await cutAlone(setting, other, at);
    }
  }
}

/** The second cuts in one operation after one first case. */
async function cutAlone(setting: SecondSetting, first: FirstCase, at: number): Promise<void> {
  const image = setting.imageOf(first.interval.span, first.interval.from);
  const { operations } = await setting.judge.recovery(image, first.policy);
  setting.tally.pairs((await cutOperation(setting, first, image, operations, at)).count);
}

/**
 * Cuts the power once more at every moment of the recovery after each first cut. Recoveries that went the same way share
 * one subtree as long as nothing in it depended on what the pages torn first hold; otherwise each is cut on its own.
 */
export async function judgeSecondCuts(setting: SecondSetting): Promise<void> {
  let done = 0;
  for (const group of alike(setting.firsts)) {
    if (setting.enough()) {
      setting.tally.skip(setting.firsts.length - done);
      return;
    }
    await cutGroup(setting, group);
    done += group.length;
    setting.tell(done / setting.firsts.length);
  }
}
