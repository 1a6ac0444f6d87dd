import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { certificate as certificateCodec, safeEntry, toHex } from '../codec/index.js';
import { createCompartments, storeWithin } from './compartments.js';
import { decodeEntries, encodeEntries } from './entries.js';
import { fingerprintOf, ownTls } from './home.js';
import { httpClient } from './http-client.js';
import { serveSafe } from './http-server.js';
import type { SafeServer } from './http-server.js';
import { operatorClient } from './operator-client.js';
import { pinnedCertificate } from './pin.js';
import { memoryStore } from './store.js';
import type { MemoryStore } from './store.js';
import { issuer, safeId, safeKeys, testCard, testSafe } from './testing/card.js';
import { raw, requestBytes } from './testing/raw.js';
import { storeContract } from './testing/store-contract.js';

const operatorToken = 'AA'.repeat(16);
const card = testCard(1);
const coded = (code: string): unknown => expect.objectContaining({ code });
const counterIn = (certificate: Uint8Array): number => certificateCodec.decode(certificate).counter;
const scratch = mkdtempSync(join(tmpdir(), 'cardbench-compartments-'));
const servers: SafeServer[] = [];
afterEach(async () => { for (const server of servers.splice(0)) await server.close(); });
afterAll(() => { rmSync(scratch, { recursive: true, force: true }); });

async function served(store: MemoryStore = memoryStore()) {
  const compartments = createCompartments({ id: safeId, keys: safeKeys }, store);
  const server = await serveSafe({ safe: testSafe(store), operatorToken, compartments });
  servers.push(server);
  return { server, store, operator: operatorClient({ url: server.url, operatorToken }), main: httpClient({ url: server.url }) };
}

storeContract('a part of a store', () => storeWithin(memoryStore(), 'x/'));

