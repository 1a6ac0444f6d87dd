import { readFileSync } from 'node:fs';
import type { CampaignDefinition, UnitServer } from '../campaign/types.js';
import { WorldFactory } from '../certify/factory.js';
import { loadSetup } from '../certify/setup.js';
import { missingEvents, rowEvents } from './events.js';
import type { CapacityOptions, CapacityResult } from './types.js';
import { Bench, runUnit, unitsFor } from './units.js';

const units = ({ scenarios, parts, cuts }: CapacityOptions): Promise<readonly string[]> =>
  Promise.resolve(scenarios.flatMap((scenario) => unitsFor(scenario, parts, cuts)));

function serve(options: CapacityOptions): UnitServer<CapacityResult> {
  const bench = new Bench(new WorldFactory(loadSetup(options, readFileSync(options.image))));
  return async (unit, tell) => ({ rows: await runUnit(bench, unit, options, tell) });
}

/** Scenarios started from every level of free room, on worn pages, with little RAM, with cuts at the edges: `cardbench capacity`. */
export const capacityDefinition: CampaignDefinition<CapacityOptions, CapacityResult> = {
  units, serve,
  events: (options, results, missing) => [
    ...results.flatMap(({ result }) => result.rows.flatMap((row) => rowEvents(options, row))), ...missing.flatMap((unit) => missingEvents(unit)),
  ],
};
