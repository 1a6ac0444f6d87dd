import type { Condition } from '../conditions/condition.js';
import type { AbstractWorld, Finding } from '../invariants/state.js';
import type { Boundary, EndCause, ScenarioOptions, ScenarioOutput } from '../machines/types.js';
import type { CertificateState, Embodiment, KeyKind, ScenarioId, StatusWord, StepId, ValueState } from '../ports.js';
import type { Capability } from './capabilities.js';
import type { Fault } from './faults.js';
import type { Ref, ScriptCommand } from './script.js';

export type { Capability } from './capabilities.js';

/** Where the requirement comes from. */
export interface Clause {
  /** Step ids of the point's scenario. */
  readonly steps: readonly StepId[];
  /** Claim numbers of the backup source; empty for the other systems. */
  readonly claims: readonly number[];
  /** Rules of docs/protocol.md, for example `2.4-2` (section 2.4, rule 2) or `3-c`. */
  readonly rules: readonly string[];
}

/** One value to load, under the name points refer to. */
export interface LoadItem {
  readonly as: Ref;
  /** Name of a sample of samples.ts. */
  readonly sample: string;
}

/** A whole honest scenario. */
export interface ScenarioRun {
  readonly run: 'scenario';
  readonly scenario: ScenarioId;
  readonly options: ScenarioOptions;
  /** The item chosen: the bench turns it into `options.select` by issue id. */
  readonly item?: Ref;
  /** The run is stopped before this boundary and another run takes it up there with what had been obtained. */
  readonly resumeAt?: Boundary;
}

/** A list of direct commands. */
export interface ScriptRun {
  readonly run: 'script';
  readonly commands: readonly ScriptCommand[];
}

/** How the bench makes card and safes ready: always a freshly personalised card with all keys and one safe. */
export interface Preparation {
  readonly values: readonly LoadItem[];
  readonly settings?: { readonly emptyDigest?: boolean; readonly legacyHashes?: boolean };
  /** The decoding key is one derived from a seed: GENERATE SEED is done first. */
  readonly seed?: boolean;
  /** Backup conditions stored on the card, by number. */
  readonly conditions?: Readonly<Record<number, Condition>>;
  /** Authentication device in the reader: the owner's, one no check knows, one with the owner's id and another key; default none. */
  readonly device?: 'right' | 'unknown' | 'forged';
  /** Safes the card knows; default 1. */
  readonly safes?: 1 | 2;
  /** Upper limit of the safe's counter and where it stands, for wrap-around. */
  readonly counter?: { readonly limit: number; readonly at: number };
  /** Honest scenarios run before, each of which must end in done. */
  readonly before?: readonly ScenarioRun[];
  /** Honest commands after that, each of which must get its expected answer. */
  readonly setup?: readonly ScriptCommand[];
  /** Default `verified`. */
  readonly pin?: 'verified' | 'none';
  /** Keys deleted before the point starts (after their backup). */
  readonly deletedKeys?: readonly KeyKind[];
  /** Transport the point must run over; default: the bench's choice. */
  readonly transport?: 'T=0' | 'T=1';
  /** Life cycle the card must be in; default operational. */
  readonly lifeCycle?: 'blank' | 'operational';
}

/**
 * The state an item must be in afterwards; `absent`: not on the card. The items `$decoding`, `$common` and
 * `$seed` are the keys and the seed: their certificate is a key certificate or that of the seed.
 */
export interface ItemExpectation {
  readonly item: Ref;
  readonly value?: ValueState | 'absent';
  /** At least one certificate of the item is in this state; `absent`: there is none. */
  readonly certificate?: CertificateState | 'absent';
  readonly key?: 'present' | 'absent';
  /** Of `$seed`: the decoding key it gives. */
  readonly derived?: 'present' | 'absent';
  /** The key is a new one, and its certificates are those of the new one. */
  readonly renewed?: boolean;
  /** Its certificate is the only one: none of a former registration, of a former key is left. */
  readonly only?: boolean;
  readonly quantity?: number;
  /** Yen. */
  readonly remaining?: number;
}

/**
 * Card state afterwards. `unchanged`: abstractly as before the run; `as-after-success`: the scenario's goal is reached;
 * `either`: one of the two (also the step between: PENDING or RECOVERING); `described`: the items named are as said and
 * all others are unchanged.
 */
