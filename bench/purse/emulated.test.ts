import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadImage, loadProfile } from '../../emulator/index.js';
import { pursePlan } from '../../scenarios/index.js';
import { WorldFactory } from '../certify/factory.js';
import { emulatedCards, PurseFactory } from './factory.js';
import { runPursePoint } from './point.js';

const setup = { image: loadImage(readFileSync(new URL('../../devices/firmware/images/card.elf', import.meta.url))), profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' } as const;

test('the reference firmware passes every point on the emulated chip', async () => {
  const worlds = new WorldFactory(setup);
  const factory = new PurseFactory(1, worlds.ops, emulatedCards(setup, worlds));
  const results = [];
  for (const one of pursePlan.points) {
    const { verdict, reasons } = await runPursePoint(one, factory);
    results.push([one.id, verdict, ...reasons]);
  }
  expect(results.filter(([, verdict]) => verdict !== 'pass')).toEqual([]);
  expect(results.length).toBeGreaterThan(80);
}, 120_000);
