import { commands, valueInformation } from '../codec/index.js';
import type { ValueInformation } from '../codec/index.js';
import { pageMap, pageSize } from '../nvm/index.js';
import { BenchError } from './errors.js';
import type { World } from './world.js';

/** How much room is to be left: pages of the data area, its bytes, or index entries. */
export type RoomLeft = { readonly pages: number } | { readonly bytes: number } | { readonly entries: number };

/** Pages of the largest value (protocol 1.2: an E1 of at most 256 bytes). */
const largestPages = 4;

function fillerOf(pages: number, issueId: Uint8Array): ValueInformation {
  const bare: ValueInformation = {
    infoClass: 4, name: 'f', unitPrice: 0, quantity: 1, totalAmount: 0, place: '', validity: null, remaining: 0, remarks: '', issueId,
  };
  let missing = (pages - 1) * pageSize + 1 - valueInformation.encode(bare).length;
  const text = (most: number): string => {
    const length = Math.max(0, Math.min(most, missing));
    missing -= length;
    return 'f'.repeat(length);
  };
  return { ...bare, name: `f${text(47)}`, place: text(48), remarks: text(64) };
}

function nextFiller(world: World, left: RoomLeft): number {
  const map = pageMap(world.memory());
  if ('entries' in left) return map.freeEntries > left.entries ? 1 : 0;
  const keep = 'pages' in left ? left.pages : Math.ceil(left.bytes / pageSize);
  return Math.min(largestPages, map.freeBytes / pageSize - keep);
}

/**
 * Loads values of the issuer's making until only so much room is left; false when that cannot be reached (the other
 * resource runs out first). Throws BenchError BENCH_PREPARE when the card refuses a value there is room for.
 */
export async function fillMemory(world: World, left: RoomLeft): Promise<boolean> {
  const { issuer, cardId } = world.parts;
  for (;;) {
    const pages = nextFiller(world, left);
    if (pages <= 0) return pages === 0;
    const map = pageMap(world.memory());
    if (map.freeEntries === 0 || map.freeBytes < pages * pageSize) return false;
    const value = fillerOf(Math.min(pages, map.largestRunBytes / pageSize), issuer.newIssueId());
    const number = (world.contents().state?.lastLoadNumber ?? 0) + 1;
    world.book(value);
    const { sw } = await world.line.transmit(commands.load(issuer.loadObject(cardId, number, value)));
    if (sw !== 0x9000)
      throw new BenchError('BENCH_PREPARE', `LOAD of a filler was answered ${sw.toString(16).toUpperCase()} with ${map.freeBytes} bytes free`);
    world.line.takeMarks();
  }
}
