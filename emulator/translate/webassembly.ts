/**
 * The part of the JavaScript API of WebAssembly (W3C, WebAssembly JavaScript Interface) that the translator
 * uses; the compiler's own library describes it only for browsers.
 */

/** A compiled module; structured-clonable. */
export type WasmModule = object & { readonly __wasmModule?: never };

/** Linear memory. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** Table of functions. */
export interface WasmTable {
  readonly length: number;
  grow(by: number): number;
}

/** An instance and what it exports. */
export interface WasmInstance {
  readonly exports: Readonly<Record<string, (...args: number[]) => void>>;
}

interface WasmApi {
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (module: WasmModule, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>) => WasmInstance;
  readonly Memory: new (limits: { readonly initial: number; readonly maximum: number }) => WasmMemory;
  readonly Table: new (limits: { readonly initial: number; readonly element: 'anyfunc' }) => WasmTable;
}

/** The engine's WebAssembly. */
export const WASM: WasmApi = (globalThis as unknown as { readonly WebAssembly: WasmApi }).WebAssembly;
