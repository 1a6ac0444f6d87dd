import type { RecordEvent } from '../../reports/index.js';

/** Kinds of campaign that the runner knows; each has a {@link CampaignDefinition}. */
export type CampaignKind = 'tear' | 'capacity' | 'disturb';

/** Tells how far a unit is: parts done and parts in all. */
export type UnitProgress = (done: number, total: number) => void;

/**
 * Carries out units one at a time. The result is plain data (JSON) and depends on the options and the unit alone: not on
 * what was served before, nor on the thread.
 */
export type UnitServer<Result> = (unit: string, tell: UnitProgress) => Promise<Result>;

/** What a unit has come to. */
export interface UnitResult<Result> {
  readonly unit: string;
  readonly result: Result;
}

/** One kind of campaign: units that can be run anywhere in any order, and a record drawn from their results. */
export interface CampaignDefinition<Options, Result> {
  /** Ids of the units, in the order of the record. Equal options give equal units. */
  units(options: Options): Promise<readonly string[]>;
  /** A server of units; what it has prepared once serves all its units. */
  serve(options: Options): UnitServer<Result>;
  /**
   * The events of the record from the results, in the order of the units. `missing` are units without a result (the run
   * was stopped, or is one shard): their points must not pass.
   */
  events(options: Options, results: readonly UnitResult<Result>[], missing: readonly string[]): readonly RecordEvent[];
}

/** Which part of the units is run: number `part` (from 1) of `of`. */
export interface Shard {
  readonly part: number;
  readonly of: number;
}
