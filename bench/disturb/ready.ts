import { nvmDigest } from '../../emulator/index.js';
import type { CharacterEvent } from '../../devices/index.js';
import type { ScenarioOutput } from '../../scenarios/index.js';
import type { WorldFactory } from '../certify/factory.js';
import { prepare, runHonestly } from '../certify/prepare.js';
import { pageMap, secretsOf } from '../nvm/index.js';
import type { Secret } from '../nvm/index.js';
import { noBindings } from '../script/build.js';
import { leftNow, RestLog, safesDigest } from '../tear/rest.js';
import { BenchError } from '../world/errors.js';
import type { World, WorldState } from '../world/world.js';
import type { DisturbPoint } from './points.js';

/** How many units of each sort crossed the link. */
export interface LinkCounts {
  readonly characters: number;
  readonly blocks: number;
}

/** What the undisturbed phase is like: where it can be disturbed, and what it comes to. */
export interface PhaseFacts {
  /** First cycle, and the cycle after the last answer. */
  readonly from: number;
  readonly to: number;
  /** Cycles at which an instruction begins, ascending. */
  readonly instructions: Float64Array;
  /** Page operations. */
  readonly operations: readonly { readonly page: number; readonly start: number; readonly end: number }[];
  /** Bytes of the EEPROM that are read, with the cycle of their last read. */
  readonly reads: readonly { readonly offset: number; readonly last: number }[];
  /** Pages that hold something when the phase begins. */
  readonly pagesInUse: readonly number[];
  /** Offsets of RAM bytes that no longer hold what they held at power-on. */
  readonly ramInUse: readonly number[];
  readonly toCard: LinkCounts;
  readonly fromCard: LinkCounts;
  /** Shortest distance of two leading edges of the card, cycles. */
  readonly cardEdges: number;
  /** nvmDigest and safes at the end. */
  readonly digest: string;
}

/** A world in which a phase is about to run, with what is known of it. */
export interface ReadyPhase {
  readonly point: DisturbPoint;
  readonly world: World;
  readonly log: RestLog;
  /** Keys the card holds. */
  readonly secrets: readonly Secret[];
  readonly start: WorldState;
  readonly facts: PhaseFacts;
}

/** Counts characters and runs of characters in each direction as the link faults count them. */
class LinkCounter {
  readonly #counts = { 'to-card': { characters: 0, blocks: 0 }, 'from-card': { characters: 0, blocks: 0 } };
  #last: CharacterEvent | undefined;
  /** Shortest distance of two leading edges of the card in a row. */
  shortest = Infinity;

  hear(event: CharacterEvent): void {
    const counts = this.#counts[event.direction];
    counts.characters += 1;
    if (this.#last?.direction !== event.direction) counts.blocks += 1;
    else if (event.direction === 'from-card') this.shortest = Math.min(this.shortest, event.at - this.#last.at);
    this.#last = event;
  }

  of(direction: 'to-card' | 'from-card'): LinkCounts {
    return this.#counts[direction];
  }
}

function ramInUse(world: World, factory: WorldFactory, point: DisturbPoint, nvm: ReturnType<typeof leftNow>): number[] {
  const { ram } = world.parts.profile;
  const base = 0x20000000;
  const fresh = factory.worldWith(point.prepare, nvm).card.chip.machine.peek(base, ram.bytes);
  const now = world.card.chip.machine.peek(base, ram.bytes);
  return now === undefined || fresh === undefined ? [] : [...now.keys()].filter((at) => now[at] !== fresh[at]);
}

function pagesInUse(world: World): number[] {
  const unused = ['free', 'free entry', 'unused'];
  return pageMap(world.memory()).owners.flatMap(({ kind }, page) => (unused.includes(kind) ? [] : [page]));
}

/** Runs the phase undisturbed and instruction by instruction, and takes everything back. */
function lookAt(point: DisturbPoint, world: World, factory: WorldFactory): Promise<PhaseFacts> {
  return world.rehearse(async () => {
    const { chip } = world.card;
    const counter = new LinkCounter();
    const instructions: number[] = [];
    const [from, earlier, pages] = [world.line.now(), chip.eeprom.writes.length, pagesInUse(world)];
    const reads = new Map<number, number>();
    const release = world.card.observe({ character: (event) => { counter.hear(event); } });
    chip.eeprom.watch(new Set(pages), (event) => {
      if (event.kind === 'read') for (let i = 0; i < event.size; i += 1) reads.set(event.offset + i, event.now);
    });
    chip.machine.trace = () => { instructions.push(chip.machine.cycle); };
    const end: ScenarioOutput = await runHonestly(point.run, world).finally(() => {
      chip.machine.trace = undefined;
      chip.eeprom.watch(new Set(), undefined);
      release();
    });
    if (end.cause !== 'done') throw new BenchError('BENCH_PREPARE', `${point.id}: undisturbed the run ended at ${end.step}: ${end.text}`);
    const left = leftNow(world);
    return {
      from, to: world.line.now(), instructions: Float64Array.from(instructions), pagesInUse: pages,
      reads: [...reads].map(([offset, last]) => ({ offset, last })),
      operations: chip.eeprom.writes.slice(earlier).map(({ page, start, end: last }) => ({ page, start, end: last })),
      ramInUse: ramInUse(world, factory, point, left), toCard: counter.of('to-card'), fromCard: counter.of('from-card'), cardEdges: counter.shortest,
      digest: `${nvmDigest(left)} ${safesDigest(world)}`,
    };
  });
}

/** Brings a fresh world to where the phase begins and looks at the phase once. Throws BenchError BENCH_PREPARE, BENCH_PERSONALISE. */
export async function readyPhase(factory: WorldFactory, point: DisturbPoint): Promise<ReadyPhase> {
  const log = new RestLog();
  const world = await factory.world(point.prepare, log.hooks);
  await prepare(point, world, noBindings());
  const facts = await lookAt(point, world, factory);
  return { point, world, log, secrets: secretsOf(world.memory()), start: world.save(), facts };
}
