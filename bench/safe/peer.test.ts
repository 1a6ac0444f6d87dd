import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { safeCommand } from '../cli/safe.js';
import { keyReply, ownedRegistration, peerRequest, registeredValue, registrationRequest, returnedSet, signerOf, textBytes, toHex, unwrapKeyOnCard } from '../codec/index.js';
import type { SafeError } from './errors.js';
import { openHome, ownTls } from './home.js';
import { httpClient } from './http-client.js';
import { newestFrom } from './peer.js';
import { askOver } from './peer-link.js';
import type { SafeKeys } from './safe.js';
import { buildSafeCommand, startServed } from './testing/built.js';
import type { ServedProcess } from './testing/built.js';
import { issuer, testCard } from './testing/card.js';
import { asks, owned, right, testPair, wrong } from './testing/pair.js';
import type { Pair } from './testing/pair.js';

const keysOf = (seed: number): SafeKeys =>
  ({ signer: signerOf(new Uint8Array(32).fill(seed)), agreement: new Uint8Array(32).fill(seed + 1), store: new Uint8Array(32).fill(seed + 2) });
const card = testCard(1);
const code = (run: () => unknown): Promise<string> => Promise.resolve().then(run).then(() => 'done', (error: unknown) => (error as SafeError).code ?? String(error));
const reason = (run: () => Promise<unknown>): Promise<string> => run().then(() => 'done', (error: unknown) => (error as SafeError).message);

