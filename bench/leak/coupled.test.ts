import { readFileSync } from 'node:fs';
import { expand } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { writeRecord } from '../../reports/index.js';
import { loadImage, loadProfile } from '../../emulator/index.js';
import type { ScenarioOptions } from '../../scenarios/index.js';
import { WorldFactory } from '../certify/factory.js';
import { PointLog } from '../certify/log.js';
import { runHonestly } from '../certify/prepare.js';
import { bundle, certificate, concat, textBytes, uintBytes } from '../codec/index.js';
import { decodePart, decodeRecord } from '../safe/record.js';
import type { SafeDesk } from '../world/safes.js';
import { findLeaks, notSearchable, secretsOfWorld, tapped } from './index.js';
import type { Leak, Place, Sought, WorldSecrets } from './index.js';

const header = {
  tool: '0', firmware: { image: 'x', sha256: '0' }, chip: { profile: 'x', overrides: '0', coreHz: 1 }, seed: 1, protocol: 'T=1', plan: 'x',
};
/** LOAD and LIST VALUES carry values in clear by the protocol. */
const showsValues = /"command":"[0-9A-F]{2}(2E|10)/;
const halves: ScenarioOptions = { keyDivision: { scheme: 'xor', threshold: 2, count: 2 } };

interface Seen extends WorldSecrets {
  readonly places: readonly Place[];
  readonly safe: SafeDesk;
  readonly other: SafeDesk;
  readonly key: Uint8Array;
  /** The part that is coupled, as docs/protocol.md 5.2 makes it. */
  readonly partA: Uint8Array;
}

const named = (sought: readonly Sought[], name: string): Uint8Array => {
  const found = sought.find((one) => one.name === name);
  if (found === undefined) throw new Error(`the card has no ${name}`);
  return found.bytes;
};

/** What safes and record have seen when a value was registered coupled with part A of its key, and came back. */
async function seenWith(build: string): Promise<Seen> {
  const image = loadImage(readFileSync(new URL(`../../devices/firmware/images/${build}.elf`, import.meta.url)));
  const log = new PointLog('p');
  const tap = tapped(await new WorldFactory({ image, profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' }).world({ safes: 2 }, log.hooks));
  const { world } = tap;
  log.watch(world);
  await world.open();
  await world.load('$item', 'movie-ticket-A');
  const secrets = secretsOfWorld(world);
  for (const scenario of ['6/backup', '6/recover'] as const) {
    const { cause, text } = await runHonestly({ run: 'scenario', scenario, options: halves, item: '$item' }, world);
    expect(`${scenario} ${cause} ${text}`).toContain(' done ');
  }
  log.usage(world);
  const lines = writeRecord(header, log.events).split('\n').filter((line) => !showsValues.test(line));
  const { safe, other } = world.parts.safes;
  const info = concat(textBytes('cardbench key part v1'), Uint8Array.of(0), uintBytes(1, 4), Uint8Array.of(1));
  return {
    ...secrets, places: [...tap.places(), { name: 'record', bytes: textBytes(lines.join('\n')) }], safe, other,
    key: named(secrets.sought, 'card\'s decoding key'), partA: expand(sha256, named(secrets.sought, 'card\'s card secret'), info, 32),
  };
}

/** What a safe holds, opened with its own store key, by kind. */
const heldBy = (desk: SafeDesk): Map<string, Uint8Array> => new Map([...desk.store.range('certificate/')].flatMap(([name, bytes]) => {
  const item = desk.item(name.slice('certificate/'.length));
  return item === undefined ? [] : [[certificate.decode(decodeRecord(bytes).certificate).kind, item] as const];
}));

const partLeaks = ({ partA, places }: Seen): readonly Leak[] => findLeaks([{ name: 'part A', kind: 'key', bytes: partA }], places);

describe('a ciphertext coupled with part A of its key, part B at the second safe', () => {
  let seen: Seen;
  beforeAll(async () => { seen = await seenWith('card'); }, 120_000);

  test('no value, key, seed or part A on a link past the terminal, in a store or in the record', () => {
    expect(notSearchable(seen.sought, seen)).toEqual([]);
    expect(findLeaks(seen.sought, seen.places, seen)).toEqual([]);
    expect(partLeaks(seen)).toEqual([]);
    for (const { name, bytes } of seen.places) expect([name, bytes.length > 500]).toEqual([name, true]);
  });

  test('the first safe alone holds ciphertext and sealed part, and neither key, value nor a part it can read', () => {
    const held = heldBy(seen.safe);
    expect([...held.keys()]).toEqual(['coupled']);
    const item = held.get('coupled') ?? new Uint8Array();
    const all = [...seen.sought, { name: 'part A', kind: 'key', bytes: seen.partA } as const];
    expect(findLeaks(all, [{ name: 'opened', bytes: item }], seen)).toEqual([]);
    expect(bundle.decode(item).division).toEqual({ count: 1, wanted: 1 });
  });

  test('the second safe alone holds part B, which is the key only together with part A', () => {
    const held = heldBy(seen.other);
    expect([...held.keys()]).toEqual(['key-part']);
    const { part } = decodePart(held.get('key-part') ?? new Uint8Array());
    expect(part).not.toEqual(seen.key);
    expect(part.map((byte, at) => byte ^ seen.partA[at])).toEqual(seen.key);
    expect(findLeaks(seen.sought, [{ name: 'opened', bytes: part }], seen)).toEqual([]);
  });

  test('coupled-part-open is caught: part A stands on the first safe\'s link and in the record', async () => {
    const leaks = partLeaks(await seenWith('faulty/coupled-part-open'));
    expect(new Set(leaks.map(({ place, name }) => `${name} in ${place}`))).toEqual(new Set(['part A in link to safe', 'part A in record']));
  }, 120_000);
});
