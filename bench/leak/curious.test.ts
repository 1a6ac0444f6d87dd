import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadImage, loadProfile } from '../../emulator/index.js';
import type { ScenarioId, ScenarioOptions } from '../../scenarios/index.js';
import { WorldFactory } from '../certify/factory.js';
import { runHonestly } from '../certify/prepare.js';
import { commands } from '../codec/index.js';
import { referenceImage } from '../certify/options.js';
import { seededRandom } from '../world/random.js';
import { computedFrom, findLeaks, secretsOfWorld, tapped } from './index.js';
import type { Sought, View } from './index.js';

const faulty = (name: string): string => new URL(`../../devices/firmware/images/faulty/${name}.elf`, import.meta.url).pathname;
type Role = 'safe' | 'other';
/** Scenario, options, and how it ends; default done. */
type Run = readonly [ScenarioId, ScenarioOptions?, string?];

/** Keys of a safe of the bench, in the order in which they are drawn. */
function keysOf(role: Role): { readonly signing: Uint8Array; readonly agreement: Uint8Array; readonly store: Uint8Array } {
  const random = seededRandom(1, role);
  return { signing: random(32), agreement: random(32), store: random(32) };
}

interface Seen {
  /** What safes can compute together from what they saw and store, as names of secrets; their own keys left out. */
  alone(...roles: readonly Role[]): readonly string[];
  /** The same together with the terminal, which sees what crosses to either. */
  computed(...roles: readonly Role[]): readonly string[];
  /** What the terminal can compute with their keys, without what they store. */
  overheard(...roles: readonly Role[]): readonly string[];
}

