import type { SystemName } from '../ports.js';
import type { Capability, Clause } from './types.js';

/** A point of a plan as a campaign lists it, whatever its system does with it. Plain data. */
export interface ListedPoint {
  /** For example `purse-1-transfer-N-03`. Never renamed. */
  readonly id: string;
  readonly title: string;
  /** Class name in reports: the scenario, or a name of the system's own for scripts. */
  readonly scenario: string;
  readonly clause: Clause;
  readonly needs: readonly Capability[];
  /** Shown in every report. */
  readonly flags: readonly string[];
}

/** A point of another system than the backup system. */
export interface SystemPoint extends ListedPoint {
  readonly system: Exclude<SystemName, 'backup'>;
}

/** The test plan of a system with points of its own kind. */
export interface SystemPlan<P extends SystemPoint = SystemPoint> {
  readonly system: P['system'];
  /** Id of the plan, for records, for example `purse/1`. */
  readonly id: string;
  /** In the order in which they are run. */
  readonly points: readonly P[];
}
