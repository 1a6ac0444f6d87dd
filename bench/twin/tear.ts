import { nvmDigest } from '../../emulator/index.js';
import { isDeviceError } from '../../devices/index.js';
import { checkTwin, checkTwinChange, primaryCards } from '../../scenarios/index.js';
import type { AbstractTwinWorld, ScenarioOutput, TwinCutPoint, TwinGoal, TwinProgress } from '../../scenarios/index.js';
import { CodecError } from '../codec/index.js';
import { chipIn, drawCuts, OperationLog, stretchAfter } from '../tear/card-cuts.js';
import type { Operation, Stretch } from '../tear/card-cuts.js';
import { TearError } from '../tear/errors.js';
import { policyOf } from '../tear/policies.js';
import type { CutPolicy } from '../tear/policies.js';
import type { BenchState } from '../world/card-bench.js';
import { BenchError } from '../world/errors.js';
import { SlotWatch } from '../world/slot-watch.js';
import type { TwinCardName } from './card-talk.js';
import type { TwinCut } from './cut-case.js';
import { ISSUED } from './world.js';
import type { TwinWorld } from './world.js';

/** One case judged. */
export interface TwinCutResult {
  readonly cuts: readonly TwinCut[];
  readonly policy: string;
  /** Cards whose power really went. */
  readonly fired: readonly TwinCardName[];
  /** What the invariants and the honest holder who goes on say. */
  readonly reasons: readonly string[];
  /** Digests of the memories the cuts left; none for cards without a chip. */
  readonly memories: readonly string[];
  /** Runs needed to come to the goal, the first included. */
  readonly attempts: number;
  /** Step at which the first cut ended the run; absent when it came after the end. */
  readonly step?: string;
}

/** Runs after the last cut before the holder counts as stuck. */
const RETRIES = 3;
const cut = ['A', 'B'] as const;

/** Whether a run has come to its goal: cards, device and issuer. */
function reached(goal: TwinGoal, world: AbstractTwinWorld, { device, issuer }: TwinWorld): boolean {
  const [a, b] = world.cards.map(({ table }) => table);
  const primary = primaryCards(world).join();
  switch (goal) {
    case 'copied': return primary === a.cardNumber && a.balance === ISSUED && b.primaryNumber === a.cardNumber && b.creditNumber === a.creditNumber && b.moneyId === a.moneyId;
    case 'promoted': return primary === b.cardNumber && issuer.blackList.includes(a.cardNumber) && device.state.table.primaryNumber === b.cardNumber && device.state.notices.length === 0;
    case 'restored': return primary === a.cardNumber && a.balance === ISSUED && a.creditNumber === b.creditNumber && device.state.table.restoreNumber === '' && device.state.notices.length === 0;
    case 'invalidated': return primary === '' && a.balance === 0 && issuer.blackList.includes(a.cardNumber) && device.state.table.blackList.includes(a.cardNumber);
  }
}

/** Power cuts on the cards of one run, from one state in which it is about to begin. */
export class TwinTear {
  readonly point: TwinCutPoint;
  readonly #world: TwinWorld;
  readonly #state: BenchState;
  readonly #first = new Map<TwinCardName, Stretch>();

  /** @param world ready for the run */
  constructor(point: TwinCutPoint, world: TwinWorld) {
    this.point = point;
    this.#world = world;
    this.#state = world.save();
  }

  /** The cuts of one case by number and seed. Of two, the second is drawn from what its card does after the first. */
  draw(number: number, seed: number): Promise<{ readonly cuts: readonly TwinCut[]; readonly policy: string }> {
    return drawCuts({
      label: `twin cuts ${this.point.id}`, cards: this.point.cards, stretch: (card, cuts, policy) => this.#stretch(card, cuts, policy),
    }, number, seed);
  }

