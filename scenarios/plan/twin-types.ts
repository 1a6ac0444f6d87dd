import type { TwinOptions } from '../machines/twin.js';
import type { EndCause } from '../machines/types.js';
import type { StatusWord } from '../ports.js';
import type { TwinFunction, TwinPin, TwinPurpose, TwinTable } from '../twin-ports.js';
import type { SystemPoint } from './system.js';

/** A physical card by the last letter of its number: A is issued as primary card, B and C as secondary cards. */
export type TwinCard = 'A' | 'B' | 'C';

/** How far cards and device are when a point begins. */
export interface TwinPreparation {
  /** Default `issued`. `invalidated`: A by a wrong PIN at 503. `withdrawn`: and then withdrawn and set for restore by the issuer. */
  readonly state?: 'issued' | 'backed-up' | 'promoted' | 'invalidated' | 'withdrawn';
  /** Cards in the slots, in the order primary, secondary; `-`: none. Default `AB`, promoted `BC`. */
  readonly slots?: string;
  /** Yen paid at a shop with A before. */
  readonly spent?: number;
}

/** What a run must end with. */
export interface TwinEnd {
  /** Default `done`. */
  readonly end?: EndCause;
  /** Step that was refused, from which the run went its error way. */
  readonly failed?: string;
  /** Step at which the run ended. */
  readonly at?: string;
  readonly sw?: StatusWord;
  /** Refusal of device or issuer. */
  readonly code?: string;
}

/** What is done to the next encrypted message. */
export type TwinTamper = 'flip-command' | 'flip-answer' | 'cut-command' | 'repeat-command';

/** Direct command to a card in a session of device or issuer. Objects are kept by name. */
export interface TwinCardAction {
  readonly do: 'card';
  readonly card: TwinCard;
  readonly command: 'number' | 'read' | 'verify' | 'export' | 'store' | 'promote' | 'invalidate' | 'withdraw' | 'balance';
  readonly as?: 'device' | 'issuer';
  readonly purpose?: TwinPurpose;
  readonly pin?: TwinPin;
  readonly copy?: 'backup' | 'restore';
  /** EXPORT: name under which the copy is kept. */
  readonly keep?: string;
  /** STORE: the copy kept under this name, with these fields changed. EXPORT: secondary number. */
  readonly from?: string;
  readonly change?: { readonly primaryNumber?: string; readonly secondaryNumber?: string; readonly balance?: number; readonly blackList?: readonly string[] };
  readonly secondary?: string;
  /** BALANCE. */
  readonly order?: number;
  readonly amount?: number;
  /** Default 9000. */
  readonly sw?: StatusWord;
}

/** One step of a script. */
export type TwinAction =
  | { readonly do: 'run'; readonly options: TwinOptions } & TwinEnd
  | { readonly do: 'start'; readonly options: TwinOptions } & TwinEnd
  /** A phase without the entry checks. */
  | { readonly do: 'phase'; readonly phase: TwinFunction; readonly options?: Partial<TwinOptions> } & TwinEnd
  | { readonly do: 'insert'; readonly slots: string }
  | { readonly do: 'unblock' | 'confirm-balance' | 'deliver' | 'settle' | 'link-up' | 'link-down' | 'alter-link'; readonly card?: TwinCard; readonly code?: string }
  | { readonly do: 'withdraw' | 'set-restore' | 'set-secondary' | 'list'; readonly card: TwinCard; readonly code?: string }
  | { readonly do: 'shop'; readonly card: TwinCard; readonly amount: number; readonly sw?: StatusWord; readonly code?: string }
  | { readonly do: 'tamper'; readonly how: TwinTamper }
  /** Sends everything once more that has crossed to a card since its power-on: `sw` for the first sealed message. */
  | { readonly do: 'replay'; readonly card: TwinCard; readonly sw: StatusWord }
  | { readonly do: 'reset'; readonly card: TwinCard; readonly kind: 'cold' | 'warm' }
  | { readonly do: 'raw'; readonly card: TwinCard; readonly apdu: string; readonly sw: StatusWord }
  | { readonly do: 'table'; readonly card: TwinCard; readonly expect: Partial<TwinTable> }
  | { readonly do: 'device'; readonly expect: Readonly<Record<string, unknown>> }
  | TwinCardAction;

/** What a point leaves. */
export interface TwinLeaves {
  /** The one primary card, `-`: none. */
  readonly primary: TwinCard | '-';
  /** Yen on it. */
  readonly balance?: number;
  /** Cards on the issuer's master list, as letters. */
  readonly listed?: string;
  readonly blocked?: boolean;
}

/** A whole run: entry checks, then the function chosen. */
export interface TwinScenarioRun extends TwinEnd {
  readonly run: 'scenario';
  readonly options: TwinOptions;
  readonly leaves: TwinLeaves;
}

/** A list of actions. */
export interface TwinScript {
  readonly run: 'script';
  readonly actions: readonly TwinAction[];
  readonly leaves: TwinLeaves;
}

/** A point of the plan of primary and secondary card. Plain data. */
export interface TwinPoint extends SystemPoint {
  readonly system: 'twin';
  /** True when something is wrong in it that card, device or issuer must withstand. */
  readonly negative: boolean;
  readonly prepare: TwinPreparation;
  readonly run: TwinScenarioRun | TwinScript;
}
