import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseRecord } from '../../reports/index.js';
import type { CompleteRecord } from '../../reports/index.js';
import { plan } from '../../scenarios/index.js';
import { certifyCommand } from '../cli/certify.js';
import { toHex } from '../codec/index.js';
import { createCompartments, createSafe, initHome, memoryStore, openHome, serveSafe } from '../safe/index.js';
import type { Compartments, SafeServer, ServedProcess } from '../safe/index.js';
import { decodeEntries, encodeEntries } from '../safe/entries.js';
import { buildSafeCommand, startServed } from '../safe/testing/built.js';
import { seededRandom } from '../world/random.js';
import { connectSafe } from '../world/served-safes.js';
import { connectSafes, missingAtSafes, servedLines } from './served.js';
import { certifyInto, points } from './testing/certify.js';

const scratch = mkdtempSync(join(tmpdir(), 'cardbench-served-'));
const stores = [join(scratch, 'one'), join(scratch, 'two')];
const processes: ServedProcess[] = [];
const servers: SafeServer[] = [];
beforeAll(async () => {
  const entry = buildSafeCommand(join(scratch, 'built'));
  for (const store of stores) processes.push(await startServed(entry, ['--store', store, '--tls', '--compartments']));
}, 120_000);
afterEach(async () => { for (const server of servers.splice(0)) await server.close(); });
afterAll(() => {
  for (const { child } of processes) child.kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
});

const tokenOf = (store: string): string => join(store, 'keys', 'operator.token');
const atProcesses = (...more: string[]): string[] => [
  '--safes', processes.map(({ url }) => url).join(','), '--safe-token', stores.map(tokenOf).join(','), ...more,
];
const pinnedByCertificate = (): string[] => ['--safe-cert', stores.map((store) => join(store, 'tls', 'cert.pem')).join(',')];
const fingerprint = ({ said }: ServedProcess): string => /SHA-256 (\S+)/.exec(said())?.[1] ?? '';

async function certify(out: string, ...argv: string[]): Promise<{ text: string; record: CompleteRecord }> {
  const { recordFile } = await certifyInto(join(scratch, out), ...argv);
  const text = readFileSync(recordFile, 'utf8');
  return { text, record: parseRecord(text) };
}

