import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers, commands, samples } from './codec/index.js';
import type { CardCommand, ValueInformation } from './codec/index.js';
import { decode } from './nvm/index.js';
import { Desk, Refused } from './firmware/desk.js';
import { HostLine, PowerCut, buildHost } from './firmware/host-line.js';

type HostDesk = Desk & { readonly line: HostLine };

/** A command to be cut: what it needs, the command, and what a repeat may answer once the change is made. */
interface Case {
  readonly name: string;
  readonly prepare: (d: HostDesk) => Promise<CardCommand>;
  /** Status words a repeat may give when the first one had already taken effect; default: 9000 only. */
  readonly done?: readonly string[];
}

const begun = async (
  d: HostDesk, embodiment: 1 | 2, variant: 0 | 1 | 2, sample: ValueInformation = samples[1],
): Promise<[number, Uint8Array]> => {
  const value = await d.load(sample);
  return [value, await d.begin(embodiment, variant, value)];
};
const stored = async (
  d: HostDesk, embodiment: 1 | 2, variant: 0 | 1 | 2, sample?: ValueInformation,
): Promise<[number, number]> => {
  const [value, e6] = await begun(d, embodiment, variant, sample);
  return [value, await d.end(embodiment, 'value', e6)];
};
const recovering = async (d: HostDesk, embodiment: 1 | 2, variant: 0 | 1 | 2, keep = false): Promise<[number, CardCommand]> => {
  const [value, cert] = await stored(d, embodiment, variant);
  if (!keep) await d.send(commands.deleteItem(value));
  const e6 = await d.send(commands.recoverBegin(embodiment, 'value', cert));
  return [cert, commands.recoverEnd(embodiment, cert, d.safe.retrieve(e6))];
};
const safeId = Uint8Array.of(0x5a, 0, 0, 0, 0, 0, 0, 1);

const cases: readonly Case[] = [
  { name: 'LOAD', prepare: (d) => Promise.resolve(commands.load(d.loadObject(samples[1]))) },
  { name: 'CORRECT', prepare: async (d) => commands.correct(await d.load(), d.loadObject(samples[1])) },
  { name: 'USE', prepare: async (d) => commands.useQuantity(await d.load(samples[1]), 1), done: ['9000'] },
  { name: 'USE on PENDING', prepare: async (d) => commands.useQuantity((await begun(d, 2, 1))[0], 1), done: ['9000'] },
  { name: 'REGISTER BEGIN, plain', prepare: async (d) => commands.registerBegin(1, 0, await d.load()) },
  { name: 'REGISTER BEGIN, public-key', prepare: async (d) => commands.registerBegin(2, 1, await d.load()) },
  { name: 'REGISTER BEGIN, anew', prepare: async (d) => commands.registerBegin(2, 2, (await begun(d, 1, 0))[0]) },
  { name: 'REGISTER END', prepare: async (d) => commands.registerEnd(1, 'value', (await begun(d, 1, 0))[1]) },
  { name: 'DELETE of a value', prepare: async (d) => commands.deleteItem((await stored(d, 1, 0))[0]), done: ['6A82'] },
  {
    name: 'RECOVER BEGIN',
    prepare: async (d) => {
      const [value, cert] = await stored(d, 2, 2);
      await d.send(commands.deleteItem(value));
      return commands.recoverBegin(2, 'value', cert);
    },
  },
  { name: 'RECOVER END, plain', prepare: async (d) => (await recovering(d, 1, 0))[1] },
  { name: 'RECOVER END, common-key', prepare: async (d) => (await recovering(d, 2, 2))[1] },
  { name: 'RECOVER END, value still there', prepare: async (d) => (await recovering(d, 1, 0, true))[1] },
  { name: 'CANCEL of a registration', prepare: async (d) => commands.cancel((await begun(d, 1, 0))[0]), done: ['6985'] },
  { name: 'CANCEL of a recovery', prepare: async (d) => commands.cancel((await recovering(d, 1, 0))[0]), done: ['6985'] },
  {
    name: 'DELETE of a certificate',
    prepare: async (d) => {
      const [cert, end] = await recovering(d, 1, 0);
      await d.send(end);
      return commands.deleteItem(cert);
    },
    done: ['6A82'],
  },
  { name: 'KEY REGISTER BEGIN', prepare: () => Promise.resolve(commands.keyRegisterBegin('decoding', safeId)) },
  {
    name: 'REGISTER END of a key',
    prepare: async (d) =>
      commands.registerEnd(2, 'key', d.safe.register(await d.send(commands.keyRegisterBegin('common', safeId)))),
  },
  {
    name: 'DELETE KEY',
    prepare: async (d) => {
      await d.registerKey('common');
      return commands.deleteKey('common');
    },
    done: ['6985'],
  },
  {
    name: 'KEY RECOVER END',
    prepare: async (d) => {
      const key = await d.registerKey('common');
      await d.send(commands.deleteKey('common'));
      return commands.keyRecoverEnd(key, d.safe.retrieve(await d.send(commands.recoverBegin(2, 'key', key))));
    },
  },
  { name: 'CHANGE REFERENCE DATA', prepare: () => Promise.resolve(commands.changePin('4711')) },
];

