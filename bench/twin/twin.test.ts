import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadImage, loadProfile } from '../../emulator/index.js';
import { twinPlan } from '../../scenarios/index.js';
import { WorldFactory } from '../certify/factory.js';
import { emulatedTwinCards, TwinFactory } from './factory.js';
import { runTwinPoint } from './point.js';

const setup = { image: loadImage(readFileSync(new URL('../../devices/firmware/images/card.elf', import.meta.url))), profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' as const };
const worlds = new WorldFactory(setup);
let factory: TwinFactory;

beforeAll(() => { factory = new TwinFactory(1, emulatedTwinCards(setup, worlds)); });

describe('the plan on the reference firmware', () => {
  test.each(twinPlan.points.map((point) => [point.id, point.title, point] as const))('%s %s', async (_id, _title, point) => {
    const { verdict, reasons } = await runTwinPoint(point, factory);
    expect({ verdict, reasons }).toEqual({ verdict: 'pass', reasons: [] });
  });
});
