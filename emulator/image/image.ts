/** Bytes of an image at their load address. */
export interface ImageSegment {
  readonly address: number;
  readonly data: Uint8Array;
}

/** A symbol of the image. */
export interface ImageSymbol {
  readonly name: string;
  /** Thumb bit removed. */
  readonly address: number;
  /** Bytes; 0 where the assembler source gives none. */
  readonly size: number;
  readonly kind: 'function' | 'object' | 'other';
}

/** A row of the line table: from `address` to the next row's address the code comes from `file:line`. */
export interface ImageLine {
  readonly address: number;
  /** Source file as the compiler recorded it; empty for a gap. */
  readonly file: string;
  readonly line: number;
}

/** A program ready to be loaded. */
export interface Image {
  readonly format: 'elf' | 'hex' | 'bin';
  /** Sorted by address, without overlaps. */
  readonly segments: readonly ImageSegment[];
  readonly symbols: readonly ImageSymbol[];
  /** Sorted by address. */
  readonly lines: readonly ImageLine[];
}

/** Index of the last element whose address is not above `address`; -1 when there is none. */
function lastAtOrBelow(sorted: readonly { readonly address: number }[], address: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle].address <= address) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Look-up from addresses to symbols and source lines, and from names to addresses. */
export class SymbolTable {
  readonly #functions: readonly ImageSymbol[];
  readonly #byName: ReadonlyMap<string, ImageSymbol>;
  readonly #lines: readonly ImageLine[];

  constructor(symbols: readonly ImageSymbol[], lines: readonly ImageLine[]) {
    this.#functions = symbols.filter((s) => s.kind === 'function').sort((a, b) => a.address - b.address || a.size - b.size);
    this.#byName = new Map(symbols.map((s) => [s.name, s]));
    this.#lines = lines;
  }

  /** Function that holds `address`; one without a size reaches to the next. */
  functionAt(address: number): ImageSymbol | undefined {
    const found = this.#functions[lastAtOrBelow(this.#functions, address)] as ImageSymbol | undefined;
    if (found === undefined) return undefined;
    return found.size === 0 || address < found.address + found.size ? found : undefined;
  }

  /** Symbol of that name. */
  find(name: string): ImageSymbol | undefined {
    return this.#byName.get(name);
  }

  /** Source line of `address`. */
  lineAt(address: number): ImageLine | undefined {
    const found = this.#lines[lastAtOrBelow(this.#lines, address)] as ImageLine | undefined;
    return found === undefined || found.file === '' ? undefined : found;
  }
}
