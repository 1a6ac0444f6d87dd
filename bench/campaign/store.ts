import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BenchError } from '../world/errors.js';
import type { UnitResult } from './types.js';

/** Version of the file of unit results. */
const VERSION = 1;
/** Name of the file of unit results in a campaign's folder. */
export const UNITS_FILE = 'units.jsonl';

interface Head {
  readonly type: 'units';
  readonly version: number;
  /** Tells campaigns apart: everything that decides the results. */
  readonly key: string;
}

/** Results of units as they come, one line each, in a file that survives a stop at any moment. */
export interface UnitStore {
  /** Results found when the store was opened, by unit. */
  readonly found: ReadonlyMap<string, unknown>;
  /** Adds a result; it is in the file when this returns. */
  add(result: UnitResult<unknown>): void;
}

function readHead(file: string, text: string, key: string): void {
  let head: Partial<Head> = {};
  try {
    head = JSON.parse(text) as Partial<Head>;
  } catch {
    throw new BenchError('BENCH_OUTPUT', `${file} does not begin with the head of a campaign`, 'the file is unchanged');
  }
  if (head.type !== 'units' || head.version !== VERSION)
    throw new BenchError('BENCH_OUTPUT', `${file} has version ${String(head.version)}, this cardbench reads ${VERSION}`, 'the file is unchanged');
  if (head.key !== key)
    throw new BenchError('BENCH_OUTPUT', `${file} belongs to another campaign: firmware, chip, seed, options or version of cardbench differ`, 'the file is unchanged');
}

/** Results in a file; a last line without its line feed was cut off by a stop and does not count. */
function readUnits(file: string, key: string): { found: Map<string, unknown>; bytes: number } {
  const text = readFileSync(file, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const [head = '', ...lines] = whole.split('\n').slice(0, -1);
  readHead(file, head, key);
  const found = new Map<string, unknown>();
  lines.forEach((line, at) => {
    try {
      const { unit, result } = JSON.parse(line) as UnitResult<unknown>;
      found.set(unit, result);
    } catch {
      throw new BenchError('BENCH_OUTPUT', `${file}: line ${at + 2} is no result of a unit`, 'the file is unchanged');
    }
  });
  return { found, bytes: Buffer.byteLength(whole) };
}

/**
 * Reads the results in a campaign's folder.
 * @throws BenchError BENCH_OUTPUT when there are none, or they belong to a campaign with another key
 */
export function readStore(folder: string, key: string): ReadonlyMap<string, unknown> {
  const file = join(folder, UNITS_FILE);
  if (!existsSync(file)) throw new BenchError('BENCH_OUTPUT', `${folder} holds no campaign (${UNITS_FILE} is missing)`, 'nothing was changed');
  return readUnits(file, key).found;
}

/**
 * Opens the store of a campaign's folder: anew, or with `resume` on what an earlier run has left there.
 * @throws BenchError BENCH_OUTPUT when the folder cannot be written or holds another campaign
 */
export function openStore(folder: string, key: string, resume: boolean): UnitStore {
  const file = join(folder, UNITS_FILE);
  let found = new Map<string, unknown>();
  try {
    mkdirSync(folder, { recursive: true });
    if (resume && existsSync(file)) {
      const earlier = readUnits(file, key);
      found = earlier.found;
      truncateSync(file, earlier.bytes);
    } else {
      const head: Head = { type: 'units', version: VERSION, key };
      writeFileSync(file, `${JSON.stringify(head)}\n`);
    }
  } catch (error) {
    if (error instanceof BenchError) throw error;
    throw new BenchError('BENCH_OUTPUT', `${file} cannot be written: ${String(error)}`, 'nothing was run');
  }
  return {
    found,
    add(result) {
      appendFileSync(file, `${JSON.stringify(result)}\n`);
    },
  };
}
