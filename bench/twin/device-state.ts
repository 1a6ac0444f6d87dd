import type { TwinFunction, TwinPurpose, TwinSlot } from '../../scenarios/index.js';
import type { TwinCardName } from './card-talk.js';

/** Control table of the backup device (fig. 8). Numbers as texts, blank ones empty; yen. The PIN is not in it. */
export interface DeviceTable {
  readonly terminalNumber: string;
  readonly restoreNumber: string;
  readonly primaryNumber: string;
  readonly secondaryNumber: string;
  readonly blackList: readonly string[];
  readonly creditNumber: string;
  readonly hasCreditPin: boolean;
  readonly moneyId: string;
  readonly balance: number;
}

/** What the device has yet to tell the issuer. */
export type DeviceNotice =
  | { readonly is: 'promoted'; readonly old: string; readonly now: string }
  | { readonly is: 'invalidated'; readonly number: string }
  | { readonly is: 'restored'; readonly number: string };

/** Everything the device remembers. Plain data, never changed in place. */
export interface DeviceState {
  readonly table: DeviceTable;
  readonly slots: Readonly<Partial<Record<TwinSlot, TwinCardName>>>;
  readonly errors: number;
  readonly blocked: boolean;
  readonly display: string;
  /** How far the holder has come: nothing, PIN entered, function chosen, all entry checks passed. */
  readonly stage: 'off' | 'begun' | 'pin' | 'chosen' | 'ready';
  readonly choice?: TwinFunction;
  /** Checks of cards that have passed since. */
  readonly checked: readonly TwinPurpose[];
  readonly confirmed: boolean;
  /** Card numbers read since. */
  readonly numbers: Readonly<Partial<Record<TwinSlot, string>>>;
  readonly notices: readonly DeviceNotice[];
  /** Challenges drawn. */
  readonly draws: number;
}

/** Errors at which the device blocks itself. */
export const ERROR_LIMIT = 3;

/** A device as the issuer hands it out. */
export const newDevice = (primaryNumber: string, secondaryNumber: string): DeviceState => ({
  table: { terminalNumber: 'ABCDEFGH', restoreNumber: '', primaryNumber, secondaryNumber, blackList: [], creditNumber: '', hasCreditPin: false, moneyId: '', balance: 0 },
  slots: {}, errors: 0, blocked: false, display: '', stage: 'off', checked: [], confirmed: false, numbers: {}, notices: [], draws: 0,
});

/** Adds a number to a black list, once. */
export const listed = (list: readonly string[], number: string): readonly string[] => (list.includes(number) ? list : [...list, number]);
