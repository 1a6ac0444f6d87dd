import type { AbstractTwinWorld, TwinFunction, TwinOptions, TwinPorts, TwinProgress, TwinSlot, TwinTable } from '../../scenarios/index.js';
import { runDefinition, twinDefinitions } from '../../scenarios/index.js';
import type { ScenarioListener, ScenarioOutput } from '../../scenarios/index.js';
import { CardBench } from '../world/card-bench.js';
import type { BenchState } from '../world/card-bench.js';
import type { SlotCard, SlotHooks } from '../world/card-slot.js';
import type { ChannelLine } from '../terminal/channel-line.js';
import { BenchError } from '../world/errors.js';
import { seededRandom } from '../world/random.js';
import { CardTalk, twinCards } from './card-talk.js';
import type { TwinCardName } from './card-talk.js';
import { cardPins, purposeBytes, shopCommand, twinCommand } from './commands.js';
import { BackupDevice, createDevicePort } from './device.js';
import { ManagementTerminal } from './issuer.js';
import { ManagementLink } from './link.js';
import { issueBytes, shopAnswerOf, tableOf } from './objects.js';
import type { TwinIssue } from './objects.js';
import { CHALLENGE } from './session.js';
import { TwinError } from './errors.js';

/** Number of a card. */
export const numberOfCard = (card: TwinCardName): string => `1234567${card}`;
/** What is on the primary card when it is issued, yen (fig. 4). */
export const ISSUED = 10_000;
const MONEY = 'Abcd-40';

const blank = { primaryNumber: '', creditNumber: '', creditPin: '', moneyId: '', balance: 0 };

/** What each card is issued with (figs. 4 and 5). */
export const issues: Readonly<Record<TwinCardName, TwinIssue>> = {
  A: { cardNumber: '1234567A', primaryNumber: '1234567A', secondaryNumber: '1234567B', creditNumber: '98765432', creditPin: '5309', moneyId: MONEY, balance: ISSUED },
  B: { ...blank, cardNumber: '1234567B', secondaryNumber: '1234567B' },
  C: { ...blank, cardNumber: '1234567C', secondaryNumber: '1234567C' },
};

/** What a world of the twin system is made from. */
export interface TwinWorldParts {
  readonly cards: Readonly<Record<TwinCardName, SlotCard>>;
  readonly seed: number;
  readonly hooks?: SlotHooks;
}

const [startDefinition, ...functions] = twinDefinitions;
/** The scenarios by function. */
export const twinScenarios = {
  start: startDefinition, ...Object.fromEntries(functions.map((one) => [one.frame.phase, one])) as Readonly<Record<TwinFunction, typeof startDefinition>>,
};

const hex = (sw: number): string => sw.toString(16).toUpperCase().padStart(4, '0');

/** Three cards, the backup device, the issuer and the link between them under one clock. */
export class TwinWorld {
  readonly bench: CardBench<TwinCardName>;
  readonly device: BackupDevice;
  readonly issuer: ManagementTerminal;
  readonly link: ManagementLink;
  readonly ports: TwinPorts;
  /** Sessions of whoever just looks. */
  readonly #looking: CardTalk;
  readonly #keys: { readonly device: Uint8Array; readonly issuer: Readonly<Record<TwinCardName, Uint8Array>> };

