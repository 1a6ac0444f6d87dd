import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { writeRecord } from '../../reports/index.js';
import { loadImage, loadProfile } from '../../emulator/index.js';
import type { Ref, ScenarioId, ScenarioOptions } from '../../scenarios/index.js';
import { WorldFactory } from '../certify/factory.js';
import { PointLog } from '../certify/log.js';
import { referenceImage } from '../certify/options.js';
import { runHonestly } from '../certify/prepare.js';
import { concat, textBytes } from '../codec/index.js';
import { findLeaks, notSearchable, secretsOfWorld, tapped } from './index.js';
import type { Place, Sought, TappedWorld, WorldSecrets } from './index.js';

const secret = (bytes: Uint8Array): Sought => ({ name: 'k', kind: 'key', bytes });
const at = (text: string | Uint8Array): Place => ({ name: 'p', bytes: typeof text === 'string' ? textBytes(text) : text });

describe('the search', () => {
  const material = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((bytes) => new Set(bytes).size > 24);
  const forms = {
    'raw': (bytes: Uint8Array) => bytes, 'hex': (bytes: Uint8Array) => textBytes(Buffer.from(bytes).toString('hex')),
    'HEX': (bytes: Uint8Array) => textBytes(Buffer.from(bytes).toString('hex').toUpperCase()),
    'base64': (bytes: Uint8Array) => textBytes(Buffer.from(bytes).toString('base64')),
    'base64url': (bytes: Uint8Array) => textBytes(Buffer.from(bytes).toString('base64url')),
  } as const;

  test.each(Object.entries(forms))('finds any twelve bytes of a secret in %s, wherever they begin', (_, form) => {
    fc.assert(fc.property(material, fc.nat(20), fc.uint8Array({ maxLength: 9 }), fc.string({ maxLength: 9 }), (key, from, before, around) => {
      const hidden = form(concat(before, key.slice(from, from + 12), Uint8Array.of(1, 2, 3)));
      const [leak] = findLeaks([secret(key)], [at(concat(textBytes(around), hidden, textBytes(around)))]);
      expect(leak).toMatchObject({ place: 'p', name: 'k', kind: 'key' });
      expect(leak.length).toBeGreaterThanOrEqual(12);
    }), { numRuns: 60 });
  });

  test('finds nothing in other bytes, in seven of its bytes, or in what is allowed', () => {
    fc.assert(fc.property(material, fc.uint8Array({ maxLength: 2000 }), (key, noise) => {
      expect(findLeaks([secret(key)], [at(noise), at(Buffer.from(noise).toString('base64')), at(concat(noise, Uint8Array.of(key[4] ^ 0xff), key.slice(5, 12)))])).toEqual([]);
      expect(findLeaks([secret(key)], [at(key)], { allowed: [key] })).toEqual([]);
    }), { numRuns: 60 });
  });

  test('runs of one byte are no secret; what cannot be searched is said', () => {
    const zeros = secret(new Uint8Array(32));
    expect(findLeaks([zeros], [at(new Uint8Array(64))])).toEqual([]);
    const key = Uint8Array.from({ length: 16 }, (_, i) => i);
    expect(notSearchable([zeros, { ...secret(key.slice(0, 7)), name: 'short' }, { ...secret(key), name: 'good' }])).toEqual(['k', 'short']);
    expect(notSearchable([secret(key)], { allowed: [key] })).toEqual(['k']);
  });

  test('a leak never shows the secret', () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => 200 - i);
    expect(JSON.stringify(findLeaks([secret(key)], [at(key)]))).toBe('[{"place":"p","name":"k","kind":"key","form":"raw","length":32}]');
  });
});

