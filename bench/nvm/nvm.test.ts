import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  certificate as certificateCodec, keyIdOf, nobleOps, samples, textBytes, toHex, valueInformation,
} from '../codec/index.js';
import type { Certificate } from '../codec/index.js';
import { certificateArb, valueInformationArb } from '../codec/testing/arbitraries.js';
import { abstractKey, abstractState } from './abstract.js';
import { decode } from './decode.js';
import { readJournal, settle } from './journal.js';
import { crc32 } from './layout.js';
import { pageMap } from './pages.js';
import { publicSideOf, secretsOf } from './secrets.js';
import { dataStart, entryPage, formatted, le16, put, putItem, putJournal, sealedPage, statePage } from './testing/build.js';

const e1 = (index: number): Uint8Array => valueInformation.encode(samples[index]);
const [sampleCertificate] = fc.sample(certificateArb, { seed: 21, numRuns: 1 });
const e6 = (change: Partial<Certificate> = {}): Uint8Array => certificateCodec.encode({ ...sampleCertificate, ...change });
const codes = (image: Uint8Array): string[] => decode(image).problems.map(({ code }) => code);
const data = dataStart(64);

describe('layout', () => {
  test('the CRC is that of zlib', () => {
    expect(crc32(textBytes('123456789'))).toBe(0xcbf43926);
  });

  test('an erased memory is a blank card', () => {
    const image = new Uint8Array(4096).fill(0xff);
    expect(abstractState(image)).toEqual({
      lifeCycle: 'blank', pinTries: 0, lastSequence: 0, lastLoadNumber: 0, keyRegistration: 0, values: [], certificates: [], conditions: [],
      problems: [], keys: { decoding: false, common: false, signing: false, transport: false, seed: false },
    });
    expect(decode(image)).toMatchObject({ superblock: undefined, state: undefined, cardId: undefined, freeEntries: 16 });
  });

  test.each([100, 0, 31 * 64])('%i bytes cannot be a memory', (length) => {
    for (const read of [decode, abstractState, pageMap, secretsOf])
      expect(() => read(new Uint8Array(length))).toThrow(expect.objectContaining({ code: 'NVM_SIZE' }));
  });

  test('superblock, state, identity, keys, safes and key registration as firmware.md places them', () => {
    const image = formatted();
    const present = (bytes: number[]): Uint8Array => sealedPage({ 0: [1], 8: bytes });
    put(image, 6, present([6]));
    put(image, 12, present([12]));
    put(image, 13, present([13]));
    put(image, 10, sealedPage({ 0: [1] }));
    put(image, 8, sealedPage({}));
    put(image, 14, sealedPage({ 0: [1, 2, 1, 0], 4: [9, 0, 0, 0], 8: [1, 1, 1, 1, 1, 1, 1, 1], 16: new Uint8Array(32).fill(7), 48: le16(0x0102) }));
    put(image, 18, sealedPage({ 0: [8, 8, 8, 8, 8, 8, 8, 8], 8: new Uint8Array(32).fill(0xaa) }));
    put(image, 19, sealedPage({ 0: new Uint8Array(32).fill(0xbb) }));
    const contents = decode(image);
    expect(contents).toMatchObject({
      superblock: { layoutVersion: 2, pageSize: 64, pages: 64, firstIndexPage: 24, indexEntries: 16, firstDataPage: 40, dataEnd: 64, areas: [] },
      state: { lifeCycle: 'operational', pinTries: 3, settings: { emptyDigest: true, allowLegacy: false }, lastSequence: 7, lastLoadNumber: 2, lastLoadHandle: 3, lastHandle: 9, lastLoadHash: '22'.repeat(32) },
      cardId: '0102030405060708', issuerKey: '11'.repeat(32),
      keys: { decoding: false, common: true, signing: true, transport: false }, cardSecret: true, credential: false, pin: true,
      keyRegistration: { keyKind: 'common', algorithm: 'SHA-256', sequence: 9, safeId: '01'.repeat(8), hash: '07'.repeat(32), reservedHandle: 0x0102 },
      safes: [{ safeId: '08'.repeat(8), verificationKey: 'AA'.repeat(32), transportKey: 'BB'.repeat(32) }],
      problems: [],
    });
    put(image, 9, sealedPage({}));
    expect(decode(image).credential).toBe(true);
  });

  test('pages of other applets are theirs: no room for items, no region, no leftover', () => {
    const image = formatted(64, [[1, 5], [3, 2]]);
    expect(decode(image).superblock).toMatchObject({ dataEnd: 57, areas: [{ applet: 'purse', firstPage: 57, pages: 5 }, { applet: 'member', firstPage: 62, pages: 2 }] });
    put(image, 58, new Uint8Array(64).fill(0xa5));
    const map = pageMap(image);
    expect(map).toMatchObject({ freeBytes: (57 - 40) * 64, largestRunBytes: (57 - 40) * 64, leftovers: [] });
    expect([57, 61, 62].map((page) => map.owners[page])).toEqual([{ kind: 'applet', name: 'purse' }, { kind: 'applet', name: 'purse' }, { kind: 'applet', name: 'member' }]);
    putItem(image, 0, 56, e1(0), { class: 'A', state: 1, handle: 1 });
    expect(codes(image)).toEqual(['REGION_RANGE']);
    for (const areas of [[[5, 5]], [[1, 30]]] as const) expect(codes(formatted(64, areas))).toEqual(['SUPERBLOCK']);
  });

  test('every damaged page with a CRC is named', () => {
    for (const page of [0, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 23, 24, 31]) {
      const image = formatted();
      put(image, page, sealedPage({ 0: [1] }).map((byte, i) => (i === 30 ? byte ^ 1 : byte)));
      expect(decode(image).problems).toContainEqual(expect.objectContaining({ code: 'PAGE_DAMAGED', page }));
    }
  });

  test('a superblock of another layout and a state without meaning are named', () => {
    const image = formatted();
    put(image, 0, formatted(128).slice(0, 64));
    expect(codes(image)).toEqual(['SUPERBLOCK']);
    const other = formatted();
    put(other, 4, sealedPage({ 0: [3, 3, 0] }));
    put(other, 14, sealedPage({ 0: [1, 3, 1] }));
    expect(codes(other)).toEqual(['STATE', 'STATE']);
  });
});

