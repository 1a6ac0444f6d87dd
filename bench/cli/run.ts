import { parseArgs } from 'node:util';
import { milliseconds } from '../../reports/index.js';
import { backupDefinitions, frameOf, priorsOf, runScenario, samples, sentence } from '../../scenarios/index.js';
import type { PlanPoint, SampleName, ScenarioEvent, ScenarioFrame, ScenarioId, ScenarioOptions, ScenarioOutput, ScenarioRun } from '../../scenarios/index.js';
import { WorldFactory } from '../certify/factory.js';
import { loadSetup } from '../certify/setup.js';
import { referenceFor } from '../certify/options.js';
import { optionsOf, prepare } from '../certify/prepare.js';
import { noBindings } from '../script/build.js';
import { BenchError } from '../world/errors.js';
import type { World } from '../world/world.js';
import { explain, readImage } from './certify.js';
import type { CommandIo } from './exec.js';

const runnable = backupDefinitions.map(({ frame }) => frame.id);

/** Usage of `cardbench run`. */
export const RUN_USAGE = `cardbench run SCENARIO [IMAGE] [--chip P] [--set KEY=VALUE]... [--protocol T=0|T=1] [--seed N] [--sample NAME]
  [--variant public-key|common-key] [--hash SHA-256|SHA-1|MD5] [--key decoding|common|seed] [--delete] [--blocks] [--json]
Runs one scenario (${runnable.join(', ')}) on a freshly personalised card with the APDU log, step by
step. A recovery is preceded by its registration. --delete also carries out the deletions of claims 25 and 26;
--blocks shows the T=1 blocks or T=0 parts as well.
Exit: 0 done, 1 refused, late or unexpected, 2 usage, 3 the bench failed`;

interface RunOptions {
  readonly scenario: ScenarioId;
  readonly image: string;
  readonly chip: string;
  readonly overrides: readonly string[];
  readonly protocol: 'T=0' | 'T=1';
  readonly seed: number;
  readonly sample: SampleName;
  readonly options: ScenarioOptions;
  readonly blocks: boolean;
  readonly json: boolean;
}

const usage = (text: string): BenchError => new BenchError('BENCH_USAGE', text, 'nothing was run');

function oneOf<T extends string>(name: string, text: string, known: readonly T[]): T {
  const found = known.find((one) => one === text);
  if (found === undefined) throw usage(`${name}: expected ${known.join(', ')}, got '${text}'`);
  return found;
}

const settings = {
  chip: { type: 'string', default: 'c2010' },
  set: { type: 'string', multiple: true, default: [] as string[] },
  protocol: { type: 'string', default: 'T=1' },
  seed: { type: 'string', default: '1' },
  sample: { type: 'string', default: 'movie-ticket-A' },
  variant: { type: 'string' },
  hash: { type: 'string' },
  key: { type: 'string' },
  delete: { type: 'boolean', default: false },
  blocks: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], allowPositionals: true, options: settings });
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
}

function runOptions(argv: readonly string[]): RunOptions {
  const { values, positionals } = parsed(argv);
  const [scenario, image = referenceFor(values.chip, values.set), ...rest] = positionals;
  if (scenario === undefined || rest.length > 0) throw usage('give one SCENARIO and at most one IMAGE');
  const seed = Number(values.seed);
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) throw usage(`--seed: '${values.seed}' is no whole number`);
  return {
    scenario: oneOf('SCENARIO', scenario, runnable), image, chip: values.chip, overrides: values.set, seed,
    protocol: oneOf('--protocol', values.protocol, ['T=0', 'T=1']),
    sample: oneOf('--sample', values.sample, Object.keys(samples) as SampleName[]),
    options: {
      ...values.variant !== undefined && { variant: oneOf('--variant', values.variant, ['public-key', 'common-key']) },
      ...values.hash !== undefined && { hash: oneOf('--hash', values.hash, ['SHA-256', 'SHA-1', 'MD5']) },
      ...values.key !== undefined && { keyKind: oneOf('--key', values.key, ['decoding', 'common', 'seed']) },
      ...values.delete && { deleteAfterRegistration: true, deleteAfterRecovery: true },
    },
    blocks: values.blocks, json: values.json,
  };
}

