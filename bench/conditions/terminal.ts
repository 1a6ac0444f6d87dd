import { daysLater, firedNames, fires, isMet, makeRoom, runScenario } from '../../scenarios/index.js';
import type {
  Attempt, CertificateEntry, EndCause, RoomOutput, SampleName, ScenarioListener, ScenarioOutput, Situation, TerminalAct, TerminalEvent, TerminalRun,
} from '../../scenarios/index.js';
import { answers, commands, toHex } from '../codec/index.js';
import type { LoadObject, Shortage } from '../codec/index.js';
import { BenchError } from '../world/errors.js';
import type { World } from '../world/world.js';

const DAY = 1440;

/** What a terminal has lived through. */
export interface Lived {
  readonly started: readonly { readonly minute: number; readonly does: TerminalAct; readonly end: EndCause }[];
  readonly room: readonly RoomOutput[];
  /** Shortages shown to the user, as the card told them. */
  readonly shown: readonly { readonly needed: number; readonly free: number }[];
}

/** What was asked for is asked for once. */
function withoutDemand(situation: Situation): Situation {
  const rest = { ...situation };
  delete rest.asked;
  return rest;
}

/** Told of what happens. */
export interface TerminalHooks {
  /** The listener of a scenario that is about to run. */
  listener(scenario: '11/auto-backup' | '2/backup' | '2/recover'): ScenarioListener;
  /** A command of the terminal's own is answered. */
  rested(): void;
}

/**
 * The terminal 160 with its rules, on a card of the bench, in virtual time: minutes go by without anybody waiting, at
 * each the events happen first, then the rules are looked at.
 */
export class Terminal {
  readonly #world: World;
  readonly #run: TerminalRun;
  readonly #hooks: TerminalHooks;
  readonly #started: { minute: number; does: TerminalAct; end: EndCause }[] = [];
  readonly #room: RoomOutput[] = [];
  readonly #shown: { needed: number; free: number }[] = [];
  #now: Situation;
  #safeGone = false;

  constructor(world: World, run: TerminalRun, hooks: TerminalHooks) {
    this.#world = world;
    this.#run = run;
    this.#hooks = hooks;
    const { date, timeOfDay, signal, battery } = run.start;
    this.#now = { minute: 0, date, timeOfDay, signal, battery, vacant: 0, begins: [], planned: [], fired: {} };
  }

