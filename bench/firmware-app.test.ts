import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  answers, certificate, commands, fromHex, keyReply, registeredValue, registrationRequest, safeEntry, samples, signed,
  toHex,
} from './codec/index.js';
import type { Certificate, ValueInformation } from './codec/index.js';
import { decode } from './nvm/index.js';
import { Desk, cardId, forged, pin } from './firmware/desk.js';
import { HostLine, buildHost } from './firmware/host-line.js';

let program: string;
const lines: HostLine[] = [];

beforeAll(() => {
  program = buildHost();
}, 300_000);
afterAll(() => {
  for (const line of lines) line.close();
});

/** A card on this machine, personalised and logged in. */
async function desk(settings = { emptyDigest: false, allowLegacy: true }): Promise<Desk & { readonly line: HostLine }> {
  const line = new HostLine(program);
  lines.push(line);
  const made = new Desk(line, settings.emptyDigest);
  await made.personalise(settings);
  return made as Desk & { readonly line: HostLine };
}

const steps = (embodiment: number, phase: number, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${embodiment}:${phase}-${from + i}:0`);

describe('embodiment 1', () => {
  it('registers, deletes, recovers and settles a value, with its steps marked', async () => {
    const d = await desk();
    const value = await d.load(samples[1]);
    const before = await d.read(value);
    await d.send(commands.listValues(1));
    expect(d.line.steps).toEqual(steps(1, 1, 1, 4));
    const e6 = await d.begin(1, 0, value);
    expect(d.line.steps).toEqual(steps(1, 1, 5, 8));
    const cert = await d.end(1, 'value', e6);
    expect(d.line.steps).toEqual(steps(1, 1, 12, 15));
    expect(await d.listing()).toEqual([`${value} A DEPOSITED`, `${cert} B STORED`]);
    await d.send(commands.deleteItem(value));
    await d.send(commands.listCertificates(1, 'value'));
    expect(d.line.steps).toEqual(steps(1, 2, 1, 4));
    expect(await d.listing()).toEqual([`${cert} B STORED`]);
    await d.send(commands.recoverBegin(1, 'value', cert));
    expect(d.line.steps).toEqual(steps(1, 2, 5, 8));
    const back = await d.recover(1, cert);
    expect(d.line.steps).toEqual(steps(1, 2, 11, 14));
    expect(await d.listing()).toEqual([`${back} A ACTIVE`, `${cert} B SPENT`]);
    expect(await d.read(back)).toEqual(before);
    await d.settle(cert);
    expect(await d.listing()).toEqual([`${back} A ACTIVE`]);
    expect(decode(d.line.memory()).problems).toEqual([]);
  });

  it.each(['SHA-1', 'MD5'] as const)('takes %s where the settings allow it', async (algorithm) => {
    const d = await desk();
    const cert = await d.register(1, 0, await d.load(), algorithm);
    expect(((await d.read(cert)) as Certificate).algorithm).toBe(algorithm);
    const strict = await desk({ emptyDigest: false, allowLegacy: false });
    expect(await strict.status(commands.registerBegin(1, 0, await strict.load(), algorithm))).toBe('6A80');
  });
});

describe('embodiment 2', () => {
  it.each([1, 2] as const)('registers, deletes and recovers in variant %i, with the key backed up', async (variant) => {
    const d = await desk();
    const value = await d.load(samples[0]);
    const before = await d.read(value);
    const e6 = await d.begin(2, variant, value);
    expect(d.line.steps).toEqual(steps(2, 1, 5, 9));
    const cert = await d.end(2, 'value', e6);
    expect(d.line.steps).toEqual(steps(2, 1, 13, 16));
    await d.send(commands.deleteItem(value));
    const kind = variant === 1 ? 'decoding' : 'common';
    const key = await d.registerKey(kind);
    expect(d.line.steps).toEqual(steps(2, 3, 8, 11));
    await d.send(commands.deleteKey(kind));
    await d.send(commands.recoverBegin(2, 'value', cert));
    const object = d.safe.retrieve(e6);
    expect(await d.status(commands.recoverEnd(2, cert, object))).toBe('6985');
    await d.recoverKey(key);
    expect(d.line.steps).toEqual(steps(2, 4, 11, 14));
    const back = await d.recover(2, cert);
    expect(d.line.steps).toEqual(steps(2, 2, 11, 15));
    expect(await d.read(back)).toEqual(before);
    await d.settle(cert);
    expect(decode(d.line.memory()).problems).toEqual([]);
  });

  it('makes empty digests when told so, in both embodiments', async () => {
    const d = await desk({ emptyDigest: true, allowLegacy: false });
    const plain = await d.register(1, 0, await d.load(samples[0]));
    const sealed = await d.register(2, 1, await d.load(samples[1]));
    for (const cert of [plain, sealed]) expect(((await d.read(cert)) as Certificate).digest.type).toBe('empty');
    await d.recover(1, plain);
    await d.recover(2, sealed);
  });

  it('signs 203 and never uses a sequence twice', async () => {
    const d = await desk();
    const value = await d.load();
    const first = await d.send(commands.registerBegin(2, 1, value));
    expect(await d.send(commands.registerBegin(2, 1, value))).toEqual(first);
    const { item, sequence } = registrationRequest.decode(first);
    if (item.type !== 'registered') throw new Error('not registered');
    const { verificationKey } = answers.credential(await d.send(commands.getData('credential')));
    expect(signed.registeredValue.verify(item.registered, { cardId, sequence }, verificationKey)).toBe(true);
    await d.send(commands.cancel(value));
    const again = registrationRequest.decode(await d.send(commands.registerBegin(2, 1, value)));
    expect(again.sequence).toBe(sequence + 1);
    const other = registrationRequest.decode(await d.send(commands.registerBegin(2, 2, value)));
    expect(other.sequence).toBe(sequence + 2);
  });
});

describe('registration certificate', () => {
  it('is refused in the order of rule 2 and leaves the registration pending', async () => {
    const d = await desk();
    const value = await d.load();
    const e6 = await d.begin(2, 1, value);
    const other = registeredValue.tag;
    expect(other).toBe(0xe3);
    const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((b, i) => (i === at ? b ^ 1 : b));
    const { hash, signature, sequence, digest } = certificate.decode(e6);
    const wrong: [Uint8Array, string][] = [
      [e6.slice(0, -1), '6A80'], [forged(e6, { cardId: fromHex('C1 00 00 00 00 00 00 02') }), '6A80'],
      [forged(e6, { sequence: sequence + 1 }), '6985'], [forged(e6, { kind: 'plain' }), '6A80'],
      [forged(e6, { safeId: fromHex('5A 00 00 00 00 00 00 09') }), '6A82'],
      [forged(e6, { digest: { ...digest, name: 'x' } as Certificate['digest'] }), '6A80'],
      [forged(e6, { hash: flip(hash, 31) }), '6A80'], [forged(e6, { hash: flip(hash, 0) }), '6A80'],
      [forged(e6, { counter: 77 }), '6982'], [forged(e6, { signature: flip(signature, 5) }), '6982'],
    ];
    for (const [bytes, sw] of wrong) {
      expect(await d.status(commands.registerEnd(2, 'value', bytes))).toBe(sw);
      expect(d.line.steps.at(-1)).toMatch(/^2:1-1[345]:1$/);
      expect(await d.listing()).toEqual([`${value} A PENDING`]);
    }
    expect(await d.status(commands.registerEnd(1, 'value', e6))).toBe('6A80');
    const cert = await d.end(2, 'value', e6);
    expect(await d.end(2, 'value', e6)).toBe(cert);
  });

  it('is not taken for a cancelled registration', async () => {
    const d = await desk();
    const value = await d.load();
    const e6 = await d.begin(1, 0, value);
    await d.send(commands.useQuantity(value, 1));
    expect(await d.listing()).toEqual([`${value} A ACTIVE`]);
    expect(await d.status(commands.registerEnd(1, 'value', e6))).toBe('6985');
    await d.send(commands.deleteItem(value));
    expect(decode(d.line.memory()).entries).toEqual([]);
  });
});

describe('recovery', () => {
  it('takes only the object that was certified', async () => {
    const d = await desk();
    const [one, two] = [await d.load(samples[0]), await d.load(samples[1])];
    const [first, second] = [await d.register(2, 2, one), await d.register(2, 2, two)];
    const e6 = [await d.send(commands.recoverBegin(2, 'value', first)), await d.send(commands.readItem(second))];
    const [mine, other] = e6.map((bytes) => d.safe.retrieve(bytes));
    expect(await d.status(commands.recoverEnd(2, first, other))).toBe('6982');
    const tampered = registeredValue.decode(mine);
    const bad = registeredValue.encode({ ...tampered, signature: tampered.signature.map((b) => b ^ 1) });
    expect(await d.status(commands.recoverEnd(2, first, bad))).toBe('6982');
    expect(d.line.steps.at(-1)).toBe('2:2-12:1');
    expect(await d.status(commands.recoverEnd(2, second, other))).toBe('6985');
    expect(await d.status(commands.recoverEnd(1, first, mine))).toBe('6A80');
    const back = answers.recoverEnd(await d.send(commands.recoverEnd(2, first, mine)));
    expect(back).toBe(one);
    expect(answers.recoverEnd(await d.send(commands.recoverEnd(2, first, mine)))).toBe(back);
    expect(await d.status(commands.recoverBegin(2, 'value', first))).toBe('6985');
  });

  it('cancels: the certificate is STORED again and the room is free', async () => {
    const d = await desk();
    const value = await d.load();
    const cert = await d.register(1, 0, value);
    await d.send(commands.deleteItem(value));
    const free = answers.memory(await d.send(commands.getData('memory')));
    await d.send(commands.recoverBegin(1, 'value', cert));
    await d.send(commands.cancel(cert));
    expect(answers.memory(await d.send(commands.getData('memory')))).toEqual(free);
    expect(await d.status(commands.cancel(cert))).toBe('6985');
    await d.recover(1, cert);
  });
});

describe('keys', () => {
  it('keeps a key that something depends on', async () => {
    const d = await desk();
    expect(await d.status(commands.deleteKey('decoding'))).toBe('6985');
    await d.send(commands.generateKey('decoding'));
    const value = await d.load();
    await d.send(commands.registerBegin(2, 1, value));
    expect(await d.status(commands.generateKey('decoding'))).toBe('6985');
    await d.send(commands.generateKey('common'));
    await d.send(commands.cancel(value));
    await d.send(commands.generateKey('decoding'));
    expect(await d.status(commands.generateKey('signing'))).toBe('6985');
  });

  it('takes a key only from the safe that holds it', async () => {
    const d = await desk();
    const key = await d.registerKey('decoding');
    const e8 = d.safe.retrieve(await d.send(commands.readItem(key)));
    const reply = keyReply.decode(e8);
    const bad = keyReply.encode({ ...reply, wrappedKey: reply.wrappedKey.map((b, i) => (i === 40 ? b ^ 1 : b)) });
    expect(await d.status(commands.keyRecoverEnd(key, bad))).toBe('6982');
    await d.send(commands.keyRecoverEnd(key, e8));
    await d.send(commands.deleteKey('decoding'));
    expect(await d.status(commands.deleteItem(key))).toBe('6985');
    await d.recoverKey(key);
    await d.recoverKey(key);
    await d.send(commands.deleteItem(key));
    const { safeId } = safeEntry.decode(d.safe.identity());
    const first = await d.send(commands.keyRegisterBegin('common', safeId));
    expect(await d.send(commands.keyRegisterBegin('common', safeId))).toEqual(first);
    await d.send(commands.cancelKey());
    expect(await d.status(commands.cancelKey())).toBe('6985');
    expect(await d.status(commands.keyRegisterBegin('common', cardId))).toBe('6A82');
  });
});

describe('wallet', () => {
  it('loads each object once, in order, and corrects', async () => {
    const d = await desk();
    const first = d.loadObject(samples[0]);
    const handle = answers.load(await d.send(commands.load(first)));
    expect(answers.load(await d.send(commands.load(first)))).toBe(handle);
    const second = d.loadObject({ ...samples[0], remarks: 'corrected '.repeat(6) });
    expect(answers.correct(await d.send(commands.correct(handle, second)))).toBe(handle);
    expect(answers.correct(await d.send(commands.correct(handle, second)))).toBe(handle);
    expect(await d.status(commands.load(first))).toBe('6985');
    expect(((await d.read(handle)) as ValueInformation).remarks).toBe('corrected '.repeat(6));
    const bad = d.loadObject(samples[1]).map((b, i, all) => (i === all.length - 1 ? b ^ 1 : b));
    expect(await d.status(commands.load(bad))).toBe('6982');
    expect(decode(d.line.memory()).problems).toEqual([]);
  });

  it('uses up and deletes', async () => {
    const d = await desk();
    const tickets = await d.load(samples[1]);
    const money = await d.load(samples[2]);
    expect(await d.status(commands.useQuantity(tickets, 3))).toBe('6A80');
    expect(answers.use(await d.send(commands.useQuantity(tickets, 1)))).toEqual({ quantity: 1, remaining: 0 });
    expect(((await d.read(tickets)) as ValueInformation).totalAmount).toBe(4500);
    expect(answers.use(await d.send(commands.useAmount(money, 800)))).toEqual({ quantity: 1, remaining: 0 });
    expect(await d.status(commands.deleteItem(tickets))).toBe('6985');
    await d.send(commands.deleteItem(money));
    const cert = await d.register(1, 0, tickets);
    expect(await d.status(commands.useQuantity(tickets, 1))).toBe('6985');
    await d.recover(1, cert);
    await d.send(commands.useQuantity(tickets, 1));
  });

  it('lists by class, by last day and in pages', async () => {
    const d = await desk();
    const handles = [];
    for (let i = 0; i < 12; i += 1) handles.push(await d.load(samples[i % 4]));
    expect((await d.listing()).map((line) => parseInt(line, 10))).toEqual(handles);
    const byClass = answers.list(await d.send(commands.list({ infoClass: 3 })));
    expect(byClass.entries.map((e) => e.handle)).toEqual([handles[2], handles[6], handles[10]]);
    const week = { today: '2000-04-24', last: '2000-05-01' };
    const ending = answers.list(await d.send(commands.list({ entries: 'values', days: week })));
    expect(ending.entries.map((e) => e.handle)).toEqual([handles[1], handles[5], handles[9]]);
    expect(answers.list(await d.send(commands.list({ entries: 'certificates' }))).entries).toEqual([]);
  });
});

describe('PIN', () => {
  it('counts down before it compares and blocks for good', async () => {
    const d = await desk();
    await d.send(commands.changePin('12345678'));
    await d.send(commands.select());
    expect(await d.status(commands.listValues(1))).toBe('6982');
    expect(d.line.steps).toEqual(['1:1-1:1']);
    for (const sw of ['63C2', '63C1']) expect(await d.status(commands.verify(pin))).toBe(sw);
    await d.line.cutAt(1);
    await d.send(commands.verify('12345678')).catch(() => undefined);
    expect(decode(d.line.memory()).state?.pinTries).toBe(0);
    expect(await d.status(commands.verify('12345678'))).toBe('6983');
    expect(await d.status(commands.triesLeft())).toBe('6983');
  });
});

describe('dispatcher', () => {
  it('refuses what it does not know', async () => {
    const d = await desk();
    const raw = async (hex: string): Promise<string> => d.status({ ...commands.select(), ...header(hex) });
    expect(await raw('80 00 00 00')).toBe('6D00');
    expect(await raw('90 10 01 00')).toBe('6E00');
    expect(await raw('80 10 0D 00')).toBe('6A86');
    expect(await raw('80 16 01 04')).toBe('6A86');
    expect(await raw('80 12 01 01')).toBe('6A86');
    expect(await raw('80 CA DF 77')).toBe('6A82');
    expect(await raw('80 DA DF 10 0102030405060708')).toBe('6985');
    expect(await raw('80 46 00 00')).toBe('6985');
    expect(await raw('80 28 00 00 8B020999')).toBe('6A82');
    expect(toHex(await d.send(commands.getData('currentSettings')))).toBe('02');
  });
});

function header(hex: string): { cla: number; ins: number; p1: number; p2: number; data: Uint8Array } {
  const [cla, ins, p1, p2, ...data] = fromHex(hex);
  return { cla, ins, p1, p2, data: Uint8Array.from(data) };
}
