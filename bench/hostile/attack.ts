import { answers, commands, statusMeaning, toHex } from '../codec/index.js';
import type { CommandName } from '../codec/index.js';
import { isDeviceError } from '../../devices/index.js';
import type { EmulatedCard, T1Block } from '../../devices/index.js';
import { apdusOf } from './genuine.js';
import type { Burst, HostileInput } from './inputs.js';
import type { Oracle } from './oracle.js';
import { statusProblem } from './oracle.js';
import { namesWithin } from './session.js';
import type { Meaning, SessionModel } from './session.js';
import { T0Wire } from './t0-wire.js';
import { T1Wire } from './t1-wire.js';
import type { WireAnswer } from './wire.js';

/** What one input led to. */
export interface Reaction {
  /** What must not have happened; empty when all is well. */
  readonly problems: readonly string[];
  /** Status words in hexadecimal, kinds of blocks, or silence, in order. */
  readonly answers: readonly string[];
  /** The card came back only after a warm reset: session state is lost. */
  readonly reset: boolean;
}

const ask = apdusOf(commands.getData('status'))[0];
/** Beyond WT, so that a card that waits for the rest of a header has given it up. */
const beyond = 1.1;

/** No command takes longer than so many times BWT. */
const longestWork = 30;

/** A block for the counts: its kind and, of an R-block, the error it tells. */
const kindOf = (block: T1Block): string =>
  (block.type === 'I' ? 'I-block' : block.type === 'R' ? `R-block ${['', 'EDC', 'other'][block.error]}`.trim() : `S(${block.fn})`);

/** What the card sent under T=0, for the counts: how it ended. */
const endOf = (bytes: readonly number[]): string =>
  (bytes.length === 0 ? 'silence' : bytes.length === 1 ? 'procedure byte' : toHex(Uint8Array.from(bytes.slice(-2))).toUpperCase());

/** One hostile session on one card: sends inputs and judges what comes back and what has become of the memory. */
export class Attack {
  readonly #card: EmulatedCard;
  readonly #oracle: Oracle;
  readonly #model: SessionModel;
  #wire: T0Wire | T1Wire;

  constructor(card: EmulatedCard, oracle: Oracle, model: SessionModel) {
    this.#card = card;
    this.#oracle = oracle;
    this.#model = model;
    this.#wire = card.session?.protocol === 'T=0' ? new T0Wire(card) : new T1Wire(card);
  }

