import { join } from 'node:path';
import { httpClient, lmdbFigures, startServed } from '../safe/index.js';
import type { SafeClient, ServedProcess } from '../safe/index.js';
import { Acknowledged, seededNumbers } from './acknowledged.js';
import { registerRange } from './drive.js';
import { growthOf, isLogarithmic, latencyOf } from './figures.js';
import type { Growth, LoadRow } from './figures.js';
import { killRound } from './kills.js';
import type { KillRound } from './kills.js';
import { sweep, timeRetrievals, timeServedLookups, verifySamples } from './lookups.js';

/** A load test of a served safe. */
export interface LoadSetting {
  /** Certificates to register before the process is killed; at least 100. */
  readonly certificates: number;
  /** Folder of a new safe. */
  readonly store: string;
  /** Requests in flight while the store is filled. */
  readonly connections: number;
  /** How often the process is killed. */
  readonly kills: number;
  /** Requests in flight when it is killed. */
  readonly inFlight: number;
  readonly seed: number;
  /** JavaScript file, and what stands before `serve`, that serves a safe. */
  readonly entry: string;
  readonly before: readonly string[];
  /** Milliseconds. */
  readonly now: () => number;
  readonly stopped: () => boolean;
  readonly progress: (done: number, text: string) => void;
}

/** What a load test has found. */
export interface LoadResult {
  readonly rows: readonly LoadRow[];
  readonly growth: readonly Growth[];
  readonly kills: readonly KillRound[];
  /** Records in the store at the end. */
  readonly records: number;
  /** What is wrong, in words: lost, changed or repeated certificates. */
  readonly defects: readonly string[];
  /** pass, fail, invalid (a kill hit nothing in flight), or aborted (stopped by the user). */
  readonly verdict: 'pass' | 'fail' | 'invalid' | 'aborted';
}

const retrievals = 500;
const verified = 100;
const least = 100;

/** Sizes at which lookups are measured: a hundredth, a tenth and all, at least 100. */
export function sizesOf(certificates: number): readonly number[] {
  return [...new Set([certificates / 100, certificates / 10, certificates].map((size) => Math.max(least, Math.floor(size))))];
}

/** What is measured at one size; undefined when the user stops before it is reached. */
async function rowAt(setting: LoadSetting, client: SafeClient, book: Acknowledged, from: number, size: number): Promise<LoadRow | undefined> {
  const { store, connections, now, stopped, progress } = setting;
  const records = join(store, 'records');
  const begun = now();
  const latencies = await registerRange({
    client, book, lanes: connections, now, stopped, progress: (done) => { progress(done, 'registered'); },
  }, from, size);
  if (stopped()) return undefined;
  const perSecond = ((size - from) * 1000) / (now() - begun);
  progress(size, 'looking up');
  const lookup = await timeServedLookups(records, book, now);
  const retrieve = await timeRetrievals(client, book, retrievals, now);
  const { depth, bytes } = await lmdbFigures(records);
  return { certificates: size, perSecond, register: latencyOf(latencies), lookup, retrieve, depth, bytes };
}

async function fill(setting: LoadSetting, serve: () => Promise<ServedProcess>, book: Acknowledged): Promise<readonly LoadRow[]> {
  const served = await serve();
  const client = httpClient({ url: served.url, connections: setting.connections, timeoutMs: 60_000 });
  try {
    const rows: LoadRow[] = [];
    for (const size of sizesOf(setting.certificates)) {
      const row = await rowAt(setting, client, book, rows.at(-1)?.certificates ?? 0, size);
      if (row === undefined) break;
      rows.push(row);
    }
    if (!setting.stopped()) await verifySamples(client, book, verified);
    return rows;
  } finally {
    client.close?.();
    served.child.kill('SIGTERM');
    await served.ended;
  }
}

async function killAll(setting: LoadSetting, serve: () => Promise<ServedProcess>, book: Acknowledged): Promise<readonly KillRound[]> {
  const random = seededNumbers(setting.seed);
  const rounds: KillRound[] = [];
  for (let round = 0; round < setting.kills && !setting.stopped(); round += 1) {
    setting.progress(setting.certificates, `kill ${round + 1} of ${setting.kills}`);
    const first = rounds.at(-1)?.next ?? setting.certificates;
    const killAfter = 1 + random(2 * setting.inFlight);
    rounds.push(await killRound({ serve, book, inFlight: setting.inFlight, first, killAfter }));
  }
  return rounds;
}

function verdictOf(setting: LoadSetting, { growth, kills, defects }: Pick<LoadResult, 'growth' | 'kills' | 'defects'>): LoadResult['verdict'] {
  if (defects.length > 0 || !isLogarithmic(growth)) return 'fail';
  if (setting.stopped()) return 'aborted';
  return kills.every(({ broken }) => broken > 0) ? 'pass' : 'invalid';
}

/**
 * Fills the store of a safe in a process of its own through its HTTP interface, measures lookups as it grows, kills the
 * process among registrations, and at the end compares every record with what was acknowledged.
 */
export async function runLoad(setting: LoadSetting): Promise<LoadResult> {
  const { entry, before, store, inFlight } = setting;
  const serve = (): Promise<ServedProcess> =>
    startServed(entry, ['--store', store, '--concurrent', String(Math.max(1024, 2 * inFlight))], before);
  const book = new Acknowledged(setting.seed);
  const rows = await fill(setting, serve, book);
  const kills = await killAll(setting, serve, book);
  setting.progress(setting.certificates, 'comparing every record');
  const records = await sweep(join(store, 'records'), book);
  const found = { rows, growth: growthOf(rows), kills, records, defects: book.defects };
  return { ...found, verdict: verdictOf(setting, found) };
}
