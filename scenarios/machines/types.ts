import type { CarriedObject, GrantObject, OwnerChoice, OwnerTransport } from '../owner-ports.js';
import type {
  CertificateEntry, CertificateKind, CertificateObject, CertificateState, FailureCause, DividedKey, Division, HashAlgorithm, KeyDivision, Ports,
  ExtractedValue, ReceiptObject, RequestObject, RetrievedObject, ScenarioId, StatusWord, SetOrder, StepId, ValueEntry, ValueState, Variant,
} from '../ports.js';

/**
 * Which entry of a list the user chooses: every given field must match; the first match in list order that the phase
 * can work on is taken. A match on which an earlier run has already reached the goal ends the run as done, unless
 * `states` asks for it expressly.
 */
export interface Selection {
  readonly handle?: number;
  /** Hexadecimal; only where the port knows issue ids. */
  readonly issueId?: string;
  readonly informationClass?: number;
  readonly name?: string;
  readonly states?: readonly (ValueState | CertificateState)[];
  readonly kind?: CertificateKind;
}

/** How a scenario is to be run. Plain data. */
export interface ScenarioOptions extends CommonOptions {
  /** Default: the first entry that the phase can work on. */
  readonly select?: Selection;
  /** Embodiment 2 only; default `public-key`. */
  readonly variant?: Exclude<Variant, 'plain'>;
  /** Default `SHA-256`. */
  readonly hash?: HashAlgorithm;
  /** Key phases; default `decoding`. `seed` where a key is divided: it is the seed of the decoding key that is. */
  readonly keyKind?: DividedKey;
  /** Embodiments 4 and 5; default `divide-first`. */
  readonly order?: SetOrder;
  /** Embodiment 4; default three pieces, all wanted. At most three. */
  readonly division?: Division;
  /** Embodiment 6; default XOR, three of three. At most four parts. */
  readonly keyDivision?: KeyDivision;
  /** Embodiment 11: number of the stored condition; default 0, all of them. */
  readonly condition?: number;
  /** Embodiment 11: the date that the terminal tells, `YYYY-MM-DD`; default that of fig. 20b. */
  readonly date?: string;
  /** Embodiments 8, 9 and 12: what the owner enters; default `password`. */
  readonly owner?: OwnerChoice;
  /** Embodiment 9; default `common-key`. */
  readonly ownerTransport?: OwnerTransport;
  /** Embodiment 3: registered value information crosses the terminal sealed, and nothing else is handed on; default false. */
  readonly sealed?: boolean;
  /** Claim 25: delete the value once its certificate is stored. In `2/key-backup`: delete the key. */
  readonly deleteAfterRegistration?: boolean;
  /** Claim 26: receipt to the safe, then delete the SPENT certificate. Ignored by the key phases. */
  readonly deleteAfterRecovery?: boolean;
  /**
   * For retries: an item that the list no longer shows has been deleted by the earlier run (claims 25, 26), so the goal
   * is reached. Default: an item that is not there is `unexpected`.
   */
  readonly absentMeansDone?: boolean;
}

/** What has been obtained so far; enough to go on at the boundary `at` in another run. Plain data. */
export interface ResumePoint {
  /** First step of the next command or safe request, or one of the claim states. */
  readonly at: Boundary;
  /** Handle of the item chosen from the list. */
  readonly handle?: number;
  readonly entry?: ValueEntry | CertificateEntry;
  readonly request?: RequestObject;
  readonly certificate?: CertificateObject;
  readonly object?: RetrievedObject;
  readonly receipt?: ReceiptObject;
  /** Handles of the set: its certificates by index (0: none), or the values of a bundle. */
  readonly pieces?: readonly number[];
  /** Pieces or parts that have come back, in order. */
  readonly objects?: readonly RetrievedObject[];
  /** First sequence of a divided key. */
  readonly set?: number;
  /** Certificate of a ciphertext coupled with a key part, kept until the other parts are registered. */
  readonly coupled?: CertificateObject;
  /** Embodiment 11: values that are still to be backed up, the one under way first. */
  readonly queue?: readonly ExtractedValue[];
  /** Embodiments 8, 9 and 10: the path that is open. */
  readonly grant?: GrantObject;
  /** On its way between those who authenticate the owner. */
  readonly carried?: CarriedObject;
  /** Certificate of the key where a value's is under way too: its handle, itself, and the key that came back. */
  readonly keyHandle?: number;
  readonly keyCertificate?: CertificateObject;
  readonly keyObject?: RetrievedObject;
  /** Certificates of the former value and key, and whether the new key is registered. */
  readonly former?: { readonly value?: number; readonly key?: number; readonly keyId?: string; readonly registered: boolean };
  /** Handle the card gave to what was stored last. */
  readonly stored?: number;
}

