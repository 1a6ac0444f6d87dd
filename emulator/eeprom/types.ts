import type { Cycles } from '../types.js';
import type { PageOperation } from './cells.js';

/**
 * What weak cells read after a power cut. 'new' is the value the cut phase was driving the cell to, 'old' the
 * one it came from.
 * - `new`, `old`: every weak cell alike, stable.
 * - `flip`: every weak cell as `base` (default `new`), only cell number `index` (all weak cells of the NVM counted
 *   in the order of page and bit) the other way; stable.
 * - `random`: drawn at each read from charge, offset and noise, by `seed`.
 * - `unstable`: valid, then invalid: each byte that holds weak cells gives the new value at its first `reads` reads
 *   (default 1) of the power session and the old value ever after; every byte counts its own reads, a word access
 *   reads four bytes, and the controller's own reads (needless-phase check, verify) count too.
 */
export type WeakPolicy =
  | { readonly kind: 'new' }
  | { readonly kind: 'old' }
  | { readonly kind: 'flip'; readonly index: number; readonly base?: 'new' | 'old' }
  | { readonly kind: 'random'; readonly seed: number }
  | { readonly kind: 'unstable'; readonly reads?: number };

/** Weak cells of one page; treated as immutable. */
export interface WeakPage {
  readonly page: number;
  /** Cell numbers within the page (byte * 8 + bit), ascending. */
  readonly bits: Uint16Array;
  /** Charge of each, strictly between 0 (programmed) and 1 (erased). */
  readonly charge: Float64Array;
  /** 1: the cut phase was driving the cell to erased; 0: to programmed. */
  readonly toErased: Uint8Array;
}

/** Everything that outlives a power session: a value, structured-clonable, treated as immutable. */
export interface NvmState {
  /** Whole EEPROM; weak cells hold their old value. */
  readonly bytes: Uint8Array;
  /** Pages with weak cells, ascending by page. */
  readonly weak: readonly WeakPage[];
  /** Pages whose last erase was cut, ascending: their next operation has wider weak windows. */
  readonly torn: readonly number[];
  /** Operations each page has had. */
  readonly cycles: Uint32Array;
  /** Power sessions so far. */
  readonly sessions: number;
  /** Cells with an injected defect; absent when there are none. */
  readonly faulty?: readonly FaultyCell[];
}

/** A cell with a defect, and where it has shown so far: plain data. */
export interface FaultyCell {
  readonly page: number;
  /** Number within the page (byte * 8 + bit). */
  readonly bit: number;
  /** What it reads for ever; absent: it leaks, as a weak cell that drifts until its page is written again. */
  readonly stuck?: 0 | 1;
  /** What it would read were it sound. */
  readonly good: 0 | 1;
  /** Reads by core, coprocessor or controller that gave another value than that. */
  readonly wrongReads: number;
  /** Page operations that did not read back as intended. */
  readonly failedOperations: number;
}

/** One operation on a page, as logged when it ended or was cut. */
export interface WriteRecord {
  readonly page: number;
  readonly start: Cycles;
  /** First cycle of the program phase; equals `start` without an erase phase. */
  readonly programStart: Cycles;
  /** Cycle of the end, or of the cut. */
  readonly end: Cycles;
  readonly phases: 'erase' | 'program' | 'erase+program';
  /** Power went before the end. */
  readonly cut: boolean;
  /** The page read as intended afterwards (false for a cut one). */
  readonly verified: boolean;
  /** Page before and after; weak cells with their old value. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  /** The operation itself, for `CellModel.edges`. */
  readonly operation: PageOperation;
}
