import { describe, expect, test } from 'vitest';
import { loadProfile } from '../../emulator/index.js';
import { capabilities, planPoint } from '../../scenarios/index.js';
import { WorldFactory } from '../certify/factory.js';
import { runPoint } from '../certify/point.js';
import { faultyBuilds, firmwareImage } from '../firmware/faulty.js';

const factories = new Map<string | undefined, WorldFactory>();
function factoryOf(build: string | undefined): WorldFactory {
  const known = factories.get(build) ?? new WorldFactory({ image: firmwareImage(build), profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' });
  factories.set(build, known);
  return known;
}

/** What the campaign says of a point: `pass`, or the step at which it failed and why. */
async function said(build: string | undefined, id: string): Promise<string> {
  const { judgement } = await runPoint(planPoint(id), { factory: factoryOf(build), offered: capabilities, replay: () => '' });
  return judgement.verdict === 'pass' ? 'pass' : `${judgement.verdict} at ${judgement.step}: ${judgement.reasons.join('; ')}`;
}

/** Points that catch each build, with words that only its fault explains. */
const caught: Readonly<Record<string, readonly (readonly [string, RegExp])[]>> = {
  'owner-not-spent': [['8-recover-N-01', /at 2-15: .*expected spent.*I4: value \w+ is active and its certificate \d+ is stored/], ['10-recover-N-01', /I4/]],
  'owner-any-reply': [['8-recover-X-01', /at 2-12: ended in done .*expected refused/], ['9-recover-X-03', /answered 6A80, expected 6982/]],
  'path-any-grant': [['9-backup-X-01', /at 1-7: ended in done .*expected refused/], ['8-backup-X-02', /expected 1-7/]],
  'path-plain': [['9-backup-N-01', /at 1-9: .*the value is in clear in the request for a path/], ['8-backup-N-01', /at 1-9/]],
  'device-any-check': [['10-backup-X-22', /at 1-11@proof: ended in done .*expected refused/], ['10-recover-X-21', /ended in done/]],
  'device-same-challenge': [['10-backup-X-81', /the same object was taken twice/], ['10-recover-X-83', /the same object was taken twice/]],
};

describe('faulty builds are caught for their own reason, at points that the reference passes', () => {
  test('two for each of embodiments 8, 9 and 10', () => {
    const own = faultyBuilds().filter(({ name }) => name in caught);
    expect(own).toHaveLength(6);
    for (const embodiment of ['8', '9', '10']) expect(own.filter(({ steps }) => embodiment in steps).length).toBeGreaterThanOrEqual(2);
  });

  test.each(Object.entries(caught))('%s', async (build, points) => {
    for (const [id, words] of points) {
      expect([id, await said(undefined, id)]).toEqual([id, 'pass']);
      expect(await said(build, id)).toMatch(words);
    }
  }, 120_000);
});
