import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { nearestName } from '../../emulator/index.js';
import { capabilities, capabilitiesOf, capabilityTable } from '../../scenarios/index.js';
import type { Capability, CapabilityGroup } from '../../scenarios/index.js';
import { BenchError } from '../world/errors.js';

/** What a firmware claims to support. Only that is tested; the rest is unsupported. */
export interface Statement {
  /** Name of the implementation, for reports. */
  readonly name: string;
  readonly offered: readonly Capability[];
  /** Features of the image that was stated for, where it says so. */
  readonly features?: readonly string[];
}

/** Optional parts of the reference firmware's images (devices/firmware/app/features.h) and the claims each is for. Table. */
const features = {
  seed: ['embodiment-7'], 'two-safes': ['embodiment-3', 'embodiment-12'], pieces: ['embodiment-4', 'embodiment-6'],
  couple: ['embodiment-5', 'embodiment-6'], owner: ['embodiment-9', 'embodiment-10'], sealed: ['sealed-traffic'], conditions: ['embodiment-11'],
  purse: ['purse'], twin: ['twin'], member: ['member'], 'legacy-hashes': ['legacy-hashes'],
} as const satisfies Readonly<Record<string, readonly Capability[]>>;

const names = <T extends string>(known: readonly T[]): z.ZodArray<z.ZodEnum<Record<string, T>>> =>
  z.array(z.enum(Object.fromEntries(known.map((name) => [name, name])) as Record<string, T>));

const group = (which: CapabilityGroup): z.ZodArray<z.ZodEnum<Record<string, Capability>>> => names(capabilitiesOf(which));

const grouped = z.strictObject({
  name: z.string().min(1).describe('the implementation, for reports'),
  image: z.string().min(1).optional().describe('file the statement is about, for the reader'),
  embodiments: z.array(z.int().min(1).max(12)).default([]).describe('embodiments of the backup protocol'),
  systems: group('systems').default([]).describe('related systems'),
  variants: group('variants').default([]).describe('variants within the embodiments'),
  transports: group('transports').min(1).describe('how commands reach the card'),
  chip: group('chip').default([]).describe('what chip and bench offer'),
  features: names(Object.keys(features) as (keyof typeof features)[]).optional().describe('optional parts the image was built with'),
});

const short = z.strictObject({ supports: names(capabilities).min(1).describe('everything in one list') });

/** JSON Schema of a statement, as shipped in devices/firmware/ics.schema.json. */
export const statementJsonSchema = (): object => z.toJSONSchema(z.union([grouped, short]), { io: 'input' });

const usage = (path: string, text: string): BenchError => new BenchError('BENCH_USAGE', `--ics: ${path}: ${text}`, 'nothing was run');

/** The node at a path of the parsed YAML, for messages. */
function given(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((node, key) => (typeof node === 'object' && node !== null ? (node as Record<PropertyKey, unknown>)[key] : undefined), raw);
}

const nearest = (name: string, known: readonly string[]): string => {
  const near = nearestName(name, known);
  return near === undefined ? '' : `; did you mean ${near}?`;
};

/** Says where a name belongs that stands in the wrong list. */
function misplaced(name: string, list: string, known: readonly string[]): string {
  if (!(name in capabilityTable)) return nearest(name, known);
  const home = capabilityTable[name as Capability].group;
  return home === list || list === 'supports' ? '' : `; it belongs in ${home}`;
}

function problem(issue: z.core.$ZodIssue, raw: unknown, keys: readonly string[]): string {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `unknown key ${key}${nearest(key, keys)}`).join('; ');
  const where = issue.path.map(String).join('.');
  const value = given(raw, issue.path);
  if (issue.code === 'invalid_value' && typeof value === 'string') {
    const known = issue.values.map(String);
    return `${where}: there is no ${value}${misplaced(value, String(issue.path[0]), known)}`;
  }
  return `${where === '' ? '' : `${where}: `}${issue.message}`;
}

/** Claims that cannot be tested, or that the image was built without. */
function contradiction(offered: readonly Capability[], built: readonly (keyof typeof features)[] | undefined): string | undefined {
  if (!offered.includes('T=0') && !offered.includes('T=1')) return 'transports: give T=0 or T=1; nothing can be run without';
  if (!offered.some((one) => ['embodiments', 'systems'].includes(capabilityTable[one].group))) return 'it claims no embodiment and no system';
  for (const [name, claims] of Object.entries(features)) {
    const without = built === undefined || built.includes(name as keyof typeof features) ? undefined : claims.find((claim) => offered.includes(claim));
    if (without !== undefined) return `it claims ${without}, but the features leave out ${name}`;
  }
  return undefined;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw usage(path, 'it cannot be read');
  }
}

/**
 * Reads a conformance statement from text.
 * @param path name in messages
 * @throws BenchError BENCH_USAGE naming the key and the nearest known one
 */
export function parseStatement(text: string, path: string): Statement {
  const document = parseDocument(text);
  if (document.errors.length > 0) throw usage(path, `no YAML: ${document.errors[0].message.split('\n')[0]}`);
  const raw: unknown = document.toJS();
  const isShort = typeof raw === 'object' && raw !== null && 'supports' in raw;
  const parsed = isShort ? short.safeParse(raw) : grouped.safeParse(raw);
  const keys = Object.keys(isShort ? short.shape : grouped.shape);
  if (!parsed.success) throw usage(path, [...new Set(parsed.error.issues.map((issue) => problem(issue, raw, keys)))].join('; '));
  const { data } = parsed;
  const claimed = 'supports' in data ? data.supports
    : [...data.embodiments.map((one) => `embodiment-${one}` as Capability), ...data.systems, ...data.variants, ...data.transports, ...data.chip];
  const offered = capabilities.filter((one) => claimed.includes(one));
  const built = 'supports' in data ? undefined : data.features;
  const wrong = contradiction(offered, built);
  if (wrong !== undefined) throw usage(path, wrong);
  return { name: 'name' in data ? data.name : path, offered, ...built && { features: built } };
}

/**
 * Reads a conformance statement.
 * @throws BenchError BENCH_USAGE when it cannot be read or says what cannot be
 */
export const readStatement = (path: string): Statement => parseStatement(read(path), path);

/** What is taken to be claimed without a statement: embodiments 1 and 2 with everything but resistance to attacks on the running core. */
export const withoutStatement: Statement = {
  name: 'no statement given',
  offered: capabilities.filter((one) => one !== 'fault-resistance' && capabilityTable[one].group !== 'systems' && !/^embodiment-([3-9]|1\d)$/.test(one)),
};

/**
 * The statement an image is tested by: the one given, for images of the reference firmware (also its faulty builds) the
 * one that is shipped with it (the small image has its own), otherwise {@link withoutStatement}.
 * @param shipped path of the reference firmware's statement
 * @throws BenchError BENCH_USAGE
 */
export function statementFor(image: string, given_: string | undefined, shipped: string): Statement {
  if (given_ !== undefined) return readStatement(given_);
  const own = join(dirname(resolve(shipped)), 'images') + sep;
  if (!resolve(image).startsWith(own)) return withoutStatement;
  return readStatement(basename(image) === 'card-small.elf' ? join(dirname(resolve(shipped)), 'ics-small.yaml') : shipped);
}