  /** Lives through all minutes. Rejects with DeviceError when the card is lost, BenchError when the run cannot be carried out. */
  async live(): Promise<Lived> {
    await this.#look();
    let before = this.#now;
    for (let minute = 1; minute <= this.#run.until; minute += 1) {
      this.#turnTo(minute);
      for (const event of this.#run.events.filter((one) => one.minute === minute)) await this.#happen(event);
      for (const { trigger, does } of this.#run.rules) {
        if (!fires(trigger, before, this.#now)) continue;
        const fired = Object.fromEntries(firedNames(trigger, this.#now).map((name) => [name, minute]));
        await this.#start(does);
        this.#now = { ...this.#now, fired: { ...this.#now.fired, ...fired } };
      }
      this.#now = before = withoutDemand(this.#now);
    }
    return { started: this.#started, room: this.#room, shown: this.#shown };
  }

  #turnTo(minute: number): void {
    const { date, timeOfDay } = this.#run.start;
    const all = timeOfDay + minute;
    this.#now = { ...this.#now, minute, date: daysLater(date, Math.floor(all / DAY)), timeOfDay: all % DAY };
  }

  /** What the terminal asks its card for after each use of it: free memory, and when what is at the safe becomes valid. */
  async #look(): Promise<void> {
    const { line } = this.#world;
    const memory = await line.transmit(commands.getData('memory'));
    line.takeMarks();
    const begins = (await this.#stored()).map(({ digest }) => digest.validity ?? '').filter((term) => term !== '').map((term) => `${term.slice(0, 4)}-${term.slice(4, 6)}-${term.slice(6, 8)}`);
    this.#now = { ...this.#now, vacant: answers.memory(memory.data).freeData, begins };
  }

  /** The certificates whose values could be recovered. */
  async #stored(): Promise<readonly CertificateEntry[]> {
    const all: CertificateEntry[] = [];
    for (let from: number | undefined; ;) {
      const page = await this.#world.ports.card.listCertificates(2, 'value', from);
      if (!page.ok) throw new BenchError('BENCH_PREPARE', `the terminal could not list the certificates: ${page.text}`);
      all.push(...page.value.entries.filter(({ state }) => state === 'stored'));
      if (page.value.next === undefined) return all;
      from = page.value.next;
    }
  }

  async #happen({ signal, battery, asks, load, recover, discard, plans, safe }: TerminalEvent): Promise<void> {
    if (signal !== undefined) this.#now = { ...this.#now, signal };
    if (battery !== undefined) this.#now = { ...this.#now, battery };
    if (asks) this.#now = { ...this.#now, asked: true };
    if (plans) this.#now = { ...this.#now, planned: [...this.#now.planned, plans] };
    if (safe) this.#safeGone = safe === 'gone';
    if (load) {
      const object = this.#world.loadObject(load.sample as SampleName);
      await this.#needRoom(() => this.#load(object, load.as));
    }
    if (recover) await this.#needRoom(() => this.#recover({ issueId: this.#world.names.get(recover) ?? '' }));
    if (discard) await this.#discard(discard);
  }

  /** USE of all there is, then DELETE. */
  async #discard(name: string): Promise<void> {
    const world = this.#world;
    const issueId = world.names.get(name) ?? '';
    const handle = world.handleOf(issueId, 'value') ?? 0;
    const entry = world.entry(handle);
    const quantity = entry?.class === 'A' ? entry.object?.quantity ?? 0 : 0;
    for (const command of [commands.useQuantity(handle, quantity), commands.deleteItem(handle)]) {
      const { sw } = await world.line.transmit(command);
      if (sw !== 0x9000) throw new BenchError('BENCH_PREPARE', `${command.name} of ${name} was answered ${sw.toString(16)}`);
      if (command.name === 'USE') world.spend(issueId, quantity, 0);
      world.line.takeMarks();
      this.#hooks.rested();
    }
    await this.#look();
  }

  /** The safe, or none. */
  #ports() {
    const { ports } = this.#world;
    if (!this.#safeGone) return ports;
    const gone = () => Promise.resolve({ ok: false, cause: 'link', text: 'SAFE_UNREACHABLE: no connection', marks: [] } as const);
    return { ...ports, safe: { ...ports.safe, register: gone, retrieve: gone, receipt: gone } };
  }

  async #start(does: TerminalAct): Promise<EndCause> {
    const { minute, date } = this.#now;
    const end = does === 'backup' ? (await runScenario('11/auto-backup', { ports: this.#ports(), options: { date }, listener: this.#hooks.listener('11/auto-backup') })).cause
      : await this.#recoverAll(does === 'recover-tomorrow' ? daysLater(date, 1) : undefined);
    this.#started.push({ minute, does, end });
    await this.#look();
    return end;
  }

  /** Recovers everything, or what becomes valid on a day; the first that does not go through ends it. */
  async #recoverAll(begins: string | undefined): Promise<EndCause> {
    for (const { handle, digest } of await this.#stored()) {
      if (begins !== undefined && !(digest.validity ?? '').startsWith(begins.replaceAll('-', ''))) continue;
      const { cause } = await this.#runRecovery({ handle });
      if (cause !== 'done') return cause;
    }
    return 'done';
  }

  #runRecovery(select: { readonly handle: number } | { readonly issueId: string }): Promise<ScenarioOutput> {
    return runScenario('2/recover', { ports: this.#ports(), options: { select }, listener: this.#hooks.listener('2/recover') });
  }

  async #needRoom(attempt: () => Promise<Attempt>): Promise<void> {
    const short = { ...this.#now, short: true };
    const ruled = this.#run.rules.some(({ trigger, does }) => does === 'backup' && isMet(trigger, short) && !isMet(trigger, this.#now));
    const out = await makeRoom({
      attempt,
      show: (shortage) => { this.#shown.push(shortage); },
      backup: () => this.#start('backup'),
      byHand: () => this.#byHand(),
    }, ruled ? this.#run.choice : 'interrupt');
    this.#room.push(out);
    await this.#look();
  }

  /** Backup and deletion of what the user has selected, one by one. */
  async #byHand(): Promise<EndCause> {
    for (const name of this.#run.byHand ?? []) {
      const issueId = this.#world.names.get(name) ?? '';
      const { cause } = await runScenario('2/backup', {
        ports: this.#ports(), options: { select: { issueId }, deleteAfterRegistration: true }, listener: this.#hooks.listener('2/backup'),
      });
      if (cause !== 'done') return cause;
    }
    return 'done';
  }

  /** What the card says of its last shortage. */
  async #shortage(): Promise<Shortage | undefined> {
    const { data } = await this.#world.line.transmit(commands.getData('shortage'));
    this.#world.line.takeMarks();
    return answers.shortage(data);
  }

  async #attempted(sw: string | undefined, text: string): Promise<Attempt> {
    if (sw !== '6A84') return { is: 'failed', text };
    const shortage = await this.#shortage();
    return shortage === undefined ? { is: 'failed', text: 'the card refused for want of room and tells no shortage' } : { is: 'short', needed: shortage.needed, free: shortage.free };
  }

  async #load(object: LoadObject, name: string): Promise<Attempt> {
    const world = this.#world;
    const { sw } = await world.line.transmit(commands.load(object));
    world.line.takeMarks();
    if (sw !== 0x9000) return this.#attempted(sw.toString(16).toUpperCase(), `LOAD was answered ${sw.toString(16).toUpperCase()}`);
    world.book(object.value);
    world.names.set(name, toHex(object.value.issueId));
    this.#hooks.rested();
    return { is: 'done' };
  }

  async #recover(select: { readonly issueId: string }): Promise<Attempt> {
    const { cause, sw, text } = await this.#runRecovery(select);
    return cause === 'done' ? { is: 'done' } : this.#attempted(sw, text);
  }
}

