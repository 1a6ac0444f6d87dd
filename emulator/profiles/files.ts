import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ChipError, type ChipErrorCode } from '../devices/errors.js';
import { parseProfile } from './parse.js';
import type { ChipProfile } from './schema.js';

/** Names of the profiles that come with the package. */
export const PROFILE_NAMES = ['c2000', 'c2010', 'modern', 'generic'] as const;

/**
 * Reads a profile from disk: one of {@link PROFILE_NAMES}, or the path of a YAML file (a name with a dot or a
 * slash), and applies `overrides` such as `ram.bytes=3072`.
 * @throws ChipError PROFILE_NOT_FOUND, and those of {@link parseProfile}
 */
export function loadProfile(nameOrPath: string, overrides: readonly string[] = []): ChipProfile {
  return parseProfile(readProfileText(nameOrPath), overrides);
}

/** Text of a profile file, named as for {@link loadProfile}. @throws ChipError PROFILE_NOT_FOUND */
export function readProfileText(nameOrPath: string): string {
  const path = /[./\\]/.test(nameOrPath) ? nameOrPath : join(profileFolder(), `${nameOrPath}.yaml`);
  if (existsSync(path)) return readFileSync(path, 'utf8');
  const code: ChipErrorCode = 'PROFILE_NOT_FOUND';
  throw new ChipError(code, `there is no profile '${nameOrPath}'`, 'no chip was built',
    `use one of ${PROFILE_NAMES.join(', ')} or the path of a YAML file`);
}

/** Folder of the profile files: beside this module in the sources, in the package root's emulator/profiles when built. */
export function profileFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  if (existsSync(join(here, 'c2010.yaml'))) return here;
  return join(here, '..', '..', '..', 'emulator', 'profiles');
}