interface Scene {
  readonly pair: Pair;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A value at safe 164 and its key with the owner at 165. */
function scene(): Scene {
  const pair = testPair(keysOf(10), keysOf(20));
  return { pair, value: pair.safe.register(card.registered(1, 1)), key: pair.keySafe.registerOwned(owned(card, 2, pair.keySafe)) };
}
const stored = ({ pair }: Scene): string[] => [...pair.stores.keySafe.range('')].map(([name]) => name.split('/')[0]);

describe('the owner at the key safe', () => {
  test('gets key and value together; the ciphertext is fetched and not kept', async () => {
    const at = scene();
    const before = stored(at);
    const set = returnedSet.decode(await at.pair.keySafe.retrieveSet(asks(at.key, at.value)));
    const { digest, wrappedKey } = set.key;
    expect(toHex(unwrapKeyOnCard({ cardId: card.cardId, sequence: 2, safeId: textBytes('SAFE-165'), digest }, wrappedKey, card.transport))).toBe(toHex(card.decoding));
    const sent = registrationRequest.decode(card.registered(1, 1)).item;
    expect(sent.type === 'registered' && toHex(registeredValue.encode(sent.registered))).toBe(toHex(registeredValue.encode(set.value)));
    expect(stored(at).filter((name) => name !== 'peer')).toEqual(before);
    expect([...at.pair.stores.keySafe.range('')].some(([, bytes]) => Buffer.from(bytes).includes(Buffer.from(set.value.encrypted)))).toBe(false);
  });

  test('repeated it is the same, byte for byte', async () => {
    const { pair, key, value } = scene();
    const first = await pair.keySafe.retrieveSet(asks(key, value));
    expect(toHex(await pair.keySafe.retrieveSet(asks(key, value)))).toBe(toHex(first));
  });

  test('somebody else gets nothing, and the other safe is not asked', async () => {
    const { pair, key, value } = scene();
    expect(await code(() => pair.keySafe.retrieveSet(asks(key, value, wrong)))).toBe('SAFE_OWNER_WRONG');
    expect(newestFrom(pair.stores.safe, textBytes('SAFE-165'))).toBe(0);
    expect(await code(() => pair.keySafe.retrieveSet(asks(key, value)))).toBe('done');
  });

  test('five wrong attempts lock the key, also for the certificate alone', async () => {
    const { pair, key, value } = scene();
    for (let time = 0; time < 5; time += 1) expect(await code(() => pair.keySafe.retrieveSet(asks(key, value, wrong)))).toBe('SAFE_OWNER_WRONG');
    expect(await code(() => pair.keySafe.retrieveSet(asks(key, value)))).toBe('SAFE_OWNER_LOCKED');
    expect(await code(() => pair.keySafe.retrieve(key))).toBe('SAFE_OWNER_NEEDED');
  });

  test('certificates that do not belong together are no attempt', async () => {
    const { pair, key, value } = scene();
    const stranger = testCard(2);
    const other = pair.safe.register(stranger.registered(1, 1));
    expect(await code(() => pair.keySafe.retrieveSet(asks(key, other)))).toBe('SAFE_BAD_OBJECT');
    expect(await code(() => pair.keySafe.retrieveSet(asks(key, key)))).toBe('SAFE_BAD_OBJECT');
    expect(await code(() => pair.keySafe.retrieveSet(asks(value, value)))).toBe('SAFE_BAD_OBJECT');
    const altered = value.slice();
    altered[altered.length - 70] ^= 1;
    expect(await code(() => pair.keySafe.retrieveSet(asks(key, altered)))).not.toBe('done');
    expect(await code(() => pair.keySafe.retrieveSet(asks(key, value)))).toBe('done');
  });

  test('a registration again: the same certificate for the same owner, a wrong attempt for another', async () => {
    const { pair, key } = scene();
    expect(toHex(pair.keySafe.registerOwned(owned(card, 2, pair.keySafe)))).toBe(toHex(key));
    expect(await code(() => pair.keySafe.registerOwned(owned(card, 2, pair.keySafe, wrong)))).toBe('SAFE_OWNER_WRONG');
  });

  test('nobody becomes the owner of a key that was registered without one', async () => {
    const pair = testPair(keysOf(10), keysOf(20));
    const key = pair.keySafe.register(card.key(2, 'decoding', pair.keySafe));
    const value = pair.safe.register(card.registered(1, 1));
    expect(await code(() => pair.keySafe.registerOwned(owned(card, 2, pair.keySafe)))).toBe('SAFE_CONFLICT');
    expect(await code(() => pair.keySafe.retrieveSet(asks(key, value)))).toBe('SAFE_UNKNOWN');
  });

  test('only keys have owners here, and nothing is stored of what is refused', async () => {
    const pair = testPair(keysOf(10), keysOf(20));
    const body = ownedRegistration.encode({ method: 1, information: textBytes(right), request: registrationRequest.decode(card.registered(1, 1)) });
    expect(await code(() => pair.keySafe.registerOwned(body))).toBe('SAFE_BAD_OBJECT');
    expect([...pair.stores.keySafe.range('')]).toEqual([]);
  });

  test('with the receipt of the key its owner is forgotten', () => {
    const { pair, key } = scene();
    pair.keySafe.receipt(card.receiptFor(key));
    expect([...pair.stores.keySafe.range('owner/')]).toEqual([]);
  });
});

describe('between the safes', () => {
  const trouble: readonly (readonly [string, Pair['around'], RegExp])[] = [
    ['replayed', async (message, pass) => { await pass(message); return pass(message); }, /SAFE_REPLAY/],
    ['altered on the way', (message, pass) => pass(message.map((byte, at) => (at === 60 ? byte ^ 1 : byte))), /SAFE_BAD_SIGNATURE|SAFE_BAD_OBJECT/],
    ['with a reply altered on the way back', async (message, pass) => (await pass(message)).map((byte, at) => (at === 60 ? byte ^ 1 : byte)), /SAFE_BAD_SIGNATURE/],
    ['under another number', (message, pass) => pass(peerRequest.encode({ ...peerRequest.decode(message), number: 7 })), /SAFE_BAD_SIGNATURE/],
    ['to another safe', (message, pass) => pass(peerRequest.encode({ ...peerRequest.decode(message), to: textBytes('SAFE-166') })), /SAFE_UNPAIRED/],
    ['from another safe', (message, pass) => pass(peerRequest.encode({ ...peerRequest.decode(message), from: textBytes('SAFE-166') })), /SAFE_UNPAIRED/],
    ['without an answer', () => Promise.resolve(new Uint8Array(0)), /TLV/],
  ];

  test.each(trouble)('a message %s gives nothing out', async (_, around, why) => {
    const { pair, key, value } = scene();
    pair.around = around;
    const attempt = () => pair.keySafe.retrieveSet(asks(key, value));
    expect(await code(attempt)).toBe('SAFE_PEER');
    expect(await reason(attempt)).toMatch(why);
    pair.around = undefined;
    expect(await code(attempt)).toBe('done');
  });

  test('the reply to an earlier message is not taken', async () => {
    const { pair, key, value } = scene();
    const replies: Uint8Array[] = [];
    pair.around = async (message, pass) => { replies.push(await pass(message)); return replies[0]; };
    expect(await code(() => pair.keySafe.retrieveSet(asks(key, value)))).toBe('done');
    expect(await reason(() => pair.keySafe.retrieveSet(asks(key, value)))).toMatch(/SAFE_BAD_SIGNATURE/);
  });

  test('messages may overtake each other within the window, each is taken once, old ones never', async () => {
    const { pair, key, value } = scene();
    const held: Uint8Array[] = [];
    pair.around = (message) => { held.push(message); return Promise.reject(new Error('held')); };
    for (let time = 0; time < 70; time += 1) await code(() => pair.keySafe.retrieveSet(asks(key, value)));
    const taken = (at: number): Promise<string> => code(() => pair.safe.answerPeer(held[at]));
    expect(await Promise.all([taken(5), taken(3), taken(5), taken(3), taken(4)])).toEqual(['done', 'done', 'SAFE_REPLAY', 'SAFE_REPLAY', 'done']);
    expect(await Promise.all([taken(69), taken(6), taken(5), taken(4)])).toEqual(['done', 'done', 'SAFE_REPLAY', 'SAFE_REPLAY']);
    expect(await Promise.all([taken(0), taken(69)])).toEqual(['SAFE_REPLAY', 'SAFE_REPLAY']);
  });

  test('another pair with the same ids cannot ask', async () => {
    const { pair, value } = scene();
    const impostor = testPair(keysOf(10), keysOf(30));
    impostor.around = (message) => Promise.resolve().then(() => pair.safe.answerPeer(message));
    const key = impostor.keySafe.registerOwned(owned(card, 2, impostor.keySafe));
    expect(await reason(() => impostor.keySafe.retrieveSet(asks(key, value)))).toMatch(/SAFE_BAD_SIGNATURE/);
  });

  test('what crosses holds neither ciphertext nor certificates in clear', async () => {
    const { pair, key, value } = scene();
    const crossed: Uint8Array[] = [];
    pair.around = async (message, pass) => { const reply = await pass(message); crossed.push(message, reply); return reply; };
    const set = returnedSet.decode(await pair.keySafe.retrieveSet(asks(key, value)));
    const seen = Buffer.concat(crossed);
    for (const secret of [set.value.encrypted, card.cardId, keyReply.encode(set.key).slice(20, 60), textBytes(right)]) expect(seen.includes(Buffer.from(secret))).toBe(false);
  });
});

describe('two safes in processes of their own, over TLS that both sides prove', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'cardbench-peers-'));
  const folders = [join(scratch, '164'), join(scratch, '165')];
  const running: ServedProcess[] = [];
  const told: { entry: string; fingerprint: string }[] = [];
  beforeAll(async () => {
    const built = buildSafeCommand(join(scratch, 'built'));
    for (const folder of folders) {
      const out: string[] = [];
      const io = { out: (line: string) => void out.push(line), err: () => undefined, now: () => 0 };
      expect(await safeCommand(['init', '--store', folder], io)).toBe(0);
      expect(await safeCommand(['entry', '--store', folder], io)).toBe(0);
      told.push({ entry: out[0].split(' ')[1], fingerprint: out[1].split(' ')[1] });
    }
    const pairing = (at: number): string[] => ['--peer-entry', told[at].entry, '--peer-fingerprint', told[at].fingerprint];
    const start = (at: number, ...more: string[]) => startServed(built, ['--store', folders[at], '--tls', '--issuer', toHex(issuer.publicKey), ...pairing(1 - at), ...more]);
    running.push(await start(0));
    running.push(await start(1, '--peer', running[0].url));
  }, 120_000);
  afterAll(() => {
    for (const { child } of running) child.kill('SIGKILL');
    rmSync(scratch, { recursive: true, force: true });
  });

  const clientAt = async (at: number) => {
    const client = httpClient({ url: running[at].url, ca: (await ownTls(folders[at], '127.0.0.1')).cert });
    const identity = await client.identity();
    return { client, identity: { identity: () => identity } };
  };

  test('the owner gets both; somebody else does not, nor does the certificate alone', async () => {
    const [one, two] = [await clientAt(0), await clientAt(1)];
    const value = await one.client.register(card.registered(1, 1));
    const key = await two.client.registerOwned(owned(card, 2, two.identity));
    const set = returnedSet.decode(await two.client.retrieveSet(asks(key, value)));
    expect(set.value.variant).toBe(1);
    expect(await code(() => two.client.retrieveSet(asks(key, value, wrong)))).toBe('SAFE_OWNER_WRONG');
    expect(await code(() => two.client.retrieve(key))).toBe('SAFE_OWNER_NEEDED');
  }, 60_000);

  test('who does not show the pinned certificate is not let in, whatever it sends', async () => {
    const message = new Uint8Array(60);
    const [one] = [await clientAt(0)];
    expect(await code(() => one.client.answerPeer(message))).toBe('SAFE_UNPAIRED');
    const stranger = await ownTls(join(scratch, 'stranger'), '127.0.0.1');
    expect(await code(() => askOver(stranger)(running[0].url, told[0].fingerprint)(message))).toBe('SAFE_UNPAIRED');
    const paired = await ownTls(folders[1], '127.0.0.1');
    expect(await code(() => askOver(paired)(running[0].url, told[0].fingerprint)(message))).toBe('SAFE_BAD_OBJECT');
    expect(await code(() => askOver(paired)(running[0].url, told[1].fingerprint)(message))).toBe('SAFE_UNREACHABLE');
  });

  test('with safe 164 gone the owner is told, and nothing comes', async () => {
    const [one, two] = [await clientAt(0), await clientAt(1)];
    const other = testCard(3);
    const value = await one.client.register(other.registered(1, 1));
    const key = await two.client.registerOwned(owned(other, 2, two.identity));
    running[0].child.kill('SIGKILL');
    await running[0].ended;
    expect(await reason(() => two.client.retrieveSet(asks(key, value)))).toMatch(/^the other safe: SAFE_UNREACHABLE/);
    expect(openHome(folders[1]).id).toHaveLength(8);
  }, 60_000);

  test('settings that do not fit are told', async () => {
    const said: string[] = [];
    const io = { out: () => undefined, err: (line: string) => void said.push(line), now: () => 0 };
    const serve = (...more: string[]) => safeCommand(['serve', '--store', join(scratch, 'none'), '--port', '0', ...more], io);
    expect(await serve('--peer-entry', told[0].entry, '--peer-fingerprint', told[0].fingerprint)).toBe(2);
    expect(await serve('--tls', '--peer', 'https://127.0.0.1:1')).toBe(2);
    expect(await serve('--tls', '--peer-entry', 'ED00', '--peer-fingerprint', told[0].fingerprint)).toBe(2);
    expect(await serve('--tls', '--peer-entry', told[0].entry, '--peer-fingerprint', 'AB')).toBe(2);
    expect(await serve('--tls', '--peer-entry', told[0].entry, '--peer-fingerprint', told[0].fingerprint, '--peer', 'http://127.0.0.1:1')).toBe(2);
    expect(said.join('\n')).toMatch(/SAFE_SETUP/);
  });
});
