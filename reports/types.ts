/** Version of the record format this code writes and reads. */
export const RECORD_VERSION = 1;

/** First line of a record. No host time: equal runs give equal bytes. */
export interface RecordHeader {
  readonly type: 'header';
  readonly format: 'cardbench-record';
  readonly version: number;
  /** Version of cardbench that wrote it. */
  readonly tool: string;
  readonly firmware: {
    readonly image: string;
    /** Hexadecimal. */
    readonly sha256: string;
    /** Bytes that the image takes of code memory; absent in older records. */
    readonly codeBytes?: number;
    /** Bytes of RAM up to the end of its last variable; absent where the image has no symbols. */
    readonly staticRamBytes?: number;
  };
  readonly chip: {
    readonly profile: string;
    /** SHA-256 of the overrides, hexadecimal. */
    readonly overrides: string;
    /** Core clock, by which cycles become time. */
    readonly coreHz: number;
  };
  readonly seed: number;
  /** `T=0` or `T=1`; `mixed` when points choose. */
  readonly protocol: string;
  /** Id of the test plan. */
  readonly plan: string;
}

/** How a step was seen. */
export type RecordEvidence = 'link' | 'safe' | 'mark' | 'inferred';

/** A point begins. */
export interface PointEvent {
  readonly type: 'point';
  readonly point: string;
  readonly scenario: string;
  readonly title: string;
  /** Steps, claims and rules in words. */
  readonly clause: string;
  /** Capabilities it needs. */
  readonly needs: readonly string[];
  /** Virtual time in core clock cycles. */
  readonly cycle: number;
}

/** A step was done or refused. */
export interface StepEvent {
  readonly type: 'step';
  readonly point: string;
  /** Absent: the backup system. */
  readonly system?: string;
  readonly embodiment: number;
  readonly phase: string;
  readonly step: string;
  readonly evidence: readonly RecordEvidence[];
  readonly outcome: 'done' | 'refused';
  /** Of the card's mark, or of the message. */
  readonly cycle?: number;
}

/** One command and its answer; secret parts are redacted by the writer's caller through redactApdu. */
export interface ApduEvent {
  readonly type: 'apdu';
  readonly point: string;
  /** Role of the card where there are several on one clock; absent: the one card. */
  readonly card?: string;
  /** The card is a real one and its time the wall's; absent: virtual time. */
  readonly time?: 'wall';
  /** When the command began. */
  readonly cycle: number;
  /** From the command's first to the answer's last byte. */
  readonly cycles: number;
  readonly protocol: string;
  /** Hexadecimal. */
  readonly command: string;
  /** Hexadecimal with the status word; empty when there was no answer. */
  readonly answer: string;
}

/** One request to a safe and its answer. */
export interface SafeEvent {
  readonly type: 'safe';
  readonly point: string;
  readonly cycle: number;
  readonly cycles: number;
  /** Hexadecimal. */
  readonly safe: string;
  readonly operation: string;
  /** Length of request and answer in bytes. */
  readonly sent: number;
  readonly received: number;
  readonly status: number;
  readonly code?: string;
}

/** A fault of the plan was carried out, or was not. */
export interface FaultEvent {
  readonly type: 'fault';
  readonly point: string;
  readonly fault: string;
  readonly applied: boolean;
  readonly text: string;
  readonly cycle?: number;
}

/** The firmware did what the chip does not permit. */
export interface ViolationEvent {
  readonly type: 'violation';
  readonly point: string;
  readonly cycle: number;
  readonly code: string;
  readonly pc: number;
  readonly symbol?: string;
  readonly text: string;
}

/** An invariant was broken. */
export interface FindingEvent {
  readonly type: 'finding';
  readonly point: string;
  readonly invariant: string;
  readonly step?: string;
  readonly text: string;
}

/** Memory was short. */
export interface ShortageEvent {
  readonly type: 'shortage';
  readonly point: string;
  readonly step?: string;
  /** Bytes. */
  readonly needed: number;
  /** Bytes. */
  readonly free: number;
  /** Who holds the rest. */
  readonly holders: readonly { readonly name: string; readonly bytes: number }[];
  readonly sw: string;
  /** What the firmware did: suspended, made room, refused. */
  readonly did: string;
  readonly lost: boolean;
}

/** A scenario was started from a level of free room, on worn pages, with little RAM, or with the power cut at such a level. */
export interface LevelEvent {
  readonly type: 'level';
  readonly point: string;
  /** What was looked at: levels, claims, wear, ram, cuts. */
  readonly part: string;
  /** Step in front of which the condition was made, or `start`. */
  readonly before: string;
  /** For example `pages-3`, `entries-0`, `ram-1984`. */
  readonly condition: string;
  /** done, made room, refused, suspended, broke, not run. */
  readonly outcome: string;
  /** Step at which it ended, when it did not go through. */
  readonly step?: string;
  readonly sw?: string;
  /** What is taken when there is enough: bytes and index entries. */
  readonly need?: { readonly bytes: number; readonly entries: number };
  /** As measured: bytes, bytes of the longest run, index entries. */
  readonly room?: { readonly free: number; readonly run: number; readonly entries: number };
  /** As the card tells it. */
  readonly told?: { readonly needed: number; readonly free: number; readonly entries: number; readonly ins: number };
  readonly holders: readonly { readonly name: string; readonly bytes: number }[];
  /** What the firmware did, in words. */
  readonly did: string;
  /** Every value was there and was spent once; absent when that was not tried. */
  readonly conserved?: boolean;
  /** Repeats it. */
  readonly case: string;
  /** nvmDigest of the memory afterwards. */
  readonly digest: string;
}

