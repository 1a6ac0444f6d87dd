import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers, bundle as bundleCodec, commands, registrationRequest, safeEntry, samples } from './codec/index.js';
import type { CardCommand, KeyDivision } from './codec/index.js';
import { Desk } from './firmware/desk.js';
import { HostLine, buildHost } from './firmware/host-line.js';
import { decode } from './nvm/index.js';

type HostDesk = Desk & { readonly line: HostLine };
let program: string;
const lines: HostLine[] = [];

beforeAll(() => { program = buildHost(); }, 300_000);
afterAll(() => { for (const line of lines) line.close(); });

async function desk(): Promise<HostDesk> {
  const line = new HostLine(program, 256, 8192);
  lines.push(line);
  const made = new Desk(line) as HostDesk;
  await made.personalise();
  return made;
}

const idOf = (safe: Desk['safe']): Uint8Array => safeEntry.decode(safe.identity()).safeId;
/** Part A to the first safe, all others to the second. */
const apart = (d: HostDesk, count: number): Uint8Array[] => [idOf(d.safe), ...Array.from({ length: count - 1 }, () => idOf(d.other))];
const problems = (d: HostDesk): unknown[] => [...decode(d.line.memory()).problems];
const two = { scheme: 'xor', threshold: 2, count: 2 } as const;
const dividing = (d: HostDesk, division: KeyDivision = two, variant: 1 | 2 = 1): CardCommand =>
  commands.divideKey(variant === 1 ? 'decoding' : 'common', division, apart(d, division.count), 'SHA-256', true);

interface Begun {
  readonly set: number;
  /** Certificate of the coupled object, not yet handed over. */
  readonly coupled: Uint8Array;
}

async function begun(d: HostDesk, value: number, division: KeyDivision = two, variant: 1 | 2 = 1): Promise<Begun> {
  const set = answers.set(await d.send(dividing(d, division, variant)));
  return { set, coupled: d.safe.register(await d.send(commands.coupleKey(variant, value, set))) };
}

/** Registers the parts behind the first at the second safe: their certificates' handles. */
async function rest(d: HostDesk, set: number, count: number): Promise<number[]> {
  const handles = [];
  for (let index = 2; index <= count; index += 1)
    handles.push(answers.registerEnd(await d.send(commands.setEnd(6, d.other.register(await d.send(commands.keyPart(set, index)))))));
  return handles;
}

interface Registered {
  readonly handle: number;
  readonly parts: readonly number[];
}

async function registered(d: HostDesk, value: number, division: KeyDivision = two, variant: 1 | 2 = 1): Promise<Registered> {
  const { set, coupled } = await begun(d, value, division, variant);
  const parts = await rest(d, set, division.count);
  return { parts, handle: answers.registerEnd(await d.send(commands.coupledEnd(coupled))) };
}

/** What comes back from both safes: the coupled object and the replies. */
async function gathered(d: HostDesk, { handle, parts }: Registered): Promise<{ object: Uint8Array; replies: Uint8Array[] }> {
  const object = d.safe.retrieve(await d.send(commands.gatherCoupled(handle)));
  const replies = [];
  for (const part of parts) replies.push(d.other.retrieve(await d.send(commands.gather(6, part))));
  return { object, replies };
}

const divisions = [two, { scheme: 'xor', threshold: 5, count: 5 }, { scheme: 'shamir', threshold: 3, count: 3 }, { scheme: 'origin', threshold: 3, count: 3 }] as const;

