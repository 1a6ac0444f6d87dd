import { isDeviceError } from '../../devices/index.js';
import { basicScenarioIds } from '../../scenarios/index.js';
import type { Boundary, BasicScenarioId } from '../../scenarios/index.js';
import type { WorldFactory } from '../certify/factory.js';
import { TearError } from '../tear/index.js';
import { BenchError } from '../world/errors.js';
import { claimsSubject, hasClaims, runClaims } from './claims.js';
import { cutEdges, runCutsAt } from './cuts.js';
import type { CutEdge } from './cuts.js';
import { edgesOf, edgesText, runRam, searchRam } from './ram.js';
import { named, unrun } from './rows.js';
import { runSeries, shapes } from './series.js';
import type { Shape } from './series.js';
import { runSpend } from './spend.js';
import { Stages } from './stage.js';
import { dashed, placesOf, subjectOf } from './subject.js';
import type { CapacityOptions, CapacityPart, CapacityRow } from './types.js';
import { runWear, wearCases, wearModes } from './wear.js';
import type { WearMode } from './wear.js';

type Tell = (done: number, total: number) => void;

/** Ids of the units of a scenario in the order of the record. */
export function unitsFor(scenario: BasicScenarioId, parts: readonly CapacityPart[], cuts: number): readonly string[] {
  const places = placesOf(subjectOf(scenario));
  const of: Readonly<Record<CapacityPart, readonly string[]>> = {
    levels: [...places.flatMap((at) => shapes.map((shape) => `levels:${at}:${shape}`)), 'levels:spend'],
    claims: hasClaims(scenario) ? ['claims'] : [],
    wear: wearModes.map((mode) => `wear:${mode}`),
    ram: ['ram'],
    cuts: cuts > 0 ? cutEdges.map((edge) => `cuts:${edge}`) : [],
  };
  return parts.flatMap((part) => of[part]).map((unit) => `${dashed(scenario)}:${unit}`);
}

/** Stages of subjects, made when they are asked for. */
export class Bench {
  readonly factory: WorldFactory;
  readonly #stages = new Map<string, Stages>();

  constructor(factory: WorldFactory) {
    this.factory = factory;
  }

  /** Stages of a scenario's subject, or of its subject for the claims. */
  stages(scenario: BasicScenarioId, what: 'levels' | 'claims' = 'levels'): Stages {
    const key = `${scenario} ${what}`;
    const subject = what === 'claims' && hasClaims(scenario) ? claimsSubject(scenario) : subjectOf(scenario);
    const stages = this.#stages.get(key) ?? new Stages(this.factory, subject);
    this.#stages.set(key, stages);
    return stages;
  }
}

/** The scenario of an id with a dash. @throws TearError TEAR_CASE */
export function scenarioOf(name: string): BasicScenarioId {
  const found = basicScenarioIds.find((id) => dashed(id) === name);
  if (found) return found;
  throw new TearError('TEAR_CASE', `there is no scenario ${name}; there are ${basicScenarioIds.map(dashed).join(', ')}`, 'nothing was run');
}

async function claimRows(stages: Stages): Promise<readonly CapacityRow[]> {
  const need = Math.max(...(await stages.needs()).map(({ pages }) => pages));
  const rows: CapacityRow[] = [];
  for (const pages of [0, need - 1]) rows.push(...await runClaims(stages, { pages, run: pages }));
  return rows;
}

async function wearRows(stages: Stages, mode: WearMode, tell: Tell): Promise<readonly CapacityRow[]> {
  const cases = await wearCases(stages, mode);
  const rows: CapacityRow[] = [];
  for (const [name, pages] of cases) {
    rows.push(await runWear(stages, pages, mode, name));
    tell(rows.length, cases.size);
  }
  return rows;
}

/** The sizes of RAM that were run, and before them what they come to. */
export async function ramRows(stages: Stages, tell: Tell): Promise<readonly CapacityRow[]> {
  const most = stages.factory.setup.profile.ram.bytes;
  const sizes = await searchRam((bytes) => runRam(stages, bytes), most, (done) => { tell(Math.min(done, 40), 40); });
  const { completes } = edgesOf(sizes);
  const reasons = [
    ...completes === undefined ? [`with the chip's own ${most} B of RAM the scenario does not go through`] : [],
    ...sizes.flatMap(({ row }) => (row.verdict === 'fail' ? row.reasons : [])),
  ];
  const edges: CapacityRow = {
    ...named(stages, { part: 'ram', title: 'least RAM', before: 'start', condition: 'ram-edges', what: ['ram', 'edges'] }), applied: true,
    outcome: completes === undefined ? 'broke' : 'done',
    did: edgesText(edgesOf(sizes)),
    findings: [], verdict: reasons.length > 0 ? 'fail' : 'pass', reasons, cycle: 0, digest: '',
  };
  return [edges, ...sizes.map(({ row }) => row)];
}

/** The rows of a unit. @throws TearError TEAR_CASE for an id that is none */
async function rowsOf(bench: Bench, unit: string, cuts: number, tell: Tell): Promise<readonly CapacityRow[]> {
  const [name, part, first = '', second = ''] = unit.split(':');
  const scenario = scenarioOf(name);
  const stages = bench.stages(scenario);
  switch (part as CapacityPart) {
    case 'levels': return first === 'spend' ? [await runSpend(stages)] : runSeries(stages, first as Boundary, second as Shape, tell);
    case 'claims': return claimRows(bench.stages(scenario, 'claims'));
    case 'wear': return wearRows(stages, first as WearMode, tell);
    case 'ram': return ramRows(stages, tell);
    case 'cuts': return runCutsAt(stages, first as CutEdge, cuts, tell);
  }
}

/** Runs a unit; what keeps the bench from coming to a verdict is a row that is aborted, a defect of the bench is thrown. */
export async function runUnit(bench: Bench, unit: string, options: Pick<CapacityOptions, 'cuts'>, tell: Tell): Promise<readonly CapacityRow[]> {
  try {
    return await rowsOf(bench, unit, options.cuts, tell);
  } catch (error) {
    if (!(error instanceof BenchError) && !(error instanceof TearError) && !isDeviceError(error)) throw error;
    const [name, part, ...rest] = unit.split(':');
    const what = [part, ...rest];
    return [unrun(bench.stages(scenarioOf(name)), {
      part: part as CapacityPart, title: unit, before: 'start', condition: what.join('-'), what: ['unit', ...what],
    }, 'aborted', `${error.code}: ${error.message}`)];
  }
}
