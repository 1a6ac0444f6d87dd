import type { NvmState } from '../../emulator/index.js';
import { runScenario } from '../../scenarios/index.js';
import type { AbstractWorld, Boundary } from '../../scenarios/index.js';
import type { WorldFactory } from '../certify/factory.js';
import { optionsOf, prepare } from '../certify/prepare.js';
import { callsOf } from '../faults/calls.js';
import { intercepted } from '../faults/intercept.js';
import { pageSize } from '../nvm/index.js';
import { noBindings } from '../script/build.js';
import type { TearPoint } from '../tear/index.js';
import { restOf } from '../tear/rest.js';
import type { Rest } from '../tear/rest.js';
import { BenchError } from '../world/errors.js';
import { fillMemory } from '../world/fill.js';
import { createIssuer } from '../world/issuer.js';
import { seededRandom } from '../world/random.js';
import { World } from '../world/world.js';
import type { WorldHooks, WorldParts } from '../world/world.js';
import { makeLevel, plugWhile } from './room.js';
import { placesOf } from './subject.js';

/** What an exchange takes of the room when there is enough. */
export interface StepNeed {
  /** First step of the exchange. */
  readonly at: Boundary;
  readonly pages: number;
  readonly entries: number;
}

/** What runs short: pages of the data area, or index entries while pages are ample. */
export type Scarce = 'pages' | 'entries';

/** Pages of plugs: room for two needs and a page more, one page free and one kept in turn. */
const zone = (need: number): number => 4 * need + 2;

/** Issue ids of fillers, and of what is loaded in front of a step, begin behind these numbers. */
const issued = { fillers: 1_000_000, later: 2_000_000 };

/** A world with some of its values only. */
export function narrowed(whole: AbstractWorld, shown: ReadonlySet<string>): AbstractWorld {
  return {
    ...whole, ledger: whole.ledger.filter(({ issueId }) => shown.has(issueId)),
    cards: whole.cards.map((card) => ({ ...card, values: card.values.filter(({ issueId }) => issueId === '' || shown.has(issueId)) })),
  };
}

/** A world of whose values some only are shown to the invariants: those that are to be spent. */
export class NarrowWorld extends World {
  readonly #shown: ReadonlySet<string>;

  constructor(parts: WorldParts, shown: ReadonlySet<string>) {
    super(parts);
    this.#shown = shown;
  }

  override abstract(): AbstractWorld {
    return narrowed(super.abstract(), this.#shown);
  }
}

/** Card memories from which every run of a subject begins, each made once and forked. */
export class Stages {
  readonly factory: WorldFactory;
  readonly subject: TearPoint;
  readonly #made = new Map<Scarce | 'prepared', Promise<Rest>>();
  #needs: Promise<readonly StepNeed[]> | undefined;

  constructor(factory: WorldFactory, subject: TearPoint) {
    this.factory = factory;
    this.subject = subject;
  }

  /** What each exchange takes, measured with ample room. @throws BenchError BENCH_PREPARE when it does not go through */
  needs(): Promise<readonly StepNeed[]> {
    this.#needs ??= this.#measure();
    return this.#needs;
  }

