import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadImage, loadProfile } from '../../emulator/index.js';
import { twinPlan } from '../../scenarios/index.js';
import { WorldFactory } from '../certify/factory.js';
import { emulatedTwinCards, TwinFactory } from './factory.js';
import { runTwinPoint } from './point.js';

/** Points of the plan that do not pass, with what is said of them. */
async function failed(image: string, ids: readonly string[]): Promise<readonly string[]> {
  const setup = { image: loadImage(readFileSync(new URL(`../../devices/firmware/images/faulty/${image}.elf`, import.meta.url))), profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' as const };
  const factory = new TwinFactory(1, emulatedTwinCards(setup, new WorldFactory(setup)));
  const said: string[] = [];
  for (const point of twinPlan.points.filter(({ id }) => ids.includes(id))) {
    const { verdict, reasons } = await runTwinPoint(point, factory);
    if (verdict !== 'pass') said.push(`${point.id}: ${reasons.join('; ')}`);
  }
  return said;
}

describe('faulty builds are caught for their own reason', () => {
  test('twin-balance-copied: the device sees a balance in the copy, the other card takes it', async () => {
    const said = await failed('twin-balance-copied', ['twin-1-start-N-01', 'twin-1-backup-N-01', 'twin-1-backup-X-01', 'twin-1-backup-X-17']);
    expect(said).toEqual([
      expect.stringMatching(/^twin-1-backup-N-01: expected the end done, it ended unexpected at 310 .*the card gives out a balance of 10000 yen/), expect.stringMatching(/^twin-1-backup-X-17: /),
    ]);
  });

  test('twin-secondary-accepted: a secondary card serves a shop', async () => {
    const said = await failed('twin-secondary-accepted', ['twin-1-promote-X-06']);
    expect(said).toEqual([expect.stringMatching(/^twin-1-promote-X-06: .*T2: card 1234567B serves a shop, its primary number is 1234567A/)]);
  });

  test('twin-no-challenge: a recorded session is taken once more', async () => {
    const said = await failed('twin-no-challenge', ['twin-1-backup-N-01', 'twin-1-backup-X-13', 'twin-1-backup-X-14']);
    expect(said).toEqual([expect.stringMatching(/^twin-1-backup-X-14: action 3: the session played again was answered 9000, expected 6982/)]);
  });

  test('twin-two-writes: without a cut nothing shows', async () => {
    expect(await failed('twin-two-writes', ['twin-1-promote-N-01'])).toEqual([]);
  });
});
