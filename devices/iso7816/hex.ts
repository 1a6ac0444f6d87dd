/** Upper-case hexadecimal of bytes, without blanks unless `separator` is given. */
export function toHex(bytes: Iterable<number>, separator = ''): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(separator);
}

/** Two upper-case hexadecimal digits of one byte. */
export function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0').toUpperCase();
}
