import { sha256 } from '@noble/hashes/sha2.js';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ParseArgsConfig } from 'node:util';
import { summary } from '../../reports/index.js';
import type { CompleteRecord } from '../../reports/index.js';
import { definitionOf } from '../campaign/kinds.js';
import { campaignArguments } from '../campaign/options.js';
import type { CampaignManner, CampaignTarget, OwnValues } from '../campaign/options.js';
import { threadPool } from '../campaign/pool.js';
import { joinUnits, runUnits } from '../campaign/run.js';
import type { CampaignOutcome } from '../campaign/run.js';
import type { CampaignKind } from '../campaign/types.js';
import { exitCodeOf } from '../certify/campaign.js';
import { toolVersion } from '../certify/options.js';
import { createProgress } from '../certify/progress.js';
import { headerOf, loadSetup } from '../certify/setup.js';
import { textBytes, toHex } from '../codec/index.js';
import { TearError } from '../tear/index.js';
import { BenchError } from '../world/errors.js';
import { explain, readImage } from './certify.js';
import type { CertifyIo } from './certify.js';

/** One campaign command. */
export interface CampaignCommand {
  readonly kind: CampaignKind;
  readonly usage: string;
  /** Options beside the common ones. */
  readonly own: NonNullable<ParseArgsConfig['options']>;
  /** The campaign's options: plain data. @throws BenchError BENCH_USAGE */
  optionsOf(target: CampaignTarget, own: OwnValues): CampaignTarget;
  /** Lines for people behind the head of the summary. */
  tell?(record: CompleteRecord, manner: CampaignManner): readonly string[];
  /** Further files drawn from the results, called once the record is there. */
  files?(out: string, options: CampaignTarget): void | Promise<void>;
}

function keyOf(kind: CampaignKind, options: CampaignTarget, image: Uint8Array): string {
  const digest = toHex(sha256(image));
  return toHex(sha256(textBytes(JSON.stringify([toolVersion(), kind, { ...options, image: digest }])))).toLowerCase();
}

/** The record names images without their folder; on the screen the lines that repeat a case can be copied as they are. */
const withPath = (text: string, image: string): string => text.replaceAll(` ${basename(image)} --chip`, ` ${image} --chip`);

function conclude(outcome: CampaignOutcome, image: string, manner: CampaignManner, lines: readonly string[], io: CertifyIo): number {
  const { record, recordFile, missing, left } = outcome;
  const { counts } = record.end;
  if (manner.json) io.out(JSON.stringify({ counts, record: recordFile, missing: missing.length, left }));
  else {
    io.out(withPath(summary(record, { brief: true, colour: io.colour }).trimEnd(), image));
    for (const line of lines) io.out(line);
  }
  io.err(`record and reports: ${manner.out}`);
  if (left > 0) io.err(`stopped with ${left} units open; what was run is kept. Go on with the same command and --resume`);
  const shardDone = manner.shard !== undefined && left === 0;
  if (shardDone) io.err(`shard ${manner.shard.part}/${manner.shard.of} is done; join all shards with --join DIR... and another --out`);
  return shardDone && counts.fail === 0 ? 0 : exitCodeOf(counts, left === 0);
}

async function run(command: CampaignCommand, argv: readonly string[], io: CertifyIo): Promise<number> {
  const { target, manner, own } = campaignArguments(argv, command.own);
  const options = command.optionsOf(target, own);
  const image = readImage(options.image);
  const { kind } = command;
  const part = {
    definition: await definitionOf(kind), options, out: manner.out, key: keyOf(kind, options, image),
    header: headerOf(options, image, loadSetup(options, image), `${kind}/1`),
  };
  const startedAt = new globalThis.Date().toISOString();
  const begun = io.now();
  let stop = false;
  const release = io.onInterrupt(() => { stop = true; });
  try {
    const outcome = manner.join.length > 0 ? await joinUnits(part, manner.join) : await runUnits({
      ...part, resume: manner.resume, shard: manner.shard, stopped: () => stop, pool: threadPool({ kind, options }, manner.jobs),
      progress: (total) => createProgress({ total, terminal: io.terminal, write: (text) => { io.progress(text); }, now: () => io.now() }),
    });
    await command.files?.(manner.out, options);
    writeFileSync(join(manner.out, 'run.json'), `${JSON.stringify({
      startedAt, seconds: (io.now() - begun) / 1000, node: process.version, jobs: manner.jobs, arguments: argv,
    }, null, 2)}\n`);
    return conclude(outcome, options.image, manner, command.tell?.(outcome.record, manner) ?? [], io);
  } finally {
    release();
  }
}

/** An error that nobody foresaw. */
function defect(error: unknown): readonly string[] {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [`defect of the bench: ${text}`, 'still true: what was run is kept, no verdict was given', 'next: go on with --resume; if it comes again, report it with this text'];
}

/** Runs a campaign command; resolves to the exit code: 0 pass, 1 fail, 2 usage, 3 invalid, aborted or stopped. */
export async function campaignCommand(command: CampaignCommand, argv: readonly string[], io: CertifyIo): Promise<number> {
  try {
    return await run(command, argv, io);
  } catch (error) {
    const lines = error instanceof TearError ? [`${error.code}: ${error.message}`, `still true: ${error.stillTrue}`, `next: ${error.next}`] : explain(error);
    for (const line of lines ?? defect(error)) io.err(line);
    if (lines === undefined) return 3;
    if (error instanceof BenchError && error.code === 'BENCH_USAGE') io.err(command.usage);
    return error instanceof BenchError && error.code === 'BENCH_PERSONALISE' ? 3 : 2;
  }
}
