import type { Failure, Outcome, Success, TwinDevicePort, TwinFunction, TwinPin, TwinPurpose, TwinSlot, TwinTable } from '../../scenarios/index.js';
import { CodecError } from '../codec/index.js';
import type { Party } from '../world/card-bench.js';
import { CardTalk, marksOf } from './card-talk.js';
import type { TalkParts, TwinCardName } from './card-talk.js';
import { cardPins, copyBytesOf, purposeBytes, twinCommand, typedPin } from './commands.js';
import { textBytes } from '../codec/index.js';
import { ERROR_LIMIT, listed, newDevice } from './device-state.js';
import type { DeviceNotice, DeviceState, DeviceTable } from './device-state.js';
import { TwinError } from './errors.js';
import type { TwinErrorCode } from './errors.js';
import { copyOf, NUMBER_BYTES, numberBytes, numberOf, tableOf } from './objects.js';
import type { TwinCopy } from './objects.js';

/** Device PIN. */
const devicePin = '4711';
const slotOf: Readonly<Record<Exclude<TwinPurpose, 'look'>, TwinSlot>> = {
  'backup-primary': 'primary', 'backup-secondary': 'secondary', promote: 'secondary', restore: 'primary', invalidated: 'primary',
};
const functionOf: Readonly<Record<Exclude<TwinPurpose, 'look'>, TwinFunction>> = {
  'backup-primary': 'backup', 'backup-secondary': 'backup', promote: 'promote', restore: 'restore', invalidated: 'restore',
};

const done = <T>(value: T, ...outcomes: readonly Outcome<unknown>[]): Success<T> => ({ ok: true, value, marks: marksOf(...outcomes) });
const refused = (code: TwinErrorCode, text: string, ...outcomes: readonly Outcome<unknown>[]): Failure =>
  ({ ok: false, cause: 'refused', safeCode: code, text: `${code}: ${text}`, marks: marksOf(...outcomes) });
const failed = (failure: Failure, ...before: readonly Outcome<unknown>[]): Failure => ({ ...failure, marks: marksOf(...before, failure) });

function noData(data: Uint8Array): undefined {
  if (data.length > 0) throw new CodecError('TLV_TRAILING', `${data.length} bytes where none were due`);
}

/** Number of exactly one card. */
function oneNumber(data: Uint8Array): string {
  if (data.length !== NUMBER_BYTES) throw new CodecError('ELEMENT_LENGTH', `a number of ${data.length} bytes`);
  return numberOf(data);
}

/** What a device is made from. */
export interface DeviceParts extends Omit<TalkParts, 'role' | 'challenge'> {
  readonly hasTrace: boolean;
  /** A challenge by its number. */
  readonly challenge: (draw: number) => Uint8Array;
  /** Tells the issuer. Throws TwinError LINK_DOWN, LINK_ALTERED. May send commands of its own to the card. */
  readonly notify: (notice: DeviceNotice) => Promise<void>;
}

/** The holder's backup device: two slots, PIN keypad, display, control table, link to the issuer (docs/twin.md 4). */
export class BackupDevice implements Party {
  readonly hasTrace: boolean;
  /** Its end of the sessions with the cards. */
  readonly talk: CardTalk;
  readonly #parts: DeviceParts;
  #s: DeviceState;

  constructor(parts: DeviceParts, primaryNumber: string, secondaryNumber: string) {
    this.#parts = parts;
    this.hasTrace = parts.hasTrace;
    this.#s = newDevice(primaryNumber, secondaryNumber);
    this.talk = new CardTalk({ ...parts, role: 'device', challenge: () => this.challenge() });
  }