describe('entries', () => {
  test('values and certificates with their objects', () => {
    const image = formatted();
    let at = data;
    at += putItem(image, 0, at, e1(0), { class: 'A', state: 1, handle: 1 });
    at += putItem(image, 1, at, e1(2), { class: 'A', state: 3, handle: 2, partner: 3, sequence: 4, kind: 2, algorithm: 1 });
    putItem(image, 3, at, e6(), { class: 'B', state: 1, handle: 3, partner: 2 });
    const { entries, problems, freeEntries } = decode(image);
    expect(problems).toEqual([]);
    expect(freeEntries).toBe(13);
    expect(entries.map(({ class: cls, state, handle, page }) => [cls, state, handle, page]))
      .toEqual([['A', 'ACTIVE', 1, 24], ['A', 'DEPOSITED', 2, 25], ['B', 'STORED', 3, 27]]);
    expect(entries.map(({ object }) => object)).toEqual([samples[0], samples[2], sampleCertificate]);
    expect(entries[1]).toMatchObject({ sequence: 4, kind: 'registered', algorithm: 'SHA-256', variant: 1, hash: '33'.repeat(32), partner: 3, valueSize: 100 });
  });

  test('what counts is what it says, in an order that does not depend on places and handles', () => {
    const [a, b] = [formatted(), formatted()];
    const fill = (image: Uint8Array, order: readonly number[]): void => {
      let at = data;
      order.forEach((index, slot) => {
        at += putItem(image, slot, at, e1(index), { class: 'A', state: 1, handle: 10 * slot + 1 });
      });
      putItem(image, 6, at, e6(), { class: 'B', state: 4, handle: 100 });
    };
    fill(a, [0, 1, 2]);
    fill(b, [2, 0, 1]);
    expect(abstractKey(abstractState(a))).toBe(abstractKey(abstractState(b)));
    expect(abstractState(a).values.map(({ issueId, quantity, remaining }) => [issueId, quantity, remaining])).toEqual([
      ['0000000000000001', 1, 0], ['0000000000000002', 2, 0], ['0000000000000003', 1, 800],
    ]);
    const { safeId, counter, hash, kind, sequence } = sampleCertificate;
    expect(abstractState(a).certificates).toEqual([{ safeId: toHex(safeId), counter, hash: toHex(hash), kind, sequence, state: 'SPENT' }]);
    putItem(b, 0, data, e1(2), { class: 'A', state: 2, handle: 1, partner: 5 });
    expect(abstractKey(abstractState(a))).not.toBe(abstractKey(abstractState(b)));
  });

  test('RESERVED and DELETING items do not count', () => {
    const image = formatted();
    put(image, 24, entryPage({ class: 'A', state: 4, handle: 1, firstPage: data, pages: 2, size: 0 }));
    put(image, 25, entryPage({ class: 'B', state: 5, handle: 2, firstPage: data + 2, pages: 2, size: 100 }));
    const empty = abstractState(formatted());
    expect(abstractState(image)).toEqual(empty);
    expect(decode(image).entries.map(({ state }) => state)).toEqual(['RESERVED', 'DELETING']);
  });

  test.each([
    ['an object that does not decode', 'OBJECT_DAMAGED', (image: Uint8Array) => { image[data * 64 + 2] ^= 1; }],
    ['a class that does not exist', 'ENTRY', (image: Uint8Array) => put(image, 25, sealedPage({ 0: [0x43, 1] }))],
    ['a state that does not exist', 'ENTRY', (image: Uint8Array) => put(image, 25, sealedPage({ 0: [0x41, 6] }))],
    ['a region in the index', 'REGION_RANGE', (image: Uint8Array) => put(image, 25, entryPage({ class: 'A', state: 4, handle: 2, firstPage: 24, pages: 1, size: 1 }))],
    ['a region past the end', 'REGION_RANGE', (image: Uint8Array) => put(image, 25, entryPage({ class: 'A', state: 4, handle: 2, firstPage: 63, pages: 2, size: 1 }))],
    ['more bytes than pages', 'REGION_RANGE', (image: Uint8Array) => put(image, 25, entryPage({ class: 'A', state: 1, handle: 2, firstPage: 60, pages: 1, size: 65 }))],
    ['two owners of a page', 'REGION_OVERLAP', (image: Uint8Array) => put(image, 25, entryPage({ class: 'A', state: 4, handle: 2, firstPage: data, pages: 1, size: 1 }))],
    ['an alternative over a region', 'REGION_OVERLAP', (image: Uint8Array) => put(image, 25, entryPage({ class: 'A', state: 4, handle: 2, firstPage: 60, pages: 1, size: 1, alternative: [data, 1] }))],
    ['a handle twice', 'HANDLE_TWICE', (image: Uint8Array) => put(image, 25, entryPage({ class: 'A', state: 4, handle: 1, firstPage: 60, pages: 1, size: 1 }))],
    ['bytes after the object', 'REGION_PADDING', (image: Uint8Array) => { image[data * 64 + e1(0).length] = 0; }],
    ['DEPOSITED without certificate', 'PARTNER_MISSING', (image: Uint8Array) => putItem(image, 0, data, e1(0), { class: 'A', state: 3, handle: 1, partner: 2 })],
    ['PENDING without reservation', 'PARTNER_MISSING', (image: Uint8Array) => putItem(image, 0, data, e1(0), { class: 'A', state: 2, handle: 1, partner: 0 })],
  ])('%s is named', (_, code, spoil) => {
    const image = formatted();
    putItem(image, 0, data, e1(0), { class: 'A', state: 1, handle: 1 });
    expect(codes(image)).toEqual([]);
    spoil(image);
    expect(codes(image)).toEqual([code]);
    expect(abstractState(image).problems[0].startsWith(code)).toBe(true);
  });

  test('a value whose object cannot be read still shows, without an issue id', () => {
    const image = formatted();
    putItem(image, 0, data, e1(0), { class: 'A', state: 1, handle: 1 });
    image[data * 64] = 0;
    expect(abstractState(image).values).toEqual([{ issueId: '', state: 'ACTIVE', quantity: 0, remaining: 0 }]);
  });

  test('any items that fit come back as they were put', () => {
    const items = fc.array(fc.oneof(valueInformationArb, certificateArb), { maxLength: 8 });
    fc.assert(fc.property(items, fc.integer({ min: 64, max: 200 }), (list, pages) => {
      const image = formatted(pages);
      let at = dataStart(pages);
      const put = list.filter((item, slot) => {
        const isValue = 'issueId' in item;
        const bytes = isValue ? valueInformation.encode(item) : certificateCodec.encode(item);
        if (at + Math.ceil(bytes.length / 64) > pages) return false;
        at += putItem(image, slot, at, bytes, { class: isValue ? 'A' : 'B', state: 1, handle: slot + 1 });
        return true;
      });
      const contents = decode(image);
      expect(contents.problems).toEqual([]);
      expect(contents.entries.map(({ object }) => object)).toEqual(put);
      expect(pageMap(image).freeBytes).toBe((pages - at) * 64);
    }), { numRuns: 60 });
  });

  test('arbitrary bytes never throw, and changing one byte never goes unseen by the CRC', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 2048, maxLength: 2048 }), (image) => {
      expect(decode(image).entries).toEqual([]);
      expect(abstractState(image).problems.length).toBeGreaterThan(0);
      pageMap(image);
    }), { numRuns: 50 });
    const whole = formatted();
    putItem(whole, 0, data, e1(0), { class: 'A', state: 1, handle: 1 });
    fc.assert(fc.property(fc.constantFrom(0, 4, 5, 24), fc.nat(63), fc.integer({ min: 1, max: 255 }), (page, at, change) => {
      const image = whole.slice();
      image[page * 64 + at] ^= change;
      expect(codes(image)).toContain('PAGE_DAMAGED');
    }));
  });
});

