import { readFileSync } from 'node:fs';
import { BenchError } from '../world/errors.js';
import type { SafeAddress } from '../world/served-safes.js';
import { safeRoles } from './served.js';

/** Options that say where safes are served; each takes several values, by commas or given again, in the order of --safes. */
export const safeSettings = {
  'safes': { type: 'string', multiple: true, default: [] as string[] },
  'safe-token': { type: 'string', multiple: true, default: [] as string[] },
  'safe-cert': { type: 'string', multiple: true, default: [] as string[] },
  'safe-fingerprint': { type: 'string', multiple: true, default: [] as string[] },
  'safe-keys': { type: 'string', default: 'bench' },
} as const;

/** Values of {@link safeSettings} as they were parsed. */
export interface SafeValues {
  readonly 'safes': readonly string[];
  readonly 'safe-token': readonly string[];
  readonly 'safe-cert': readonly string[];
  readonly 'safe-fingerprint': readonly string[];
  readonly 'safe-keys': string;
}

const usage = (text: string): BenchError => new BenchError('BENCH_USAGE', text, 'nothing was run');
const listed = (values: readonly string[]): readonly string[] => values.flatMap((value) => value.split(',')).filter((value) => value !== '');

function contentOf(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw usage(`--${option}: ${file} cannot be read`);
  }
}

function addressOf(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) throw usage(`--safes: '${text}' is no address like https://127.0.0.1:7816`);
  return text;
}

function checkCounts(safes: readonly string[], ...others: readonly (readonly [option: string, given: number, must: boolean])[]): void {
  if (safes.length > safeRoles.length) throw usage(`--safes: at most ${safeRoles.length}, got ${safes.length}`);
  for (const [option, given, must] of others)
    if (given !== safes.length && (must || given > 0)) throw usage(`--${option}: give one for each of the ${safes.length} safes, got ${given}`);
}

/** Reads where safes are served, with the files named. Throws BenchError BENCH_USAGE. */
export function safeAddresses(values: SafeValues): readonly SafeAddress[] {
  const safes = listed(values.safes).map(addressOf);
  const [tokens, certs, prints] = [listed(values['safe-token']), listed(values['safe-cert']), listed(values['safe-fingerprint'])];
  checkCounts(safes, ['safe-token', tokens.length, true], ['safe-cert', certs.length, false], ['safe-fingerprint', prints.length, false]);
  if (certs.length > 0 && prints.length > 0) throw usage('give --safe-cert or --safe-fingerprint, not both');
  const wrong = prints.find((print) => !/^([0-9A-Fa-f]{2}:?){32}$/.test(print));
  if (wrong !== undefined) throw usage(`--safe-fingerprint: '${wrong}' is no SHA-256`);
  const keys = values['safe-keys'];
  if (keys !== 'bench' && keys !== 'own') throw usage(`--safe-keys: expected bench or own, got '${keys}'`);
  return safes.map((url, at) => ({
    url, keys, token: contentOf('safe-token', tokens[at]).trim(),
    ...(certs.length > 0 ? { ca: contentOf('safe-cert', certs[at]) } : {}),
    ...(prints.length > 0 ? { fingerprint: prints[at] } : {}),
  }));
}
