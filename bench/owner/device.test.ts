import { beforeAll, describe, expect, test } from 'vitest';
import { emulatedCard } from '../../devices/index.js';
import { loadProfile } from '../../emulator/index.js';
import { CryptoCache } from '../../emulator/index.js';
import { commands } from '../codec/index.js';
import { firmwareImage } from '../firmware/faulty.js';
import { checkProof, provesDevice } from '../safe/index.js';
import { CardBench } from '../world/card-bench.js';
import { emulatedSlot } from '../world/card-slot.js';
import { DeviceCard, deviceApplet, deviceCommands, devicesOf } from './device.js';
import type { DeviceCommand } from './device.js';

const parts = { image: firmwareImage(), profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' as const, cryptoCache: new CryptoCache() };
const { right } = devicesOf;
const ours = Uint8Array.from({ length: 16 }, (_, at) => at + 1);

describe('the authentication device', () => {
  let device: DeviceCard;
  let fresh: ReturnType<DeviceCard['save']>;
  beforeAll(async () => {
    device = await DeviceCard.make('right', parts);
    fresh = device.save();
  });
  const ask = async (command: DeviceCommand): Promise<{ readonly sw: string; readonly data: Uint8Array }> => {
    const { sw, data } = await device.line.transmit(command);
    return { sw: sw.toString(16).toUpperCase(), data };
  };
  const sw = async (command: DeviceCommand): Promise<string> => (await ask(command)).sw;

  test('proves itself to a check that has proved itself, once for a challenge', async () => {
    device.restore(fresh);
    expect((await ask(deviceCommands.identity())).data).toEqual(right.id);
    const theirs = (await ask(deviceCommands.challenge())).data;
    const command = deviceCommands.authenticate(ours, checkProof(right, theirs, ours));
    const proof = await ask(command);
    expect(provesDevice(right, ours, theirs, proof.data)).toBe(true);
    expect(provesDevice(devicesOf.forged, ours, theirs, proof.data)).toBe(false);
    expect(await sw(command)).toBe('6985');
  });

  test('a wrong proof uses the challenge up; so do SELECT and a reset', async () => {
    device.restore(fresh);
    const theirs = (await ask(deviceCommands.challenge())).data;
    const good = checkProof(right, theirs, ours);
    expect(await sw(deviceCommands.authenticate(ours, good.map((byte, at) => (at === 31 ? byte ^ 1 : byte))))).toBe('6982');
    expect(await sw(deviceCommands.authenticate(ours, good))).toBe('6985');
    for (const again of [() => device.line.select(), () => device.line.reset('warm'), () => device.line.reset('cold')]) {
      const challenge = (await ask(deviceCommands.challenge())).data;
      await again();
      expect(await sw(deviceCommands.authenticate(ours, checkProof(right, challenge, ours)))).toBe('6985');
    }
  });

  test('challenges differ; id and key are written once; strange commands are refused', async () => {
    device.restore(fresh);
    const challenges = new Set<string>();
    for (let at = 0; at < 8; at += 1) challenges.add(Buffer.from((await ask(deviceCommands.challenge())).data).toString('hex'));
    expect(challenges.size).toBe(8);
    expect(await sw(deviceCommands.put(devicesOf.unknown))).toBe('6985');
    expect(await sw({ ...deviceCommands.put(right), data: right.id })).toBe('6700');
    expect(await sw({ ...deviceCommands.authenticate(ours, ours), data: ours })).toBe('6700');
    expect(await sw({ ...deviceCommands.challenge(), p1: 1 })).toBe('6A86');
    expect(await sw({ ...deviceCommands.challenge(), ins: 0x14 })).toBe('6D00');
    expect(await sw({ ...deviceCommands.challenge(), cla: 0x00 })).toBe('6E00');
  });

  test('what a cut leaves is a device or none, and never a half one', async () => {
    const card = emulatedCard(parts);
    await card.open();
    for (const { cla, ins, p1, p2, data } of [commands.select(), commands.initialise()]) await card.transmit({ cla, ins, p1, p2, ...(data.length > 0 ? { data } : {}) });
    const bench = new CardBench({ cards: { device: emulatedSlot(card, deviceApplet) } });
    const slot = bench.slot('device');
    await slot.line.bringUp();
    const before = bench.save();
    const from = bench.now;
    await slot.line.transmit(deviceCommands.put(right));
    const to = bench.now;
    const found = new Set<string>();
    for (let cut = 1; cut < 40; cut += 1) {
      bench.restore(before);
      slot.cutAt(from + Math.floor(((to - from) * cut) / 40));
      await slot.line.transmit(deviceCommands.put(right)).catch(() => undefined);
      if (slot.powered) continue;
      await slot.line.bringUp();
      const identity = await slot.line.transmit(deviceCommands.identity());
      const what = identity.sw === 0x9000 ? Buffer.from(identity.data).toString() : identity.sw.toString(16);
      found.add(what);
      if (identity.sw !== 0x9000) expect((await slot.line.transmit(deviceCommands.put(right))).sw).toBe(0x9000);
    }
    expect(found).toEqual(new Set(['6985', 'DEVICE-1']));
  });
});
