import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadProfile } from '../profiles/files.js';
import { EepromArray } from './array.js';
import { nvmDigest } from './digest.js';
import { hash32 } from './math.js';
import { countWeak } from './policy.js';
import type { WeakPolicy } from './types.js';

const BYTES = 512;
const PAGES = BYTES / 64;

const policy: fc.Arbitrary<WeakPolicy> = fc.oneof(
  fc.constant<WeakPolicy>({ kind: 'new' }), fc.constant<WeakPolicy>({ kind: 'old' }), fc.constant<WeakPolicy>({ kind: 'unstable' }),
  fc.nat(40).map<WeakPolicy>((index) => ({ kind: 'flip', index })), fc.nat(9).map<WeakPolicy>((seed) => ({ kind: 'random', seed })),
);

const step = fc.record({
  page: fc.nat(PAGES - 1),
  command: fc.integer({ min: 1, max: 3 }),
  force: fc.boolean(),
  data: fc.nat(),
  /** Part of the operation after which power goes; above 1 it is finished. */
  cut: fc.double({ min: 0, max: 3, noNaN: true }),
  policy,
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function fresh(overrides: readonly string[]): EepromArray {
  const { eeprom } = loadProfile('c2010', [`eeprom.bytes=${BYTES}`, ...overrides]);
  return new EepromArray({ profile: eeprom, coreHz: 1_000_000, seed: 11, bytes: new Uint8Array(BYTES) });
}

function contents(array: EepromArray): number[] {
  return Array.from({ length: BYTES }, (_, i) => (array.special(i >> 6) ? array.read(i, 1, 0) : array.bytes[i]));
}

/** Typed arrays as text: quicker to compare. */
function plain(_key: string, value: unknown): unknown {
  return ArrayBuffer.isView(value) ? (value as Uint8Array).join() : value;
}

/** Does a step; after a cut the next session has begun. */
function play(array: EepromArray, { page, command, force, data, cut, policy: next }: Step): void {
  const target = Uint8Array.from({ length: 64 }, (_, i) => (i % 7 === 0 ? 0xff : hash32(data, i) & 0xff));
  const end = array.start(page, command, target, force, 0);
  if (array.operation === undefined) return;
  if (cut > 1) array.finish();
  else array.powerOn(array.cut(Math.floor(end * cut)), next);
}

describe('any series of operations and cuts', () => {
  const overrides = fc.constantFrom<string[]>([], ['eeprom.cells.levels=3', 'eeprom.cells.weak=0.12', 'eeprom.cells.spread=0.25'],
    ['eeprom.erased=0', 'eeprom.cells.mean=0.6'], ['eeprom.cells.disturb=0.01', 'eeprom.cells.drift=0.2'], ['eeprom.wear.endurance=5']);

  it('is the same over a snapshot at any place, also on another array', () => {
    fc.assert(fc.property(overrides, fc.array(step, { minLength: 1, maxLength: 12 }), fc.nat(11), (settings, steps, at) => {
      const straight = fresh(settings);
      const forked = fresh(settings);
      const other = fresh(settings);
      steps.forEach((one, i) => {
        if (i === at % steps.length) {
          const saved = structuredClone(forked.snapshot());
          play(forked, { ...one, page: (one.page + 1) % PAGES });
          forked.restore(saved);
          other.restore(saved);
        }
        play(straight, one);
        play(forked, one);
        if (i >= at % steps.length) play(other, one);
      });
      const [expected, ...seen] = [straight, forked, other].map((array) => [contents(array), JSON.stringify(array.snapshot(), plain)]);
      for (const one of seen) expect(one).toEqual(expected);
    }), { seed: 1, numRuns: 60 });
  });

  it('changes no page but the one at work, and every weak cell has a charge between 0 and 1', () => {
    fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      const array = fresh(['eeprom.cells.weak=0.12']);
      for (const one of steps) {
        const before = array.cut(0);
        array.powerOn(before, { kind: 'old' });
        play(array, { ...one, policy: { kind: 'old' } });
        const after = array.cut(0);
        const changed = [...after.bytes.keys()].filter((i) => after.bytes[i] !== before.bytes[i]);
        expect(changed.filter((i) => i >> 6 !== one.page)).toEqual([]);
        for (const weak of after.weak) expect(weak.charge.every((charge) => charge > 0 && charge < 1)).toBe(true);
        array.powerOn(after, { kind: 'old' });
      }
    }), { seed: 2, numRuns: 60 });
  });

  it('leaves a state that power-on and cut give back, whatever the policy showed', () => {
    fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), policy, (steps, last) => {
      const array = fresh(['eeprom.cells.weak=0.12']);
      for (const one of steps) play(array, one);
      const left = array.cut(0);
      array.powerOn(left, last);
      contents(array);
      const again = array.cut(0);
      expect([nvmDigest(again), countWeak(again.weak), again.sessions]).toEqual([nvmDigest(left), countWeak(left.weak), left.sessions + 1]);
    }), { seed: 3, numRuns: 120 });
  });

  it('forgets all of a page by one whole erase and program', () => {
    fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), fc.nat(PAGES - 1), (steps, page) => {
      const array = fresh(['eeprom.cells.weak=0.12']);
      for (const one of steps) play(array, { ...one, page });
      const target = Uint8Array.from({ length: 64 }, (_, i) => i * 3);
      array.start(page, 3, target, true, 0);
      expect(array.finish()).toBe(true);
      const left = array.cut(1e9);
      expect(left.bytes.slice(page * 64, page * 64 + 64)).toEqual(target);
      expect([left.weak.length, left.torn.length]).toEqual([0, 0]);
    }), { seed: 4, numRuns: 60 });
  });
});
