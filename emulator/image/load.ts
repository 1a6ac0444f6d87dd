import { EmulatorError } from '../errors.js';
import { isElf, loadElf } from './elf.js';
import { loadHex } from './hex.js';
import type { Image } from './image.js';

/** Loads raw bytes at `address`. @throws EmulatorError IMAGE_EMPTY */
export function loadBinary(bytes: Uint8Array, address = 0): Image {
  if (bytes.length === 0) throw new EmulatorError('IMAGE_EMPTY', 'the image has no bytes to load', 'give a file with content');
  return { format: 'bin', segments: [{ address, data: bytes.slice() }], symbols: [], lines: [] };
}

/** Loads an image by its content: ELF by its mark, Intel HEX by its first colon, anything else as binary at 0. */
export function loadImage(bytes: Uint8Array): Image {
  if (isElf(bytes)) return loadElf(bytes);
  return bytes[0] === 0x3a && /^:[0-9A-Fa-f]{10}/.test(String.fromCharCode(...bytes.subarray(0, 11))) ? loadHex(bytes) : loadBinary(bytes);
}
