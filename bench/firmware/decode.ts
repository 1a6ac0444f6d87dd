import { certificateStates, valueStates } from '../codec/index.js';

/** An index entry as docs/firmware.md lays it out. */
export interface MemoryEntry {
  readonly class: 'A' | 'B';
  readonly state: string;
  readonly handle: number;
  readonly first: number;
  readonly size: number;
  readonly pages: number;
  readonly partner: number;
  readonly sequence: number;
  readonly hash: Uint8Array;
  readonly kind: number;
  readonly variant: number;
  readonly algorithm: number;
  readonly alternative: { readonly first: number; readonly pages: number } | undefined;
  readonly valueSize: number;
  /** Content of the region up to `size`. */
  readonly object: Uint8Array;
}

/** A card's memory, decoded without the firmware. */
export interface Memory {
  readonly lifeCycle: number;
  readonly pinTries: number;
  readonly settings: number;
  readonly sequence: number;
  readonly loadNumber: number;
  readonly entries: readonly MemoryEntry[];
  readonly keyRegistration: { readonly kind: number; readonly sequence: number; readonly handle: number } | undefined;
  /** Pages of the data area that nobody owns. */
  readonly free: readonly number[];
  /** Pages owned twice; must be empty. */
  readonly shared: readonly number[];
}

function crc32(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A page by its CRC: content, or undefined when absent. Throws when it is neither. */
function page(memory: Uint8Array, number: number): Uint8Array | undefined {
  const bytes = memory.slice(number * 64, number * 64 + 64);
  if (bytes.every((byte) => byte === 0xff)) return undefined;
  if (crc32(bytes.slice(0, 60)) !== view(bytes).getUint32(60, true)) throw new Error(`page ${number}: CRC`);
  return bytes;
}

function entryOf(memory: Uint8Array, bytes: Uint8Array): MemoryEntry {
  const v = view(bytes);
  const u16 = (at: number): number => v.getUint16(at, true);
  const isValue = bytes[0] === 0x41;
  if (!isValue && bytes[0] !== 0x42) throw new Error(`index class ${bytes[0]}`);
  const state = (isValue ? valueStates : certificateStates)[bytes[1] - 1] ?? `unknown ${bytes[1]}`;
  return {
    class: isValue ? 'A' : 'B', state, handle: u16(2), first: u16(4), size: u16(6), pages: u16(8), partner: u16(10),
    sequence: v.getUint32(12, true), hash: bytes.slice(16, 48), kind: bytes[48], variant: bytes[49],
    algorithm: bytes[50], alternative: bytes[51] & 1 ? { first: u16(52), pages: u16(54) } : undefined,
    valueSize: u16(56), object: memory.slice(u16(4) * 64, u16(4) * 64 + u16(6)),
  };
}

function owners(entries: readonly MemoryEntry[]): Map<number, number> {
  const count = new Map<number, number>();
  const own = (first: number, pages: number): void => {
    for (let p = first; p < first + pages; p += 1) count.set(p, (count.get(p) ?? 0) + 1);
  };
  for (const entry of entries) {
    own(entry.first, entry.pages);
    if (entry.alternative) own(entry.alternative.first, entry.alternative.pages);
  }
  return count;
}

/** Decodes a memory image as docs/firmware.md says. Throws when a metadata page is neither absent nor valid. */
export function decodeMemory(memory: Uint8Array): Memory {
  const total = memory.length / 64;
  const slots = Math.floor(total / 4);
  const state = page(memory, 4);
  const keyPage = page(memory, 14);
  for (const number of [0, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 18, 19, 20, 21, 22, 23]) page(memory, number);
  const entries: MemoryEntry[] = [];
  for (let slot = 0; slot < slots; slot += 1) {
    const bytes = page(memory, 24 + slot);
    if (bytes) entries.push(entryOf(memory, bytes));
  }
  const owned = owners(entries);
  const data = Array.from({ length: total - 24 - slots }, (_, i) => 24 + slots + i);
  const v = view(state ?? new Uint8Array(64));
  const k = view(keyPage ?? new Uint8Array(64));
  return {
    lifeCycle: v.getUint8(0), pinTries: v.getUint8(1), settings: v.getUint8(2), sequence: v.getUint32(4, true),
    loadNumber: v.getUint32(8, true), entries,
    keyRegistration: k.getUint8(0) === 1
      ? { kind: k.getUint8(1), sequence: k.getUint32(4, true), handle: k.getUint16(48, true) } : undefined,
    free: data.filter((p) => !owned.has(p)), shared: data.filter((p) => (owned.get(p) ?? 0) > 1),
  };
}
