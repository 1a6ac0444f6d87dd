import type { CampaignTarget } from '../campaign/options.js';
import type { BasicScenarioId, Boundary, ScenarioId, StepEvidence, Verdict } from '../../scenarios/index.js';

/** What a campaign looks at: levels of free room, claims 21 and 24, worn pages, RAM, power cuts at the edges. */
export const capacityParts = ['levels', 'claims', 'wear', 'ram', 'cuts'] as const;

/** See {@link capacityParts}. */
export type CapacityPart = (typeof capacityParts)[number];

/** What a capacity campaign needs to know; plain data. */
export interface CapacityOptions extends CampaignTarget {
  readonly scenarios: readonly BasicScenarioId[];
  readonly parts: readonly CapacityPart[];
  /** Power cuts at each of the three levels around the need. */
  readonly cuts: number;
}

/**
 * Free room: `pages` of the data area in runs of at most `run` (whole: `run` equals `pages`), or index entries; the
 * other resource is ample.
 */
export type RoomLevel = { readonly pages: number; readonly run: number } | { readonly entries: number };

/** Room in bytes of whole pages and in index entries. */
export interface RoomFigures {
  /** Bytes. */
  readonly free: number;
  /** Longest free run, bytes. */
  readonly run: number;
  readonly entries: number;
}

/** What the card tells of a shortage (GET DATA DF01). */
export interface ShortageTold {
  /** Bytes. */
  readonly needed: number;
  /** Bytes. */
  readonly free: number;
  readonly entries: number;
  /** INS of the command that was short of room. */
  readonly ins: number;
}

/** Who holds how much room, alike items together. */
export interface RoomHolder {
  readonly name: string;
  /** Bytes. */
  readonly bytes: number;
}

/**
 * What came of a start: the scenario went through, also after the firmware itself had made room; it was refused; it was
 * suspended (refused for want of room with nothing changed, and gone on with once there was room); the card broke.
 */
export type RowOutcome = 'done' | 'made room' | 'refused' | 'suspended' | 'broke' | 'not run';

/** One start of a scenario under one condition, run and judged. Plain data. */
export interface CapacityRow {
  /** Repeats it, see {@link replayCapacity}. */
  readonly case: string;
  /** Id in the record. */
  readonly point: string;
  readonly scenario: ScenarioId;
  readonly part: CapacityPart;
  readonly title: string;
  /** Steps, claims and rules in words. */
  readonly clause: string;
  /** Step in front of which the condition was made. */
  readonly before: Boundary | 'start';
  /** The condition in short: `pages-3`, `entries-0`, `worn-4-stuck`, `ram-1984`. */
  readonly condition: string;
  /** False when the condition could not be made; then nothing is said of the card. */
  readonly applied: boolean;
  readonly outcome: RowOutcome;
  /** Step at which it ended, when it did not go through. */
  readonly at?: string;
  readonly sw?: string;
  /** What the exchange that reserves room takes when there is enough; bytes and entries. */
  readonly need?: { readonly bytes: number; readonly entries: number };
  /** As the bench measured it when the condition had been made. */
  readonly room?: RoomFigures;
  readonly told?: ShortageTold;
  readonly holders?: readonly RoomHolder[];
  /** In words: what the firmware did. */
  readonly did: string;
  /** Every value was there and was spent once; absent when that was not tried. */
  readonly conserved?: boolean;
  /** Breaches of invariants with their numbers. */
  readonly findings: readonly { readonly invariant: string; readonly text: string; readonly step?: string }[];
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
  /** Steps seen, where they are the evidence of a claim. */
  readonly steps?: readonly StepEvidence[];
  /** Cycle of the power session at which the run had ended. */
  readonly cycle: number;
  /** nvmDigest of the memory afterwards. */
  readonly digest: string;
}

/** Result of a unit. */
export interface CapacityResult {
  readonly rows: readonly CapacityRow[];
}
