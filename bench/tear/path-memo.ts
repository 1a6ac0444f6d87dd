import type { EepromArray, NvmState, WatchEvent, WeakPolicy } from '../../emulator/index.js';
import type { CutPolicy } from './policies.js';
import { lookOutcome, watchOutcome, weakOutcome } from './recorder.js';
import type { PathEvent, PathOutcome, PathStep } from './recorder.js';
import { TearError } from './errors.js';

/** An event and where its outcomes lead; most have one outcome. */
interface Fork<Result> {
  readonly event: PathEvent;
  outcome: PathOutcome;
  next: Node<Result>;
  more: Map<PathOutcome, Node<Result>> | undefined;
}

type Node<Result> = Fork<Result> | { readonly result: Result };

/** What makes an event the same as another, see {@link sameEvent}. */
function nameOf(event: PathEvent): string {
  switch (event.kind) {
    case 'read': return `read ${event.offset} ${event.size} ${event.now}`;
    case 'start': return `start ${event.page} ${event.now} ${event.command} ${event.force} ${Buffer.from(event.target).toString('latin1')}`;
    case 'finish': return `finish ${event.page}`;
    case 'cut': return `cut ${event.now}`;
    case 'look': return `look ${event.page} ${event.whole}`;
    case 'weak': return `weak ${event.page}`;
    case 'power-on': return typeof event.policy === 'string' ? `power-on ${event.policy}` : `power-on ${JSON.stringify(event.policy)}`;
  }
}

/** Events that many paths share are kept once: there are a hundred times as many steps as different events. */
export class EventPool {
  readonly #events = new Map<string, PathEvent>();

  /** The event to keep for this one. */
  of(event: PathEvent): PathEvent {
    const name = nameOf(event);
    const known = this.#events.get(name);
    if (known === undefined) this.#events.set(name, event);
    return known ?? event;
  }
}

/**
 * Results of cases that differ in nothing but what their torn pages hold, by everything that depended on these pages.
 * A case whose every read, page operation and look comes out as in one that was run goes exactly as that one, so its
 * result is known; this is checked on the case's own cells, under its own policy.
 */
export class PathMemo<Result> {
  readonly #array: EepromArray;
  readonly #torn: ReadonlySet<number>;
  readonly #events: EventPool;
  #root: Node<Result> | undefined;
  #paths = 0;
  #size = 0;
  readonly #depends = new Set<number>();
  #told: WatchEvent | undefined;

  /** `array` is for the memo's own use: one of the cases' chip, seed and size. Memos with the same `events` share them. */
  constructor(array: EepromArray, torn: ReadonlySet<number>, events: EventPool = new EventPool()) {
    this.#array = array;
    this.#torn = torn;
    this.#events = events;
  }

  /** Different paths that were run. */
  get paths(): number {
    return this.#paths;
  }

  /** Steps kept, of all paths: what they share counts once. */
  get size(): number {
    return this.#size;
  }

  /** True when some path depended on what the page held: it was read, looked at, or an operation on it was not forced. */
  dependsOn(page: number): boolean {
    return this.#depends.has(page);
  }

  /** The result of a case, when one that goes the same way was run. */
  find(nvm: NvmState, policy: CutPolicy): Result | undefined {
    const walk = { nvm, policy, left: undefined as NvmState | undefined };
    let node = this.#root;
    if (node === undefined) return undefined;
    this.#array.watch(this.#torn, (event) => { this.#told = event; });
    while (node !== undefined && 'event' in node) node = step(node, this.#outcome(node.event, walk));
    return node?.result;
  }

  /** Adds the path of a case that was run. @throws TearError TEAR_PATH when it contradicts an earlier one, a defect of the bench */
  add(steps: readonly PathStep[], result: Result): void {
    let tail: Node<Result> = { result };
    const join = (node: Node<Result> | undefined, at: number): Node<Result> => {
      if (node === undefined) {
        this.#size += steps.length - at;
        for (let i = steps.length - 1; i >= at; i -= 1) tail = { event: this.#events.of(steps[i].event), outcome: steps[i].outcome, next: tail, more: undefined };
        return tail;
      }
      let [fork, i] = [node, at];
      for (;;) {
        if (!('event' in fork) || i >= steps.length || !sameEvent(fork.event, steps[i].event)) throw contradiction(i);
        const next: Node<Result> | undefined = step(fork, steps[i].outcome);
        if (next === undefined) {
          (fork.more ??= new Map()).set(steps[i].outcome, join(undefined, i + 1));
          return node;
        }
        [fork, i] = [next, i + 1];
      }
    };
    this.#root = join(this.#root, 0);
    this.#paths += 1;
    for (const { event } of steps) if (isDependence(event)) this.#depends.add(event.page);
  }

  #outcome(event: PathEvent, walk: { readonly nvm: NvmState; readonly policy: CutPolicy; left: NvmState | undefined }): PathOutcome {
    const array = this.#array;
    switch (event.kind) {
      case 'power-on':
        array.powerOn(walk.left ?? walk.nvm, sessionPolicy(event.policy, walk.policy));
        return 0;
      case 'read':
        array.read(event.offset, event.size, event.now);
        return this.#outcomeTold();
      case 'start':
        array.start(event.page, event.command, event.target, event.force, event.now);
        return this.#outcomeTold();
      case 'finish':
        array.finish();
        return this.#outcomeTold();
      case 'cut':
        walk.left = array.cut(event.now);
        return 0;
      case 'look': return lookOutcome(array.bytes, event.page, event.whole);
      case 'weak': return walk.left === undefined ? -1 : weakOutcome(walk.left, event.page);
    }
  }

  #outcomeTold(): PathOutcome {
    return this.#told === undefined ? -1 : watchOutcome(this.#told);
  }
}

function isDependence(event: PathEvent): event is Extract<PathEvent, { readonly page: number }> {
  if (event.kind === 'start') return !event.force;
  return event.kind === 'read' || event.kind === 'look' || event.kind === 'weak';
}

function sessionPolicy(name: 'first' | 'then' | WeakPolicy, policy: CutPolicy): WeakPolicy {
  if (name === 'first') return policy.first;
  return name === 'then' ? policy.then : name;
}

function step<Result>(fork: Fork<Result>, outcome: PathOutcome): Node<Result> | undefined {
  return fork.outcome === outcome ? fork.next : fork.more?.get(outcome);
}

/** Events at one place of a path are the same: what the card does there follows from what came before. */
function sameEvent(a: PathEvent, b: PathEvent): boolean {
  if (a.kind !== b.kind) return false;
  if (a.kind === 'read' && b.kind === 'read') return a.offset === b.offset && a.size === b.size && a.now === b.now;
  if (a.kind === 'start' && b.kind === 'start') {
    return a.page === b.page && a.now === b.now && a.command === b.command && a.force === b.force && Buffer.compare(a.target, b.target) === 0;
  }
  if (a.kind === 'cut' && b.kind === 'cut') return a.now === b.now;
  if (a.kind === 'look' && b.kind === 'look') return a.page === b.page && a.whole === b.whole;
  return !('page' in a && 'page' in b) || a.page === b.page;
}

function contradiction(at: number): TearError {
  return new TearError('TEAR_PATH', `two runs that came out alike up to step ${at} went on differently`);
}