  constructor({ cards, seed, hooks = {} }: TwinWorldParts) {
    const drawn = (label: string) => (draw: number) => seededRandom(seed, `${label} ${draw}`)(CHALLENGE);
    const random = seededRandom(seed, 'twin keys');
    this.#keys = { device: random(16), issuer: { A: random(16), B: random(16), C: random(16) } };
    const linkKey = random(16);
    const lineOf = (card: TwinCardName): ChannelLine => this.line(card);
    this.device = new BackupDevice({
      hasTrace: Object.values(cards).every(({ virtual }) => virtual !== undefined), lineOf, keyOf: () => this.#keys.device, challenge: drawn('twin device'),
      notify: async (notice) => {
        this.issuer.notice(this.link, notice);
        if (notice.is === 'restored') await this.issuer.deliver(this.device);
      },
    }, numberOfCard('A'), numberOfCard('B'));
    this.issuer = new ManagementTerminal({ lineOf, keyOf: (card) => this.#keys.issuer[card], challenge: drawn('twin issuer') });
    this.link = new ManagementLink(linkKey, () => this.issuer.challenge());
    this.#looking = new CardTalk({ role: 'device', lineOf, keyOf: () => this.#keys.device, challenge: () => this.device.challenge() });
    this.bench = new CardBench<TwinCardName>({ cards, parties: [this.device, this.issuer], hooks });
    this.ports = { device: createDevicePort(this.device) };
  }

  /** The line of a card. */
  line(card: TwinCardName): ChannelLine {
    return this.bench.slot(card).line;
  }

  /** Issues all cards: each is personalised and taken out again. Throws BenchError BENCH_PERSONALISE. */
  async personalise(): Promise<void> {
    for (const card of twinCards) {
      const line = this.line(card);
      await line.bringUp();
      const { ins, p1, data } = twinCommand('issue', 0, issueBytes(issues[card], this.#keys.device, this.#keys.issuer[card], cardPins[card]));
      const { sw } = await line.transmit({ cla: 0x80, ins, p1, p2: 0, data }, true);
      if (sw !== 0x9000) throw new BenchError('BENCH_PERSONALISE', `ISSUE was answered ${hex(sw)}`);
      await this.bench.slot(card).powerOff();
    }
    this.issuer.issue(MONEY, numberOfCard('A'), ISSUED);
  }

  /** Puts cards into the device's slots (primary, secondary; `-`: none) and powers them; the others have no power. */
  async insert(slots: string): Promise<void> {
    const [primary, secondary] = [...slots].map((letter) => twinCards.find((card) => card === letter));
    for (const card of twinCards)
      if (card !== primary && card !== secondary && this.bench.slot(card).powered) await this.takeOut(card);
    this.device.insert({ ...primary && { primary }, ...secondary && { secondary } });
    await this.open();
  }

  /** Takes the power of a card away. */
  async takeOut(card: TwinCardName): Promise<void> {
    this.forget(card);
    await this.bench.slot(card).powerOff();
  }

  /** Nobody has a session with a card any more. */
  forget(card: TwinCardName): void {
    for (const talk of [this.device.talk, this.issuer.talk, this.#looking]) talk.forget(card);
  }

  /** Powers what is in the slots and has no power, and selects the applet there. */
  async open(): Promise<void> {
    for (const slot of ['primary', 'secondary'] as const) {
      const card = this.device.cardIn(slot);
      if (card === undefined || this.bench.slot(card).powered) continue;
      this.forget(card);
      await this.line(card).bringUp();
    }
  }

  /** A shop's terminal: asks for an amount, checks the issuer's list, reports to the issuer. Resolves to the status word. Throws TwinError ISSUER_LISTED. */
  async shop(card: TwinCardName, amount: number): Promise<string> {
    if (this.issuer.blackList.includes(numberOfCard(card))) throw new TwinError('ISSUER_LISTED', `card ${numberOfCard(card)} is on the black list`);
    const dark = !this.bench.slot(card).powered;
    if (dark) await this.line(card).bringUp();
    const { sw, data } = await this.line(card).transmit({ cla: 0x80, p2: 0, ...shopCommand(amount) });
    this.line(card).takeMarks();
    if (sw === 0x9000) {
      const { cardNumber, primaryNumber } = shopAnswerOf(data);
      if (cardNumber !== primaryNumber) throw new TwinError('DEVICE_CARD', `card ${cardNumber} is not the primary card`);
      if (amount > 0) this.issuer.spent(cardNumber, amount);
    }
    if (dark) await this.takeOut(card);
    return hex(sw);
  }

  /** Entry checks, then the function chosen. Steps of both are told. */
  async run(options: TwinOptions, listener?: ScenarioListener<TwinProgress>): Promise<ScenarioOutput<TwinProgress>> {
    const started = await this.phase('start', options, listener);
    return started.cause === 'done' ? this.phase(options.function, options, listener) : started;
  }

  /** One phase alone. */
  phase(phase: 'start' | TwinFunction, options: TwinOptions, listener?: ScenarioListener<TwinProgress>): Promise<ScenarioOutput<TwinProgress>> {
    return runDefinition(twinScenarios[phase], { ports: this.ports, options, ...listener && { listener } });
  }

  /** Table of a card that has power; ends its sessions. Throws BenchError BENCH_PREPARE when it does not tell. */
  async table(card: TwinCardName): Promise<TwinTable> {
    this.forget(card);
    const outcome = await this.#looking.send(card, twinCommand('read', purposeBytes.look), tableOf);
    this.forget(card);
    if (outcome.ok) return outcome.value;
    throw new BenchError('BENCH_PREPARE', `card ${card} cannot be looked at: ${outcome.text}`);
  }

  /** Cards (all, or those asked for), device and issuer as the invariants see them; looked at in a fork, so that nothing changes. */
  async abstract(asked: readonly TwinCardName[] = twinCards): Promise<AbstractTwinWorld> {
    const state = this.save();
    try {
      const cards: AbstractTwinWorld['cards'][number][] = [];
      for (const card of asked) cards.push(await this.#lookAt(card));
      const { table: { blackList }, blocked } = this.device.state;
      return { cards, device: { blackList, blocked }, issuer: { blackList: this.issuer.blackList, accounts: this.issuer.accounts } };
    } finally {
      this.restore(state);
    }
  }

  async #lookAt(card: TwinCardName): Promise<AbstractTwinWorld['cards'][number]> {
    if (!this.bench.slot(card).powered) await this.line(card).bringUp();
    const table = await this.table(card);
    const { sw } = await this.line(card).transmit({ cla: 0x80, p2: 0, ...shopCommand(0) });
    this.line(card).takeMarks();
    return { table, accepted: sw === 0x9000 };
  }

  /** Cards and parties, between exchanges. */
  save(): BenchState {
    return this.bench.save();
  }

  /** Takes a state of this world back. */
  restore(state: BenchState): void {
    this.bench.restore(state);
    this.link.available = true;
    this.link.tamper = undefined;
  }

  /** Slot in which a card is. */
  slotOf(card: TwinCardName): TwinSlot | undefined {
    return (['primary', 'secondary'] as const).find((slot) => this.device.cardIn(slot) === card);
  }
}
