import type { MemberOptions } from '../machines/member.js';
import type { EndCause } from '../machines/types.js';
import type { MemberPassword, RegistrationMethod } from '../member-ports.js';
import type { StatusWord } from '../ports.js';
import type { SystemPoint } from './system.js';

/** What is done to an object on its way; nothing is signed again. `tag`: the element, hexadecimal. */
export type MemberAlteration =
  | { readonly change: 'flip'; readonly tag: string }
  /** A byte more at the end. */
  | { readonly change: 'append' };

/** Ways in which value is issued to a member. */
export type IssueWay = 'credit' | 'own-bank' | 'direct-transfer' | 'cash-mail';

/** What every command may say; status word 9000 is expected unless told otherwise. */
interface Told {
  readonly sw?: StatusWord;
}

/** What every object on its way may suffer; `by`: signed by somebody who is not the centre. */
interface Carried extends Told {
  readonly alter?: MemberAlteration;
  readonly by?: 'somebody';
}

/** One direct command or request; objects are kept and referred to by name. */
export type MemberAction =
  | { readonly do: 'passwords'; readonly a: MemberPassword; readonly b?: MemberPassword } & Told
  | { readonly do: 'contents'; readonly text: string } & Told
  | { readonly do: 'seed'; readonly text?: string } & Told
  | { readonly do: 'sign'; readonly method: RegistrationMethod } & Told
  | { readonly do: 'fetch'; readonly a: MemberPassword } & Told
  | { readonly do: 'connect' } & Carried
  /** `same`: the answer must be that telegram, byte for byte. */
  | { readonly do: 'send'; readonly as: string; readonly same?: string } & Told
  /** `code`: the refusal of the centre that is expected. */
  | { readonly do: 'register'; readonly telegram: string; readonly as: string; readonly code?: string; readonly same?: string; readonly alter?: MemberAlteration }
  | { readonly do: 'admit'; readonly admission: string } & Carried
  | { readonly do: 'a'; readonly password: MemberPassword } & Told
  /** `entries`: transaction numbers expected, newest first. */
  | { readonly do: 'history'; readonly entries?: readonly number[] } & Told
  | { readonly do: 'b'; readonly password: MemberPassword } & Told
  | { readonly do: 'order'; readonly as: string; readonly amount: number; readonly transaction?: number }
  | { readonly do: 'pay'; readonly order: string; readonly as: string; readonly same?: string; readonly alter?: MemberAlteration } & Told
  | { readonly do: 'settle'; readonly telegram: string; readonly as: string; readonly code?: string; readonly same?: string; readonly alter?: MemberAlteration }
  | { readonly do: 'settled'; readonly notice: string } & Carried
  | { readonly do: 'issue'; readonly amount: number; readonly way: IssueWay; readonly confirmed?: boolean; readonly code?: string }
  | { readonly do: 'claim'; readonly order: string; readonly by?: 'somebody'; readonly amount?: number; readonly code?: string }
  /** Power off and on, or reset; the applet is selected anew. */
  | { readonly do: 'reset'; readonly kind: 'cold' | 'warm' };

/** What a point leaves. */
export interface MemberLeaves {
  readonly registered: boolean;
  /** Yen. */
  readonly balance: number;
  /** Yen owed and not yet paid to the store. */
  readonly owed: number;
  /** Yen paid to the store. */
  readonly paid: number;
}

/** How the card is made ready: personalised; registered and with value issued where wanted. */
export interface MemberPreparation {
  readonly registered?: MemberOptions;
  /** Yen issued by cash mail. */
  readonly issued?: number;
}

/** A whole scenario. */
export interface MemberScenarioRun {
  readonly run: 'scenario';
  readonly options: MemberOptions;
  readonly end: EndCause;
  readonly at?: string;
  readonly sw?: StatusWord;
  readonly code?: string;
  readonly leaves: MemberLeaves;
}

/** A list of direct commands and requests. */
export interface MemberScript {
  readonly run: 'script';
  readonly actions: readonly MemberAction[];
  readonly leaves: MemberLeaves;
}

/** A point of the member system's plan. Plain data. */
export interface MemberPoint extends SystemPoint {
  readonly system: 'member';
  /** True when something is wrong in it that card or centre must withstand. */
  readonly negative: boolean;
  readonly prepare: MemberPreparation;
  readonly run: MemberScenarioRun | MemberScript;
}
