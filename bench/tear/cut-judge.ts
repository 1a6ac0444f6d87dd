import { isDeviceError } from '../../devices/index.js';
import { EepromArray, NvmHash } from '../../emulator/index.js';
import type { EepromState, NvmState } from '../../emulator/index.js';
import type { WorldFactory } from '../certify/factory.js';
import { BootPlayer } from './boot-player.js';
import { Judge } from './judge.js';
import type { CutScene, Judged } from './judge.js';
import { EventPool, PathMemo } from './path-memo.js';
import type { CutPolicy } from './policies.js';
import { PathRecorder } from './recorder.js';
import type { PathStep } from './recorder.js';
import { worldOf } from './rest.js';
import { restAt } from './timeline.js';
import type { Span, Timeline } from './timeline.js';

/** A memory that cuts have left, with what it may differ in from others of its kind. */
export interface CutImage {
  readonly nvm: NvmState;
  /** Where the terminal, the safes and the bench stood. */
  readonly span: Span;
  /** Pages whose cells differ between the cases that share paths. */
  readonly torn: ReadonlySet<number>;
  /** Every page that may differ from the memory at the beginning of the span. */
  readonly changed: ReadonlySet<number>;
}

/** What is known of a case; the same object for all cases of one path. */
export interface Verdict {
  readonly judged: Judged;
}

/** A case that was run, with everything that depended on its torn pages. */
interface Run {
  readonly judged: Judged;
  readonly steps: readonly PathStep[];
}

/** Operation of a recovery: the EEPROM when it has just begun. */
export interface RecoveryOperation {
  readonly state: EepromState;
  readonly start: number;
  readonly end: number;
  readonly page: number;
}

/** A boot that was looked at operation by operation. */
export interface RecoveryRun {
  readonly operations: readonly RecoveryOperation[];
}

/** Judges memories that cuts of one timeline have left, each different way to go once. */
export class CutJudge {
  readonly #factory: WorldFactory;
  readonly #timeline: Timeline;
  readonly #judge: Judge;
  readonly #player: BootPlayer;
  readonly #array: EepromArray;
  readonly #hashes = new WeakMap<EepromState, NvmHash>();
  #memos = new Map<string, PathMemo<Verdict>>();
  #events = new EventPool();
  /** Equal results are kept once. */
  #results = new Map<string, Judged>();
  #last: { readonly image: CutImage; readonly memo: PathMemo<Verdict> } | undefined;
  #broken = 0;

  constructor(factory: WorldFactory, timeline: Timeline) {
    this.#factory = factory;
    this.#timeline = timeline;
    this.#judge = new Judge(factory, timeline.point, timeline.secrets);
    const { profile, seed } = factory.setup;
    this.#array = new EepromArray({ profile: profile.eeprom, coreHz: profile.cpu.hz, seed, bytes: new Uint8Array(profile.eeprom.bytes) });
    const [span] = timeline.spans;
    this.#player = new BootPlayer(worldOf(factory, timeline.point, restAt(span, { ...emptyOf(span.eeprom) }), { kind: 'new' }));
  }

