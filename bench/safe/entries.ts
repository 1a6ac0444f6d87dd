import { concat, textBytes, uintBytes, uintOf } from '../codec/index.js';
import { SafeError } from './errors.js';

/** One entry of a store. */
export type Entry = readonly [key: string, value: Uint8Array];

/** Entries as bytes: for each the length of its key (2), the key, the length of its value (4), the value (docs/safe.md). */
export function encodeEntries(entries: Iterable<Entry>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [key, value] of entries) parts.push(uintBytes(key.length, 2), textBytes(key), uintBytes(value.length, 4), value);
  return concat(...parts);
}

/** The opposite of {@link encodeEntries}. Throws SafeError SAFE_BAD_OBJECT where the bytes end too soon. */
export function decodeEntries(bytes: Uint8Array): Entry[] {
  const entries: Entry[] = [];
  let at = 0;
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new SafeError('SAFE_BAD_OBJECT', `entries end within one, at byte ${bytes.length}`);
    at += length;
    return bytes.slice(at - length, at);
  };
  while (at < bytes.length) {
    const key = new TextDecoder().decode(take(uintOf(take(2))));
    entries.push([key, take(uintOf(take(4)))]);
  }
  return entries;
}