describe('a ciphertext coupled with a part of its key', () => {
  it.each(divisions.flatMap((division) => ([1, 2] as const).map((variant) => [division.scheme, division.count, variant, division] as const)))('%s, %i parts, variant %i: deleted with its key, both back', async (_, count, variant, division) => {
    const d = await desk();
    const kind = variant === 1 ? 'decoding' : 'common';
    const value = await d.load(samples[1]);
    const before = await d.read(value);
    const done = await registered(d, value, division, variant);
    expect([...await d.listing()].sort()).toEqual([`${value} A DEPOSITED`, `${done.handle} B STORED`, ...done.parts.map((part) => `${part} B STORED`)].sort());
    await d.send(commands.deleteItem(value));
    await d.send(commands.deleteKey(kind));
    const { object, replies } = await gathered(d, done);
    expect(bundleCodec.decode(object).division).toEqual({ count: 1, wanted: 1 });
    expect(await d.status(commands.decoupleKey(done.handle, object))).toBe('6985');
    expect(await d.status(commands.combine(6, done.parts[0], replies))).toBe('6985');
    if (count > 2) expect(await d.status(commands.combine(6, done.parts[0], [object, ...replies.slice(1)]))).toBe('6985');
    await d.send(commands.combine(6, done.parts[0], [object, ...replies.slice().reverse()]));
    const back = answers.recoverEnd(await d.send(commands.decoupleKey(done.handle, object)));
    expect(await d.read(back)).toEqual(before);
    expect(answers.recoverEnd(await d.send(commands.decoupleKey(done.handle, object)))).toBe(back);
    expect(await d.status(commands.gatherCoupled(done.handle))).toBe('6985');
    await d.settle(done.handle);
    expect(problems(d)).toEqual([]);
  });

  it('is not given up before the other parts lie at their safe', async () => {
    const d = await desk();
    const value = await d.load();
    const { set, coupled } = await begun(d, value, { scheme: 'xor', threshold: 3, count: 3 });
    expect(await d.status(commands.coupledEnd(coupled))).toBe('6985');
    const second = d.other.register(await d.send(commands.keyPart(set, 2)));
    await d.send(commands.setEnd(6, second));
    expect(await d.status(commands.coupledEnd(coupled))).toBe('6985');
    expect(await d.status(commands.deleteKey('decoding'))).toBe('6985');
    await d.send(commands.setEnd(6, d.other.register(await d.send(commands.keyPart(set, 3)))));
    expect(await d.status(commands.deleteKey('decoding'))).toBe('6985');
    expect(await d.status(commands.coupledEnd(coupled))).toBe('9000');
    expect(await d.status(commands.coupledEnd(coupled))).toBe('9000');
    expect(await d.status(commands.setEnd(6, coupled))).toBe('6985');
    expect(await d.status(commands.coupledEnd(second))).toBe('6985');
    expect(await d.status(commands.deleteKey('decoding'))).toBe('9000');
  });

  it('is refused for sets and values it cannot be made of', async () => {
    const d = await desk();
    const [value, other] = [await d.load(samples[0]), await d.load(samples[1])];
    expect(await d.status(commands.coupleKey(1, value, 77))).toBe('6A82');
    const plain = answers.set(await d.send(commands.divideKey('decoding', two, apart(d, 2))));
    expect(await d.status(commands.coupleKey(1, value, plain))).toBe('6985');
    const set = answers.set(await d.send(dividing(d)));
    expect(set).not.toBe(plain);
    expect(answers.set(await d.send(dividing(d)))).toBe(set);
    expect(await d.status(commands.coupleKey(2, value, set))).toBe('6985');
    expect(await d.status(commands.coupleKey(1, 999, set))).toBe('6A82');
    expect(await d.status(commands.keyPart(set, 1))).toBe('6985');
    const e4 = await d.send(commands.coupleKey(1, value, set));
    expect(await d.send(commands.coupleKey(1, value, set))).toEqual(e4);
    expect(registrationRequest.decode(e4).sequence).toBe(set);
    expect(await d.status(commands.coupleKey(1, other, set))).toBe('6985');
    for (const command of [commands.registerBegin(2, 1, value), commands.divide(1, value, 'divide-first', { count: 2, wanted: 3 }), commands.couple(1, [value, other], 'divide-first'), commands.deleteItem(value)])
      expect([command.name, await d.status(command)]).toEqual([command.name, '6985']);
    const [first, second] = [idOf(d.safe), idOf(d.other)];
    expect(await d.status(commands.divideKey('decoding', { scheme: 'xor', threshold: 3, count: 3 }, [first, second, first], 'SHA-256', true))).toBe('6A80');
  });

  it('ends when the value is used, when it is cancelled, and when the set is dropped', async () => {
    const d = await desk();
    const value = await d.load(samples[1]);
    for (const end of [commands.useQuantity(value, 1), commands.cancel(value), commands.cancelKey()]) {
      const { set, coupled } = await begun(d, value);
      await rest(d, set, 2);
      await d.send(end);
      await d.send(commands.changePin('4711'));
      expect((await d.listing()).filter((line) => line.includes(' A '))).toEqual([`${value} A ACTIVE`]);
      expect(await d.status(commands.coupledEnd(coupled))).toBe('6985');
      expect(problems(d)).toEqual([]);
    }
  });

  it('takes another value under the same key with parts of its own, and each comes back', async () => {
    const d = await desk();
    const values = [await d.load(samples[0]), await d.load(samples[1])];
    const done = [await registered(d, values[0]), await registered(d, values[1])];
    await d.send(commands.deleteKey('decoding'));
    for (const [at, one] of done.entries()) {
      const { object, replies } = await gathered(d, one);
      const foreign = await gathered(d, done[1 - at]).catch(() => undefined);
      if (foreign) expect(await d.status(commands.combine(6, one.parts[0], [foreign.object, ...replies]))).toBe('6982');
      expect(await d.status(commands.combine(6, one.parts[0], [object, ...replies]))).toBe('9000');
      expect(answers.recoverEnd(await d.send(commands.decoupleKey(one.handle, object)))).toBe(values[at]);
    }
    expect(problems(d)).toEqual([]);
  });

  it('comes back without the other parts while its key is on the card, and keeps a key of embodiment 3 from its safe', async () => {
    const d = await desk();
    const value = await d.load();
    const { handle, parts } = await registered(d, value);
    expect(await d.status(commands.keyRegisterBegin('decoding', idOf(d.safe), 'SHA-256', 3))).toBe('6985');
    expect(await d.status(commands.gather(6, handle))).toBe('6A80');
    expect(await d.status(commands.gatherCoupled(parts[0]))).toBe('6A80');
    for (const part of parts) await d.send(commands.deleteItem(part));
    expect(await d.status(commands.deleteKey('decoding'))).toBe('6985');
    expect(await d.status(commands.deleteItem(handle))).toBe('6985');
    const object = d.safe.retrieve(await d.send(commands.gatherCoupled(handle)));
    expect(answers.recoverEnd(await d.send(commands.decoupleKey(handle, object)))).toBe(value);
  });

  it('is all or nothing at a cut of every memory operation', async () => {
    const d = await desk();
    const value = await d.load();
    const cutEverywhere = async (command: CardCommand): Promise<void> => {
      const look = async (): Promise<unknown> => (await d.listing()).map((line) => line.replace(/^\d+ /, '')).sort();
      const start = d.line.memory();
      await d.send(command);
      const { ops } = d.line;
      const end = await look();
      expect(ops).toBeGreaterThan(0);
      for (let cut = 0; cut < ops; cut += 1) {
        await d.line.restore(start);
        await d.login();
        await d.line.cutAt(cut);
        await d.line.transmit(command).catch(() => undefined);
        expect(problems(d)).toEqual([]);
        await d.login();
        await d.send(command);
        expect(await look(), `${command.name} after a cut at ${cut}`).toEqual(end);
        expect(problems(d)).toEqual([]);
      }
    };
    await cutEverywhere(dividing(d));
    const set = answers.set(await d.send(dividing(d)));
    await cutEverywhere(commands.coupleKey(1, value, set));
    const coupled = d.safe.register(await d.send(commands.coupleKey(1, value, set)));
    const parts = await rest(d, set, 2);
    await cutEverywhere(commands.coupledEnd(coupled));
    const handle = answers.registerEnd(await d.send(commands.coupledEnd(coupled)));
    await d.send(commands.deleteItem(value));
    await d.send(commands.deleteKey('decoding'));
    await cutEverywhere(commands.gatherCoupled(handle));
    const { object, replies } = await gathered(d, { handle, parts });
    await cutEverywhere(commands.combine(6, parts[0], [object, ...replies]));
    await cutEverywhere(commands.decoupleKey(handle, object));
  });
});
