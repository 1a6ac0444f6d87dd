import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { EmulatorError } from '../errors.js';
import { createMachine } from '../machine.js';
import { loadElf } from './elf.js';
import { loadHex } from './hex.js';
import { SymbolTable } from './image.js';
import { loadBinary, loadImage } from './load.js';

const crypto = new Uint8Array(readFileSync(fileURLToPath(new URL('../testing/images/crypto.elf', import.meta.url))));

/** Code of the error that `action` throws. */
function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof EmulatorError) return error.code;
    throw error;
  }
  return 'none';
}

/** A copy of the ELF file with some bytes changed. */
function patched(changes: Readonly<Record<number, number>>): Uint8Array {
  const copy = crypto.slice();
  for (const [offset, byte] of Object.entries(changes)) copy[Number(offset)] = byte;
  return copy;
}

/** A bare ELF with the given PT_LOAD segments and no sections. */
function bareElf(segments: readonly { address: number; data: readonly number[] }[]): Uint8Array {
  const head = 52 + 32 * segments.length;
  const bytes = new Uint8Array(head + segments.reduce((n, s) => n + s.data.length, 0));
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  [[16, 2], [18, 40], [40, 52], [42, 32], [44, segments.length], [46, 40]].forEach(([at, x]) => { view.setUint16(at, x, true); });
  view.setUint32(28, 52, true);
  let offset = head;
  segments.forEach(({ address, data }, k) => {
    [1, offset, address, address, data.length, data.length, 5, 4].forEach((x, j) => { view.setUint32(52 + 32 * k + 4 * j, x, true); });
    bytes.set(data, offset);
    offset += data.length;
  });
  return bytes;
}

describe('ELF', () => {
  const image = loadElf(crypto);
  const symbols = new SymbolTable(image.symbols, image.lines);

  it('gives segments at load addresses, symbols with sizes, and source lines', () => {
    expect(image.segments[0].address).toBe(0);
    const handler = symbols.find('reset_handler');
    expect(handler).toMatchObject({ kind: 'function' });
    expect((handler?.address ?? 1) % 2).toBe(0);
    expect(handler?.size).toBeGreaterThan(20);
    expect(symbols.functionAt((handler?.address ?? 0) + 4)?.name).toBe('reset_handler');
    const main = symbols.find('main');
    expect(symbols.lineAt(main?.address ?? 0)).toMatchObject({ file: expect.stringMatching(/crypto\.c$/) as string });
    const source = readFileSync(fileURLToPath(new URL('../testing/images/crypto.c', import.meta.url)), 'utf8').split('\n');
    expect(source[(symbols.lineAt(main?.address ?? 0)?.line ?? 0) - 1]).toContain('int main');
  });

  it('knows no function and no line outside the code', () => {
    expect(symbols.functionAt(0x30000000)).toBeUndefined();
    expect(symbols.lineAt(0x30000000)).toBeUndefined();
    expect(new SymbolTable([], []).functionAt(0)).toBeUndefined();
  });

  it.each([
    ['IMAGE_FORMAT', () => loadElf(new Uint8Array([1, 2, 3, 4]))],
    ['IMAGE_CLASS', () => loadElf(patched({ 4: 2 }))],
    ['IMAGE_ENDIAN', () => loadElf(patched({ 5: 2 }))],
    ['IMAGE_MACHINE', () => loadElf(patched({ 18: 62 }))],
    ['IMAGE_TYPE', () => loadElf(patched({ 16: 1 }))],
    ['IMAGE_TRUNCATED', () => loadElf(crypto.subarray(0, 30))],
    ['IMAGE_TRUNCATED', () => loadElf(crypto.subarray(0, crypto.length - 100))],
    ['IMAGE_TRUNCATED', () => loadElf(bareElf([{ address: 0, data: [1, 2, 3, 4] }]).subarray(0, -1))],
    ['IMAGE_OVERLAP', () => loadElf(bareElf([{ address: 0, data: [1, 2, 3, 4] }, { address: 3, data: [1] }]))],
    ['IMAGE_EMPTY', () => loadElf(bareElf([]))],
    ['none', () => loadElf(bareElf([{ address: 4, data: [1] }, { address: 0, data: [1, 2, 3, 4] }]))],
  ])('%s', (code, action) => {
    expect(codeOf(action)).toBe(code);
  });

  it('IMAGE_ARCHITECTURE for code built for ARMv7-M', () => {
    const aeabi = crypto.findIndex((_, k) => String.fromCharCode(...crypto.subarray(k, k + 6)) === 'aeabi\0');
    const arch = crypto.findIndex((byte, k) => k > aeabi && byte === 6 && crypto[k + 1] === 12 || (k > aeabi && byte === 6 && crypto[k + 1] === 11));
    expect(aeabi).toBeGreaterThan(0);
    expect(codeOf(() => loadElf(patched({ [arch + 1]: 10 })))).toBe('IMAGE_ARCHITECTURE');
  });

  it('IMAGE_OUTSIDE when the machine has no such memory', () => {
    const machine = createMachine({ core: 'cortex-m0', code: { size: 16 }, ram: { size: 16 } });
    expect(codeOf(() => { machine.loadImage(image); })).toBe('IMAGE_OUTSIDE');
    expect(codeOf(() => { machine.loadImage(loadBinary(new Uint8Array(4), 14)); })).toBe('IMAGE_OUTSIDE');
    expect(codeOf(() => { machine.loadImage(loadBinary(new Uint8Array(4), 0x2000000e)); })).toBe('IMAGE_OUTSIDE');
    expect(codeOf(() => { machine.loadImage(loadBinary(new Uint8Array(16), 0x20000000)); })).toBe('none');
  });
});

describe('Intel HEX', () => {
  const hex = (...lines: string[]): Uint8Array => new TextEncoder().encode(`${lines.join('\r\n')}\r\n`);

  it('joins records and follows extended addresses', () => {
    const image = loadHex(hex(':0400000001020304F2', ':020004000506EF', ':020000042000DA', ':01000000AA55', ':020000021000EC', ':01000000BB44', ':00000001FF'));
    expect(image.segments.map((s) => [s.address, [...s.data]])).toEqual([
      [0, [1, 2, 3, 4, 5, 6]],
      [0x10000, [0xbb]],
      [0x20000000, [0xaa]],
    ]);
  });

  it.each([
    ['IMAGE_FORMAT', [':00000001FF'.replace(':', 'x')]],
    ['IMAGE_FORMAT', [':0000000AF6', ':00000001FF']],
    ['IMAGE_TRUNCATED', [':0400000001020304F2']],
    ['IMAGE_TRUNCATED', [':0500000001020304F1', ':00000001FF']],
    ['IMAGE_CHECKSUM', [':0400000001020304F3', ':00000001FF']],
    ['IMAGE_EMPTY', [':00000001FF']],
    ['IMAGE_OVERLAP', [':0400000001020304F2', ':010003000AF2', ':00000001FF']],
  ])('%s', (code, lines) => {
    expect(codeOf(() => loadHex(hex(...lines)))).toBe(code);
  });
});

describe('the kind of an image', () => {
  it('is told by its content', () => {
    expect(loadImage(crypto).format).toBe('elf');
    expect(loadImage(new TextEncoder().encode(':0400000001020304F2\n:00000001FF\n')).format).toBe('hex');
    expect(loadImage(Uint8Array.of(0, 0x10, 0, 0x20)).format).toBe('bin');
    expect(codeOf(() => loadBinary(new Uint8Array(0)))).toBe('IMAGE_EMPTY');
  });
});
