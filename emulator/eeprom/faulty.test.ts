import { describe, expect, it } from 'vitest';
import { loadProfile } from '../profiles/files.js';
import { EepromArray } from './array.js';
import { nvmDigest } from './digest.js';
import type { NvmState } from './types.js';

const PAGE = 5;
const AT = PAGE * 64;
const DATA = Uint8Array.from({ length: 64 }, (_, i) => (i * 37 + 11) & 0xff);
/** Lowest bit of byte 1 of the page: DATA has 0 there (0x30), bit 4 is 1. */
const CELL = 8;

function arrayOn(nvm: NvmState | Uint8Array, overrides: readonly string[] = []): EepromArray {
  const { eeprom } = loadProfile('c2010', ['eeprom.bytes=4096', ...overrides]);
  const array = new EepromArray({ profile: eeprom, coreHz: 30_000_000, seed: 3, bytes: new Uint8Array(4096) });
  array.powerOn(nvm, { kind: 'random', seed: 1 });
  return array;
}

function image(): Uint8Array {
  const bytes = new Uint8Array(4096).fill(0xff);
  bytes.set(DATA, AT);
  return bytes;
}

describe('a stuck cell', () => {
  it('reads its value, and each read that should have been another counts', () => {
    const array = arrayOn(image());
    expect(array.anySpecial).toBe(false);
    expect(array.defect(PAGE, CELL, { stuck: 1 })).toBe(true);
    expect([array.read(AT + 1, 1, 0), array.read(AT, 4, 0) & 0xffff]).toEqual([0x31, 0x310b]);
    expect(array.read(AT + 2, 2, 0)).toBe(DATA[2] | (DATA[3] << 8));
    expect(array.bytes[AT + 1]).toBe(0x31);
    expect(array.faulty).toEqual([{ page: PAGE, bit: CELL, stuck: 1, good: 0, wrongReads: 2, failedOperations: 0 }]);
  });

  it('shows nothing while it reads as it should', () => {
    const array = arrayOn(image());
    array.defect(PAGE, CELL, { stuck: 0 });
    expect(array.read(AT + 1, 1, 0)).toBe(0x30);
    expect(array.faulty[0].wrongReads).toBe(0);
  });

  it('makes an operation fail that wants the other value, and only that', () => {
    const array = arrayOn(image());
    array.defect(PAGE, CELL, { stuck: 0 });
    array.start(PAGE, 3, new Uint8Array(64).fill(0xff).fill(0x0f, 2, 3), true, 0);
    expect(array.finish()).toBe(false);
    expect([array.read(AT + 1, 1, 0), array.faulty[0].failedOperations]).toEqual([0xfe, 1]);
    array.start(PAGE, 3, DATA, true, 200_000);
    expect(array.finish()).toBe(true);
    expect(array.faulty[0]).toMatchObject({ good: 0, failedOperations: 1 });
  });

  it('outlives power and snapshots, and memories with it are told apart', () => {
    const array = arrayOn(image());
    array.defect(PAGE, CELL, { stuck: 1 });
    array.read(AT + 1, 1, 0);
    const left = array.cut(0);
    const again = arrayOn(left);
    expect(again.read(AT + 1, 1, 0)).toBe(0x31);
    expect(again.faulty[0].wrongReads).toBe(2);
    const state = array.snapshot();
    const other = arrayOn(image());
    other.restore(state);
    expect([other.read(AT + 1, 1, 0), other.faulty[0].wrongReads, array.faulty[0].wrongReads]).toEqual([0x31, 2, 1]);
    expect(nvmDigest({ ...left, faulty: [] })).not.toBe(nvmDigest(left));
  });
});

describe('a leaking cell', () => {
  it('loses charge at each power-on until it reads erased, and is sound once its page is written', () => {
    const set = ['eeprom.cells.drift=0.2', 'eeprom.cells.noise=0'];
    const array = arrayOn(image(), set);
    expect(array.defect(PAGE, CELL, { charge: 0.3 })).toBe(true);
    expect([array.read(AT + 1, 1, 0), array.faulty[0].wrongReads]).toEqual([0x30, 0]);
    const once = arrayOn(array.cut(0), set);
    const twice = arrayOn(once.cut(0), set);
    expect([twice.read(AT + 1, 1, 0), twice.faulty[0].wrongReads]).toEqual([0x31, 1]);
    const last = arrayOn(arrayOn(twice.cut(0), set).cut(0), set);
    expect([last.weak, last.read(AT + 1, 1, 0), last.faulty[0].wrongReads]).toEqual([[], 0x31, 2]);
    last.start(PAGE, 3, DATA, true, 0);
    expect([last.finish(), last.read(AT + 1, 1, 0), last.faulty[0].wrongReads]).toEqual([true, 0x30, 3]);
  });

  it('must be programmed', () => {
    const array = arrayOn(image());
    expect([array.defect(PAGE, CELL + 4, { charge: 0.3 }), array.faulty]).toEqual([false, []]);
  });
});