let program: string;
const lines: HostLine[] = [];

beforeAll(() => {
  program = buildHost();
}, 300_000);
afterAll(() => {
  for (const line of lines) line.close();
});

async function desk(pages = 256): Promise<HostDesk> {
  const line = new HostLine(program, pages);
  lines.push(line);
  const made = new Desk(line) as HostDesk;
  await made.personalise();
  return made;
}

/** What a terminal sees and what the memory owns: states, keys, reservations; not the numbers that only rise. */
async function seen(d: HostDesk): Promise<string> {
  const contents = decode(d.line.memory());
  expect(contents.problems).toEqual([]);
  const items = (await d.listing()).map((line) => line.replace(/^\d+ /, ''));
  return JSON.stringify([items, contents.keys, contents.keyRegistration !== undefined]);
}

/** After a writing command nothing is left over: no DELETING, no alternative region, no orphan. */
async function settled(d: HostDesk): Promise<readonly string[]> {
  await d.send(commands.changePin('4711'));
  const { entries, problems } = decode(d.line.memory());
  expect(problems).toEqual([]);
  return entries.map((e) => `${e.class} ${e.state} ${e.region.pages} ${e.alternative ? 'alt' : ''}`).sort();
}

describe.each(cases)('$name', ({ prepare, done = [] }) => {
  it('is all or nothing wherever the power goes, and can be repeated', async () => {
    const d = await desk();
    const command = await prepare(d);
    const start = d.line.memory();
    const before = await seen(d);
    await d.send(command);
    const ops = d.line.ops;
    expect(ops).toBeGreaterThan(0);
    const after = await seen(d);
    const clean = await settled(d);
    for (const fill of ['A5', '00', 'FF']) {
      await d.line.say(`fill ${fill}`);
      for (let cut = 0; cut < ops; cut += 1) {
        await d.line.restore(start);
        await d.login();
        await d.line.cutAt(cut);
        await expect(d.line.transmit(command)).rejects.toThrow(PowerCut);
        await d.login();
        const now = await seen(d);
        expect([before, after]).toContain(now);
        const sw = await d.status(command);
        expect(now === before ? ['9000'] : ['9000', ...done]).toContain(sw);
        if (!(now === after && done.includes('9000'))) {
          expect(await seen(d)).toBe(after);
          expect(await settled(d)).toEqual(clean);
        }
      }
    }
  });
});

describe('a card that is full', () => {
  it('refuses at every step with nothing changed, says what was needed, and goes on once there is room', async () => {
    const d = await desk(192);
    const large = { ...samples[1], name: 'n'.repeat(40), place: 'p'.repeat(40), remarks: 'r'.repeat(60) };
    const [value, cert] = await stored(d, 2, 1, large);
    await d.send(commands.deleteItem(value));
    const [kept] = await stored(d, 1, 0, large);
    const loaded: number[] = [];
    for (let sw = ''; sw === '';) {
      sw = await d.load(large).then((handle) => {
        loaded.push(handle);
        return '';
      }, (error: unknown) => (error as Refused).sw);
      if (sw !== '') expect(sw).toBe('6A84');
    }
    const before = d.line.memory();
    const { largestRun, freeEntries } = answers.memory(await d.send(commands.getData('memory')));
    const refused = [
      commands.recoverBegin(2, 'value', cert), commands.registerBegin(1, 0, loaded[0]),
      commands.useQuantity(loaded[1], 1), commands.keyRegisterBegin('common', safeId),
      commands.correct(loaded[0], d.loadObject(large)),
    ];
    for (const command of refused) {
      expect(await d.status(command)).toBe('6A84');
      expect(d.line.memory()).toEqual(before);
      const shortage = answers.shortage(await d.send(commands.getData('shortage')));
      expect(shortage).toMatchObject({ ins: command.ins, freeEntries });
      expect(shortage?.needed).toBeGreaterThan(largestRun);
    }
    await d.send(commands.deleteItem(kept));
    await d.recover(2, cert);
  });
});

describe('worn pages', () => {
  it('answers 6581, loses nothing and takes another place the next time', async () => {
    const d = await desk();
    const kept = await d.load(samples[0]);
    const { entries } = decode(d.line.memory());
    const next = entries[0].region.firstPage + entries[0].region.pages;
    await d.line.say(`wear ${next}`);
    const object = d.loadObject(samples[1]);
    expect(await d.status(commands.load(object))).toBe('6581');
    expect(await d.listing()).toEqual([`${kept} A ACTIVE`]);
    const value = answers.load(await d.send(commands.load(object)));
    expect(await d.listing()).toEqual([`${kept} A ACTIVE`, `${value} A ACTIVE`]);
    await d.register(1, 0, value);
  });
});