  /** Different paths run since the last {@link forget}. */
  get paths(): number {
    return [...this.#memos.values()].reduce((sum, memo) => sum + memo.paths, 0);
  }

  /** Steps kept of these paths. */
  get size(): number {
    return [...this.#memos.values()].reduce((sum, memo) => sum + memo.size, 0);
  }

  /** Of those, paths that broke an invariant. */
  get broken(): number {
    return this.#broken;
  }

  /** Forgets all paths: what is counted from here on does not depend on what was judged before. */
  forget(): void {
    this.#memos = new Map();
    this.#events = new EventPool();
    this.#results = new Map();
    this.#last = undefined;
    this.#broken = 0;
  }

  /** nvmDigest of an image. */
  digest({ nvm, span, changed }: CutImage): string {
    return this.#digest(span, nvm, changed);
  }

  /** Judges an image under a policy: from an earlier case that goes the same way, or by running it. */
  async judge(image: CutImage, policy: CutPolicy): Promise<Verdict> {
    if (image.torn.size === 0) return { judged: await this.#judge.judge(this.#scene(image), policy, undefined, this.#player) };
    const memo = this.memoOf(image);
    return memo.find(image.nvm, policy) ?? this.#run(image, policy, memo);
  }

  /** The paths of images that differ from this one in their torn pages only. */
  memoOf(image: CutImage): PathMemo<Verdict> {
    if (this.#last?.image !== image) this.#last = { image, memo: this.#findMemo(image) };
    return this.#last.memo;
  }

  #findMemo({ nvm, span, torn, changed }: CutImage): PathMemo<Verdict> {
    const rest = this.#hashOf(span).digest(blanked(nvm.bytes, torn), [], [], offsets(changed));
    const key = `${rest} ${nvm.sessions} ${[...torn].join(',')} ${span.before} ${span.safes}`;
    const known = this.#memos.get(key);
    if (known) return known;
    const memo = new PathMemo<Verdict>(this.#array, torn, this.#events);
    this.#memos.set(key, memo);
    return memo;
  }

  /** Boots an image and takes the EEPROM at the begin of each page operation before the first command is answered. */
  async recovery(image: CutImage, policy: CutPolicy): Promise<RecoveryRun> {
    const played = this.#player.play({ nvm: image.nvm, policy, torn: image.torn, kind: this.memoOf(image), operations: true });
    const states = played?.operations ?? await this.#operationsOf(image, policy);
    return { operations: states.flatMap((state) => (state.op === undefined ? [] : [{
      state, start: state.op.start, end: state.op.start + state.op.eraseCycles + state.op.programCycles, page: state.op.page,
    }])) };
  }

  async #operationsOf({ nvm, span }: CutImage, policy: CutPolicy): Promise<readonly EepromState[]> {
    const states: EepromState[] = [];
    const world = worldOf(this.#factory, this.#timeline.point, restAt(span, nvm), policy.first);
    const { eeprom } = world.card.chip;
    eeprom.onStart(() => { states.push(eeprom.snapshot()); });
    await world.open('none').catch((error: unknown) => { if (!isDeviceError(error)) throw error; });
    return states;
  }

  async #run(image: CutImage, policy: CutPolicy, memo: PathMemo<Verdict>): Promise<Verdict> {
    const quick = this.#quick(image, policy, memo);
    const { judged, steps } = quick ?? await this.#slow(image, policy);
    const verdict = { judged: this.#once(judged) };
    memo.add(steps, verdict);
    this.#broken += Number(verdict.judged.findings.length > 0);
    return verdict;
  }

  #once(judged: Judged): Judged {
    const name = JSON.stringify(judged);
    const known = this.#results.get(name);
    if (known === undefined) this.#results.set(name, judged);
    return known ?? judged;
  }

  /** By a boot that goes as an earlier one to a memory whose future is known. */
  #quick(image: CutImage, policy: CutPolicy, memo: PathMemo<Verdict>): Run | undefined {
    const played = this.#player.play({ nvm: image.nvm, policy, torn: image.torn, kind: memo });
    if (played === undefined || played.recorder.open) return undefined;
    const { left, measure, written, recorder } = played;
    const digest = this.#digest(image.span, left, new Set([...image.changed, ...written]));
    const tail = this.#judge.known(this.#scene(image), left, digest, policy, measure.pages);
    return tail && { judged: { ...measure, ...tail }, steps: recorder.steps };
  }

  async #slow(image: CutImage, policy: CutPolicy): Promise<Run> {
    const recorder = new PathRecorder(image.torn, policy);
    const judged = await this.#judge.judge(this.#scene(image), policy, recorder, this.#player);
    return { judged, steps: recorder.steps };
  }

  #scene({ nvm, span }: CutImage): CutScene {
    const { states } = this.#timeline;
    return {
      rest: restAt(span, nvm), before: states[span.before], after: states.slice(span.before + 1), beforeId: `state ${span.before}`, safes: span.safes,
    };
  }

  #hashOf({ eeprom }: Span): NvmHash {
    const known = this.#hashes.get(eeprom);
    if (known) return known;
    const hash = new NvmHash(eeprom.bytes);
    this.#hashes.set(eeprom, hash);
    return hash;
  }

  #digest(span: Span, nvm: NvmState, changed: ReadonlySet<number>): string {
    return this.#hashOf(span).digest(nvm.bytes, nvm.weak, nvm.torn, offsets(changed));
  }
}

const pageBytes = 64;

const offsets = (pages: ReadonlySet<number>): number[] => [...pages].map((page) => page * pageBytes);

/** The memory with the torn pages blank. */
function blanked(bytes: Uint8Array, torn: ReadonlySet<number>): Uint8Array {
  const copy = bytes.slice();
  for (const page of torn) copy.fill(0, page * pageBytes, (page + 1) * pageBytes);
  return copy;
}

function emptyOf({ bytes, cycles, sessions }: EepromState): NvmState {
  return { bytes, weak: [], torn: [], cycles, sessions };
}