  save(): unknown {
    return { state: this.#s, talk: this.talk.save() };
  }

  restore(state: unknown): void {
    const saved = state as { readonly state: DeviceState; readonly talk: unknown };
    this.#s = saved.state;
    this.talk.restore(saved.talk);
  }

  /** What it remembers. */
  get state(): DeviceState {
    return this.#s;
  }

  /** The card in a slot. */
  cardIn(slot: TwinSlot): TwinCardName | undefined {
    return this.#s.slots[slot];
  }

  /** Puts cards into the slots, or takes them out; what was checked no longer counts. */
  insert(slots: DeviceState['slots']): void {
    this.#set({ slots, stage: 'off', checked: [], numbers: {}, confirmed: false });
  }

  /** The next challenge of its own. */
  challenge(): Uint8Array {
    this.#set({ draws: this.#s.draws + 1 });
    return this.#parts.challenge(this.#s.draws);
  }

  /** Changes fields of the control table. */
  setTable(change: Partial<DeviceTable>): void {
    this.#set({ table: { ...this.#s.table, ...change } });
  }

  /** Ends the blocking, at the issuer's word. */
  unblock(): void {
    this.#set({ blocked: false, errors: 0 });
  }

  /** Steps 101, 102. */
  begin(): Outcome<undefined> {
    if (this.#s.blocked) return refused('DEVICE_BLOCKED', 'the device is blocked until the issuer unblocks it');
    this.#set({ stage: 'begun', checked: [], numbers: {}, confirmed: false, display: 'enter the device PIN' });
    return done(undefined);
  }

  /** Step 103. */
  enterPin(pin: TwinPin): Outcome<undefined> {
    if (this.#s.stage !== 'begun') return refused('DEVICE_ORDER', 'the device has not asked for its PIN');
    if (typedPin(pin, devicePin) !== devicePin) return refused('DEVICE_PIN', 'wrong device PIN');
    this.#set({ stage: 'pin', display: 'choose backup, restore or promotion' });
    return done(undefined);
  }

  /** Step 104. */
  choose(choice: TwinFunction): Outcome<undefined> {
    if (this.#s.stage !== 'pin') return refused('DEVICE_ORDER', 'the device PIN comes first');
    this.#set({ stage: 'chosen', choice, display: choice });
    return done(undefined);
  }

  /** Steps 105, 106, 108. */
  async compare(slot: TwinSlot, forPromotion: boolean): Promise<Outcome<undefined>> {
    if (this.#s.stage !== 'chosen' || forPromotion !== (this.#s.choice === 'promote')) return refused('DEVICE_ORDER', 'no function is chosen that compares this card');
    const p1 = forPromotion ? 3 : slot === 'primary' ? 1 : 2;
    const number = await this.#send(slot, 'number', p1, oneNumber);
    if (!number.ok) return number;
    const wanted = slot === 'primary' ? this.#s.table.primaryNumber : this.#s.table.secondaryNumber;
    if (number.value !== wanted) return refused('DEVICE_CARD', `the ${slot} slot holds another card than the one of this device`, number);
    this.#set({ numbers: { ...this.#s.numbers, [slot]: number.value } });
    if (forPromotion) this.#set({ stage: 'ready', errors: 0 });
    return done(undefined, number);
  }

  /** Step 107. */
  route(): Outcome<undefined> {
    const { primary, secondary } = this.#s.numbers;
    if (this.#s.stage !== 'chosen' || primary === undefined || secondary === undefined) return refused('DEVICE_ORDER', 'the cards have not been compared');
    this.#set({ stage: 'ready', errors: 0 });
    return done(undefined);
  }

  /** Steps 109, 110. */
  countError(): Outcome<boolean> {
    const errors = this.#s.errors + 1;
    const blocked = errors >= ERROR_LIMIT;
    this.#set({ errors, blocked, stage: 'off', display: blocked ? 'blocked: ask the issuer' : `error ${errors} of ${ERROR_LIMIT}` });
    return done(blocked);
  }

  /** Steps 301, 305, 401, 501. */
  async read(purpose: Exclude<TwinPurpose, 'look'>): Promise<Outcome<TwinTable>> {
    return this.#out(purpose) ?? this.#send(slotOf[purpose], 'read', purposeBytes[purpose], tableOf);
  }

  /** Steps 303, 307, 403, 503, 508 and the black list behind each: the card's at the card, then the device's. */
  async verify(purpose: Exclude<TwinPurpose, 'look'>, pin: TwinPin): Promise<Outcome<undefined>> {
    const out = this.#out(purpose);
    if (out) return out;
    const slot = slotOf[purpose];
    const right = cardPins[this.cardIn(slot) ?? ''] ?? '';
    const verified = await this.#send(slot, 'verify', purposeBytes[purpose], noData, textBytes(typedPin(pin, right)));
    if (!verified.ok) return verified;
    if (this.#s.table.blackList.includes(this.#s.numbers[slot] ?? '')) return refused('DEVICE_LISTED', 'the card is on the black list', verified);
    this.#set({ checked: [...this.#s.checked, purpose] });
    return done(undefined, verified);
  }

  /** Step 309. */
  allChecked(): Outcome<undefined> {
    const all = (['backup-primary', 'backup-secondary'] as const).every((purpose) => this.#s.checked.includes(purpose));
    return all ? done(undefined) : refused('DEVICE_ORDER', 'a card has not been checked');
  }

  /** Step 310. */
  async copy(): Promise<Outcome<undefined>> {
    const unchecked = this.allChecked();
    if (!unchecked.ok) return unchecked;
    const { secondaryNumber } = this.#s.table;
    const given = await this.#send('primary', 'export', copyBytesOf.backup, (bytes) => this.#given(bytes), numberBytes(secondaryNumber));
    if (!given.ok) return given;
    const stored = await this.#send('secondary', 'store', copyBytesOf.backup, noData, given.value.bytes);
    return stored.ok ? done(undefined, given, stored) : failed(stored, given);
  }

  /** Step 405. */
  confirm(yes: boolean): Outcome<undefined> {
    if (!this.#s.checked.includes('promote')) return refused('DEVICE_ORDER', 'the card has not been checked');
    if (!yes) return refused('DEVICE_DECLINED', 'the holder does not want the promotion');
    this.#set({ confirmed: true });
    return done(undefined);
  }

  /** Step 406. */
  async promote(): Promise<Outcome<string>> {
    if (!this.#s.confirmed) return refused('DEVICE_ORDER', 'the promotion is not confirmed');
    const promoted = await this.#send('secondary', 'promote', 0, oneNumber);
    if (promoted.ok) this.#promoted(promoted.value, this.#s.numbers.secondary ?? '');
    return promoted;
  }

  /** Step 407 at the issuer, and whatever else it has not yet been told. Stops at the first notice that does not go through. */
  async report(): Promise<Outcome<undefined>> {
    for (const notice of this.#s.notices) {
      try {
        await this.#parts.notify(notice);
      } catch (error) {
        if (!(error instanceof TwinError)) throw error;
        const down = error.code === 'LINK_DOWN' || error.code === 'CARD_LOST';
        return down ? { ok: false, cause: 'link', text: `${error.code}: ${error.message}`, marks: [] } : refused(error.code, error.message);
      }
      this.#set({ notices: this.#s.notices.filter((one) => one !== notice) });
    }
    return done(undefined);
  }

  /** Step 506. */
  async invalidate(): Promise<Outcome<undefined>> {
    const out = this.#out('restore');
    if (out) return out;
    const erased = await this.#send('primary', 'invalidate', 0, noData);
    if (!erased.ok) return erased;
    this.#invalidated(this.#s.numbers.primary ?? '');
    const told = await this.report();
    return told.ok ? done(undefined, erased) : failed(told, erased);
  }

  /** Step 510. */
  restorable(): Outcome<undefined> {
    if (!this.#s.checked.includes('invalidated')) return refused('DEVICE_ORDER', 'the card has not been checked');
    return this.#s.table.restoreNumber !== '' && this.#s.table.restoreNumber === this.#s.numbers.primary ? done(undefined)
      : refused('DEVICE_RESTORE', 'the issuer has not set the number of this card for restore');
  }

  /** Step 511: fields from the secondary card by way of the own table, the balance from the issuer, then the own fields are erased. */
  async restoreCard(): Promise<Outcome<undefined>> {
    const out = this.restorable();
    if (!out.ok) return out;
    const given = await this.#send('secondary', 'export', copyBytesOf.restore, (bytes) => this.#given(bytes));
    if (!given.ok) return given;
    const { creditNumber, creditPin, moneyId } = given.value.copy;
    this.setTable({ creditNumber, hasCreditPin: creditPin !== '', moneyId });
    const stored = await this.#send('primary', 'store', copyBytesOf.restore, noData, given.value.bytes);
    if (!stored.ok) return failed(stored, given);
    this.#restored(this.#s.numbers.primary ?? '');
    const told = await this.report();
    return told.ok ? done(undefined, given, stored) : failed(told, given, stored);
  }

  /** Last words of the display. */
  show(text: string): Outcome<undefined> {
    this.#set({ display: text, stage: 'off', checked: [], confirmed: false });
    return done(undefined);
  }

  /** Looks at a card without marks: its table. */
  look(slot: TwinSlot): Promise<Outcome<TwinTable>> {
    return this.#send(slot, 'read', purposeBytes.look, tableOf);
  }

  /**
   * After cards have lost their power: sees what they have come to, notes what the device has not yet noted, and tells the
   * issuer. So steps 407, 506 and 511 are finished whose answer was lost.
   */
  async settle(): Promise<Outcome<undefined>> {
    for (const slot of ['primary', 'secondary'] as const) {
      if (this.cardIn(slot) === undefined) continue;
      const table = await this.look(slot);
      if (!table.ok) return table;
      this.#note(table.value);
    }
    return this.report();
  }

  #note({ cardNumber, primaryNumber, blackList }: TwinTable): void {
    const { table } = this.#s;
    const primary = cardNumber === primaryNumber;
    const old = blackList.at(-1);
    if (primary && cardNumber === table.secondaryNumber && old !== undefined) this.#promoted(old, cardNumber);
    if (primaryNumber === '' && cardNumber === table.primaryNumber && blackList.includes(cardNumber) && !table.blackList.includes(cardNumber)) this.#invalidated(cardNumber);
    if (primary && cardNumber === table.restoreNumber) this.#restored(cardNumber);
  }

  #promoted(old: string, now: string): void {
    this.setTable({ primaryNumber: now, secondaryNumber: '', blackList: listed(this.#s.table.blackList, old) });
    this.#set({ notices: [...this.#s.notices, { is: 'promoted', old, now }] });
  }

  #invalidated(number: string): void {
    this.setTable({ blackList: listed(this.#s.table.blackList, number) });
    this.#set({ notices: [...this.#s.notices, { is: 'invalidated', number }] });
  }

  #restored(number: string): void {
    this.setTable({ restoreNumber: '', creditNumber: '', hasCreditPin: false, moneyId: '', balance: 0 });
    this.#set({ notices: [...this.#s.notices, { is: 'restored', number }] });
  }

  /** The copy as it came, and read: the balance is never in it. Throws CodecError. */
  #given(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly copy: TwinCopy } {
    const copy = copyOf(bytes);
    if (copy.balance !== 0) throw new CodecError('ELEMENT_VALUE', `the card gives out a balance of ${copy.balance} yen with the copy`);
    return { bytes, copy };
  }

  /** Undefined when the entry checks of the function have passed. */
  #out(purpose: Exclude<TwinPurpose, 'look'>): Failure | undefined {
    return this.#s.stage === 'ready' && this.#s.choice === functionOf[purpose] ? undefined : refused('DEVICE_ORDER', 'the entry checks have not been passed for this');
  }

  async #send<T>(slot: TwinSlot, name: Parameters<typeof twinCommand>[0], p1: number, parse: (data: Uint8Array) => T, data?: Uint8Array): Promise<Outcome<T>> {
    const card = this.cardIn(slot);
    return card === undefined ? refused('DEVICE_EMPTY', `there is no card in the ${slot} slot`) : this.talk.send(card, twinCommand(name, p1, data), parse);
  }

  #set(change: Partial<DeviceState>): void {
    this.#s = { ...this.#s, ...change };
  }
}

/** The device as the scenarios want it. */
export function createDevicePort(device: BackupDevice): TwinDevicePort {
  const soon = <T>(outcome: Outcome<T>): Promise<Outcome<T>> => Promise.resolve(outcome);
  const asked = (purpose: TwinPurpose): Exclude<TwinPurpose, 'look'> => {
    if (purpose === 'look') throw new Error('a scenario does not just look');
    return purpose;
  };
  return {
    hasTrace: device.hasTrace,
    begin: () => soon(device.begin()),
    enterPin: (pin) => soon(device.enterPin(pin)),
    choose: (choice) => soon(device.choose(choice)),
    compare: (slot, forPromotion) => device.compare(slot, forPromotion),
    route: () => soon(device.route()),
    countError: () => soon(device.countError()),
    read: (purpose) => device.read(asked(purpose)),
    verify: (purpose, pin) => device.verify(asked(purpose), pin),
    allChecked: () => soon(device.allChecked()),
    copy: () => device.copy(),
    confirm: (yes) => soon(device.confirm(yes)),
    promote: () => device.promote(),
    report: () => device.report(),
    invalidate: () => device.invalidate(),
    restorable: () => soon(device.restorable()),
    restore: () => device.restoreCard(),
    show: (text) => soon(device.show(text)),
  };
}
