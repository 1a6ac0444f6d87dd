import { readFileSync } from 'node:fs';
import type { RecordEvent } from '../../reports/index.js';
import { planPoint } from '../../scenarios/index.js';
import { WorldFactory } from './factory.js';
import { replayLine } from './options.js';
import type { CertifyOptions } from './options.js';
import { runPoint } from './point.js';
import { loadSetup } from './setup.js';

/** What comes of a point: its events, or where the bench itself broke. */
export type PointAnswer =
  | { readonly point: string; readonly events: readonly RecordEvent[] }
  | { readonly point: string; readonly crash: string };

/** Runs points one at a time; one factory, so what is personalised once serves all. */
export function pointServer(options: CertifyOptions): (point: string) => Promise<PointAnswer> {
  const factory = new WorldFactory(loadSetup(options, readFileSync(options.image)));
  const setting = { factory, offered: options.offered, replay: (id: string) => replayLine(options, id) };
  return async (point) => {
    try {
      const { events } = await runPoint(planPoint(point), setting);
      return { point, events };
    } catch (error) {
      return { point, crash: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  };
}
