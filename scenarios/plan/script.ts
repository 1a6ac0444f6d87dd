import type { CertificateState, Embodiment, HashAlgorithm, KeyKind, PinChoice, ValueState, Variant } from '../ports.js';
import type { Condition } from '../conditions/condition.js';
import type { Alteration } from './faults.js';

/** A name such as `$item` or `$certificate`; bound by the preparation or by `save`. */
export type Ref = `$${string}`;

/**
 * An item of the wallet by reference. The preparation binds `$name` for each value it loads; `'$name.certificate'`
 * is the handle of its certificate; a number is a literal handle.
 */
export type ItemRef = Ref | number;

/** An object to send: a saved one, or a saved one altered, or one the bench makes. */
export type ObjectRef =
  | Ref
  | {
    readonly of: Ref;
    readonly element: string;
    readonly how: Alteration;
    /** Sign again with the rightful key. */
    readonly resign?: boolean;
  }
  /** Raw bytes in hexadecimal. */
  | { readonly hex: string }
  /** A load object the issuer makes; `number` is relative to the card's last load number. */
  | { readonly make: 'load'; readonly sample: string; readonly number: number; readonly card?: 'this' | 'other' }
  /** The genuine counterpart from another party: a certificate by a safe for a saved request. */
  | { readonly make: 'certificate'; readonly for: Ref; readonly by: 'safe' | 'other-safe' | 'unknown-safe' };

/** Fields a script may look at in GET DATA answers (protocol.md 2.2). */
export type DataField =
  | 'shortage.needed' | 'shortage.free' | 'shortage.entries' | 'shortage.ins' | 'memory.free' | 'memory.largest'
  | 'memory.entries' | 'status.lifeCycle' | 'status.pinTries' | 'status.keys' | 'status.sequence' | 'status.loadNumber';

/** What must hold of an answer besides its status word. */
export type AnswerCheck =
  | { readonly is: 'same' | 'different'; readonly as: Ref }
  | {
    readonly is: 'lists';
    readonly includes?: readonly ItemRef[];
    readonly excludes?: readonly ItemRef[];
    readonly count?: number;
  }
  | { readonly is: 'state'; readonly item: ItemRef; readonly state: ValueState | CertificateState }
  | { readonly is: 'field'; readonly field: DataField; readonly op: '=' | '<' | '>' | '>=' | '<='; readonly than: number | Ref }
  | { readonly is: 'amounts'; readonly quantity?: number; readonly remaining?: number }
  /** The values an extraction names are these and no others. */
  | { readonly is: 'extracts'; readonly items: readonly ItemRef[] }
  | { readonly is: 'condition'; readonly condition: Condition }
  | { readonly is: 'numbers'; readonly numbers: readonly number[] }
  | { readonly is: 'length'; readonly bytes: number }
  /** The memory has shown fewer PIN tries at some moment before the answer; only where the bench sees the memory. */
  | { readonly is: 'tries-lowered-first' };

