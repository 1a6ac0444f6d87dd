import { fromHex } from '../codec/index.js';
import type { Outcome, ScenarioListener, ScenarioOutput, TwinAction, TwinCardAction, TwinEnd, TwinProgress } from '../../scenarios/index.js';
import { uintBytes, concat, textBytes } from '../codec/index.js';
import type { CardTalk, Tamper, TwinCardName } from './card-talk.js';
import { cardPins, copyBytesOf, purposeBytes, twinCommand, typedPin } from './commands.js';
import { TwinError } from './errors.js';
import { copyBytes, copyOf, numberBytes, tableOf } from './objects.js';
import type { TwinCopy } from './objects.js';
import { numberOfCard } from './world.js';
import type { TwinWorld } from './world.js';

/** What came of a script: the first thing that was not as expected. */
export interface TwinScriptOutput {
  readonly problem?: string;
}

/** What is not as the end of a run must be. */
export function endProblems(wanted: TwinEnd, { cause, step, sw, safeCode, text, resume: { failed } }: ScenarioOutput<TwinProgress>): string[] {
  const told = `it ended ${cause} at ${step} (${text})`;
  return [
    ...(cause === (wanted.end ?? 'done') ? [] : [`expected the end ${wanted.end ?? 'done'}, ${told}`]),
    ...(wanted.at === undefined || step === wanted.at ? [] : [`expected the end at ${wanted.at}, ${told}`]),
    ...(failed?.step === wanted.failed ? [] : [`expected a refusal at ${wanted.failed ?? 'no step'}, ${told}`]),
    ...(wanted.sw === undefined || sw === wanted.sw ? [] : [`expected status ${wanted.sw}, ${told}`]),
    ...(wanted.code === undefined || safeCode === wanted.code ? [] : [`expected refusal ${wanted.code}, ${told}`]),
  ];
}

const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte));

/** Alterations of the next message, by name. `before`: the sealed command that went out last. */
const tampers: Readonly<Record<string, (before: Uint8Array | undefined) => Tamper>> = {
  'flip-command': () => (bytes, what) => (what === 'command' ? flipped(bytes) : bytes),
  'flip-answer': () => (bytes, what) => (what === 'answer' ? flipped(bytes) : bytes),
  'cut-command': () => (bytes, what) => (what === 'command' ? bytes.slice(0, 15) : bytes),
  'repeat-command': (before) => (bytes, what) => (what === 'command' && before ? before : bytes),
};

const differs = (what: string, found: object, expect: object): string | undefined => {
  const fields = found as Readonly<Record<string, unknown>>;
  for (const [name, wanted] of Object.entries(expect))
    if (JSON.stringify(fields[name]) !== JSON.stringify(wanted)) return `${what}: ${name} is ${JSON.stringify(fields[name])}, expected ${JSON.stringify(wanted)}`;
  return undefined;
};

interface Heard {
  readonly ins: number;
  readonly p1: number;
  readonly raw: Uint8Array;
}

/** Carries out actions on cards, device and issuer; copies are kept by name. */
class ScriptRun {
  readonly #world: TwinWorld;
  readonly #kept = new Map<string, TwinCopy>();
  /** What has crossed to each card since its power-on. */
  readonly #heard = new Map<TwinCardName, Heard[]>();

  readonly #listener: ScenarioListener<TwinProgress> | undefined;