describe('certify against two safes in processes of their own, over TLS', () => {
  const chosen = points(
    '1-backup-N-01', '1-recover-N-01', '2-backup-N-01', '2-recover-N-01', '2-key-backup-N-01', '2-key-recover-N-01',
    '2-backup-A-01', '2-backup-A-14', '1-backup-R-0', '1-recover-R-0', '1-recover-A-0', '2-recover-W',
    '3-backup-N-200', '3-recover-N-203',
  );

  test('the record is the one of safes in this process, byte for byte', async () => {
    const here = await certify('here', ...chosen);
    const there = await certify('there', ...chosen, ...atProcesses(...pinnedByCertificate()));
    expect(there.text).toBe(here.text);
    const { pass, fail, invalid, aborted, unsupported } = there.record.end.counts;
    expect([fail, invalid, aborted, unsupported]).toEqual([0, 0, 0, 0]);
    expect(pass).toBeGreaterThan(25);
  });

  test('with keys of their own the safes are really asked: their ids are in the record, it repeats, verdicts are the same', async () => {
    const own = atProcesses('--safe-fingerprint', processes.map(fingerprint).join(','), '--safe-keys', 'own');
    const some = points('1-backup-N-01', '2-recover-N-01', '2-key-recover-N-01', '2-backup-A-01', '1-backup-R-01');
    const first = await certify('own-1', ...some, ...own);
    const id = readFileSync(join(stores[0], 'keys', 'id'), 'utf8').trim();
    expect(first.text).toContain(`"safe":"${id}"`);
    const verdicts = first.record.events.flatMap((event) => (event.type === 'verdict' ? [[event.point, event.verdict, event.reasons.join()]] : []));
    expect(verdicts).toContainEqual(['2-backup-A-01', 'unsupported', 'needs safe-keys']);
    expect(verdicts.filter(([, verdict]) => verdict !== 'pass')).toHaveLength(1);
    expect((await certify('own-2', ...some, ...own)).text).toBe(first.text);
  });

  test('embodiments 3 to 7 and 12: two safes each, the same record byte for byte', async () => {
    const more = points(
      '3-backup-N-01', '3-recover-N-02', '4-recover-N-01', '5-recover-N-01', '6-key-recover-N-01', '7-seed-recover-N-01',
      '12-recover-N-01', '12-recover-X-20', '12-renew-N-01', '12-renew-S-03',
    );
    const here = await certify('more-here', ...more);
    const there = await certify('more-there', ...more, ...atProcesses(...pinnedByCertificate()));
    expect(there.text).toBe(here.text);
    const { pass, fail, invalid, aborted, unsupported } = there.record.end.counts;
    expect([fail, invalid, aborted, unsupported]).toEqual([0, 0, 0, 0]);
    expect(pass).toBeGreaterThanOrEqual(10);
  });

  test('embodiments 8 to 10: owners, means and devices are known there, their clock follows the bench, and they are started anew', async () => {
    const more = points(
      '8-backup-N-01', '8-recover-N-04', '8-recover-X-07', '8-recover-X-21', '8-recover-X-25', '9-backup-N-01', '9-recover-N-02', '9-backup-X-22',
      '10-backup-N-01', '10-recover-N-02', '10-recover-X-07',
    );
    const here = await certify('owners-here', ...more);
    const there = await certify('owners-there', ...more, ...atProcesses(...pinnedByCertificate()));
    expect(there.text).toBe(here.text);
    expect(there.record.end.counts).toEqual({ pass: 11, fail: 0, invalid: 0, aborted: 0, unsupported: 0 });
  });

  test('safes with keys of their own talk to each other; key parts they hold cannot be seen, so no verdict is given', async () => {
    const own = atProcesses('--safe-fingerprint', processes.map(fingerprint).join(','), '--safe-keys', 'own');
    const { record } = await certify('own-talk', ...points('12-recover-N-01', '12-recover-X-03', '6-key-recover-N-01'), ...own);
    const verdicts = record.events.flatMap((event) => (event.type === 'verdict' ? [[event.point, event.verdict, event.reasons.join()]] : []));
    expect(verdicts.filter(([id]) => id.length === 15)).toEqual(expect.arrayContaining([
      ['12-recover-N-01', 'pass', ''], ['12-recover-X-03', 'unsupported', 'needs safe-wire'],
    ]));
    expect(verdicts).toContainEqual(['6-key-recover-N-01', 'unsupported', 'needs safe-keys']);
  });

  test('what a point opened is dropped again', async () => {
    const [{ url }] = processes;
    const token = readFileSync(tokenOf(stores[0]), 'utf8').trim();
    const ca = readFileSync(join(stores[0], 'tls', 'cert.pem'), 'utf8');
    const safe = await connectSafe({ url, token, ca, keys: 'own' });
    await expect(safe.release()).resolves.toBeUndefined();
    expect(safe.trouble()).toBeUndefined();
  });

  test('a faulty firmware fails there as it does here', async () => {
    const image = new URL('../../devices/firmware/images/faulty/no-hash-compare.elf', import.meta.url).pathname;
    const { record } = await certify('faulty', image, ...points('2-backup-A-02'), ...atProcesses(...pinnedByCertificate()));
    expect(record.end.counts).toMatchObject({ pass: 0, fail: 1 });
  });
});

