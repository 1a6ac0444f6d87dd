import { readFileSync } from 'node:fs';
import type { RecordEvent } from '../../reports/index.js';
import { missingFor, planPoint } from '../../scenarios/index.js';
import { cutEvents, runCuts, tearClause, tearPoints } from '../tear/index.js';
import type { TearPoint } from '../tear/index.js';
import { BenchError } from '../world/errors.js';
import { WorldFactory } from './factory.js';
import { replayCutLine, replayLine } from './options.js';
import type { CertifyOptions } from './options.js';
import { runPoint } from './point.js';
import { connectSafes, releaseSafes, troubleOf } from './served.js';
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
  const ready = connectSafes(options.safes).then((served) => new WorldFactory(loadSetup(options, readFileSync(options.image)), served));
  ready.catch(() => undefined);
  const offered = options.offered;
  return async (point) => {
    try {
      const factory = await ready;
      const setting = { factory, offered, replay: (id: string) => replayLine(options, id) };
      const cut = tearPoints.find(({ id }) => id === point);
      const events = cut === undefined ? (await runPoint(planPoint(point), setting)).events : await cutPoint(cut, factory, options);
      const trouble = troubleOf(factory.served);
      await releaseSafes(factory.served);
      if (trouble !== undefined) throw trouble;
      return { point, events };
    } catch (error) {
      if (error instanceof BenchError) return { point, crash: `${error.code}: ${error.message}` };
      return { point, crash: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  };
}
