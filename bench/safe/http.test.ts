import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { certificate as certificateCodec, samples, toHex, valueInformation } from '../codec/index.js';
import { inProcessClient } from './client.js';
import type { SafeClient } from './client.js';
import { httpClient } from './http-client.js';
import { serveSafe } from './http-server.js';
import type { ServeOptions } from './http-server.js';
import type { Safe } from './safe.js';
import { memoryStore } from './store.js';
import type { MemoryStore } from './store.js';
import { testCard, testSafe } from './testing/card.js';
import { raw, requestBytes } from './testing/raw.js';

const card = testCard(1);
const coded = (code: string, more: Record<string, unknown> = {}): unknown => expect.objectContaining({ code, ...more });
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function served(options: Partial<ServeOptions> = {}): Promise<{ url: string; store: MemoryStore; safe: Safe }> {
  const store = memoryStore();
  const safe = testSafe(store);
  const server = await serveSafe({ safe, operatorToken: 'operator', ...options });
  closers.push(() => server.close());
  return { url: server.url, store, safe };
}

async function fakeSafe(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  }));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const clients: [string, () => Promise<SafeClient>][] = [
  ['in process', () => Promise.resolve(inProcessClient(testSafe(memoryStore())))],
  ['over HTTP', async () => httpClient({ url: (await served()).url, operatorToken: 'operator' })],
];

describe.each(clients)('a safe %s', (_, make) => {
  test('registers, gives back, takes a receipt, shows identity and index', async () => {
    const client = await make();
    const e6 = await client.register(card.plain(1, samples[3]));
    expect(toHex(await client.register(card.plain(1, samples[3])))).toBe(toHex(e6));
    expect(toHex(await client.retrieve(e6))).toBe(toHex(valueInformation.encode(samples[3])));
    const { hash } = certificateCodec.decode(e6);
    expect(await client.index()).toMatch(new RegExp(`^hash,counter,item,certificate\r\n${toHex(hash)},1,item/.*,certificate/.*\r\n$`));
    await client.receipt(card.receiptFor(e6));
    await client.receipt(card.receiptFor(e6));
    await expect(client.retrieve(e6)).rejects.toEqual(coded('SAFE_TOMBSTONE', { status: 410 }));
    expect(toHex(await client.identity())).toBe(toHex(testSafe(memoryStore()).identity()));
  });

  test('refuses with the same codes', async () => {
    const client = await make();
    const e6 = await client.register(card.plain(1));
    await expect(client.register(card.plain(1, samples[1]))).rejects.toEqual(coded('SAFE_CONFLICT', { status: 409 }));
    await expect(client.register(card.plain(2, samples[1], 'MD5'))).rejects.toEqual(coded('SAFE_LEGACY_HASH', { status: 422 }));
    await expect(client.register(e6)).rejects.toEqual(coded('SAFE_BAD_OBJECT', { status: 400 }));
    await expect(client.receipt(testCard(2).receiptFor(e6))).rejects.toEqual(coded('SAFE_UNKNOWN', { status: 404 }));
    const forged = e6.map((byte, i) => (i === e6.length - 1 ? byte ^ 1 : byte));
    await expect(client.retrieve(forged)).rejects.toEqual(coded('SAFE_BAD_SIGNATURE', { status: 403 }));
  });
});