/** `known`: names of the card's keys that the curious have besides; `seed`: the card's key comes from a seed. */
async function after(runs: readonly Run[], image = referenceImage, known: readonly string[] = [], seed = false): Promise<Seen> {
  const factory = new WorldFactory({ image: loadImage(readFileSync(image)), profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' });
  const apdus: Uint8Array[] = [];
  /** LOAD and LIST VALUES show values to the terminal by the protocol: it is where they come from. */
  const showsValues = new Set([0x2e, 0x10]);
  const tap = tapped(await factory.world({ safes: 2 }, { exchanged: ({ command, answer }) => { if (!showsValues.has(command[1])) apdus.push(command, answer); } }));
  const { world } = tap;
  await world.open();
  if (seed) expect((await world.line.transmit(commands.generateSeed())).sw).toBe(0x9000);
  await world.load('$item', 'movie-ticket-A');
  const { sought, allowed } = secretsOfWorld(world);
  for (const [scenario, options = {}, ends = 'done'] of runs) {
    const { cause, text } = await runHonestly({ run: 'scenario', scenario, options, ...scenario.includes('key') || scenario.includes('seed') ? {} : { item: '$item' } }, world);
    expect(`${scenario} ${cause} ${text}`).toContain(` ${ends} `);
  }
  const all: readonly Sought[] = [...sought, ...secretsOfWorld(world).sought.filter(({ name, bytes }) => !sought.some((one) => one.name === name && one.bytes.every((byte, at) => byte === bytes[at])))];
  const by = (roles: readonly Role[], seen: readonly Uint8Array[], stored = true): readonly string[] => {
    const { safes } = world.parts;
    const view: View = {
      seen, keys: [...roles.map((role) => keysOf(role).agreement), ...sought.filter(({ name }) => known.includes(name)).map(({ bytes }) => bytes)],
      stores: (stored ? roles : []).map((role) => ({ key: keysOf(role).store, items: [...safes[role].store.range('item/')].map(([key, sealed]) => [key.slice('item/'.length), sealed] as const) })),
    };
    /** The terminal is where the owner enters what is known there. */
    const foreign = all.filter(({ name }) => !known.includes(name) && !name.startsWith("owner's") && !roles.some((role) => name.endsWith(` of ${role}`)));
    const leaks = findLeaks(foreign, computedFrom(view).map((bytes, at) => ({ name: String(at), bytes })), { allowed });
    return [...new Set(leaks.map(({ name }) => name))].sort();
  };
  return {
    alone: (...roles) => by(roles, roles.flatMap((role) => tap.crossed(role))),
    computed: (...roles) => by(roles, [...tap.crossed('safe'), ...tap.crossed('other'), ...apdus]),
    overheard: (...roles) => by(roles, [...tap.crossed('safe'), ...tap.crossed('other'), ...apdus], false),
  };
}

const deleted: ScenarioOptions = { deleteAfterRegistration: true };

describe('a curious safe together with the terminal', () => {
  test('embodiment 2, value and key at one safe: it can read the value, so the search is able to', async () => {
    const seen = await after([['2/backup'], ['2/key-backup']]);
    expect(seen.computed('safe')).toEqual(["card's decoding key", 'value 1']);
    expect(seen.computed('other')).toEqual([]);
    expect(seen.computed()).toEqual([]);
  });

  test('embodiment 3: no safe alone has the value, the first has no key either; both together read it', async () => {
    const seen = await after([['3/backup', deleted], ['3/key-backup', deleted], ['3/key-recover'], ['3/recover']]);
    expect(seen.computed('safe')).toEqual([]);
    expect(seen.alone('other')).toEqual(["card's decoding key"]);
    expect(seen.alone('safe', 'other')).toEqual(["card's decoding key", 'value 1']);
  });

  test('embodiment 3, unsealed: 203 crosses the terminal, so the key safe together with it reads the value', async () => {
    const seen = await after([['3/backup', deleted], ['3/key-backup', deleted], ['3/key-recover'], ['3/recover']]);
    expect(seen.computed('other')).toEqual(["card's decoding key", 'value 1']);
  });

  test.each(['public-key', 'common-key'] as const)('embodiment 3, %s, sealed: the key safe together with the terminal has its key and no value, the first nothing', async (variant) => {
    const sealed: ScenarioOptions = { sealed: true, variant };
    const key: ScenarioOptions = { ...deleted, keyKind: variant === 'public-key' ? 'decoding' : 'common' };
    const name = variant === 'public-key' ? "card's decoding key" : "card's common key";
    const seen = await after([['3/backup', { ...sealed, ...deleted }], ['3/key-backup', key], ['3/key-recover', { keyKind: key.keyKind ?? 'decoding' }], ['3/recover', sealed]]);
    expect(seen.computed()).toEqual([]);
    expect(seen.computed('safe')).toEqual([]);
    expect(seen.computed('other')).toEqual([name]);
    expect(seen.alone('safe')).toEqual([]);
    expect(seen.alone('other')).toEqual([name]);
    expect(seen.alone('safe', 'other')).toEqual([name, 'value 1']);
    expect(seen.computed('safe', 'other')).toEqual([name, 'value 1']);
  });

  test('embodiment 3, sealed: what crosses opens with the keys of both safes and nothing less', async () => {
    const seen = await after([['3/backup', { sealed: true }], ['3/key-backup']]);
    expect(seen.overheard('safe', 'other')).toEqual(["card's decoding key", 'value 1']);
    expect(seen.overheard('safe')).toEqual([]);
    expect(seen.overheard('other')).toEqual(["card's decoding key"]);
  });

  test('embodiment 3, sealed: the faulty build path-plain is found, 203 gets as far as the terminal', async () => {
    const seen = await after([['3/backup', { sealed: true }, 'unexpected'], ['3/key-backup']], faulty('path-plain'));
    expect(seen.alone('other')).toEqual(["card's decoding key"]);
    expect(seen.computed('other')).toEqual(["card's decoding key", 'value 1']);
  });

  test.each([
    ['XOR, three parts', {}], ['XOR, parts A and B', { keyDivision: { scheme: 'xor', threshold: 2, count: 2 } }],
    ['Shamir, three of four', { keyDivision: { scheme: 'shamir', threshold: 3, count: 4 } }],
    ['a key pair generated from parts', { keyDivision: { scheme: 'origin', threshold: 3, count: 3 } }],
  ] satisfies readonly (readonly [string, ScenarioOptions])[])('embodiment 6, %s: no safe alone has value or key; both together have', async (_, options) => {
    const seen = await after([['6/key-backup', options], ['2/backup']]);
    expect(seen.computed('safe')).toEqual([]);
    expect(seen.computed('other')).toEqual([]);
    expect(seen.computed('safe', 'other')).toEqual(expect.arrayContaining(["card's decoding key", 'value 1']));
  });

  test.each([
    ['XOR, three parts', {}], ['Shamir, three of four', { keyDivision: { scheme: 'shamir', threshold: 3, count: 4 } }],
  ] satisfies readonly (readonly [string, ScenarioOptions])[])('embodiment 7, a seed in parts, %s: no safe alone has seed, key or value; both together have', async (_, options) => {
    const divided = { ...options, keyKind: 'seed' } as const;
    const seen = await after([['7/backup'], ['6/key-backup', { ...divided, ...deleted }], ['6/key-recover', divided]], referenceImage, [], true);
    expect(seen.computed('safe')).toEqual([]);
    expect(seen.computed('other')).toEqual([]);
    expect(seen.alone('safe', 'other')).toEqual(expect.arrayContaining(["card's decoding key", "card's seed", 'value 1']));
  });

  test.each([
    ['XOR, three parts', {}], ['XOR, parts A and B', { keyDivision: { scheme: 'xor', threshold: 2, count: 2 } }],
    ['Shamir, three of three', { keyDivision: { scheme: 'shamir', threshold: 3, count: 3 } }],
    ['a key pair generated from parts', { keyDivision: { scheme: 'origin', threshold: 3, count: 3 } }],
  ] satisfies readonly (readonly [string, ScenarioOptions])[])('embodiment 6, a ciphertext coupled with a part, %s: neither safe has value or key, nor both: the part is sealed for the card', async (_, options) => {
    const runs: readonly Run[] = [['6/backup', options], ['6/recover', options]];
    const seen = await after(runs);
    for (const roles of [['safe'], ['other'], ['safe', 'other']] as const) expect([roles, seen.computed(...roles)]).toEqual([roles, []]);
    const opened = await after(runs, referenceImage, ["card's transport key"]);
    expect(opened.computed('safe', 'other')).toEqual(expect.arrayContaining(["card's decoding key", 'value 1']));
  });

  test('the faulty build coupled-part-open is found: the second safe has the key with the terminal, and the value', async () => {
    const runs: readonly Run[] = [['6/backup', { keyDivision: { scheme: 'xor', threshold: 2, count: 2 } }]];
    expect((await after(runs, faulty('coupled-part-open'))).computed('other')).toEqual(expect.arrayContaining(["card's decoding key", 'value 1']));
    expect((await after(runs)).computed('other')).toEqual([]);
  });

  test('embodiment 12: before its owner has come, the key safe has the key and no value, the other neither', async () => {
    const seen = await after([['12/backup'], ['12/key-backup']]);
    expect(seen.computed('safe')).toEqual([]);
    expect(seen.alone('other')).toEqual(["card's decoding key"]);
  });

  test('embodiment 12: once its owner has come, the key safe can have read that value, the other safe nothing', async () => {
    const seen = await after([['12/backup'], ['12/key-backup'], ['12/recover']]);
    expect(seen.alone('safe')).toEqual([]);
    expect(seen.computed('safe')).toEqual([]);
    expect(seen.alone('other')).toEqual(["card's decoding key", 'value 1']);
  });

  test('the faulty build part-is-key is found: one safe has the key, and with the terminal the value', async () => {
    const runs: readonly Run[] = [['6/key-backup'], ['2/backup']];
    expect((await after(runs, faulty('part-is-key'))).computed('safe')).toEqual(expect.arrayContaining(["card's decoding key", 'value 1']));
    expect((await after(runs)).computed('safe')).toEqual([]);
  });
});
