import { describe, expect, it } from 'vitest';
import { loadProfile } from '../profiles/files.js';
import { EepromArray } from './array.js';
import { nvmDigest } from './digest.js';
import { countWeak } from './policy.js';
import type { NvmState, WeakPolicy } from './types.js';

const HZ = 30_000_000;
const PHASE = 45_000;
const PAGE = 5;
const AT = PAGE * 64;

function arrayOf(overrides: readonly string[] = [], seed = 3): EepromArray {
  const { eeprom } = loadProfile('c2010', ['eeprom.bytes=4096', ...overrides]);
  return new EepromArray({ profile: eeprom, coreHz: HZ, seed, bytes: new Uint8Array(4096) });
}

const DATA = Uint8Array.from({ length: 64 }, (_, i) => (i * 37 + 11) & 0xff);
const OTHER = Uint8Array.from({ length: 64 }, (_, i) => (i * 91 + 5) & 0xff);

/** An array whose page holds DATA, in which a change to OTHER began at cycle 0 and was cut at `at`. */
function torn(at: number, overrides: readonly string[] = [], seed = 3): { array: EepromArray; left: NvmState } {
  const array = arrayOf(overrides, seed);
  const image = new Uint8Array(4096).fill(0xff);
  image.set(DATA, AT);
  array.powerOn(image, { kind: 'new' });
  array.start(PAGE, 3, OTHER, false, 0);
  return { array, left: array.cut(at) };
}

function page(array: EepromArray): number[] {
  return Array.from({ length: 64 }, (_, i) => (array.special(PAGE) ? array.read(AT + i, 1, 0) : array.bytes[AT + i]));
}

function reopened(left: NvmState, policy: WeakPolicy, overrides: readonly string[] = []): EepromArray {
  const array = arrayOf(overrides);
  array.powerOn(left, policy);
  return array;
}

describe('EEPROM phases', () => {
  it('take their time from the profile and leave out needless ones', () => {
    const array = arrayOf();
    const end = array.start(0, 3, DATA, false, 100);
    expect(end).toBe(100 + PHASE);
    expect([array.endOfOperation, array.special(0), array.anySpecial]).toEqual([end, true, true]);
    expect(array.finish()).toBe(true);
    expect([array.bytes.slice(0, 64), array.endOfOperation, array.anySpecial]).toEqual([DATA, Infinity, false]);
    expect(array.start(0, 2, DATA, false, 200_000)).toBe(200_000);
    expect(array.start(0, 3, OTHER, false, 200_000)).toBe(200_000 + 2 * PHASE);
    array.finish();
    expect(array.start(0, 1, OTHER, false, 400_000)).toBe(400_000 + PHASE);
    array.finish();
    expect(array.start(0, 1, OTHER, false, 500_000)).toBe(500_000);
    expect(array.start(0, 3, array.bytes.slice(0, 64), false, 500_000)).toBe(500_000);
    expect(array.start(0, 3, array.bytes.slice(0, 64), true, 500_000)).toBe(500_000 + 2 * PHASE);
    array.finish();
    expect(array.writes.map((write) => write.phases)).toEqual(['program', 'erase+program', 'erase', 'erase+program']);
    expect([array.cycles[0], array.cycles[1]]).toEqual([4, 0]);
  });

  it('program the buffer AND the page', () => {
    const array = arrayOf();
    array.start(0, 2, DATA, false, 0);
    array.finish();
    array.start(0, 2, OTHER, false, 100_000);
    expect(array.finish()).toBe(true);
    expect(array.bytes.slice(0, 64)).toEqual(DATA.map((byte, i) => byte & OTHER[i]));
  });

  it('program the buffer OR the page where erased is 0x00', () => {
    const array = arrayOf(['eeprom.erased=0']);
    expect(array.bytes.every((byte) => byte === 0)).toBe(true);
    for (const data of [DATA, OTHER]) {
      array.start(0, 2, data, false, 0);
      array.finish();
    }
    expect(array.bytes.slice(0, 64)).toEqual(DATA.map((byte, i) => byte | OTHER[i]));
    array.start(0, 1, DATA, false, 200_000);
    array.finish();
    expect(array.bytes[0]).toBe(0);
  });
});

