import { EepromArray } from '../../emulator/index.js';
import type { EepromState, NvmState } from '../../emulator/index.js';
import type { AbstractWorld, Finding } from '../../scenarios/index.js';
import type { WorldFactory } from '../certify/factory.js';
import { runHonestly } from '../certify/prepare.js';
import type { Secret } from '../nvm/index.js';
import type { StoreSnapshot } from '../safe/index.js';
import type { World, WorldKnowledge } from '../world/world.js';
import { TearError } from './errors.js';
import { readyWorld } from './forward.js';
import type { ReadyWorld } from './forward.js';
import type { TearPoint } from './points.js';
import { lastStep } from './rest.js';
import type { Rest } from './rest.js';

/** Why an interval begins where it does. */
export type IntervalCause = 'phase' | 'operation' | 'cell' | 'byte' | 'answer' | 'safe' | 'mark';

/** A page operation of the undisturbed run; cycles. */
export interface TimedOperation {
  readonly index: number;
  readonly page: number;
  /** The command that started it is carried out at this cycle: a cut at the next one tears the page. */
  readonly start: number;
  /** First cycle at which a cut leaves it complete. */
  readonly end: number;
  readonly phases: 'erase' | 'program' | 'erase+program';
}

/** Cycles in which nothing changes but the cells of the running operation: safes, answers, knowledge are the same. */
export interface Span {
  /** First cycle, and the one after the last. */
  readonly from: number;
  readonly to: number;
  readonly cause: IntervalCause;
  /** Index of the operation under way at a cut in the span. */
  readonly operation: number | undefined;
  /** Number of the last state at rest before a cut in the span. */
  readonly before: number;
  readonly safe: StoreSnapshot;
  readonly other: StoreSnapshot;
  readonly knows: WorldKnowledge;
  /** Fingerprints of both safes. */
  readonly safes: string;
  /** Last step mark of the card before the span, for example `1-14`. */
  readonly step: string | undefined;
  /** The EEPROM at the beginning of the span or before, with the operation that is under way. */
  readonly eeprom: EepromState;
}

/** One undisturbed run of a tear point, cut into spans. */
export interface Timeline {
  readonly point: TearPoint;
  readonly from: number;
  readonly to: number;
  readonly operations: readonly TimedOperation[];
  /** In order, without gaps. */
  readonly spans: readonly Span[];
  /** States at rest, the one before the phase first. */
  readonly states: readonly AbstractWorld[];
  readonly secrets: readonly Secret[];
  /** What the invariants say of the undisturbed run. */
  readonly findings: readonly Finding[];
}

interface Scouted {
  readonly from: number;
  readonly to: number;
  readonly operations: readonly TimedOperation[];
  /** Where something may change, by cycle; the first cause counts. */
  readonly moments: ReadonlyMap<number, IntervalCause>;
}

/** Runs the phase once and notes when anything happens. @throws TearError TEAR_RUN */
async function scout(factory: WorldFactory, point: TearPoint): Promise<Scouted> {
  const moments = new Map<number, IntervalCause>();
  const note = (cycle: number, cause: IntervalCause): void => { if (!moments.has(cycle)) moments.set(cycle, cause); };
  const around = (cycle: number, cause: IntervalCause): void => { for (const at of [cycle, cycle + 1, cycle - 1]) note(at, cause); };
  let began = false;
  const { world }: ReadyWorld = await readyWorld(factory, point, {
    exchanged: ({ endedAt }) => { if (began) around(endedAt, 'answer'); },
    safe: () => { if (began) moments.set(world.line.now() + 1, 'safe'); },
  });
  const { chip } = world.card;
  const [from, earlier, marks] = [world.line.now(), chip.eeprom.writes.length, chip.steps.length];
  began = true;
  const release = world.card.observe({ character: ({ at }) => { note(Math.ceil(at), 'byte'); } });
  const { cause, step, text } = await runHonestly(point.run, world);
  release();
  if (cause !== 'done') throw new TearError('TEAR_RUN', `${point.id}: without a cut the run ended at ${step}: ${text}`);
  const to = world.line.now();
  const operations = chip.eeprom.writes.slice(earlier).map(({ page, start, end, phases }, index) => ({ index, page, start, end, phases }));
  for (const { start, end } of operations) {
    moments.set(start + 1, 'operation');
    moments.set(end, 'operation');
    note(end + 1, 'operation');
  }
  for (const { cycle } of chip.steps.slice(marks)) around(cycle, 'mark');
  return { from, to, operations, moments };
}

