import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { combine } from 'shamir-secret-sharing';
import { answers, commands, piece as pieceCodec, registrationRequest, safeEntry, samples, unwrapPartAtSafe } from './codec/index.js';
import type { CardCommand, SetOrder } from './codec/index.js';
import { Desk, cardId } from './firmware/desk.js';
import { HostLine, buildHost } from './firmware/host-line.js';
import { decode } from './nvm/index.js';
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

async function desk(): Promise<HostDesk> {
  const line = new HostLine(program, 256, 8192);
  lines.push(line);
  const made = new Desk(line) as HostDesk;
  await made.personalise({ emptyDigest: false, allowLegacy: true });
  return made;
}

const indexes = (count: number, wanted: number): number[] =>
  Array.from({ length: count }, (_, i) => i + 1).filter((index) => (wanted >> (index - 1)) & 1);

/** Registers the wanted pieces, one safe after the other; answers the certificates' handles and bytes. */
async function divided(d: HostDesk, variant: 1 | 2, value: number, order: SetOrder, count: number, wanted: number): Promise<{ handle: number; e6: Uint8Array; index: number }[]> {
  await d.send(commands.divide(variant, value, order, { count, wanted }));
  const done = [];
  for (const index of indexes(count, wanted)) {
    const safe = index % 2 ? d.safe : d.other;
    const e6 = safe.register(await d.send(commands.piece(value, index)));
    done.push({ handle: answers.registerEnd(await d.send(commands.setEnd(4, e6))), e6, index });
  }
  return done;
}

/** Gathers and combines; answers the value's handle. */
async function combined(d: HostDesk, set: readonly { handle: number; index: number }[]): Promise<number> {
  const objects = [];
  for (const { handle, index } of set) {
    const e6 = await d.send(commands.gather(4, handle));
    objects.push((index % 2 ? d.safe : d.other).retrieve(e6));
  }
  return answers.recoverEnd(await d.send(commands.combine(4, set[0].handle, objects)));
}

const problems = (d: HostDesk): unknown[] => [...decode(d.line.memory()).problems];

