import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { combine } from 'shamir-secret-sharing';
import { answers, commands, keyIdOf, keyOfSeed, registrationRequest, safeEntry, samples, toHex, unwrapPartAtSafe } from './codec/index.js';
import type { KeyDivision } from './codec/index.js';
import { Desk, cardId } from './firmware/desk.js';
import { HostLine, buildHost } from './firmware/host-line.js';
import { decode, publicSideOf } from './nvm/index.js';
import { seededRandom } from './world/random.js';

type HostDesk = Desk & { readonly line: HostLine };
let program: string;
const lines: HostLine[] = [];

beforeAll(() => {
  program = buildHost();
}, 300_000);
afterAll(() => {
  for (const line of lines) line.close();
});

/** A card with a seed, unless told otherwise. */
async function desk(seed = true): Promise<HostDesk> {
  const line = new HostLine(program, 256, 8192);
  lines.push(line);
  const made = new Desk(line) as HostDesk;
  await made.personalise({ emptyDigest: false, allowLegacy: true });
  if (seed) await made.send(commands.generateSeed());
  return made;
}

const page = (d: HostDesk, number: number): Uint8Array => d.line.memory().slice(number * 64 + 8, number * 64 + 40);
const seedOf = (d: HostDesk): Uint8Array => page(d, 15);
const keyOf = (d: HostDesk): Uint8Array => page(d, 11);
const keys = (d: HostDesk) => decode(d.line.memory()).keys;
const problems = (d: HostDesk): unknown[] => [...decode(d.line.memory()).problems];

const safeOf = (d: HostDesk, index: number) => (index % 2 ? d.safe : d.other);
const ids = (d: HostDesk, count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => safeEntry.decode(safeOf(d, i + 1).identity()).safeId);
const xor = (count: number): KeyDivision => ({ scheme: 'xor', threshold: count, count });
const shamir: KeyDivision = { scheme: 'shamir', threshold: 3, count: 4 };
const divide = (d: HostDesk, division: KeyDivision, coupled = false) => commands.divideKey('seed', division, ids(d, division.count), 'SHA-256', coupled);

/** Gives a part out, has it registered and its certificate stored; answers the handle. */
const part = async (d: HostDesk, set: number, index: number): Promise<number> =>
  answers.registerEnd(await d.send(commands.setEnd(6, safeOf(d, index).register(await d.send(commands.keyPart(set, index))))));

async function divided(d: HostDesk, division: KeyDivision): Promise<readonly number[]> {
  const set = answers.set(await d.send(divide(d, division)));
  const handles = [];
  for (let index = 1; index <= division.count; index += 1) handles.push(await part(d, set, index));
  return handles;
}

const reply = async (d: HostDesk, handles: readonly number[], index: number): Promise<Uint8Array> =>
  safeOf(d, index).retrieve(await d.send(commands.gather(6, handles[index - 1])));

