import { readFileSync } from 'node:fs';
import type { PointRelatedEvent } from '../../reports/index.js';
import { BenchError } from '../world/errors.js';
import { WorldFactory } from './factory.js';
import type { CertifyOptions } from './options.js';
import { pointRunners, runListed, runnerSetting } from './runner.js';
import type { PointRunner } from './runner.js';
import { connectSafes, releaseSafes, troubleOf } from './served.js';
import { loadSetup } from './setup.js';

/** What comes of a point: its events, or where the bench itself broke. */
export type PointAnswer =
  | { readonly point: string; readonly events: readonly PointRelatedEvent[] }
  | { readonly point: string; readonly crash: string };

/** Runs a point and drops what it opened at served safes; rejects with BenchError BENCH_SAFE when something went wrong there. */
async function untroubled<T>({ served }: WorldFactory, run: () => Promise<T>): Promise<T> {
  const result = await run();
  const trouble = troubleOf(served);
  await releaseSafes(served);
  if (trouble !== undefined) throw trouble;
  return result;
}

/** Runs points one at a time; one factory, so what is personalised once serves all. */
export function pointServer(options: CertifyOptions, runners: readonly PointRunner[] = pointRunners): (point: string) => Promise<PointAnswer> {
  const ready = connectSafes(options.safes).then((served) =>
    runnerSetting(options, new WorldFactory(loadSetup(options, readFileSync(options.image)), served)));
  ready.catch(() => undefined);
  const known = new Map(runners.flatMap((runner) => runner.points(options).map((point) => [point.id, { runner, point }] as const)));
  return async (id) => {
    try {
      const setting = await ready;
      const found = known.get(id);
      if (found === undefined) throw new BenchError('BENCH_USAGE', `no runner has the point ${id}`, 'nothing was run');
      return { point: id, events: await untroubled(setting.factory, () => runListed(found.runner, found.point, setting)) };
    } catch (error) {
      if (error instanceof BenchError) return { point: id, crash: `${error.code}: ${error.message}` };
      return { point: id, crash: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  };
}
