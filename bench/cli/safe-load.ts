import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createProgress } from '../certify/progress.js';
import { loadText, runLoad } from '../load/index.js';
import type { LoadResult } from '../load/index.js';
import { SafeError } from '../safe/index.js';
import type { CertifyIo } from './certify.js';
import type { CommandIo } from './exec.js';

/** Usage of `cardbench safe load`. */
export const LOAD_USAGE = `cardbench safe load [--certificates N] [--store DIR] [--connections K] [--kills K] [--in-flight N] [--seed N] [--json]
Registers N certificates (default 100000) at a new safe served by a process of its own, measures lookups at N/100, N/10
and N, kills the process with SIGKILL K times (default 3) while --in-flight registrations are under way (default 1000), and compares
every record with what was acknowledged. --store keeps the safe in a new folder; otherwise it is removed again.
Exit: 0 pass, 1 a certificate was lost, changed or repeated or lookups grow faster than O(log n), 2 usage,
3 a kill hit nothing, stopped, or the safe failed`;

/** What `safe load` needs: progress and Ctrl-C where there are any. */
export type LoadIo = CommandIo & Partial<Pick<CertifyIo, 'terminal' | 'progress' | 'onInterrupt'>>;

const options = {
  certificates: { type: 'string', default: '100000' }, store: { type: 'string' }, connections: { type: 'string', default: '64' },
  kills: { type: 'string', default: '3' }, 'in-flight': { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
} as const;

const usage = (message: string): SafeError => new SafeError('SAFE_SETUP', message);

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    throw usage((error as Error).message);
  }
}
type Values = ReturnType<typeof parse>;

function whole(values: Values, name: 'certificates' | 'connections' | 'kills' | 'in-flight' | 'seed', least: number, most: number): number {
  const value = Number(values[name]);
  if (values[name].trim() === '' || !Number.isInteger(value) || value < least || value > most)
    throw usage(`--${name}: expected ${least}-${most}, got '${values[name]}'`);
  return value;
}

const exits: Readonly<Record<LoadResult['verdict'], number>> = { pass: 0, fail: 1, invalid: 3, aborted: 3 };

async function load(values: Values, io: LoadIo, entry: string, before: readonly string[]): Promise<number> {
  const certificates = whole(values, 'certificates', 100, 100_000_000);
  const numbers = {
    certificates, connections: whole(values, 'connections', 1, 1024), kills: whole(values, 'kills', 0, 1000),
    inFlight: whole(values, 'in-flight', 2, 10_000), seed: whole(values, 'seed', 0, 0xffffffff),
  };
  if (values.store !== undefined && existsSync(values.store)) throw usage(`--store: ${values.store} exists already; give a new folder`);
  const store = values.store ?? mkdtempSync(join(tmpdir(), 'cardbench-load-'));
  let stop = false;
  const release = io.onInterrupt?.(() => { stop = true; });
  const progress = createProgress({
    total: certificates, terminal: io.terminal ?? false, now: () => io.now(), write: (text) => { if (io.progress) io.progress(text); else io.err(text.trimEnd()); },
  });
  try {
    const result = await runLoad({
      ...numbers, store, entry, before, now: () => io.now(), stopped: () => stop, progress: (done, text) => { progress.step(done, text); },
    });
    progress.end();
    io.out(values.json ? JSON.stringify(result) : loadText(result));
    return exits[result.verdict];
  } finally {
    release?.();
    if (values.store === undefined) rmSync(store, { recursive: true, force: true });
  }
}

/**
 * `cardbench safe load`. `entry` and `before` say how a safe is served: this command line by default. Resolves to the
 * exit code; rejects with SafeError.
 */
export async function safeLoad(
  argv: readonly string[], io: LoadIo, entry = fileURLToPath(new URL('./main.js', import.meta.url)), before: readonly string[] = ['safe'],
): Promise<number> {
  const values = parse(argv);
  if (!values.help) return load(values, io, entry, before);
  io.out(LOAD_USAGE);
  return 0;
}
