/** Bytes of a page (docs/firmware.md). */
export const pageSize = 64;
/** Fixed pages by name (docs/firmware.md, NVM layout). */
export const fixedPages = {
  superblock: 0, journalHeader: 1, slot0: 2, slot1: 3, state: 4, identity: 5, signingKey: 6, transportKey: 7,
  credential0: 8, credential1: 9, pin: 10, decodingKey: 11, commonKey: 12, cardSecret: 13, keyRegistration: 14,
  seed: 15,
} as const;
/** First page of the safes, and how many there may be (two pages each). */
export const safeArea = { first: 16, count: 4 } as const;
/** First page of the index 851. */
export const indexStart = 24;
/** Version of the layout in the superblock. */
export const layoutVersion = 2;
/** Applets beside the backup that may have an area of pages of their own, by their number in the superblock, from 1. */
export const appletNames = ['purse', 'twin', 'member', 'device'] as const;
/** See {@link appletNames}. */
export type AppletName = (typeof appletNames)[number];

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** CRC-32 (IEEE 802.3, as in zlib) of the bytes from `start` up to `end`. */
export function crc32(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  let crc = 0xffffffff;
  for (let i = start; i < end; i += 1) crc = table[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Little-endian 16-bit number at an offset. */
export const u16 = (bytes: Uint8Array, at: number): number => bytes[at] | (bytes[at + 1] << 8);
/** Little-endian 32-bit number at an offset. */
export const u32 = (bytes: Uint8Array, at: number): number => (u16(bytes, at) | (u16(bytes, at + 2) << 16)) >>> 0;

/** One page of an image, without copying. */
export function pageOf(image: Uint8Array, page: number): Uint8Array {
  return image.subarray(page * pageSize, (page + 1) * pageSize);
}

/** True when every byte from `start` up to `end` is FF (erased). */
export function isErased(bytes: Uint8Array, start = 0, end: number = bytes.length): boolean {
  for (let i = start; i < end; i += 1) if (bytes[i] !== 0xff) return false;
  return true;
}

/** A page that ends with its CRC: absent (all FF), valid, or damaged. */
export type PageCondition = 'absent' | 'valid' | 'damaged';

/** Condition of a page that ends with the CRC of its first 60 bytes. */
export function conditionOf(page: Uint8Array): PageCondition {
  if (isErased(page)) return 'absent';
  return crc32(page, 0, 60) === u32(page, 60) ? 'valid' : 'damaged';
}