describe('pieces', () => {
  const ways = (['divide-first', 'encrypt-first'] as const).flatMap((order) => ([1, 2] as const).flatMap((variant) => [2, 3, 5].map((count) => [order, variant, count] as const)));

  it.each(ways)('%s, variant %i, %i pieces: all deposited, deleted, combined', async (order, variant, count) => {
    const d = await desk();
    const value = await d.load(samples[1]);
    const before = await d.read(value);
    const set = await divided(d, variant, value, order, count, (1 << count) - 1);
    expect(await d.listing()).toEqual([`${value} A DEPOSITED`, ...set.map(({ handle }) => `${handle} B STORED`)]);
    await d.send(commands.deleteItem(value));
    const back = await combined(d, set);
    expect(await d.read(back)).toEqual(before);
    expect((await d.listing()).slice().sort()).toEqual([`${back} A ACTIVE`, ...set.map(({ handle }) => `${handle} B SPENT`)].sort());
    expect(problems(d)).toEqual([]);
    for (const { handle, index } of set) {
      (index % 2 ? d.safe : d.other).receipt(await d.send(commands.getReceipt(handle)));
      await d.send(commands.deleteItem(handle));
    }
    expect(await d.listing()).toEqual([`${back} A ACTIVE`]);
  });

  it.each([['divide-first', 0b101], ['encrypt-first', 0b010], ['encrypt-first', 0b011], ['divide-first', 0b110]] as const)('%s, a part deposited (%i): the value is unusable until it is combined', async (order, wanted) => {
    const d = await desk();
    const value = await d.load(samples[1]);
    const before = await d.read(value);
    const set = await divided(d, 1, value, order, 3, wanted);
    expect(await d.status(commands.useQuantity(value, 1))).toBe('6985');
    expect(await d.status(commands.deleteItem(value))).toBe('6985');
    expect(await combined(d, set)).toBe(value);
    expect(await d.read(value)).toEqual(before);
    expect(problems(d)).toEqual([]);
  });

  it('are pending until the last certificate is there, and cancelled together', async () => {
    const d = await desk();
    const value = await d.load(samples[1]);
    const free = async (): Promise<readonly number[]> => {
      const { freeData, freeEntries } = answers.memory(await d.send(commands.getData('memory')));
      return [freeData, freeEntries];
    };
    const before = await free();
    const division = { count: 3, wanted: 7 };
    const first = await d.send(commands.divide(1, value, 'divide-first', division));
    expect(await d.send(commands.divide(1, value, 'divide-first', division))).toEqual(first);
    expect(await d.status(commands.divide(1, value, 'encrypt-first', division))).toBe('6985');
    expect(await d.status(commands.registerBegin(2, 1, value))).toBe('6985');
    const e6 = d.safe.register(await d.send(commands.piece(value, 2)));
    const handle = answers.registerEnd(await d.send(commands.setEnd(4, e6)));
    expect(answers.registerEnd(await d.send(commands.setEnd(4, e6)))).toBe(handle);
    expect(await d.listing()).toEqual([`${value} A PENDING`]);
    await d.send(commands.useQuantity(value, 1));
    expect(await d.listing()).toEqual([`${value} A ACTIVE`]);
    expect(await d.status(commands.setEnd(4, e6))).toBe('6985');
    expect(await free()).toEqual(before);
    expect(problems(d)).toEqual([]);
  });

  it('take nothing but what was certified, whole and in place', async () => {
    const d = await desk();
    const values = [await d.load(samples[1]), await d.load(samples[1])];
    const [one, two] = [await divided(d, 1, values[0], 'divide-first', 3, 7), await divided(d, 1, values[1], 'divide-first', 3, 7)];
    const objects: Uint8Array[][] = [];
    for (const set of [one, two]) {
      const list = [];
      for (const { handle, index } of set) list.push((index % 2 ? d.safe : d.other).retrieve(await d.send(commands.gather(4, handle))));
      objects.push(list);
    }
    const [a, b] = objects;
    const flipped = pieceCodec.encode({ ...pieceCodec.decode(a[1]), signature: pieceCodec.decode(a[1]).signature.map((byte) => byte ^ 1) });
    const tries: [Uint8Array[], string][] = [
      [[a[0], a[1]], '6A80'], [[a[1], a[0], a[2]], '6A80'], [[a[0], b[1], a[2]], '6A80'], [[a[0], a[1], a[2], a[2]], '6A80'], [[a[0], a[0], a[2]], '6A80'],
      [[a[0], flipped, a[2]], '6982'],
    ];
    for (const [list, sw] of tries) expect(await d.status(commands.combine(4, one[0].handle, list))).toBe(sw);
    const handle = answers.recoverEnd(await d.send(commands.combine(4, one[0].handle, a)));
    expect(answers.recoverEnd(await d.send(commands.combine(4, one[1].handle, a)))).toBe(handle);
    expect(await d.status(commands.gather(4, one[0].handle))).toBe('6985');
  });
});

/** Cuts a command at each of its memory operations; after each cut the retry must come to the same end. */
async function cutEverywhere(d: HostDesk, command: CardCommand, look: () => Promise<unknown>): Promise<number> {
  const start = d.line.memory();
  const answer = await d.send(command);
  const { ops } = d.line;
  const end = await look();
  for (let cut = 0; cut < ops; cut += 1) {
    await d.line.restore(start);
    await d.login();
    await d.line.cutAt(cut);
    await d.line.transmit(command).catch(() => undefined);
    expect(decode(d.line.memory()).problems).toEqual([]);
    await d.login();
    const again = await d.send(command);
    expect(again.length).toBe(answer.length);
    expect(await look(), `after a cut at ${cut}`).toEqual(end);
    expect(problems(d)).toEqual([]);
  }
  return ops;
}
const states = (d: HostDesk) => async (): Promise<unknown> => (await d.listing()).map((line) => line.replace(/^\d+ /, '')).sort();

describe('a cut at every memory operation', () => {
  it('of DIVIDE, of each SET END, and of COMBINE leaves a retry that completes', async () => {
    const d = await desk();
    const value = await d.load(samples[1]);
    await cutEverywhere(d, commands.divide(2, value, 'divide-first', { count: 2, wanted: 3 }), states(d));
    const ends = [];
    for (const index of [1, 2]) {
      const e6 = d.safe.register(await d.send(commands.piece(value, index)));
      await cutEverywhere(d, commands.setEnd(4, e6), states(d));
      ends.push(answers.registerEnd(await d.send(commands.setEnd(4, e6))));
    }
    await d.send(commands.deleteItem(value));
    const objects = [];
    for (const handle of ends) {
      await cutEverywhere(d, commands.gather(4, handle), states(d));
      objects.push(d.safe.retrieve(await d.send(commands.gather(4, handle))));
    }
    await cutEverywhere(d, commands.combine(4, ends[0], objects), states(d));
  });
});

