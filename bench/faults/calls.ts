import { frameOf } from '../../scenarios/index.js';
import type { ObjectName, Place, PortRole, ScenarioId } from '../../scenarios/index.js';

/** Which steps an operation covers in a scenario and which objects cross with it. */
export interface Call {
  /** As the port names it. */
  readonly name: string;
  readonly party: PortRole;
  /** First to last. */
  readonly steps: readonly Place[];
  readonly sends?: ObjectName;
  readonly receives?: ObjectName;
}

/** The operations of a scenario in order. */
export function callsOf(scenario: ScenarioId): readonly Call[] {
  const { exchanges, claims } = frameOf(scenario);
  return [...exchanges, ...claims.map((claim) => ({ ...claim, steps: [claim.state] }))];
}
