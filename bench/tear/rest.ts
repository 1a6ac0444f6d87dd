import { isDeviceError } from '../../devices/index.js';
import type { NvmState } from '../../emulator/index.js';
import { checkChange, checkState } from '../../scenarios/index.js';
import type { AbstractWorld, Finding } from '../../scenarios/index.js';
import type { WorldFactory } from '../certify/factory.js';
import { CodecError } from '../codec/index.js';
import type { NvmContents } from '../nvm/index.js';
import type { StoreSnapshot } from '../safe/index.js';
import type { World, WorldHooks, WorldKnowledge } from '../world/world.js';
import type { TearPoint } from './points.js';

/** The states at rest of a world in order: at its beginning and after each answer of the card. */
export class RestLog {
  readonly states: AbstractWorld[] = [];
  /** Departures of the card from the transmission rules. */
  readonly line: Finding[] = [];
  #world: World | undefined;

  /** The hooks of the world to be watched. */
  readonly hooks: WorldHooks = {
    exchanged: ({ answer }) => {
      if (this.#world !== undefined && answer.length > 0) this.states.push(this.#world.abstract());
    },
    finding: ({ code, rule, clause, detail }) => {
      if (rule === 'ISO') this.line.push({ invariant: 'I13', text: `${code} (ISO/IEC 7816-3 ${clause}): ${detail}` });
    },
  };

  /** Begins the log with the state of a world made with {@link hooks}. */
  begin(world: World): void {
    this.#world = world;
    this.states.push(world.abstract());
  }

  /** What the invariants say of every state but the first, and of every change. */
  findings(): Finding[] {
    return this.states.slice(1).flatMap((state, i) => [...checkState(state), ...checkChange(this.states[i], state)]);
  }
}

/** Everything that outlives the power of the card: its memory, the safes, the bench's own book. The terminal forgets. */
export interface Rest {
  readonly nvm: NvmState;
  readonly safe: StoreSnapshot;
  readonly other: StoreSnapshot;
  readonly knows: WorldKnowledge;
}

/** What remains when the power of a world goes now; `nvm` is the card's memory as the cut leaves it. */
export function restOf(world: World, nvm: NvmState): Rest {
  const { safe, other } = world.parts.safes;
  return { nvm, safe: safe.store.snapshot(), other: other.store.snapshot(), knows: world.knows() };
}

/** What a power cut now would leave; the session goes on. */
export function leftNow(world: World): NvmState {
  const { chip } = world.card;
  const state = chip.snapshot();
  const nvm = chip.powerCut();
  chip.restore(state);
  return nvm;
}

/** The last step that the card has marked since a cycle, what runs at a power cut comes behind it; undefined before the first. */
export function lastStep({ card }: World, from: number): string | undefined {
  const mark = card.steps.filter(({ cycle }) => cycle >= from).at(-1);
  return mark && mark.step.join('-');
}

/** Fingerprints of both safes of a world. */
export const safesDigest = (world: World): string =>
  `${world.parts.safes.safe.store.fingerprint()} ${world.parts.safes.other.store.fingerprint()}`;

/** A fresh world, not yet powered, around what a cut has left. */
export function worldOf(
  factory: WorldFactory, point: TearPoint, rest: Rest, policy: Parameters<WorldFactory['worldWith']>[3], hooks: WorldHooks = {},
): World {
  const world = factory.worldWith(point.prepare, rest.nvm, hooks, policy);
  world.parts.safes.safe.store.restore(rest.safe);
  world.parts.safes.other.store.restore(rest.other);
  world.learn(rest.knows);
  return world;
}

/** What the chip reports that its firmware must not do. */
export const violationsOf = (world: World): Finding[] => world.card.violations.map(({ code, pc, symbol, detail }) => (
  { invariant: 'I13', text: `the chip reports ${code} at ${symbol ?? `pc ${pc.toString(16)}`}: ${detail}` }
));

/** What the second decoder finds wrong in the memory of a world at rest. */
export const problemsOf = (world: World): Finding[] => world.contents().problems.map(({ code, page, text }) => (
  { invariant: 'I2', text: `memory: ${code} in page ${page}: ${text}` }
));

/** I12: room reserved for a certificate that no open registration waits for is lost for good. */
export function lostRoom({ entries, keyRegistration }: Pick<NvmContents, 'entries' | 'keyRegistration'>): Finding[] {
  const waited = new Set(entries.filter((entry) => entry.class === 'A' && entry.state === 'PENDING').map(({ partner }) => partner));
  if (keyRegistration) waited.add(keyRegistration.reservedHandle);
  return entries.filter((entry) => entry.class === 'B' && entry.state === 'RESERVED' && !waited.has(entry.handle)).map(({ handle, region }) => (
    { invariant: 'I12', text: `${region.pages} pages are reserved for certificate ${handle}, which no registration waits for` }
  ));
}

/** Runs `work`; a card that cannot be spoken to any more is a finding, not an error of the bench. */
export async function orBrick<T>(findings: Finding[], when: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isDeviceError(error) && !(error instanceof CodecError)) throw error;
    findings.push({ invariant: 'I11', text: `${when}: ${error.code}: ${error.message}` });
    return undefined;
  }
}
