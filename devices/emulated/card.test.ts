import { existsSync, readFileSync } from 'node:fs';
import { SerialPortStream } from '@serialport/stream';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadImage } from '../../emulator/index.js';
import type { Image } from '../../emulator/index.js';
import type { LinkFault } from '../channel/fault.js';
import type { Protocol } from '../channel/types.js';
import { isDeviceError } from '../errors.js';
import { AID, pattern } from '../iso7816/testing/fake-app.js';
import { StreamPort } from '../serial/stream-port.js';
import { EmulatedBinding } from './binding.js';
import { emulatedCard, emulatedPort } from './card.js';
import type { EmulatedCard, EmulatedCardOptions } from './card.js';

const IMAGE = new URL('../firmware/images/card.elf', import.meta.url);
const present = existsSync(IMAGE);
const select = { cla: 0, ins: 0xa4, p1: 4, p2: 0, data: AID, le: 256 };
const memory = { cla: 0x80, ins: 0xca, p1: 0xdf, p2: 0x02, le: 256 };
const longLoad = { cla: 0x80, ins: 0x2e, p1: 0, p2: 0, data: pattern(250), le: 256 };
const initialise = { cla: 0x80, ins: 0x46, p1: 0, p2: 0 };

async function caught(work: Promise<unknown>): Promise<{ code: string; cycle?: number }> {
  try {
    await work;
    return { code: 'no error' };
  } catch (error) {
    if (!isDeviceError(error)) throw error;
    return error;
  }
}

