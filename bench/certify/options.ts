import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import type { Capability } from '../../scenarios/index.js';
import { BenchError } from '../world/errors.js';
import type { SafeAddress } from '../world/served-safes.js';
import { safeAddresses, safeSettings } from './safe-options.js';

/** Everything an implementation can claim in its conformance statement. */
export const capabilities = [
  'embodiment-1', 'embodiment-2', 'common-key', 'legacy-hashes', 'empty-digest', 'T=0', 'T=1', 'trace-port', 'power-control',
  'memory-fill', 'two-safes', 'personalisation', 'raw-apdu', 'fault-resistance',
] as const satisfies readonly Capability[];

/** What is taken to be claimed without a statement: all but resistance to attacks on the running core. */
export const defaultClaims: readonly Capability[] = capabilities.filter((one) => one !== 'fault-resistance');

/** What `cardbench certify` and its workers need to know; plain data. */
export interface CertifyOptions {
  /** Path of the firmware image. */
  readonly image: string;
  readonly chip: string;
  readonly overrides: readonly string[];
  readonly seed: number;
  readonly protocol: 'T=0' | 'T=1';
  /** Patterns of point ids; empty: all. */
  readonly points: readonly string[];
  /** First point to run; undefined: the first of the plan. */
  readonly from: string | undefined;
  readonly jobs: number;
  /** Power cuts at random cycles for each phase; 0: none. */
  readonly cuts: number;
  /** Folder for record and reports. */
  readonly out: string;
  readonly json: boolean;
  readonly offered: readonly Capability[];
  /** Safes that are served, in the order of their parts; the others are played in this process. */
  readonly safes?: readonly SafeAddress[];
}

/** Usage of `cardbench certify`. */
export const CERTIFY_USAGE = `cardbench certify [IMAGE] [--chip c2000|c2010|modern|FILE.yaml] [--set KEY=VALUE]... [--protocol T=0|T=1]
  [--seed N] [--point PATTERN]... [--from ID] [--cuts N] [--ics FILE] [--jobs N] [--out DIR] [--json]
  [--safes URL,URL --safe-token FILE,FILE [--safe-cert FILE,FILE | --safe-fingerprint HEX,HEX] [--safe-keys bench|own]]
Certifies a card firmware (default: the reference firmware) against the test plan of embodiments 1 and 2 on the
emulated chip. A PATTERN is part of a point id, * stands for anything. --cuts takes power away at N random cycles
of each phase (default 100). --ics is a YAML file 'supports: [...]': what the firmware claims; the rest is unsupported.
--safes plays the safes by ones that run elsewhere with 'cardbench safe serve --compartments' (docs/safe.md).
Writes record.jsonl, junit.xml, summary.txt and run.json to --out (default cardbench-out).
Exit: 0 all passed, 1 a point failed, 2 usage or bad image, 3 a point was invalid or aborted, or stopped by Ctrl-C`;

const root = packageRoot();

function packageRoot(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const up = here.includes(`${join('dist', 'bench')}`) ? ['..', '..', '..'] : ['..', '..'];
  return join(here, ...up);
}

/** The prebuilt reference firmware. */
export const referenceImage: string = join(root, 'devices', 'firmware', 'images', 'card.elf');

/** Version of this package. */
export function toolVersion(): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return version;
}

const usage = (text: string): BenchError => new BenchError('BENCH_USAGE', text, 'nothing was run');

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) throw usage(`--${name}: expected a whole number from ${least} to ${most}, got '${text}'`);
  return value;
}

const statement = z.strictObject({ supports: z.array(z.enum(capabilities)).min(1) });

/** Reads a conformance statement. @throws BenchError BENCH_USAGE */
export function readStatement(path: string): readonly Capability[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw usage(`--ics: ${path} cannot be read`);
  }
  const parsed = statement.safeParse(parseYaml(text));
  if (parsed.success) return parsed.data.supports;
  throw usage(`--ics: ${path}: ${parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')}; known are ${capabilities.join(', ')}`);
}

const settings = {
  chip: { type: 'string', default: 'c2010' },
  set: { type: 'string', multiple: true, default: [] as string[] },
  protocol: { type: 'string', default: 'T=1' },
  seed: { type: 'string', default: '1' },
  point: { type: 'string', multiple: true, default: [] as string[] },
  from: { type: 'string' },
  cuts: { type: 'string', default: '100' },
  ics: { type: 'string' },
  jobs: { type: 'string' },
  out: { type: 'string', default: 'cardbench-out' },
  json: { type: 'boolean', default: false },
  ...safeSettings,
} as const;

function parsedArguments(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], allowPositionals: true, options: settings });
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
}

/** Reads the command line. Throws BenchError BENCH_USAGE. */
export function certifyOptions(argv: readonly string[]): CertifyOptions {
  const { values, positionals } = parsedArguments(argv);
  if (positionals.length > 1) throw usage('give at most one IMAGE');
  const { protocol } = values;
  const safes = safeAddresses(values);
  if (protocol !== 'T=0' && protocol !== 'T=1') throw usage(`--protocol: expected T=0 or T=1, got '${protocol}'`);
  const jobs = values.jobs === undefined ? Math.min(availableParallelism(), 8) : whole('jobs', values.jobs, 1, 64);
  return {
    image: positionals[0] ?? referenceImage, chip: values.chip, overrides: values.set, seed: whole('seed', values.seed, 0, 0xffffffff),
    protocol, points: values.point, from: values.from, jobs, cuts: whole('cuts', values.cuts, 0, 1_000_000), out: values.out,
    json: values.json, offered: values.ics === undefined ? defaultClaims : readStatement(values.ics),
    ...(safes.length === 0 ? {} : { safes }),
  };
}

function imageAndChip(options: Pick<CertifyOptions, 'image' | 'chip' | 'overrides'>): string {
  const image = options.image === referenceImage ? '' : ` ${basename(options.image)}`;
  return `${image} --chip ${options.chip}${options.overrides.map((override) => ` --set ${override}`).join('')}`;
}

/** Nothing where the bench's keys are used: then safes in this process give the same bytes. */
const atSafes = ({ safes = [] }: Pick<CertifyOptions, 'safes'>): string =>
  (safes.some(({ keys }) => keys === 'own') ? ' --safes URL,URL --safe-keys own' : '');

/** The command line that reproduces one point. */
export function replayLine(options: CertifyOptions, point: string): string {
  return `cardbench certify${imageAndChip(options)} --protocol ${options.protocol} --seed ${options.seed} --point ${point}${atSafes(options)}`;
}

/** The command line that reproduces one power cut; protocol and seed are part of its case id. */
export function replayCutLine(options: Pick<CertifyOptions, 'image' | 'chip' | 'overrides'>, caseId: string): string {
  return `cardbench replay ${caseId}${imageAndChip(options)}`;
}
