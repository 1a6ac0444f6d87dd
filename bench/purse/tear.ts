import { isDeviceError } from '../../devices/index.js';
import { nvmDigest } from '../../emulator/index.js';
import { checkPurse, checkPurseChange, checkPurseStable } from '../../scenarios/index.js';
import type { AbstractPurseWorld, PurseCutPoint, PurseFinding } from '../../scenarios/index.js';
import { CodecError } from '../codec/index.js';
import { chipIn, drawCuts, OperationLog, stretchAfter } from '../tear/card-cuts.js';
import type { Operation, Stretch } from '../tear/card-cuts.js';
import { TearError } from '../tear/errors.js';
import { policyOf } from '../tear/policies.js';
import type { CutPolicy } from '../tear/policies.js';
import type { BenchState } from '../world/card-bench.js';
import { BenchError } from '../world/errors.js';
import { SlotWatch } from '../world/slot-watch.js';
import type { CardCut } from './cut-case.js';
import { resumeTransfer, runTransfer } from './honest.js';
import type { TransferOutput } from './honest.js';
import { purseRoles } from './world.js';
import type { PurseRole, PurseWorld } from './world.js';

/** One case judged. */
export interface CardCutResult {
  readonly cuts: readonly CardCut[];
  readonly policy: string;
  /** Cards whose power really went. */
  readonly fired: readonly PurseRole[];
  /** What the invariants and the honest retry say. */
  readonly reasons: readonly string[];
  /** Runs needed to come to the end, the first included. */
  readonly attempts: number;
  /** Digests of the memories the cuts left; none for cards without a chip. */
  readonly memories: readonly string[];
  /** Step at which the first cut ended the run; absent when it came after the end. */
  readonly step?: string;
}

/** Runs after the last cut before a transfer counts as stuck (invariant I11). */
const RETRIES = 3;

/** Power cuts on the cards of one transfer, from one state in which it is about to begin. */
export class CardTear {
  readonly point: PurseCutPoint;
  readonly #world: PurseWorld;
  readonly #state: BenchState;

  /** @param world ready for the transfer */
  constructor(point: PurseCutPoint, world: PurseWorld) {
    this.point = point;
    this.#world = world;
    this.#state = world.save();
  }

  /** The cuts of one case by number and seed. Of two, the second is drawn from what its card does after the first. */
  draw(number: number, seed: number): Promise<{ readonly cuts: readonly CardCut[]; readonly policy: string }> {
    return drawCuts({
      label: `card cuts ${this.point.id}`, cards: this.point.cards, stretch: (role, cuts, policy) => this.#stretch(role, cuts, policy),
    }, number, seed);
  }