describe('journal', () => {
  const newState = statePage({ sequence: 8 });
  const newEntry = entryPage({ class: 'A', state: 4, handle: 5, firstPage: 60, pages: 2, size: 0 });

  test('a valid journal counts as done, before the targets, between them and after', () => {
    for (const stage of [0, 1, 2]) {
      const image = formatted();
      putJournal(image, [[4, newState], [26, newEntry]]);
      if (stage > 0) put(image, 4, newState);
      if (stage > 1) put(image, 26, newEntry);
      expect(readJournal(image)).toEqual({ kind: 'valid', transaction: 5, targets: [4, 26] });
      expect(abstractState(image).lastSequence).toBe(8);
      expect(decode(image).entries.map(({ handle }) => handle)).toEqual([5]);
    }
  });

  test('a half-written target under a valid journal is no problem', () => {
    const image = formatted();
    putJournal(image, [[4, newState]]);
    put(image, 4, new Uint8Array(64).map((_, i) => (i < 20 ? newState[i] : 0xff)));
    expect(readJournal(image)).toMatchObject({ kind: 'valid', targets: [4] });
    expect(codes(image)).toEqual([]);
    expect(abstractState(image).lastSequence).toBe(8);
  });

  test('slots without a header change nothing', () => {
    const image = formatted();
    putJournal(image, [[4, newState]]);
    put(image, 1, new Uint8Array(64).fill(0xff));
    expect(readJournal(image)).toEqual({ kind: 'absent' });
    expect(abstractState(image).lastSequence).toBe(7);
  });

  test.each([
    ['header CRC', (image: Uint8Array) => { image[64 + 40] ^= 1; }],
    ['magic', (image: Uint8Array) => put(image, 1, sealedPage({ 0: [0x4a, 0x52, 0x4e, 0x32], 8: [1] }))],
    ['count', (image: Uint8Array) => put(image, 1, sealedPage({ 0: [0x4a, 0x52, 0x4e, 0x31], 8: [3] }))],
    ['target outside the memory', (image: Uint8Array) => putJournal(image, [[64, newState]])],
    ['CRC of slot 0', (image: Uint8Array) => { image[2 * 64 + 4] ^= 1; }],
    ['CRC of slot 1', (image: Uint8Array) => { image[3 * 64 + 63] ^= 0x80; }],
  ])('torn by %s: nothing counts, the header goes', (reason, spoil) => {
    const image = formatted();
    putJournal(image, [[4, newState], [26, newEntry]]);
    spoil(image);
    expect(readJournal(image)).toEqual({ kind: 'torn', reason });
    expect(abstractState(image).lastSequence).toBe(7);
    expect(readJournal(settle(image))).toEqual({ kind: 'absent' });
  });

  test('settling twice is settling once, and the input stays as it was', () => {
    const changes = fc.array(fc.tuple(fc.integer({ min: 4, max: 63 }), fc.uint8Array({ minLength: 64, maxLength: 64 })), { minLength: 1, maxLength: 2 });
    fc.assert(fc.property(changes, fc.option(fc.integer({ min: 64, max: 255 })), (list, spoil) => {
      const image = formatted();
      putJournal(image, list);
      if (spoil !== null) image[spoil] ^= 1;
      const before = toHex(image);
      const once = settle(image);
      expect(toHex(settle(once))).toBe(toHex(once));
      expect(toHex(image)).toBe(before);
      if (spoil === null) expect(toHex(once.slice(list.at(-1)![0] * 64).slice(0, 64))).toBe(toHex(list.at(-1)![1]));
      expect(abstractKey(abstractState(image))).toBe(abstractKey(abstractState(once)));
    }));
  });
});

