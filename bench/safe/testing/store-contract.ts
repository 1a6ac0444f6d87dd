import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SafeError } from '../errors.js';
import type { SafeStore } from '../store.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.of(...values);

/** What every store must do; run on each of them. */
export function storeContract(name: string, make: () => SafeStore): void {
  describe(`${name}: the store contract`, () => {
    let store: SafeStore;
    beforeEach(() => {
      store = make();
    });
    afterEach(() => store.close());
    const fill = (...names: string[]): void =>
      store.transaction((writer) => names.forEach((key, i) => writer.put(key, bytes(i))));
    const keysOf = (prefix: string): string[] => [...store.range(prefix)].map(([key]) => key);

    test('what is put is there; what is not put or deleted is not', () => {
      fill('a/1', 'a/2');
      expect(store.get('a/2')).toEqual(bytes(1));
      expect(store.get('a/3')).toBeUndefined();
      store.transaction((writer) => writer.delete('a/2'));
      expect(store.get('a/2')).toBeUndefined();
      store.transaction((writer) => writer.delete('never there'));
      store.transaction((writer) => writer.put('a/1', bytes(9, 9)));
      expect(store.get('a/1')).toEqual(bytes(9, 9));
      expect(store.get('a/1')).toBeInstanceOf(Uint8Array);
    });

    test('a range is the keys with the prefix in ascending order', () => {
      fill('b/2', 'a/9', 'b/1', 'c/1', 'b/10', 'b', 'a');
      expect(keysOf('b/')).toEqual(['b/1', 'b/10', 'b/2']);
      expect(keysOf('')).toEqual(['a', 'a/9', 'b', 'b/1', 'b/10', 'b/2', 'c/1']);
      expect(keysOf('d')).toEqual([]);
    });

    test('a transaction sees its own writes; one that throws changes nothing and passes the error on', () => {
      fill('k');
      const own = new SafeError('SAFE_CONFLICT', 'for the test');
      expect(() => store.transaction((writer) => {
        writer.put('k', bytes(7));
        writer.put('new', bytes(8));
        expect([writer.get('k'), writer.get('new')]).toEqual([bytes(7), bytes(8)]);
        expect([...writer.range('n')]).toEqual([['new', bytes(8)]]);
        writer.delete('k');
        expect(writer.get('k')).toBeUndefined();
        throw own;
      })).toThrow(own);
      expect(keysOf('')).toEqual(['k']);
      expect(store.get('k')).toEqual(bytes(0));
      expect(store.transaction((writer) => writer.get('k'))).toEqual(bytes(0));
    });

    test('bytes given and taken are copies', () => {
      const given = bytes(1, 2, 3);
      store.transaction((writer) => writer.put('k', given));
      given[0] = 99;
      const taken = store.get('k');
      taken?.fill(0);
      expect(store.get('k')).toEqual(bytes(1, 2, 3));
    });

    test('a closed store says SAFE_STORE', async () => {
      await store.close();
      expect(() => store.get('k')).toThrow(expect.objectContaining({ code: 'SAFE_STORE' }));
      expect(() => store.transaction((writer) => writer.put('k', bytes(1)))).toThrow(expect.objectContaining({ code: 'SAFE_STORE' }));
    });
  });
}
