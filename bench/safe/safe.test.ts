import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  certificate as certificateCodec, digestOf, equalBytes, hashX, keyReply, openPublic, registeredValue, registrationRequest, safeEntry,
  samples, signed, signerOf, toHex, unwrapKeyOnCard, valueInformation,
} from '../codec/index.js';
import { SafeError, explanations } from './errors.js';
import { openItem, sealItem } from './record.js';
import { createSafe } from './safe.js';
import { memoryStore } from './store.js';
import type { MemoryStore } from './store.js';
import { issuer, safeId, safeKeys, testCard, testSafe } from './testing/card.js';

const card = testCard(1);
const other = testCard(2);
const anyRequest: readonly [string, Uint8Array][] = [
  ['plain', card.plain(1)], ['registered 01', card.registered(2, 1)], ['registered 02', card.registered(3, 2)],
  ['decoding key', card.key(4, 'decoding')], ['common key', card.key(5, 'common')],
];
const coded = (code: string): unknown => expect.objectContaining({ code });

/** Runs a refusal and shows that the store is exactly as before. */
function refusedUnchanged(store: MemoryStore, code: string, run: () => unknown): void {
  const before = store.fingerprint();
  expect(run).toThrow(coded(code));
  expect(store.fingerprint()).toBe(before);
}