const underWay = (operations: readonly TimedOperation[], cycle: number): number | undefined =>
  operations.find(({ start, end }) => start < cycle && cycle < end)?.index;

/** Takes at each probe what a cut there would find, as a span up to the next probe. */
class SpanTaker {
  readonly spans: Span[] = [];
  readonly #world: World;
  readonly #scouted: Scouted;
  readonly #states: readonly AbstractWorld[];
  #eeprom: { readonly mark: string; readonly state: EepromState } | undefined;

  constructor(world: World, scouted: Scouted, states: readonly AbstractWorld[]) {
    this.#world = world;
    this.#scouted = scouted;
    this.#states = states;
  }

  take(cycle: number, to: number): void {
    const { safe, other } = this.#world.parts.safes;
    this.spans.push({
      from: cycle, to, cause: this.#scouted.moments.get(cycle) ?? 'phase', operation: underWay(this.#scouted.operations, cycle),
      before: this.#states.length - 1, safe: safe.store.snapshot(), other: other.store.snapshot(), knows: this.#world.knows(),
      safes: `${safe.store.fingerprint()} ${other.store.fingerprint()}`,
      step: lastStep(this.#world, this.#scouted.from), eeprom: this.#now(),
    });
  }

  /** The EEPROM now; copied anew only when an operation has begun or ended. */
  #now(): EepromState {
    const { eeprom } = this.#world.card.chip;
    const mark = `${eeprom.writes.length} ${eeprom.operation?.start ?? ''}`;
    if (this.#eeprom?.mark !== mark) this.#eeprom = { mark, state: eeprom.snapshot() };
    return this.#eeprom.state;
  }
}

/** Runs the phase of a tear point undisturbed and cuts it into spans. @throws TearError TEAR_RUN */
export async function timelineOf(factory: WorldFactory, point: TearPoint): Promise<Timeline> {
  const scouted = await scout(factory, point);
  const { from, to, operations, moments } = scouted;
  const { world, log, secrets } = await readyWorld(factory, point);
  const probes = [...new Set([from, ...moments.keys()])].filter((cycle) => cycle >= from && cycle < to).sort((a, b) => a - b);
  const taker = new SpanTaker(world, scouted, log.states);
  let next = 0;
  world.card.port.probeAt(probes, (cycle) => {
    next += 1;
    taker.take(cycle, probes[next] ?? to);
  });
  await runHonestly(point.run, world);
  if (next < probes.length || world.line.now() !== to)
    throw new TearError('TEAR_RUN', `${point.id}: the run did not repeat itself: ${next} of ${probes.length} moments were seen`);
  return {
    point, from, to, operations, spans: taker.spans, states: log.states, secrets, findings: [...log.findings(), ...log.line],
  };
}

/** Derives what cuts leave from the spans of a timeline; one array serves all. */
export class CutMaker {
  readonly array: EepromArray;

  /** For timelines of the same chip. */
  constructor(factory: WorldFactory) {
    const { profile, seed } = factory.setup;
    this.array = new EepromArray({ profile: profile.eeprom, coreHz: profile.cpu.hz, seed, bytes: new Uint8Array(profile.eeprom.bytes) });
  }

  /** Every cycle of a span at which what a cut leaves changes, its first cycle included, ascending. */
  cyclesOf(span: Span): readonly number[] {
    const { op } = span.eeprom;
    if (span.operation === undefined || op === undefined) return [span.from];
    return [span.from, ...[...this.array.model.edges(op)].filter((cycle) => cycle > span.from && cycle < span.to)];
  }

  /** The memory that a cut at `cycle` of the span leaves. */
  leftAt(span: Span, cycle: number): NvmState {
    return cutState(this.array, span.eeprom, cycle);
  }
}

/** What a cut at `cycle` leaves of an EEPROM that is in `state`, with the same operation under way or just over. */
export function cutState(array: EepromArray, state: EepromState, cycle: number): NvmState {
  array.watch(new Set(), undefined);
  array.restore(state);
  if (array.endOfOperation <= cycle) array.finish();
  return array.cut(cycle);
}

/** Everything that outlives a cut in a span. */
export const restAt = ({ safe, other, knows }: Span, nvm: NvmState): Rest => ({ nvm, safe, other, knows });