describe('compartments of a served safe', () => {
  test('each is a safe with records, counter and settings of its own', async () => {
    const { operator, main } = await served();
    const [one, two] = [await operator.open({ issuers: [toHex(issuer.publicKey)], counterLimit: 1 }), await operator.open({ allowLegacy: true })];
    const [first, second] = [httpClient({ url: one }), httpClient({ url: two })];
    expect(await first.identity()).toEqual(await main.identity());
    const counters = [];
    for (const [client, request] of [
      [main, card.plain(1)], [first, card.plain(1)], [first, card.key(2, 'common')], [second, card.plain(1, undefined, 'MD5')], [main, card.plain(2)],
    ] as const) counters.push(counterIn(await client.register(request)));
    expect(counters).toEqual([1, 1, 0, 1, 2]);
    await expect(first.register(card.plain(3, undefined, 'MD5'))).rejects.toEqual(coded('SAFE_LEGACY_HASH'));
    await expect(second.register(card.key(2, 'common'))).rejects.toEqual(coded('SAFE_BAD_SIGNATURE'));
    await expect(second.retrieve(await main.register(card.plain(2)))).rejects.toEqual(coded('SAFE_UNKNOWN'));
  });

  test('keys and id can be given', async () => {
    const { operator } = await served();
    const keys = { id: '0102030405060708', signing: '11'.repeat(32), agreement: '22'.repeat(32), store: '33'.repeat(32) };
    const { safeId: id, verificationKey } = safeEntry.decode(await httpClient({ url: await operator.open({ keys }) }).identity());
    expect([toHex(id), toHex(verificationKey)]).toEqual([keys.id, 'D04AB232742BB4AB3A1368BD4615E4E6D0224AB71A016BAF8520A332C9778737']);
  });

  test('its entries are all it stores, sealed; loaded again they are its state', async () => {
    const { operator } = await served();
    const url = await operator.open({});
    const client = httpClient({ url });
    const before = await operator.entries(url);
    const certificate = await client.register(card.plain(1));
    const after = await operator.entries(url);
    expect(before).toEqual([]);
    expect(after.map(([key]) => key.split('/')[0])).toEqual(['certificate', 'counter', 'item', 'registration']);
    const value = await client.retrieve(certificate);
    expect(after.some(([, bytes]) => Buffer.from(bytes).includes(Buffer.from(value.slice(0, 16))))).toBe(false);
    await operator.load(url, before);
    await expect(client.retrieve(certificate)).rejects.toEqual(coded('SAFE_UNKNOWN'));
    expect(counterIn(await client.register(card.plain(2)))).toBe(1);
    await operator.load(url, after);
    expect(await client.retrieve(certificate)).toEqual(value);
    expect(counterIn(await client.register(card.plain(3)))).toBe(2);
  });

  test('what is dropped is gone from the store, and so is what an earlier process left', async () => {
    const { operator, store } = await served();
    const [one, two] = [await operator.open({}), await operator.open({})];
    await httpClient({ url: one }).register(card.plain(1));
    await httpClient({ url: two }).register(card.plain(1));
    await operator.drop(one);
    expect([...store.range('compartment/1/')]).toEqual([]);
    expect([...store.range('compartment/2/')]).toHaveLength(4);
    await expect(httpClient({ url: one }).register(card.plain(1))).rejects.toEqual(coded('SAFE_UNKNOWN'));
    await expect(operator.drop(one)).rejects.toEqual(coded('SAFE_UNKNOWN'));
    createCompartments({ id: safeId, keys: safeKeys }, store);
    expect([...store.range('')]).toEqual([]);
  });

  test('only the operator opens, reads, loads and drops; a card needs no token', async () => {
    const { server, operator } = await served();
    const url = await operator.open({});
    const stranger = operatorClient({ url: server.url, operatorToken: 'BB'.repeat(16) });
    for (const refused of [stranger.open({}), stranger.entries(url), stranger.load(url, []), stranger.drop(url)])
      await expect(refused).rejects.toEqual(coded('SAFE_FORBIDDEN'));
    expect(counterIn(await httpClient({ url }).register(card.plain(1)))).toBe(1);
    expect(await operator.entries(url)).toHaveLength(4);
  });

  test.each([
    ['not JSON', '{'], ['an unknown setting', '{"colour":"red"}'], ['a counter limit too large', '{"counterLimit":4294967296}'],
    ['an issuer that is no key', '{"issuers":["12"]}'], ['half the keys', '{"keys":{"id":"0102030405060708"}}'],
  ])('settings that are %s are refused and nothing is opened', async (_, text) => {
    const { server, operator } = await served();
    const headers = { 'content-type': 'application/json', 'authorization': `Bearer ${operatorToken}` };
    const answer = await raw(server.url, requestBytes('POST', '/compartments', Buffer.from(text), headers));
    expect([answer.status, answer.body.includes('SAFE_BAD_OBJECT')]).toEqual([400, true]);
    expect(await operator.open({})).toMatch(/\/compartments\/1$/);
  });

  test('strange paths and methods are coded errors; without compartments there are none', async () => {
    const { server } = await served();
    const plain = await serveSafe({ safe: testSafe(memoryStore()), operatorToken });
    servers.push(plain);
    const status = async (url: string, method: string, path: string): Promise<number> =>
      (await raw(url, requestBytes(method, path, Buffer.from('{}'), { 'content-type': 'application/json', 'authorization': `Bearer ${operatorToken}` }))).status;
    expect(await status(server.url, 'GET', '/compartments')).toBe(405);
    expect(await status(server.url, 'POST', '/compartments/x')).toBe(404);
    expect(await status(server.url, 'GET', '/compartments/9/entries')).toBe(404);
    expect(await status(server.url, 'POST', '/compartments/1/../2/entries')).toBe(404);
    expect(await status(plain.url, 'POST', '/compartments')).toBe(404);
    await expect(operatorClient({ url: plain.url, operatorToken }).open({})).rejects.toEqual(coded('SAFE_BAD_REQUEST'));
  });
});

describe('entries as bytes', () => {
  test('there and back; bytes that end within an entry are refused', () => {
    const entries = [['a', Uint8Array.of(1, 2)], ['longer/key', new Uint8Array(0)], ['z', new Uint8Array(300).fill(7)]] as const;
    const bytes = encodeEntries(entries);
    expect(decodeEntries(bytes)).toEqual(entries);
    for (const cut of [1, 4, bytes.length - 1]) expect(() => decodeEntries(bytes.slice(0, cut))).toThrow(coded('SAFE_BAD_OBJECT'));
  });
});

describe('pinning', () => {
  test('a certificate with the right fingerprint is trusted, another one is not', async () => {
    const tls = await ownTls(join(scratch, 'one'), '127.0.0.1');
    const other = await ownTls(join(scratch, 'two'), '127.0.0.1');
    const server = await serveSafe({ safe: testSafe(memoryStore()), tls });
    servers.push(server);
    const ca = await pinnedCertificate(server.url, fingerprintOf(tls.cert).toLowerCase());
    expect(safeEntry.decode(await httpClient({ url: server.url, ca }).identity()).safeId).toEqual(safeId);
    await expect(pinnedCertificate(server.url, fingerprintOf(other.cert))).rejects.toEqual(coded('SAFE_UNREACHABLE'));
    await server.close();
    servers.length = 0;
    await expect(pinnedCertificate(server.url, fingerprintOf(tls.cert))).rejects.toEqual(
      expect.objectContaining({ code: 'SAFE_UNREACHABLE', stillTrue: 'no request was sent' }));
  });
});