/** What the card must be made with: two safes where the scenario has them, and where a seed is divided, one with a seed. */
function made({ scenario, options }: RunOptions): ScenarioFrame['prepares'] {
  const { ports, prepares } = frameOf(scenario);
  return { ...prepares, ...ports.includes('safe2') && { safes: 2 }, ...options.keyKind === 'seed' && { seed: true, safes: 2 } };
}

/** The values it must hold: two where the scenario is about several. */
function valuesOf({ scenario, sample }: RunOptions): PlanPoint['prepare']['values'] {
  const several = frameOf(scenario).midway?.some(({ item }) => item === '$other') === true;
  return [{ as: '$item', sample }, ...several ? [{ as: '$other', sample } as const] : []];
}

/** Those of the options that a scenario has. */
function known(scenario: ScenarioId, options: ScenarioOptions): ScenarioOptions {
  const { without = [] } = frameOf(scenario);
  return Object.fromEntries(Object.entries(options).filter(([name]) => !without.some((one) => one === name)));
}

/** A scenario as a run of it; those about values are told which. */
const runOf = (scenario: ScenarioId, options: ScenarioOptions): ScenarioRun =>
  ({ run: 'scenario', scenario, options, ...frameOf(scenario).without?.includes('select') !== true && { item: '$item' } });

/** What has to be done before a scenario can be run. */
function before({ scenario, options }: RunOptions): readonly ScenarioRun[] {
  return priorsOf(frameOf(scenario)).map((prior) => runOf(prior.scenario, { ...known(prior.scenario, options), ...prior.options }));
}

function stepLine(event: ScenarioEvent, scenario: ScenarioId): string | undefined {
  if (event.type !== 'step') return undefined;
  const { step, kinds, outcome, cycle } = event.evidence;
  const known = frameOf(scenario).steps.find(({ id }) => id === step);
  const text = known ? sentence(known) : step;
  return `  ${text}  [${kinds.join(', ')}${cycle === undefined ? '' : `, cycle ${cycle}`}]${outcome === 'refused' ? ' REFUSED' : ''}`;
}

async function runOne(options: RunOptions, world: World, io: CommandIo): Promise<ScenarioOutput> {
  const { scenario } = options;
  const say = (line: string): void => { if (options.json) io.err(line); else io.out(line); };
  await prepare({
    id: 'run', title: '', scenario, embodiment: 1, clause: { steps: [], claims: [], rules: [] }, needs: [], flags: [],
    prepare: { values: valuesOf(options), before: before(options), ...made(options) },
    run: { run: 'script', commands: [] }, expect: { end: ['done'], card: { is: 'unchanged' }, safe: 'any', retry: 'none' },
  }, world, noBindings());
  world.card.observe({
    apdu: ({ line }) => { say(line); },
    ...(options.blocks ? { block: ({ direction, kind, text }) => { say(`    ${direction === 'to-card' ? '>' : '<'} ${kind} ${text}`); } } : {}),
  });
  const select = scenario.includes('key') ? options.options : optionsOf(runOf(scenario, options.options), world);
  return runScenario(scenario, {
    ports: world.ports, options: select,
    listener: (event) => {
      const line = stepLine(event, scenario);
      if (line !== undefined) say(line);
    },
  });
}

/** Runs `cardbench run`; resolves to the exit code. */
export async function runCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  try {
    const options = runOptions(argv);
    const setup = loadSetup(options, readImage(options.image));
    const { hash = 'SHA-256' } = options.options;
    const legacyHashes = hash !== 'SHA-256';
    const world = await new WorldFactory(setup).world({ settings: { legacyHashes }, ...made(options) });
    const output = await runOne(options, world, io);
    const ms = milliseconds(world.line.now(), setup.profile.cpu.hz).toFixed(1);
    if (options.json) io.out(JSON.stringify(output));
    else io.out(`${options.scenario}: ${output.cause} at ${output.step}${output.sw === undefined ? '' : ` (${output.sw})`}, card at ${ms} ms; ${output.text}`);
    return { done: 0, aborted: 3 }[output.cause as string] ?? 1;
  } catch (error) {
    const lines = explain(error);
    if (lines === undefined) throw error;
    for (const line of lines) io.err(line);
    if (error instanceof BenchError && error.code === 'BENCH_USAGE') io.err(RUN_USAGE);
    return error instanceof BenchError && error.code === 'BENCH_PREPARE' ? 3 : 2;
  }
}
