import type { ScenarioId } from '../../scenarios/index.js';
import type { World } from '../world/world.js';
import type { ObjectContext } from './sources.js';

/** What a fault may use beside the world. */
export interface FaultSetting {
  readonly world: World;
  readonly scenario: ScenarioId;
  /** Issue id of the item the scenario is about, hexadecimal. */
  readonly item: string | undefined;
  /** Objects saved under names by the preparation. */
  readonly saved: ReadonlyMap<string, Uint8Array>;
}

/** State of a fault while the scenario runs. */
export interface FaultState {
  applied: boolean;
  reached: boolean;
  text: string;
  /** Context of the registration under way, for signatures. */
  context: ObjectContext | undefined;
  /** The same of the last key certificate. */
  keyContext: ObjectContext | undefined;
  /** The last registration request that crossed. */
  request: Uint8Array | undefined;
}