/** Parameters of each script command; names are those of protocol.md 2.1 and 3 in lower case. */
export interface ScriptParameters {
  readonly select: { readonly aid?: 'right' | 'wrong' };
  readonly verify: { readonly pin: PinChoice };
  readonly 'change-pin': { readonly pin: PinChoice };
  readonly 'get-data': { readonly tag: 'DF01' | 'DF02' | 'DF03' | 'DF04' | 'DF05' | 'DF06'; readonly field?: DataField };
  readonly 'list-values': { readonly embodiment: Embodiment };
  readonly 'list-certificates': { readonly embodiment: Embodiment; readonly what: 'value' | 'key' };
  readonly 'register-begin': {
    readonly embodiment: Embodiment; readonly variant: Variant; readonly item: ItemRef; readonly hash: HashAlgorithm;
  };
  readonly 'register-end': { readonly embodiment: Embodiment; readonly what: 'value' | 'key'; readonly certificate: ObjectRef };
  readonly 'recover-begin': { readonly embodiment: Embodiment; readonly what: 'value' | 'key'; readonly item: ItemRef };
  readonly 'recover-end': { readonly embodiment: Embodiment; readonly item: ItemRef; readonly object: ObjectRef };
  readonly 'key-register-begin': { readonly embodiment?: Embodiment; readonly kind: KeyKind; readonly safe: 'safe' | 'other-safe' | 'unknown-safe'; readonly hash: HashAlgorithm };
  readonly 'key-recover-end': { readonly item: ItemRef; readonly object: ObjectRef };
  readonly 'get-receipt': { readonly item: ItemRef };
  readonly delete: { readonly item: ItemRef };
  /** Without `item`: drops a begun key registration. */
  readonly cancel: { readonly item?: ItemRef };
  readonly read: { readonly item: ItemRef };
  readonly use: { readonly item: ItemRef; readonly quantity?: number; readonly amount?: number };
  readonly list: {
    readonly what: 'all' | 'values' | 'certificates';
    readonly informationClass?: number;
    /** Both `YYYY-MM-DD`; items with a limit whose last day lies within. */
    readonly ends?: { readonly today: string; readonly lastDay: string };
  };
  readonly load: { readonly object: ObjectRef };
  readonly correct: { readonly item: ItemRef; readonly object: ObjectRef };
  readonly 'generate-key': { readonly kind: KeyKind | 'signing' | 'transport' };
  readonly 'renew-key': object;
  readonly 'generate-seed': object;
  readonly 'seed-register-begin': { readonly safe: 'safe' | 'other-safe' | 'unknown-safe'; readonly hash: HashAlgorithm };
  /** Without `item`: any seed certificate. */
  readonly 'seed-recover-begin': { readonly item?: ItemRef };
  readonly 'seed-recover-end': { readonly item: ItemRef; readonly object: ObjectRef };
  readonly 'delete-key': { readonly kind: KeyKind };
  /** Tells the day, `YYYY-MM-DD` or eight digits that are none. */
  readonly date: { readonly date: string };
  /** `data` in hexadecimal: what a condition must not be; empty: the condition is deleted. */
  readonly 'put-condition': { readonly number: number } & ({ readonly condition: Condition } | { readonly data: string });
  /** Number 0: the numbers of all. */
  readonly 'get-condition': { readonly number: number };
  /** Number 0: by all conditions. */
  readonly extract: { readonly number: number; readonly date: string };
  readonly 'backup-end': { readonly item: ItemRef };
  readonly initialise: object;
  readonly issue: object;
  readonly 'put-data': { readonly tag: string; /** Hexadecimal. */ readonly data: string };
  /** One raw command APDU in hexadecimal; no chaining or GET RESPONSE by the bench. */
  readonly raw: { readonly apdu: string };
  readonly reset: { readonly kind: 'warm' | 'cold' };
  /** Loads values until the memory is full: the first answer other than 9000 is the one compared. */
  readonly 'fill-memory': { readonly sample: string };
  readonly 'safe-register': { readonly request: ObjectRef; readonly safe?: 'safe' | 'other-safe' };
  readonly 'safe-retrieve': { readonly certificate: ObjectRef; readonly safe?: 'safe' | 'other-safe' };
  readonly 'safe-receipt': { readonly receipt: ObjectRef; readonly safe?: 'safe' | 'other-safe' };
}

/** Name of a script command. */
export type ScriptCommandName = keyof ScriptParameters;

interface Common {
  /**
   * Permitted answers: status words where `x` is any digit (`63Cx`); for the safe `200` or an error code; for reset
   * `ATR`.
   */
  readonly expect: string | readonly string[];
  /**
   * Binds the answer: its object, with `field` of get-data the number, where the answer is a handle the item; `$name` of
   * a load binds the item and `$name.load` the object sent.
   */
  readonly save?: Ref;
  readonly check?: readonly AnswerCheck[];
  /** Number of times the command is sent; each answer must fit. Default 1. */
  readonly times?: number;
}

/** One command of a script with the answer it must get. */
export type ScriptCommand = {
  readonly [Name in ScriptCommandName]: { readonly do: Name } & ScriptParameters[Name] & Common;
}[ScriptCommandName];

