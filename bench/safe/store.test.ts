import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { lmdbStore } from './lmdb-store.js';
import { memoryStore } from './store.js';
import { storeContract } from './testing/store-contract.js';

const scratch = mkdtempSync(join(tmpdir(), 'cardbench-store-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let number = 0;

storeContract('memory', () => memoryStore());
storeContract('lmdb', () => lmdbStore(join(scratch, String((number += 1)))));

describe('lmdb', () => {
  test('what was written is there after closing and opening again', async () => {
    const directory = join(scratch, 'again');
    const first = lmdbStore(directory);
    first.transaction((writer) => writer.put('k', Uint8Array.of(5)));
    await first.close();
    const second = lmdbStore(directory);
    expect(second.get('k')).toEqual(Uint8Array.of(5));
    await second.close();
  });

  test('a directory that cannot be made is SAFE_STORE', () => {
    expect(() => lmdbStore('/dev/null/store')).toThrow(expect.objectContaining({ code: 'SAFE_STORE' }));
  });
});

describe('memory', () => {
  const change = fc.tuple(fc.constantFrom('put' as const, 'delete' as const), fc.integer({ min: 0, max: 40 }), fc.nat(255));

  test('behaves as a sorted Map, stays balanced, and every snapshot stays what it was', () => {
    fc.assert(fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
      const store = memoryStore();
      const model = new Map<string, number>();
      const kept: [ReturnType<typeof store.snapshot>, string, [string, number][]][] = [];
      const shown = (): [string, number][] => [...store.range('')].map(([key, value]) => [key, value[0]]);
      const sorted = (): [string, number][] => [...model].sort(([a], [b]) => (a < b ? -1 : 1));
      for (const [what, at, value] of changes) {
        const key = `k${String(at)}`;
        store.transaction((writer) => (what === 'put' ? writer.put(key, Uint8Array.of(value)) : writer.delete(key)));
        if (what === 'put') model.set(key, value);
        else model.delete(key);
        if (value % 16 === 0) kept.push([store.snapshot(), store.fingerprint(), sorted()]);
      }
      expect(shown()).toEqual(sorted());
      expect(store.snapshot().root?.height ?? 0).toBeLessThanOrEqual(1.4405 * Math.log2(model.size + 2));
      for (const [snapshot, fingerprint, content] of kept) {
        store.restore(snapshot);
        expect(shown()).toEqual(content);
        expect(store.fingerprint()).toBe(fingerprint);
      }
    }));
  });

  test('equal contents have equal fingerprints however they came about; other contents do not', () => {
    const [a, b] = [memoryStore(), memoryStore()];
    const put = (store: typeof a, ...entries: string[]): void =>
      store.transaction((writer) => entries.forEach((key) => writer.put(key, Uint8Array.of(1))));
    put(a, 'x', 'y', 'z');
    put(b, 'z', 'q', 'x', 'y');
    expect(a.fingerprint()).not.toBe(b.fingerprint());
    b.transaction((writer) => writer.delete('q'));
    expect(a.fingerprint()).toBe(b.fingerprint());
    expect(memoryStore(a.snapshot()).fingerprint()).toBe(a.fingerprint());
  });

  test('a transaction inside a transaction is refused and undone', () => {
    const store = memoryStore();
    expect(() => store.transaction((writer) => {
      writer.put('k', Uint8Array.of(1));
      store.transaction(() => undefined);
    })).toThrow(expect.objectContaining({ code: 'SAFE_STORE' }));
    expect(store.get('k')).toBeUndefined();
  });
});
