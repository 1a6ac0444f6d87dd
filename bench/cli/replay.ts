import { parseArgs } from 'node:util';
import { isCapacityCase, parseCapacityCase, replayCapacity } from '../capacity/index.js';
import type { CapacityReplay } from '../capacity/index.js';
import { WorldFactory } from '../certify/factory.js';
import { referenceFor } from '../certify/options.js';
import { loadSetup } from '../certify/setup.js';
import { DISTURB_PREFIX, parseDisturbCase, replayDisturbance } from '../disturb/index.js';
import { CARD_CASE_PREFIX, parseCardCase, purseFactoryOf, replayCardCuts } from '../purse/index.js';
import { replayTwinCuts, parseTwinCase, TWIN_CASE_PREFIX, twinFactoryOf } from '../twin/index.js';
import { purseCutPoints, twinCutPoints } from '../../scenarios/index.js';
import { parseCaseId, replayCut, TearError } from '../tear/index.js';
import { BenchError } from '../world/errors.js';
import { explain, readImage } from './certify.js';
import type { CommandIo } from './exec.js';

/** Usage of `cardbench replay`. */
export const REPLAY_USAGE = `cardbench replay CASE [IMAGE] [--chip P] [--set KEY=VALUE]... [--json]
Repeats one power cut (cut:...), cuts on several cards (cards:..., twin:...), disturbance (dis:...) or capacity condition (cap:...) from scratch: the case id of a
failure says firmware, chip, protocol, seed and what was done. The image must be the one of the case.
Exit: 0 no invariant broken, 1 broken as reported, 2 usage or another image, 3 the bench failed`;

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv], allowPositionals: true,
      options: { chip: { type: 'string' }, set: { type: 'string', multiple: true, default: [] }, json: { type: 'boolean', default: false } },
    });
  } catch (error) {
    throw new BenchError('BENCH_USAGE', error instanceof Error ? error.message : String(error), 'nothing was run');
  }
}

async function replayDisturb(id: string, named: string | undefined, values: ReturnType<typeof parsed>['values'], io: CommandIo): Promise<number> {
  const { chip, protocol, seed } = parseDisturbCase(id);
  const image = named ?? referenceFor(values.chip ?? chip, values.set);
  const report = await replayDisturbance(loadSetup({ chip: values.chip ?? chip, overrides: values.set, protocol, seed }, readImage(image)), id);
  const { outcome, proof, end, digest, findings } = report;
  if (values.json) io.out(JSON.stringify(report));
  else {
    io.out(`${id}: ${outcome}; run ended: ${end}; memory ${digest}`);
    io.out(`proof: ${proof}`);
    for (const { invariant, text } of findings) io.out(`${invariant}: ${text}`);
    if (findings.length === 0) io.out('no invariant is broken');
  }
  if (findings.length > 0) return 1;
  return outcome === 'invalid' ? 3 : 0;
}

async function replayCards(id: string, named: string | undefined, values: ReturnType<typeof parsed>['values'], io: CommandIo): Promise<number> {
  const twin = id.startsWith(TWIN_CASE_PREFIX);
  const { chip, protocol, seed } = twin ? parseTwinCase(id) : parseCardCase(id);
  const image = named ?? referenceFor(values.chip ?? chip, values.set);
  const factory = new WorldFactory(loadSetup({ chip: values.chip ?? chip, overrides: values.set, protocol, seed }, readImage(image)));
  const result = twin ? await replayTwinCuts(id, twinCutPoints, twinFactoryOf(factory), factory.setup)
    : await replayCardCuts(id, purseCutPoints, purseFactoryOf(factory), factory.setup);
  const { reasons, fired, cuts, attempts } = result;
  if (values.json) io.out(JSON.stringify({ case: id, ...result }));
  else {
    io.out(`${id}: power went on ${fired.length === 0 ? 'no card' : fired.join(' and ')}; ${attempts} runs`);
    for (const reason of reasons) io.out(reason);
    if (reasons.length === 0) io.out('no invariant is broken');
  }
  if (reasons.length > 0) return 1;
  return fired.length < cuts.length ? 3 : 0;
}

function tellCapacity(replayed: CapacityReplay, json: boolean, io: CommandIo): number {
  const { case: id, digest, verdict, reasons } = replayed;
  if (json) io.out(JSON.stringify(replayed));
  else for (const line of [`${id}: memory ${digest} afterwards, ${verdict}`, ...reasons]) io.out(line);
  return verdict === 'pass' ? 0 : verdict === 'fail' ? 1 : 3;
}

async function replay(argv: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parsed(argv);
  const [id, named, ...rest] = positionals;
  if (id === undefined || rest.length > 0) throw new BenchError('BENCH_USAGE', 'give one CASE and at most one IMAGE', 'nothing was run');
  if (id.startsWith(CARD_CASE_PREFIX) || id.startsWith(TWIN_CASE_PREFIX)) return replayCards(id, named, values, io);
  if (id.startsWith(DISTURB_PREFIX)) return replayDisturb(id, named, values, io);
  const { chip, protocol, seed } = isCapacityCase(id) ? parseCapacityCase(id) : parseCaseId(id);
  const image = named ?? referenceFor(values.chip ?? chip, values.set);
  const factory = new WorldFactory(loadSetup({ chip: values.chip ?? chip, overrides: values.set, protocol, seed }, readImage(image)));
  if (isCapacityCase(id)) return tellCapacity(await replayCapacity(factory, id), values.json, io);
  const { digest, findings } = await replayCut(factory, id);
  if (values.json) io.out(JSON.stringify({ case: id, digest, findings }));
  else {
    io.out(`${id}: memory ${digest} after the cut`);
    for (const { invariant, text, step } of findings) io.out(`${invariant}: ${text}${step === undefined ? '' : ` (cut after step ${step})`}`);
    if (findings.length === 0) io.out('no invariant is broken');
  }
  return findings.length > 0 ? 1 : 0;
}

/** Runs `cardbench replay`; resolves to the exit code. */
export async function replayCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  try {
    return await replay(argv, io);
  } catch (error) {
    const lines = error instanceof TearError ? [`${error.code}: ${error.message}`] : explain(error);
    if (lines === undefined) throw error;
    for (const line of lines) io.err(line);
    if (error instanceof BenchError && error.code === 'BENCH_USAGE') io.err(REPLAY_USAGE);
    return error instanceof BenchError && error.code !== 'BENCH_USAGE' && error.code !== 'BENCH_IMAGE' ? 3 : 2;
  }
}
