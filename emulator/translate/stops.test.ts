import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadElf } from '../image/elf.js';
import type { Image } from '../image/image.js';
import { compareAtStops, createPair } from '../testing/engines.js';

const image = (name: string): Image => loadElf(new Uint8Array(readFileSync(new URL(`../testing/images/${name}`, import.meta.url))));

/** The same states at so many random stops; the endless copies of the images are run. */
describe.each(['wasm', 'auto'] as const)('engine %s against the interpreter', (engine) => {
  it.each([
    ['crypto-speed.elf', 8_000, 20_000],
    ['branchy-speed.elf', 12_000, 4_000],
  ])('%s: equal at %i random stops', (name, stops, longest) => {
    const pair = createPair(image(name), {}, engine);
    if (engine === 'auto') pair.translator.run({ until: 3_000_000 });
    if (engine === 'auto') pair.interpreter.run({ until: 3_000_000 });
    expect(compareAtStops(pair, 17, stops, longest)).toEqual({ stops, difference: undefined, reason: 'limit' });
    expect(pair.translator.engineCounts?.entered).toBeGreaterThan(stops / 8);
  });

  it.each(['crypto.elf', 'branchy.elf'])('%s: the same end with wait states, a slow multiplier and the other cycle table', (name) => {
    const pair = createPair(image(name), { core: 'cortex-m0plus', code: { size: 0x40000, waitStates: 2 }, multiplier: 32 }, engine);
    expect(compareAtStops(pair, 5, 1_000, 60_000)).toMatchObject({ difference: undefined });
    expect(pair.translator.run()).toEqual(pair.interpreter.run());
  });
});

describe('SysTick and peripherals apart', () => {
  it('crypto-tick.elf: equal at stops with an interrupt every 30,000 cycles', () => {
    const pair = createPair(image('crypto-tick.elf'));
    expect(compareAtStops(pair, 3, 4_000, 40_000)).toEqual({ stops: 4_000, difference: undefined, reason: 'limit' });
  });
});
