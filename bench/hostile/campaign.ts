import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { commandName, toHex } from '../codec/index.js';
import type { CardCommand } from '../codec/index.js';
import { loadImage, loadProfile } from '../../emulator/index.js';
import type { TestSetup } from '../certify/factory.js';
import { pins } from '../world/world.js';
import { Attack } from './attack.js';
import type { HostileInput, HostileKind, HostileLevel } from './inputs.js';
import { makeRandom } from './make-apdu.js';
import { makeBlocks } from './make-blocks.js';
import { makeCharacters } from './make-characters.js';
import { makeMutated, makeOutOfOrder } from './mutate.js';
import { Oracle } from './oracle.js';
import { Prng } from './random.js';
import { SessionModel } from './session.js';
import { prove } from './stages.js';
import type { Proving, Stage, StageName } from './stages.js';

/** What is attacked, and how; `setup.seed` fixes card and inputs. */
export interface HostileSetup extends TestSetup {
  readonly level: HostileLevel;
}

/** A failure, shrunk, with all that is needed to see it again. */
export interface HostileFailure {
  readonly seed: number;
  readonly index: number;
  /** Indices before `index` that are needed too, in order. */
  readonly prefix: readonly number[];
  readonly stage: StageName;
  readonly verified: boolean;
  readonly kind: HostileKind;
  /** The input in hexadecimal; PINs left out. */
  readonly input: readonly string[];
  readonly problems: readonly string[];
}

/** What a campaign has shown. */
export interface HostileReport {
  readonly inputs: number;
  readonly verified: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly stages: Readonly<Record<string, number>>;
  /** Answers: status words, kinds of T=1 blocks, silence. */
  readonly answers: Readonly<Record<string, number>>;
  /** Inputs after which only a warm reset brought the card back (T=0). */
  readonly resets: number;
  readonly failures: readonly HostileFailure[];
}

const referenceImage = fileURLToPath(new URL('../../devices/firmware/images/card.elf', import.meta.url));
/** Inputs after which the card is taken back to a stage. */
const sessionLength = 16;
/** How often sessions begin at a stage. */
const weights: Readonly<Record<StageName, number>> = { blank: 1, initialised: 1, fresh: 1, rich: 12, keyless: 3, full: 6 };
const secretInstructions: ReadonlySet<string> = new Set(['VERIFY', 'CHANGE REFERENCE DATA']);

interface SessionRun {
  readonly index: number;
  readonly input: HostileInput;
  readonly problems: readonly string[];
  readonly answers: readonly string[];
  readonly reset: boolean;
}

const sessionOf = (index: number): number => Math.floor(index / sessionLength);

/** Hostile input against one firmware: the same setup gives the same inputs, answers and failures. */
export class HostileCampaign {
  readonly setup: HostileSetup;
  readonly #proving: Proving;
  readonly #commands: readonly CardCommand[];

  /** Use {@link hostileCampaign}. */
  constructor(setup: HostileSetup, proving: Proving) {
    this.setup = setup;
    this.#proving = proving;
    const seen = new Map(proving.genuine.commands.map((command) => [toHex(Uint8Array.of(command.cla, command.ins, command.p1, command.p2, ...command.data)), command]));
    this.#commands = [...seen.values()];
  }

