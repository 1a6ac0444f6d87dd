import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadImage, loadProfile, nvmDigest } from '../../emulator/index.js';
import type { Image } from '../../emulator/index.js';
import { WorldFactory } from '../certify/factory.js';
import { runHonestly } from '../certify/prepare.js';
import type { LineExchange } from '../terminal/emulated-line.js';
import { World } from '../world/world.js';
import { caseId, parseCaseId } from './case-id.js';
import { TearError } from './errors.js';
import { drawCycles, rangeOf, readyWorld, runForward } from './forward.js';
import { tearPoint } from './points.js';
import { policyOf } from './policies.js';
import { leftNow, safesDigest } from './rest.js';
import { cutEvents, cutLine, runCuts } from './results.js';
import { replayCut } from './replay.js';
import { sampleCuts } from './sample.js';

const images = new Map<string, Image>();

/** A factory of its own, so that nothing but the image is shared with others. */
function factoryOf(name: string): WorldFactory {
  const image = images.get(name) ?? loadImage(readFileSync(new URL(`../../devices/firmware/images/${name}.elf`, import.meta.url)));
  images.set(name, image);
  return new WorldFactory({ image, profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' });
}

const reference = factoryOf('card');
const backup = tearPoint('1-backup-Z-01');

function caught(work: () => unknown): string {
  try {
    work();
    return 'no error';
  } catch (error) {
    if (!(error instanceof TearError)) throw error;
    return error.code;
  }
}
const codeOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'no error', (error: unknown) => (error as TearError).code);

describe('names', () => {
  const one = { firmware: '01234567', chip: 'c2010', protocol: 'T=1', seed: 7, point: '2-backup-Z-01', cycles: [8123456], policies: ['random-2'] } as const;
  const two = { ...one, cycles: [8123456, 917354], policies: ['old', 'new'] };

  test('a case id holds everything and can be read back', () => {
    expect(caseId(one)).toBe('cut:01234567:c2010:T=1:7:2-backup-Z-01:8123456:random-2');
    expect(parseCaseId(caseId(one))).toEqual(one);
    expect(caseId(two)).toBe('cut:01234567:c2010:T=1:7:2-backup-Z-01:8123456+917354:old+new');
    expect(parseCaseId(caseId(two))).toEqual(two);
  });

  test.each(['', 'cut:1', caseId(one).slice(1), `${caseId(one)} `, caseId(one).replace('8123456', '-1'), caseId(one).replace('8123456', '1+2')])('%j is no case id', (text) => {
    expect(caught(() => parseCaseId(text))).toBe('TEAR_CASE');
  });

  test('policies by name', () => {
    expect(policyOf('old')).toEqual({ name: 'old', family: 'old', first: { kind: 'old' }, then: { kind: 'old' } });
    expect(policyOf('new-old')).toEqual({ name: 'new-old', family: 'new-old', first: { kind: 'new' }, then: { kind: 'old' } });
    expect(policyOf('old-new')).toEqual({ name: 'old-new', family: 'old-new', first: { kind: 'old' }, then: { kind: 'new' } });
    expect(policyOf('unstable-3').first).toEqual({ kind: 'unstable', reads: 3 });
    const { first, then } = policyOf('random-9');
    expect(first).toEqual({ kind: 'random', seed: 9 });
    expect(then).not.toEqual(first);
    expect(caught(() => policyOf('odd'))).toBe('TEAR_CASE');
    expect(caught(() => tearPoint('13-backup-Z-01'))).toBe('TEAR_CASE');
  });

  test('every error says what is still true and what to do next', () => {
    for (const code of ['TEAR_CASE', 'TEAR_RANGE', 'TEAR_RUN', 'TEAR_PATH'] as const) {
      const error = new TearError(code, 'x');
      expect([error.code, error.stillTrue, error.next.length > 10]).toEqual([code, 'no verdict was given', true]);
    }
  });
});

describe('cycles', () => {
  const range = { from: 1000, to: 3000, operations: [{ start: 1100, end: 1200 }, { start: 2000, end: 2100 }] };

  test('are different, in order, within the phase, and the same for the same seed', () => {
    const cycles = drawCycles(range, 500, 3, 'phase');
    expect(new Set(cycles).size).toBe(500);
    expect(cycles).toEqual([...cycles].sort((a, b) => a - b));
    expect(cycles.every((cycle) => cycle >= 1000 && cycle < 3000)).toBe(true);
    expect(drawCycles(range, 500, 3, 'phase')).toEqual(cycles);
    expect(drawCycles(range, 500, 4, 'phase')).not.toEqual(cycles);
    expect(drawCycles(range, 2000, 3, 'phase')).toHaveLength(2000);
  });

  test('can be drawn from page operations only', () => {
    const cycles = drawCycles(range, 200, 3, 'operations');
    expect(cycles).toEqual([...Array.from({ length: 100 }, (_, i) => 1100 + i), ...Array.from({ length: 100 }, (_, i) => 2000 + i)]);
  });

  test('more than there are: TEAR_RANGE', () => {
    expect(caught(() => drawCycles(range, 201, 3, 'operations'))).toBe('TEAR_RANGE');
  });
});

describe('probes', () => {
  /** Runs the phase and gives everything that can be seen of it. */
  async function record(probes: (from: number, to: number) => readonly number[]) {
    const { world: model } = await readyWorld(reference, backup);
    const exchanges: LineExchange[] = [];
    const world = new World({ ...model.parts, hooks: { exchanged: (exchange) => exchanges.push(exchange) } });
    world.card.restore(model.card.snapshot());
    world.learn(model.knows());
    const { from, to } = await rangeOf(backup, world);
    let seen = 0;
    world.card.port.probeAt(probes(from, to), () => {
      seen += 1;
      leftNow(world);
    });
    const output = await runHonestly(backup.run, world);
    return { seen, run: { exchanges, output, card: world.card.snapshot(), safes: safesDigest(world), left: nvmDigest(await world.card.powerOff()) } };
  }

  test('do not disturb: the record with and without them is the same', async () => {
    const without = await record(() => []);
    const many = await record((from, to) => Array.from({ length: 400 }, (_, i) => from + Math.floor((i * (to - from)) / 400)));
    const dense = await record((from) => Array.from({ length: 200 }, (_, i) => from + 1_000_000 + i));
    expect([without.seen, many.seen, dense.seen]).toEqual([0, 400, 200]);
    expect(many.run).toEqual(without.run);
    expect(dense.run).toEqual(without.run);
  });

  test('see what a cut at that cycle leaves, and none beyond the end', async () => {
    const forward = await runForward(reference, backup, (range) => drawCycles(range, 12, 5, 'operations'));
    expect(forward.groups.length).toBeGreaterThan(8);
    for (const group of forward.groups.slice(0, 5)) {
      const { world } = await readyWorld(reference, backup);
      world.card.cutAt(group.cycle);
      await runHonestly(backup.run, world);
      expect(nvmDigest(await world.card.powerOff())).toBe(group.digest);
      expect(world.parts.safes.safe.store.snapshot().root === undefined).toBe(group.rest.safe.root === undefined);
    }
    expect(await codeOf(runForward(reference, backup, ({ to }) => [to + 1_000_000]))).toBe('TEAR_RANGE');
  });
});

describe('faulty firmware', () => {
  const planted = [
    { name: 'value-before-certificate', point: '1-backup-Z-01', invariant: 'I2' },
    { name: 'index-before-data', point: '2-backup-Z-01', invariant: 'I2' },
    { name: 'no-journal', point: '1-recover-Z-02', invariant: 'I11' },
    { name: 'journal-ends-early', point: '2-key-backup-Z-01', invariant: 'I11' },
    { name: 'no-refresh', point: '1-recover-Z-01', invariant: 'I10' },
  ] as const;

  test.each(planted)('$name is caught by cuts of $point and breaks $invariant; its cases can be replayed', async ({ name, point, invariant }) => {
    const factory = factoryOf(`faulty/${name}`);
    const plan = { factory, point: tearPoint(point), cuts: 120, seed: 2, aim: 'operations' } as const;
    const { failures, uncut } = await sampleCuts(plan);
    expect(uncut).toEqual([]);
    expect(failures.flatMap(({ findings }) => findings.map((one) => one.invariant))).toContain(invariant);
    const failure = failures.find(({ findings }) => findings.some((one) => one.invariant === invariant));
    if (!failure) throw new Error('no failure');
    const steps = [...new Set(failure.findings.map(({ step }) => step))];
    expect(steps).toHaveLength(1);
    expect(steps[0]).toMatch(/^[1-4]-\d+$/);
    const replay = await replayCut(factoryOf(`faulty/${name}`), failure.case);
    expect(replay).toMatchObject({ case: failure.case, digest: failure.digest, findings: failure.findings });
    expect(await codeOf(replayCut(reference, failure.case))).toBe('TEAR_CASE');
  });

  test('what cannot go through without a cut is aborted, not failed', async () => {
    const results = await runCuts({ factory: factoryOf('faulty/not-spent'), cuts: 5, seed: 1, points: [tearPoint('1-recover-Z-02')] });
    expect(results).toMatchObject([{ id: '1-recover-Z-02', verdict: 'aborted' }]);
    expect(results[0].reasons[0]).toMatch(/^TEAR_RUN: /);
    expect(cutEvents(results[0], (id) => id).at(-1)).toMatchObject({ type: 'verdict', verdict: 'aborted', replay: '' });
  });

  test('a value that can be spent twice is caught by spending everything', async () => {
    const [result] = await runCuts({ factory: factoryOf('faulty/not-spent'), cuts: 5, seed: 1, points: [backup] });
    expect(result.verdict).toBe('fail');
    expect(result.reasons.join('\n')).toMatch(/^I[134]: /m);
  });

  test('a deposited value that can be used is caught by spending everything', async () => {
    const [result] = await runCuts({ factory: factoryOf('faulty/use-deposited'), cuts: 5, seed: 1, points: [backup] });
    expect(result.reasons.join('\n')).toMatch(/^I4: value \w+ was used while it is deposited/m);
    const events = cutEvents(result, (id) => `cardbench replay ${id}`);
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['point', 'fault', 'finding', 'verdict']));
    expect(events.at(-1)).toMatchObject({ verdict: 'fail', replay: `cardbench replay ${result.report?.failures[0].case ?? ''}` });
  });
});

describe('a campaign', () => {
  test('gives the same report for the same seed, and can be stopped', async () => {
    const plan = { factory: reference, cuts: 25, seed: 9, points: [backup, tearPoint('1-recover-Z-01')] };
    const lines: string[] = [];
    const first = await runCuts({ ...plan, onResult: (result) => lines.push(cutLine(result)) });
    expect(await runCuts({ ...plan, factory: factoryOf('card') })).toEqual(first);
    expect(lines[0]).toMatch(/^1-backup-Z-01 pass: 25 cuts, \d+ distinct memories, \d+ recoveries of at most [0-4] pages and \d+ cycles$/);
    expect(await runCuts({ ...plan, stopped: () => lines.length > 0 })).toEqual([]);
  });

  test('a cycle outside of the phase cannot be replayed', async () => {
    const { failures } = await sampleCuts({ factory: factoryOf('faulty/value-before-certificate'), point: backup, cuts: 30, seed: 2, aim: 'operations' });
    const parts = parseCaseId(failures[0].case);
    expect(await codeOf(replayCut(factoryOf('faulty/value-before-certificate'), caseId({ ...parts, cycles: [5] })))).toBe('TEAR_RANGE');
  });
});
