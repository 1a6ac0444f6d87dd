import { CodecError } from './errors.js';

/** Joins byte strings (`||` of docs/protocol.md). */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** True when both byte strings are equal. Not for secrets: stops at the first difference. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Upper-case hex without separators. */
export function toHex(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += byte.toString(16).padStart(2, '0');
  return out.toUpperCase();
}

/** Bytes of a hex string; spaces are skipped. Throws CodecError ELEMENT_VALUE on anything else. */
export function fromHex(hex: string): Uint8Array {
  const digits = hex.replace(/\s+/g, '');
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits))
    throw new CodecError('ELEMENT_VALUE', `not an even number of hex digits: ${digits.length} characters`);
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** Big-endian unsigned integer of `size` bytes (1-4). Throws CodecError ELEMENT_VALUE when it does not fit. */
export function uintBytes(value: number, size: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * size))
    throw new CodecError('ELEMENT_VALUE', `${value} is not an unsigned integer of ${size} bytes`);
  return Uint8Array.from({ length: size }, (_, i) => Math.floor(value / 2 ** (8 * (size - 1 - i))) & 0xff);
}

/** Value of a big-endian unsigned integer of up to 6 bytes. */
export function uintOf(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** ASCII (or UTF-8) bytes of a label. */
export function textBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
