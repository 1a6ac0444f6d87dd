import { describe, expect, test } from 'vitest';
import { textBytes } from '../codec/index.js';
import type { SafeError } from './errors.js';
import { authenticateOwner, distance, enrolledOwner, ownerInformation, ownerKey, renamedOwner } from './owner.js';
import type { OwnerInformation, OwnerSetting } from './owner.js';
import { memoryStore } from './store.js';
import type { MemoryStore } from './store.js';

const setting: OwnerSetting = {
  policy: { scrypt: { logN: 4, r: 8, p: 1 }, threshold: 655, tries: 3, wait: 1000 }, secret: new Uint8Array(32).fill(7), storeKey: new Uint8Array(32).fill(9),
};
const password = (text: string): OwnerInformation => ownerInformation(1, textBytes(text));
const right = password('correct horse');
const template = ownerInformation(2, Uint8Array.from({ length: 256 }, (_, at) => at * 37));
const flipped = (bits: number): OwnerInformation => {
  const bytes = template.bytes.slice();
  for (let bit = 0; bit < bits; bit += 1) bytes[bit >> 3] ^= 1 << (bit & 7);
  return { method: 'template', bytes };
};

function enrolled(information: OwnerInformation): MemoryStore {
  const store = memoryStore();
  store.transaction((writer) => { writer.put(ownerKey('n'), enrolledOwner('n', information, setting)); });
  return store;
}
const answer = (store: MemoryStore, presented: OwnerInformation, now = 0, name = 'n'): string => {
  try {
    authenticateOwner(store, name, presented, now, setting);
    return 'match';
  } catch (error) {
    return (error as SafeError).code;
  }
};

describe('owner authentication information', () => {
  test('the right password matches, as often as it is presented', () => {
    const store = enrolled(right);
    expect([answer(store, right), answer(store, right), answer(store, password('correct horsf'))]).toEqual(['match', 'match', 'SAFE_OWNER_WRONG']);
  });

  test('a template matches up to the threshold and not a bit beyond', () => {
    expect(distance(template.bytes, flipped(655).bytes)).toBe(655);
    expect(answer(enrolled(template), flipped(655))).toBe('match');
    expect(answer(enrolled(template), flipped(656))).toBe('SAFE_OWNER_WRONG');
    expect(answer(enrolled(template), right)).toBe('SAFE_OWNER_WRONG');
  });

  test('after a wrong attempt the next is taken only after a wait that doubles; a refused one is not counted', () => {
    const store = enrolled(right);
    expect(answer(store, password('wrong one'), 0)).toBe('SAFE_OWNER_WRONG');
    for (let at = 0; at < 9; at += 1) expect(answer(store, right, 999)).toBe('SAFE_OWNER_WAIT');
    expect(answer(store, password('wrong one'), 1000)).toBe('SAFE_OWNER_WRONG');
    expect(answer(store, right, 2999)).toBe('SAFE_OWNER_WAIT');
    expect(answer(store, right, 3000)).toBe('match');
    expect(answer(store, password('wrong one'), 3000)).toBe('SAFE_OWNER_WRONG');
    expect(answer(store, right, 4000)).toBe('match');
  });

  test('locked after the last attempt, also when the safe starts anew on the same store', () => {
    const store = enrolled(right);
    for (const now of [0, 10_000, 20_000]) expect(answer(store, password('wrong one'), now)).toBe('SAFE_OWNER_WRONG');
    expect(answer(store, right, 1e9)).toBe('SAFE_OWNER_LOCKED');
    expect(answer(memoryStore(store.snapshot()), right, 1e9)).toBe('SAFE_OWNER_LOCKED');
  });

  test('neither password nor template stands in the store, and a record serves under its name alone', () => {
    for (const information of [right, template]) {
      const bytes = enrolled(information).get(ownerKey('n')) ?? new Uint8Array(0);
      expect(Buffer.from(bytes).includes(Buffer.from(information.bytes.slice(0, 8)))).toBe(false);
      const store = memoryStore();
      store.transaction((writer) => {
        writer.put(ownerKey('m'), bytes);
        writer.put(ownerKey('k'), renamedOwner('n', 'k', bytes, setting));
      });
      expect([answer(store, information, 0, 'm'), answer(store, information, 0, 'k'), answer(store, information, 0, 'x')]).toEqual(['SAFE_STORE', 'match', 'SAFE_UNKNOWN']);
    }
  });

  test.each([
    ['no method', 0, 'long enough'], ['an unknown method', 3, 'long enough'], ['a short password', 1, 'seven77'], ['no normal form', 1, 'ﬁligree1'], ['a short template', 2, 'template'],
  ])('%s is refused', (_, method, text) => {
    expect(() => ownerInformation(method, textBytes(text))).toThrow(expect.objectContaining({ code: 'SAFE_BAD_OBJECT' }));
  });
});
