import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { junit, parseRecord, recordWriter, summary } from '../../reports/index.js';
import type { CompleteRecord, RecordEvent, RecordHeader } from '../../reports/index.js';
import type { Progress } from '../certify/progress.js';
import { BenchError } from '../world/errors.js';
import type { UnitPool } from './pool.js';
import { openStore, readStore } from './store.js';
import type { CampaignDefinition, Shard, UnitResult } from './types.js';

/** What a campaign needs from outside. */
export interface CampaignRun<Options> {
  readonly definition: CampaignDefinition<Options, unknown>;
  readonly options: Options;
  readonly header: Omit<RecordHeader, 'type' | 'format' | 'version'>;
  /** Tells campaigns apart, see {@link campaignKey}. */
  readonly key: string;
  readonly out: string;
  readonly resume: boolean;
  readonly shard: Shard | undefined;
  readonly pool: UnitPool;
  progress(units: number): Progress;
  /** True once the user wants to stop. */
  stopped(): boolean;
}

/** What a campaign has come to. */
export interface CampaignOutcome {
  readonly record: CompleteRecord;
  readonly recordFile: string;
  /** Units without a result: not run, or of another shard. */
  readonly missing: readonly string[];
  /** Units of this run (its shard) that were not run because it was stopped. */
  readonly left: number;
}

/** The units of a shard: every `of`-th from its part on. */
export function unitsOf(units: readonly string[], shard: Shard | undefined): readonly string[] {
  return shard === undefined ? units : units.filter((_, at) => at % shard.of === shard.part - 1);
}

function drawRecord<Options>(
  run: Pick<CampaignRun<Options>, 'definition' | 'options' | 'header' | 'out'>, units: readonly string[], found: ReadonlyMap<string, unknown>,
): { record: CompleteRecord; recordFile: string; missing: readonly string[] } {
  const { definition, options, header, out } = run;
  const results: UnitResult<unknown>[] = units.filter((unit) => found.has(unit)).map((unit) => ({ unit, result: found.get(unit) }));
  const missing = units.filter((unit) => !found.has(unit));
  const recordFile = join(out, 'record.jsonl');
  writeEvents(recordFile, header, definition.events(options, results, missing));
  const record = parseRecord(readFileSync(recordFile, 'utf8'));
  writeFileSync(join(out, 'junit.xml'), junit(record));
  writeFileSync(join(out, 'summary.txt'), summary(record));
  return { record, recordFile, missing };
}

function writeEvents(file: string, header: CampaignRun<unknown>['header'], events: readonly RecordEvent[]): void {
  let fd: number;
  try {
    fd = openSync(file, 'w');
  } catch (error) {
    throw new BenchError('BENCH_OUTPUT', `${file} cannot be written: ${String(error)}`, 'the results of the units are kept');
  }
  const writer = recordWriter(header, (line) => void writeSync(fd, line));
  for (const event of events) writer.write(event);
  writer.end();
  closeSync(fd);
}

/**
 * Runs the units that have no result yet, keeps each result as it comes, and draws record and reports from all of them.
 * The record depends on the options alone: not on the number of threads, nor on stops and resumptions.
 * Throws BenchError BENCH_OUTPUT, and whatever a unit throws.
 */
export async function runUnits<Options>(run: CampaignRun<Options>): Promise<CampaignOutcome> {
  const all = await run.definition.units(run.options);
  const mine = unitsOf(all, run.shard);
  const store = openStore(run.out, run.key, run.resume);
  const found = new Map(store.found);
  const open = mine.filter((unit) => !found.has(unit));
  const progress = run.progress(mine.length);
  const parts = new Map<string, { readonly share: number; readonly pieces: number }>();
  let done = mine.length - open.length;
  let pieces = 0;
  const show = (unit: string): void => {
    const under = [...parts.values()];
    progress.step(done + under.reduce((sum, { share }) => sum + share, 0), unit, pieces + under.reduce((sum, part) => sum + part.pieces, 0));
  };
  await run.pool(open, {
    part(unit, part, total) {
      parts.set(unit, { share: total > 0 ? Math.min(part / total, 0.999) : 0, pieces: part });
      show(unit);
    },
    done(result) {
      pieces += parts.get(result.unit)?.pieces ?? 0;
      parts.delete(result.unit);
      store.add(result);
      found.set(result.unit, result.result);
      done += 1;
      show(result.unit);
    },
    stopped: () => run.stopped(),
  });
  progress.end();
  return { ...drawRecord(run, all, found), left: mine.length - done };
}

/**
 * Draws one record from the results of several folders: shards of one campaign, or parts of it.
 * @throws BenchError BENCH_OUTPUT when a folder holds another campaign
 */
export async function joinUnits<Options>(
  run: Pick<CampaignRun<Options>, 'definition' | 'options' | 'header' | 'key' | 'out'>, folders: readonly string[],
): Promise<CampaignOutcome> {
  const all = await run.definition.units(run.options);
  const found = new Map(folders.flatMap((folder) => [...readStore(folder, run.key)]));
  const store = openStore(run.out, run.key, false);
  for (const unit of all) if (found.has(unit)) store.add({ unit, result: found.get(unit) });
  const drawn = drawRecord(run, all, found);
  return { ...drawn, left: drawn.missing.length };
}
