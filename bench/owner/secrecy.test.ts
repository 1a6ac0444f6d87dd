import { beforeAll, describe, expect, test } from 'vitest';
import { loadProfile } from '../../emulator/index.js';
import { writeRecord } from '../../reports/index.js';
import { WorldFactory } from '../certify/factory.js';
import { PointLog } from '../certify/log.js';
import { runHonestly } from '../certify/prepare.js';
import { concat, textBytes } from '../codec/index.js';
import { firmwareImage } from '../firmware/faulty.js';
import { findLeaks, notSearchable, secretsOfWorld, tapped } from '../leak/index.js';
import type { Leak, Place, TappedWorld, WorldSecrets } from '../leak/index.js';

interface Done extends WorldSecrets {
  readonly places: readonly Place[];
  readonly tap: TappedWorld;
}

const header = { tool: '0', firmware: { image: 'x', sha256: '0' }, chip: { profile: 'x', overrides: '0', coreHz: 1 }, seed: 1, protocol: 'T=1', plan: 'x' };
/** Commands whose data or answer hold a value, or digest and remaining amount, by the protocol: LOAD and LIST VALUES. */
const showsValues = /"command":"[0-9A-F]{2}(2E|10)/;

/** Registers and recovers in all three ways, with right and wrong entries, and gives what anybody could see of it. */
async function everything(image = firmwareImage()): Promise<Done> {
  const log = new PointLog('p');
  const means: Uint8Array[] = [];
  const factory = new WorldFactory({ image, profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' });
  const tap = tapped(await factory.world({ device: 'right' }, { ...log.hooks, owner: (message) => { means.push(message); } }));
  const { world } = tap;
  log.watch(world);
  await world.open();
  for (const item of ['$a', '$b', '$c', '$d'] as const) await world.load(item, 'movie-ticket-A');
  const secrets = secretsOfWorld(world);
  const run = async (scenario: `${8 | 9 | 10}/${string}`, item: '$a' | '$b' | '$c' | '$d', options = {}, cause = 'done'): Promise<void> => {
    expect([scenario, (await runHonestly({ run: 'scenario', scenario, options, item }, world)).cause]).toEqual([scenario, cause]);
  };
  await run('8/backup', '$a');
  await run('8/recover', '$a', { owner: 'wrong-password' }, 'refused');
  world.parts.safes.safe.clock.ms += 60_000;
  await run('8/recover', '$a');
  await run('8/backup', '$d', { owner: 'template' });
  await run('8/recover', '$d', { owner: 'template-within' });
  await run('9/backup', '$b', { ownerTransport: 'common-key' });
  await run('9/recover', '$b', { ownerTransport: 'public-key', owner: 'template' });
  await run('10/backup', '$c');
  await run('10/recover', '$c');
  log.usage(world);
  const lines = writeRecord(header, log.events).split('\n').filter((line) => !showsValues.test(line));
  return { ...secrets, tap, places: [...tap.places(), { name: 'link to 149', bytes: concat(...means) }, { name: 'record', bytes: textBytes(lines.join('\n')) }] };
}

const names = (leaks: readonly Leak[]): readonly string[] => [...new Set(leaks.map(({ place, name }) => `${place}: ${name}`))];

describe('what an owner enters, and what goes over a path', () => {
  let done: Done;
  beforeAll(async () => { done = await everything(); }, 300_000);

  test('stands on no link past the terminal, in no store, not in the record', () => {
    expect(notSearchable(done.sought, done)).toEqual([]);
    expect(done.sought.filter(({ kind }) => kind === 'owner')).toHaveLength(3);
    for (const name of ['link to safe', 'store of safe', 'link to 149', 'record']) expect(done.places.find((place) => place.name === name)?.bytes.length).toBeGreaterThan(500);
    expect(names(findLeaks(done.sought, done.places, done))).toEqual([]);
  });

  test('a planted password, template or device key is found wherever it is planted', () => {
    for (const secret of done.sought.filter(({ name }) => /owner's|device/.test(name))) {
      const part = secret.bytes.slice(2, 12);
      for (const { name, bytes } of done.places) {
        const planted = { name, bytes: concat(bytes, textBytes(`"${Buffer.from(part).toString('hex')}"`)) };
        expect(names(findLeaks([secret], [planted]))).toEqual([`${name}: ${secret.name}`]);
      }
    }
  });
});

test('path-plain: the value stands in the record, where the card gave it in clear', async () => {
  const log = new PointLog('p');
  const world = await new WorldFactory({ image: firmwareImage('path-plain'), profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' }).world({}, log.hooks);
  log.watch(world);
  await world.open();
  await world.load('$a', 'movie-ticket-A');
  const secrets = secretsOfWorld(world);
  const { cause, step, text } = await runHonestly({ run: 'scenario', scenario: '9/backup', options: {}, item: '$a' }, world);
  expect([cause, step, text]).toEqual(['unexpected', '1-9', 'the value is in clear in the request for a path']);
  const lines = writeRecord(header, log.events).split('\n').filter((line) => !showsValues.test(line));
  expect(names(findLeaks(secrets.sought, [{ name: 'record', bytes: textBytes(lines.join('\n')) }], secrets))).toEqual(['record: value 1']);
});
