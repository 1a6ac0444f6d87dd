import { nvmDigest } from '../../emulator/index.js';
import type { NvmState } from '../../emulator/index.js';
import { checkChange, checkState, secrecy } from '../../scenarios/index.js';
import type { AbstractWorld, Finding, ScenarioOutput } from '../../scenarios/index.js';
import type { WorldFactory } from '../certify/factory.js';
import { runHonestly } from '../certify/prepare.js';
import type { Secret } from '../nvm/index.js';
import { goalMissed, itemOf } from '../tear/goal.js';
import { Judge } from '../tear/judge.js';
import { policyOf, strong } from '../tear/policies.js';
import { leftNow, restOf, safesDigest, violationsOf } from '../tear/rest.js';
import { arm, cellShows } from './arm.js';
import type { Proof } from './arm.js';
import { disturbCaseId, disturbCaseOf } from './case-id.js';
import { distinct, excused, judgeCells } from './cells.js';
import type { ReadyPhase } from './ready.js';
import { attackKinds, cellKinds } from './spec.js';
import type { Disturbance } from './spec.js';

/**
 * What a disturbance came to. `none`: the run went as undisturbed, to the cycle; `masked`: it reached its goal all the
 * same; `detected`: it ended in an error, the state at rest is legal and the retry succeeds; `hang`: the card fell silent
 * or locked up, and after a cold reset all is well; `breach`: an invariant is broken; `invalid`: the disturbance did not
 * take place, so nothing is proved.
 */
export type DisturbOutcome = 'none' | 'masked' | 'detected' | 'hang' | 'breach' | 'invalid';

/** All outcomes in the order of reports. */
export const disturbOutcomes: readonly DisturbOutcome[] = ['none', 'masked', 'detected', 'hang', 'breach', 'invalid'];

/** One disturbance and what it came to. Plain data. */
export interface DisturbReport {
  /** Case id, see `cardbench replay`. */
  readonly case: string;
  readonly cycle: number;
  readonly outcome: DisturbOutcome;
  /** What shows that it took place, or why it did not. */
  readonly proof: string;
  /** How the run ended and where. */
  readonly end: string;
  /** nvmDigest of what the run left. */
  readonly digest: string;
  readonly findings: readonly Finding[];
}

/** Bytes of a secret that count as found. */
const enough = 8;
const silent = /^CARD_(SILENT|FAULT)\b/;
/** Seconds of card time behind the undisturbed end at which power is taken from a run that does not end. */
const giveUpSeconds = 60;

/** What the disturbed run gave. */
interface Disturbed {
  readonly end: ScenarioOutput;
  /** Card and terminal went on without coming to an end. */
  readonly endless: boolean;
  readonly proof: Proof;
  readonly nvm: NvmState;
  readonly same: boolean;
  readonly before: AbstractWorld;
  readonly findings: readonly Finding[];
}

/** Carries out disturbances of one phase one after the other: each starts from the same saved state. */
export class Disturber {
  readonly #factory: WorldFactory;
  readonly #phase: ReadyPhase;
  readonly #judge: Judge;
  /** For runs whose messages may have been altered. */
  readonly #noisyJudge: Judge;
  /** Abstract states met, so that equal ones have one number. */
  readonly #states = new Map<string, number>();

  constructor(factory: WorldFactory, phase: ReadyPhase) {
    this.#factory = factory;
    this.#phase = phase;
    this.#judge = new Judge(factory, phase.point, phase.secrets);
    this.#noisyJudge = new Judge(factory, phase.point, phase.secrets, { cancelConflicts: true });
  }