describe('EEPROM cells', () => {
  it('switch around 0.30 of the phase with a lognormal spread, each by seed, page and number', () => {
    const { model } = arrayOf();
    const moments = model.moments(PAGE);
    const logs = Array.from(moments, (m) => Math.log(m / 0.3));
    const mean = logs.reduce((sum, x) => sum + x, 0) / logs.length;
    const sigma = Math.sqrt(logs.reduce((sum, x) => sum + x * x, 0) / logs.length - mean * mean);
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(sigma - 0.12)).toBeLessThan(0.015);
    expect(arrayOf().model.moments(PAGE)).toEqual(moments);
    expect(arrayOf([], 4).model.moments(PAGE)).not.toEqual(moments);
    expect(model.moments(PAGE + 1)).not.toEqual(moments);
    expect(Array.from(moments.slice(0, 3), (m) => Math.round(m * 1e9))).toEqual(MOMENTS);
  });

  it('go from old over weak to new, one by one, through both phases', () => {
    const at = (cycle: number) => torn(cycle).left;
    const slice = (left: NvmState) => left.bytes.slice(AT, AT + 64);
    expect([slice(at(0)), countWeak(at(0).weak)]).toEqual([DATA, 0]);
    expect(slice(at(PHASE - 1)).every((byte) => byte === 0xff)).toBe(true);
    expect(slice(at(2 * PHASE - 1))).toEqual(OTHER);
    const zeros = (bytes: Uint8Array) => bytes.reduce((sum, byte) => sum + [...Array(8).keys()].filter((i) => ((byte >> i) & 1) === 0).length, 0);
    const erasing = [0.2, 0.28, 0.3, 0.32, 0.4, 0.6].map((part) => zeros(slice(at(PHASE * part))));
    expect(erasing).toEqual([...erasing].sort((a, b) => b - a));
    expect(new Set(erasing).size).toBeGreaterThan(4);
    const middle = countWeak(at(PHASE * 0.3).weak);
    expect(middle).toBeGreaterThan(20);
    expect(middle).toBeLessThan(120);
    expect(torn(PHASE * 0.3).left.torn).toEqual([PAGE]);
    expect(torn(PHASE * 1.3).left.torn).toEqual([]);
  });

  it('change exactly at the edges the model lists, about a thousand for a page', () => {
    const { array } = torn(2 * PHASE - 1);
    const { operation } = array.writes[0];
    const edges = array.model.edges(operation);
    expect(edges.length).toBeGreaterThan(700);
    expect(edges.length).toBeLessThan(1100);
    expect([edges[0], edges.at(-1)]).toEqual([0, 2 * PHASE]);
    const image = (cycle: number): string => JSON.stringify(Object.values(array.model.at(operation, cycle)));
    for (let i = 0; i + 1 < edges.length; i += 13) expect(image(edges[i + 1] - 1)).toBe(image(edges[i]));
    let changes = 0;
    let last = image(0);
    for (let cycle = 12_000; cycle < 15_000; cycle++) {
      const now = image(cycle);
      if (now !== last && cycle > 12_000) changes++;
      last = now;
    }
    expect(changes).toBe(edges.filter((edge) => edge > 12_000 && edge < 15_000).length);
  });

  it('have as many charges as the profile gives levels', () => {
    const { left } = torn(PHASE * 0.3, ['eeprom.cells.levels=4', 'eeprom.cells.weak=0.12']);
    expect([...new Set(left.weak[0].charge)].map((charge) => Math.round(charge * 5)).sort()).toEqual([1, 2, 3, 4]);
  });

  it('are weak in a wider window when a torn erase is done again', () => {
    const { left } = torn(PHASE * 0.3);
    const again = (state: NvmState): number => {
      const array = reopened(state, { kind: 'old' });
      array.start(PAGE, 3, OTHER, true, 0);
      return countWeak(array.cut(PHASE * 1.3).weak);
    };
    const wide = again(left);
    const narrow = again({ ...left, torn: [] });
    expect(wide).toBeGreaterThan(narrow * 1.5);
  });

  it('drift to the erased side at each power-on', () => {
    const { left } = torn(PHASE * 0.3);
    const once = reopened(left, { kind: 'old' }, ['eeprom.cells.drift=0.3']).cut(0);
    expect(once.weak[0].charge.every((charge) => charge === 0.8)).toBe(true);
    const twice = reopened(once, { kind: 'old' }, ['eeprom.cells.drift=0.3']).cut(0);
    expect(twice.weak).toEqual([]);
    const mask = left.weak[0].bits;
    for (const bit of mask) expect((twice.bytes[AT + (bit >> 3)] >> (bit & 7)) & 1).toBe(1);
  });

  it('of neighbouring pages may be disturbed by a cut', () => {
    expect(torn(PHASE * 0.3).left.weak.map((weak) => weak.page)).toEqual([PAGE]);
    const { left } = torn(PHASE * 0.3, ['eeprom.cells.disturb=0.02']);
    expect(left.weak.map((weak) => weak.page)).toEqual([PAGE - 1, PAGE, PAGE + 1]);
    expect(left.weak[0].bits.length).toBeLessThan(30);
    expect(left.bytes.slice(AT - 64, AT).every((byte) => byte === 0xff)).toBe(true);
  });

  it('of a partly erased page go on from their charge', () => {
    const { left } = torn(PHASE * 0.3);
    const array = reopened(left, { kind: 'old' });
    array.start(PAGE, 1, OTHER, true, 0);
    const soon = array.cut(10);
    expect(countWeak(soon.weak)).toBe(countWeak(left.weak));
  });
});

