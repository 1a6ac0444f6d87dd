import { EmulatedCard } from '../../devices/index.js';
import { nvmDigest } from '../../emulator/index.js';
import { uintOf } from '../codec/index.js';
import type { CardBench } from '../world/card-bench.js';
import { seededRandom } from '../world/random.js';
import type { RandomSource } from '../world/random.js';
import { SlotWatch } from '../world/slot-watch.js';
import { TearError } from './errors.js';
import { defaultPolicies, policyOf } from './policies.js';
import type { CutPolicy } from './policies.js';

/** A power cut on one of several cards. */
export interface RoleCut<R extends string> {
  readonly card: R;
  /** Ticks of the bench after the run began. */
  readonly tick: number;
}

/** A page operation, in ticks after the run began. */
interface Operation {
  readonly start: number;
  readonly end: number;
}

/** Page operations of a card, and the whole stretch, in ticks after the run began. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly operations: readonly Operation[];
}

/** The emulated card in a slot; undefined for a stand-in without a chip. */
function chipIn<R extends string>(bench: CardBench<R>, role: R): EmulatedCard | undefined {
  const { channel } = bench.slot(role);
  return channel instanceof EmulatedCard ? channel : undefined;
}

/** Notes page operations of cards over power sessions, in ticks after it was made. */
class OperationLog<R extends string> {
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
    const operations = this.#operations.get(role) ?? [];
    for (const { start, end } of writes.slice(this.#seen.get(role) ?? 0)) operations.push({ start: slot.tickOf(start) - this.#from, end: slot.tickOf(end) - this.#from });
    this.#operations.set(role, operations);
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
interface CutDraw<R extends string> {
  /** Of the point; the same label, number and seed give the same cuts. */
  readonly label: string;
  /** One card, or two that are cut one after the other. */
  readonly cards: readonly R[];
  /** What a card does in a run with the cuts given, from the last of them on. */
  readonly stretch: (role: R, cuts: readonly RoleCut<R>[], policy: string) => Promise<Stretch>;
}

/** The cuts of one case by number and seed. Of two, the second is drawn from what its card does after the first. */
async function drawCuts<R extends string>({ label, cards, stretch }: CutDraw<R>, number: number, seed: number): Promise<{ readonly cuts: readonly RoleCut<R>[]; readonly policy: string }> {
  const random = seededRandom(seed, `${label} ${number}`);
  const policy = defaultPolicies[number % defaultPolicies.length];
  const [first, second] = number % 2 === 0 ? cards : [...cards].reverse();
  const early = { card: first, tick: drawn(random, await stretch(first, [], policy), number) };
  if (cards.length === 1) return { cuts: [early], policy };
  return { cuts: [early, { card: second, tick: drawn(random, await stretch(second, [early], policy), number >> 1) }], policy };
}

/** One case judged. */
export interface CardCutResult<R extends string> {
  readonly cuts: readonly RoleCut<R>[];
  readonly policy: string;
  /** Cards whose power really went. */
  readonly fired: readonly R[];
  /** What the invariants and who goes on honestly say. */
  readonly reasons: readonly string[];
  /** Runs needed to come to the end, the first included. */
  readonly attempts: number;
  /** Digests of the memories the cuts left; none for cards without a chip. */
  readonly memories: readonly string[];
  /** Step at which the first cut ended the run; absent when it came after the end. */
  readonly step?: string;
}

/** One run with its cuts, ready to be carried out. */
export interface CutRun<R extends string> {
  run(): Promise<CardCutResult<R>>;
  /** What its cards did; to be asked after the run. */
  readonly session: CutSession<R>;
}

/** What cuts on the cards of one run are made from. */
export interface CardTearParts<R extends string> {
  readonly point: { readonly id: string; readonly cards: readonly R[] };
  /** The same label, number and seed give the same cuts. */
  readonly label: string;
  /** A run from the state in which it is about to begin. `blind`: nothing is looked at between, for learning what the cards do. */
  readonly begin: (cuts: readonly RoleCut<R>[], policy: CutPolicy, blind: boolean) => CutRun<R>;
}

/** Power cuts on the cards of one run, from one state in which it is about to begin. */
export class CardTear<R extends string> {
  readonly #parts: CardTearParts<R>;
  readonly #first = new Map<R, Stretch>();

  constructor(parts: CardTearParts<R>) {
    this.#parts = parts;
  }

  /** The cuts of one case by number and seed. Of two, the second is drawn from what its card does after the first. */
  draw(number: number, seed: number): Promise<{ readonly cuts: readonly RoleCut<R>[]; readonly policy: string }> {
    const { label, point: { cards } } = this.#parts;
    return drawCuts({ label, cards, stretch: (role, cuts, policy) => this.#stretch(role, cuts, policy) }, number, seed);
  }

  /** Runs a case and judges it. */
  run(cuts: readonly RoleCut<R>[], policy: string): Promise<CardCutResult<R>> {
    return this.#parts.begin(cuts, policyOf(policy), false).run();
  }

  /** What a card does in a run with the cuts given, from the last of them on. Throws TearError TEAR_RUN when it does not go through without. */
  async #stretch(role: R, cuts: readonly RoleCut<R>[], policy: string): Promise<Stretch> {
    const known = cuts.length === 0 ? this.#first.get(role) : undefined;
    if (known) return known;
    const begun = this.#parts.begin(cuts, policyOf(policy), true);
    const { reasons } = await begun.run();
    if (cuts.length === 0 && reasons.length > 0) throw new TearError('TEAR_RUN', `${this.#parts.point.id}: without a cut: ${reasons.join('; ')}`);
    const stretch = begun.session.stretchAfter(cuts, role);
    if (cuts.length === 0) this.#first.set(role, stretch);
    return stretch;
  }
}

/** What a {@link CutSession} is made from. */
export interface CutSessionParts<R extends string> {
  readonly point: string;
  readonly bench: CardBench<R>;
  /** Cards that are cut, or might be. */
  readonly roles: readonly R[];
  readonly cuts: readonly RoleCut<R>[];
  readonly policy: CutPolicy;
  /** Powers on what is dark. */
  readonly reopen: () => Promise<unknown>;
}

/** The power of cards in one run: cuts that are due, what they leave, power that comes back. Begins when it is made. */
export class CutSession<R extends string> {
  /** Cards whose power has gone, once for each time. */
  readonly fired: R[] = [];
  /** Digests of the memories left. */
  readonly memories: string[] = [];
  readonly #parts: CutSessionParts<R>;
  readonly #from: number;
  readonly #watch: SlotWatch;
  readonly #operations: OperationLog<R>;
  #ended = 0;

  constructor(parts: CutSessionParts<R>) {
    this.#parts = parts;
    this.#from = parts.bench.now;
    this.#watch = new SlotWatch(parts.point, parts.bench);
    this.#operations = new OperationLog(parts.bench, parts.roles);
  }

  /** From here on the cuts are due. */
  arm(): void {
    for (const { card, tick } of this.#parts.cuts) this.#parts.bench.slot(card).cutAt(this.#from + tick);
  }

  /** Cuts that are due after the run has ended happen while the cards idle. */
  async letFire(): Promise<void> {
    const { bench, cuts } = this.#parts;
    const due = Math.max(0, ...cuts.filter(({ card }) => !this.fired.includes(card)).map(({ tick }) => this.#from + tick + 2));
    if (due > bench.now) await bench.idle(due - bench.now);
    await this.powerAgain();
  }

  /** Brings everything to one time and powers on what is dark, under the policy of the case. */
  async powerAgain(): Promise<void> {
    const { bench, roles, policy, reopen } = this.#parts;
    do {
      for (const role of roles) {
        if (bench.slot(role).powered) continue;
        const card = chipIn(bench, role);
        this.fired.push(role);
        if (card) this.memories.push(nvmDigest(card.port.takeNvm()));
        this.#operations.collect(role, true);
        this.#watch.hooks.ending(role);
        card?.prepare({ policy: policy.first });
      }
      await reopen();
    } while ((await bench.sync()).length > 0);
  }

  /** In a fork: no cut reaches the cards from here on, and these lose their power once more, under the policy of later sessions. */
  async bootAgain(booted: readonly R[] = []): Promise<void> {
    const { bench, roles, policy } = this.#parts;
    for (const role of roles) bench.slot(role).cutAt(undefined);
    for (const role of booted) {
      await bench.slot(role).powerOff();
      chipIn(bench, role)?.prepare({ policy: policy.then });
    }
  }

  /** The run is over. */
  end(): void {
    this.#ended = this.#parts.bench.now - this.#from;
    for (const role of this.#parts.roles) this.#operations.collect(role, false);
  }

  /** What the cards have shown that they must not; to be asked once, at the end. */
  problems(): readonly string[] {
    return this.#watch.end().problems;
  }

  /** What a card did behind the last of some cuts. */
  stretchAfter(cuts: readonly { readonly tick: number }[], role: R): Stretch {
    const after = Math.max(0, ...cuts.map(({ tick }) => tick + 1));
    return { from: after, to: Math.max(after + 1, this.#ended), operations: this.#operations.of(role).filter(({ start }) => start >= after) };
  }
}
