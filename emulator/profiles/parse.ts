import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { ChipError } from '../devices/errors.js';
import { profileSchema, type ChipProfile } from './schema.js';

const UNCHANGED = 'no chip was built';

/**
 * Checks a chip profile given as YAML or JSON text or as an object, after applying `overrides` such as
 * `ram.bytes=0xC00` in order. Pure: reads no files.
 * @throws ChipError PROFILE_SYNTAX, PROFILE_UNKNOWN_KEY, PROFILE_INVALID, OVERRIDE_SYNTAX
 */
export function parseProfile(source: string | object, overrides: readonly string[] = []): ChipProfile {
  const raw = typeof source === 'string' ? parseText(source) : structuredClone(source);
  for (const override of overrides) applyOverride(raw, override);
  const parsed = profileSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw profileError(parsed.error, raw);
}

/** Name among `known` that is nearest to `name` by edit distance; the first of equals. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function parseText(text: string): object {
  const document = parseDocument(text);
  const value: unknown = document.errors.length > 0 ? undefined : document.toJS();
  if (typeof value === 'object' && value !== null) return value;
  throw new ChipError('PROFILE_SYNTAX', `the profile is not a YAML mapping: ${document.errors[0]?.message ?? typeof value}`,
    UNCHANGED, 'correct the text');
}

function applyOverride(root: object, override: string): void {
  const cut = override.indexOf('=');
  if (cut < 1) {
    throw new ChipError('OVERRIDE_SYNTAX', `'${override}' is not of the form path=value`, UNCHANGED, 'write for example ram.bytes=3072');
  }
  const path = override.slice(0, cut).trim().split('.');
  const last = path.pop() ?? '';
  let node = root as Record<string, unknown>;
  const walked: string[] = [];
  for (const key of path) {
    requireKey(node, key, walked);
    const next = node[key];
    walked.push(key);
    if (typeof next !== 'object' || next === null) throw unknownKey([...walked, last], undefined);
    node = next as Record<string, unknown>;
  }
  requireKey(node, last, walked);
  node[last] = scalar(override.slice(cut + 1).trim());
}

function requireKey(node: Record<string, unknown>, key: string, walked: readonly string[]): void {
  if (Object.hasOwn(node, key)) return;
  throw unknownKey([...walked, key], nearestName(key, Object.keys(node)));
}

function scalar(text: string): string | number | boolean {
  if (text === 'true') return true;
  if (text === 'false') return false;
  if (/^-?0x[0-9a-f]+$/i.test(text)) return text.startsWith('-') ? -Number(text.slice(1)) : Number(text);
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

function unknownKey(path: readonly string[], nearest: string | undefined): ChipError {
  const parent = path.slice(0, -1);
  const hint = nearest === undefined ? 'remove it' : `did you mean ${[...parent, nearest].join('.')}?`;
  return new ChipError('PROFILE_UNKNOWN_KEY', `unknown key ${path.join('.')}`, UNCHANGED, hint);
}

function profileError(error: z.ZodError, raw: object): ChipError {
  for (const issue of error.issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    const path = issue.path.map(String);
    return unknownKey([...path, issue.keys[0] ?? ''], nearestName(issue.keys[0] ?? '', knownKeys(path)));
  }
  const list = error.issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}${given(raw, issue.path)}`);
  return new ChipError('PROFILE_INVALID', list.join(', '), UNCHANGED, 'correct the values');
}

function given(raw: object, path: readonly PropertyKey[]): string {
  let node: unknown = raw;
  for (const key of path) node = typeof node === 'object' && node !== null ? (node as Record<PropertyKey, unknown>)[key] : undefined;
  return typeof node === 'number' || typeof node === 'string' ? ` (given ${node})` : '';
}

function knownKeys(path: readonly string[]): string[] {
  let shape: Record<string, unknown> = profileSchema.shape;
  for (const key of path) {
    const child = shape[key];
    shape = typeof child === 'object' && child !== null && 'shape' in child ? child.shape as Record<string, unknown> : {};
  }
  return Object.keys(shape);
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replace, previous[j] + 1, row[j - 1] + 1));
    }
    previous = row;
  }
  return previous[b.length];
}
