import type { NvmState, WatchEvent, WeakPolicy } from '../../emulator/index.js';
import { pageMap, readJournal } from '../nvm/index.js';
import type { PageOwner } from '../nvm/index.js';
import { pageOf } from '../nvm/layout.js';
import type { World } from '../world/world.js';
import type { CutPolicy } from './policies.js';

/** Under which policy a session begins: those of the case, or one of its own. */
export type SessionPolicy = 'first' | 'then' | WeakPolicy;

/** Something on the way of a case whose outcome depended on the torn pages. */
export type PathEvent =
  | Exclude<WatchEvent, { readonly kind: 'power-on' }>
  | { readonly kind: 'power-on'; readonly policy: SessionPolicy }
  /** The bench looked at a page: at each byte, or only whether it is erased. */
  | { readonly kind: 'look'; readonly page: number; readonly whole: boolean }
  /** The bench looked at the weak cells that a power-off left in a page. */
  | { readonly kind: 'weak'; readonly page: number };

/** How an event came out. */
export type PathOutcome = number | string;

/** One step of a path. */
export interface PathStep {
  readonly event: PathEvent;
  readonly outcome: PathOutcome;
}

/** Outcome of what an {@link EepromArray} tells. */
export function watchOutcome(event: WatchEvent): PathOutcome {
  switch (event.kind) {
    case 'read': return event.value;
    case 'start': return Number(event.erase) + 2 * Number(event.program);
    case 'finish': return Number(event.verified) + 2 * Number(event.settled);
    case 'cut': case 'power-on': return 0;
  }
}

/** Outcome of a look at a page of `memory`. */
export function lookOutcome(memory: Uint8Array, page: number, whole: boolean): PathOutcome {
  const bytes = pageOf(memory, page);
  return whole ? Buffer.from(bytes).toString('latin1') : Number(bytes.every((byte) => byte === 0xff));
}

/** Outcome of a look at the weak cells of a page in what a power-off left. */
export const weakOutcome = (left: NvmState, page: number): number => left.weak.find((one) => one.page === page)?.bits.length ?? 0;

/**
 * Pages that hold nothing a look that is not whole reads: only whether they are erased can matter. The slots of the
 * journal are such while its header is absent.
 */
function holdsNothing(owner: PageOwner, idle: boolean): boolean {
  if (owner.kind === 'system') return idle && (owner.name === 'slot0' || owner.name === 'slot1');
  return owner.kind === 'free' || owner.kind === 'leftover' || (owner.kind === 'region' && owner.role !== 'object');
}

/**
 * Records everything in a case that depends on what its torn pages hold, until nothing depends on them any more: each
 * was erased and written anew, and verified.
 */
export class PathRecorder {
  readonly steps: PathStep[] = [];
  readonly #policy: CutPolicy;
  #open: Set<number>;
  #sessions = 0;

  /** `torn` are the pages whose content, weak cells or torn state differ between the cases that share paths. */
  constructor(torn: ReadonlySet<number>, policy: CutPolicy) {
    this.#open = new Set(torn);
    this.#policy = policy;
  }

  /** True while something may still depend on a torn page. */
  get open(): boolean {
    return this.#open.size > 0;
  }

  /** Begins to record a world that is made but not yet run; `policy` is that of its first session. */
  attach(world: World, policy: WeakPolicy): void {
    if (!this.open) return;
    const { eeprom } = world.card.chip;
    this.attachChip(eeprom, policy);
    world.onLook = (whole) => { this.#look(eeprom.bytes, whole); };
  }

  /** Records a chip whose session has just begun. */
  attachChip(eeprom: World['card']['chip']['eeprom'], policy: WeakPolicy): void {
    this.powerOn(policy);
    eeprom.watch(this.#open, (event) => { this.#told(event, eeprom); });
  }

  /** Notes the begin of a session. */
  powerOn(policy: WeakPolicy): void {
    this.#push({ kind: 'power-on', policy: this.#nameOf(policy) }, 0);
    this.#sessions += 1;
  }

  /** Notes a look at the weak cells that `left` has in pages where they would count. */
  lookAtWeak(left: NvmState, counts: (page: number) => boolean): void {
    for (const page of this.#open) if (counts(page)) this.#push({ kind: 'weak', page }, weakOutcome(left, page));
  }

  #nameOf(policy: WeakPolicy): SessionPolicy {
    if (this.#sessions === 0 && policy === this.#policy.first) return 'first';
    return policy === this.#policy.then ? 'then' : policy;
  }

  #told(event: WatchEvent, eeprom: World['card']['chip']['eeprom']): void {
    if (event.kind === 'power-on') this.powerOn(event.policy);
    else this.#push(event, watchOutcome(event));
    if (event.kind !== 'finish' || !event.settled) return;
    this.#open = new Set([...this.#open].filter((page) => page !== event.page));
    eeprom.watch(this.#open, this.open ? (next) => { this.#told(next, eeprom); } : undefined);
  }

  #look(memory: Uint8Array, whole: boolean): void {
    if (!this.open) return;
    const { owners } = whole ? { owners: [] } : pageMap(memory);
    const idle = !whole && readJournal(memory).kind === 'absent';
    for (const page of this.#open) {
      const each = whole || !holdsNothing(owners[page], idle);
      this.#push({ kind: 'look', page, whole: each }, lookOutcome(memory, page, each));
    }
  }

  #push(event: PathEvent, outcome: PathOutcome): void {
    this.steps.push({ event, outcome });
  }
}
