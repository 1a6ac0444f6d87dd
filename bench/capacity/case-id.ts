import { caseOf } from '../tear/case-id.js';
import type { TestSetup } from '../certify/factory.js';
import { TearError } from '../tear/index.js';

/** Everything that fixes one row of a capacity campaign. */
export interface CapacityCase {
  /** First 8 hexadecimal digits of the image's digest. */
  readonly firmware: string;
  /** Name of the chip profile. */
  readonly chip: string;
  readonly protocol: 'T=0' | 'T=1';
  readonly seed: number;
  /** Scenario with a dash: `2-recover`. */
  readonly scenario: string;
  /** The rest by kind: `level`, `claims`, `spend`, `wear`, `ram`, `cut`, with parts of its own. */
  readonly what: readonly string[];
}

/** A case as one string without spaces: `cap:1f2e3d4c:c2010:T=1:7:2-recover:level:2-5:pages-3`. */
export const capacityCaseId = ({ firmware, chip, protocol, seed, scenario, what }: CapacityCase): string =>
  ['cap', firmware, chip, protocol, seed, scenario, ...what].join(':');

/** True for case ids of capacity campaigns. */
export const isCapacityCase = (text: string): boolean => text.startsWith('cap:');

/** Reads a case id. @throws TearError TEAR_CASE when it is none */
export function parseCapacityCase(text: string): CapacityCase {
  const parts = /^cap:([0-9a-f]{8}):([^:]+):(T=[01]):(\d+):([12]-[a-z-]+):([a-z0-9-]+(?::[a-z0-9-]+)*)$/.exec(text);
  if (!parts) throw new TearError('TEAR_CASE', `${text} is no case id of a capacity campaign`, 'nothing was run');
  const [, firmware, chip, protocol, seed, scenario, what] = parts;
  return { firmware, chip, protocol: protocol as CapacityCase['protocol'], seed: Number(seed), scenario, what: what.split(':') };
}

/** The case of a row under a setup. */
export function capacityCaseOf(setup: TestSetup, scenario: string, what: readonly string[]): CapacityCase {
  const { firmware, chip, protocol, seed } = caseOf(setup, '', [], []);
  return { firmware, chip, protocol, seed, scenario, what };
}

