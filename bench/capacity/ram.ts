import type { ChipProfile } from '../../emulator/index.js';
import { runScenario } from '../../scenarios/index.js';
import type { AbstractWorld, Finding, ScenarioOutput } from '../../scenarios/index.js';
import { isDeviceError } from '../../devices/index.js';
import { worldFindings } from '../certify/findings.js';
import { optionsOf } from '../certify/prepare.js';
import { CodecError } from '../codec/index.js';
import { goalMissed, itemOf } from '../tear/goal.js';
import { orBrick } from '../tear/rest.js';
import type { Rest } from '../tear/rest.js';
import { World } from '../world/world.js';
import { statesTo } from './levels.js';
import { endSession, goOn, spendAll, Watch } from './look.js';
import { ended, named, plain, reasonsOf } from './rows.js';
import type { Stages } from './stage.js';
import { placesOf } from './subject.js';
import type { CapacityRow } from './types.js';

/** Step of the grid in bytes of RAM. */
export const ramStep = 64;

/**
 * What a firmware does with so much RAM: the scenario goes through; it is refused with a status word and nothing is
 * lost; or the firmware breaks: no answer, a wrong one, a lockup, a violation, something lost.
 */
export type RamClass = 'completes' | 'refuses' | 'breaks';

interface RamRun {
  readonly end: Pick<ScenarioOutput, 'cause' | 'step' | 'sw' | 'text'>;
  readonly findings: readonly Finding[];
  readonly missed: string | undefined;
  readonly cycle: number;
  readonly rest: Rest;
  readonly digest: string;
  /** Deepest stack, bytes. */
  readonly stack: number | undefined;
}

const withRam = (profile: ChipProfile, bytes: number): ChipProfile => ({ ...profile, ram: { ...profile.ram, bytes } });

/** Runs the scenario on a chip with so much RAM, from a memory prepared on the whole chip. */
async function runSmall(stages: Stages, bytes: number): Promise<RamRun> {
  const { subject, factory: { setup } } = stages;
  const watch = new Watch();
  const world = stages.fork(await stages.prepared(), watch.hooks, undefined, (parts) => new World({ ...parts, profile: withRam(setup.profile, bytes) }));
  const history: AbstractWorld[] = [];
  let end: RamRun['end'];
  try {
    await world.open('none');
    history.push(world.abstract());
    const pin = await world.ports.card.verifyPin('right');
    end = pin.ok ? await runScenario(subject.run.scenario, { ports: world.ports, options: optionsOf(subject.run, world), listener: statesTo(world, history) })
      : { cause: pin.cause, step: placesOf(subject)[0], text: `VERIFY: ${pin.text}`, ...pin.sw !== undefined && { sw: pin.sw } };
  } catch (error) {
    if (!isDeviceError(error) && !(error instanceof CodecError)) throw error;
    end = { cause: 'link', step: placesOf(subject)[0], text: `no session: ${error.code}: ${error.message}` };
  }
  history.push(world.abstract());
  watch.collect(world);
  const { stackLow } = world.card.usage();
  const missed = end.cause === 'done' ? goalMissed(subject, world.abstract(), itemOf(subject, world)) : undefined;
  const findings = [...worldFindings(history, world), ...watch.findings];
  const cycle = world.line.now();
  const { rest, digest } = await endSession(world);
  const top = 0x20000000 + bytes;
  return { end, findings, missed, cycle, rest, digest, stack: Number.isFinite(stackLow) ? top - stackLow : undefined };
}

/** The whole chip again: the scenario comes to its end, and everything is spent. */
async function comeBack(stages: Stages, rest: Rest): Promise<readonly Finding[]> {
  const watch = new Watch();
  const world = stages.fork(rest, watch.hooks);
  const findings: Finding[] = [];
  await orBrick(findings, 'on the whole chip again', async () => {
    await world.open();
    const { cause, step, text } = await goOn(stages, world);
    if (cause !== 'done') findings.push({ invariant: 'I11', text: `on the whole chip again the scenario ended at ${step}: ${text}` });
  });
  watch.collect(world);
  return [...findings, ...watch.findings, ...await spendAll(stages, (await endSession(world)).rest)];
}

/** How a run with little RAM counts. */
export function classOf({ end, findings, missed }: Pick<RamRun, 'end' | 'findings' | 'missed'>, after: readonly Finding[]): RamClass {
  if (findings.length > 0 || after.length > 0 || missed !== undefined) return 'breaks';
  if (end.cause === 'done') return 'completes';
  return end.cause === 'refused' ? 'refuses' : 'breaks';
}