/** Time and memory a point took. */
export interface UsageEvent {
  readonly type: 'usage';
  readonly point: string;
  readonly cycles: number;
  /** Bytes in use, where it is known how the firmware uses its memory. */
  readonly eepromBytes?: number;
  readonly eepromPages: number;
  /** Highest number of bytes of RAM in use, where it is known. */
  readonly ram?: number;
  /** Deepest stack in bytes, where it is known. */
  readonly stack?: number;
}

/** Length of one command of a point. */
export interface TimingEvent {
  readonly type: 'timing';
  readonly point: string;
  /** Command or step. */
  readonly what: string;
  readonly cycles: number;
}

/** How much of a point was covered by cases: what a campaign of power cuts has been through. */
export interface CoverageEvent {
  readonly type: 'coverage';
  readonly point: string;
  /** Seed of chip and cells. */
  readonly seed: number;
  /** Cycles at which power could go, all of them covered; the intervals they fall into. */
  readonly cycles: number;
  readonly intervals: number;
  /** Intervals not judged any more since enough had failed: with any, the point fails. */
  readonly skipped: number;
  /** Different memories left; those with weak cells. */
  readonly images: number;
  readonly weakImages: number;
  /** Memories under each weak-cell policy; different ways to go that were run for them. */
  readonly cases: number;
  readonly paths: number;
  readonly policies: readonly string[];
  /** Cases by what the card holds after its first boot. */
  readonly classes: Readonly<Record<string, number>>;
  /** Worst measures with the case that gave them: `pages`, `cycles`, `retries`, `atrLate`, `atrEarly` (contact clocks). */
  readonly worst: Readonly<Record<string, { readonly value: number; readonly case: string }>>;
  /** Second cuts: pairs of intervals, memories, cases, ways run. */
  readonly second?: { readonly pairs: number; readonly images: number; readonly cases: number; readonly paths: number };
}

/** The five verdicts. */
export type RecordVerdict = 'pass' | 'fail' | 'invalid' | 'aborted' | 'unsupported';

/** A point is judged. */
export interface VerdictEvent {
  readonly type: 'verdict';
  readonly point: string;
  readonly verdict: RecordVerdict;
  readonly cycle: number;
  /** How the run ended: done, refused, late, link, unexpected, aborted. */
  readonly cause?: string;
  readonly step?: string;
  readonly sw?: string;
  /** Steps, claims and rules in words. */
  readonly clause: string;
  readonly reasons: readonly string[];
  readonly flags: readonly string[];
  /** Command line that reproduces the point. */
  readonly replay: string;
}

/** Verdict of one row of the matrix of steps and claims. */
export type MatrixVerdict = 'pass' | 'fail' | 'no evidence';

/** What a whole run has shown of one step of the catalogue, one named state, one claim or one lost page of the source. */
export interface MatrixEvent {
  readonly type: 'matrix';
  readonly row: 'step' | 'state' | 'claim' | 'source';
  /** For example `2/backup/1-7`, `purse/1/transfer/P-2`, `24`. */
  readonly id: string;
  readonly text: string;
  /** Scenarios in which it was seen. */
  readonly scenarios: readonly string[];
  readonly evidence: readonly RecordEvidence[];
  /** Points that passed and show it. */
  readonly points: readonly string[];
  /** Points about it that did not pass. */
  readonly failed: readonly string[];
  readonly verdict: MatrixVerdict;
  /** True where the source is lost there and the house rebuilt it. */
  readonly reconstructed: boolean;
  /** True when the conformance statement claims it. */
  readonly claimed: boolean;
}

/** What the matrix comes to. */
export interface ConclusionEvent {
  readonly type: 'conclusion';
  /** Name of the conformance statement. */
  readonly statement: string;
  readonly certified: boolean;
  readonly steps: { readonly shown: number; readonly all: number };
  readonly states: { readonly shown: number; readonly all: number };
  readonly claims: { readonly shown: number; readonly all: number };
  /** Why it is not certified; empty when it is. */
  readonly reasons: readonly string[];
}

/** Last line: the record is whole. */
export interface EndEvent {
  readonly type: 'end';
  /** Lines before this one. */
  readonly lines: number;
  readonly counts: Readonly<Record<RecordVerdict, number>>;
}

/** Transitions of a scenario's machine that runs of a point have taken, each once, in the order in which they were first taken. */
export interface PathEvent {
  readonly type: 'path';
  readonly point: string;
  readonly scenario: string;
  readonly took: readonly string[];
}

/** How many of the transitions of a scenario's machine a whole run has taken, and why not the others. */
export interface PathCoverageEvent {
  readonly type: 'paths';
  readonly scenario: string;
  readonly transitions: number;
  readonly taken: number;
  /** Transitions not taken with the reason, `not provoked` where there is none. */
  readonly open: readonly { readonly transition: string; readonly why: string }[];
}

/** A line about the whole run rather than a point. */
export type RunEvent = MatrixEvent | ConclusionEvent | PathCoverageEvent;

/** A line between header and end. */
export type RecordEvent = PointRelatedEvent | RunEvent;

/** A line about one point. */
export type PointRelatedEvent =
  | PointEvent | StepEvent | ApduEvent | SafeEvent | FaultEvent | ViolationEvent | FindingEvent | ShortageEvent
  | LevelEvent | PathEvent | UsageEvent | TimingEvent | CoverageEvent | VerdictEvent;

/** Any line of a record. */
export type RecordLine = RecordHeader | RecordEvent | EndEvent;

/** A record read whole. */
export interface CompleteRecord {
  readonly header: RecordHeader;
  readonly events: readonly RecordEvent[];
  readonly end: EndEvent;
}
