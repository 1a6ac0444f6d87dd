import { emulatedCard } from '../../devices/index.js';
import { commands } from '../codec/index.js';
import type { Applet } from '../terminal/applet.js';
import { emulatedSlot } from './card-slot.js';
import type { SlotCard } from './card-slot.js';
import { BenchError } from './errors.js';

/**
 * An emulated card for a slot, formatted by its backup applet, without power, an applet beside it still to be personalised.
 * @param whose for messages, for example ` of the device`
 * @throws BenchError BENCH_PERSONALISE
 */
export async function formattedSlot(parts: Parameters<typeof emulatedCard>[0], applet: Applet, whose = ''): Promise<SlotCard> {
  const card = emulatedCard(parts);
  await card.open();
  for (const { name, cla, ins, p1, p2, data } of [commands.select(), commands.initialise()]) {
    const { sw } = await card.transmit({ cla, ins, p1, p2, ...(data.length > 0 ? { data } : {}), ...(name === 'SELECT' ? { le: 256 } : {}) });
    if (sw !== 0x9000) throw new BenchError('BENCH_PERSONALISE', `${name}${whose} was answered ${sw.toString(16).toUpperCase()}`);
  }
  await card.powerOff();
  return emulatedSlot(card, applet);
}