  /** Runs a case and judges it. */
  run(cuts: readonly TwinCut[], policy: string): Promise<TwinCutResult> {
    return new CaseRun(this.#world, this.#state, this.point, cuts, policyOf(policy)).run();
  }

  /** What a card does in a run with the cuts given, from the last of them on. Throws TearError TEAR_RUN when it does not go through without. */
  async #stretch(card: TwinCardName, cuts: readonly TwinCut[], policy: string): Promise<Stretch> {
    const known = cuts.length === 0 ? this.#first.get(card) : undefined;
    if (known) return known;
    const run = new CaseRun(this.#world, this.#state, this.point, cuts, policyOf(policy), true);
    const { reasons } = await run.run();
    if (cuts.length === 0 && reasons.length > 0) throw new TearError('TEAR_RUN', `${this.point.id}: without a cut: ${reasons.join('; ')}`);
    const stretch = stretchAfter(cuts, run.operationsOf(card), run.endedAt - this.#state.now);
    if (cuts.length === 0) this.#first.set(card, stretch);
    return stretch;
  }
}

/** One run with its cuts, recoveries, retries and looks. */
class CaseRun {
  readonly #world: TwinWorld;
  readonly #point: TwinCutPoint;
  readonly #cuts: readonly TwinCut[];
  readonly #policy: CutPolicy;
  readonly #blind: boolean;
  readonly #from: number;
  readonly #operations: OperationLog<TwinCardName>;
  readonly #watch: SlotWatch;
  readonly #fired: TwinCardName[] = [];
  readonly #memories: string[] = [];
  readonly #reasons: string[] = [];
  #last: AbstractTwinWorld | undefined;
  /** Bench time at the end. */
  endedAt = 0;

  /** @param blind only the goal is looked at, in the end: for learning what the cards do */
  constructor(world: TwinWorld, state: BenchState, point: TwinCutPoint, cuts: readonly TwinCut[], policy: CutPolicy, blind = false) {
    world.restore(state);
    this.#world = world;
    this.#point = point;
    this.#cuts = cuts;
    this.#policy = policy;
    this.#blind = blind;
    this.#from = state.now;
    this.#watch = new SlotWatch(point.id, world.bench);
    this.#operations = new OperationLog(world.bench, cut);
  }

  operationsOf(card: TwinCardName): readonly Operation[] {
    return this.#operations.of(card);
  }

  async run(): Promise<TwinCutResult> {
    const { bench } = this.#world;
    if (!this.#blind) await this.#atRest();
    for (const { card, tick } of this.#cuts) bench.slot(card).cutAt(this.#from + tick);
    const output = await this.#world.run(this.#point.options);
    const step = output.cause === 'link' ? output.step : undefined;
    if (this.#cuts.length === 0 ? output.cause === 'link' : !this.#expected(output)) this.#reasons.push(`it ended ${output.cause} at ${output.step} (${output.text})`);
    await this.#powerAgain();
    const attempts = await this.#goOn();
    this.endedAt = bench.now;
    for (const card of cut) this.#operations.collect(card, false);
    this.#reasons.push(...this.#watch.end().problems);
    return { cuts: this.#cuts, policy: this.#policy.name, fired: this.#fired, reasons: this.#reasons, memories: this.#memories, attempts, ...step !== undefined && { step } };
  }

  /** A cut ends a run by the link, or it comes to the end that it has without. */
  #expected({ cause }: ScenarioOutput<TwinProgress>): boolean {
    return cause === 'link' || cause === (this.#point.goal === 'invalidated' ? 'refused' : 'done');
  }

  /** An honest holder: the device sees what the cards have come to, and begins anew where the goal is not reached. */
  async #goOn(): Promise<number> {
    const { bench, device } = this.#world;
    for (let attempts = 1; attempts <= this.#cuts.length + RETRIES; attempts++) {
      if (!await this.#atRest()) return attempts;
      await device.settle();
      await this.#letFire();
      if (!await this.#atRest()) return attempts;
      if (await this.#reached()) return attempts;
      await this.#world.run(this.#point.options);
      await bench.sync();
      await this.#powerAgain();
    }
    this.#reasons.push(`stuck: not ${this.#point.goal} after ${this.#cuts.length + RETRIES} runs`);
    return this.#cuts.length + RETRIES;
  }

  async #reached(): Promise<boolean> {
    return reached(this.#point.goal, this.#last && !this.#blind ? this.#last : await this.#look(), this.#world);
  }

  /** Cuts that are due after the run has ended happen while the cards idle. */
  async #letFire(): Promise<void> {
    const { bench } = this.#world;
    const due = Math.max(0, ...this.#cuts.filter(({ card }) => !this.#fired.includes(card)).map(({ tick }) => this.#from + tick + 2));
    if (due > bench.now) await bench.idle(due - bench.now);
    await this.#powerAgain();
  }

  /** Brings everything to one time and powers on what is dark, under the policy of the case. */
  async #powerAgain(): Promise<void> {
    const { bench } = this.#world;
    do {
      for (const card of cut) {
        if (bench.slot(card).powered) continue;
        const chip = chipIn(bench, card);
        this.#fired.push(card);
        if (chip) this.#memories.push(nvmDigest(chip.port.takeNvm()));
        this.#operations.collect(card, true);
        this.#watch.hooks.ending(card);
        chip?.prepare({ policy: this.#policy.first });
      }
      await this.#world.open();
    } while ((await bench.sync()).length > 0);
  }

  /** What the world tells, in a fork that no cut reaches. @param booted cards that lose their power once more before */
  async #look(booted: readonly TwinCardName[] = []): Promise<AbstractTwinWorld> {
    const { bench } = this.#world;
    const fork = this.#world.save();
    for (const card of cut) bench.slot(card).cutAt(undefined);
    for (const card of booted) {
      await bench.slot(card).powerOff();
      chipIn(bench, card)?.prepare({ policy: this.#policy.then });
    }
    const now = await this.#world.abstract(booted.length > 0 ? booted : cut);
    this.#world.restore(fork);
    return now;
  }

  /** Looks once more after another boot of what was cut. */
  async #unstable({ cards }: AbstractTwinWorld): Promise<void> {
    const booted = [...new Set(this.#fired)];
    if (booted.length === 0) return;
    const again = await this.#look(booted);
    const same = again.cards.every((card) => cards.some((one) => JSON.stringify(one) === JSON.stringify(card)));
    if (!same) this.#reasons.push('T6: another boot shows another state');
  }

  /** Checks a moment at rest, twice: once more after another boot of what was cut. False when the cards tell nothing that could be gone on with. */
  async #atRest(): Promise<boolean> {
    if (this.#blind) return true;
    try {
      const now = await this.#look();
      const findings = [...checkTwin(now), ...this.#last ? checkTwinChange(this.#last, now) : []];
      this.#reasons.push(...findings.map(({ invariant, text }) => `${invariant}: ${text}`));
      await this.#unstable(now);
      this.#last = now;
      return true;
    } catch (error) {
      if (!(error instanceof BenchError) && !(error instanceof CodecError) && !isDeviceError(error)) throw error;
      this.#reasons.push(`a card does not tell of itself: ${error.message}`);
      return false;
    }
  }
}