export type CardExpectation =
  | { readonly is: 'unchanged' }
  | { readonly is: 'as-after-success' }
  | { readonly is: 'either' }
  | { readonly is: 'described'; readonly items: readonly ItemExpectation[] };

/**
 * Safe state afterwards. `nothing-stored`: no record more than before; `one-stored`: exactly one record more;
 * `at-most-one`: none or one more; `tombstone`: one record has become a tombstone; `unchanged`: all as before.
 */
export type SafeExpectation = 'unchanged' | 'nothing-stored' | 'one-stored' | 'at-most-one' | 'tombstone' | 'any'
  /** Two records more, and two have become tombstones: value and key registered anew, the old ones gone. */
  | 'renewed'
  /** Exactly so many records more. */
  | `stored-${number}`;

/** What must come out of a point. */
export interface Expectation {
  /** Permitted ends of the run; for scripts `done` means that every command got its expected answer. */
  readonly end: readonly EndCause[];
  /** Steps at which it may end; absent: anywhere. Without a trace port the whole command that holds the step counts. */
  readonly at?: readonly string[];
  /** Permitted status words of a refusal (`x` = any digit). */
  readonly sw?: readonly string[];
  /** Permitted codes of a safe's refusal. */
  readonly safeCode?: readonly string[];
  readonly card: CardExpectation;
  readonly safe: SafeExpectation;
  /**
   * Afterwards the same scenario, run anew by an honest terminal with honest peers: `completes` must end in done,
   * `completes-after-cancel` likewise after CANCEL of the item (the safe holds another object under the same
   * sequence), `refused` must be refused, `none` is not tried.
   */
  readonly retry: 'completes' | 'completes-after-cancel' | 'refused' | 'none';
  /** True when the point is only good if the card reported a shortage (DF01) that fits. */
  readonly shortage?: boolean;
}

/** One point of the test plan. Plain data. */
export interface PlanPoint {
  /** For example `2-backup-N-03`: embodiment, phase, group, number. Never renamed. */
  readonly id: string;
  readonly title: string;
  /** Scenario, or `1/wallet` and the like for scripts: the class name in reports. */
  readonly scenario: string;
  readonly embodiment: Embodiment;
  readonly clause: Clause;
  readonly needs: readonly Capability[];
  readonly prepare: Preparation;
  readonly run: ScenarioRun | ScriptRun;
  /** Absent: nominal. */
  readonly fault?: Fault;
  readonly expect: Expectation;
  /** Shown in every report, for example `legacy-hash SHA-1`. */
  readonly flags: readonly string[];
}

/** Verdict of a point. */
export type Verdict = 'pass' | 'fail' | 'invalid' | 'aborted' | 'unsupported';

/** Outcome of a script. Plain data. */
export interface ScriptOutput {
  readonly cause: EndCause;
  /** Index of the first command that got another answer than expected. */
  readonly failedAt?: number;
  readonly sw?: StatusWord;
  readonly text: string;
}

/** What the bench saw of a point. Plain data. */
export interface Observation {
  /** Capabilities the point needs and the implementation lacks; then nothing was run. */
  readonly missing: readonly Capability[];
  /** The bench failed; nothing can be said of the card. */
  readonly aborted?: string;
  /** True when the fault was carried out; ignored for points without one. */
  readonly faultApplied: boolean;
  /** False when the run ended before it came to the fault. */
  readonly faultReached?: boolean;
  readonly hasTrace: boolean;
  readonly end?: ScenarioOutput | ScriptOutput;
  /** At rest before and after the run, before any retry. */
  readonly before?: AbstractWorld;
  readonly after?: AbstractWorld;
  /** The card under test within both worlds, hexadecimal. */
  readonly cardId?: string;
  /** Issue ids of the names in the preparation, hexadecimal. */
  readonly items?: Readonly<Record<string, string>>;
  readonly retry?: ScenarioOutput;
  /** True when DF01 told a shortage that fits what was asked. */
  readonly shortageTold?: boolean;
  /** Breaches of invariants found meanwhile. */
  readonly findings: readonly Finding[];
}

/** A judged point. Plain data. */
export interface Judgement {
  readonly verdict: Verdict;
  /** Step the failure belongs to, where there is one. */
  readonly step?: string;
  /** The clause in words: steps, claims, rules. */
  readonly clause: string;
  /** One sentence for each thing that is not as it must be; empty on pass. */
  readonly reasons: readonly string[];
}

