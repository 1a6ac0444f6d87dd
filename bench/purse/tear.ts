import { isDeviceError } from '../../devices/index.js';
import { checkPurse, checkPurseChange, checkPurseStable } from '../../scenarios/index.js';
import type { AbstractPurseWorld, PurseCutPoint, PurseFinding } from '../../scenarios/index.js';
import { CodecError } from '../codec/index.js';
import { CardTear, CutSession } from '../tear/card-cuts.js';
import type { CardCutResult, CutRun } from '../tear/card-cuts.js';
import type { CutPolicy } from '../tear/policies.js';
import type { BenchState } from '../world/card-bench.js';
import { BenchError } from '../world/errors.js';
import type { CardCut } from './cut-case.js';
import { resumeTransfer, runTransfer } from './honest.js';
import type { TransferOutput } from './honest.js';
import { purseRoles } from './world.js';
import type { PurseRole, PurseWorld } from './world.js';

/** Runs after the last cut before a transfer counts as stuck (invariant I11). */
const RETRIES = 3;

/** Power cuts on the cards of one transfer, from the state in which it is about to begin. @param world ready for the transfer */
export function transferTear(point: PurseCutPoint, world: PurseWorld): CardTear<PurseRole> {
  const state = world.save();
  return new CardTear({ point, label: `card cuts ${point.id}`, begin: (cuts, policy, blind) => new CaseRun(world, state, point, cuts, policy, blind) });
}

/** One run with its cuts, recoveries, retries and looks. */
class CaseRun implements CutRun<PurseRole> {
  readonly #world: PurseWorld;
  readonly #point: PurseCutPoint;
  readonly #cuts: readonly CardCut[];
  readonly #policy: CutPolicy;
  readonly #blind: boolean;
  readonly session: CutSession<PurseRole>;
  readonly #reasons: string[] = [];
  #last: AbstractPurseWorld | undefined;

  constructor(world: PurseWorld, state: BenchState, point: PurseCutPoint, cuts: readonly CardCut[], policy: CutPolicy, blind: boolean) {
    world.restore(state);
    this.#world = world;
    this.#point = point;
    this.#cuts = cuts;
    this.#policy = policy;
    this.#blind = blind;
    this.session = new CutSession({ point: point.id, bench: world.bench, roles: purseRoles, cuts, policy, reopen: () => world.recover() });
  }

  async run(): Promise<CardCutResult<PurseRole>> {
    const { session } = this;
    const before = this.#blind ? undefined : await this.#look();
    session.arm();
    let output = await runTransfer(this.#point.scenario, this.#world.ports, this.#point.options);
    const step = this.#cuts.length > 0 && output.cause !== 'done' ? output.step : undefined;
    let attempts = 1;
    await session.powerAgain();
    for (; output.cause !== 'done' && attempts <= this.#cuts.length + RETRIES; attempts++) {
      if (!await this.#atRest()) break;
      if (output.cause !== 'link') this.#reasons.push(`it ended ${output.cause} at ${output.step} (${output.text})`);
      output = await this.#again(output);
      await session.powerAgain();
    }
    await session.letFire();
    session.end();
    if (output.cause !== 'done') this.#reasons.push(`stuck after ${attempts} runs: ended ${output.cause} at ${output.step} (${output.text})`);
    else if (await this.#atRest()) this.#compare(before);
    this.#reasons.push(...session.problems());
    const { fired, memories } = session;
    return { cuts: this.#cuts, policy: this.#policy.name, fired, reasons: this.#reasons, attempts, memories, ...step !== undefined && { step } };
  }

  async #again(output: TransferOutput): Promise<TransferOutput> {
    try {
      return await resumeTransfer(this.#world, this.#point.options, output);
    } catch (error) {
      if (isDeviceError(error) && error.code === 'CARD_POWER_CUT') return output;
      throw error;
    }
  }

  /** What the world tells, in a fork that no cut reaches. @param booted cards that are booted once more before */
  async #look(booted?: readonly PurseRole[]): Promise<AbstractPurseWorld> {
    const fork = this.#world.save();
    await this.session.bootAgain(booted);
    if (booted) await this.#world.recover();
    const now = await this.#world.abstract();
    this.#world.restore(fork);
    return now;
  }

  /** Checks a moment at rest; false when the cards tell nothing that could be gone on with. */
  async #atRest(): Promise<boolean> {
    if (this.#blind) return true;
    try {
      const now = await this.#look();
      const findings: PurseFinding[] = [...checkPurse(now), ...this.#last ? checkPurseChange(this.#last, now) : [], ...checkPurseStable(now, await this.#look(this.session.fired))];
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
