import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  answers, certificate, commands, registrationRequest, samples, signed, valueInformation,
} from './codec/index.js';
import type { ValueInformation } from './codec/index.js';
import { decodeMemory } from './firmware/decode.js';
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

async function desk(pages = 256, emptyDigest = false): Promise<Desk & { readonly line: HostLine }> {
  const line = new HostLine(program, pages);
  lines.push(line);
  const made = new Desk(line, emptyDigest);
  await made.personalise({ emptyDigest, allowLegacy: true });
  return made as Desk & { readonly line: HostLine };
}

describe('embodiment 1', () => {
  it('registers, deletes, recovers and settles a value', async () => {
    const d = await desk();
    const value = await d.load(samples[1]);
    const before = await d.read(value);
    const cert = await d.register(1, 0, value);
    expect(await d.listing()).toEqual([`${value} A DEPOSITED`, `${cert} B STORED`]);
    await d.send(commands.deleteItem(value));
    expect(await d.listing()).toEqual([`${cert} B STORED`]);
    const back = await d.recover(1, cert);
    expect(await d.listing()).toEqual([`${back} A ACTIVE`, `${cert} B SPENT`]);
    expect(await d.read(back)).toEqual(before);
    await d.settle(cert);
    expect(await d.listing()).toEqual([`${back} A ACTIVE`]);
  });
});
describe('embodiment 2', () => {
  it.each([1, 2] as const)('registers, deletes and recovers in variant %i, with the key backed up', async (variant) => {
    const d = await desk();
    const value = await d.load(samples[0]);
    const before = await d.read(value);
    const cert = await d.register(2, variant, value);
    await d.send(commands.deleteItem(value));
    const kind = variant === 1 ? 'decoding' : 'common';
    const key = await d.registerKey(kind);
    await d.send(commands.deleteKey(kind));
    await d.recoverKey(key);
    const back = await d.recover(2, cert);
    expect(await d.read(back)).toEqual(before);
    await d.settle(cert);
  });
});
void [answers, certificate, registrationRequest, signed, valueInformation, decodeMemory, cardId, forged, pin];
void ({} as ValueInformation);
