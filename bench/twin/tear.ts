import { isDeviceError } from '../../devices/index.js';
import { checkTwin, checkTwinChange, primaryCards } from '../../scenarios/index.js';
import type { AbstractTwinWorld, ScenarioOutput, TwinCutPoint, TwinGoal, TwinProgress } from '../../scenarios/index.js';
import { CodecError } from '../codec/index.js';
import { CardTear, CutSession } from '../tear/card-cuts.js';
import type { CardCutResult, CutRun } from '../tear/card-cuts.js';
import type { CutPolicy } from '../tear/policies.js';
import type { BenchState } from '../world/card-bench.js';
import { BenchError } from '../world/errors.js';
import type { TwinCardName } from './card-talk.js';
import type { TwinCut } from './cut-case.js';
import { ISSUED } from './world.js';
import type { TwinWorld } from './world.js';

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

/** Power cuts on the cards of one run, from the state in which it is about to begin. @param world ready for the run */
export function twinTear(point: TwinCutPoint, world: TwinWorld): CardTear<TwinCardName> {
  const state = world.save();
  return new CardTear({ point, label: `twin cuts ${point.id}`, begin: (cuts, policy, blind) => new CaseRun(world, state, point, cuts, policy, blind) });
}

/** One run with its cuts, recoveries, retries and looks. */
class CaseRun implements CutRun<TwinCardName> {
  readonly #world: TwinWorld;
  readonly #point: TwinCutPoint;
  readonly #cuts: readonly TwinCut[];
  readonly #policy: CutPolicy;
  readonly #blind: boolean;
  readonly session: CutSession<TwinCardName>;
  readonly #reasons: string[] = [];
  #last: AbstractTwinWorld | undefined;

  /** @param blind only the goal is looked at, in the end */
  constructor(world: TwinWorld, state: BenchState, point: TwinCutPoint, cuts: readonly TwinCut[], policy: CutPolicy, blind: boolean) {
    world.restore(state);
    this.#world = world;
    this.#point = point;
    this.#cuts = cuts;
    this.#policy = policy;
    this.#blind = blind;
    this.session = new CutSession<TwinCardName>({ point: point.id, bench: world.bench, roles: cut, cuts, policy, reopen: () => world.open() });
  }

  async run(): Promise<CardCutResult<TwinCardName>> {
    const { session } = this;
    if (!this.#blind) await this.#atRest();
    session.arm();
    const output = await this.#world.run(this.#point.options);
    const step = output.cause === 'link' ? output.step : undefined;
    if (this.#cuts.length === 0 ? output.cause === 'link' : !this.#expected(output)) this.#reasons.push(`it ended ${output.cause} at ${output.step} (${output.text})`);
    await session.powerAgain();
    const attempts = await this.#goOn();
    session.end();
    this.#reasons.push(...session.problems());
    const { fired, memories } = session;
    return { cuts: this.#cuts, policy: this.#policy.name, fired, reasons: this.#reasons, memories, attempts, ...step !== undefined && { step } };
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
      await this.session.letFire();
      if (!await this.#atRest()) return attempts;
      if (await this.#reached()) return attempts;
      await this.#world.run(this.#point.options);
      await bench.sync();
      await this.session.powerAgain();
    }
    this.#reasons.push(`stuck: not ${this.#point.goal} after ${this.#cuts.length + RETRIES} runs`);
    return this.#cuts.length + RETRIES;
  }

  async #reached(): Promise<boolean> {
    return reached(this.#point.goal, this.#last && !this.#blind ? this.#last : await this.#look(), this.#world);
  }

  /** What the world tells, in a fork that no cut reaches. @param booted cards that lose their power once more before */
  async #look(booted: readonly TwinCardName[] = []): Promise<AbstractTwinWorld> {
    const fork = this.#world.save();
    await this.session.bootAgain(booted);
    const now = await this.#world.abstract(booted.length > 0 ? booted : cut);
    this.#world.restore(fork);
    return now;
  }

  /** Looks once more after another boot of what was cut. */
  async #unstable({ cards }: AbstractTwinWorld): Promise<void> {
    const booted = [...new Set(this.session.fired)];
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
