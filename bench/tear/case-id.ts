import { sha256 } from '@noble/hashes/sha2.js';
import { concat, toHex, uintBytes } from '../codec/index.js';
import type { Image } from '../../emulator/index.js';
import type { TestSetup } from '../certify/factory.js';
import { TearError } from './errors.js';

/** Everything that fixes one cut, or one and a second in the recovery from it, and what follows. */
export interface CutCase {
  /** First 8 hexadecimal digits of {@link imageDigest}. */
  readonly firmware: string;
  /** Name of the chip profile. */
  readonly chip: string;
  readonly protocol: 'T=0' | 'T=1';
  /** Seed of chip, keys and random numbers. */
  readonly seed: number;
  /** Id of the tear point. */
  readonly point: string;
  /** Core clock cycles: of the power session in which the point runs, then of the boot after the first cut. */
  readonly cycles: readonly number[];
  /** Names of the weak-cell policies after each cut. */
  readonly policies: readonly string[];
}

/** SHA-256 in hexadecimal over the segments of an image with their addresses. */
export function imageDigest(image: Image): string {
  const parts = image.segments.flatMap(({ address, data }) => [uintBytes(address, 4), uintBytes(data.length, 4), data]);
  return toHex(sha256(concat(...parts))).toLowerCase();
}

const digests = new WeakMap<Image, string>();

function digestOnce(image: Image): string {
  const known = digests.get(image) ?? imageDigest(image);
  digests.set(image, known);
  return known;
}

/**
 * A case as one string without spaces: `cut:1f2e3d4c:c2010:T=1:7:2-backup-Z-01:8123456:random-2`; with a second cut
 * `...:8123456+917354:old+new`.
 */
export const caseId = ({ firmware, chip, protocol, seed, point, cycles, policies }: CutCase): string =>
  ['cut', firmware, chip, protocol, seed, point, cycles.join('+'), policies.join('+')].join(':');

/** Reads a case id. @throws TearError TEAR_CASE when it is none */
export function parseCaseId(text: string): CutCase {
  const parts = /^cut:([0-9a-f]{8}):([^:]+):(T=[01]):(\d+):([^:]+):(\d+(?:\+\d+)?):([a-z0-9-]+(?:\+[a-z0-9-]+)?)$/.exec(text);
  const [, firmware, chip, protocol, seed, point, cycles = '', policies = ''] = parts ?? [];
  const read = { cycles: cycles.split('+').map(Number), policies: policies.split('+') };
  if (!parts || read.cycles.length !== read.policies.length) throw new TearError('TEAR_CASE', `${text} is no case id of a power cut`);
  return { firmware, chip, protocol: protocol as CutCase['protocol'], seed: Number(seed), point, ...read };
}

/** The case of a cut under a setup. */
export function caseOf(setup: TestSetup, point: string, cycles: readonly number[], policies: readonly string[]): CutCase {
  const { image, profile, seed, protocol } = setup;
  return { firmware: digestOnce(image).slice(0, 8), chip: profile.name, protocol, seed, point, cycles, policies };
}