describe('weak-bit policies', () => {
  const { left } = torn(PHASE * 0.3);
  const [weak] = left.weak;

  it('new and old differ in the weak cells only, and settle into the window', () => {
    const fresh = reopened(left, { kind: 'new' });
    const old = reopened(left, { kind: 'old' });
    expect([fresh.anySpecial, old.anySpecial]).toEqual([false, false]);
    const different: number[] = [];
    for (let bit = 0; bit < 512; bit++) {
      const at = AT + (bit >> 3);
      if (((fresh.bytes[at] ^ old.bytes[at]) >> (bit & 7)) & 1) different.push(bit);
    }
    expect(different).toEqual([...weak.bits]);
    expect(page(old)).toEqual([...left.bytes.slice(AT, AT + 64)]);
    for (const bit of weak.bits) expect((fresh.bytes[AT + (bit >> 3)] >> (bit & 7)) & 1).toBe(1);
  });

  it('flip changes one cell against its base', () => {
    for (const base of ['new', 'old'] as const) {
      const plain = page(reopened(left, { kind: base }));
      for (const index of [0, 7, weak.bits.length - 1]) {
        const flipped = page(reopened(left, { kind: 'flip', index, base }));
        const bit = weak.bits[index];
        expect(flipped.map((byte, i) => byte ^ plain[i])).toEqual(plain.map((_, i) => (i === bit >> 3 ? 1 << (bit & 7) : 0)));
      }
    }
    expect(page(reopened(left, { kind: 'flip', index: 10_000 }))).toEqual(page(reopened(left, { kind: 'new' })));
  });

  it('random draws at each read, the same for the same seed, by offset', () => {
    const array = reopened(left, { kind: 'random', seed: 1 });
    expect([array.special(PAGE), array.special(PAGE + 1)]).toEqual([true, false]);
    const [first, second] = [page(array), page(array)];
    expect(second).not.toEqual(first);
    expect(page(reopened(left, { kind: 'random', seed: 1 }))).toEqual(first);
    expect(page(reopened(left, { kind: 'random', seed: 2 }))).not.toEqual(first);
    const ones = (overrides: string[]): number => {
      const read = page(reopened(left, { kind: 'random', seed: 1 }, overrides));
      return [...weak.bits].filter((bit) => (read[bit >> 3] >> (bit & 7)) & 1).length;
    };
    const [low, middle, high] = [-0.4, 0, 0.4].map((offset) => ones([`eeprom.cells.offset=${offset}`]));
    expect([low, high]).toEqual([0, weak.bits.length]);
    expect(middle).toBeGreaterThan(weak.bits.length * 0.25);
    expect(middle).toBeLessThan(weak.bits.length * 0.75);
  });

  it('unstable gives the new value at the first read of a byte and the old one after', () => {
    const array = reopened(left, { kind: 'unstable' });
    const [first, second, third] = [page(array), page(array), page(array)];
    expect(first).toEqual(page(reopened(left, { kind: 'new' })));
    expect(second).toEqual(page(reopened(left, { kind: 'old' })));
    expect(third).toEqual(second);
    const patient = reopened(left, { kind: 'unstable', reads: 2 });
    expect([page(patient), page(patient), page(patient)]).toEqual([first, first, second]);
    const wide = reopened(left, { kind: 'unstable' });
    const word = (bytes: number[]): number => bytes.slice(4, 8).reduceRight((sum, byte) => sum * 256 + byte, 0);
    expect([wide.read(AT + 4, 4, 0), wide.read(AT + 4, 4, 0)]).toEqual([word(first), word(second)]);
  });

  it('leave the same cells behind, whatever they showed', () => {
    for (const policy of [{ kind: 'new' }, { kind: 'old' }, { kind: 'flip', index: 3 }, { kind: 'random', seed: 5 }, { kind: 'unstable' }] as const) {
      const array = reopened(left, policy);
      page(array);
      expect(array.cut(1000)).toEqual({ ...left, sessions: left.sessions + 1 });
    }
  });

  it('end with a whole new operation on the page', () => {
    const array = reopened(left, { kind: 'random', seed: 1 });
    array.start(PAGE, 3, OTHER, false, 0);
    expect(array.finish()).toBe(true);
    expect([array.anySpecial, array.cut(PHASE * 3).weak]).toEqual([false, []]);
    expect(page(array)).toEqual([...OTHER]);
  });

  it('stay under a programming that skips a needless erase', () => {
    const nearly = torn(PHASE * 0.6).left;
    const late = torn(PHASE * 0.42).left;
    expect([countWeak(nearly.weak), countWeak(late.weak) > 0]).toEqual([0, true]);
    const array = reopened(late, { kind: 'new' });
    expect(page(array).every((byte) => byte === 0xff)).toBe(true);
    array.start(PAGE, 3, new Uint8Array(64).fill(0xff).fill(0, 0, 1), false, 0);
    array.finish();
    expect(array.writes[0].phases).toBe('program');
    expect(countWeak(array.weak)).toBeGreaterThan(0);
  });
});

