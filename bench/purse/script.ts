import { equalBytes } from '../codec/index.js';
import type { PurseAction } from '../../scenarios/index.js';
import type { CardLine } from '../terminal/card-line.js';
import { BenchError } from '../world/errors.js';
import { alterObject } from './alter.js';
import { purse } from './commands.js';
import type { PurseCommand } from './commands.js';
import { challenge } from './objects.js';
import { ThirdPartyError } from './parties.js';
import { forgedPayment, issueBySomebody } from './shadow.js';
import type { PurseRole, PurseWorld } from './world.js';

/** What came of a script: the first thing that was not as expected, if any, and how many actions were carried out. */
export interface ScriptResult {
  readonly done: number;
  readonly problem?: string;
}

/** Runs the actions of one script; objects are kept by name. */
class ScriptRun {
  readonly #world: PurseWorld;
  readonly #objects = new Map<string, Uint8Array>();

  constructor(world: PurseWorld) {
    this.#world = world;
  }

  #object(name: string): Uint8Array {
    const found = this.#objects.get(name);
    if (found) return found;
    throw new BenchError('BENCH_PREPARE', `there is no object '${name}'`);
  }

  #altered(name: string, action: PurseAction): Uint8Array {
    const bytes = this.#object(name);
    const alter = 'alter' in action ? action.alter : undefined;
    return alter ? alterObject(bytes, alter, (other) => this.#object(other)) : bytes;
  }

  /** What is wrong with the answer to an action; undefined when all is as expected. */
  async #send(
    role: PurseRole, command: PurseCommand, action: PurseAction, keep = (data: Uint8Array) => this.#keep(action, data, command.name),
  ): Promise<string | undefined> {
    const line: CardLine = this.#world.bench.slot(role).line;
    const { sw, data } = await line.transmit(command);
    line.takeMarks();
    const status = sw.toString(16).toUpperCase().padStart(4, '0');
    const expected = ('sw' in action ? action.sw : undefined) ?? '9000';
    if (status !== expected) return `${command.name} was answered ${status}, expected ${expected}`;
    if (sw === 0x9000) return keep(data);
    return data.length === 0 ? undefined : `${command.name} was refused with ${data.length} bytes of data`;
  }

  #keep(action: PurseAction, bytes: Uint8Array, what: string): string | undefined {
    if ('as' in action && action.as !== undefined) this.#objects.set(action.as, bytes);
    const same = 'same' in action ? action.same : undefined;
    return same === undefined || equalBytes(bytes, this.#object(same)) ? undefined : `${what} did not answer the same as before`;
  }

  #ask(action: Extract<PurseAction, { do: 'query' | 'log' }>): string | undefined {
    const { thirdParty } = this.#world;
    const { code } = action;
    try {
      const bytes = action.do === 'query' ? thirdParty.query(this.#altered(action.query, action)) : thirdParty.log(this.#altered(action.entry, action));
      if (code !== undefined) return `the third party took ${action.do}, expected ${code}`;
      return this.#keep(action, bytes, action.do);
    } catch (error) {
      if (!(error instanceof ThirdPartyError)) throw error;
      return error.code === code ? undefined : `the third party answered ${error.code}, expected ${code ?? 'an answer'}`;
    }
  }

  #issue(action: Extract<PurseAction, { do: 'issue' }>): Promise<string | undefined> {
    const { to, amount, by, for: owner = to, again, as, alter } = action;
    const key = this.#world.keyOf(owner);
    const records = this.#world.issuer.save();
    let bytes = again === undefined ? (by === undefined ? this.#world.issuer.issue(key, amount) : issueBySomebody(this.#world, key, amount)) : this.#object(again);
    if (action.sw !== undefined) this.#world.issuer.restore(records);
    if (alter) bytes = alterObject(bytes, alter, (name) => this.#object(name));
    if (as !== undefined) this.#objects.set(as, bytes);
    return this.#send(to, purse.loadIssue(bytes), action, () => undefined);
  }

  /** Carries out one action; says what was not as expected. */
  async act(action: PurseAction): Promise<string | undefined> {
    switch (action.do) {
      case 'challenge': return this.#send('payee', purse.challenge(action.embodiment ?? 1, action.alternative ?? 'encrypted', action.amount), action);
      case 'pay': return this.#send('payer', purse.pay(action.embodiment ?? 1, this.#altered(action.challenge, action)), action);
      case 'receive': return this.#send('payee', purse.receive(action.embodiment ?? 1, this.#altered(action.payment, action)), action);
      case 'accept': return this.#send('payee', purse.accept(this.#altered(action.service, action)), action);
      case 'taken': return this.#send('payee', purse.logTaken(this.#altered(action.receipt, action)), action);
      case 'fetch': return this.#send('payee', purse.log(challenge.decode(this.#object(action.challenge)).challengeId), action);
      case 'drop': return this.#send('payee', purse.drop(challenge.decode(this.#object(action.challenge)).challengeId), action);
      case 'issue': return this.#issue(action);
      case 'forge': this.#objects.set(action.as, forgedPayment(this.#world, this.#object(action.challenge), action)); return undefined;
      case 'query': case 'log': return this.#ask(action);
      case 'service': this.#world.thirdParty.available = action.available; return undefined;
      case 'reset': await this.#world.bench.slot(action.card).line.reset(action.kind); return undefined;
    }
  }
}

/** Runs a script to its end or to the first answer that is not as expected. Rejects with DeviceError when the link fails. */
export async function runPurseScript(world: PurseWorld, actions: readonly PurseAction[]): Promise<ScriptResult> {
  const run = new ScriptRun(world);
  for (const [at, action] of actions.entries()) {
    const problem = await run.act(action);
    if (problem !== undefined) return { done: at, problem: `action ${at + 1} (${action.do}): ${problem}` };
  }
  return { done: actions.length };
}
