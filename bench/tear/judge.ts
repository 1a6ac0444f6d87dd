import { nvmDigest } from '../../emulator/index.js';
import type { NvmState, WeakPolicy } from '../../emulator/index.js';
import { checkChange, checkState, progress, sequencesKept, stable } from '../../scenarios/index.js';
import type { AbstractCard, AbstractWorld, Finding } from '../../scenarios/index.js';
import type { WorldFactory } from '../certify/factory.js';
import type { Secret } from '../nvm/index.js';
import type { World } from '../world/world.js';
import type { BootPlayer } from './boot-player.js';
import { conserved } from './conserve.js';
import { goalMissed, itemOf, retryHonestly } from './goal.js';
import type { TearPoint } from './points.js';
import type { CutPolicy } from './policies.js';
import type { PathRecorder } from './recorder.js';
import { leftNow, lostRoom, orBrick, problemsOf, RestLog, restOf, safesDigest, violationsOf, worldOf } from './rest.js';
import type { Rest } from './rest.js';
import { leftInClear, weakThatCount } from './secrecy.js';

/** What a recovery took. */
export interface RecoveryMeasure {
  /** Contact clocks from RST high to the first edge of the ATR. */
  readonly atrClocks: number;
  /** Page operations before the first command was answered. */
  readonly pages: number;
  /** Cycle at which the last of them ended; 0 without one. */
  readonly cycles: number;
}

/** What the card holds after the first boot, against the undisturbed run. */
export type ResultClass =
  /** As before the change that was cut, or as after it. */
  | 'old' | 'new'
  /** Neither: a number used up, room kept, a change half way that is still to be ended. */
  | 'partial'
  /** The second boot shows something else. */
  | 'unstable'
  /** The card does not answer, or its memory does not decode. */
  | 'unreadable';

/** What came out of one memory under one policy. */
export interface Judged extends RecoveryMeasure {
  readonly findings: readonly Finding[];
  readonly retries: number;
  readonly result: ResultClass;
}

/** What one cut left, and the last state at rest before it. */
export interface CutScene {
  readonly rest: Rest;
  readonly before: AbstractWorld;
  /** The states at rest that the undisturbed run came to afterwards; default: not known. */
  readonly after?: readonly AbstractWorld[];
  /** Distinguishes `before` from other states of the same campaign. */
  readonly beforeId: string;
  /** Fingerprints of both safes; default: taken from the worlds. */
  readonly safes?: string;
  /** Last step before the cut; findings name it. */
  readonly step?: string | undefined;
}

interface Booted {
  readonly world: World;
  readonly measure: RecoveryMeasure;
  readonly findings: Finding[];
  readonly alive: boolean;
}

/** What comes after the first boot. */
export interface Tail {
  readonly findings: readonly Finding[];
  readonly retries: number;
  readonly result: ResultClass;
}

interface Recovered {
  readonly abstract: AbstractWorld;
  readonly problems: readonly Finding[];
}

const recoveredOf = (world: World): Recovered => ({ abstract: world.abstract(), problems: problemsOf(world) });

/** Judges what cuts leave. Runs that begin alike are judged once, so keep one for a campaign. */
export class Judge {
  readonly #factory: WorldFactory;
  readonly #point: TearPoint;
  readonly #secrets: readonly Secret[];
  readonly #tails = new Map<string, Tail>();
  readonly #ends = new Map<string, readonly Finding[]>();

  /** `secrets` are the keys the card held before the phase. */
  constructor(factory: WorldFactory, point: TearPoint, secrets: readonly Secret[]) {
    this.#factory = factory;
    this.#point = point;
    this.#secrets = secrets;
  }

  /** Different memories after recovery that were taken to the end, and different ends. */
  get counts(): { readonly recovered: number; readonly ends: number } {
    return { recovered: this.#tails.size, ends: this.#ends.size };
  }

  /**
   * Boots what a cut left, checks the invariants, boots again, retries as an honest terminal, and spends everything.
   * `recorder` takes down what depends on the torn pages; `player` learns the first boot.
   */
  async judge(scene: CutScene, policy: CutPolicy, recorder?: PathRecorder, player?: BootPlayer): Promise<Judged> {
    const judged = await this.#judge(scene, policy, recorder, player);
    const { step } = scene;
    return step === undefined ? judged : { ...judged, findings: judged.findings.map((finding) => ({ ...finding, step })) };
  }

  async #judge(scene: CutScene, policy: CutPolicy, recorder?: PathRecorder, player?: BootPlayer): Promise<Judged> {
    const log = new RestLog();
    const { world, measure, findings, alive } = await this.#boot(scene.rest, policy.first, log, 'boot after the cut', recorder, player);
    if (!alive) return { ...measure, findings, retries: 0, result: 'unreadable' };
    const tail = recorder?.open === true
      ? await this.#openTail(scene, world, policy, measure.pages, recorder)
      : await this.#tail({ ...scene, rest: restOf(world, leftNow(world)) }, world, policy, measure.pages);
    return { ...measure, findings: [...findings, ...tail.findings], retries: tail.retries, result: tail.result };
  }

  /** What is known of a memory that a first boot has left, with nothing open: `digest` is its nvmDigest. */
  known(scene: CutScene, left: NvmState, digest: string, policy: CutPolicy, pages: number): Tail | undefined {
    return this.#tails.get(tailKey(digestKey(digest, left, policy), scene.safes ?? '', scene.beforeId, pages));
  }