describe('wear', () => {
  const worn = ['eeprom.wear.endurance=200', 'eeprom.wear.sigma=0.1'];

  function failures(seed: number): number[] {
    const array = arrayOf(worn, seed);
    const failed: number[] = [];
    for (let i = 1; i <= 400; i++) {
      array.start(PAGE, 3, i % 2 === 0 ? DATA : OTHER, true, 0);
      if (!array.finish()) failed.push(i);
    }
    return failed;
  }

  it('first fails verify rarely, then more often, then is stuck', () => {
    const failed = failures(3);
    expect(failed[0]).toBeGreaterThan(150);
    const first = failed.filter((i) => i < failed[0] + 20).length;
    const last = failed.filter((i) => i > 380).length;
    expect(first).toBeLessThan(10);
    expect(last).toBeGreaterThan(first);
    expect(failures(3)).toEqual(failed);
    expect(failures(4)).not.toEqual(failed);
  });

  it('leaves other pages alone and is kept over power', () => {
    const array = arrayOf(worn);
    for (let i = 0; i < 350; i++) {
      array.start(PAGE, 3, i % 2 === 0 ? DATA : OTHER, true, 0);
      array.finish();
    }
    const next = reopened(array.cut(0), { kind: 'new' }, worn);
    expect([next.cycles[PAGE], next.cycles[PAGE + 1]]).toEqual([350, 0]);
    const broken = [DATA, OTHER].filter((data) => {
      next.start(PAGE, 3, data, true, 0);
      return !next.finish();
    });
    expect(broken.length).toBeGreaterThan(0);
    next.start(PAGE + 1, 3, DATA, true, 0);
    expect(next.finish()).toBe(true);
  });
});

