import type { MemberPreparation } from '../../scenarios/index.js';
import type { TestSetup, WorldFactory } from '../certify/factory.js';
import type { PublicKeyOps } from '../codec/index.js';
import type { BenchState } from '../world/card-bench.js';
import { leadingTo } from '../world/card-slot.js';
import type { SlotCard, SlotHooks } from '../world/card-slot.js';
import { formattedSlot } from '../world/formatted-slot.js';
import { memberApplet } from './commands.js';
import { MemberWorld } from './world.js';

interface Ready {
  readonly world: MemberWorld;
  readonly state: BenchState;
}

/** An emulated card of an implementation under test, formatted by its backup applet. */
export const emulatedMemberCard = (
  { image, profile, seed, protocol }: TestSetup, { cryptoCache, translations }: Pick<WorldFactory, 'cryptoCache' | 'translations'>,
): Promise<SlotCard> => formattedSlot({ profile, image, seed, protocol, cryptoCache, translations }, memberApplet);

/** Makes worlds of the member system: one card, whose states are taken back for each point. One point at a time. */
export class MemberFactory {
  readonly #make: () => Promise<SlotCard>;
  readonly #seed: number;
  readonly #ops: PublicKeyOps;
  readonly #ready = new Map<string, Promise<Ready>>();
  /** What is told of the world while points run. */
  hooks: SlotHooks = {};

  constructor(seed: number, ops: PublicKeyOps, make: () => Promise<SlotCard>) {
    this.#seed = seed;
    this.#ops = ops;
    this.#make = make;
  }

  /** A world in which a point is about to begin. */
  async world(prepare: MemberPreparation): Promise<MemberWorld> {
    const { world, state } = await this.#once(JSON.stringify(prepare), () => this.#prepare(prepare));
    world.restore(state);
    return world;
  }

  #once(key: string, make: () => Promise<Ready>): Promise<Ready> {
    const known = this.#ready.get(key) ?? make();
    this.#ready.set(key, known);
    return known;
  }

  async #prepare({ registered, issued = 0 }: MemberPreparation): Promise<Ready> {
    const { world, state } = await this.#once('personalised', () => this.#personalise());
    world.restore(state);
    if (registered) await world.register(registered);
    const number = world.centre.members.at(-1)?.number;
    if (issued > 0 && number !== undefined) world.centre.issue(number, issued, 'cash-mail');
    if (registered) await world.line.reset('cold');
    return { world, state: world.save() };
  }

  async #personalise(): Promise<Ready> {
    const world = new MemberWorld({ card: await this.#make(), seed: this.#seed, ops: this.#ops, hooks: leadingTo(() => this.hooks) });
    await world.open();
    await world.personalise();
    return { world, state: world.save() };
  }
}
