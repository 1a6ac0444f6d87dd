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

/** Structured-clonable translations, for `postMessage` to a worker. */
export interface TranslationHandle {
  readonly version: number;
  /** What each set of modules was translated for: configuration and code. */
  readonly codes: readonly { readonly configuration: string; readonly code: Int32Array; readonly units: readonly TranslatedUnit[] }[];
}

/** Counted with every change of what modules expect of the machine around them. */
const VERSION = 2;
/** Regions one code can have (slots are 16 bits wide), and bytes of WebAssembly for each of its bytes. */
const SLOT_BOUND = 0xffff;
const BYTES_BOUND = 64;

/** Translations of one code for one configuration, oldest first; only ever added to. */
export class CodeTranslations {
  readonly configuration: string;
  /** The code that was translated, word by word. */
  readonly code: Int32Array;
  readonly units: TranslatedUnit[] = [];
  readonly #loops = new Set<number>();
  readonly #entries = new Set<number>();
  #slots = 1;
  #bytes = 0;

  constructor(configuration: string, code: Int32Array) {
    this.configuration = configuration;
    this.code = code;
  }

  /** First free table slot; slot 0 comes back to the machine. */
  get slots(): number {
    return this.#slots;
  }

  /** True when `count` more regions may be translated. */
  roomFor(count: number): boolean {
    return this.#slots + count <= SLOT_BOUND && this.#bytes < BYTES_BOUND * this.code.byteLength;
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
    this.#bytes += unit.bytes;
  }
}

function isEqual(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false;
  return true;
}

/**
 * Translated code, shared by all machines it is given to: those with the same code, word for word, and the same
 * configuration use the same modules, whichever of them translated first. {@link handle} and {@link adopt} carry it
 * to a worker, where the modules run at full speed from the start.
 * @example
 * const translations = new Translations();
 * createChip({ profile, image, translations }).run(10_000_000);
 * new Worker(file, { workerData: translations.handle() }); // there: translations.adopt(workerData)
 */
export class Translations {
  readonly #codes: CodeTranslations[] = [];

  /** Translations of `code` for `configuration`; empty at first. */
  of(configuration: string, code: Int32Array): CodeTranslations {
    const known = this.find(configuration, code);
    if (known !== undefined) return known;
    const made = new CodeTranslations(configuration, code.slice());
    this.#codes.push(made);
    return made;
  }

  /** The same; undefined when nothing was translated yet. */
  find(configuration: string, code: Int32Array): CodeTranslations | undefined {
    return this.#codes.find((one) => one.configuration === configuration && isEqual(one.code, code));
  }

  /** What there is now, structured-clonable. */
  handle(): TranslationHandle {
    return { version: VERSION, codes: this.#codes.map(({ configuration, code, units }) => ({ configuration, code, units: [...units] })) };
  }

  /** Takes over what is not here yet; a handle of another version is left alone. @returns number of modules taken */
  adopt(handle: TranslationHandle): number {
    if (handle.version !== VERSION) return 0;
    let taken = 0;
    for (const { configuration, code, units } of handle.codes) {
      const own = this.of(configuration, code);
      if (own.units.length > 0) continue;
      for (const unit of units) own.add(unit);
      taken += units.length;
    }
    return taken;
  }
}

/** Compiles a module. */
export function compile(bytes: Uint8Array): WasmModule {
  return new WASM.Module(bytes);
}