describe('digest and edges', () => {
  it('tell states apart by bytes, weak cells and torn erases, not by their history', () => {
    const base = torn(PHASE * 0.3).left;
    const same = [base, { ...base, sessions: 9, cycles: new Uint32Array(64) }, structuredClone(base)];
    expect(new Set(same.map(nvmDigest)).size).toBe(1);
    const bytes = base.bytes.slice();
    bytes[4095] ^= 1;
    const other = [base, { ...base, bytes }, { ...base, weak: [] }, { ...base, torn: [] }, torn(PHASE * 0.3 + 40).left, torn(PHASE * 0.3, [], 4).left];
    expect(new Set(other.map(nvmDigest)).size).toBe(other.length);
  });

  it('agree: one digest between two edges of a session', () => {
    const array = arrayOf();
    array.powerOn(new Uint8Array(4096).fill(0x5a), { kind: 'new' });
    array.start(PAGE, 3, OTHER, false, 1000);
    array.finish();
    array.start(PAGE + 1, 1, OTHER, false, 200_000);
    const edges = [...array.edges()];
    expect([edges[0], edges.includes(91_000), edges.includes(200_000), edges.at(-1)]).toEqual([1000, true, true, 245_000]);
    const at = (cycle: number): string => {
      const again = arrayOf();
      again.powerOn(new Uint8Array(4096).fill(0x5a), { kind: 'new' });
      again.start(PAGE, 3, OTHER, false, 1000);
      return nvmDigest(again.cut(cycle));
    };
    const some = edges.filter((edge) => edge < 91_000).filter((_, i) => i % 40 === 0);
    for (const edge of some) {
      const next = edges[edges.indexOf(edge) + 1];
      expect(at(next - 1)).toBe(at(edge));
      if (next < 91_000) expect(at(next)).not.toBe(at(edge));
    }
  });
});

describe('the busy page', () => {
  it('can be computed at any cycle, and reading it is told', () => {
    const array = arrayOf();
    const told: number[] = [];
    array.onBusyRead((offset) => told.push(offset));
    array.start(PAGE, 2, DATA, false, 1000);
    expect(array.read(AT, 4, 1001)).toBe(0xffffffff);
    expect(array.read(AT, 1, 1000 + PHASE - 1)).toBe(DATA[0]);
    expect(told).toEqual([AT, AT]);
    expect(array.bytes[AT]).toBe(0xff);
  });

  it('hooks the window only while it must', () => {
    const array = arrayOf();
    const window: { onRead?: unknown } = {};
    array.attach(window as Parameters<EepromArray['attach']>[0]);
    expect(window.onRead).toBeUndefined();
    array.start(PAGE, 2, DATA, false, 0);
    expect(window.onRead).toBeTypeOf('function');
    array.finish();
    expect(window.onRead).toBeUndefined();
  });
});

const MOMENTS = [260_212_771, 300_814_311, 315_503_320];
