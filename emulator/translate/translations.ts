import { WASM, type WasmModule } from './webassembly.js';

/** A module of translated regions. */
export interface TranslatedUnit {
  readonly module: WasmModule;
  /** Table slot of the first region; the others follow. */
  readonly slot: number;
  /** Halfword index at which each region begins, in the order of their slots. */
  readonly entries: readonly number[];
  /** Halfword indices of loop heads inside the regions. */
  readonly heads: readonly number[];
  /** Entries that are heads of loops themselves: other regions end there. */
  readonly loops: readonly number[];
  /** Runs of halfwords that the regions hold, for each: first and behind the last, one pair after the other. */
  readonly own: readonly number[];
  /** The same for calls taken in. */
  readonly inlined: readonly number[];
  /** Bytes of WebAssembly. */
  readonly bytes: number;
}

/** Structured-clonable translations, for `postMessage` to a worker: modules by the key of what they were translated for. */
export interface TranslationHandle {
  readonly version: number;
  readonly codes: readonly (readonly [string, readonly TranslatedUnit[]])[];
}

/** Counted with every change of what modules expect of the machine around them. */
const VERSION = 1;

/** Translations of one code for one configuration, oldest first; only ever added to. */
export class CodeTranslations {
  readonly units: TranslatedUnit[] = [];
  readonly #loops = new Set<number>();
  readonly #entries = new Set<number>();
  #slots = 1;

  /** First free table slot; slot 0 comes back to the machine. */
  get slots(): number {
    return this.#slots;
  }

  /** True when a region begins at halfword `index`. */
  has(index: number): boolean {
    return this.#entries.has(index);
  }

  /** True when a region begins at halfword `index` that is the head of a loop. */
  isLoop(index: number): boolean {
    return this.#loops.has(index);
  }

  /** Takes a unit over; its slots must be the next ones. */
  add(unit: TranslatedUnit): void {
    this.units.push(unit);
    for (const entry of unit.entries) this.#entries.add(entry);
    for (const entry of unit.loops) this.#loops.add(entry);
    this.#slots = unit.slot + unit.entries.length;
  }
}

/**
 * Translated code, shared by all machines it is given to: those with the same code and configuration use the same
 * modules, whichever of them translated first. {@link handle} and {@link adopt} carry it to a worker, where
 * the modules run at full speed from the start.
 * @example
 * const translations = new Translations();
 * createChip({ profile, image, translations }).run(10_000_000);
 * new Worker(file, { workerData: translations.handle() }); // there: translations.adopt(workerData)
 */
export class Translations {
  readonly #codes = new Map<string, CodeTranslations>();

  /** Translations of one code; empty at first. */
  of(key: string): CodeTranslations {
    const known = this.#codes.get(key);
    if (known !== undefined) return known;
    const made = new CodeTranslations();
    this.#codes.set(key, made);
    return made;
  }

  /** True when something was translated for this key. */
  has(key: string): boolean {
    return (this.#codes.get(key)?.units.length ?? 0) > 0;
  }

  /** True when nothing was translated yet. */
  get empty(): boolean {
    return [...this.#codes.values()].every(({ units }) => units.length === 0);
  }

  /** What there is now, structured-clonable. */
  handle(): TranslationHandle {
    return { version: VERSION, codes: [...this.#codes].map(([key, { units }]) => [key, [...units]]) };
  }

  /** Takes over what is not here yet; a handle of another version is left alone. @returns number of modules taken */
  adopt(handle: TranslationHandle): number {
    if (handle.version !== VERSION) return 0;
    let taken = 0;
    for (const [key, units] of handle.codes) {
      const code = this.of(key);
      if (code.units.length > 0) continue;
      for (const unit of units) code.add(unit);
      taken += units.length;
    }
    return taken;
  }
}

/** Runs of consecutive numbers: first and behind the last, one pair after the other. */
export function runsOf(indices: ReadonlySet<number>): number[] {
  const runs: number[] = [];
  for (const index of [...indices].sort((a, b) => a - b)) {
    if (runs.at(-1) === index) runs[runs.length - 1] = index + 1;
    else runs.push(index, index + 1);
  }
  return runs;
}

/** Compiles a module. */
export function compile(bytes: Uint8Array): WasmModule {
  return new WASM.Module(bytes);
}

/** Short name of some bytes: two 32-bit FNV-1a sums over words, from different starts. */
export function fingerprint(words: Int32Array): string {
  let a = 0x811c9dc5 | 0;
  let b = 0x050c5d1f;
  for (let k = 0; k < words.length; k++) {
    a = Math.imul(a ^ words[k], 0x01000193);
    b = Math.imul(b ^ ((words[k] >>> 16) | (words[k] << 16)), 0x01000193) + a | 0;
  }
  return `${(a >>> 0).toString(16)}-${(b >>> 0).toString(16)}`;
}
