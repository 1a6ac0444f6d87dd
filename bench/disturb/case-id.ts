import type { TestSetup } from '../certify/factory.js';
import { imageDigest } from '../tear/index.js';
import { BenchError } from '../world/errors.js';
import { detailText, disturbanceOf } from './spec.js';
import type { Disturbance } from './spec.js';

/** Everything that fixes one disturbance and what follows. */
export interface DisturbCase {
  /** First 8 hexadecimal digits of imageDigest. */
  readonly firmware: string;
  /** Name of the chip profile. */
  readonly chip: string;
  readonly protocol: 'T=0' | 'T=1';
  /** Seed of chip, keys and random numbers. */
  readonly seed: number;
  /** Id of the disturbed point. */
  readonly point: string;
  readonly what: Disturbance;
  /** Name of the weak-cell policy, for memories that a power loss leaves with weak cells. */
  readonly policy: string;
}

/** Beginning of the case ids of disturbances. */
export const DISTURB_PREFIX = 'dis:';

/** A case as one string without spaces: `dis:1f2e3d4c:c2010:T=1:7:2-backup-D-01:flip:8123456:r3.17:new`. */
export const disturbCaseId = ({ firmware, chip, protocol, seed, point, what, policy }: DisturbCase): string =>
  `${DISTURB_PREFIX}${[firmware, chip, protocol, seed, point, what.kind, what.cycle, detailText(what), policy].join(':')}`;

/** Reads a case id. @throws BenchError BENCH_USAGE when it is none */
export function parseDisturbCase(text: string): DisturbCase {
  const parts = /^dis:([0-9a-f]{8}):([^:]+):(T=[01]):(\d+):([^:]+):([a-z]+):(\d+):([^:]+):([a-z0-9-]+)$/.exec(text);
  if (!parts) throw new BenchError('BENCH_USAGE', `${text} is no case id of a disturbance`, 'nothing was run');
  const [, firmware, chip, protocol, seed, point, kind, cycle, detail, policy] = parts;
  return {
    firmware, chip, protocol: protocol as DisturbCase['protocol'], seed: Number(seed), point,
    what: disturbanceOf(kind, Number(cycle), detail), policy,
  };
}

/** The case of a disturbance under a setup. */
export function disturbCaseOf({ image, profile, seed, protocol }: TestSetup, point: string, what: Disturbance, policy: string): DisturbCase {
  return { firmware: imageDigest(image).slice(0, 8), chip: profile.name, protocol, seed, point, what, policy };
}