describe('a world in which everything has been done', () => {
  const setup = { image: loadImage(readFileSync(referenceImage)), profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' } as const;
  const header = {
    tool: '0', firmware: { image: 'x', sha256: '0' }, chip: { profile: 'x', overrides: '0', coreHz: 1 }, seed: 1, protocol: 'T=1', plan: 'x',
  };
  /** Commands whose data or answer hold a value, or digest and remaining amount, by the protocol: LOAD and LIST VALUES. */
  const showsValues = /"command":"[0-9A-F]{2}(2E|10)/;

  interface Done extends WorldSecrets {
    readonly tap: TappedWorld;
    readonly record: Place;
    /** The record without the commands that carry values. */
    readonly narrowed: Place;
  }

  async function done(runs: readonly (readonly [ScenarioId, Ref | undefined, ScenarioOptions])[]): Promise<Done> {
    const log = new PointLog('p');
    const factory = new WorldFactory(setup);
    const tap = tapped(await factory.world({ safes: 2 }, log.hooks));
    const { world } = tap;
    log.watch(world);
    await world.open();
    await world.load('$a', 'movie-ticket-A');
    await world.load('$b', 'movie-ticket-A');
    const secrets = secretsOfWorld(world);
    for (const [scenario, item, options] of runs) {
      const { cause, text } = await runHonestly({ run: 'scenario', scenario, options, ...(item === undefined ? {} : { item }) }, world);
      expect(`${scenario} ${cause} ${text}`).toContain(' done ');
    }
    log.usage(world);
    const lines = writeRecord(header, log.events).split('\n');
    return {
      ...secrets, tap, record: { name: 'record', bytes: textBytes(lines.join('\n')) },
      narrowed: { name: 'record', bytes: textBytes(lines.filter((line) => !showsValues.test(line)).join('\n')) },
    };
  }

  let second: Done;
  beforeAll(async () => {
    second = await done([
      ['2/backup', '$a', {}], ['2/backup', '$b', { variant: 'common-key' }], ['2/key-backup', undefined, {}], ['2/key-recover', undefined, {}],
      ['2/recover', '$a', {}], ['2/recover', '$b', {}],
    ]);
  }, 120_000);
  const places = (of: Done): Place[] => [...of.tap.places(), of.narrowed];
  const kinds = (of: readonly Sought[], kind: Sought['kind']): Sought[] => of.filter((one) => one.kind === kind);

  test('embodiment 2: no value, key or seed on a link past the terminal, in a store or in the record', () => {
    expect(notSearchable(second.sought, second)).toEqual([]);
    expect(kinds(second.sought, 'value')).toHaveLength(2);
    expect(kinds(second.sought, 'key').length).toBeGreaterThanOrEqual(6);
    expect(kinds(second.sought, 'seed').length).toBeGreaterThanOrEqual(3);
    for (const { name, bytes } of places(second)) if (!name.endsWith('other')) expect(bytes.length).toBeGreaterThan(1000);
    expect(findLeaks(second.sought, places(second), second)).toEqual([]);
    expect(findLeaks(second.sought.filter(({ kind }) => kind !== 'value'), [second.record], second)).toEqual([]);
  });

  test('the record as a whole shows values only where they are loaded', () => {
    expect(new Set(findLeaks(second.sought, [second.record], second).map(({ kind }) => kind))).toEqual(new Set(['value']));
  });

  test('embodiment 1: the safe sees values and stores none of them in clear', async () => {
    const first = await done([['1/backup', '$a', {}], ['1/recover', '$a', {}]]);
    const leaks = findLeaks(first.sought, first.tap.places(), first);
    expect(leaks.map(({ place, name, form }) => `${place}: ${name} ${form}`)).toContain('link to safe: value 1 raw');
    expect(leaks.filter(({ place }) => place.startsWith('store'))).toEqual([]);
    expect(leaks.filter(({ kind }) => kind !== 'value')).toEqual([]);
  });

  test('a planted leak is found: a value in a store, part of each key and seed in hex or base64 in the record', () => {
    const [value] = kinds(second.sought, 'value');
    const { store } = second.tap.world.parts.safes.safe;
    const before = store.snapshot();
    store.transaction((writer) => { writer.put('item/planted', concat(Uint8Array.of(1, 2), value.bytes)); });
    expect(findLeaks(second.sought, second.tap.places(), second)).toContainEqual(
      { place: 'store of safe', name: 'value 1', kind: 'value', form: 'raw', length: value.bytes.length });
    store.restore(before);
    expect(findLeaks(second.sought, second.tap.places(), second)).toEqual([]);
    for (const key of second.sought.filter(({ kind }) => kind !== 'value')) {
      const part = Buffer.from(key.bytes.slice(3, 15));
      for (const [form, text] of [['hex', part.toString('hex')], ['base64', part.toString('base64')]] as const) {
        const planted = { name: 'record', bytes: concat(second.narrowed.bytes, textBytes(`{"text":"${text}"}`)) };
        expect(findLeaks(second.sought, [planted], second)).toContainEqual({ place: 'record', name: key.name, kind: key.kind, form, length: 12 });
      }
    }
  });
});
