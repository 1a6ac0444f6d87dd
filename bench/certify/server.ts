import { readFileSync } from 'node:fs';
import type { PointRelatedEvent } from '../../reports/index.js';
import { BenchError } from '../world/errors.js';
import { WorldFactory } from './factory.js';
import type { CertifyOptions } from './options.js';
import { pointRunners, runListed, runnerSetting } from './runner.js';
import type { PointRunner } from './runner.js';
import { loadSetup } from './setup.js';

/** What comes of a point: its events, or where the bench itself broke. */
export type PointAnswer =
  | { readonly point: string; readonly events: readonly PointRelatedEvent[] }
  | { readonly point: string; readonly crash: string };

/** Runs points one at a time; one factory, so what is personalised once serves all. */
export function pointServer(options: CertifyOptions, runners: readonly PointRunner[] = pointRunners): (point: string) => Promise<PointAnswer> {
  const setting = runnerSetting(options, new WorldFactory(loadSetup(options, readFileSync(options.image))));
  const known = new Map(runners.flatMap((runner) => runner.points(options).map((point) => [point.id, { runner, point }] as const)));
  return async (id) => {
    try {
      const found = known.get(id);
      if (found === undefined) throw new BenchError('BENCH_USAGE', `no runner has the point ${id}`, 'nothing was run');
      return { point: id, events: await runListed(found.runner, found.point, setting) };
    } catch (error) {
      return { point: id, crash: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  };
}
