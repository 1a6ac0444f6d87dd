import type { PursePreparation } from '../../scenarios/index.js';
import type { PublicKeyOps } from '../codec/index.js';
import type { TestSetup, WorldFactory } from '../certify/factory.js';
import type { BenchState } from '../world/card-bench.js';
import { leadingTo } from '../world/card-slot.js';
import type { SlotCard } from '../world/card-slot.js';
import { BenchError } from '../world/errors.js';
import { formattedSlot } from '../world/formatted-slot.js';
import { purseApplet } from './commands.js';
import { runTransfer } from './honest.js';
import { PurseWorld, purseRoles } from './world.js';
import type { PurseRole, PurseWorldParts } from './world.js';

/** Makes the cards of a world, formatted but without a purse. */
export type CardMaker = (role: PurseRole) => Promise<SlotCard>;

interface Ready {
  readonly world: PurseWorld;
  readonly state: BenchState;
}

/** Seeds of the two chips differ, so that their cells and random numbers do. */
const chipSeed = (seed: number, role: PurseRole): number => (seed * 2 + purseRoles.indexOf(role)) % 0x100000000;

/** Emulated cards of an implementation under test, formatted by their backup applet. */
export function emulatedCards({ image, profile, seed, protocol }: TestSetup, { cryptoCache, translations }: Pick<WorldFactory, 'cryptoCache' | 'translations'>): CardMaker {
  return (role) => formattedSlot({ profile, image, seed: chipSeed(seed, role), protocol, cryptoCache, translations }, purseApplet);
}

/**
 * Makes worlds of the purse. One pair of cards is made for each way of personalisation; a point begins by restoring the
 * state in which they were ready. One point at a time.
 */
export class PurseFactory {
  readonly seed: number;
  readonly #ops: PublicKeyOps;
  readonly #cards: CardMaker;
  readonly #personalised = new Map<string, Ready>();
  readonly #ready = new Map<string, Ready>();
  /** What is told of the worlds while points run. */
  hooks: NonNullable<PurseWorldParts['hooks']> = {};

  constructor(seed: number, ops: PublicKeyOps, cards: CardMaker) {
    this.seed = seed;
    this.#ops = ops;
    this.#cards = cards;
  }

  /** A world in which a point is about to begin; the same one as before for equal cards, with its state taken back. */
  async world(prepare: PursePreparation): Promise<PurseWorld> {
    const base = await this.#once(this.#personalised, String(prepare.askedOnly ?? false), () => this.#personalise(prepare.askedOnly ?? false));
    const { world, state } = await this.#once(this.#ready, JSON.stringify(prepare), () => this.#prepare(base, prepare));
    world.restore(state);
    return world;
  }

  async #once(known: Map<string, Ready>, key: string, make: () => Promise<Ready>): Promise<Ready> {
    const made = known.get(key) ?? await make();
    known.set(key, made);
    return made;
  }

  async #prepare({ world, state }: Ready, { issues, askedOnly = false, before = [] }: PursePreparation): Promise<Ready> {
    world.restore(state);
    for (const { to, amount } of issues) await world.load(to, amount);
    for (const options of before) {
      const { cause, text } = await runTransfer(askedOnly ? 'purse/2/transfer' : 'purse/1/transfer', world.ports, options);
      if (cause !== 'done') throw new BenchError('BENCH_PREPARE', `a transfer beforehand ended: ${text}`);
    }
    return { world, state: world.save() };
  }

  async #personalise(askedOnly: boolean): Promise<Ready> {
    const cards = { payer: await this.#cards('payer'), payee: await this.#cards('payee') };
    const world = new PurseWorld({ cards, seed: this.seed, ops: this.#ops, hooks: this.#hooks() });
    await world.open();
    await world.personalise(askedOnly);
    return { world, state: world.save() };
  }

  /** Hooks of every world lead to those of the moment. */
  #hooks(): NonNullable<PurseWorldParts['hooks']> {
    return { ...leadingTo(() => this.hooks), log: (...told) => this.hooks.log?.(...told) };
  }
}
