import { WASM, type WasmMemory } from './webassembly.js';

/**
 * Byte offsets at the start of the memory that machine and translated code share. ACC is the packed budget: cycles
 * left (signed) in the low word, minus the number of instructions done in the high word.
 */
export const HEAD = { ACC: 0, EXIT: 8, SP_WATCH: 12, WINDOW: 16, RAM_CODE_FIRST: 20, RAM_CODE_WORDS: 24, NZ: 32, C: 36, V: 40, R: 64 } as const;

const MAP = 256;
const PAGE = 65536;

/** Where the parts of a machine lie in its memory, byte offsets. */
export interface Layout {
  /** Slot number of each halfword of code that begins a translated region, 16 bits each; 0 for the others. */
  readonly map: number;
  readonly code: number;
  readonly window: number;
  readonly ram: number;
  readonly bytes: number;
}

/** Sizes of what lies in a machine's memory, bytes. */
export interface Sizes {
  readonly code: number;
  readonly window: number;
  readonly ram: number;
}

/** Lays the parts out. */
export function layoutOf(sizes: Sizes): Layout {
  const align = (offset: number): number => (offset + 63) & ~63;
  const code = align(MAP + sizes.code);
  const window = align(code + sizes.code);
  const ram = align(window + sizes.window);
  return { map: MAP, code, window, ram, bytes: align(ram + sizes.ram) };
}

/**
 * Memory of a machine that can run translated code: registers, code, RAM and a read-only window (the EEPROM) in one
 * WebAssembly memory that never grows, so that views of it stay valid.
 */
export class MachineMemory {
  readonly wasm: WasmMemory;
  readonly layout: Layout;
  readonly sizes: Sizes;
  readonly head: Int32Array;
  readonly r: Int32Array;
  readonly map: Uint16Array;
  readonly code: Uint8Array;
  readonly window: Uint8Array;
  readonly ram: Uint8Array;

  constructor(sizes: Sizes) {
    this.sizes = sizes;
    this.layout = layoutOf(sizes);
    const pages = Math.ceil(this.layout.bytes / PAGE);
    this.wasm = new WASM.Memory({ initial: pages, maximum: pages });
    const { buffer } = this.wasm;
    this.head = new Int32Array(buffer, 0, HEAD.R / 4);
    this.r = new Int32Array(buffer, HEAD.R, 16);
    this.map = new Uint16Array(buffer, this.layout.map, sizes.code / 2);
    this.code = new Uint8Array(buffer, this.layout.code, sizes.code);
    this.window = new Uint8Array(buffer, this.layout.window, sizes.window);
    this.ram = new Uint8Array(buffer, this.layout.ram, sizes.ram);
  }
}
