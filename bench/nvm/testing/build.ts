import { crc32 } from '../layout.js';

/** Little-endian bytes. */
export const le16 = (value: number): number[] => [value & 255, value >> 8];
export const le32 = (value: number): number[] => [...le16(value & 0xffff), ...le16(value >>> 16)];

/** A page from pieces (offset -> bytes), zero elsewhere, with its CRC. */
export function sealedPage(pieces: Readonly<Record<number, readonly number[] | Uint8Array>>): Uint8Array {
  const page = new Uint8Array(64);
  for (const [at, bytes] of Object.entries(pieces)) page.set(bytes, Number(at));
  page.set(le32(crc32(page, 0, 60)), 60);
  return page;
}

export const put = (image: Uint8Array, page: number, bytes: Uint8Array): void => image.set(bytes, page * 64);

export const dataStart = (pages: number): number => 24 + Math.floor(pages / 4);

/**
 * An erased memory with superblock, state (operational, 3 tries, sequence 7, load 2) and identity; areas of applets
 * by number and pages.
 */
export function formatted(pages = 64, areas: readonly (readonly [number, number])[] = []): Uint8Array {
  const image = new Uint8Array(pages * 64).fill(0xff);
  const entries = Math.floor(pages / 4);
  const dataEnd = pages - areas.reduce((sum, [, size]) => sum + size, 0);
  const division = [2, 64, pages, 24, entries, 24 + entries, dataEnd, areas.length, ...areas.flat()].flatMap(le16);
  put(image, 0, sealedPage({ 0: [0x43, 0x42, 0x57, 0x31], 4: division }));
  put(image, 4, statePage());
  put(image, 5, sealedPage({ 0: [1, 2, 3, 4, 5, 6, 7, 8], 8: new Uint8Array(32).fill(0x11) }));
  return image;
}

export function statePage(change: { sequence?: number; tries?: number } = {}): Uint8Array {
  const { sequence = 7, tries = 3 } = change;
  return sealedPage({ 0: [2, tries, 1], 4: le32(sequence), 8: le32(2), 12: le16(3), 14: le16(9), 16: new Uint8Array(32).fill(0x22) });
}

export interface EntryPlan {
  readonly class: 'A' | 'B';
  readonly state: number;
  readonly handle: number;
  readonly firstPage: number;
  readonly pages: number;
  readonly size: number;
  readonly partner?: number;
  readonly sequence?: number;
  readonly alternative?: readonly [number, number];
  readonly kind?: number;
  readonly algorithm?: number;
}

export function entryPage(plan: EntryPlan): Uint8Array {
  const { partner = 0, sequence = 0, alternative, kind = 0, algorithm = 0 } = plan;
  return sealedPage({
    0: [plan.class === 'A' ? 0x41 : 0x42, plan.state, ...le16(plan.handle), ...le16(plan.firstPage), ...le16(plan.size), ...le16(plan.pages), ...le16(partner)],
    12: le32(sequence), 16: new Uint8Array(32).fill(0x33), 48: [kind, 1, algorithm, alternative ? 1 : 0],
    52: [...le16(alternative?.[0] ?? 0), ...le16(alternative?.[1] ?? 0), ...le16(100)],
  });
}

/** Writes an object into a region, padded with FF, and its entry into the index; returns the pages taken. */
export function putItem(image: Uint8Array, slot: number, firstPage: number, object: Uint8Array, plan: Omit<EntryPlan, 'firstPage' | 'pages' | 'size'>): number {
  const pages = Math.ceil(object.length / 64);
  image.set(object, firstPage * 64);
  put(image, 24 + slot, entryPage({ ...plan, firstPage, pages, size: object.length }));
  return pages;
}

/** Writes a journal of one or two changes, header last as a card does. */
export function putJournal(image: Uint8Array, changes: readonly (readonly [number, Uint8Array])[]): void {
  changes.forEach(([, page], i) => put(image, 2 + i, page));
  const [first, second] = changes;
  put(image, 1, sealedPage({
    0: [0x4a, 0x52, 0x4e, 0x31], 4: le32(5), 8: [changes.length], 12: le16(first[0]), 14: le16(second?.[0] ?? 0),
    16: le32(crc32(first[1])), 20: second ? le32(crc32(second[1])) : [0, 0, 0, 0],
  }));
}