describe('bundles', () => {
  it.each((['divide-first', 'encrypt-first'] as const).flatMap((order) => ([1, 2] as const).map((variant) => [order, variant] as const)))('%s, variant %i: three values under one certificate, each back once', async (order, variant) => {
    const d = await desk();
    const values = [await d.load(samples[0]), await d.load(samples[1]), await d.load(samples[2])];
    const before = [];
    for (const value of values) before.push(await d.read(value));
    const command = commands.couple(variant, values, order);
    const e4 = await d.send(command);
    expect(await d.send(command)).toEqual(e4);
    expect(registrationRequest.decode(e4).item.type).toBe('bundle');
    const e6 = d.safe.register(e4);
    const handle = answers.registerEnd(await d.send(commands.setEnd(5, e6)));
    expect(await d.listing()).toEqual([...values.map((value) => `${value} A DEPOSITED`), `${handle} B STORED`]);
    await d.send(commands.deleteItem(values[0]));
    await d.send(commands.deleteItem(values[2]));
    const object = d.safe.retrieve(await d.send(commands.gather(5, handle)));
    const back = answers.handles(await d.send(commands.decouple(handle, object)));
    expect(back[1]).toBe(values[1]);
    const after = [];
    for (const value of back) after.push(await d.read(value));
    expect(after).toEqual(before);
    expect(await d.status(commands.gather(5, handle))).toBe('6985');
    expect(answers.handles(await d.send(commands.decouple(handle, object)))).toEqual(back);
    await d.settle(handle);
    expect(problems(d)).toEqual([]);
  });

  it('ends for all values when one is used', async () => {
    const d = await desk();
    const values = [await d.load(samples[0]), await d.load(samples[1])];
    const e6 = d.safe.register(await d.send(commands.couple(1, values, 'divide-first')));
    await d.send(commands.useQuantity(values[1], 1));
    expect(await d.listing()).toEqual(values.map((value) => `${value} A ACTIVE`));
    expect(await d.status(commands.setEnd(5, e6))).toBe('6985');
    expect(problems(d)).toEqual([]);
  });

  it('leaves a retry that completes after a cut at every memory operation', async () => {
    const d = await desk();
    const values = [await d.load(samples[0]), await d.load(samples[1])];
    const command = commands.couple(2, values, 'encrypt-first');
    await cutEverywhere(d, command, states(d));
    const e6 = d.safe.register(await d.send(command));
    await cutEverywhere(d, commands.setEnd(5, e6), states(d));
    const handle = answers.registerEnd(await d.send(commands.setEnd(5, e6)));
    for (const value of values) await d.send(commands.deleteItem(value));
    await cutEverywhere(d, commands.gather(5, handle), states(d));
    const object = d.safe.retrieve(await d.send(commands.gather(5, handle)));
    await cutEverywhere(d, commands.decouple(handle, object), states(d));
  });
});