describe('hostile requests', () => {
  /** Requests that must be refused with one of the statuses (0: the connection may just close). */
  interface Hostile {
    readonly bytes: Uint8Array | string;
    readonly statuses: readonly number[];
    readonly hangUp?: boolean;
  }
  const post = (path: string, body: Uint8Array, headers?: Record<string, string>): Buffer => requestBytes('POST', path, body, headers);
  const errorShape = ['code', 'message', 'stillTrue', 'next'].map((name) => [name, 'string']);
  const paths = ['/v1/register', '/v1/retrieve', '/v1/receipt'];

  function hostileArb(e6: Uint8Array): fc.Arbitrary<Hostile> {
    const objects = [card.key(5, 'decoding'), e6, card.receiptFor(e6)];
    const which = fc.integer({ min: 0, max: 2 });
    const random = fc.record({ bytes: fc.tuple(which, fc.uint8Array({ maxLength: 600 })).map(([i, body]) => post(paths[i], body)), statuses: fc.constant([400]) });
    const mutated = fc.tuple(which, fc.nat(), fc.integer({ min: 1, max: 255 })).map(([i, at, change]) => {
      const body = objects[i].slice();
      body[at % body.length] ^= change;
      return { bytes: post(paths[i], body), statuses: [400, 403, 404, 409, 422] };
    });
    const cut = fc.tuple(which, fc.nat()).map(([i, at]) => ({ bytes: post(paths[i], [card.plain(9), e6, card.receiptFor(e6)][i].slice(0, at % 89)), statuses: [400] }));
    const crossed = fc.tuple(which, fc.integer({ min: 1, max: 2 })).map(([i, by]) => ({ bytes: post(paths[i], objects[(i + by) % 3]), statuses: [400] }));
    const large = fc.tuple(which, fc.integer({ min: 4097, max: 100_000 }), fc.boolean()).map(([i, size, chunked]) => ({
      bytes: chunked
        ? Buffer.concat([Buffer.from(`POST ${paths[i]} HTTP/1.1\r\nhost: s\r\ncontent-type: application/octet-stream\r\ntransfer-encoding: chunked\r\n\r\n${size.toString(16)}\r\n`), Buffer.alloc(size), Buffer.from('\r\n0\r\n\r\n')])
        : post(paths[i], new Uint8Array(size)),
      statuses: [413],
    }));
    const method = fc.tuple(fc.constantFrom('GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'), which).map(([name, i]) => ({ bytes: requestBytes(name, paths[i], card.plain(9)), statuses: [405] }));
    const path = fc.constantFrom('/', '/v1', '/v1/register/', '/v1/register?x=1', '/v2/register', '/../v1/register', '//v1/register', 'http://other/v1/register').map((at) => ({ bytes: requestBytes('POST', at, card.plain(9)), statuses: [404] }));
    const type = fc.constantFrom('text/plain', 'application/json', '', 'application/octet-stream; charset=utf-8', 'multipart/form-data').map((name) => ({ bytes: post(paths[0], card.plain(9), { 'content-type': name }), statuses: [415] }));
    const encoding = fc.constantFrom('gzip', 'deflate', 'br').map((name) => ({ bytes: post(paths[0], card.plain(9), { 'content-encoding': name }), statuses: [415] }));
    const header = fc.constantFrom('-1', '1e3', '0x10', '99999999999999999999', '5, 6').map((length) => ({ bytes: post(paths[0], card.plain(9), { 'content-length': length }), statuses: [400, 413] }));
    const smuggled = fc.constant({ bytes: post(paths[0], card.plain(9), { 'transfer-encoding': 'chunked' }), statuses: [400] });
    const huge = fc.constant({ bytes: post(paths[0], card.plain(9), { 'x-filler': 'x'.repeat(20_000) }), statuses: [400, 0] });
    const garbage = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => ({ bytes: Buffer.concat([Uint8Array.of(0), bytes, Buffer.from('\r\n\r\n')]), statuses: [400] }));
    const token = fc.constantFrom('Bearer wrong', 'Basic b3A6b3A=', 'operator', 'Bearer ').map((authorization) => ({ bytes: requestBytes('GET', '/v1/index.csv', new Uint8Array(0), { authorization }), statuses: [401] }));
    const aborted = fc.tuple(which, fc.integer({ min: 1, max: 100 })).map(([i, missing]) => ({
      bytes: post(paths[i], objects[i], { 'content-length': String(objects[i].length + missing) }), statuses: [0], hangUp: true,
    }));
    return fc.oneof(random, mutated, cut, crossed, large, method, path, type, encoding, header, smuggled, huge, garbage, token, aborted);
  }

  test('1,000 of them: each refused, nothing stored, the safe goes on', async () => {
    const { url, store, safe } = await served({ limits: { requestMs: 2_000 } });
    const e6 = safe.register(card.plain(1));
    safe.register(card.key(4, 'decoding'));
    const before = [store.fingerprint(), safe.index()];
    const seen = new Map<number, number>();
    await fc.assert(fc.asyncProperty(hostileArb(e6), async ({ bytes, statuses, hangUp }) => {
      const answer = await raw(url, bytes, hangUp);
      seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
      expect(statuses).toContain(answer.status);
      if (answer.status !== 0 && !String(Buffer.from(bytes).subarray(0, 4)).startsWith('HEAD'))
        expect(Object.entries(JSON.parse(answer.body) as object).map(([name, text]) => [name, typeof text])).toEqual(errorShape);
      expect(store.fingerprint()).toBe(before[0]);
    }), { numRuns: 1_000, seed: 1, endOnFailure: true });
    expect(safe.index()).toBe(before[1]);
    expect([...seen.keys()].sort()).toEqual(expect.arrayContaining([0, 400, 401, 403, 404, 405, 413, 415]));
    expect(certificateCodec.decode(await httpClient({ url }).register(card.plain(2))).counter).toBe(3);
  });

  test('slow bodies and slow headers end in bounded time', async () => {
    const { url, store } = await served({ limits: { requestMs: 300 } });
    const before = store.fingerprint();
    const body = card.plain(1);
    const short = requestBytes('POST', '/v1/register', body, { 'content-length': String(body.length + 1) });
    const attempts = [short, short.subarray(0, 40), 'POST', short.subarray(0, short.length - 50)];
    const answers = await Promise.all([...attempts, ...attempts].map((bytes) => raw(url, bytes)));
    for (const { status, milliseconds } of answers) {
      expect([408, 0]).toContain(status);
      expect(milliseconds).toBeLessThan(5_000);
    }
    expect(answers.filter(({ status }) => status === 408).length).toBeGreaterThanOrEqual(2);
    expect(store.fingerprint()).toBe(before);
  });

  test('more requests at once than allowed are answered SAFE_BUSY, and later ones taken again', async () => {
    const { url } = await served({ limits: { requestMs: 700, concurrent: 2 } });
    const body = card.plain(1);
    const hanging = requestBytes('POST', '/v1/register', body, { 'content-length': String(body.length + 1) });
    const slow = Promise.all([raw(url, hanging), raw(url, hanging), raw(url, hanging), raw(url, hanging)]);
    const statuses = (await slow).map(({ status }) => status).sort();
    expect(statuses.slice(2)).toEqual([503, 503]);
    expect(certificateCodec.decode(await httpClient({ url }).register(body)).counter).toBe(1);
  });

  test('a failing store is 503 SAFE_STORE and tells nothing of the inside', async () => {
    const { url, store } = await served();
    await store.close();
    const error: unknown = await httpClient({ url }).register(card.plain(1)).catch((caught: unknown) => caught);
    expect(error).toEqual(coded('SAFE_STORE', { status: 503, stillTrue: 'nothing acknowledged is lost' }));
    const broken = { ...testSafe(memoryStore()), registerAll: () => { throw new TypeError('secret detail'); } };
    const inside = await served({ safe: broken });
    const answer = await raw(inside.url, requestBytes('POST', '/v1/register', card.plain(1)));
    expect([answer.status, answer.body.includes('secret detail')]).toEqual([503, false]);
  });

  test('closing lets a request under way finish and cuts one that hangs', async () => {
    const server = await serveSafe({ safe: testSafe(memoryStore()), limits: { requestMs: 60_000, graceMs: 200 } });
    const hanging = raw(server.url, requestBytes('POST', '/v1/register', card.plain(1), { 'content-length': '4000' }));
    await httpClient({ url: server.url }).identity();
    await server.close();
    expect((await hanging).status).toBe(0);
    await expect(httpClient({ url: server.url }).identity()).rejects.toEqual(coded('SAFE_UNREACHABLE'));
  });

  test('an address in use is SAFE_SETUP', async () => {
    const { url } = await served();
    await expect(serveSafe({ safe: testSafe(memoryStore()), port: Number(new URL(url).port) })).rejects.toEqual(coded('SAFE_SETUP'));
  });
});