describe('what goes wrong between bench and safe is never a verdict on the card', () => {
  const home = join(scratch, 'inside');
  beforeAll(() => { initHome(home, seededRandom(1, 'inside')); });

  /** A safe served in this process, with compartments altered by `change`. */
  async function inside(change: (inner: Compartments) => Partial<Compartments>): Promise<string[]> {
    const { id, keys, operatorToken } = openHome(home);
    const store = memoryStore();
    const inner = createCompartments({ id, keys }, store);
    const server = await serveSafe({ safe: createSafe({ id, keys, store }), operatorToken, compartments: { ...inner, ...change(inner) } });
    servers.push(server);
    return ['--safes', server.url, '--safe-token', tokenOf(home)];
  }

  test('the judge sees what the served safe holds: one that forgets what it acknowledged does not pass', async () => {
    const forgetful = await inside((inner) => ({
      entries: (name) => encodeEntries(decodeEntries(inner.entries(name)).filter(([key]) => !key.startsWith('certificate/'))),
    }));
    const { record } = await certify('forgetful', ...points('1-backup-N-01'), ...forgetful);
    expect(record.end.counts).toMatchObject({ pass: 0, fail: 1 });
  });

  test('a safe that goes away in the middle aborts the points, and the next run says so at once', async () => {
    let asked = 0;
    const leaving = await inside((inner) => ({
      safe(name) {
        asked += 1;
        if (asked > 1) void servers[0].close();
        return inner.safe(name);
      },
    }));
    const { record } = await certify('leaving', ...points('1-backup-N-01', '1-backup-N-02', '1-recover-N-01'), ...leaving);
    const { pass, fail, aborted } = record.end.counts;
    expect([fail, pass + aborted, aborted > 0]).toEqual([0, 3, true]);
    const reasons = record.events.flatMap((event) => (event.type === 'verdict' && event.verdict === 'aborted' ? event.reasons : []));
    expect(reasons.every((reason) => reason.includes('BENCH_SAFE'))).toBe(true);
    const { code, errors } = await command(...points('1-backup-N-01'), ...leaving);
    expect([code, errors[0]]).toEqual([3, expect.stringMatching(/^BENCH_SAFE: .*SAFE_UNREACHABLE/)]);
  });

  test('served without compartments, or with another token: refused before anything runs', async () => {
    const { id, keys, operatorToken } = openHome(home);
    const plain = await serveSafe({ safe: createSafe({ id, keys, store: memoryStore() }), operatorToken });
    servers.push(plain);
    expect(await command('--safes', plain.url, '--safe-token', tokenOf(home))).toMatchObject({ code: 3, errors: [expect.stringContaining('no such path'), expect.anything(), expect.anything()] });
    const wrong = join(scratch, 'wrong.token');
    writeFileSync(wrong, `${'00'.repeat(16)}\n`);
    const [, url] = await inside(() => ({}));
    const { code, errors } = await command('--safes', url, '--safe-token', wrong);
    expect([code, errors[0]]).toEqual([3, expect.stringContaining('SAFE_FORBIDDEN')]);
  });

  async function command(...argv: string[]): Promise<{ code: number; errors: string[] }> {
    const errors: string[] = [];
    const code = await certifyCommand([...argv, '--jobs', '1', '--cuts', '0', '--out', join(scratch, 'command')], {
      out: () => undefined, err: (line) => { errors.push(line); }, now: () => 0, terminal: false, colour: false, progress: () => undefined,
      onInterrupt: () => () => undefined,
    });
    return { code, errors };
  }

  test('who plays which part is said', async () => {
    const at = (await inside(() => ({})))[1];
    const served = await connectSafes([{ url: at, token: openHome(home).operatorToken, keys: 'bench' }]);
    expect(servedLines(served)).toEqual([`safe: served by ${toHex(openHome(home).id)} at ${at}, id and keys are the bench's`]);
    expect(servedLines({})).toEqual([]);
  });

  const one = 'http://127.0.0.1:1';
  const token = ['--safe-token', '/dev/null'];
  test.each([
    ['no address', ['--safes', 'here', ...token]], ['no token', ['--safes', one]], ['a token too many', ['--safes', one, ...token, ...token]],
    ['a token that is not there', ['--safes', one, '--safe-token', '/nowhere']], ['three safes', ['--safes', `${one},${one},${one}`, ...token, ...token, ...token]],
    ['two ways to trust', ['--safes', one, ...token, '--safe-cert', '/dev/null', '--safe-fingerprint', '00'.repeat(32)]],
    ['no fingerprint', ['--safes', one, ...token, '--safe-fingerprint', '00']], ['strange keys', ['--safes', one, ...token, '--safe-keys', 'any']],
    ['tokens without safes', token],
  ])('%s: usage', async (_, argv) => {
    const { code, errors } = await command(...argv);
    expect([code, errors[0].startsWith('BENCH_USAGE')]).toEqual([2, true]);
  });

  test('points whose objects a safe must sign again need its keys, others do not', async () => {
    const served = await connectSafes([{
      url: (await inside(() => ({})))[1], token: openHome(home).operatorToken, keys: 'own',
    }]);
    const missing = plan.filter((point) => missingAtSafes(point, served).includes('safe-keys'));
    expect(missing.length).toBeGreaterThan(20);
    expect(missing.every((point) => /"resign":true|"scenario":"6\/|"object":"registered-value","by":"other-safe"/.test(JSON.stringify(point)))).toBe(true);
    expect(missing.map(({ id }) => id)).toEqual(expect.arrayContaining(['3-recover-X-205', '3-recover-X-212']));
    const ownCard = plan.filter(({ fault }) => fault?.fault === 'alter' && fault.resign === true && fault.object === 'receipt');
    expect(ownCard.some((point) => missing.includes(point))).toBe(false);
    expect(plan.some((point) => missingAtSafes(point, {}).length > 0)).toBe(false);
  });
});