describe.skipIf(!present)('emulated card (needs devices/firmware/images/card.elf: npm run firmware)', () => {
  let image: Image;
  beforeAll(() => {
    image = loadImage(readFileSync(IMAGE));
  });
  const make = (options: Partial<EmulatedCardOptions> = {}): EmulatedCard => emulatedCard({ profile: 'c2010', image, seed: 7, ...options });
  const opened = async (protocol: Protocol, options: Partial<EmulatedCardOptions> = {}): Promise<EmulatedCard> => {
    const card = make({ protocol, ...options });
    await card.open();
    return card;
  };

  test('same seed and commands: the same cycles and bytes; another instance restores the snapshot', async () => {
    const one = await opened('T=1');
    const snapshot = structuredClone(one.snapshot());
    const expected = await one.transmit(memory);
    const two = await opened('T=1');
    expect(await two.transmit(memory)).toEqual(expected);
    const three = make({ protocol: 'T=1' });
    three.restore(snapshot);
    expect(await three.transmit(memory)).toEqual(expected);
    one.restore(snapshot);
    expect(await one.transmit(memory)).toEqual(expected);
  });

  test.each(['T=0', 'T=1'] as const)('%s: power goes at exactly the cycle asked for, in the middle of an exchange', async (protocol) => {
    const card = await opened(protocol);
    const snapshot = card.snapshot();
    const { startedAt, endedAt } = await card.transmit(memory);
    const [from, to] = [startedAt.cycles ?? 0, endedAt.cycles ?? 0];
    for (const part of [0.01, 0.3, 0.6, 0.99]) {
      card.restore(snapshot);
      const cycle = Math.floor(from + part * (to - from));
      card.cutAt(cycle);
      expect(await caught(card.transmit(memory))).toMatchObject({ code: 'CARD_POWER_CUT', cycle });
      expect(card.session).toBeUndefined();
      expect(card.chip.powered).toBe(false);
      expect(await caught(card.transmit(memory))).toMatchObject({ code: 'CHANNEL_CLOSED' });
      await card.open();
      expect(await card.transmit(memory)).toMatchObject({ sw: 0x9000 });
    }
  });

  test('a cut while the EEPROM is written leaves the memory of that cycle, which powers the next session', async () => {
    const card = await opened('T=1');
    await card.runTo(3_000_000);
    const blank = card.chip.eeprom.bytes.slice();
    const snapshot = card.snapshot();
    expect((await card.transmit(initialise)).sw).toBe(0x9000);
    const first = card.chip.eeprom.writes.find((write) => write.start > 3_000_000);
    if (!first) throw new Error('INITIALISE has written nothing');
    card.restore(snapshot);
    card.cutAt(first.start + 1000);
    expect(await caught(card.transmit(initialise))).toMatchObject({ code: 'CARD_POWER_CUT', cycle: first.start + 1000 });
    const torn = await card.powerOff();
    expect(torn.bytes).toEqual(blank);
    expect(torn.sessions).toBe(1);
    await card.open();
    expect((await card.transmit(initialise)).sw).toBe(0x9000);
    const nvm = await card.powerOff();
    expect(nvm.bytes).not.toEqual(blank);
    const other = await opened('T=0', { nvm });
    expect(other.chip.eeprom.bytes).toEqual(nvm.bytes);
  });

  test('a cut between exchanges, one taken back, one in the past', async () => {
    const card = await opened('T=1');
    const { cycles = 0 } = card.now();
    card.cutAt(cycles + 5000);
    card.cutAt(undefined);
    await card.runTo(cycles + 10_000);
    expect(() => card.cutAt(cycles)).toThrow(expect.objectContaining({ code: 'DEVICE_UNSUPPORTED' }) as Error);
    card.cutAt(cycles + 20_000);
    expect(await caught(card.runTo(cycles + 30_000))).toMatchObject({ code: 'CARD_POWER_CUT', cycle: cycles + 20_000 });
  });

  test('a cut during the ATR of this session, and one set while the card is off for the next', async () => {
    const card = make({ protocol: 'T=1' });
    card.cutAt(300_000);
    expect(await caught(card.open())).toMatchObject({ code: 'CARD_POWER_CUT', cycle: 300_000 });
    card.cutAt(200_000);
    expect(await caught(card.open())).toMatchObject({ code: 'CARD_POWER_CUT', cycle: 200_000 });
    await card.open();
    card.cutAt(900_000_000);
    await card.reset('cold');
    expect(card.snapshot().port.cut).toBeUndefined();
    expect(await card.transmit(memory)).toMatchObject({ sw: 0x9000 });
  });

  test('the contact clock changes within a session: the etu follows, a snapshot keeps it, a cold reset takes it back', async () => {
    const card = await opened('T=1');
    const edges = async (): Promise<number> => {
      const at: number[] = [];
      const release = card.observe({ character: (event) => { if (event.direction === 'from-card') at.push(event.at); } });
      await card.transmit(memory);
      release();
      return Math.min(...at.slice(1).map((edge, i) => edge - at[i]));
    };
    const before = await edges();
    card.port.setClock(5_000_000, true);
    expect((await edges()) / before).toBeCloseTo(3_571_200 / 5_000_000, 2);
    const snapshot = structuredClone(card.snapshot());
    const reply = await card.transmit(memory);
    card.restore(snapshot);
    expect([card.port.cardHz, await card.transmit(memory)]).toEqual([5_000_000, reply]);
    card.port.setClock(8_000_000, false);
    expect((await caught(card.transmit(memory))).code).toMatch(/^CARD_/);
    await card.reset('cold');
    expect([card.port.cardHz, await edges()]).toEqual([3_571_200, before]);
  });

  test('no snapshot within an exchange', async () => {
    const card = await opened('T=1');
    let refused: unknown;
    card.observe({ block: () => {
      try {
        card.snapshot();
      } catch (error) {
        refused = error;
      }
    } });
    await card.transmit(memory);
    expect(isDeviceError(refused, 'CHANNEL_BUSY')).toBe(true);
  });

  test('no violations, no lost characters, usage and marks are at hand', async () => {
    const card = await opened('T=0');
    await card.transmit(select);
    await card.transmit({ cla: 0x80, ins: 0x10, p1: 1, p2: 0, le: 256 });
    expect(card.violations).toEqual([]);
    expect(card.port.lost).toEqual([]);
    expect(card.usage().stackLow).toBeGreaterThan(0x20000000);
    expect(card.marks()).toHaveLength(card.steps.length);
    await card.transmit(memory);
    expect(card.marks()).toEqual([]);
  });

  test('an unpowered port says so; an image without code is a fault of the card', async () => {
    expect(() => emulatedPort({ profile: 'c2010', image }).receive(100)).toThrow(expect.objectContaining({ code: 'CARD_LINK' }) as Error);
    const dead = emulatedCard({ profile: 'c2010', image: Uint8Array.of(0, 16, 0, 32, 9, 0, 0, 0, 0, 0xde) });
    expect(await caught(dead.open())).toMatchObject({ code: 'CARD_FAULT' });
  });

  const repaired: readonly [Protocol, string, LinkFault][] = [
    ['T=0', 'parity error to the card', { direction: 'to-card', unit: 'character', nth: 3, action: 'parity' }],
    ['T=0', 'parity error from the card', { direction: 'from-card', unit: 'character', nth: 2, action: 'parity' }],
    ['T=1', 'parity error to the card', { direction: 'to-card', unit: 'character', nth: 3, action: 'parity' }],
    ['T=1', 'parity error from the card', { direction: 'from-card', unit: 'character', nth: 2, action: 'parity' }],
    ['T=1', 'wrong LRC to the card', { direction: 'to-card', unit: 'block', nth: 1, action: 'alter', index: 4 }],
    ['T=1', 'wrong LRC from the card', { direction: 'from-card', unit: 'block', nth: 1, action: 'alter', index: 4 }],
    ['T=1', 'wrong N(S) from the card', { direction: 'from-card', unit: 'character', nth: 2, action: 'alter', mask: 0x40 }],
    ['T=1', 'lost character from the card', { direction: 'from-card', unit: 'character', nth: 6, action: 'drop' }],
    ['T=1', 'lost character to the card', { direction: 'to-card', unit: 'character', nth: 5, action: 'drop' }],
    ['T=1', 'lost block from the card', { direction: 'from-card', unit: 'block', nth: 1, action: 'drop' }],
    ['T=1', 'lost block to the card', { direction: 'to-card', unit: 'block', nth: 1, action: 'drop' }],
  ];
  test.each(repaired)('%s: %s is repaired', async (protocol, _name, fault) => {
    const card = await opened(protocol);
    const clean = await card.transmit(memory);
    card.disturb([fault]);
    let repairs = 0;
    card.observe({ block: (b) => { repairs += /R\([01]\)/.test(b.text) ? 1 : 0; }, finding: () => { repairs++; } });
    const reply = await card.transmit(memory);
    expect(card.fired).toHaveLength(1);
    expect(reply).toMatchObject({ data: clean.data, sw: 0x9000 });
    expect(repairs).toBeGreaterThan(0);
    expect(await card.transmit(memory)).toMatchObject({ data: clean.data, sw: 0x9000, findings: [] });
  });

  test('a doubled block to the card does not disturb the command after it', async () => {
    const card = await opened('T=1');
    card.disturb([{ direction: 'to-card', unit: 'block', nth: 1, action: 'duplicate' }]);
    await card.transmit(memory);
    expect(await card.transmit(select)).toMatchObject({ sw: 0x9000 });
    expect(card.fired).toHaveLength(1);
  });

  test('an exchange of 250 bytes costs the host well under 5 ms beyond the instructions of the chip', async () => {
    const card = await opened('T=1');
    const run = card.chip.run.bind(card.chip);
    let inside = 0;
    card.chip.run = (limit, options) => {
      const before = performance.now();
      const result = run(limit, options);
      inside += performance.now() - before;
      return result;
    };
    await card.transmit(longLoad);
    const outside: number[] = [];
    for (let i = 0; i < 9; i++) {
      inside = 0;
      const before = performance.now();
      await card.transmit(longLoad);
      outside.push(performance.now() - before - inside);
    }
    const median = outside.sort((x, y) => x - y)[4];
    process.stdout.write(`250-byte exchange: ${median.toFixed(3)} ms outside the chip, ${inside.toFixed(2)} ms inside\n`);
    expect(median).toBeLessThan(5);
  });

  test('the binding is a serial port: list, wrong path, second open, close cancels the read', async () => {
    const binding = new EmulatedBinding(emulatedPort({ profile: 'c2010', image }));
    expect((await binding.list()).map((p) => p.path)).toEqual(['card']);
    await expect(binding.open({ path: 'other', baudRate: 9600 })).rejects.toThrow(/No such device/);
    const port = await binding.open({ path: 'card', baudRate: 9600 });
    await expect(binding.open({ path: 'card', baudRate: 9600 })).rejects.toThrow(/locked/);
    const read = port.read(Buffer.alloc(8), 0, 8);
    await port.close();
    await expect(read).rejects.toMatchObject({ canceled: true });
    await expect(port.read(Buffer.alloc(8), 0, 8)).rejects.toMatchObject({ canceled: true });
    await expect(port.write(Buffer.alloc(1))).rejects.toMatchObject({ canceled: true });
  });

  test('power that goes behind the stream is an unplugged device', async () => {
    const chipPort = emulatedPort({ profile: 'c2010', image });
    const binding = new EmulatedBinding(chipPort);
    const stream = new SerialPortStream({ binding, path: 'card', baudRate: 9600, autoOpen: false });
    await new Promise<void>((resolve) => stream.open(() => resolve()));
    const port = new StreamPort(stream, { clock: binding.clock, resetLine: 'rts', powerLine: 'dtr' });
    await port.reset('cold');
    chipPort.cutAt(chipPort.now() + 1000);
    expect(await caught(port.idle(port.now() + 1e6))).toMatchObject({ code: 'CARD_REMOVED' });
  });
});