  /** Powers a fresh world on and selects the applet. */
  async #boot(rest: Rest, policy: WeakPolicy, log: RestLog, when: string, recorder?: PathRecorder, player?: BootPlayer): Promise<Booted> {
    const world = worldOf(this.#factory, this.#point, rest, policy, log.hooks);
    recorder?.attach(world, policy);
    const learned = player?.record(world);
    const { card } = world;
    const { cpu, card: contact } = world.parts.profile;
    let atrClocks = 0;
    card.observe({ block: ({ kind, from }) => { if (kind === 'ATR') atrClocks = Math.round((from * contact.hz) / cpu.hz); } });
    const findings: Finding[] = [];
    const alive = await orBrick(findings, when, async () => {
      await world.open('none');
      return true;
    }) ?? false;
    const { writes } = card.chip.eeprom;
    findings.push(...log.line, ...violationsOf(world));
    log.line.length = 0;
    if (alive && findings.length === 0) learned?.(atrClocks);
    return { world, findings, alive, measure: { atrClocks, pages: writes.length, cycles: writes.at(-1)?.end ?? 0 } };
  }

  /** From the end of the first recovery on: equal memories, safes and histories go on alike. `recovered` is still powered. */
  async #tail(scene: CutScene, recovered: World, policy: CutPolicy, pages: number): Promise<Tail> {
    const { nvm } = scene.rest;
    const key = tailKey(digestKey(nvmDigest(nvm), nvm, policy), safesDigest(recovered), scene.beforeId, pages);
    const known = this.#tails.get(key);
    if (known) return known;
    const tail = await this.#runTail(scene, recoveredOf(recovered), policy, pages, undefined);
    this.#tails.set(key, tail);
    return tail;
  }

  /** The same while something still depends on torn pages: the power really goes, and everything is taken down. */
  async #openTail(scene: CutScene, recovered: World, policy: CutPolicy, pages: number, recorder: PathRecorder): Promise<Tail> {
    const first = recoveredOf(recovered);
    const rest = restOf(recovered, await recovered.card.powerOff());
    return this.#runTail({ ...scene, rest }, first, policy, pages, recorder);
  }

  async #runTail(scene: CutScene, first: Recovered, policy: CutPolicy, pages: number, recorder: PathRecorder | undefined): Promise<Tail> {
    const { abstract, problems } = first;
    const findings = [
      ...problems, ...checkState(abstract), ...checkChange(scene.before, abstract), ...sequencesKept(abstract),
      ...weakThatCount(scene.rest.nvm, recorder),
    ];
    const { retries, steady } = await this.#goOn(scene.rest, abstract, policy, pages, findings, recorder);
    return { findings, retries, result: classOf(scene, abstract, problems.length > 0, steady) };
  }

  async #goOn(
    rest: Rest, first: AbstractWorld, policy: CutPolicy, pages: number, findings: Finding[], recorder: PathRecorder | undefined,
  ): Promise<{ readonly retries: number; readonly steady: boolean }> {
    const log = new RestLog();
    const { world, measure, findings: booting, alive } = await this.#boot(rest, policy.then, log, 'second boot', recorder);
    findings.push(...booting);
    if (!alive) return { retries: 0, steady: false };
    log.begin(world);
    const drift = stable(card(first), card(log.states[0]), policy.family);
    findings.push(...drift);
    const end = await orBrick(findings, 'retry', async () => {
      await world.verify();
      return retryHonestly(this.#point, world);
    });
    const { retries, boots, settled, last } = end ?? { retries: 0, boots: 0, settled: false, last: undefined };
    const recoveryPages = Math.max(pages, measure.pages);
    findings.push(...progress({ boots: 2 + boots, retries, recoveryPages, alive: end !== undefined, settled, ...last && { step: last.step } }));
    if (!settled && last) findings.push({ invariant: 'I11', text: this.#why(world, last.text) });
    findings.push(...log.findings(), ...log.line, ...violationsOf(world), ...problemsOf(world), ...lostRoom(world.contents()), ...leftInClear(world, this.#secrets));
    if (settled) findings.push(...await this.#ended(world, policy, recorder));
    return { retries, steady: drift.length === 0 };
  }

  #why(world: World, text: string): string {
    return `the last honest attempt ended: ${text}; ${goalMissed(this.#point, world.abstract(), itemOf(this.#point, world)) ?? 'goal reached'}`;
  }

  async #ended(world: World, policy: CutPolicy, recorder: PathRecorder | undefined): Promise<readonly Finding[]> {
    const nvm = await world.card.powerOff();
    const open = recorder?.open === true;
    const key = `${digestKey(nvmDigest(nvm), nvm, policy)} ${safesDigest(world)}`;
    const known = open ? undefined : this.#ends.get(key);
    if (known) return known;
    const findings: Finding[] = [...weakThatCount(nvm, recorder)];
    const fresh = worldOf(this.#factory, this.#point, restOf(world, nvm), policy.then);
    recorder?.attach(fresh, policy.then);
    await orBrick(findings, 'spending', async () => {
      await fresh.open();
      findings.push(...sequencesKept(fresh.abstract()), ...await conserved(fresh));
    });
    if (!open) this.#ends.set(key, findings);
    return findings;
  }
}

function classOf({ before, after = [] }: CutScene, first: AbstractWorld, damaged: boolean, steady: boolean): ResultClass {
  if (damaged) return 'unreadable';
  if (!steady) return 'unstable';
  const now = JSON.stringify(card(first));
  if (now === JSON.stringify(card(before))) return 'old';
  return after.some((state) => now === JSON.stringify(card(state))) ? 'new' : 'partial';
}

const card = (world: AbstractWorld): AbstractCard => world.cards[0];

/** The policy matters only while there are weak cells. */
const digestKey = (digest: string, nvm: NvmState, policy: CutPolicy): string => `${digest} ${nvm.sessions} ${nvm.weak.length > 0 ? policy.name : ''}`;

const tailKey = (memory: string, safes: string, beforeId: string, pages: number): string => [memory, safes, beforeId, Math.max(4, pages)].join(' ');