  /** Runs a case and judges it. Throws TearError TEAR_RUN when the transfer does not go through without cuts. */
  async run(cuts: readonly CardCut[], policyName: string): Promise<CardCutResult> {
    const judge = new CaseRun(this.#world, this.#state, this.point, cuts, policyOf(policyName));
    return judge.run();
  }

  readonly #stretches = new Map<PurseRole, Stretch>();

  /** What a card does in a run with the cuts given, from the last of them on. */
  async #stretch(role: PurseRole, cuts: readonly CardCut[], policy: string): Promise<Stretch> {
    const known = cuts.length === 0 ? this.#stretches.get(role) : undefined;
    if (known) return known;
    const judge = new CaseRun(this.#world, this.#state, this.point, cuts, policyOf(policy), true);
    const { reasons } = await judge.run();
    if (cuts.length === 0 && reasons.length > 0) throw new TearError('TEAR_RUN', `${this.point.id}: without a cut: ${reasons.join('; ')}`);
    const stretch = stretchAfter(cuts, judge.operationsOf(role), judge.endedAt - this.#state.now);
    if (cuts.length === 0) this.#stretches.set(role, stretch);
    return stretch;
  }
}

/** One run with its cuts, recoveries, retries and looks. */
class CaseRun {
  readonly #world: PurseWorld;
  readonly #point: PurseCutPoint;
  readonly #cuts: readonly CardCut[];
  readonly #policy: CutPolicy;
  readonly #blind: boolean;
  readonly #from: number;
  readonly #operations: OperationLog<PurseRole>;
  readonly #watch: SlotWatch;
  readonly #fired: PurseRole[] = [];
  readonly #memories: string[] = [];
  readonly #reasons: string[] = [];
  #last: AbstractPurseWorld | undefined;
  /** Bench time at the end. */
  endedAt = 0;

  /** @param blind nothing is looked at between: for learning what the cards do */
  constructor(world: PurseWorld, state: BenchState, point: PurseCutPoint, cuts: readonly CardCut[], policy: CutPolicy, blind = false) {
    world.restore(state);
    this.#world = world;
    this.#point = point;
    this.#cuts = cuts;
    this.#policy = policy;
    this.#blind = blind;
    this.#from = state.now;
    this.#operations = new OperationLog(world.bench, purseRoles);
    this.#watch = new SlotWatch(point.id, world.bench);
  }

  operationsOf(role: PurseRole): readonly Operation[] {
    return this.#operations.of(role);
  }

  async run(): Promise<CardCutResult> {
    const { bench } = this.#world;
    const before = this.#blind ? undefined : await this.#look();
    for (const { card, tick } of this.#cuts) bench.slot(card).cutAt(this.#from + tick);
    let output = await runTransfer(this.#point.scenario, this.#world.ports, this.#point.options);
    const step = this.#cuts.length > 0 && output.cause !== 'done' ? output.step : undefined;
    let attempts = 1;
    await this.#powerAgain();
    for (; output.cause !== 'done' && attempts <= this.#cuts.length + RETRIES; attempts++) {
      if (!await this.#atRest()) break;
      if (output.cause !== 'link') this.#reasons.push(`it ended ${output.cause} at ${output.step} (${output.text})`);
      output = await this.#again(output);
      await this.#powerAgain();
    }
    await this.#letFire();
    this.endedAt = bench.now;
    for (const role of purseRoles) this.#operations.collect(role, false);
    if (output.cause !== 'done') this.#reasons.push(`stuck after ${attempts} runs: ended ${output.cause} at ${output.step} (${output.text})`);
    else if (await this.#atRest()) this.#compare(before);
    this.#reasons.push(...this.#watch.end().problems);
    return { cuts: this.#cuts, policy: this.#policy.name, fired: this.#fired, reasons: this.#reasons, attempts, memories: this.#memories, ...step !== undefined && { step } };
  }

  async #again(output: TransferOutput): Promise<TransferOutput> {
    try {
      return await resumeTransfer(this.#world, this.#point.options, output);
    } catch (error) {
      if (isDeviceError(error) && error.code === 'CARD_POWER_CUT') return output;
      throw error;
    }
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
      for (const role of purseRoles) {
        if (bench.slot(role).powered) continue;
        const card = chipIn(this.#world.bench, role);
        this.#fired.push(role);
        if (card) this.#memories.push(nvmDigest(card.port.takeNvm()));
        this.#operations.collect(role, true);
        this.#watch.hooks.ending(role);
        card?.prepare({ policy: this.#policy.first });
      }
      await this.#world.recover();
    } while ((await bench.sync()).length > 0);
  }

  /** What the world tells, in a fork that no cut reaches. */
  async #look(): Promise<AbstractPurseWorld> {
    const { bench } = this.#world;
    const fork = this.#world.save();
    for (const role of purseRoles) bench.slot(role).cutAt(undefined);
    const now = await this.#world.abstract();
    this.#world.restore(fork);
    return now;
  }

  /** The same after one more boot of every card that was cut. */
  async #lookTwice(): Promise<AbstractPurseWorld> {
    const { bench } = this.#world;
    const fork = this.#world.save();
    for (const role of purseRoles) bench.slot(role).cutAt(undefined);
    for (const role of this.#fired) {
      await bench.slot(role).powerOff();
      chipIn(this.#world.bench, role)?.prepare({ policy: this.#policy.then });
    }
    await this.#world.recover();
    const now = await this.#world.abstract();
    this.#world.restore(fork);
    return now;
  }

  /** Checks a moment at rest; false when the cards tell nothing that could be gone on with. */
  async #atRest(): Promise<boolean> {
    if (this.#blind) return true;
    try {
      const now = await this.#look();
      const findings: PurseFinding[] = [...checkPurse(now), ...this.#last ? checkPurseChange(this.#last, now) : [], ...checkPurseStable(now, await this.#lookTwice())];
      this.#last = now;
      this.#reasons.push(...findings.map(({ invariant, text }) => `${invariant}: ${text}`));
      return true;
    } catch (error) {
      if (!(error instanceof BenchError) && !(error instanceof CodecError) && !isDeviceError(error)) throw error;
      this.#reasons.push(`a card does not tell of itself: ${error.message}`);
      return false;
    }
  }

  #compare(before: AbstractPurseWorld | undefined): void {
    const after = this.#last;
    if (!before || !after) return;
    const { amount } = this.#point.options;
    const [payer, payee] = [0, 1].map((at) => after.cards[at].balance - before.cards[at].balance);
    const logged = after.log.length - before.log.length;
    const { open, waiting } = after.cards[1];
    const whole = payer === -amount && payee === amount && logged === 1 && open.length === 0 && waiting.length === 0;
    if (!whole) this.#reasons.push(`in the end the payer has ${payer}, the payee ${payee}, ${logged} entries are logged, ${open.length} challenges open, ${waiting.length} entries waiting`);
  }
}
