import type { AccessSize } from '../types.js';
import type { FaultyCell } from './types.js';

interface Cell {
  readonly page: number;
  readonly bit: number;
  readonly stuck: 0 | 1 | undefined;
  good: 0 | 1;
  wrongReads: number;
  failedOperations: number;
}

/** The defective cells of an EEPROM; counts where they show. Empty (and then free) unless a fault was injected. */
export class FaultyCells {
  readonly #pageBytes: number;
  #cells: Cell[];

  /** `cells` are those an earlier session left. */
  constructor(pageBytes: number, cells: readonly FaultyCell[] = []) {
    this.#pageBytes = pageBytes;
    this.#cells = cells.map(({ page, bit, stuck, good, wrongReads, failedOperations }) => ({ page, bit, stuck, good, wrongReads, failedOperations }));
  }

  /** Pages with defective cells. */
  get pages(): readonly number[] { return this.#cells.map(({ page }) => page); }

  /** A copy, undefined when there are none. */
  list(): readonly FaultyCell[] | undefined {
    if (this.#cells.length === 0) return undefined;
    return this.#cells.map(({ stuck, ...cell }) => ({ ...cell, ...(stuck === undefined ? {} : { stuck }) }));
  }

  /** Adds a cell that reads `good` now. */
  add(page: number, bit: number, good: 0 | 1, stuck?: 0 | 1): void {
    this.#cells.push({ page, bit, stuck, good, wrongReads: 0, failedOperations: 0 });
  }

  /** A page was written: `bytes` (the whole memory) holds what sound cells would hold now, and gets what stuck ones give. */
  settle(page: number, bytes: Uint8Array): void {
    for (const cell of this.#cells) {
      if (cell.page !== page) continue;
      const at = page * this.#pageBytes + (cell.bit >> 3);
      cell.good = bitOf(bytes[at], cell.bit);
      bytes[at] = this.#shown(cell, bytes[at]);
    }
  }

  /** What a read of `size` bytes at `offset` gives instead of `value`. */
  read(offset: number, size: AccessSize, value: number): number {
    let seen = value;
    for (const cell of this.#cells) {
      const byte = cell.page * this.#pageBytes + (cell.bit >> 3) - offset;
      if (byte < 0 || byte >= size) continue;
      const shift = 8 * byte;
      const shown = this.#read(cell, (seen >>> shift) & 0xff);
      seen = ((seen & ~(0xff << shift)) | (shown << shift)) >>> 0;
    }
    return seen;
  }

  /** What the controller reads of a page instead of `bytes`, in place. */
  readPage(page: number, bytes: Uint8Array): void {
    for (const cell of this.#cells) if (cell.page === page) bytes[cell.bit >> 3] = this.#read(cell, bytes[cell.bit >> 3]);
  }

  /** An operation on a page did not read back as intended. */
  failed(page: number): void {
    for (const cell of this.#cells) if (cell.page === page) cell.failedOperations++;
  }

  #read(cell: Cell, byte: number): number {
    const shown = this.#shown(cell, byte);
    if (bitOf(shown, cell.bit) !== cell.good) cell.wrongReads++;
    return shown;
  }

  #shown(cell: Cell, byte: number): number {
    if (cell.stuck === undefined) return byte;
    const mask = 1 << (cell.bit & 7);
    return cell.stuck === 1 ? byte | mask : byte & ~mask;
  }
}

function bitOf(byte: number, bit: number): 0 | 1 {
  return ((byte >> (bit & 7)) & 1) as 0 | 1;
}
