import { CodecError, concat, uintBytes, uintOf } from '../codec/index.js';
import type { Party } from '../world/card-bench.js';
import { CardTalk } from './card-talk.js';
import type { TalkParts, TwinCardName } from './card-talk.js';
import { twinCommand } from './commands.js';
import type { BackupDevice } from './device.js';
import { listed } from './device-state.js';
import type { DeviceNotice } from './device-state.js';
import { TwinError } from './errors.js';
import type { ManagementLink } from './link.js';
import { numbersBytes, numbersOf } from './link.js';

/** An e-money account at the issuer. Yen. */
export interface MoneyAccount {
  readonly moneyId: string;
  /** Card number that may hold the money. */
  readonly holder: string;
  readonly issued: number;
  /** What shops have reported. */
  readonly spent: number;
}

/** A balance on its way to a card. */
export interface BalanceOrder {
  readonly number: number;
  readonly card: string;
  readonly amount: number;
}

interface IssuerState {
  readonly accounts: readonly MoneyAccount[];
  readonly blackList: readonly string[];
  readonly open?: BalanceOrder | undefined;
  readonly orders: number;
  readonly draws: number;
}

/** What a management terminal is made from. */
export interface IssuerParts extends Omit<TalkParts, 'role' | 'challenge'> {
  readonly challenge: (draw: number) => Uint8Array;
}

const notices = {
  promoted: (notice: DeviceNotice) => (notice.is === 'promoted' ? numbersBytes(notice.old, notice.now) : numbersBytes()),
  invalidated: (notice: DeviceNotice) => (notice.is === 'invalidated' ? numbersBytes(notice.number) : numbersBytes()),
  restored: (notice: DeviceNotice) => (notice.is === 'restored' ? numbersBytes(notice.number) : numbersBytes()),
} as const;

function noData(data: Uint8Array): undefined {
  if (data.length > 0) throw new CodecError('TLV_TRAILING', `${data.length} bytes where none were due`);
}

/** The issuer with its management terminal: the master black list, e-money accounts, its sessions with cards through the device (docs/twin.md 5). */
export class ManagementTerminal implements Party {
  readonly talk: CardTalk;
  readonly #parts: IssuerParts;
  #s: IssuerState = { accounts: [], blackList: [], orders: 0, draws: 0 };

  constructor(parts: IssuerParts) {
    this.#parts = parts;
    this.talk = new CardTalk({ ...parts, role: 'issuer', challenge: () => this.challenge() });
  }

