import { commands, valueInformation } from '../codec/index.js';
import type { ValueInformation } from '../codec/index.js';
import { pageSize } from '../nvm/index.js';
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

/** Free room in pages and entries; counted on after each value and looked at anew where counting does not do. */
interface Room {
  pages: number;
  entries: number;
  /** Longest free run, at least. */
  run: number;
}

function roomOf(world: World): Room {
  const { freeBytes, freeEntries, largestRunBytes } = world.room();
  return { pages: freeBytes / pageSize, entries: freeEntries, run: largestRunBytes / pageSize };
}

function nextFiller({ pages, entries }: Room, left: RoomLeft): number {
  if ('entries' in left) return entries > left.entries ? 1 : 0;
  const keep = 'pages' in left ? left.pages : Math.ceil(left.bytes / pageSize);
  return Math.min(largestPages, pages - keep);
}

async function loadFiller(world: World, pages: number, number: number): Promise<void> {
  const { issuer, cardId } = world.parts;
  const value = fillerOf(pages, issuer.newIssueId());
  world.book(value);
  const { sw } = await world.line.transmit(commands.load(issuer.loadObject(cardId, number, value)));
  if (sw !== 0x9000)
    throw new BenchError('BENCH_PREPARE', `LOAD of a filler of ${pages} pages was answered ${sw.toString(16).toUpperCase()} with ${world.room().freeBytes} bytes free`);
  world.line.takeMarks();
}

/**
 * Loads values of the issuer's making until only so much room is left; false when that cannot be reached (the other
 * resource runs out first). Throws BenchError BENCH_PREPARE when the card refuses a value there is room for.
 */
export async function fillMemory(world: World, left: RoomLeft): Promise<boolean> {
  let number = world.contents().state?.lastLoadNumber ?? 0;
  let room = roomOf(world);
  for (;;) {
    let pages = nextFiller(room, left);
    if (pages > room.run) {
      room = roomOf(world);
      pages = Math.min(nextFiller(room, left), room.run);
    }
    if (pages <= 0) {
      const reached = nextFiller(roomOf(world), left);
      return reached === 0;
    }
    if (room.entries === 0) return false;
    number += 1;
    await loadFiller(world, pages, number);
    room = { pages: room.pages - pages, entries: room.entries - 1, run: room.run - pages };
  }
}