/** What has been obtained so far. */
export type Progress = Omit<ResumePoint, 'at'>;

/** A place where a scenario may begin: the first step of a command or safe request, or a claim state. */
export type Boundary = StepId | ClaimState;

/** States beyond the catalogue: the deletions of claims 25 and 26. */
export type ClaimState = 'claim-25' | 'claim-26-receipt' | 'claim-26-safe' | 'claim-26-delete' | KeyClaimState;

/** The deletions of claim 26 for a key that has been replaced (embodiment 12). */
export type KeyClaimState = `claim-26-${'receipt' | 'safe' | 'delete'}@key`;

/** How a step was seen: on the card link, at the safe's interface, marked by the card, or only concluded. */
export type EvidenceKind = 'link' | 'safe' | 'mark' | 'inferred';

/** One step of a run with what proves it. */
export interface StepEvidence {
  readonly step: StepId | ClaimState;
  readonly kinds: readonly EvidenceKind[];
  readonly outcome: 'done' | 'refused';
  /** Cycle of the card's mark. */
  readonly cycle?: number;
}

/** Why a run ended; `aborted` means the bench itself failed. */
export type EndCause = 'done' | FailureCause | 'aborted';

/** What every system's options may say. */
export interface CommonOptions {
  /** Milliseconds of the injected clock before an unanswered call counts as late; default 60,000. */
  readonly patience?: number;
}

/**
 * What a run gives back. Plain data.
 * @typeParam G what has been obtained; of the backup system by default
 */
export interface ScenarioOutput<G extends object = Progress> {
  readonly scenario: ScenarioId;
  /** Of the run alone, without a plan's expectation: done passes. */
  readonly verdict: 'pass' | 'fail' | 'aborted';
  readonly cause: EndCause;
  /** The step at which the run ended. */
  readonly step: StepId | ClaimState;
  readonly sw?: StatusWord;
  readonly safeCode?: string;
  readonly text: string;
  /** True when the list showed that an earlier run had already reached the goal. */
  readonly already: boolean;
  readonly evidence: readonly StepEvidence[];
  /** Flags a report must show, for example `legacy-hash SHA-1`. */
  readonly flags: readonly string[];
  /** Where an honest terminal would go on. */
  readonly resume: ResumeAt<G>;
}

/** A place to go on from with what has been obtained. */
export type ResumeAt<G extends object = Progress> = { readonly at: Boundary } & G;

/**
 * What a machine is started with.
 * @typeParam P ports by role; @typeParam O options; @typeParam G what has been obtained
 */
export interface ScenarioInput<P extends object = Ports, O extends object = ScenarioOptions, G extends object = Progress> {
  readonly ports: P;
  readonly options?: O;
  /** Goes on where another run stopped; `at` may be any step of the scenario: its exchange is begun anew. */
  readonly resume?: G & { readonly at: string };
  readonly listener?: ScenarioListener<G>;
}

/** What a listener hears while a scenario runs. */
export type ScenarioEvent<G extends object = Progress> =
  | { readonly type: 'step'; readonly scenario: ScenarioId; readonly evidence: StepEvidence }
  | { readonly type: 'boundary'; readonly scenario: ScenarioId; readonly resume: ResumeAt<G> }
  | { readonly type: 'end'; readonly output: ScenarioOutput<G> };

/** Hook for tracing; called synchronously. */
export type ScenarioListener<G extends object = Progress> = (event: ScenarioEvent<G>) => void;
