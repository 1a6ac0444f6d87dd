import { readFileSync } from 'node:fs';
import { isDeviceError } from '../../devices/index.js';
import { missingFor } from '../../scenarios/index.js';
import type { Capability } from '../../scenarios/index.js';
import type { CampaignTarget } from '../campaign/options.js';
import type { CampaignDefinition, UnitProgress, UnitServer } from '../campaign/types.js';
import { WorldFactory } from '../certify/factory.js';
import type { TestSetup } from '../certify/factory.js';
import { loadSetup } from '../certify/setup.js';
import { defaultPolicies, TearError } from '../tear/index.js';
import { BenchError } from '../world/errors.js';
import { disturbCaseId, disturbCaseOf, parseDisturbCase } from './case-id.js';
import { Drawer } from './draw.js';
import { disturbEvents } from './events.js';
import { disturbPoint, disturbPoints } from './points.js';
import type { DisturbPoint } from './points.js';
import { readyPhase } from './ready.js';
import type { ReadyPhase } from './ready.js';
import { Disturber } from './run.js';
import type { DisturbReport } from './run.js';
import { disturbKinds } from './spec.js';
import type { DisturbKind } from './spec.js';

/** What `cardbench disturb` is asked for; plain data. */
export interface DisturbOptions extends CampaignTarget {
  /** Ids of points. */
  readonly points: readonly string[];
  readonly kinds: readonly DisturbKind[];
  /** Disturbances of each kind at each point that must have taken place. */
  readonly count: number;
  /** What the firmware claims. */
  readonly offered: readonly Capability[];
}

/** What one unit gave: some disturbances of one kind at one point. Plain data. */
export interface DisturbUnitResult {
  /** How many were to take place. */
  readonly wanted: number;
  readonly reports: readonly DisturbReport[];
  /** Capabilities the point needs and the firmware lacks; then nothing was run. */
  readonly missing: readonly Capability[];
  /** Why the bench could not get that far. */
  readonly aborted?: string;
}

/** Disturbances of one unit. */
const unitSize = 50;
/** Draws for each disturbance that is to take place. */
const drawsEach = 4;
/** Charge a leaking cell loses at each power-on where the profile says nothing (thousandths of `cells.drift`). */
const leakEachPowerOn = 0.15;

/** Unit `2-backup-D-01/flip/3` of a point, a kind and a part from 1. */
export interface DisturbUnit {
  readonly point: string;
  readonly kind: DisturbKind;
  readonly part: number;
}

/** Reads the id of a unit. */
export function disturbUnit(id: string): DisturbUnit {
  const [point, kind, part] = id.split('/');
  return { point, kind: kind as DisturbKind, part: Number(part) };
}

/** The setup of a kind: leaking cells need a chip on which charge drifts. */
export function setupOf(setup: TestSetup, kind: DisturbKind): TestSetup {
  const { profile } = setup;
  if (kind !== 'drift' || profile.eeprom.cells.drift > 0) return setup;
  const cells = { ...profile.eeprom.cells, drift: leakEachPowerOn };
  return { ...setup, profile: { ...profile, eeprom: { ...profile.eeprom, cells } } };
}

function drawerOf({ world, facts, point }: ReadyPhase, seed: number, kind: DisturbKind, part: number): Drawer {
  const { eeprom } = world.parts.profile;
  const { eraseCycles, programCycles } = world.card.chip.eeprom;
  const setting = { facts, memory: world.memory(), pageBytes: eeprom.page, erased: eeprom.erased, operationCycles: eraseCycles + programCycles };
  return new Drawer(setting, seed, `${point.id} ${kind} ${part}`);
}

/** What serves all units of one setup: phases are made ready once. */
class Bench {
  readonly #factory: WorldFactory;
  readonly #phases = new Map<string, Promise<{ readonly phase: ReadyPhase; readonly disturber: Disturber }>>();

  constructor(setup: TestSetup) {
    this.#factory = new WorldFactory(setup);
  }

  async run(point: DisturbPoint, unit: DisturbUnit, wanted: number, tell: UnitProgress): Promise<DisturbReport[]> {
    const { phase, disturber } = await this.#phase(point);
    phase.world.restore(phase.start);
    const drawer = drawerOf(phase, this.#factory.setup.seed, unit.kind, unit.part);
    const reports: DisturbReport[] = [];
    let fired = 0;
    for (let drawn = 0; fired < wanted && drawn < wanted * drawsEach; drawn += 1) {
      const report = await disturber.run(drawer.next(unit.kind), drawer.pick(defaultPolicies));
      reports.push(report);
      if (report.outcome !== 'invalid') fired += 1;
      tell(fired, wanted);
    }
    return reports;
  }

  #phase(point: DisturbPoint): Promise<{ readonly phase: ReadyPhase; readonly disturber: Disturber }> {
    const known = this.#phases.get(point.id);
    if (known) return known;
    const made = readyPhase(this.#factory, point).then((phase) => ({ phase, disturber: new Disturber(this.#factory, phase) }));
    this.#phases.set(point.id, made);
    return made;
  }
}

function partsOf(count: number): number[] {
  return Array.from({ length: Math.ceil(count / unitSize) }, (_, at) => Math.min(unitSize, count - at * unitSize));
}

function serve(options: DisturbOptions): UnitServer<DisturbUnitResult> {
  const setup = loadSetup(options, readFileSync(options.image));
  const benches = { plain: new Bench(setup), drift: new Bench(setupOf(setup, 'drift')) };
  return async (id, tell) => {
    const unit = disturbUnit(id);
    const point = disturbPoint(unit.point);
    const wanted = partsOf(options.count)[unit.part - 1];
    const missing = missingFor(point, options.offered);
    if (missing.length > 0) return { wanted, reports: [], missing };
    try {
      const bench = unit.kind === 'drift' ? benches.drift : benches.plain;
      return { wanted, reports: await bench.run(point, unit, wanted, tell), missing };
    } catch (error) {
      if (!(error instanceof BenchError) && !(error instanceof TearError) && !isDeviceError(error)) throw error;
      return { wanted, reports: [], missing, aborted: `${error.code}: ${error.message}` };
    }
  };
}

/** Disturbances other than a clean power cut as a campaign. */
export const disturbDefinition: CampaignDefinition<DisturbOptions, DisturbUnitResult> = {
  units: ({ points, kinds, count }) => Promise.resolve(disturbPoints.filter(({ id }) => points.includes(id)).flatMap(({ id }) =>
    disturbKinds.filter((kind) => kinds.includes(kind)).flatMap((kind) => partsOf(count).map((_, at) => `${id}/${kind}/${at + 1}`)))),
  serve,
  events: disturbEvents,
};

/**
 * Repeats the one disturbance of a case id from scratch.
 * @throws BenchError BENCH_USAGE when the id is not one of this firmware, chip and seed
 */
export async function replayDisturbance(setup: TestSetup, id: string): Promise<DisturbReport> {
  const { point, what, policy } = parseDisturbCase(id);
  const here = disturbCaseId(disturbCaseOf(setup, point, what, policy));
  if (here !== id) throw new BenchError('BENCH_USAGE', `${id} belongs to another setup; here it would be ${here}`, 'nothing was run');
  const factory = new WorldFactory(setupOf(setup, what.kind));
  return new Disturber(factory, await readyPhase(factory, disturbPoint(point))).run(what, policy);
}
