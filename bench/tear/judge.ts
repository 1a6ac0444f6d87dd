import { nvmDigest } from '../../emulator/index.js';
import type { NvmState, WeakPolicy } from '../../emulator/index.js';
import { checkChange, checkState, progress, sequencesKept, stable } from '../../scenarios/index.js';
import type { AbstractCard, AbstractWorld, Finding } from '../../scenarios/index.js';
import type { WorldFactory } from '../certify/factory.js';
import type { Secret } from '../nvm/index.js';
import type { World } from '../world/world.js';
import { conserved } from './conserve.js';
import { goalMissed, itemOf, retryHonestly } from './goal.js';
import type { TearPoint } from './points.js';
import type { CutPolicy } from './policies.js';
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

/** What came out of one memory under one policy. */
export interface Judged extends RecoveryMeasure {
  readonly findings: readonly Finding[];
  readonly retries: number;
}

/** What one cut left, and the last state at rest before it. */
export interface CutScene {
  readonly rest: Rest;
  readonly before: AbstractWorld;
  /** Distinguishes `before` from other states of the same campaign. */
  readonly beforeId: string;
  /** Last step before the cut; findings name it. */
  readonly step?: string | undefined;
}

interface Booted {
  readonly world: World;
  readonly measure: RecoveryMeasure;
  readonly findings: Finding[];
  readonly alive: boolean;
}

interface Tail {
  readonly findings: readonly Finding[];
  readonly retries: number;
}

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

  /** Boots what a cut left, checks the invariants, boots again, retries as an honest terminal, and spends everything. */
  async judge(scene: CutScene, policy: CutPolicy): Promise<Judged> {
    const judged = await this.#judge(scene, policy);
    const { step } = scene;
    return step === undefined ? judged : { ...judged, findings: judged.findings.map((finding) => ({ ...finding, step })) };
  }

  async #judge(scene: CutScene, policy: CutPolicy): Promise<Judged> {
    const log = new RestLog();
    const { world, measure, findings, alive } = await this.#boot(scene.rest, policy.first, log, 'boot after the cut');
    if (!alive) return { ...measure, findings, retries: 0 };
    const tail = await this.#tail({ ...scene, rest: restOf(world, leftNow(world)) }, world, policy, measure.pages);
    return { ...measure, findings: [...findings, ...tail.findings], retries: tail.retries };
  }

  /** Powers a fresh world on and selects the applet. */
  async #boot(rest: Rest, policy: WeakPolicy, log: RestLog, when: string): Promise<Booted> {
    const world = worldOf(this.#factory, this.#point, rest, policy, log.hooks);
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
    return { world, findings, alive, measure: { atrClocks, pages: writes.length, cycles: writes.at(-1)?.end ?? 0 } };
  }

  /** From the end of the first recovery on: equal memories, safes and histories go on alike. `recovered` is still powered. */
  async #tail(scene: CutScene, recovered: World, policy: CutPolicy, pages: number): Promise<Tail> {
    const key = [keyOf(scene.rest.nvm, policy), safesDigest(recovered), scene.beforeId, Math.max(4, pages)].join(' ');
    const known = this.#tails.get(key);
    if (known) return known;
    const first = recovered.abstract();
    const findings = [
      ...problemsOf(recovered), ...checkState(first), ...checkChange(scene.before, first), ...sequencesKept(first), ...weakThatCount(scene.rest.nvm),
    ];
    const retries = await this.#goOn(scene.rest, first, policy, pages, findings);
    const tail = { findings, retries };
    this.#tails.set(key, tail);
    return tail;
  }

  async #goOn(rest: Rest, first: AbstractWorld, policy: CutPolicy, pages: number, findings: Finding[]): Promise<number> {
    const log = new RestLog();
    const { world, measure, findings: booting, alive } = await this.#boot(rest, policy.then, log, 'second boot');
    findings.push(...booting);
    if (!alive) return 0;
    log.begin(world);
    findings.push(...stable(card(first), card(log.states[0]), rest.nvm.weak.length > 0 ? policy.name : 'strong'));
    const end = await orBrick(findings, 'retry', async () => {
      await world.verify();
      return retryHonestly(this.#point, world);
    });
    const { retries, boots, settled, last } = end ?? { retries: 0, boots: 0, settled: false, last: undefined };
    const recoveryPages = Math.max(pages, measure.pages);
    findings.push(...progress({ boots: 2 + boots, retries, recoveryPages, alive: end !== undefined, settled, ...last && { step: last.step } }));
    if (!settled && last) findings.push({ invariant: 'I11', text: this.#why(world, last.text) });
    findings.push(...log.findings(), ...log.line, ...violationsOf(world), ...problemsOf(world), ...lostRoom(world.contents()), ...leftInClear(world, this.#secrets));
    if (settled) findings.push(...await this.#ended(world, policy));
    return retries;
  }

  #why(world: World, text: string): string {
    return `the last honest attempt ended: ${text}; ${goalMissed(this.#point, world.abstract(), itemOf(this.#point, world)) ?? 'goal reached'}`;
  }

  async #ended(world: World, policy: CutPolicy): Promise<readonly Finding[]> {
    const nvm = await world.card.powerOff();
    const key = `${keyOf(nvm, policy)} ${safesDigest(world)}`;
    const known = this.#ends.get(key);
    if (known) return known;
    const findings: Finding[] = [...weakThatCount(nvm)];
    const fresh = worldOf(this.#factory, this.#point, restOf(world, nvm), policy.then);
    await orBrick(findings, 'spending', async () => {
      await fresh.open();
      findings.push(...sequencesKept(fresh.abstract()), ...await conserved(fresh));
    });
    this.#ends.set(key, findings);
    return findings;
  }
}

const card = (world: AbstractWorld): AbstractCard => world.cards[0];

/** The policy matters only while there are weak cells. */
const keyOf = (nvm: NvmState, policy: CutPolicy): string => `${nvmDigest(nvm)} ${nvm.weak.length > 0 ? policy.name : ''}`;
