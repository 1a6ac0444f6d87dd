import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { certificate as certificateCodec, samples, toHex } from '../codec/index.js';
import { SafeError } from './errors.js';
import { groupCommit } from './group-commit.js';
import { httpClient } from './http-client.js';
import { serveSafe } from './http-server.js';
import { memoryStore } from './store.js';
import type { MemoryStore, SafeStore } from './store.js';
import { testCard, testSafe } from './testing/card.js';

const card = testCard(1);
const damagedKey = (request: Uint8Array): Uint8Array => request.map((byte, at) => (at === request.length - 1 ? byte ^ 1 : byte));
const shown = (answer: Uint8Array | SafeError): string | number =>
  answer instanceof SafeError ? answer.code : certificateCodec.decode(answer).counter;

/** A store that counts its changes and fails them while `broken`. */
function watched(inner: MemoryStore): SafeStore & { changes: number; broken: boolean } {
  const store = {
    ...inner, changes: 0, broken: false,
    transaction<T>(run: Parameters<typeof inner.transaction<T>>[0]): T {
      store.changes += 1;
      if (store.broken) throw new SafeError('SAFE_STORE', 'no space');
      return inner.transaction(run);
    },
  };
  return store;
}

describe('registerAll', () => {
  test('each is answered as alone, in order; refusals use no counter and hold nobody up', () => {
    const safe = testSafe(memoryStore());
    const before = safe.register(card.plain(9));
    const group = [
      card.plain(1), Uint8Array.of(1, 2, 3), card.plain(2, samples[0], 'MD5'), damagedKey(card.key(3, 'decoding')), card.plain(9),
      card.key(4, 'common'), card.plain(1), card.plain(1, samples[1]), card.registered(5, 1),
    ];
    const answers = safe.registerAll(group);
    expect(answers.map(shown)).toEqual([
      2, 'SAFE_BAD_OBJECT', 'SAFE_LEGACY_HASH', 'SAFE_BAD_SIGNATURE', 1, 3, 2, 'SAFE_CONFLICT', 4,
    ]);
    expect(answers[4]).toEqual(before);
    expect(answers[6]).toEqual(answers[0]);
    const alone = testSafe(memoryStore());
    const singly = [card.plain(9), card.plain(1), card.key(4, 'common'), card.registered(5, 1)].map((one) => toHex(alone.register(one)));
    expect([before, answers[0], answers[5], answers[8]].map((one) => toHex(one as Uint8Array))).toEqual(singly);
  });

  test('one change of the store for all, none where nothing is new', () => {
    const store = watched(memoryStore());
    const safe = testSafe(store);
    safe.registerAll([card.plain(1), card.plain(2), card.plain(3)]);
    expect(store.changes).toBe(1);
    safe.registerAll([card.plain(3), card.plain(1)]);
    expect(store.changes).toBe(1);
  });

  test('a store that fails refuses what is new, leaves nothing of it and answers the rest', () => {
    const inner = memoryStore();
    const store = watched(inner);
    const safe = testSafe(store);
    safe.register(card.plain(1));
    const before = inner.fingerprint();
    store.broken = true;
    expect(safe.registerAll([card.plain(1), card.plain(2), Uint8Array.of(0)]).map(shown)).toEqual([1, 'SAFE_STORE', 'SAFE_BAD_OBJECT']);
    expect(inner.fingerprint()).toBe(before);
    store.broken = false;
    expect(shown(safe.register(card.plain(2)))).toBe(2);
  });
});

describe('group commit', () => {
  test('requests at the same time share a flush, at most 256 of them; a later one gets its own', async () => {
    const store = watched(memoryStore());
    const register = groupCommit(testSafe(store));
    const together = await Promise.all(Array.from({ length: 300 }, (_, at) => register(card.plain(at + 1))));
    expect(together.map(shown)).toEqual(Array.from({ length: 300 }, (_, at) => at + 1));
    expect(store.changes).toBe(2);
    expect(shown(await register(card.plain(301)))).toBe(301);
    expect(store.changes).toBe(3);
  });

  test('a defect of the safe reaches everyone who waits, and the next are served', async () => {
    const safe = testSafe(memoryStore());
    let broken = true;
    const register = groupCommit({
      registerAll(requests) {
        if (broken) throw new TypeError('defect');
        return safe.registerAll(requests);
      },
    });
    const results = await Promise.allSettled([register(card.plain(1)), register(card.plain(2))]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    broken = false;
    expect(shown(await register(card.plain(1)))).toBe(1);
  });

  test('a client that keeps its connections uses few of them', async () => {
    const server = await serveSafe({ safe: testSafe(memoryStore()), limits: { concurrent: 4 } });
    const client = httpClient({ url: server.url, connections: 3 });
    const all = await Promise.all(Array.from({ length: 40 }, (_, at) => client.register(card.plain(at + 1))));
    expect(new Set(all.map(shown)).size).toBe(40);
    client.close?.();
    await server.close();
  });

  test('where every kept connection is closed on use, a new one is taken', async () => {
    const safe = testSafe(memoryStore());
    const used = new Set<Socket>();
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        if (used.has(request.socket)) {
          request.socket.destroy();
          return;
        }
        used.add(request.socket);
        response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(safe.register(Uint8Array.from(Buffer.concat(parts))));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = httpClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections: 4 });
    const four = (from: number) => Promise.all(Array.from({ length: 4 }, (_, at) => client.register(card.plain(from + at))));
    await four(1);
    expect(used.size).toBe(4);
    expect(shown(await client.register(card.plain(5)))).toBe(5);
    expect((await four(6)).map(shown).sort()).toEqual([6, 7, 8, 9]);
    client.close?.();
    server.closeAllConnections();
    server.close();
  });

  test('a request on a kept connection that the safe just closed is sent again, once', async () => {
    const safe = testSafe(memoryStore());
    let [answered, dropped] = [0, 0];
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        if (answered > 0 && dropped < 1 + Number(request.url === '/gone/v1/register')) {
          dropped += 1;
          request.socket.destroy();
          return;
        }
        answered += 1;
        response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(safe.register(Uint8Array.from(Buffer.concat(parts))));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = httpClient({ url, connections: 1 });
    expect([shown(await client.register(card.plain(1))), shown(await client.register(card.plain(2)))]).toEqual([1, 2]);
    expect(dropped).toBe(1);
    dropped = 0;
    const gone = httpClient({ url: `${url}/gone`, connections: 1 });
    await expect(gone.register(card.plain(3))).rejects.toEqual(expect.objectContaining({
      code: 'SAFE_UNREACHABLE', stillTrue: 'the safe may or may not have carried out the request',
    }));
    expect(dropped).toBe(1);
    client.close?.();
    gone.close?.();
    server.closeAllConnections();
    server.close();
  });
});
