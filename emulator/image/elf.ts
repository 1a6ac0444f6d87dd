import { EmulatorError } from '../errors.js';
import { checkArchitecture } from './attributes.js';
import { readLines } from './dwarf.js';
import type { Image, ImageSegment, ImageSymbol } from './image.js';
import { sortSegments } from './segments.js';

const EM_ARM = 40;
const PT_LOAD = 1;
const SHT_SYMTAB = 2;
const SHT_NOBITS = 8;
const SHT_ARM_ATTRIBUTES = 0x70000003;

interface Section {
  readonly name: string;
  readonly type: number;
  readonly link: number;
  readonly data: Uint8Array;
}

/** Reads with a coded error instead of running off the end. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #need(offset: number, length: number): void {
    if (offset + length <= this.#bytes.length) return;
    throw new EmulatorError('IMAGE_TRUNCATED', `the ELF file has ${this.#bytes.length} bytes, ${offset + length} are needed`, 'copy or build the file again');
  }

  u8(offset: number): number {
    this.#need(offset, 1);
    return this.#bytes[offset];
  }

  u16(offset: number): number {
    this.#need(offset, 2);
    return this.#view.getUint16(offset, true);
  }

  u32(offset: number): number {
    this.#need(offset, 4);
    return this.#view.getUint32(offset, true);
  }

  slice(offset: number, length: number): Uint8Array {
    this.#need(offset, length);
    return this.#bytes.subarray(offset, offset + length);
  }
}

function checkHeader(file: Reader): void {
  const fail = (code: 'IMAGE_CLASS' | 'IMAGE_ENDIAN' | 'IMAGE_MACHINE' | 'IMAGE_TYPE', what: string): never => {
    throw new EmulatorError(code, what, 'build with arm-none-eabi-gcc -mcpu=cortex-m0 and link an executable');
  };
  if (file.u8(4) !== 1) fail('IMAGE_CLASS', `ELF class ${file.u8(4)}, expected 1 (32 bit)`);
  if (file.u8(5) !== 1) fail('IMAGE_ENDIAN', `ELF data encoding ${file.u8(5)}, expected 1 (little-endian)`);
  if (file.u16(18) !== EM_ARM) fail('IMAGE_MACHINE', `ELF machine ${file.u16(18)}, expected ${EM_ARM} (ARM)`);
  if (file.u16(16) !== 2) fail('IMAGE_TYPE', `ELF type ${file.u16(16)}, expected 2 (executable)`);
}

function readSegments(file: Reader): ImageSegment[] {
  const [offset, size, count] = [file.u32(28), file.u16(42), file.u16(44)];
  const segments: ImageSegment[] = [];
  for (let k = 0; k < count; k++) {
    const at = offset + k * size;
    const length = file.u32(at + 16);
    if (file.u32(at) !== PT_LOAD || length === 0) continue;
    segments.push({ address: file.u32(at + 12), data: file.slice(file.u32(at + 4), length).slice() });
  }
  return sortSegments(segments);
}

function text(bytes: Uint8Array, offset: number): string {
  const end = bytes.indexOf(0, offset);
  return String.fromCharCode(...bytes.subarray(offset, end < 0 ? bytes.length : end));
}

function readSections(file: Reader): Section[] {
  const [offset, size, count, names] = [file.u32(32), file.u16(46), file.u16(48), file.u16(50)];
  const heads = Array.from({ length: count }, (_, k) => offset + k * size);
  const data = (at: number): Uint8Array =>
    file.u32(at + 4) === SHT_NOBITS ? new Uint8Array(0) : file.slice(file.u32(at + 16), file.u32(at + 20));
  const strings = count === 0 ? new Uint8Array(0) : data(heads[names]);
  return heads.map((at) => ({
    name: text(strings, file.u32(at)),
    type: file.u32(at + 4),
    link: file.u32(at + 24),
    data: data(at),
  }));
}

const KINDS = ['other', 'object', 'function'] as const;

function readSymbols(sections: readonly Section[]): ImageSymbol[] {
  const table = sections.find((s) => s.type === SHT_SYMTAB);
  if (table === undefined) return [];
  const strings = sections[table.link].data;
  const reader = new Reader(table.data);
  const symbols: ImageSymbol[] = [];
  for (let at = 16; at + 16 <= table.data.length; at += 16) {
    const name = text(strings, reader.u32(at));
    const type = reader.u8(at + 12) & 15;
    if (name === '' || name.startsWith('$') || type > 2 || reader.u16(at + 14) === 0) continue;
    const value = reader.u32(at + 4);
    const kind = KINDS[type];
    symbols.push({ name, kind, size: reader.u32(at + 8), address: kind === 'function' ? (value & ~1) >>> 0 : value });
  }
  return symbols;
}

/**
 * Loads an ELF32 little-endian ARM executable: its PT_LOAD segments at their physical addresses, symbols and,
 * when there is a .debug_line, source lines.
 * @throws EmulatorError IMAGE_FORMAT, IMAGE_TRUNCATED, IMAGE_CLASS, IMAGE_ENDIAN, IMAGE_MACHINE, IMAGE_TYPE,
 * IMAGE_ARCHITECTURE (not built for ARMv6-M), IMAGE_EMPTY, IMAGE_OVERLAP
 */
export function loadElf(bytes: Uint8Array): Image {
  if (!isElf(bytes)) throw new EmulatorError('IMAGE_FORMAT', 'the file does not begin with the ELF mark', 'load it as Intel HEX or binary');
  const file = new Reader(bytes);
  checkHeader(file);
  const segments = readSegments(file);
  const sections = readSections(file);
  const attributes = sections.find((s) => s.type === SHT_ARM_ATTRIBUTES);
  if (attributes !== undefined) checkArchitecture(attributes.data);
  const section = (name: string): Uint8Array => sections.find((s) => s.name === name)?.data ?? new Uint8Array(0);
  const lines = readLines(section('.debug_line'), section('.debug_line_str'), section('.debug_str'));
  return { format: 'elf', segments, symbols: readSymbols(sections), lines };
}

/** True when `bytes` begin with the ELF mark. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}
