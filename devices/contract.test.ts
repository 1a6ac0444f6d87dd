import { existsSync, readFileSync } from 'node:fs';
import { SerialPortStream } from '@serialport/stream';
import { describe, expect, test } from 'vitest';
import { ContactChannel } from './channel/contact.js';
import { cardContract } from './channel/testing/contract.js';
import type { ContractCommand, ContractSubject } from './channel/testing/contract.js';
import type { Protocol } from './channel/types.js';
import { EmulatedBinding } from './emulated/binding.js';
import { emulatedCard, emulatedPort } from './emulated/card.js';
import { toHex } from './iso7816/hex.js';
import { AID, pattern } from './iso7816/testing/fake-app.js';
import { FakeCard } from './iso7816/testing/fake-card.js';
import { StreamPort } from './serial/stream-port.js';

const select: ContractCommand = {
  name: 'SELECT',
  command: { cla: 0, ins: 0xa4, p1: 4, p2: 0, data: AID, le: 256 },
  check: ({ data, sw }) => expect([toHex(data), sw]).toEqual([`6F0C840A${toHex(AID)}`, 0x9000]),
};
/** Of docs/protocol.md, section 2: what fake card and reference firmware both know. */
const common: readonly ContractCommand[] = [
  select,
  { name: 'unknown application', command: { cla: 0, ins: 0xa4, p1: 4, p2: 0, data: Uint8Array.of(1, 2, 3), le: 256 }, check: ({ sw }) => expect(sw).toBe(0x6a82) },
  select,
  { name: 'GET DATA DF02', command: { cla: 0x80, ins: 0xca, p1: 0xdf, p2: 0x02, le: 256 }, check: ({ data, sw }) => expect([data.length, sw]).toEqual([22, 0x9000]) },
  { name: 'unknown tag', command: { cla: 0x80, ins: 0xca, p1: 0x12, p2: 0x34, le: 256 }, check: ({ sw }) => expect(sw).toBe(0x6a82) },
  { name: 'unknown INS', command: Uint8Array.of(0x80, 0xfe, 0, 0), check: ({ sw }) => expect(sw).toBe(0x6d00) },
  { name: 'LOAD of nonsense, chained', command: { cla: 0x80, ins: 0x2e, p1: 0, p2: 0, data: pattern(300), le: 256 }, check: ({ sw }) => expect([0x6a80, 0x6985]).toContain(sw) },
];

function fake(protocol: Protocol): Promise<ContractSubject> {
  const port = new FakeCard();
  return Promise.resolve({ port, channel: new ContactChannel(port, { protocol }), release: () => Promise.resolve() });
}
cardContract('fake card', { make: fake, commands: common });

/** The firmware images to run the contract on, with what they know. */
const IMAGES = [
  { name: 'card', path: new URL('./firmware/images/card.elf', import.meta.url), commands: common },
  {
    name: 'link test image',
    path: new URL('./firmware/images/link.elf', import.meta.url),
    commands: [{ name: 'unknown INS', command: Uint8Array.of(0x80, 0xfe, 0, 0), check: ({ sw }) => expect(sw).toBe(0x6d00) }] satisfies ContractCommand[],
  },
];

async function overStream(image: Uint8Array, protocol: Protocol): Promise<ContractSubject> {
  const binding = new EmulatedBinding(emulatedPort({ profile: 'c2010', image }));
  const stream = new SerialPortStream({ binding, path: 'card', baudRate: 9600, autoOpen: false });
  await new Promise<void>((resolve, reject) => stream.open((error) => (error ? reject(error) : resolve())));
  const port = new StreamPort(stream, { clock: binding.clock, resetLine: 'rts', powerLine: 'dtr' });
  return { port, channel: new ContactChannel(port, { protocol }), release: () => port.close() };
}

for (const { name, path, commands } of IMAGES) {
  if (!existsSync(path)) {
    describe(`emulated ${name}`, () => {
      test.skip(`needs ${path.pathname.split('/').slice(-4).join('/')}: npm run firmware`, () => undefined);
    });
    continue;
  }
  const image = readFileSync(path);
  cardContract(`emulated ${name}`, {
    make: (protocol) => {
      const channel = emulatedCard({ profile: 'c2010', image, protocol });
      return Promise.resolve({ channel, port: channel.port, release: () => Promise.resolve() });
    },
    commands,
  });
  cardContract(`stream port, emulated binding, ${name}`, { make: (protocol) => overStream(image, protocol), commands });
}
