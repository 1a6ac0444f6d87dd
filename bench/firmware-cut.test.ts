import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { emulatedCard } from '../devices/index.js';
import type { EmulatedCard } from '../devices/index.js';
import { commands, samples } from './codec/index.js';
import type { CardCommand } from './codec/index.js';
import { decode } from './nvm/index.js';
import { Desk } from './firmware/desk.js';
import { EmulatedLine } from './terminal/emulated-line.js';

const image = readFileSync(new URL('../devices/firmware/images/card-small.elf', import.meta.url));
/** Cuts of one command, spread evenly over its cycles. */
const cuts = 60;

/** A command to be cut, and the status words that its repeat may give. */
interface Case {
  readonly name: string;
  readonly prepare: (d: Desk) => Promise<CardCommand>;
  readonly repeat: readonly string[];
}

const value = (d: Desk): Promise<number> => d.load(samples[1]);
const cases: readonly Case[] = [
  {
    name: 'REGISTER END', repeat: ['9000'],
    prepare: async (d) => commands.registerEnd(1, 'value', await d.begin(1, 0, await value(d))),
  },
  { name: 'REGISTER BEGIN', repeat: ['9000'], prepare: async (d) => commands.registerBegin(2, 2, await value(d)) },
  {
    name: 'DELETE', repeat: ['9000', '6A82'],
    prepare: async (d) => {
      const handle = await value(d);
      await d.register(1, 0, handle);
      return commands.deleteItem(handle);
    },
  },
  {
    name: 'RECOVER END', repeat: ['9000'],
    prepare: async (d) => {
      const handle = await value(d);
      const cert = await d.register(2, 2, handle);
      await d.send(commands.deleteItem(handle));
      const e6 = await d.send(commands.recoverBegin(2, 'value', cert));
      return commands.recoverEnd(2, cert, d.safe.retrieve(e6));
    },
  },
  {
    name: 'USE on PENDING', repeat: ['9000'],
    prepare: async (d) => {
      const handle = await value(d);
      await d.begin(1, 0, handle);
      return commands.useQuantity(handle, 1);
    },
  },
];

/** Cuts the command at a cycle and powers on again. Throws when the cut did not come. */
async function cutAt(card: EmulatedCard, line: EmulatedLine, d: Desk, command: CardCommand, cycle: number): Promise<void> {
  card.cutAt(cycle);
  await expect(line.transmit(command), `cut at ${cycle}`).rejects.toThrow();
  await line.bringUp();
  await d.login();
}

describe.each(cases)('power cuts in $name on the emulated chip', ({ prepare, repeat }) => {
  it('leave the old state or the new one, weak cells or not, and the command can be repeated', async () => {
    const card = emulatedCard({ profile: 'c2000', image, protocol: 'T=1' });
    const line = new EmulatedLine(card);
    await line.bringUp();
    const d = new Desk(line);
    await d.personalise();
    const command = await prepare(d);
    const before = (await d.listing()).join();
    const start = card.snapshot();
    const from = line.now();
    await d.send(command);
    const length = line.now() - from;
    const after = (await d.listing()).join();
    for (let i = 0; i < cuts; i += 1) {
      card.restore(start);
      await cutAt(card, line, d, command, Math.floor(from + (length * (i + 0.5)) / cuts));
      expect([before, after]).toContain((await d.listing()).join());
      expect(repeat).toContain(await d.status(command));
      expect((await d.listing()).join()).toBe(after);
      expect(card.violations).toEqual([]);
      const { bytes } = await card.powerOff();
      expect(decode(bytes).problems).toEqual([]);
      await line.bringUp();
    }
  });
});
