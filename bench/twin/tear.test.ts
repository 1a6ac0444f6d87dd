import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadImage, loadProfile } from '../../emulator/index.js';
import { twinCutPoints } from '../../scenarios/index.js';
import { WorldFactory } from '../certify/factory.js';
import type { TestSetup } from '../certify/factory.js';
import { replayTwinCuts, sampleTwinCuts } from './cut-campaign.js';
import { parseTwinCase, twinCaseId } from './cut-case.js';
import { emulatedTwinCards, TwinFactory } from './factory.js';

const setupOf = (image: string): TestSetup => ({ image: loadImage(readFileSync(new URL(`../../devices/firmware/images/${image}`, import.meta.url))), profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' });
const factoryFor = (setup: TestSetup): TwinFactory => new TwinFactory(1, emulatedTwinCards(setup, new WorldFactory(setup)));
const pointOf = (id: string) => twinCutPoints.filter((point) => point.id === id)[0];

describe('case ids', () => {
  const one = { firmware: '01234567', chip: 'c2010', protocol: 'T=1', seed: 7, point: 'twin-1-promote-Z-03', cuts: [{ card: 'A', tick: 5 }, { card: 'B', tick: 9 }], policy: 'random-2' } as const;

  test('hold everything and can be read back', () => {
    expect(twinCaseId(one)).toBe('twin:01234567:c2010:T=1:7:twin-1-promote-Z-03:A@5+B@9:random-2');
    expect(parseTwinCase(twinCaseId(one))).toEqual(one);
  });

  test.each([twinCaseId(one).slice(1), twinCaseId(one).replace('B@', 'A@'), twinCaseId(one).replace('B@', 'D@'), `${twinCaseId(one)} `])('%j is none', (text) => {
    expect(() => parseTwinCase(text)).toThrow(expect.objectContaining({ code: 'TEAR_CASE' }));
  });
});

/** Points whose card writes nothing in its run: every cut leaves the same memory. */
const silent = ['twin-1-promote-Z-01', 'twin-1-restore-Z-02'];

describe('power cuts on the reference firmware', () => {
  const setup = setupOf('card.elf');
  const factory = factoryFor(setup);

  test.each(twinCutPoints)('$id: $title', async (point) => {
    const report = await sampleTwinCuts(point, factory, setup, { cases: 8, seed: 3 });
    expect([report.unfired, report.failures]).toEqual([[], []]);
    expect(report.memories).toBeGreaterThan(silent.includes(point.id) ? 0 : 1);
  });

  test('the same seed gives the same cases, and one can be run again', async () => {
    const point = pointOf('twin-1-promote-Z-03');
    const again = await sampleTwinCuts(point, factory, setup, { cases: 2, seed: 5 });
    expect(await sampleTwinCuts(point, factoryFor(setup), setup, { cases: 2, seed: 5 })).toEqual(again);
    await expect(replayTwinCuts('twin:00000000:c2010:T=1:1:twin-1-promote-Z-02:B@5:new', twinCutPoints, factory, setup)).rejects.toMatchObject({ code: 'TEAR_CASE' });
  });
});

describe('power cuts on faulty builds', () => {
  test('twin-two-writes: a cut between the two changes leaves two primary cards', async () => {
    const setup = setupOf('faulty/twin-two-writes.elf');
    const factory = factoryFor(setup);
    const { failures } = await sampleTwinCuts(pointOf('twin-1-promote-Z-02'), factory, setup, { cases: 8, seed: 1 });
    const found = failures.flatMap(({ reasons }) => reasons).join('\n');
    expect(found).toMatch(/T1: 2 cards are primary: 1234567A, 1234567B/);
    expect(found).toMatch(/T5: card 1234567B has become primary in the place of 1234567A without black-listing it/);
    expect((await replayTwinCuts(failures[0].case, twinCutPoints, factory, setup)).reasons).toEqual(failures[0].reasons);
  });
});
