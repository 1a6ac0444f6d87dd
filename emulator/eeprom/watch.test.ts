import { describe, expect, test } from 'vitest';
import { loadProfile } from '../profiles/files.js';
import { EepromArray } from './array.js';
import { NvmHash, nvmDigest } from './digest.js';
import type { NvmState } from './types.js';
import type { WatchEvent } from './watch.js';

const { eeprom, cpu } = loadProfile('c2010');
const page = 64;

function array(): EepromArray {
  return new EepromArray({ profile: eeprom, coreHz: cpu.hz, seed: 3, bytes: new Uint8Array(eeprom.bytes) });
}

const filled = (byte: number): Uint8Array => new Uint8Array(page).fill(byte);

/** A memory whose page 5 was cut in the middle of its erase. */
function torn(): NvmState {
  const cells = array();
  cells.start(5, 2, filled(0x5a), true, 0);
  cells.finish();
  const end = cells.start(5, 1, filled(0), true, 1_000_000);
  return cells.cut(1_000_000 + Math.round((end - 1_000_000) * 0.3));
}

describe('a watched page', () => {
  test('tells of its reads, operations and sessions, and others do not', () => {
    const cells = array();
    const told: WatchEvent[] = [];
    cells.watch(new Set([5]), (event) => { told.push(event); });
    cells.powerOn(torn(), { kind: 'new' });
    cells.read(4 * page, 4, 10);
    const value = cells.read(5 * page + 8, 4, 20);
    cells.start(6, 3, filled(1), true, 30);
    cells.finish();
    cells.start(5, 3, filled(7), false, 40);
    cells.finish();
    cells.cut(50);
    expect(told).toEqual([
      { kind: 'power-on', policy: { kind: 'new' } },
      { kind: 'read', page: 5, offset: 5 * page + 8, size: 4, now: 20, value },
      { kind: 'start', page: 5, command: 3, target: filled(7), force: false, now: 40, erase: true, program: true },
      { kind: 'finish', page: 5, verified: true, settled: true },
      { kind: 'cut', now: 50 },
    ]);
  });

  test('is settled only once it was erased and has no weak cell left', () => {
    const cells = array();
    const finishes: WatchEvent[] = [];
    cells.watch(new Set([5]), (event) => { if (event.kind === 'finish') finishes.push(event); });
    cells.powerOn(torn(), { kind: 'old' });
    cells.start(5, 2, filled(0xff), true, 0);
    cells.finish();
    cells.start(5, 1, filled(0), true, 200_000);
    cells.finish();
    expect(finishes.map((event) => event.kind === 'finish' && event.settled)).toEqual([false, true]);
  });

  test('goes through the window while it is watched, over power sessions and restored states', () => {
    const cells = array();
    const window: { onRead?: unknown } = {};
    cells.attach(window as Parameters<EepromArray['attach']>[0]);
    expect(window.onRead).toBeUndefined();
    cells.watch(new Set([5]), () => undefined);
    const state = cells.snapshot();
    cells.powerOn(undefined, { kind: 'new' });
    expect([window.onRead === undefined, cells.special(5), cells.special(6)]).toEqual([false, true, false]);
    cells.restore(state);
    expect(cells.special(5)).toBe(true);
    cells.watch(new Set(), undefined);
    expect([window.onRead, cells.special(5)]).toEqual([undefined, false]);
  });

  test('onStart hands out a state with the operation under way', () => {
    const cells = array();
    const pages: (number | undefined)[] = [];
    cells.onStart(() => { pages.push(cells.snapshot().op?.page); });
    cells.start(9, 3, filled(1), true, 0);
    cells.finish();
    cells.onStart(undefined);
    cells.start(10, 3, filled(1), true, 200_000);
    expect(pages).toEqual([9]);
  });
});

describe('digests near one another', () => {
  test('are those of the whole memory', () => {
    const base = torn();
    const hash = new NvmHash(base.bytes);
    expect(hash.digest(base.bytes, base.weak, base.torn, [])).toBe(nvmDigest(base));
    const other = { ...base, bytes: base.bytes.slice() };
    other.bytes[7 * page + 3] ^= 1;
    other.bytes[1000 * page + 63] ^= 0x80;
    const near = hash.digest(other.bytes, other.weak, other.torn, [7 * page, 1000 * page]);
    expect(near).toBe(nvmDigest(other));
    expect(near).not.toBe(nvmDigest(base));
  });

  test('tell apart equal contents at different places, and weak cells', () => {
    const [one, two] = [new Uint8Array(eeprom.bytes), new Uint8Array(eeprom.bytes)];
    one[3 * page] = 1;
    two[4 * page] = 1;
    const of = (bytes: Uint8Array, weak: NvmState['weak'] = []): string => nvmDigest({ bytes, weak, torn: [], cycles: new Uint32Array(0), sessions: 0 });
    const { weak } = torn();
    expect(new Set([of(one), of(two), of(one, weak)]).size).toBe(3);
    expect(weak.length).toBe(1);
  });
});
