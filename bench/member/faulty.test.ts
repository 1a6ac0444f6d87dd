import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadImage, loadProfile } from '../../emulator/index.js';
import { memberPlan } from '../../scenarios/index.js';
import { WorldFactory } from '../certify/factory.js';
import { nobleOps } from '../codec/index.js';
import { memberCutPhases, runMemberCuts } from './cuts.js';
import { emulatedMemberCard, MemberFactory } from './factory.js';
import { runMemberPoint } from './point.js';

const folder = new URL('../../devices/firmware/images/', import.meta.url);

function factoryFor(image: string): MemberFactory {
  const setup = { image: loadImage(readFileSync(new URL(image, folder))), profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' as const };
  const worlds = new WorldFactory(setup);
  return new MemberFactory(1, nobleOps, () => emulatedMemberCard(setup, worlds));
}

/** Points of the plan that do not pass, with what is said of them. */
async function failed(image: string, ids: readonly string[]): Promise<readonly string[]> {
  const factory = factoryFor(image);
  const said: string[] = [];
  for (const point of memberPlan.points.filter(({ id }) => ids.includes(id))) {
    const { verdict, reasons } = await runMemberPoint(point, factory);
    if (verdict !== 'pass') said.push(`${point.id}: ${reasons.join('; ')}`);
  }
  return said;
}

describe('faulty builds are caught for their own reason', () => {
  test('member-a-opens: the signature key lies under password A alone', async () => {
    const said = await failed('faulty/member-a-opens.elf', ['member-1-trade-N-01', 'member-1-trade-X-05']);
    expect(said).toEqual([expect.stringMatching(/^member-1-trade-N-01: .*S13/), expect.stringMatching(/^member-1-trade-X-05: action 5: pay was answered 9000, expected 6982/)]);
  });

  test('member-number-again: another order is signed under a number that was used', async () => {
    const said = await failed('faulty/member-number-again.elf', ['member-1-trade-N-01', 'member-1-trade-X-08']);
    expect(said).toEqual([expect.stringMatching(/^member-1-trade-X-08: action 7: pay was answered 9000, expected 6985/)]);
  });

  test('member-file-in-place: a cut loses the key file', async () => {
    const cuts = await runMemberCuts(factoryFor('faulty/member-file-in-place.elf'), memberCutPhases[2], 60, 1);
    expect(cuts.flatMap(({ problems }) => problems).join('\n')).toMatch(/63C|6581|an honest payment afterwards/);
  });
});

describe('power cuts on the reference firmware', () => {
  test.each(memberCutPhases)('$id: $title', async (phase) => {
    const cuts = await runMemberCuts(factoryFor('card.elf'), phase, 40, 1);
    expect(cuts.filter(({ problems }) => problems.length > 0)).toEqual([]);
    expect(cuts.filter(({ fired }) => fired).length).toBeGreaterThan(30);
  });

  test('the same seed gives the same cuts', async () => {
    const run = () => runMemberCuts(factoryFor('card.elf'), memberCutPhases[2], 5, 7);
    expect(await run()).toEqual(await run());
  });
});
