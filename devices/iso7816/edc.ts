/** Exclusive or of all bytes (ISO/IEC 7816-3, 11.3.4: LRC). */
export function lrc(bytes: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum ^= bytes[i];
  return sum;
}

/**
 * CRC of ISO/IEC 7816-3, 11.3.4, as in ISO/IEC 13239: polynomial x^16 + x^12 + x^5 + 1, start value
 * FFFF, reflected, complemented at the end; in a block the high byte goes first.
 */
export function crc16(bytes: ArrayLike<number>): number {
  let crc = 0xffff;
  for (let i = 0; i < bytes.length; i++) {
    crc ^= bytes[i];
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0x8408 : crc >> 1;
  }
  return ~crc & 0xffff;
}

/** Error detection code of T=1. */
export type Edc = 'LRC' | 'CRC';

/** Length of the epilogue field in bytes. */
export function edcLength(edc: Edc): number {
  return edc === 'CRC' ? 2 : 1;
}

/** The epilogue field of a block whose prologue and information fields are `bytes`. */
export function edcOf(edc: Edc, bytes: ArrayLike<number>): number[] {
  if (edc === 'LRC') return [lrc(bytes)];
  const crc = crc16(bytes);
  return [crc >> 8, crc & 0xff];
}
