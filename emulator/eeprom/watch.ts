import type { AccessSize, Cycles } from '../types.js';
import type { WeakPolicy } from './types.js';

/**
 * Something that depended on what a watched page holds, with how it came out. Two runs of one chip that differ in
 * nothing but the content of watched pages are the same as long as these are.
 */
export type WatchEvent =
  /** A read by the core or a bus master at cycle `now`; `value` is what it gave. */
  | { readonly kind: 'read'; readonly page: number; readonly offset: number; readonly size: AccessSize; readonly now: Cycles; readonly value: number }
  /** An operation was asked for (see `EepromArray.start`): which phases it got. */
  | {
    readonly kind: 'start'; readonly page: number; readonly command: number; readonly target: Uint8Array; readonly force: boolean;
    readonly now: Cycles; readonly erase: boolean; readonly program: boolean;
  }
  /**
   * The operation ended. `settled`: the page was erased and verified and has no weak cell left, so what it holds now
   * depends on nothing that it held before.
   */
  | { readonly kind: 'finish'; readonly page: number; readonly verified: boolean; readonly settled: boolean }
  /** Power goes at cycle `now`; told before the cells are torn. */
  | { readonly kind: 'cut'; readonly now: Cycles }
  /** A power session has begun on what the last one left. */
  | { readonly kind: 'power-on'; readonly policy: WeakPolicy };

/** Hears of watched pages; called synchronously. It may call `EepromArray.watch`. */
export type WatchListener = (event: WatchEvent) => void;