describe('page ownership', () => {
  test('every page has one owner; free, largest run, leftovers and holders add up', () => {
    const image = formatted();
    putItem(image, 0, data, e1(0), { class: 'A', state: 1, handle: 1, alternative: [data + 4, 2] });
    put(image, 25, entryPage({ class: 'B', state: 2, handle: 2, firstPage: data + 10, pages: 5, size: 0 }));
    put(image, 26, entryPage({ class: 'B', state: 5, handle: 3, firstPage: data + 15, pages: 1, size: 10 }));
    image[(data + 20) * 64 + 5] = 0x41;
    put(image, 30, new Uint8Array(64));
    const map = pageMap(image);
    expect(map.owners).toHaveLength(64);
    expect(map.owners[2]).toEqual({ kind: 'system', name: 'slot0' });
    expect(map.owners[15]).toEqual({ kind: 'system', name: 'seed' });
    expect(map.owners[19]).toEqual({ kind: 'safe', number: 1 });
    expect(map.owners[24]).toEqual({ kind: 'entry', handle: 1 });
    expect(map.owners[27]).toEqual({ kind: 'free entry' });
    expect(map.owners[30]).toEqual({ kind: 'damaged entry' });
    expect(map.owners[data]).toEqual({ kind: 'region', handle: 1, role: 'object' });
    expect(map.owners[data + 5]).toEqual({ kind: 'region', handle: 1, role: 'alternative' });
    expect(map.owners[data + 10]).toEqual({ kind: 'region', handle: 2, role: 'reserved' });
    expect(map.owners[data + 15]).toEqual({ kind: 'region', handle: 3, role: 'deleting' });
    expect(map.leftovers).toEqual([data + 20]);
    const held = Math.ceil(e1(0).length / 64) + 2 + 5 + 1;
    expect(map.freeBytes).toBe((24 - held - 1) * 64);
    expect(map.largestRunBytes).toBe(4 * 64);
    expect(map.freeEntries).toBe(12);
    expect(map.holders.map(({ handle, what, bytes }) => [handle, what, bytes / 64])).toEqual([
      [1, 'A ACTIVE', Math.ceil(e1(0).length / 64) + 2], [2, 'B RESERVED', 5], [3, 'B DELETING', 1],
    ]);
  });
});

