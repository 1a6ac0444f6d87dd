import { EmulatedCard } from '../../devices/index.js';
import { uintOf } from '../codec/index.js';
import type { CardBench } from '../world/card-bench.js';
import { seededRandom } from '../world/random.js';
import type { RandomSource } from '../world/random.js';
import { defaultPolicies } from './policies.js';

/** A power cut on one of several cards. */
export interface RoleCut<R extends string> {
  readonly card: R;
  /** Ticks of the bench after the run began. */
  readonly tick: number;
}

/** A page operation, in ticks after the run began. */
export interface Operation {
  readonly start: number;
  readonly end: number;
}

/** Page operations of a card, and the whole stretch, in ticks after the run began. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly operations: readonly Operation[];
}

/** The emulated card in a slot; undefined for a stand-in without a chip. */
export function chipIn<R extends string>(bench: CardBench<R>, role: R): EmulatedCard | undefined {
  const { channel } = bench.slot(role);
  return channel instanceof EmulatedCard ? channel : undefined;
}

/** Notes page operations of cards over power sessions, in ticks after it was made. */
export class OperationLog<R extends string> {
  readonly #bench: CardBench<R>;
  readonly #from: number;
  readonly #seen = new Map<R, number>();
  readonly #operations = new Map<R, Operation[]>();

  constructor(bench: CardBench<R>, roles: readonly R[]) {
    this.#bench = bench;
    this.#from = bench.now;
    for (const role of roles) this.#seen.set(role, chipIn(bench, role)?.chip.eeprom.writes.length ?? 0);
  }

  /** What a card has written so far. */
  of(role: R): readonly Operation[] {
    return this.#operations.get(role) ?? [];
  }

  /** Takes over what has been written; to be called before a session ends and at the end. */
  collect(role: R, sessionEnds: boolean): void {
    const slot = this.#bench.slot(role);
    const writes = chipIn(this.#bench, role)?.chip.eeprom.writes ?? [];
    const fresh = writes.slice(this.#seen.get(role) ?? 0).map(({ start, end }) => ({ start: slot.tickOf(start) - this.#from, end: slot.tickOf(end) - this.#from }));
    this.#operations.set(role, [...this.of(role), ...fresh]);
    this.#seen.set(role, sessionEnds ? 0 : writes.length);
  }
}

/** Two of three cuts lie in a page operation, where there is one; the rest anywhere. */
function drawn(random: RandomSource, { from, to, operations }: Stretch, number: number): number {
  const share = uintOf(random(4)) / 0x100000000;
  if (number % 3 === 2 || operations.length === 0) return from + Math.floor(share * (to - from));
  const total = operations.reduce((sum, { start, end }) => sum + end - start, 0);
  let offset = Math.floor(share * total);
  for (const { start, end } of operations) {
    if (offset < end - start) return start + offset;
    offset -= end - start;
  }
  return from;
}

/** What cuts are drawn from. */
export interface CutDraw<R extends string> {
  /** Of the point; the same label, number and seed give the same cuts. */
  readonly label: string;
  /** One card, or two that are cut one after the other. */
  readonly cards: readonly R[];
  /** What a card does in a run with the cuts given, from the last of them on. */
  readonly stretch: (role: R, cuts: readonly RoleCut<R>[], policy: string) => Promise<Stretch>;
}

/** The cuts of one case by number and seed. Of two, the second is drawn from what its card does after the first. */
export async function drawCuts<R extends string>({ label, cards, stretch }: CutDraw<R>, number: number, seed: number): Promise<{ readonly cuts: readonly RoleCut<R>[]; readonly policy: string }> {
  const random = seededRandom(seed, `${label} ${number}`);
  const policy = defaultPolicies[number % defaultPolicies.length];
  const [first, second] = number % 2 === 0 ? cards : [...cards].reverse();
  const early = { card: first, tick: drawn(random, await stretch(first, [], policy), number) };
  if (cards.length === 1) return { cuts: [early], policy };
  return { cuts: [early, { card: second, tick: drawn(random, await stretch(second, [early], policy), number >> 1) }], policy };
}

/** What comes behind the last of some cuts. */
export function stretchAfter(cuts: readonly { readonly tick: number }[], operations: readonly Operation[], ended: number): Stretch {
  const after = Math.max(0, ...cuts.map(({ tick }) => tick + 1));
  return { from: after, to: Math.max(after + 1, ended), operations: operations.filter(({ start }) => start >= after) };
}