describe('register', () => {
  test.each(anyRequest)('%s: the certificate says what was registered and is signed by the safe', (_, request) => {
    const safe = testSafe(memoryStore());
    const bytes = safe.register(request);
    const certificate = certificateCodec.decode(bytes);
    const { item, sequence, cardId } = registrationRequest.decode(request);
    expect(signed.certificate.verify(certificate, {}, safeKeys.signer.publicKey)).toBe(true);
    expect(certificate).toMatchObject({ version: 1, kind: item.type, sequence, cardId, counter: 1, safeId, algorithm: 'SHA-256' });
  });

  test('X1 is the hash of E1, X2 of the content of 91, X3 of the key; digests come from the right side', () => {
    const safe = testSafe(memoryStore());
    const certified = anyRequest.map(([, request]) => certificateCodec.decode(safe.register(request)));
    const e3 = registrationRequest.decode(card.registered(2, 1)).item;
    if (e3.type !== 'registered') throw new Error('not an E3');
    expect(toHex(certified[0].hash)).toBe(toHex(hashX('SHA-256', valueInformation.encode(samples[0]))));
    expect(certified[0].digest).toEqual(digestOf(samples[0]));
    expect(toHex(certified[1].hash)).toBe(toHex(hashX('SHA-256', e3.registered.encrypted)));
    expect(toHex(certified[3].hash)).toBe(toHex(hashX('SHA-256', card.decoding)));
    expect(toHex(certified[4].hash)).toBe(toHex(hashX('SHA-256', card.common)));
    expect(certified.map(({ counter }) => counter)).toEqual([1, 2, 3, 4, 5]);
  });

  test('rule (a): the same request gives the same bytes and uses no counter; another object is a conflict', () => {
    const store = memoryStore();
    const safe = testSafe(store);
    for (const [, request] of anyRequest) {
      const first = safe.register(request);
      const before = store.fingerprint();
      expect(toHex(safe.register(request))).toBe(toHex(first));
      expect(toHex(testSafe(store).register(request))).toBe(toHex(first));
      expect(store.fingerprint()).toBe(before);
    }
    refusedUnchanged(store, 'SAFE_CONFLICT', () => safe.register(card.plain(1, samples[1])));
    refusedUnchanged(store, 'SAFE_CONFLICT', () => safe.register(card.plain(2)));
    expect(certificateCodec.decode(safe.register(other.plain(1))).counter).toBe(6);
  });

  test('legacy hashes only where allowed', () => {
    const store = memoryStore();
    refusedUnchanged(store, 'SAFE_LEGACY_HASH', () => testSafe(store).register(card.plain(1, samples[0], 'MD5')));
    refusedUnchanged(store, 'SAFE_LEGACY_HASH', () => testSafe(store).register(card.plain(1, samples[0], 'SHA-1')));
    const legacy = testSafe(store, { allowLegacy: true });
    for (const [sequence, algorithm] of [[1, 'MD5'], [2, 'SHA-1']] as const) {
      const bytes = legacy.register(card.plain(sequence, samples[0], algorithm));
      expect(toHex(certificateCodec.decode(bytes).hash)).toBe(toHex(hashX(algorithm, valueInformation.encode(samples[0]))));
      expect(toHex(legacy.retrieve(bytes))).toBe(toHex(valueInformation.encode(samples[0])));
    }
  });

  test('rule (f): the safe makes the empty digest when set so', () => {
    const safe = testSafe(memoryStore(), { emptyDigest: true });
    const bytes = safe.register(card.plain(1));
    expect(certificateCodec.decode(bytes).digest).toEqual({ type: 'empty' });
    expect(toHex(safe.retrieve(bytes))).toBe(toHex(valueInformation.encode(samples[0])));
  });

  test('key objects: unknown issuer, another card, wrong signature, another safe, wrong key id', () => {
    const store = memoryStore();
    const safe = testSafe(store);
    const stranger = testCard(1, signerOf(new Uint8Array(32).fill(9)));
    refusedUnchanged(store, 'SAFE_BAD_SIGNATURE', () => safe.register(stranger.key(1, 'decoding')));
    const elsewhere = createSafe({ id: new Uint8Array(8), keys: safeKeys, store: memoryStore() });
    refusedUnchanged(store, 'SAFE_BAD_SIGNATURE', () => safe.register(card.key(1, 'decoding', elsewhere)));
    const request = registrationRequest.decode(card.key(1, 'decoding'));
    if (request.item.type !== 'key') throw new Error('not an E5');
    const { key } = request.item;
    const again = (change: Partial<typeof key>, cardId = card.cardId): Uint8Array => registrationRequest.encode({
      ...request, cardId,
      item: { type: 'key', key: signed.keyObject.sign({ ...key, ...change }, { cardId, sequence: 1, safeId }, card.signer) },
    });
    refusedUnchanged(store, 'SAFE_BAD_SIGNATURE', () => safe.register(again({}, other.cardId)));
    const wrong = key.wrappedKey.slice();
    wrong[79] ^= 1;
    refusedUnchanged(store, 'SAFE_BAD_OBJECT', () => safe.register(again({ wrappedKey: wrong })));
    const forged = registrationRequest.encode({ ...request, item: { type: 'key', key: { ...key, signature: new Uint8Array(64) } } });
    refusedUnchanged(store, 'SAFE_BAD_SIGNATURE', () => safe.register(forged));
    expect(certificateCodec.decode(safe.register(again({}))).counter).toBe(1);
  });

  test('malformed requests: nothing is stored', () => {
    const store = memoryStore();
    const safe = testSafe(store);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      refusedUnchanged(store, 'SAFE_BAD_OBJECT', () => safe.register(bytes));
    }));
    for (const [, request] of anyRequest)
      for (let end = 0; end < request.length; end += 7)
        refusedUnchanged(store, 'SAFE_BAD_OBJECT', () => safe.register(request.slice(0, end)));
  });
});

