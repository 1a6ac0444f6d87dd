import { CodecError } from './errors.js';

/** Joins byte strings (`||` of docs/protocol.md). */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** True when both byte strings are equal. Not for secrets: stops at the first difference. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}

const hexOfByte: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0').toUpperCase());

/** Upper-case hex without separators. */
export function toHex(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += hexOfByte[byte];
  return out;
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
  const out = new Uint8Array(size);
  for (let at = size - 1, rest = value; at >= 0; at -= 1, rest = Math.floor(rest / 256)) out[at] = rest & 0xff;
  return out;
}

/** Value of a big-endian unsigned integer of up to 6 bytes. */
export function uintOf(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum = sum * 256 + byte;
  return sum;
}

const encoder = new TextEncoder();

/** ASCII (or UTF-8) bytes of a label. */
export function textBytes(text: string): Uint8Array {
  return encoder.encode(text);
}
