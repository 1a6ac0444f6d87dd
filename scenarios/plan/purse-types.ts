import type { PurseOptions } from '../machines/purse.js';
import type { EndCause } from '../machines/types.js';
import type { StatusWord } from '../ports.js';
import type { ChallengeAlternative, PurseEmbodiment } from '../purse-ports.js';
import type { SystemPoint } from './system.js';

/** A card of a transfer. */
export type PurseCard = 'payer' | 'payee';

/** Elements of docs/purse.md 1.1 by name. */
export type PurseElement =
  | 'amount' | 'challenge-id' | 'g1' | 'g2' | 'protected-challenge' | 'payee-id' | 'public-key' | 'ca-signature' | 'issued-amount' | 'issue-number'
  | 'issuer-signature' | 'payment' | 'r1' | 'state' | 'third-party-signature';

/** What is done to an object on its way; nothing is signed again. */
export type PurseAlteration =
  | { readonly element: PurseElement; readonly change: 'flip' | 'flip-first' }
  | { readonly element: PurseElement; readonly change: 'set'; readonly to: number }
  /** The element of another object takes its place. */
  | { readonly element: PurseElement; readonly change: 'from'; readonly object: string }
  /** The whole object: a byte more, the first element left out, the first two changed over. */
  | { readonly change: 'append' | 'leave-out' | 'change-over' };

/** What every command of a script may say; status word 9000 is expected unless told otherwise. */
interface Told {
  readonly sw?: StatusWord;
  readonly alter?: PurseAlteration;
  /** The answer must be that object, byte for byte. */
  readonly same?: string;
}

/** One direct command or request; objects are kept and referred to by name. */
export type PurseAction =
  | { readonly do: 'challenge'; readonly as: string; readonly amount: number; readonly alternative?: ChallengeAlternative; readonly embodiment?: PurseEmbodiment; readonly sw?: StatusWord }
  | { readonly do: 'pay'; readonly challenge: string; readonly as: string; readonly embodiment?: PurseEmbodiment } & Told
  | { readonly do: 'receive'; readonly payment: string; readonly as: string; readonly embodiment?: PurseEmbodiment } & Told
  | { readonly do: 'accept'; readonly service: string; readonly as: string } & Told
  | { readonly do: 'taken'; readonly receipt: string } & Told
  | { readonly do: 'fetch'; readonly challenge: string } & Told
  | { readonly do: 'drop'; readonly challenge: string; readonly sw?: StatusWord }
  /** An issue: signed by the issuer or by somebody else, for the card's own key or the other card's; `again`: the last one once more. */
  | { readonly do: 'issue'; readonly to: PurseCard; readonly amount: number; readonly by?: 'somebody'; readonly for?: PurseCard; readonly as?: string; readonly again?: string } & Told
  /** A payment by a payer that exists only on the bench: its key certified by the CA or somebody, with an issue of the issuer, of somebody, or for another key. */
  | { readonly do: 'forge'; readonly challenge: string; readonly as: string; readonly ca: 'right' | 'wrong'; readonly issuer: 'right' | 'wrong' | 'other-key' }
  /** `code`: the refusal of the third party that is expected. */
  | { readonly do: 'query'; readonly query: string; readonly as: string; readonly alter?: PurseAlteration; readonly code?: string }
  | { readonly do: 'log'; readonly entry: string; readonly as: string; readonly alter?: PurseAlteration; readonly code?: string; readonly same?: string }
  | { readonly do: 'service'; readonly available: boolean }
  | { readonly do: 'reset'; readonly card: PurseCard; readonly kind: 'cold' | 'warm' };

/** Commands and requests of a transfer at which faults can be placed. */
export type PurseOperation = 'challenge' | 'pay' | 'receive' | 'prepare' | 'accept' | 'logTaken' | 'query' | 'log';

/** A power cut on one of the cards, at a part (0-1) of the time that a command takes on the undisturbed run. */
export interface PurseCut {
  readonly card: PurseCard;
  readonly during: PurseOperation;
  readonly part: number;
}

/** What disturbs a transfer. */
export type PurseFault =
  | { readonly fault: 'cut'; readonly cuts: readonly PurseCut[] }
  /** The command or request, or its answer, does not arrive. */
  | { readonly fault: 'lost'; readonly what: 'command' | 'answer'; readonly of: PurseOperation }
  | { readonly fault: 'reset'; readonly card: PurseCard; readonly kind: 'cold' | 'warm'; readonly before: PurseOperation }
  /** The third party answers that the log cannot be taken. */
  | { readonly fault: 'closed' }
  /** The third party refuses the entry that it is sent: the object is altered on the way to it. */
  | { readonly fault: 'alter'; readonly of: PurseOperation; readonly what: 'sent' | 'answer'; readonly alter: PurseAlteration };

/** What a point leaves, against the start of its run. */
export interface PurseLeaves {
  /** Yen more or less than before. */
  readonly payer: number;
  readonly payee: number;
  /** Entries more in the log. */
  readonly logged: number;
  /** Challenges open and entries waiting on the payee; absent: not looked at. */
  readonly open?: number;
  readonly waiting?: number;
}

/** How the cards are made ready: both personalised, issues loaded in order. */
export interface PursePreparation {
  readonly issues: readonly { readonly to: PurseCard; readonly amount: number }[];
  /** The payee takes payments of embodiment 2 only. */
  readonly askedOnly?: boolean;
  /** Transfers that have gone through before. */
  readonly before?: readonly PurseOptions[];
}

/** A whole transfer by the machine of its scenario. */
export interface TransferRun {
  readonly run: 'transfer';
  readonly options: PurseOptions;
  readonly fault?: PurseFault;
  readonly end: EndCause;
  readonly at?: string;
  readonly sw?: StatusWord;
  readonly code?: string;
  readonly leaves: PurseLeaves;
  /** Gone on with by an honest terminal and honest peers. `refused`: the card must still refuse. */
  readonly retry: 'completes' | 'refused' | 'none';
}

/** A list of direct commands and requests. */
export interface PurseScript {
  readonly run: 'script';
  readonly actions: readonly PurseAction[];
  readonly leaves: PurseLeaves;
}

/** A point of the purse's plan. Plain data. */
export interface PursePoint extends SystemPoint {
  readonly system: 'purse';
  readonly scenario: `purse/${PurseEmbodiment}/transfer`;
  readonly embodiment: PurseEmbodiment;
  /** True when something is wrong in it that card or third party must withstand. */
  readonly negative: boolean;
  readonly prepare: PursePreparation;
  readonly run: TransferRun | PurseScript;
}