describe('retrieve', () => {
  test('gives back E1 and E3 as they came, and changes nothing', () => {
    const store = memoryStore();
    const safe = testSafe(store);
    const e1 = safe.register(card.plain(1, samples[1]));
    const e3 = safe.register(card.registered(2, 1));
    const before = store.fingerprint();
    expect(toHex(safe.retrieve(e1))).toBe(toHex(valueInformation.encode(samples[1])));
    const given = registeredValue.decode(safe.retrieve(e3));
    expect(signed.registeredValue.verify(given, { cardId: card.cardId, sequence: 2 }, card.signer.publicKey)).toBe(true);
    expect(toHex(openPublic({ cardId: card.cardId, sequence: 2, digest: given.digest }, given.encrypted, card.decoding)))
      .toBe(toHex(valueInformation.encode(samples[2])));
    expect(toHex(safe.retrieve(e3))).toBe(toHex(safe.retrieve(e3)));
    expect(store.fingerprint()).toBe(before);
  });

  test.each([['decoding', 1], ['common', 2]] as const)('%s key: only the card opens the reply; a repeat is the same bytes', (kind, sequence) => {
    const safe = testSafe(memoryStore());
    const bytes = safe.register(card.key(sequence, kind));
    const { counter } = certificateCodec.decode(bytes);
    const reply = keyReply.decode(safe.retrieve(bytes));
    const about = { cardId: card.cardId, sequence, safeId };
    expect(signed.keyReply.verify(reply, { ...about, counter }, safeKeys.signer.publicKey)).toBe(true);
    expect(toHex(unwrapKeyOnCard({ ...about, digest: reply.digest }, reply.wrappedKey, card.transport))).toBe(toHex(card[kind]));
    expect(() => unwrapKeyOnCard({ ...about, digest: reply.digest }, reply.wrappedKey, other.transport)).toThrow(coded('CRYPTO_OPEN'));
    expect(keyReply.encode(reply)).toEqual(safe.retrieve(bytes));
  });

  test('every changed byte of a certificate is refused, and another safe knows nothing', () => {
    const store = memoryStore();
    const safe = testSafe(store);
    const bytes = safe.register(card.plain(1));
    for (let i = 0; i < bytes.length; i += 1) {
      const changed = bytes.slice();
      changed[i] ^= 0x01;
      expect(() => safe.retrieve(changed)).toThrow(SafeError);
    }
    const elsewhere = createSafe({ id: Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1), keys: safeKeys, store });
    refusedUnchanged(store, 'SAFE_UNKNOWN', () => elsewhere.retrieve(bytes));
    refusedUnchanged(store, 'SAFE_UNKNOWN', () => testSafe(memoryStore()).retrieve(bytes));
    const resigned = certificateCodec.encode(signed.certificate.sign({ ...certificateCodec.decode(bytes), digest: { type: 'empty' } }, {}, safeKeys.signer));
    refusedUnchanged(store, 'SAFE_UNKNOWN', () => safe.retrieve(resigned));
  });

  test('a damaged store gives nothing out', () => {
    const store = memoryStore();
    const safe = testSafe(store);
    const bytes = safe.register(card.plain(1));
    const [[key, sealed]] = [...store.range('item/')];
    const clean = store.snapshot();
    for (const damage of [sealed.map((byte, i) => (i === 20 ? byte ^ 1 : byte)), new Uint8Array(3), undefined]) {
      store.transaction((writer) => (damage ? writer.put(key, damage) : writer.delete(key)));
      expect(() => safe.retrieve(bytes)).toThrow(coded('SAFE_STORE'));
      store.restore(clean);
    }
    const name = key.slice('item/'.length);
    const swapped = sealItem(safeKeys.store, name, valueInformation.encode(samples[1]));
    store.transaction((writer) => writer.put(key, swapped));
    expect(() => safe.retrieve(bytes)).toThrow(coded('SAFE_STORE'));
    store.restore(clean);
    store.transaction((writer) => writer.put(`certificate/${name}`, Uint8Array.of(0xc0, 9)));
    expect(() => safe.retrieve(bytes)).toThrow(coded('SAFE_STORE'));
  });
});

