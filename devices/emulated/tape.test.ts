import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createChip, loadImage, loadProfile } from '../../emulator/index.js';
import type { Chip, NvmState } from '../../emulator/index.js';
import { emulatedCard } from './card.js';
import type { EmulatedCard } from './card.js';
import { TapePlayer, TapeRecorder } from './tape.js';
import type { LinkTape } from './tape.js';

const image = loadImage(readFileSync(new URL('../firmware/images/card.elf', import.meta.url)));
const profile = loadProfile('c2010');
const select = Uint8Array.of(0x00, 0xa4, 0x04, 0x00);
/** GET DATA of the life cycle: looks at the state page. */
const life = Uint8Array.of(0x80, 0xca, 0xdf, 0x04, 0x00);

async function recorded(protocol: 'T=0' | 'T=1'): Promise<{ readonly card: EmulatedCard; readonly tape: LinkTape }> {
  const card = emulatedCard({ profile, image, protocol, seed: 1 });
  const recorder = new TapeRecorder();
  card.port.tape = recorder;
  await card.open();
  await card.transmit(select);
  await card.transmit(life);
  return { card, tape: recorder.tape(card.chip.now) };
}

const fresh = (): Chip => createChip({ profile, image, seed: 1 });

describe.each(['T=0', 'T=1'] as const)('a tape of a %s session', (protocol) => {
  test('brings another chip to the very state the terminal brought the first one to', async () => {
    const { card, tape } = await recorded(protocol);
    const chip = fresh();
    expect(new TapePlayer(chip, tape).play()).toBe(true);
    expect({ ...chip.snapshot(), link: undefined }).toEqual({ ...card.chip.snapshot(), link: undefined });
    expect(tape.events.length).toBeGreaterThan(20);
  });

  test('can be played in two parts, the second from a snapshot', async () => {
    const { card, tape } = await recorded(protocol);
    const first = fresh();
    const player = new TapePlayer(first, tape);
    expect(player.play(Math.floor(tape.end / 2))).toBe(true);
    const second = fresh();
    second.restore(first.snapshot());
    expect(new TapePlayer(second, tape, player.position).play()).toBe(true);
    expect(second.machine.registers()).toEqual(card.chip.machine.registers());
  });

  test('stops as soon as the card gives back something else', async () => {
    const { tape } = await recorded(protocol);
    const last = tape.events.length - 1;
    const other = tape.events.map((event, i) => (i === last && event.kind === 'character' ? { ...event, byte: event.byte ^ 1 } : event));
    expect(new TapePlayer(fresh(), { ...tape, events: other }).play()).toBe(false);
    expect(new TapePlayer(fresh(), { ...tape, end: tape.end + 1_000_000, events: [...tape.events, tape.events[last]] }).play()).toBe(false);
  });
});

test('a memory that makes the card do something else is seen', async () => {
  const { card, tape } = await recorded('T=1');
  const left: NvmState = card.chip.powerCut();
  const statePage = 4 * 64;
  const bytes = left.bytes.slice().fill(0x55, statePage, statePage + 64);
  const chip = fresh();
  chip.powerCut();
  chip.powerOn({ ...left, bytes }, { kind: 'new' });
  expect(new TapePlayer(chip, tape).play()).toBe(false);
});
