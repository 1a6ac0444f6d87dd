import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandTable, commands, concat, samples } from './codec/index.js';
import type { CardCommand } from './codec/index.js';
import { abstractKey, abstractState } from './nvm/index.js';
import { Desk } from './firmware/desk.js';
import { HostLine, buildHost } from './firmware/host-line.js';
import { seededRandom } from './world/random.js';

type HostDesk = Desk & { readonly line: HostLine };

/** The status words of docs/protocol.md 2.5 that a refusal may have. */
const refusals = new Set([
  '63C0', '63C1', '63C2', '6700', '6982', '6983', '6985', '6A80', '6A82', '6A84', '6A86', '6D00', '6E00',
]);

let d: HostDesk;

beforeAll(async () => {
  const line = new HostLine(buildHost());
  d = new Desk(line) as HostDesk;
  await d.personalise({ emptyDigest: false, allowLegacy: true });
}, 300_000);
afterAll(() => d.line.close());

/** Good commands of every kind on a card that holds an item of every state. */
async function goodOnes(): Promise<readonly CardCommand[]> {
  const values = [];
  for (let i = 0; i < 4; i += 1) values.push(await d.load(samples[i]));
  const e6 = await d.begin(2, 1, values[0]);
  const cert = await d.register(1, 0, values[1]);
  const sealed = await d.register(2, 2, values[3]);
  await d.send(commands.deleteItem(values[3]));
  const object = d.safe.retrieve(await d.send(commands.recoverBegin(2, 'value', sealed)));
  const key = await d.registerKey('decoding');
  await d.send(commands.putCondition(1, [{ about: 'size', least: 1, most: 4096 }]));
  const reply = d.safe.retrieve(await d.send(commands.readItem(key)));
  return [
    commands.registerEnd(2, 'value', e6), commands.registerBegin(2, 2, values[2]), commands.recoverEnd(2, sealed, object),
    commands.keyRecoverEnd(key, reply), commands.load(d.loadObject(samples[0])), commands.useQuantity(values[2], 1),
    commands.correct(values[2], d.loadObject(samples[3])), commands.deleteItem(values[1]), commands.cancel(values[0]),
    commands.getReceipt(cert), commands.readItem(cert), commands.list({ infoClass: 1, days: { today: '2000-04-01', last: '2000-06-01' } }, 0),
    commands.listCertificates(1, 'value'), commands.recoverBegin(1, 'value', cert), commands.getData('memory'),
    commands.putCondition(1, [{ about: 'class', classes: [1, 2] }, { about: 'valid', window: { unit: 'days', least: -3, most: 30 }, not: true }]), commands.getCondition(1),
    commands.extract(1, '2000-03-15'), commands.backupEnd(values[1]), commands.date('2000-03-15'), commands.registerBegin(11, 1, values[2]),
  ];
}

describe('hostile input', () => {
  it('is answered by a clean status word and changes nothing when refused', async () => {
    const good = await goodOnes();
    const random = seededRandom(7, 'hostile');
    const number = (limit: number): number => (random(2)[0] * 256 + random(1)[0]) % limit;
    const start = d.line.memory();
    const before = abstractKey(abstractState(start));
    const count = new Map<string, number>();
    for (let i = 0; i < 4000; i += 1) {
      const command = mutate(good[number(good.length)], number, random);
      const sw = await d.status(command);
      count.set(sw, (count.get(sw) ?? 0) + 1);
      if (sw === '9000') {
        await d.line.restore(start);
        await d.login();
      } else {
        expect(refusals, `${i}: ${sw}`).toContain(sw);
        if (i % 16 === 0) expect(abstractKey(abstractState(d.line.memory()))).toBe(before);
      }
      if (i % 97 === 0) await d.login();
    }
    expect([...count.keys()].length).toBeGreaterThan(4);
    expect(await d.status(good[0])).toBe('9000');
  });

  it('finds every instruction guarded by the PIN or by a signature', async () => {
    await d.line.reset();
    for (const [name, [cla, ins]] of Object.entries(commandTable)) {
      const free = ['SELECT', 'GET RESPONSE', 'VERIFY', 'GET DATA', 'LOAD', 'CORRECT', 'INITIALISE', 'PUT DATA', 'ISSUE'];
      const p = {
        'CHANGE REFERENCE DATA': [1, 1], 'KEY REGISTER BEGIN': [2, 1], 'KEY RECOVER END': [2, 0], 'DIVIDE': [4, 1], 'PIECE': [4, 1], 'SET END': [4, 0],
        'GATHER': [4, 0], 'COMBINE': [4, 0], 'COUPLE': [5, 1], 'DIVIDE KEY': [6, 1], 'COUPLE KEY': [6, 1],
        DATE: [11, 0], 'PUT CONDITION': [11, 1], 'GET CONDITION': [11, 1], EXTRACT: [11, 1], 'BACKUP END': [11, 0],
        'PATH REGISTER BEGIN': [8, 0], 'PATH RECOVER END': [8, 0], 'RENEW KEY': [12, 1],
      }[name];
      const phase = { 'REGISTER END': 1, 'LIST CERTIFICATES': 2, 'RECOVER BEGIN': 2 }[name];
      const embodied = ins <= 0x1a && cla === 0x80;
      const [p1, p2] = p ?? [name.includes('SEED') ? 7 : embodied || name.includes('KEY') ? 1 : 0, phase ?? 0];
      const sw = await d.status({ name: 'READ', cla, ins, p1, p2, data: new Uint8Array(0) });
      expect([name, free.includes(name) || sw === '6982']).toEqual([name, true]);
    }
    await d.login();
  });
});

/** Flips, cuts, lengthens, swaps lengths, changes parameters. */
function mutate(command: CardCommand, number: (limit: number) => number, random: (n: number) => Uint8Array): CardCommand {
  const data = command.data.slice();
  const at = number(data.length || 1);
  switch (number(6)) {
    case 0:
      if (data.length > 0) data[at] ^= 1 << number(8);
      return { ...command, data };
    case 1:
      return { ...command, data: data.slice(0, at) };
    case 2:
      return { ...command, data: concat(data, random(number(40))) };
    case 3:
      return { ...command, p1: number(4), p2: number(5) };
    case 4:
      return { ...command, data: concat(data.slice(0, at), random(number(6)), data.slice(at)).slice(0, 600) };
    default:
      if (data.length > 0) data[at] = [0, 0x7f, 0x80, 0x81, 0x82, 0xff][number(6)];
      return { ...command, data };
  }
}