/** One RAM size. Breaking below the chip's own RAM is told, not failed. */
export interface RamSize {
  readonly bytes: number;
  readonly class: RamClass;
  readonly row: CapacityRow;
}

const breach = (run: RamRun, after: readonly Finding[]): string => {
  const [first] = [...run.findings, ...after];
  if (first) return `${first.invariant}: ${first.text}`;
  return run.missed ?? run.end.text;
};

const words: Readonly<Record<RamClass, (run: RamRun, after: readonly Finding[]) => string>> = {
  completes: ({ stack }) => `went through${stack === undefined ? '' : `, stack ${stack} B`}`,
  refuses: ({ end }) => `refused (${end.text}), nothing lost`,
  breaks: (run, after) => `broke: ${breach(run, after)}`,
};

/** Runs the scenario with so much RAM and says what the firmware makes of it. */
export async function runRam(stages: Stages, bytes: number): Promise<RamSize> {
  const run = await runSmall(stages, bytes);
  const after = await comeBack(stages, run.rest);
  const all = [...run.findings, ...after];
  const kind = classOf(run, after);
  const whole = stages.factory.setup.profile.ram.bytes === bytes;
  const reasons = whole && kind !== 'completes' ? [`with the chip's own ${bytes} B of RAM the scenario ${kind}`, ...reasonsOf(all)] : [];
  const row: CapacityRow = {
    ...named(stages, { part: 'ram', title: `${bytes} B of RAM`, before: 'start', condition: `ram-${bytes}`, what: ['ram', String(bytes)] }),
    applied: true, outcome: kind === 'completes' ? 'done' : kind === 'refuses' ? 'refused' : 'broke', ...ended(run.end), did: words[kind](run, after),
    conserved: after.length === 0, findings: plain(all), verdict: reasons.length > 0 ? 'fail' : 'pass', reasons, cycle: run.cycle, digest: run.digest,
  };
  return { bytes, class: kind, row };
}

/** Sizes at which a firmware changes its ways, bytes; undefined or empty: none was found. */
export interface RamEdges {
  /** Least with which the scenario goes through. */
  readonly completes: number | undefined;
  /** Least at which it is refused and nothing is lost. */
  readonly refuses: number | undefined;
  /** All at which the firmware breaks, largest first. */
  readonly breaks: readonly number[];
}

/** The edges of the sizes that were run. */
export function edgesOf(sizes: readonly Pick<RamSize, 'bytes' | 'class'>[]): RamEdges {
  const of = (kind: RamClass): number[] => sizes.filter((size) => size.class === kind).map(({ bytes }) => bytes);
  const least = (kind: RamClass): number | undefined => (of(kind).length > 0 ? Math.min(...of(kind)) : undefined);
  return { completes: least('completes'), refuses: least('refuses'), breaks: of('breaks').sort((a, b) => b - a) };
}

/** The edges in words. */
export function edgesText({ completes, refuses, breaks }: RamEdges): string {
  const bytes = (size: number | undefined): string => (size === undefined ? 'nowhere' : `${size} B`);
  return `goes through from ${bytes(completes)}; least at which it refuses and nothing is lost: ${bytes(refuses)}; breaks at ${breaks.length === 0 ? 'none of the sizes' : breaks.map(bytes).join(', ')}`;
}

/** Sizes below the edge that are run one by one, at least. */
const below = 10;

/**
 * Bisects over the grid for the least RAM with which the scenario goes through, then walks down the grid from there
 * until the firmware has broken twice in a row, or to the bottom; and looks at some sizes above, so that a hole there
 * would be seen.
 */
export async function searchRam(run: (bytes: number) => Promise<RamSize>, most: number, tell: (done: number) => void): Promise<readonly RamSize[]> {
  const sizes = new Map<number, RamSize>();
  const at = async (bytes: number): Promise<RamSize> => {
    const size = sizes.get(bytes) ?? await run(bytes);
    sizes.set(bytes, size);
    tell(sizes.size);
    return size;
  };
  let [low, high] = [Math.ceil(512 / ramStep), Math.floor(most / ramStep)];
  if ((await at(most)).class !== 'completes') return [...sizes.values()];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((await at(middle * ramStep)).class === 'completes') high = middle;
    else low = middle;
  }
  for (let part = 1; part < 6; part += 1) await at(Math.round((high + ((most / ramStep - high) * part) / 6)) * ramStep);
  let broken = 0;
  for (let step = high; step >= low - below * 3 && step * ramStep >= 256 && (broken < 2 || step > high - below); step -= 1) {
    broken = (await at(step * ramStep)).class === 'breaks' ? broken + 1 : 0;
  }
  return [...sizes.values()].sort((a, b) => b.bytes - a.bytes);
}
