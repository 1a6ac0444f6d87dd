import type { Boundary } from '../../scenarios/index.js';
import type { WorldFactory } from '../certify/factory.js';
import { TearError } from '../tear/index.js';
import { capacityCaseId, capacityCaseOf, parseCapacityCase } from './case-id.js';
import { runClaims } from './claims.js';
import { cutEdges, edgeLevel, replayCutAt, runCutsAt } from './cuts.js';
import { runLevel } from './levels.js';
import { runRam } from './ram.js';
import { levelName, levelOf } from './room.js';
import { plain, reasonsOf } from './rows.js';
import { runSpend } from './spend.js';
import { placesOf } from './subject.js';
import type { CapacityRow, RoomLevel } from './types.js';
import { Bench, ramRows, runUnit, scenarioOf } from './units.js';
import { runWear, wearCases, wearModes } from './wear.js';

/** What a case came to when it was repeated. */
export interface CapacityReplay {
  readonly case: string;
  /** nvmDigest of the memory afterwards. */
  readonly digest: string;
  readonly verdict: CapacityRow['verdict'];
  readonly reasons: readonly string[];
  readonly findings: CapacityRow['findings'];
}

const unknown = (id: string, what: string): TearError => new TearError('TEAR_CASE', `${id}: ${what}`, 'nothing was run');

function levelIn(id: string, name: string): RoomLevel {
  const level = levelOf(name);
  if (level === undefined) throw unknown(id, `${name} is no level of free room`);
  return level;
}

async function wearRow(bench: Bench, id: string, scenario: ReturnType<typeof scenarioOf>, name: string, word: string): Promise<CapacityRow> {
  const stages = bench.stages(scenario);
  const mode = wearModes.find((one) => one === word);
  const pages = mode && (await wearCases(stages, mode)).get(name);
  if (mode === undefined || pages === undefined) throw unknown(id, `the scenario has no worn pages ${name} ${word}`);
  return runWear(stages, pages, mode, name);
}

async function cutsRow(bench: Bench, id: string, scenario: ReturnType<typeof scenarioOf>, name: string, cuts: number): Promise<CapacityRow> {
  const stages = bench.stages(scenario);
  const need = (await stages.needs()).find(({ pages }) => pages > 0);
  const edge = cutEdges.find((one) => {
    const level = edgeLevel(one, need);
    return level !== undefined && levelName(level) === name;
  });
  const [row] = edge === undefined ? [] : await runCutsAt(stages, edge, cuts, () => undefined);
  if (row as CapacityRow | undefined) return row;
  throw unknown(id, `the power is not cut at ${name}`);
}

async function rowOf(bench: Bench, id: string): Promise<CapacityRow> {
  const { scenario: name, what } = parseCapacityCase(id);
  const scenario = scenarioOf(name);
  const stages = bench.stages(scenario);
  const [kind, first = '', second = '', ...rest] = what;
  if (kind === 'level') {
    if (!placesOf(stages.subject).includes(first as Boundary)) throw unknown(id, `${scenario} has no place ${first}`);
    return runLevel(stages, { at: first as Boundary, level: levelIn(id, second) });
  }
  if (kind === 'claim-21' || kind === 'claim-24') {
    const level = levelIn(id, first);
    if ('entries' in level) throw unknown(id, 'claims are shown at levels of pages');
    const rows = await runClaims(bench.stages(scenario, 'claims'), level);
    return rows[kind === 'claim-24' ? 0 : 1];
  }
  if (kind === 'spend') return runSpend(stages);
  if (kind === 'wear') return wearRow(bench, id, scenario, first, second);
  if (kind === 'ram') return first === 'edges' ? (await ramRows(stages, () => undefined))[0] : (await runRam(stages, Number(first))).row;
  if (kind === 'cuts') return cutsRow(bench, id, scenario, first, Number(second));
  if (kind === 'unit') return (await runUnit(bench, [name, first, second, ...rest].filter((word) => word !== '').join(':'), { cuts: 1 }, () => undefined))[0];
  throw unknown(id, `there is nothing called ${kind}`);
}

/**
 * Repeats the case of an id from scratch, bit for bit. Throws TearError TEAR_CASE when the id is none or belongs to
 * another firmware, chip, protocol or seed.
 */
export async function replayCapacity(factory: WorldFactory, id: string): Promise<CapacityReplay> {
  const { scenario, what } = parseCapacityCase(id);
  const here = capacityCaseId(capacityCaseOf(factory.setup, scenario, what));
  if (here !== id) throw unknown(id, `belongs to another setup; here it would be ${here}`);
  const bench = new Bench(factory);
  if (what[0] === 'cut') {
    const [, name = '', cycle = '', policy = ''] = what;
    const { findings, digest } = await replayCutAt(bench.stages(scenarioOf(scenario)), levelIn(id, name), Number(cycle), policy);
    return { case: id, digest, verdict: findings.length > 0 ? 'fail' : 'pass', reasons: reasonsOf(findings), findings: plain(findings) };
  }
  const { digest, verdict, reasons, findings } = await rowOf(bench, id);
  return { case: id, digest, verdict, reasons, findings };
}
