import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { safeCommand } from '../cli/safe.js';
import type { CommandIo } from '../cli/exec.js';
import { certificate as certificateCodec, samples, toHex, valueInformation } from '../codec/index.js';
import { openHome, ownTls } from './home.js';
import { httpClient } from './http-client.js';
import { serveSafe } from './http-server.js';
import { memoryStore } from './store.js';
import { buildSafeCommand, startServed } from './testing/built.js';
import type { ServedProcess } from './testing/built.js';
import { issuer, testCard, testSafe } from './testing/card.js';

const scratch = mkdtempSync(join(tmpdir(), 'cardbench-serve-'));
const card = testCard(1);
let entry = '';
const running: ServedProcess[] = [];
beforeAll(() => {
  entry = buildSafeCommand(join(scratch, 'built'));
});
afterAll(() => {
  for (const { child } of running) child.kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
});

async function started(...args: string[]): Promise<ServedProcess> {
  const served = await startServed(entry, [...args, '--issuer', toHex(issuer.publicKey)]);
  running.push(served);
  return served;
}

/** Runs the command in this process: exit code, lines out, lines to stderr. */
async function run(...argv: string[]): Promise<{ code: number; out: string[]; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const io: CommandIo = { out: (line) => void out.push(line), err: (line) => void err.push(line), now: () => 0 };
  const code = await safeCommand(argv, io);
  return { code, out, err: err.join('\n') };
}