describe('secrets', () => {
  const key = Uint8Array.from({ length: 32 }, (_, i) => i + 0x81);
  const withKeys = (): Uint8Array => {
    const image = formatted();
    put(image, 11, sealedPage({ 0: [1], 8: key }));
    put(image, 12, sealedPage({ 0: [1], 8: key.slice(0, 16) }));
    put(image, 6, sealedPage({ 0: [1], 8: key }));
    return image;
  };

  test('nothing printable shows a key byte', () => {
    const image = withKeys();
    const shown = [inspect(decode(image), { depth: 9 }), JSON.stringify(decode(image)), inspect(secretsOf(image)), JSON.stringify(secretsOf(image)), String(secretsOf(image)[0]), abstractKey(abstractState(image))];
    for (const text of shown) expect(text).not.toMatch(/8182838485|129, ?130|"0":129/);
    expect(String(secretsOf(image)[0])).toBe('[secret decoding key]');
  });

  test('a key left in free memory is found, whole or in part', () => {
    const image = withKeys();
    const [decoding] = secretsOf(image);
    const free = (): Uint8Array => image.subarray(40 * 64);
    expect(decoding.foundIn(free(), 8)).toBe(-1);
    image.set(key.slice(10, 20), 50 * 64 + 3);
    expect(decoding.foundIn(free())).toBe(-1);
    expect(decoding.foundIn(free(), 8)).toBe(10 * 64 + 3);
    image.set(key, 50 * 64 + 3);
    expect(decoding.foundIn(free())).toBe(10 * 64 + 3);
  });

  test('the public side is that of the keys', () => {
    expect(publicSideOf(withKeys())).toEqual({
      decodingKeyId: toHex(keyIdOf('decoding', key)), commonKeyId: toHex(keyIdOf('common', key.slice(0, 16))),
      verificationKey: toHex(nobleOps.signingPublic(key)),
    });
    expect(publicSideOf(formatted())).toEqual({});
  });
});