  /** The input with an index. */
  input(index: number): HostileInput {
    const random = new Prng(this.setup.seed, index + 1);
    if (this.setup.level === 'block') return makeBlocks(random, this.#commands);
    if (this.setup.level === 'character') return makeCharacters(random, this.#commands);
    const share = random.below(20);
    if (share < 4) return makeOutOfOrder(random, this.#commands);
    return share < 11 ? makeRandom(random, this.#commands) : makeMutated(random, this.#commands);
  }

  /** Where the session of an index begins: every second one with the PIN presented. */
  stage(index: number): Stage {
    const session = sessionOf(index);
    const random = new Prng(this.setup.seed ^ 0x5e551017, session);
    const stages = this.#proving.stages.filter(({ verified }) => verified === (session % 2 === 1));
    const list = stages.flatMap((stage) => Array.from({ length: weights[stage.name] }, () => stage));
    return random.pick(list);
  }

  /** Runs inputs 0 to `count` - 1; ends early, with a session, when there have been `most` failures. */
  async run(count: number, most = 10): Promise<HostileReport> {
    const [kinds, stages, answers] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
    const add = (map: Map<string, number>, key: string): void => void map.set(key, (map.get(key) ?? 0) + 1);
    const failures: HostileFailure[] = [];
    let [inputs, verified, resets] = [0, 0, 0];
    for (let from = 0; from < count && failures.length < most; from += sessionLength) {
      const length = Math.min(sessionLength, count - from);
      const { name, verified: withPin } = this.stage(from);
      for (const { index, input, problems, answers: words, reset } of await this.#session(Array.from({ length }, (_, i) => from + i))) {
        inputs += 1;
        verified += withPin ? 1 : 0;
        resets += reset ? 1 : 0;
        add(kinds, input.kind);
        add(stages, name);
        for (const word of words) add(answers, word);
        if (problems.length > 0) failures.push(await this.replay(index));
      }
    }
    const plain = (map: Map<string, number>): Record<string, number> => Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
    return { inputs, verified, resets, kinds: plain(kinds), stages: plain(stages), answers: plain(answers), failures };
  }

  /** Runs the input with an index again, after as few others of its session as show the same failure. */
  async replay(index: number): Promise<HostileFailure> {
    const first = sessionOf(index) * sessionLength;
    const problemsOf = async (prefix: readonly number[]): Promise<readonly string[]> => {
      const all = await this.#session([...prefix, index]);
      return all.find((run) => run.index === index)?.problems ?? [];
    };
    let prefix: readonly number[] = [];
    let problems = await problemsOf(prefix);
    if (problems.length === 0) {
      prefix = Array.from({ length: index - first }, (_, i) => first + i);
      problems = await problemsOf(prefix);
      for (const left of problems.length > 0 ? prefix : []) {
        const fewer = prefix.filter((other) => other !== left);
        const still = await problemsOf(fewer);
        if (still.length > 0) [prefix, problems] = [fewer, still];
      }
    }
    const { name, verified } = this.stage(index);
    const input = this.input(index);
    return { seed: this.setup.seed, index, prefix, stage: name, verified, kind: input.kind, input: shown(input), problems };
  }

  /** Inputs one after the other from the stage of the first; a failure or a warm reset ends the session: the stage again. */
  async #session(indices: readonly number[]): Promise<readonly SessionRun[]> {
    const runs: SessionRun[] = [];
    let attack: Attack | undefined;
    for (const index of indices) {
      attack ??= this.#begin(this.stage(index));
      const input = this.input(index);
      const { problems, answers, reset } = await attack.send(input);
      runs.push({ index, input, problems, answers, reset });
      if (reset || problems.length > 0) attack = undefined;
    }
    return runs;
  }

  #begin(stage: Stage): Attack {
    const { world, genuine } = this.#proving;
    world.card.restore(stage.snapshot);
    const facts = { ops: world.parts.ops, cardId: world.cardId, genuine, safes: stage.safes };
    const oracle = new Oracle(facts, world.memory(), stage.ledger);
    return new Attack(world.card, oracle, new SessionModel(this.setup.protocol, stage.verified, pins.right));
  }
}

function shown(input: HostileInput): readonly string[] {
  if ('bursts' in input) return input.bursts.map(({ bytes, badParity, pause }) => (
    `${toHex(bytes)}${badParity === undefined || badParity.length === 0 ? '' : ` parity ${badParity.join()}`}${pause === undefined ? '' : ` pause ${pause.etu} etu before ${pause.before}`}`
  ));
  return input.apdus.map((apdu) => {
    const name = commandName(apdu[0] ?? 0, apdu[1] ?? 0);
    return name !== undefined && secretInstructions.has(name) ? `${toHex(apdu.slice(0, 4))} (${apdu.length} bytes)` : toHex(apdu);
  });
}

/**
 * Makes a campaign: brings a blank card through its life once. Throws BenchError BENCH_PREPARE, BENCH_PERSONALISE when
 * the firmware refuses an honest command.
 */
export async function hostileCampaign(setup: HostileSetup): Promise<HostileCampaign> {
  return new HostileCampaign(setup, await prove(setup));
}

/** What `replayHostile` runs against; absent: the reference image over T=1 on c2010, commands. */
export type ReplaySetup = Partial<Omit<HostileSetup, 'seed'>>;

/**
 * Runs one input again, after as few others of its session as show the same failure, and says what happened: no
 * problems when all is well. Throws BenchError BENCH_PREPARE, BENCH_PERSONALISE as {@link hostileCampaign}.
 */
export async function replayHostile(seed: number, index: number, setup: ReplaySetup = {}): Promise<HostileFailure> {
  const image = setup.image ?? loadImage(readFileSync(referenceImage));
  const campaign = await hostileCampaign({ profile: loadProfile('c2010'), protocol: 'T=1', level: 'apdu', ...setup, image, seed });
  return campaign.replay(index);
}

/** A failure for people: what, where, how to see it again. */
export function failureText({ seed, index, prefix, stage, verified, kind, input, problems }: HostileFailure): string {
  const after = prefix.length > 0 ? ` after ${prefix.join(', ')}` : '';
  const head = `${kind} input ${index}${after} on stage ${stage}${verified ? ', PIN presented' : ''}`;
  return [`${head}: ${problems.join('; ')}`, ...input.map((line) => `  ${line}`), `  replayHostile(${seed}, ${index})`].join('\n');
}
