import { describe, expect, test } from 'vitest';
import { emulatedCard, isDeviceError } from '../devices/index.js';
import { loadProfile } from '../emulator/index.js';
import type { Image } from '../emulator/index.js';
import { WorldFactory } from './certify/factory.js';
import { commands, registrationRequest } from './codec/index.js';
import { Desk } from './firmware/desk.js';
import { faultyBuilds, firmwareImage } from './firmware/faulty.js';
import type { CaughtByCut } from './firmware/faulty.js';
import { runForward } from './tear/forward.js';
import { Judge } from './tear/judge.js';
import type { CutScene } from './tear/judge.js';
import { tearPoint } from './tear/points.js';
import { policyOf } from './tear/policies.js';
import { restOf, worldOf } from './tear/rest.js';
import type { Rest } from './tear/rest.js';
import { EmulatedLine } from './terminal/emulated-line.js';

interface Operation {
  readonly start: number;
  readonly end: number;
}

/** Cuts of each page operation where nothing else is said; cells that are weak and read right are met rarely. */
const usual = 8;
const closer: Readonly<Record<string, number>> = { 'write-skipped': 80, 'no-refresh': 40, 'target-not-rewritten': 40 };
/** Second cuts of each page operation of a recovery. */
const second = 3;

/** Cycles spread evenly over each operation. */
const spread = (operations: readonly Operation[], count: number): number[] =>
  operations.flatMap(({ start, end }) => Array.from({ length: count }, (_, i) => Math.floor(start + ((end - start) * (i + 0.5)) / count)));

const factoryOf = (image: Image): WorldFactory => new WorldFactory({ image, profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' });
const reference = factoryOf(firmwareImage());

/** What is left when the power goes again at each of some cycles of the page operations of a recovery. */
async function cutAgain(factory: WorldFactory, tear: CaughtByCut, rest: Rest): Promise<Rest[]> {
  const boot = () => worldOf(factory, tearPoint(tear.point), rest, policyOf(tear.policy).first);
  const whole = boot();
  await whole.open('none');
  const left: Rest[] = [];
  for (const cycle of spread(whole.card.chip.eeprom.writes, second)) {
    const world = boot();
    world.card.cutAt(cycle);
    const ended = await world.open('none').then(() => 'no cut', (error: unknown) => isDeviceError(error) && error.code);
    expect(ended).toBe('CARD_POWER_CUT');
    left.push(restOf(world, await world.card.powerOff()));
  }
  return left;
}

/** Judges cuts aimed at the page operations behind one step until the finding is there; all of them where it is not. */
async function findingsOf(factory: WorldFactory, tear: CaughtByCut, cuts: number): Promise<{ judged: number; all: string[]; caught: string[] }> {
  const point = tearPoint(tear.point);
  const forward = await runForward(factory, point, ({ operations }) => spread(operations, cuts));
  const judge = new Judge(factory, point, forward.secrets);
  const all = forward.findings.map(({ invariant, text }) => `without a cut: ${invariant}: ${text}`);
  const groups = forward.groups.filter(({ step, rest }) => step === tear.step && (rest.nvm.weak.length === 0) === (tear.policy === 'strong' && tear.depth === 1));
  let judged = 0;
  for (const { rest, before, step } of groups) {
    for (const left of tear.depth === 1 ? [rest] : await cutAgain(factory, tear, rest)) {
      const scene: CutScene = { rest: left, before: forward.states[before], beforeId: `state ${before}`, step };
      const { findings } = await judge.judge(scene, policyOf(tear.policy));
      judged += 1;
      all.push(...findings.map(({ invariant, text }) => `${invariant}: ${text}`));
      const caught = findings.filter(({ invariant, text }) => invariant === tear.invariant && text.includes(tear.finding));
      if (caught.length > 0) return { judged, all, caught: caught.map((one) => one.step ?? '') };
    }
  }
  return { judged, all, caught: [] };
}

const builds = faultyBuilds().flatMap(({ name, tear }) => (tear ? [{ name, tear, ...tear }] : []));

describe('builds that power cuts catch', () => {
  test('at least twelve, of which some need a second cut', () => {
    expect(builds.length).toBeGreaterThanOrEqual(12);
    expect(builds.filter(({ depth }) => depth === 2).length).toBeGreaterThan(0);
  });

  test.each(builds)('$name: $point, after step $step, depth $depth, cells read $policy: $invariant', async ({ name, tear }) => {
    const cuts = closer[name] ?? usual;
    const honest = await findingsOf(reference, tear, cuts);
    expect(honest.all).toEqual([]);
    expect(honest.judged).toBeGreaterThan(0);
    const faulty = await findingsOf(factoryOf(firmwareImage(name)), tear, cuts);
    expect(faulty.caught, faulty.all.join('\n')).toContain(tear.step);
  });
});

describe('sequence-late', () => {
  /** Sequences of two values, the power cut between them: the request of the first has left the card. */
  async function sequences(build?: string): Promise<number[]> {
    const card = emulatedCard({ profile: 'c2010', image: firmwareImage(build), protocol: 'T=1' });
    const line = new EmulatedLine(card);
    await line.bringUp();
    const d = new Desk(line);
    await d.personalise();
    const given: number[] = [];
    for (const value of [await d.load(), await d.load()]) {
      given.push(registrationRequest.decode(await d.send(commands.registerBegin(1, 0, value))).sequence);
      await card.powerOff();
      await line.bringUp();
      await d.login();
    }
    return given;
  }

  test('gives two values the same sequence; the reference does not', async () => {
    expect(await sequences('sequence-late')).toEqual([1, 1]);
    expect(await sequences()).toEqual([1, 2]);
  });
});
