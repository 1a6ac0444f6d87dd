import { describe, expect, test } from 'vitest';
import { isDeviceError } from '../errors.js';
import { FakeCard } from '../iso7816/testing/fake-card.js';
import { pattern } from '../iso7816/testing/fake-app.js';
import { ContactChannel } from './contact.js';
import { DisturbedPort } from './fault.js';
import type { LinkFault, LinkFaultAction } from './fault.js';
import type { Direction } from './port.js';
import type { Protocol } from './types.js';

const ACTIONS: readonly LinkFaultAction[] = ['alter', 'parity', 'drop', 'duplicate', 'delay'];
const DIRECTIONS: readonly Direction[] = ['to-card', 'from-card'];
const command = { cla: 0x80, ins: 0xf0, p1: 0, p2: 0, data: pattern(30), le: 256 };

async function run(protocol: Protocol, faults: readonly LinkFault[], seed = 1) {
  const port = new DisturbedPort(new FakeCard(), [], seed);
  const channel = new ContactChannel(port, { protocol });
  await channel.open();
  port.arm(faults);
  const characters: string[] = [];
  channel.observe({ character: (c) => characters.push(`${c.direction} ${c.byte ?? ''} ${c.at}`) });
  const outcomes: string[] = [];
  for (let i = 0; i < 3; i++) {
    try {
      const reply = await channel.transmit(command);
      outcomes.push(`${reply.sw.toString(16)} ${reply.data.length}`);
    } catch (error) {
      if (!isDeviceError(error)) throw error;
      outcomes.push(error.code);
    }
  }
  return { fired: port.fired, characters, outcomes };
}

const all = DIRECTIONS.flatMap((direction) => (['character', 'block'] as const).flatMap((unit) =>
  ACTIONS.map((action): LinkFault => ({ direction, unit, nth: 2, action }))));

describe.each(all)('$direction, $unit, $action', (fault) => {
  test('fires once, is recorded, and T=1 gets over it: repaired, or resynchronised with a coded error', async () => {
    const { fired, outcomes } = await run('T=1', [fault]);
    expect(fired).toEqual([expect.objectContaining({ fault, detail: `${fault.action} ${fault.unit} 2 ${fault.direction}` })]);
    const given = outcomes.filter((o) => o !== '9000 30');
    expect(given.length).toBeLessThanOrEqual(fault.action === 'duplicate' && fault.direction === 'to-card' ? 1 : 0);
    for (const code of given) expect(['CARD_PROTOCOL', 'CARD_SILENT']).toContain(code);
    expect(outcomes[2]).toBe('9000 30');
  });

  test('fires under T=0 too: repaired, or a coded error, never a hang', async () => {
    const { fired } = await run('T=0', [fault]);
    expect(fired).toHaveLength(1);
  });
});

test('without a plan nothing changes', async () => {
  const plain = new ContactChannel(new FakeCard(), { protocol: 'T=1' });
  await plain.open();
  const seen: string[] = [];
  plain.observe({ character: (c) => seen.push(`${c.direction} ${c.byte ?? ''} ${c.at}`) });
  for (let i = 0; i < 3; i++) await plain.transmit(command);
  expect((await run('T=1', [])).characters).toEqual(seen);
});

test('the seed chooses the bit, and the same seed the same run', async () => {
  const fault: LinkFault = { direction: 'to-card', unit: 'character', nth: 5, action: 'alter' };
  expect(await run('T=1', [fault], 3)).toEqual(await run('T=1', [fault], 3));
  const bits = new Set<string>();
  for (let seed = 1; seed <= 12; seed++) {
    const port = new DisturbedPort(new FakeCard(), [{ direction: 'from-card', unit: 'character', nth: 1, action: 'alter' }], seed);
    void port.reset('cold');
    const character = await port.receive(1e6);
    bits.add(((character?.byte ?? 0) ^ 0x3b).toString(2));
  }
  expect(bits.size).toBeGreaterThan(2);
});

test('a fault that is never reached does not fire', async () => {
  const { fired, outcomes } = await run('T=1', [{ direction: 'from-card', unit: 'block', nth: 99, action: 'drop' }]);
  expect(fired).toEqual([]);
  expect(outcomes).toEqual(['9000 30', '9000 30', '9000 30']);
});
