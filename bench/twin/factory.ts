import type { TwinPreparation } from '../../scenarios/index.js';
import type { TestSetup, WorldFactory } from '../certify/factory.js';
import type { BenchState } from '../world/card-bench.js';
import { leadingTo } from '../world/card-slot.js';
import type { SlotCard, SlotHooks } from '../world/card-slot.js';
import { BenchError } from '../world/errors.js';
import { formattedSlot } from '../world/formatted-slot.js';
import { twinCards } from './card-talk.js';
import type { TwinCardName } from './card-talk.js';
import { twinApplet } from './commands.js';
import { numberOfCard, TwinWorld } from './world.js';

interface Ready {
  readonly world: TwinWorld;
  readonly state: BenchState;
}

/** Makes a card of a world, formatted by its backup applet. */
export type TwinCardMaker = (card: TwinCardName) => Promise<SlotCard>;

/** Seeds of the chips differ, so that their cells and random numbers do. */
const chipSeed = (seed: number, card: TwinCardName): number => (seed * 4 + twinCards.indexOf(card)) % 0x100000000;

/** Emulated cards of an implementation under test. */
export function emulatedTwinCards({ image, profile, seed, protocol }: TestSetup, { cryptoCache, translations }: Pick<WorldFactory, 'cryptoCache' | 'translations'>): TwinCardMaker {
  return (name) => formattedSlot({ profile, image, seed: chipSeed(seed, name), protocol, cryptoCache, translations }, twinApplet);
}

/** Brings a world on by a run that must go through. */
async function through(world: TwinWorld, options: Parameters<TwinWorld['run']>[0], cause = 'done'): Promise<void> {
  const output = await world.run(options);
  if (output.cause !== cause) throw new BenchError('BENCH_PREPARE', `a ${options.function} beforehand ended ${output.cause}: ${output.text}`);
}

/** Makes worlds of the twin system: one set of cards, whose states are taken back for each point. One point at a time. */
export class TwinFactory {
  readonly #make: TwinCardMaker;
  readonly #seed: number;
  readonly #ready = new Map<string, Promise<Ready>>();
  /** What is told of the world while points run. */
  hooks: SlotHooks = {};

  constructor(seed: number, make: TwinCardMaker) {
    this.#seed = seed;
    this.#make = make;
  }

  /** A world in which a point is about to begin. */
  async world(prepare: TwinPreparation): Promise<TwinWorld> {
    const { world, state } = await this.#once(JSON.stringify(prepare), () => this.#prepare(prepare));
    world.restore(state);
    return world;
  }

  #once(key: string, make: () => Promise<Ready>): Promise<Ready> {
    const known = this.#ready.get(key) ?? make();
    this.#ready.set(key, known);
    return known;
  }

  async #prepare({ state: wanted = 'issued', slots, spent = 0 }: TwinPreparation): Promise<Ready> {
    const { world, state } = await this.#once('personalised', () => this.#personalise());
    world.restore(state);
    await world.insert('AB');
    if (spent > 0) await world.shop('A', spent);
    if (wanted !== 'issued') await through(world, { function: 'backup' });
    if (wanted === 'promoted') await this.#promote(world);
    if (wanted === 'invalidated' || wanted === 'withdrawn') await through(world, { function: 'restore', primaryPin: 'wrong' }, 'refused');
    if (wanted === 'withdrawn') {
      await world.issuer.withdraw(world.link, world.device, numberOfCard('A'));
      world.issuer.setRestore(world.link, world.device, numberOfCard('A'));
    }
    if (slots !== undefined || wanted === 'promoted') await world.insert(slots ?? 'BC');
    return { world, state: world.save() };
  }

  /** A is lost, B promoted; the issuer hands C out. */
  async #promote(world: TwinWorld): Promise<void> {
    await world.insert('-B');
    await through(world, { function: 'promote' });
    world.issuer.setSecondary(world.link, world.device, numberOfCard('C'));
  }

  async #personalise(): Promise<Ready> {
    const cards = { A: await this.#make('A'), B: await this.#make('B'), C: await this.#make('C') };
    const world = new TwinWorld({ cards, seed: this.#seed, hooks: leadingTo(() => this.hooks) });
    await world.personalise();
    return { world, state: world.save() };
  }
}
