import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeviceError } from '../../devices/index.js';
import { ChipError, EmulatorError } from '../../emulator/index.js';
import { conclusionOf, summary } from '../../reports/index.js';
import { ScenarioError } from '../../scenarios/index.js';
import { catalogueSteps, exitCodeOf, runCampaign } from '../certify/campaign.js';
import type { CampaignResult } from '../certify/campaign.js';
import { CERTIFY_USAGE, certifyOptions } from '../certify/options.js';
import type { CertifyOptions } from '../certify/options.js';
import { workerPool } from '../certify/pool.js';
import { createProgress } from '../certify/progress.js';
import { connectSafes, servedLines } from '../certify/served.js';
import { headerOf, loadSetup } from '../certify/setup.js';
import { BenchError } from '../world/errors.js';
import type { CommandIo } from './exec.js';

/** What `cardbench certify` needs beside the usual. */
export interface CertifyIo extends CommandIo {
  /** True when progress may move the cursor. */
  readonly terminal: boolean;
  readonly colour: boolean;
  /** Writes to the progress stream without a line feed. */
  progress(text: string): void;
  /** Calls back at Ctrl-C. */
  onInterrupt(run: () => void): () => void;
}

/** A coded error as the user sees it: what happened, what is still true, what to do. */
export function explain(error: unknown): readonly string[] | undefined {
  if (error instanceof EmulatorError || error instanceof ChipError || error instanceof ScenarioError) return [error.message];
  if (!(error instanceof BenchError || isDeviceError(error))) return undefined;
  return [`${error.code}: ${error.message}`, `still true: ${error.stillTrue}`, `next: ${error.next}`];
}

/** Reads a firmware image. Throws BenchError BENCH_IMAGE. */
export function readImage(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch {
    throw new BenchError('BENCH_IMAGE', `${path} cannot be read`, 'nothing was run');
  }
}

async function certify(options: CertifyOptions, io: CertifyIo): Promise<CampaignResult> {
  const image = readImage(options.image);
  const setup = loadSetup(options, image);
  for (const line of servedLines(await connectSafes(options.safes))) io.err(line);
  let stop = false;
  const release = io.onInterrupt(() => { stop = true; });
  try {
    return await runCampaign({
      options, header: headerOf(options, image, setup), pool: workerPool(options), stopped: () => stop,
      progress: (total) => createProgress({ total, terminal: io.terminal, write: (text) => { io.progress(text); }, now: () => io.now() }),
    });
  } finally {
    release();
  }
}

function tell({ record, recordFile, next }: CampaignResult, options: CertifyOptions, io: CertifyIo): void {
  const conclusion = conclusionOf(record);
  if (options.json) {
    const matrix = conclusion && { certified: conclusion.certified, steps: conclusion.steps, states: conclusion.states, claims: conclusion.claims, reasons: conclusion.reasons };
    io.out(JSON.stringify({ counts: record.end.counts, record: recordFile, next: next ?? null, ...matrix && { matrix } }));
  } else io.out(summary(record, { brief: true, colour: io.colour, catalogue: catalogueSteps() }).trimEnd());
  io.err(`record and reports: ${options.out}`);
  if (next !== undefined) io.err(`stopped before ${next}; what was run is recorded. Go on with --from ${next} and another --out`);
}

/** Runs `cardbench certify`; resolves to the exit code. */
export async function certifyCommand(argv: readonly string[], io: CertifyIo): Promise<number> {
  try {
    const options = certifyOptions(argv);
    const startedAt = new globalThis.Date().toISOString();
    const begun = io.now();
    const result = await certify(options, io);
    writeFileSync(join(options.out, 'run.json'), `${JSON.stringify({
      startedAt, seconds: (io.now() - begun) / 1000, node: process.version, jobs: options.jobs, arguments: argv,
    }, null, 2)}\n`);
    tell(result, options, io);
    return exitCodeOf(result.record.end.counts, result.next === undefined, conclusionOf(result.record));
  } catch (error) {
    const lines = explain(error);
    if (lines === undefined) throw error;
    for (const line of lines) io.err(line);
    if (error instanceof BenchError && error.code === 'BENCH_USAGE') io.err(CERTIFY_USAGE);
    return error instanceof BenchError && (error.code === 'BENCH_PERSONALISE' || error.code === 'BENCH_SAFE') ? 3 : 2;
  }
}