describe('receipt', () => {
  test('rule (e): the object goes, a tombstone stays, the receipt may be repeated', () => {
    const store = memoryStore();
    const safe = testSafe(store);
    const request = card.plain(1);
    const bytes = safe.register(request);
    const receipt = card.receiptFor(bytes);
    safe.receipt(receipt);
    expect([...store.range('item/')]).toEqual([]);
    const after = store.fingerprint();
    safe.receipt(receipt);
    expect(store.fingerprint()).toBe(after);
    refusedUnchanged(store, 'SAFE_TOMBSTONE', () => safe.retrieve(bytes));
    expect(toHex(safe.register(request))).toBe(toHex(bytes));
    expect(store.fingerprint()).toBe(after);
  });

  test('only a receipt of the card itself, fully matching, counts', () => {
    const store = memoryStore();
    const safe = testSafe(store);
    const bytes = safe.register(card.plain(1));
    const stranger = testCard(1, signerOf(new Uint8Array(32).fill(9)));
    refusedUnchanged(store, 'SAFE_BAD_SIGNATURE', () => safe.receipt(stranger.receiptFor(bytes)));
    refusedUnchanged(store, 'SAFE_UNKNOWN', () => safe.receipt(other.receiptFor(bytes)));
    const certificate = certificateCodec.decode(bytes);
    const about = (change: Partial<typeof certificate>): Uint8Array =>
      card.receiptFor(certificateCodec.encode({ ...certificate, ...change }));
    refusedUnchanged(store, 'SAFE_UNKNOWN', () => safe.receipt(about({ counter: 2 })));
    refusedUnchanged(store, 'SAFE_UNKNOWN', () => safe.receipt(about({ sequence: 2 })));
    refusedUnchanged(store, 'SAFE_UNKNOWN', () => safe.receipt(about({ hash: new Uint8Array(32) })));
    refusedUnchanged(store, 'SAFE_UNKNOWN', () => safe.receipt(about({ safeId: new Uint8Array(8) })));
    const receipt = card.receiptFor(bytes);
    receipt[receipt.length - 1] ^= 1;
    refusedUnchanged(store, 'SAFE_BAD_SIGNATURE', () => safe.receipt(receipt));
    refusedUnchanged(store, 'SAFE_BAD_OBJECT', () => safe.receipt(bytes));
    expect(equalBytes(safe.retrieve(bytes), valueInformation.encode(samples[0]))).toBe(true);
  });
});

describe('counter, lookup, index', () => {
  test('the counter returns to 0 after its limit; old records stay findable', () => {
    const safe = testSafe(memoryStore(), { counterLimit: 3 });
    const issued = Array.from({ length: 10 }, (_, i) => safe.register(card.plain(i + 1, samples[i % 4])));
    expect(issued.map((bytes) => certificateCodec.decode(bytes).counter)).toEqual([1, 2, 3, 0, 1, 2, 3, 0, 1, 2]);
    issued.forEach((bytes, i) => expect(toHex(safe.retrieve(bytes))).toBe(toHex(valueInformation.encode(samples[i % 4]))));
  });

  test('same counter and same hash: the whole certificate decides', () => {
    const store = memoryStore();
    const safe = testSafe(store, { counterLimit: 0 });
    const [a, b] = [safe.register(card.plain(1)), safe.register(other.plain(1))];
    expect([a, b].map((bytes) => certificateCodec.decode(bytes).counter)).toEqual([0, 0]);
    safe.receipt(card.receiptFor(a));
    expect(() => safe.retrieve(a)).toThrow(coded('SAFE_TOMBSTONE'));
    expect(toHex(safe.retrieve(b))).toBe(toHex(valueInformation.encode(samples[0])));
  });

  test('looking up among n records costs O(log n) comparisons', () => {
    const store = memoryStore();
    const safe = testSafe(store);
    const costs: number[] = [];
    let size = 0;
    for (const upTo of [16, 64, 256, 1024]) {
      while (size < upTo) safe.register(card.plain((size += 1), samples[size % 4]));
      const worst = [1, upTo >> 1, upTo].map((sequence) => {
        const certificate = safe.register(card.plain(sequence, samples[sequence % 4]));
        const before = store.comparisons.count;
        safe.retrieve(certificate);
        return store.comparisons.count - before;
      });
      costs.push(Math.max(...worst));
      expect(costs.at(-1)).toBeLessThanOrEqual(2 * 1.4405 * Math.log2(3 * upTo + 3));
    }
    expect(costs[3] - costs[0]).toBeLessThanOrEqual(4 * 6);
  });

  test('the index is hash, counter, item, certificate sorted by counter; a tombstone has no item', () => {
    const store = memoryStore();
    const safe = testSafe(store, { counterLimit: 2 });
    const issued = [1, 2, 3].map((sequence) => safe.register(card.plain(sequence, samples[sequence])));
    safe.receipt(card.receiptFor(issued[0]));
    const lines = safe.index().split('\r\n');
    expect(lines[0]).toBe('hash,counter,item,certificate');
    const rows = lines.slice(1, -1).map((line) => line.split(','));
    expect(rows.map(([, counter]) => counter)).toEqual(['0', '1', '2']);
    expect(rows.map(([hash]) => hash)).toEqual([2, 0, 1].map((i) => toHex(certificateCodec.decode(issued[i]).hash)));
    expect(rows.map(([, , item]) => item !== '' && store.get(item) !== undefined)).toEqual([true, false, true]);
    rows.forEach(([, , , path]) => expect(store.get(path)).toBeDefined());
  });
});