  /** Prepared, with ample room. */
  prepared(): Promise<Rest> {
    return this.#once('prepared', async () => {
      const world = await this.factory.world(this.subject.prepare);
      await prepare(this.subject, world, noBindings());
      return restOf(world, await world.card.powerOff());
    });
  }

  /**
   * Full: no page is free, or no index entry. Values of worth hold all but a zone of plugs that can be deleted.
   * @throws BenchError BENCH_PREPARE when the card refuses what there is room for
   */
  full(scarce: Scarce): Promise<Rest> {
    return this.#once(scarce, async () => {
      const world = this.fork(await this.prepared(), {}, issued.fillers);
      await world.open();
      const most = Math.max(...(await this.needs()).map(({ pages }) => pages), 2);
      if (scarce === 'pages') {
        const walls = await fillMemory(world, { pages: zone(most) });
        const level = walls ? await makeLevel(world, { pages: 0, run: 0 }) : 'index entries ran out first';
        if (level !== undefined) throw new BenchError('BENCH_PREPARE', `the memory could not be filled: ${level}`);
      } else {
        const level = await plugWhile(world, ({ entries }) => entries > 0);
        if (level !== undefined) throw new BenchError('BENCH_PREPARE', `the index could not be filled: ${level}`);
      }
      return restOf(world, await world.card.powerOff());
    });
  }

  /** A world of its own around a memory, not yet powered. Equal rests give equal worlds. */
  fork(rest: Rest, hooks: WorldHooks = {}, lastIssued = issued.later, make = (parts: WorldParts): World => new World(parts)): World {
    const { setup, ops } = this.factory;
    const issuer = createIssuer(seededRandom(setup.seed, 'issuer'), ops, lastIssued);
    const world = make({ ...this.factory.worldWith(this.subject.prepare, rest.nvm, hooks).parts, issuer });
    world.parts.safes.safe.store.restore(rest.safe);
    world.parts.safes.other.store.restore(rest.other);
    world.learn(rest.knows);
    return world;
  }

  /** Issue ids of the values of the preparation: what is spent in the end. */
  async shown(): Promise<ReadonlySet<string>> {
    return new Set((await this.prepared()).knows.names.values());
  }

  #once(name: Scarce | 'prepared', make: () => Promise<Rest>): Promise<Rest> {
    const made = this.#made.get(name) ?? make();
    this.#made.set(name, made);
    return made;
  }

  async #measure(): Promise<readonly StepNeed[]> {
    const { run } = this.subject;
    const world = this.fork(await this.prepared());
    await world.open();
    const taken = new Map<string, StepNeed>();
    const ports = intercepted(run.scenario, world.ports, {
      async around(call, sent, proceed) {
        const before = world.room();
        const outcome = await proceed(sent);
        const after = world.room();
        const [at] = call.steps as readonly Boundary[];
        taken.set(at, {
          at, pages: Math.max(0, (before.freeBytes - after.freeBytes) / pageSize), entries: Math.max(0, before.freeEntries - after.freeEntries),
        });
        return outcome;
      },
    });
    const { cause, step, text } = await runScenario(run.scenario, { ports, options: optionsOf(run, world) });
    if (cause !== 'done') throw new BenchError('BENCH_PREPARE', `${this.subject.id}: with ample room the run ended at ${step}: ${text}`);
    return placesOf(this.subject).map((at) => taken.get(at) ?? { at, pages: 0, entries: 0 });
  }
}

/** The first exchange at or behind a place that takes room; undefined: none does. */
export function needAhead(needs: readonly StepNeed[], at: Boundary): StepNeed | undefined {
  return needs.slice(needs.findIndex((need) => need.at === at)).find(({ pages, entries }) => pages > 0 || entries > 0);
}

/** What the exchanges before a place take together. */
export function needBefore(needs: readonly StepNeed[], at: Boundary): { readonly pages: number; readonly entries: number } {
  const earlier = needs.slice(0, needs.findIndex((need) => need.at === at));
  return { pages: earlier.reduce((sum, { pages }) => sum + pages, 0), entries: earlier.reduce((sum, { entries }) => sum + entries, 0) };
}

/** INS of the command that begins at a place (docs/protocol.md 2.1); undefined where it is none that takes room. */
export function instructionAt(subject: TearPoint, at: Boundary): number | undefined {
  const call = callsOf(subject.run.scenario).find(({ steps }) => steps[0] === at);
  return call?.name === 'registerBegin' ? 0x12 : call?.name === 'recoverBegin' ? 0x18 : call?.name === 'keyRegisterBegin' ? 0x1c : undefined;
}

/** A rest with another memory. */
export const withNvm = (rest: Rest, nvm: NvmState): Rest => ({ ...rest, nvm });