  save(): unknown {
    return { state: this.#s, talk: this.talk.save() };
  }

  restore(state: unknown): void {
    const saved = state as { readonly state: IssuerState; readonly talk: unknown };
    this.#s = saved.state;
    this.talk.restore(saved.talk);
  }

  /** Numbers of invalid cards, of all cards of this issuer. */
  get blackList(): readonly string[] {
    return this.#s.blackList;
  }

  /** E-money accounts. */
  get accounts(): readonly MoneyAccount[] {
    return this.#s.accounts;
  }

  /** The balance that a card has not yet taken. */
  get open(): BalanceOrder | undefined {
    return this.#s.open;
  }

  /** The next challenge of its own. */
  challenge(): Uint8Array {
    this.#set({ draws: this.#s.draws + 1 });
    return this.#parts.challenge(this.#s.draws);
  }

  /** Opens an account with what is on the card when it is issued. */
  issue(moneyId: string, holder: string, issued: number): void {
    this.#set({ accounts: [...this.#s.accounts, { moneyId, holder, issued, spent: 0 }] });
  }

  /** A shop's report. Throws TwinError ISSUER_UNKNOWN, ISSUER_LISTED. */
  spent(card: string, amount: number): void {
    const account = this.#account(card);
    this.#put({ ...account, spent: account.spent + amount });
  }

  /** What is left of the account that a card may hold: what the issuer confirms. Throws TwinError ISSUER_UNKNOWN. */
  remaining(card: string): number {
    const { issued, spent } = this.#account(card);
    return issued - spent;
  }

  /** Takes a notice of a device in. */
  heard(message: DeviceNotice['is'], data: Uint8Array): void {
    const [first, now = ''] = numbersOf(data);
    if (message === 'restored') return;
    this.#set({ blackList: listed(this.#s.blackList, first) });
    if (message !== 'promoted') return;
    const account = this.#s.accounts.find(({ holder }) => holder === first);
    if (account) this.#put({ ...account, holder: now });
  }

  /** Carries a notice of a device over its link. Throws TwinError. */
  notice(link: ManagementLink, notice: DeviceNotice): void {
    link.carry(notice.is, notices[notice.is](notice), (data) => { this.heard(notice.is, data); });
  }

  /** Ends the blocking of a device. Throws TwinError. */
  unblock(link: ManagementLink, device: BackupDevice): void {
    link.carry('unblock', new Uint8Array(0), () => { device.unblock(); });
  }

  /** Tells a device the number of the next secondary card. Throws TwinError. */
  setSecondary(link: ManagementLink, device: BackupDevice, number: string): void {
    link.carry('secondary', numbersBytes(number), (data) => { device.setTable({ secondaryNumber: numbersOf(data)[0] }); });
  }

  /** Puts a number on the master list and on a device's. Throws TwinError. */
  list(link: ManagementLink, device: BackupDevice, number: string): void {
    this.#set({ blackList: listed(this.#s.blackList, number) });
    link.carry('list', numbersBytes(number), (data) => { device.setTable({ blackList: listed(device.state.table.blackList, numbersOf(data)[0]) }); });
  }

  /**
   * Withdraws a number from the black lists: of the card in the primary slot, the device's and its own, in this order.
   * Throws TwinError ISSUER_PROMOTED when another card has taken its place, ISSUER_CARD when the card does not do it, CARD_LOST.
   */
  async withdraw(link: ManagementLink, device: BackupDevice, number: string): Promise<void> {
    if (!this.#s.accounts.some(({ holder }) => holder === number)) throw new TwinError('ISSUER_PROMOTED', `card ${number} holds no account any more`);
    await this.#card(device, 'withdraw');
    link.carry('withdraw', numbersBytes(number), (data) => {
      const [withdrawn] = numbersOf(data);
      device.setTable({ blackList: device.state.table.blackList.filter((one) => one !== withdrawn) });
    });
    this.#set({ blackList: this.#s.blackList.filter((one) => one !== number) });
  }

  /** Tells a device which card may be restored and with what balance. Throws TwinError ISSUER_LISTED before the withdrawal. */
  setRestore(link: ManagementLink, device: BackupDevice, number: string): void {
    if (this.#s.blackList.includes(number)) throw new TwinError('ISSUER_LISTED', `card ${number} is on the black list`);
    const amount = this.remaining(number);
    link.carry('restore', concat(numbersBytes(number), uintBytes(amount, 4)), (data) => {
      device.setTable({ restoreNumber: numbersOf(data.slice(0, 8))[0], balance: uintOf(data.slice(8)) });
    });
    this.#order(number, amount);
  }

  /** Confirms what is left for a card and sets it on its way. Throws TwinError ISSUER_UNKNOWN, ISSUER_LISTED. */
  confirmBalance(number: string): void {
    if (this.#s.blackList.includes(number)) throw new TwinError('ISSUER_LISTED', `card ${number} is on the black list`);
    this.#order(number, this.remaining(number));
  }

  /** Sends the open balance to its card, wherever in the device it is; nothing when there is none. Throws TwinError ISSUER_CARD, CARD_LOST. */
  async deliver(device: BackupDevice): Promise<void> {
    const { open } = this.#s;
    if (!open) return;
    const slot = (['primary', 'secondary'] as const).find((one) => device.cardIn(one) === open.card.at(-1));
    if (slot === undefined) throw new TwinError('ISSUER_CARD', `card ${open.card} is not in the device`);
    await this.#card(device, 'balance', slot, concat(uintBytes(open.number, 4), uintBytes(open.amount, 4)));
    this.#set({ open: undefined });
  }

  /** A command of the issuer's own session with a card in the device, which only passes it on. */
  async #card(device: BackupDevice, name: 'withdraw' | 'balance', slot: 'primary' | 'secondary' = 'primary', data?: Uint8Array): Promise<void> {
    const card: TwinCardName | undefined = device.cardIn(slot);
    if (card === undefined) throw new TwinError('ISSUER_CARD', 'there is no card in the slot');
    device.talk.forget(card);
    const outcome = await this.talk.send(card, twinCommand(name, 0, data), noData);
    this.talk.forget(card);
    if (!outcome.ok) throw new TwinError(outcome.cause === 'link' ? 'CARD_LOST' : 'ISSUER_CARD', `the card answered ${outcome.text}`);
  }

  #order(card: string, amount: number): void {
    const number = this.#s.orders + 1;
    this.#set({ orders: number, open: { number, card, amount } });
  }

  #account(card: string): MoneyAccount {
    const found = this.#s.accounts.find(({ holder }) => holder === card);
    if (!found) throw new TwinError('ISSUER_UNKNOWN', `card ${card} holds no account`);
    return found;
  }

  #put(account: MoneyAccount): void {
    this.#set({ accounts: this.#s.accounts.map((one) => (one.moneyId === account.moneyId ? account : one)) });
  }

  #set(change: Partial<IssuerState>): void {
    this.#s = { ...this.#s, ...change };
  }
}
