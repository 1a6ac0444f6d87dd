import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import { referenceFor } from '../certify/options.js';
import { BenchError } from '../world/errors.js';
import type { Shard } from './types.js';

/** What is tested and under which conditions: the part of the options that every campaign has. Plain data. */
export interface CampaignTarget {
  /** Path of the firmware image. */
  readonly image: string;
  readonly chip: string;
  readonly overrides: readonly string[];
  readonly seed: number;
  readonly protocol: 'T=0' | 'T=1';
}

/** How a campaign is run; none of it changes a result. */
export interface CampaignManner {
  readonly jobs: number;
  /** Folder for results, record and reports. */
  readonly out: string;
  readonly resume: boolean;
  readonly shard: Shard | undefined;
  /** Folders whose results are joined; empty: a run. */
  readonly join: readonly string[];
  readonly json: boolean;
}

/** The options every campaign takes, for a usage text. */
export const COMMON_USAGE = `[IMAGE] [--chip c2000|c2010|modern|FILE.yaml] [--set KEY=VALUE]... [--protocol T=0|T=1] [--seed N]
  [--jobs N] [--out DIR] [--resume] [--shard i/n] [--join DIR]... [--json]`;

type OwnOptions = NonNullable<ParseArgsConfig['options']>;

/** Values of a campaign's own options as they were typed. */
export type OwnValues = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

/** A command line taken apart. */
export interface CampaignArguments {
  readonly target: CampaignTarget;
  readonly manner: CampaignManner;
  readonly own: OwnValues;
}

/** The user's mistake. */
export const usageError = (text: string): BenchError => new BenchError('BENCH_USAGE', text, 'nothing was run');

/** A whole number within bounds. @throws BenchError BENCH_USAGE */
export function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw usageError(`--${name}: expected a whole number from ${least} to ${most}, got '${text}'`);
}

function shardOf(text: string | undefined): Shard | undefined {
  if (text === undefined) return undefined;
  const [, part, of] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const shard = { part: Number(part), of: Number(of) };
  if (part === undefined || shard.part < 1 || shard.part > shard.of || shard.of > 1000) throw usageError(`--shard: expected i/n such as 1/2, got '${text}'`);
  return shard;
}

const common = {
  chip: { type: 'string', default: 'c2010' },
  set: { type: 'string', multiple: true, default: [] as string[] },
  protocol: { type: 'string', default: 'T=1' },
  seed: { type: 'string', default: '1' },
  jobs: { type: 'string' },
  out: { type: 'string', default: 'cardbench-out' },
  resume: { type: 'boolean', default: false },
  shard: { type: 'string' },
  join: { type: 'string', multiple: true, default: [] as string[] },
  json: { type: 'boolean', default: false },
} as const;

function parsed(argv: readonly string[], own: OwnOptions) {
  try {
    const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: { ...own, ...common } });
    return { values: values as typeof values & Record<string, string | boolean | (string | boolean)[] | undefined>, positionals };
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
}

/** Takes a campaign's command line apart; `own` are the options of its kind. @throws BenchError BENCH_USAGE */
export function campaignArguments(argv: readonly string[], own: OwnOptions): CampaignArguments {
  const { values, positionals } = parsed(argv, own);
  if (positionals.length > 1) throw usageError('give at most one IMAGE');
  const { chip, set, protocol, seed, jobs, out, resume, shard, join, json } = values as unknown as {
    chip: string; set: string[]; protocol: string; seed: string; jobs?: string; out: string; resume: boolean; shard?: string; join: string[]; json: boolean;
  };
  if (protocol !== 'T=0' && protocol !== 'T=1') throw usageError(`--protocol: expected T=0 or T=1, got '${protocol}'`);
  if (join.length > 0 && (resume || shard !== undefined)) throw usageError('--join draws a record from finished parts: it goes with neither --resume nor --shard');
  return {
    target: { image: positionals[0] ?? referenceFor(chip, set), chip, overrides: set, seed: wholeNumber('seed', seed, 0, 0xffffffff), protocol },
    manner: {
      jobs: jobs === undefined ? Math.min(availableParallelism(), 64) : wholeNumber('jobs', jobs, 1, 64), out, resume, shard: shardOf(shard), join, json,
    },
    own: Object.fromEntries(Object.keys(own).map((name) => [name, values[name]])),
  };
}