  /** One disturbance; `policy` names what weak cells read afterwards. */
  async run(what: Disturbance, policy: string): Promise<DisturbReport> {
    const seen = await this.#disturb(what);
    const { world, point } = this.#phase;
    const rest = restOf(world, seen.nvm);
    const cells = cellKinds.includes(what.kind);
    const name = seen.nvm.weak.length > 0 ? policy : strong;
    const judged = cells
      ? await judgeCells(this.#factory, point, rest, seen.before, name)
      : await (what.kind === 'noise' ? this.#noisyJudge : this.#judge).judge({ rest, before: seen.before, beforeId: this.#numberOf(seen.before) }, policyOf(name));
    const proof = 'cells' in judged ? cellShows(judged.cells) : seen.proof;
    const findings = distinct([...seen.findings, ...judged.findings]);
    return {
      case: disturbCaseId(disturbCaseOf(this.#factory.setup, point.id, what, policy)), cycle: what.cycle,
      outcome: outcomeOf(proof, findings, seen), proof: proof.text, end: endText(seen.end), digest: nvmDigest(seen.nvm), findings,
    };
  }

  async #disturb(what: Disturbance): Promise<Disturbed> {
    const { world, log, point, facts, secrets, start } = this.#phase;
    world.restore(start);
    log.states.length = 0;
    log.line.length = 0;
    log.begin(world);
    const sent: number[] = [];
    const release = world.card.observe({ character: ({ direction, byte }) => { if (direction === 'from-card' && byte !== undefined) sent.push(byte); } });
    const giveUp = facts.to + giveUpSeconds * world.parts.profile.cpu.hz;
    world.card.cutAt(giveUp);
    const armed = arm(world, what, facts);
    const end = await runHonestly(point.run, world);
    armed.disarm();
    release();
    if (world.card.chip.powered) world.card.cutAt(undefined);
    const endless = world.card.port.save().cutDone === giveUp;
    const proof = armed.proof();
    const nvm = world.card.chip.powered ? leftNow(world) : world.card.port.takeNvm();
    const same = world.line.now() === facts.to && `${nvmDigest(nvm)} ${safesDigest(world)}` === facts.digest;
    const during = log.states.slice(1).flatMap((state, i) => [...checkState(state), ...checkChange(log.states[i], state)]);
    const findings = [
      ...cellKinds.includes(what.kind) ? during.filter((finding) => !excused(finding, world, false)) : during, ...this.#rulesOf(what), ...this.#unreached(what, end), ...told(Uint8Array.from(sent), secrets),
    ];
    return { end, endless, proof, nvm, same, before: log.states[log.states.length - 1], findings };
  }

  /** What chip and line report, where the card has no excuse for it. */
  #rulesOf({ kind }: Disturbance): readonly Finding[] {
    const { world, log } = this.#phase;
    if (attackKinds.includes(kind)) return [];
    return [...violationsOf(world), ...kind === 'noise' || kind === 'clock' ? [] : log.line];
  }

  /** A card that said done must have done it; what it said can itself be altered on a noisy link. */
  #unreached({ kind }: Disturbance, { cause }: ScenarioOutput): readonly Finding[] {
    const { world, point } = this.#phase;
    if (cause !== 'done' || kind === 'noise') return [];
    const missed = goalMissed(point, world.abstract(), itemOf(point, world));
    return missed === undefined ? [] : [{ invariant: 'I11', text: `the card said done, but ${missed}` }];
  }

  #numberOf(state: AbstractWorld): string {
    const key = JSON.stringify(state);
    const number = this.#states.get(key) ?? this.#states.size;
    this.#states.set(key, number);
    return `state ${number}`;
  }
}

/** I14: no key may cross the link in clear, whatever happens to the card. */
function told(sent: Uint8Array, secrets: readonly Secret[]): readonly Finding[] {
  const found = secrets.filter((secret) => secret.foundIn(sent, enough) >= 0).length;
  return secrecy([{ place: 'link past the terminal', what: 'key', found }]);
}

const endText = ({ cause, step, sw, text }: ScenarioOutput): string =>
  (cause === 'done' ? 'done' : `${cause} at ${step}: ${sw ?? text.split(':')[0]}`);

function outcomeOf(proof: Proof, findings: readonly Finding[], { end, endless, same }: Disturbed): DisturbOutcome {
  if (findings.length > 0) return 'breach';
  if (!proof.fired) return 'invalid';
  if (end.cause === 'done') return same ? 'none' : 'masked';
  return endless || silent.test(end.text) ? 'hang' : 'detected';
}