describe('key parts', () => {
  const ids = (d: HostDesk, count: number): Uint8Array[] =>
    Array.from({ length: count }, (_, i) => safeEntry.decode((i % 2 ? d.other : d.safe).identity()).safeId);
  const safeOf = (d: HostDesk, index: number) => (index % 2 ? d.safe : d.other);
  const schemes = [['xor', 2, 2], ['xor', 3, 3], ['shamir', 2, 2], ['shamir', 3, 4], ['shamir', 4, 5]] as const;

  it.each(schemes.flatMap(([scheme, threshold, count]) => (['decoding', 'common'] as const).map((kind) => [scheme, threshold, count, kind] as const)))('%s %i of %i, %s key: registered, deleted, put together', async (scheme, threshold, count, kind) => {
    const d = await desk();
    const set = answers.set(await d.send(commands.divideKey(kind, { scheme, threshold, count }, ids(d, count))));
    const handles: number[] = [];
    for (let index = 1; index <= count; index += 1) {
      expect(await d.status(commands.deleteKey(kind))).toBe(handles.length < threshold ? '6985' : '9000');
      const e4 = await d.send(commands.keyPart(set, index)).catch(() => undefined);
      if (e4 === undefined) break;
      handles.push(answers.registerEnd(await d.send(commands.setEnd(6, safeOf(d, index).register(e4)))));
    }
    const found = await d.status(commands.deleteKey(kind));
    expect(['9000', '6985']).toContain(found);
    expect(handles.length).toBe(threshold);
    const replies: Uint8Array[] = [];
    for (let i = 0; i < threshold; i += 1) replies.push(safeOf(d, i + 1).retrieve(await d.send(commands.gather(6, handles[i]))));
    expect(await d.status(commands.combine(6, handles[0], replies.slice(1)))).toBe('6985');
    expect(await d.status(commands.combine(6, handles[0], replies.slice().reverse()))).toBe('9000');
    expect(await d.status(commands.combine(6, handles[0], replies))).toBe('9000');
    expect(problems(d)).toEqual([]);
  });

  it.each(['decoding', 'common'] as const)('are the origin of a new %s key, which is made of them again', async (kind) => {
    const d = await desk();
    const command = commands.divideKey(kind, { scheme: 'origin', threshold: 2, count: 2 }, ids(d, 2));
    const page = kind === 'decoding' ? 11 : 12;
    const keyNow = (): Uint8Array => d.line.memory().slice(page * 64 + 8, page * 64 + 40);
    const old = keyNow();
    const set = answers.set(await d.send(command));
    const key = keyNow();
    expect(key).not.toEqual(old);
    expect(answers.set(await d.send(command))).toBe(set);
    expect(keyNow()).toEqual(key);
    const handles = [];
    for (const index of [1, 2]) handles.push(answers.registerEnd(await d.send(commands.setEnd(6, safeOf(d, index).register(await d.send(commands.keyPart(set, index)))))));
    await d.send(commands.deleteKey(kind));
    const replies = [];
    for (const [i, handle] of handles.entries()) replies.push(safeOf(d, i + 1).retrieve(await d.send(commands.gather(6, handle))));
    expect(await d.status(commands.combine(6, handles[0], replies.slice(1)))).toBe('6985');
    await d.send(commands.combine(6, handles[0], replies.reverse()));
    expect(keyNow()).toEqual(key);
    expect(problems(d)).toEqual([]);
  });

  it('are not made the origin of a key that something depends on', async () => {
    const d = await desk();
    await d.send(commands.registerBegin(2, 1, await d.load(samples[0])));
    expect(await d.status(commands.divideKey('decoding', { scheme: 'origin', threshold: 2, count: 2 }, ids(d, 2)))).toBe('6985');
  });

  it('do not go to one safe in such number that it has the key', async () => {
    const d = await desk();
    for (const [threshold, count] of [[2, 3], [3, 5]] as const)
      expect(await d.status(commands.divideKey('decoding', { scheme: 'shamir', threshold, count }, ids(d, count)))).toBe('6A80');
    const [same] = ids(d, 1);
    expect(await d.status(commands.divideKey('decoding', { scheme: 'xor', threshold: 2, count: 2 }, [same, same]))).toBe('6A80');
  });

  it.each([['shamir', 4, 5], ['shamir', 3, 4], ['shamir', 2, 2], ['xor', 4, 4]] as const)('%s %i of %i: what the safes open is the key by another implementation, and no part is the key', async (scheme, threshold, count) => {
    const d = await desk();
    const set = answers.set(await d.send(commands.divideKey('decoding', { scheme, threshold, count }, ids(d, count))));
    const key = d.line.memory().slice(11 * 64 + 8, 11 * 64 + 40);
    const parts: Uint8Array[] = [];
    for (let index = 1; index <= count; index += 1) {
      const { item, sequence } = registrationRequest.decode(await d.send(commands.keyPart(set, index)));
      if (item.type !== 'key-part') throw new Error('no key part');
      const random = seededRandom(index % 2 ? 1 : 2, 'safe');
      random(32);
      const about = { cardId, sequence, safeId: ids(d, count)[index - 1], digest: item.part.digest };
      parts.push(unwrapPartAtSafe(about, item.part.wrappedKey, random(32)));
    }
    for (const part of parts) expect(part).not.toEqual(key);
    const shares = parts.map((part, i) => Uint8Array.of(...part, i + 1));
    const together = scheme === 'xor'
      ? parts.reduce((sum, part) => sum.map((byte, i) => byte ^ part[i]))
      : await combine(shares.slice(count - threshold));
    expect(together).toEqual(key);
    if (scheme === 'shamir' && threshold > 2) expect(await combine(shares.slice(0, threshold - 1))).not.toEqual(key);
  });
});