  /** Sends one input. Rejects only on a defect of the bench. */
  async send(input: HostileInput): Promise<Reaction> {
    const violations = this.#card.violations.length;
    const problems: string[] = [];
    const heard: string[] = [];
    let reset = false;
    this.#card.takeFindings();
    try {
      if ('apdus' in input) for (const apdu of input.apdus) await this.#apdu(apdu, problems, heard);
      else reset = await this.#bursts(input.bursts, problems, heard);
    } catch (error) {
      if (!isDeviceError(error)) throw error;
      problems.push(`${error.code}: ${error.what}`);
    }
    for (const { code, symbol, pc, detail } of this.#card.violations.slice(violations))
      problems.push(`violation ${code} at ${symbol ?? pc.toString(16)}: ${detail}`);
    return { problems, answers: heard, reset };
  }

  async #apdu(apdu: Uint8Array, problems: string[], heard: string[]): Promise<void> {
    const meaning = this.#model.meaning(apdu);
    const answer = await this.#wire.transmit(apdu);
    for (const { rule, code, detail } of this.#card.takeFindings()) if (rule === 'ISO') problems.push(`${code}: ${detail}`);
    if (answer.sw === undefined) {
      problems.push(answer.problem ?? 'no answer', ...this.#oracle.check(this.#card.chip.eeprom.bytes, [], false));
      return;
    }
    heard.push(statusMeaning(answer.sw).hex);
    problems.push(...this.#judge(meaning, answer.sw));
  }

  #judge(meaning: Meaning, sw: number): readonly string[] {
    const done = sw === 0x9000 || sw >> 8 === 0x61 || (sw >> 8 === 0x6c && this.#wire instanceof T0Wire);
    const command = meaning.what === 'command' ? meaning.command : undefined;
    const problems = [sw >> 8 === 0x6c && done ? undefined : statusProblem(sw, command?.name)];
    if (done && meaning.what === 'nothing') problems.push('something that is no command was carried out');
    const names: CommandName[] = [];
    if (command !== undefined) {
      const oracle = this.#oracle;
      if (done) {
        problems.push(
          this.#model.objection(command, oracle.operational), oracle.objectProblem(command, this.#card.chip.eeprom.bytes), oracle.receiptProblem(command),
        );
        names.push(command.name);
      }
    }
    const verify = command?.name === 'VERIFY' && !done && sw >> 4 === 0x63c;
    problems.push(...this.#oracle.check(this.#card.chip.eeprom.bytes, names, verify));
    if (command !== undefined) this.#model.note(command, done, verify);
    return problems.filter((problem) => problem !== undefined);
  }

  /** Characters or blocks; then the card must come back. True: only a warm reset helped. */
  async #bursts(bursts: readonly Burst[], problems: string[], heard: string[]): Promise<boolean> {
    const wire = this.#wire;
    for (const burst of bursts) {
      if (wire instanceof T1Wire) {
        const { block, problem } = await wire.exchange(burst.bytes, burst);
        heard.push(block === undefined ? 'silence' : kindOf(block));
        if (problem !== undefined) problems.push(`${problem}, after ${toHex(burst.bytes.slice(0, 3))}...`);
      } else {
        await wire.wire.send(burst.bytes, burst);
        const all = await wire.wire.silence(wire.waitingTime);
        if (all === undefined) problems.push('the card does not stop sending');
        else heard.push(endOf(all.map(({ byte }) => byte)));
      }
    }
    const reset = await this.#comeBack(problems, heard);
    const all = Uint8Array.from(bursts.flatMap(({ bytes }) => [...bytes]));
    const inf = Uint8Array.from(bursts.flatMap(({ bytes }) => [...bytes.slice(3, -1)]));
    const names = [...namesWithin(all), ...namesWithin(inf)];
    problems.push(...this.#oracle.check(this.#card.chip.eeprom.bytes, names, names.includes('VERIFY')));
    return reset;
  }

  async #comeBack(problems: string[], heard: string[]): Promise<boolean> {
    if (this.#wire instanceof T1Wire) {
      if (await this.#wire.resynch() === undefined) await this.#outlast(this.#wire, problems, heard);
      this.#probe(await this.#wire.transmit(ask), problems);
      return false;
    }
    await this.#wire.wire.silence(beyond * this.#wire.waitingTime);
    const answer = await this.#wire.transmit(ask);
    if (answer.sw === 0x9000) {
      this.#probe(answer, problems);
      return false;
    }
    await this.#card.reset('warm');
    this.#wire = new T0Wire(this.#card);
    this.#probe(await this.#wire.transmit(ask), problems);
    return true;
  }

  /** A card that has asked for time answers RESYNCH when its work is done (docs/firmware.md, Link); any other at once. */
  async #outlast(wire: T1Wire, problems: string[], heard: string[]): Promise<void> {
    if (heard.includes('S(WTX)')) await wire.wire.silence(longestWork * wire.wire.times.answer);
    if (!heard.includes('S(WTX)') || await wire.resynch() === undefined) problems.push('the card does not answer RESYNCH');
    else heard.push('RESYNCH late');
  }

  /** GET DATA of the card's status must be answered and agree with the memory. */
  #probe(answer: WireAnswer, problems: string[]): void {
    if (answer.sw !== 0x9000) {
      problems.push(`GET DATA afterwards: ${answer.sw === undefined ? answer.problem ?? 'no answer' : statusMeaning(answer.sw).hex}`);
      return;
    }
    const { lifeCycle } = answers.status(answer.data);
    if (lifeCycle !== this.#oracle.view.lifeCycle && this.#oracle.operational) problems.push(`GET DATA tells life cycle ${lifeCycle}`);
  }
}
