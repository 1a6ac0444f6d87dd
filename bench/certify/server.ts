import { readFileSync } from 'node:fs';
import type { RecordEvent } from '../../reports/index.js';
import { missingFor, planPoint } from '../../scenarios/index.js';
import { cutEvents, runCuts, tearClause, tearPoints } from '../tear/index.js';
import type { TearPoint } from '../tear/index.js';
import { WorldFactory } from './factory.js';
import { replayCutLine, replayLine } from './options.js';
import type { CertifyOptions } from './options.js';
import { runPoint } from './point.js';
import { loadSetup } from './setup.js';

/** What comes of a point: its events, or where the bench itself broke. */
export type PointAnswer =
  | { readonly point: string; readonly events: readonly RecordEvent[] }
  | { readonly point: string; readonly crash: string };

async function cutPoint(point: TearPoint, factory: WorldFactory, options: CertifyOptions): Promise<readonly RecordEvent[]> {
  const missing = missingFor(point, options.offered);
  const { id, scenario, title, needs } = point;
  if (missing.length > 0) {
    const clause = tearClause(point);
    return [
      { type: 'point', point: id, scenario, title, clause, needs, cycle: 0 },
      { type: 'verdict', point: id, verdict: 'unsupported', cycle: 0, clause, reasons: [`needs ${missing.join(', ')}`], flags: [], replay: '' },
    ];
  }
  const [result] = await runCuts({ factory, cuts: options.cuts, seed: options.seed, points: [point] });
  return cutEvents(result, (caseId) => replayCutLine(options, caseId));
}

/** Runs points one at a time; one factory, so what is personalised once serves all. */
export function pointServer(options: CertifyOptions): (point: string) => Promise<PointAnswer> {
  const factory = new WorldFactory(loadSetup(options, readFileSync(options.image)));
  const setting = { factory, offered: options.offered, replay: (id: string) => replayLine(options, id) };
  return async (point) => {
    try {
      const cut = tearPoints.find(({ id }) => id === point);
      if (cut !== undefined) return { point, events: await cutPoint(cut, factory, options) };
      const { events } = await runPoint(planPoint(point), setting);
      return { point, events };
    } catch (error) {
      return { point, crash: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  };
}
