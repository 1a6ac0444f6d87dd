import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ChipError, loadProfile } from '../../emulator/index.js';
import type { Capability } from '../../scenarios/index.js';
import { BenchError } from '../world/errors.js';
import { statementFor } from './statement.js';
import type { SafeAddress } from '../world/served-safes.js';
import { safeAddresses, safeSettings } from './safe-options.js';

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
  /** Everything, then the matrix of all step ids and claims. */
  readonly all: boolean;
  /** Paths derived from the machines as well, and which transitions were taken. */
  readonly paths: boolean;
  /** Name of the conformance statement, and what it claims. */
  readonly statement: string;
  readonly offered: readonly Capability[];
  /** Safes that are served, in the order of their parts; the others are played in this process. */
  readonly safes?: readonly SafeAddress[];
}

/** Usage of `cardbench certify`. */
export const CERTIFY_USAGE = `cardbench certify [IMAGE] [--chip c2000|c2010|modern|FILE.yaml] [--set KEY=VALUE]... [--protocol T=0|T=1]
  [--seed N] [--point PATTERN]... [--from ID] [--cuts N] [--all] [--paths] [--ics FILE] [--jobs N] [--out DIR] [--json]
  [--safes URL,URL --safe-token FILE,FILE [--safe-cert FILE,FILE | --safe-fingerprint HEX,HEX] [--safe-keys bench|own]]
Certifies a card firmware (default: the reference firmware) against the test plan on the emulated chip. A PATTERN is
a point id or part of some (2-backup-A), * stands for anything. --cuts takes power away at N random cycles of each phase (default 100).
--ics is the conformance statement (docs/statement.md): what the firmware claims; the rest is unsupported. Without one:
devices/firmware/ics.yaml for the reference firmware, otherwise embodiments 1 and 2.
--all also draws the matrix of all 183 step ids and 44 claims with the evidence for each; what has none makes the run
'not certified' (exit 1). --paths also runs the paths derived from the scenario machines and says which of their
transitions were taken.
--safes plays the safes by ones that run elsewhere with 'cardbench safe serve --compartments' (docs/safe.md).
Writes record.jsonl, junit.xml, summary.txt and run.json to --out (default cardbench-out).
Exit: 0 all passed, 1 a point failed, 2 usage or bad image, 3 a point was invalid or aborted, or stopped by Ctrl-C`;

const root = packageRoot();

function packageRoot(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const up = here.includes(`${join('dist', 'bench')}`) ? ['..', '..', '..'] : ['..', '..'];
  return join(here, ...up);
}

const imageFile = (name: string): string => join(root, 'devices', 'firmware', 'images', `${name}.elf`);

/** The prebuilt reference firmware with every system. */
export const referenceImage: string = imageFile('card');
/** The prebuilt reference firmware for chips with little code memory and a coprocessor: embodiments 1, 2 and 7. */
export const smallReferenceImage: string = imageFile('card-small');
/** Code memory, bytes, up to which the small image is meant. */
const smallCode = 32_768;

/** The prebuilt reference firmware for a chip. What is wrong with the chip is left to those who load it. */
export function referenceFor(chip: string, overrides: readonly string[] = []): string {
  try {
    const { code, crypto } = loadProfile(chip, [...overrides]);
    return code.bytes <= smallCode && crypto.present ? smallReferenceImage : referenceImage;
  } catch (error) {
    if (!(error instanceof ChipError)) throw error;
    return referenceImage;
  }
}

/** What the reference firmware claims. */
export const referenceStatement: string = join(root, 'devices', 'firmware', 'ics.yaml');

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
  all: { type: 'boolean', default: false },
  ...safeSettings,
  paths: { type: 'boolean', default: false },
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
  if (values.all && (values.point.length > 0 || values.from !== undefined)) throw usage('--all runs every point; leave out --point and --from');
  const image = positionals[0] ?? referenceFor(values.chip, values.set);
  const { name: statement, offered } = statementFor(image, values.ics, referenceStatement);
  return {
    image, chip: values.chip, overrides: values.set, seed: whole('seed', values.seed, 0, 0xffffffff),
    protocol, points: values.point, from: values.from, jobs, cuts: whole('cuts', values.cuts, 0, 1_000_000), out: values.out,
    json: values.json, all: values.all, paths: values.paths, statement, offered,
    ...(safes.length === 0 ? {} : { safes }),
  };
}

function imageAndChip(options: Pick<CertifyOptions, 'image' | 'chip' | 'overrides'>): string {
  const image = options.image === referenceFor(options.chip, options.overrides) ? '' : ` ${basename(options.image)}`;
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