describe('the safe as a value', () => {
  test('nothing stored shows a value or a key', () => {
    const store = memoryStore();
    const safe = testSafe(store, { emptyDigest: true });
    safe.register(card.plain(1, { ...samples[0], remarks: 'a remark to look for' }));
    safe.register(card.key(2, 'decoding'));
    safe.register(card.key(3, 'common'));
    const all = [...store.range('')].map(([, value]) => toHex(value)).join('|');
    for (const secret of [card.decoding, card.common, new TextEncoder().encode('a remark to look for'), samples[0].issueId.slice(0, 8)])
      expect(all.includes(toHex(secret))).toBe(false);
  });

  test('restoring a snapshot of the store undoes registrations, counter included', () => {
    const store = memoryStore();
    const safe = testSafe(store);
    const first = safe.register(card.plain(1));
    const snapshot = store.snapshot();
    const second = safe.register(card.plain(2, samples[1]));
    store.restore(snapshot);
    expect(() => safe.retrieve(second)).toThrow(coded('SAFE_UNKNOWN'));
    expect(toHex(safe.register(card.plain(2, samples[1])))).toBe(toHex(second));
    expect(toHex(safe.register(card.plain(1)))).toBe(toHex(first));
  });

  test('sealed items open only under their own name and key', () => {
    const sealed = sealItem(safeKeys.store, 'a', Uint8Array.of(1, 2));
    expect(openItem(safeKeys.store, 'a', sealed)).toEqual(Uint8Array.of(1, 2));
    expect(() => openItem(safeKeys.store, 'b', sealed)).toThrow(coded('SAFE_STORE'));
    expect(() => openItem(safeKeys.agreement, 'a', sealed)).toThrow(coded('SAFE_STORE'));
  });

  test('identity is the safe entry ED', () => {
    const entry = safeEntry.decode(testSafe(memoryStore()).identity());
    expect([toHex(entry.safeId), toHex(entry.verificationKey)]).toEqual([toHex(safeId), toHex(safeKeys.signer.publicKey)]);
  });

  test('parts of the wrong size are SAFE_SETUP', () => {
    const store = memoryStore();
    const bad = [
      { id: new Uint8Array(7), keys: safeKeys, store },
      { id: safeId, keys: { ...safeKeys, store: new Uint8Array(16) }, store },
      { id: safeId, keys: safeKeys, store, settings: { counterLimit: -1 } },
      { id: safeId, keys: safeKeys, store, settings: { issuers: [issuer.publicKey.slice(1)] } },
    ];
    for (const parts of bad) expect(() => createSafe(parts)).toThrow(coded('SAFE_SETUP'));
  });

  test('every code says what is still true and what to do next', () => {
    for (const { stillTrue, next } of Object.values(explanations)) expect(Math.min(stillTrue.length, next.length)).toBeGreaterThan(10);
  });
});
