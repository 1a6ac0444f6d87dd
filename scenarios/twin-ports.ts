import type { Outcome } from './ports.js';

/** What the holder can choose at step 104. */
export type TwinFunction = 'backup' | 'restore' | 'promote';
/** Slots of the backup device. */
export type TwinSlot = 'primary' | 'secondary';
/** A PIN by name: digits never enter scenarios, records or traces. `short` and `long` are of lengths no PIN has. */
export type TwinPin = 'right' | 'wrong' | 'short' | 'long';

/** For what a card is asked for its number, table or PIN, which is also what it marks (docs/twin.md 2). */
export type TwinPurpose = 'look' | 'backup-primary' | 'backup-secondary' | 'promote' | 'restore' | 'invalidated';

/** A card control table as it is read: no PIN is in it. Numbers are texts, blank ones empty; yen. */
export interface TwinTable {
  readonly cardNumber: string;
  readonly primaryNumber: string;
  readonly secondaryNumber: string;
  /** Oldest number first. */
  readonly blackList: readonly string[];
  readonly creditNumber: string;
  readonly hasCreditPin: boolean;
  readonly moneyId: string;
  readonly balance: number;
  /** Tries left of the card PIN. */
  readonly tries: number;
}

/**
 * The backup device with what is in its slots, its keypad, display and link to the issuer's management terminal
 * (docs/twin.md 4). A refusal of its own has a code (`safeCode`), one of a card a status word; marks are the cards'.
 */
export interface TwinDevicePort {
  /** True when the cards' STEP marks reach the bench. */
  readonly hasTrace: boolean;
  /** Steps 101 and 102. */
  begin(): Promise<Outcome<undefined>>;
  /** Step 103. */
  enterPin(pin: TwinPin): Promise<Outcome<undefined>>;
  /** Step 104. */
  choose(choice: TwinFunction): Promise<Outcome<undefined>>;
  /** Steps 105, 106, 108: the card's number must be the device's. */
  compare(slot: TwinSlot, forPromotion: boolean): Promise<Outcome<undefined>>;
  /** Step 107. */
  route(): Promise<Outcome<undefined>>;
  /** Steps 109 and 110. Resolves to true when the device has blocked itself. */
  countError(): Promise<Outcome<boolean>>;
  /** Steps 301, 305, 401, 501 with the check behind each. */
  read(purpose: TwinPurpose): Promise<Outcome<TwinTable>>;
  /** Steps 303, 307, 403, 503, 508 with the black-list check behind each, at the card and at the device. */
  verify(purpose: TwinPurpose, pin: TwinPin): Promise<Outcome<undefined>>;
  /** Step 309. */
  allChecked(): Promise<Outcome<undefined>>;
  /** Step 310. */
  copy(): Promise<Outcome<undefined>>;
  /** Step 405. */
  confirm(yes: boolean): Promise<Outcome<undefined>>;
  /** Step 406, and what the card does of 407 with it. Resolves to the old primary number. */
  promote(): Promise<Outcome<string>>;
  /** Step 407 at the device and the issuer. */
  report(): Promise<Outcome<undefined>>;
  /** Step 506. */
  invalidate(): Promise<Outcome<undefined>>;
  /** Step 510. */
  restorable(): Promise<Outcome<undefined>>;
  /** Step 511. */
  restore(): Promise<Outcome<undefined>>;
  /** Steps 311, 312, 410, 505, 507: what the display says in the end. */
  show(text: string): Promise<Outcome<undefined>>;
}

/** Everybody a scenario of this system speaks to. */
export interface TwinPorts {
  readonly device: TwinDevicePort;
}