describe('the HTTP client', () => {
  const unknown = 'the safe may or may not have carried out the request';

  test('no answer, or half of one, in time: SAFE_TIMEOUT', async () => {
    const silent = await fakeSafe(() => undefined);
    await expect(httpClient({ url: silent, timeoutMs: 100 }).register(card.plain(1))).rejects.toEqual(coded('SAFE_TIMEOUT', { stillTrue: unknown }));
    const half = await fakeSafe((_, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': 100 });
      response.write('abc');
    });
    await expect(httpClient({ url: half, timeoutMs: 100 }).register(card.plain(1))).rejects.toEqual(coded('SAFE_TIMEOUT'));
  });

  test('nobody listens: not sent; broken off: unknown', async () => {
    const gone = await serveSafe({ safe: testSafe(memoryStore()) });
    await gone.close();
    await expect(httpClient({ url: gone.url }).register(card.plain(1)))
      .rejects.toEqual(coded('SAFE_UNREACHABLE', { stillTrue: 'the request was not sent; nothing was stored, changed or given out' }));
    const cutting = await fakeSafe((request) => request.socket.destroy());
    await expect(httpClient({ url: cutting }).register(card.plain(1))).rejects.toEqual(coded('SAFE_UNREACHABLE', { stillTrue: unknown }));
    const half = await fakeSafe((request, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': 100 });
      response.write('abc', () => request.socket.destroy());
    });
    await expect(httpClient({ url: half }).register(card.plain(1))).rejects.toEqual(coded('SAFE_UNREACHABLE', { stillTrue: unknown }));
  });

  test.each([
    ['an error without JSON', 500, 'text/html', '<h1>'], ['an error with a strange code', 400, 'application/json', '{"code":"X","message":"m"}'],
    ['success of another type', 200, 'text/html', 'abc'], ['success too large', 200, 'application/octet-stream', 'x'.repeat(5000)],
    ['a redirect', 302, 'text/plain', ''],
  ])('%s is SAFE_BAD_ANSWER', async (_, status, type, body) => {
    const url = await fakeSafe((__, response) => response.writeHead(status, { 'content-type': type }).end(body));
    await expect(httpClient({ url }).register(card.plain(1))).rejects.toEqual(coded('SAFE_BAD_ANSWER'));
  });

  test('the index needs the token', async () => {
    const { url } = await served();
    await expect(httpClient({ url }).index()).rejects.toEqual(coded('SAFE_FORBIDDEN', { status: 401 }));
    const closed = await served({ operatorToken: undefined as unknown as string });
    await expect(httpClient({ url: closed.url, operatorToken: 'undefined' }).index()).rejects.toEqual(coded('SAFE_FORBIDDEN'));
  });
});