  constructor(world: TwinWorld, listener?: ScenarioListener<TwinProgress>) {
    this.#world = world;
    this.#listener = listener;
    for (const talk of [world.device.talk, world.issuer.talk])
      talk.heard = (card, { ins, p1 }, raw) => { this.#heard.set(card, [...this.#heard.get(card) ?? [], { ins, p1, raw }]); };
  }

  /** What is not as the action says; undefined when all is. */
  async carryOut(action: TwinAction): Promise<string | undefined> {
    const world = this.#world;
    switch (action.do) {
      case 'run': return endProblems(action, await world.run(action.options, this.#listener))[0];
      case 'start': return endProblems(action, await world.phase('start', action.options, this.#listener))[0];
      case 'phase': return endProblems(action, await world.phase(action.phase, { function: action.phase, ...action.options }, this.#listener))[0];
      case 'insert':
        await world.insert(action.slots);
        return undefined;
      case 'tamper': return this.#tamper(action.how);
      case 'replay': return this.#replay(action.card, action.sw);
      case 'reset':
        this.#heard.delete(action.card);
        world.forget(action.card);
        await world.line(action.card).reset(action.kind);
        return undefined;
      case 'raw': return this.#sw(action.do, action.sw, hexSw((await world.line(action.card).transmitRaw(fromHex(action.apdu))).sw));
      case 'table': return differs(`card ${action.card}`, await world.table(action.card), action.expect);
      case 'device': return differs('device', { ...world.device.state, ...world.device.state.table }, action.expect);
      case 'card': return this.#card(action);
      case 'shop': return this.#shop(action);
      default: return this.#atIssuer(action);
    }
  }

  #sw(what: string, wanted: string | undefined, sw: string): string | undefined {
    return sw === (wanted ?? '9000') ? undefined : `${what} was answered ${sw}, expected ${wanted ?? '9000'}`;
  }

  async #shop(action: Extract<TwinAction, { readonly do: 'shop' }>): Promise<string | undefined> {
    let sw = '';
    return await this.#coded(action, async () => { sw = await this.#world.shop(action.card, action.amount); })
      ?? (action.code === undefined ? this.#sw('a shop', action.sw, sw) : undefined);
  }

  #atIssuer(action: Extract<TwinAction, { readonly do: 'unblock' | 'confirm-balance' | 'deliver' | 'settle' | 'link-up' | 'link-down' | 'alter-link' | 'withdraw' | 'set-restore' | 'set-secondary' | 'list' }>): Promise<string | undefined> {
    const { issuer, link, device } = this.#world;
    const number = numberOfCard(action.card ?? 'A');
    const acts: Readonly<Record<typeof action.do, () => void | Promise<void>>> = {
      unblock: () => { issuer.unblock(link, device); }, 'confirm-balance': () => { issuer.confirmBalance(number); }, deliver: () => issuer.deliver(device),
      settle: async () => { const told = await device.settle(); if (!told.ok) throw new Error(told.text); },
      'link-up': () => { link.available = true; }, 'link-down': () => { link.available = false; }, 'alter-link': () => { link.tamper = flipped; },
      withdraw: () => issuer.withdraw(link, device, number), 'set-restore': () => { issuer.setRestore(link, device, number); },
      'set-secondary': () => { issuer.setSecondary(link, device, number); }, list: () => { issuer.list(link, device, number); },
    };
    return this.#coded(action, acts[action.do]);
  }

  async #coded(action: { readonly do: string; readonly code?: string }, act: () => void | Promise<void>): Promise<string | undefined> {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof TwinError)) throw error;
      return error.code === action.code ? undefined : `${action.do} was refused with ${error.code} (${error.message}), expected ${action.code ?? 'success'}`;
    }
    return action.code === undefined ? undefined : `${action.do} went through, expected ${action.code}`;
  }

  #tamper(how: string): undefined {
    const { device, issuer } = this.#world;
    for (const talk of [device.talk, issuer.talk]) {
      const last = [...this.#heard.values()].flat().at(-1)?.raw;
      talk.tamper = tampers[how](last);
    }
    return undefined;
  }

  /** The whole recorded session once more, from a power-on of the card: its first sealed command must be answered `sw`. */
  async #replay(card: TwinCardName, wanted: string): Promise<string | undefined> {
    const line = this.#world.line(card);
    const heard = this.#heard.get(card) ?? [];
    const from = heard.findLastIndex(({ ins }) => ins === 0x10);
    if (heard.length < from + 2 || from < 0) throw new Error(`no session with card ${card} has been heard`);
    this.#world.forget(card);
    await line.reset('cold');
    let sw = '';
    for (const { ins, p1, raw } of heard.slice(from, from + 2)) sw = hexSw((await line.transmit({ cla: 0x80, ins, p1, p2: 0, data: raw })).sw);
    line.takeMarks();
    return this.#sw('the session played again', wanted, sw);
  }

  async #card(action: TwinCardAction): Promise<string | undefined> {
    const { issuer, device } = this.#world;
    const [talk, other]: readonly CardTalk[] = action.as === 'issuer' ? [issuer.talk, device.talk] : [device.talk, issuer.talk];
    other.forget(action.card);
    const { name, p1, data } = this.#command(action);
    const outcome: Outcome<Uint8Array> = await talk.send(action.card, twinCommand(name, p1, data), (answer) => answer);
    const sw = outcome.ok ? '9000' : outcome.sw === '9000' ? outcome.text : outcome.sw ?? outcome.text;
    if (outcome.ok && action.keep !== undefined) this.#kept.set(action.keep, copyOf(outcome.value));
    if (outcome.ok && action.command === 'read') tableOf(outcome.value);
    return this.#sw(action.command, action.sw, sw);
  }

  #command(action: TwinCardAction): { readonly name: TwinCardAction['command']; readonly p1: number; readonly data?: Uint8Array } {
    const { command: name, purpose = 'look', card } = action;
    switch (name) {
      case 'number': return { name, p1: 1 };
      case 'read': return { name, p1: purposeBytes[purpose] };
      case 'verify': return { name, p1: purposeBytes[purpose], data: textBytes(typedPin(action.pin ?? 'right', cardPins[card])) };
      case 'export': return { name, p1: copyBytesOf[action.copy ?? 'backup'], ...action.secondary !== undefined && { data: numberBytes(action.secondary) } };
      case 'store': return { name, p1: copyBytesOf[action.copy ?? 'backup'], data: copyBytes({ ...this.#copy(action.from ?? ''), ...action.change }) };
      case 'balance': return { name, p1: 0, data: concat(uintBytes(action.order ?? 1, 4), uintBytes(action.amount ?? 0, 4)) };
      default: return { name, p1: 0 };
    }
  }

  #copy(name: string): TwinCopy {
    const copy = this.#kept.get(name);
    if (!copy) throw new Error(`the script has no copy ${name}`);
    return copy;
  }
}

const hexSw = (sw: number): string => sw.toString(16).toUpperCase().padStart(4, '0');

/** Carries out actions in order, up to the first that does not come out as it says. */
export async function runTwinScript(world: TwinWorld, actions: readonly TwinAction[], listener?: ScenarioListener<TwinProgress>): Promise<TwinScriptOutput> {
  const run = new ScriptRun(world, listener);
  for (const [at, action] of actions.entries()) {
    const problem = await run.carryOut(action);
    if (problem !== undefined) return { problem: `action ${at + 1}: ${problem}` };
  }
  return {};
}