describe('durability', () => {
  test('every acknowledged registration outlives kill -9, byte for byte', async () => {
    const store = join(scratch, 'killed');
    const acknowledged = new Map<number, Uint8Array>();
    let sequence = 0;
    for (const round of [5, 17, 31]) {
      const served = await started('--store', store);
      const client = httpClient({ url: served.url });
      let left = round;
      const lane = async (): Promise<void> => {
        for (;;) {
          const mine = (sequence += 1);
          const e6 = await client.register(card.plain(mine, samples[mine % 4]));
          acknowledged.set(mine, e6);
          if ((left -= 1) === 0) served.child.kill('SIGKILL');
        }
      };
      const lanes = await Promise.allSettled([lane(), lane(), lane(), lane()]);
      expect(lanes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
      expect((await served.ended)[1]).toBe('SIGKILL');
    }
    expect(acknowledged.size).toBeGreaterThanOrEqual(53);
    const served = await started('--store', store);
    const client = httpClient({ url: served.url });
    const counters = new Set<number>();
    for (const [mine, e6] of acknowledged) {
      expect(toHex(await client.register(card.plain(mine, samples[mine % 4])))).toBe(toHex(e6));
      expect(toHex(await client.retrieve(e6))).toBe(toHex(valueInformation.encode(samples[mine % 4])));
      counters.add(certificateCodec.decode(e6).counter);
    }
    expect(counters.size).toBe(acknowledged.size);
    served.child.kill('SIGTERM');
    expect(await served.ended).toEqual([0, null]);
    const { out } = await run('index', '--store', store);
    const rows = out.slice(1).map((line) => Number(line.split(',')[1]));
    expect(rows).toEqual(Array.from({ length: rows.length }, (_, i) => i + 1));
    expect(rows.length).toBeGreaterThanOrEqual(acknowledged.size);
  });

  test('an acknowledged receipt outlives kill -9', async () => {
    const store = join(scratch, 'receipt');
    const first = await started('--store', store);
    const e6 = await httpClient({ url: first.url }).register(card.plain(1));
    await httpClient({ url: first.url }).receipt(card.receiptFor(e6));
    first.child.kill('SIGKILL');
    await first.ended;
    const second = await started('--store', store);
    await expect(httpClient({ url: second.url }).retrieve(e6)).rejects.toEqual(expect.objectContaining({ code: 'SAFE_TOMBSTONE' }));
    await httpClient({ url: second.url }).receipt(card.receiptFor(e6));
    second.child.kill('SIGINT');
    expect(await second.ended).toEqual([0, null]);
  });
});

describe('cardbench safe', () => {
  test('init makes private keys once', async () => {
    const store = join(scratch, 'init');
    const made = await run('init', '--store', store, '--id', '0102030405060708');
    expect([made.code, made.out]).toEqual([0, []]);
    const files = readdirSync(join(store, 'keys'));
    expect(files.sort()).toEqual(['agreement.key', 'id', 'operator.token', 'signing.key', 'store.key']);
    const texts = files.map((file) => readFileSync(join(store, 'keys', file), 'utf8'));
    for (const file of files) expect(statSync(join(store, 'keys', file)).mode & 0o777).toBe(0o600);
    expect(new Set(texts).size).toBe(5);
    for (const [i, file] of files.entries()) if (file !== 'id') expect(made.err).not.toContain(texts[i].trim());
    expect(toHex(openHome(store).id)).toBe('0102030405060708');
    const again = await run('init', '--store', store);
    expect([again.code, again.err.includes('SAFE_SETUP')]).toEqual([2, true]);
    expect(files.map((file) => readFileSync(join(store, 'keys', file), 'utf8'))).toEqual(texts);
  });

  test('keys that others can read, or that are damaged or missing, are refused', async () => {
    const store = join(scratch, 'open');
    await run('init', '--store', store);
    const key = join(store, 'keys', 'signing.key');
    chmodSync(key, 0o644);
    expect(() => openHome(store)).toThrow(/can be read by others/);
    chmodSync(key, 0o600);
    openHome(store);
    writeFileSync(key, 'not hex');
    expect(() => openHome(store)).toThrow(expect.objectContaining({ code: 'SAFE_SETUP' }));
    rmSync(key);
    expect((await run('index', '--store', store)).code).toBe(2);
    expect((await run('index', '--store', join(scratch, 'never'))).err).toContain("run 'cardbench safe init");
  });

  test.each([
    ['no action', []], ['a strange action', ['open']], ['no store', ['init']], ['a strange option', ['init', '--stor', 'x']],
    ['an option of another action', ['init', '--store', 'x', '--port', '1']], ['a bad id', ['init', '--store', 'x', '--id', '12']],
    ['two actions', ['init', 'serve', '--store', 'x']],
  ])('%s: exit 2 and nothing made', async (_, argv) => {
    const { code, err } = await run(...argv);
    expect([code, err.includes('SAFE_SETUP')]).toEqual([2, true]);
    expect(existsSync('x')).toBe(false);
  });

  test.each([
    ['port', ['--port', '70000']], ['counter limit', ['--counter-limit', '-1']], ['issuer', ['--issuer', 'ab']],
    ['cert alone', ['--tls', '--cert', 'x']], ['cert without tls', ['--cert', 'x', '--key', 'y']],
    ['missing cert', ['--tls', '--cert', '/nowhere', '--key', '/nowhere']], ['id of another safe', ['--id', 'FFFFFFFFFFFFFFFF']],
  ])('serve with a wrong %s: exit 2', async (_, args) => {
    const store = join(scratch, 'wrong');
    if (!existsSync(store)) await run('init', '--store', store);
    const { code, err } = await run('serve', '--store', store, ...args);
    expect([code, err.includes('SAFE_SETUP')]).toEqual([2, true]);
  });

  test('help says what there is', async () => {
    const { code, out } = await run('--help');
    expect([code, out[0].startsWith('cardbench safe serve')]).toEqual([0, true]);
  });

  test('settings reach the safe; the operator token opens the index', async () => {
    const store = join(scratch, 'settings');
    const served = await started('--store', store, '--counter-limit', '1', '--allow-legacy', '--empty-digest', '--id', '1111111111111111');
    const client = httpClient({ url: served.url, operatorToken: openHome(store).operatorToken });
    const certified = [];
    for (const sequence of [1, 2, 3]) certified.push(certificateCodec.decode(await client.register(card.plain(sequence, samples[0], 'MD5'))));
    expect(certified.map(({ counter, algorithm, digest, safeId }) => [counter, algorithm, digest.type, toHex(safeId)]))
      .toEqual([1, 0, 1].map((counter) => [counter, 'MD5', 'empty', '1111111111111111']));
    expect((await client.index()).split('\r\n')).toHaveLength(5);
  });
});

describe('TLS', () => {
  test('a generated certificate serves HTTPS; only who trusts it connects', async () => {
    const store = join(scratch, 'tls');
    const served = await started('--store', store, '--tls');
    expect(served.url).toMatch(/^https:/);
    expect(statSync(join(store, 'tls', 'key.pem')).mode & 0o777).toBe(0o600);
    const ca = readFileSync(join(store, 'tls', 'cert.pem'), 'utf8');
    const e6 = await httpClient({ url: served.url, ca }).register(card.plain(1));
    expect(certificateCodec.decode(e6).counter).toBe(1);
    const byName = served.url.replace('127.0.0.1', 'localhost');
    expect(toHex(await httpClient({ url: byName, ca }).register(card.plain(1)))).toBe(toHex(e6));
    await expect(httpClient({ url: served.url }).register(card.plain(2))).rejects.toEqual(expect.objectContaining({
      code: 'SAFE_UNREACHABLE', stillTrue: 'the request was not sent; nothing was stored, changed or given out',
    }));
    expect(await ownTls(store, '127.0.0.1')).toEqual({ key: readFileSync(join(store, 'tls', 'key.pem'), 'utf8'), cert: ca });
  });

  test('a given certificate is used', async () => {
    const tls = await ownTls(join(scratch, 'given'), '127.0.0.1');
    const server = await serveSafe({ safe: testSafe(memoryStore()), tls });
    expect((await httpClient({ url: server.url, ca: tls.cert }).identity()).length).toBe(80);
    await server.close();
    const files = [join(scratch, 'given', 'tls', 'cert.pem'), join(scratch, 'given', 'tls', 'key.pem')];
    const served = await started('--store', join(scratch, 'given-served'), '--tls', '--cert', files[0], '--key', files[1]);
    expect((await httpClient({ url: served.url, ca: tls.cert }).identity()).length).toBe(80);
    expect(existsSync(join(scratch, 'given-served', 'tls'))).toBe(false);
  });
});