describe('a divided seed', () => {
  it.each([['XOR, two', xor(2)], ['XOR, four', xor(4)], ['Shamir, three of four', shamir], ['Shamir, two of two', { scheme: 'shamir', threshold: 2, count: 2 }]] as const)('%s: leaves with the last certificate, its key comes back', async (_, division) => {
    const d = await desk();
    const key = keyOf(d);
    const set = answers.set(await d.send(divide(d, division)));
    const handles = [];
    for (let index = 1; index <= division.count; index += 1) {
      expect(keys(d).seed).toBe(true);
      expect(await d.status(commands.deleteKey('decoding'))).toBe('6985');
      handles.push(await part(d, set, index));
    }
    expect(keys(d)).toMatchObject({ seed: false, decoding: true });
    expect(seedOf(d)).toEqual(new Uint8Array(32));
    expect(d.line.memory().slice(15 * 64, 15 * 64 + 3)).toEqual(Uint8Array.of(0, 1, 1));
    await d.send(commands.deleteKey('decoding'));
    const replies = [];
    for (let index = division.count; index > division.count - division.threshold; index -= 1) replies.push(await reply(d, handles, index));
    expect(await d.status(commands.combine(6, handles[0], replies.slice(1)))).toBe('6985');
    expect(keys(d).decoding).toBe(false);
    expect(await d.status(commands.combine(6, handles[0], replies))).toBe('9000');
    expect(keyOf(d)).toEqual(key);
    expect(keys(d).seed).toBe(false);
    expect(await d.status(commands.combine(6, handles[0], replies))).toBe('9000');
    expect(problems(d)).toEqual([]);
  });

  it.each([['XOR', xor(4)], ['Shamir', shamir]] as const)('%s: what the safes open gives seed and key by another implementation, and no part is either', async (_, division) => {
    const d = await desk();
    const [seed, key, keyId] = [seedOf(d), keyOf(d), publicSideOf(d.line.memory()).decodingKeyId];
    const set = answers.set(await d.send(divide(d, division)));
    const parts: Uint8Array[] = [];
    for (let index = 1; index <= division.count; index += 1) {
      const { item, sequence } = registrationRequest.decode(await d.send(commands.keyPart(set, index)));
      if (item.type !== 'key-part') throw new Error('no key part');
      const random = seededRandom(index % 2 ? 1 : 2, 'safe');
      random(32);
      const { digest, wrappedKey } = item.part;
      expect(digest).toMatchObject({ keyKind: 'seed' });
      expect(toHex(digest.keyId)).toBe(keyId);
      parts.push(unwrapPartAtSafe({ cardId, sequence, safeId: ids(d, division.count)[index - 1], digest }, wrappedKey, random(32)));
    }
    for (const one of parts) { expect(one).not.toEqual(seed); expect(one).not.toEqual(key); }
    const together = division.scheme === 'xor'
      ? parts.reduce((sum, one) => sum.map((byte, i) => byte ^ one[i])) : await combine(parts.map((one, i) => Uint8Array.of(...one, i + 1)).slice(1));
    expect(together).toEqual(seed);
    expect(keyOfSeed(together)).toEqual(key);
    expect(keyIdOf('seed', together)).toEqual(keyIdOf('decoding', key));
  });

  it('is refused where it cannot be one: no seed, no key of it, made of parts, coupled, kinds that are not divided', async () => {
    const bare = await desk(false);
    expect(await bare.status(divide(bare, xor(2)))).toBe('6985');
    const d = await desk();
    expect(await d.status(divide(d, { scheme: 'origin', threshold: 2, count: 2 }))).toBe('6985');
    expect(await d.status(divide(d, xor(2), true))).toBe('6985');
    for (const p2 of [0, 3, 4, 6, 7, 8, 0x25, 0xff]) expect(await d.status({ ...divide(d, xor(2)), p2 })).toBe('6A86');
    await d.registerKey('decoding');
    await d.send(commands.deleteKey('decoding'));
    expect(keys(d)).toMatchObject({ seed: true, decoding: false });
    expect(await d.status(divide(d, xor(2)))).toBe('6985');
    expect(problems(d)).toEqual([]);
  });

  it('the same division again is the same set, another drops what has not come, CANCEL all of it', async () => {
    const d = await desk();
    const set = answers.set(await d.send(divide(d, xor(2))));
    await part(d, set, 1);
    expect(answers.set(await d.send(divide(d, xor(2))))).toBe(set);
    const other = answers.set(await d.send(divide(d, shamir)));
    expect(other).not.toBe(set);
    expect(await d.status(commands.keyPart(set, 2))).toBe('6A82');
    await d.send(commands.cancelKey());
    expect(await d.status(commands.keyPart(other, 1))).toBe('6A82');
    expect(keys(d).seed).toBe(true);
    await divided(d, shamir);
    expect(keys(d).seed).toBe(false);
    expect(await d.status(divide(d, shamir))).toBe('6985');
    expect(problems(d)).toEqual([]);
  });

  it('takes a begun registration of the whole seed with it, and leaves no room behind', async () => {
    const d = await desk();
    const free = async (): Promise<number> => answers.memory(await d.send(commands.getData('memory'))).freeData;
    const before = await free();
    await d.send(commands.seedRegisterBegin(ids(d, 2)[1]));
    const handles = await divided(d, xor(2));
    expect(decode(d.line.memory()).keyRegistration).toBeUndefined();
    for (const handle of handles) await d.send(commands.deleteItem(handle));
    expect(await free()).toBe(before);
    expect(problems(d)).toEqual([]);
  });

  it('a value under its key comes back after seed and key were gone', async () => {
    const d = await desk();
    const value = await d.load(samples[1]);
    const certificate = await d.register(2, 1, value);
    const handles = await divided(d, xor(3));
    await d.send(commands.deleteKey('decoding'));
    await d.send(commands.combine(6, handles[0], [await reply(d, handles, 1), await reply(d, handles, 2), await reply(d, handles, 3)]));
    await d.recover(2, certificate);
    expect(await d.listing()).toContain(`${value} A ACTIVE`);
    expect(problems(d)).toEqual([]);
  });

  it('cut at every memory operation of the last SET END: certificate and seed change together', async () => {
    const d = await desk();
    const set = answers.set(await d.send(divide(d, xor(2))));
    await part(d, set, 1);
    const command = commands.setEnd(6, safeOf(d, 2).register(await d.send(commands.keyPart(set, 2))));
    const start = d.line.memory();
    await d.send(command);
    const operations = d.line.ops;
    expect(operations).toBeGreaterThan(2);
    for (let cut = 0; cut < operations; cut += 1) {
      await d.line.restore(start);
      await d.login();
      await d.line.cutAt(cut);
      await d.line.transmit(command).catch(() => undefined);
      await d.line.restore(d.line.memory());
      await d.login();
      const stored = (await d.listing()).filter((line) => line.endsWith('B STORED')).length;
      expect([cut, stored, keys(d).seed]).toEqual([cut, stored, stored === 1]);
      expect(await d.status(command)).toBe('9000');
      expect(keys(d)).toMatchObject({ seed: false, decoding: true });
      expect(problems(d)).toEqual([]);
    }
  });
});
