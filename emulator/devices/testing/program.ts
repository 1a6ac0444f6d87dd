import type { Image } from '../../image/image.js';

/** Where a test program's initial stack pointer is, unless told otherwise. */
const STACK_TOP = 0x20000800;
const VECTORS = 48;
const START = VECTORS * 4;

/**
 * A small Thumb assembler for chip tests: straight code with labels, a literal pool at the end. Registers by number
 * (0 to 7). Every method returns the program.
 */
export class Program {
  readonly #code: number[] = [];
  readonly #literals: { at: number; value: number }[] = [];
  readonly #labels = new Map<string, number>();
  readonly #branches: { at: number; label: string; condition: number | undefined }[] = [];
  readonly #vectors = new Map<number, string>();
  readonly #stack: number;

  /** `stack` is the initial SP. */
  constructor(stack = STACK_TOP) {
    this.#stack = stack;
  }

  /** Marks this place. */
  label(name: string): this {
    this.#labels.set(name, START + 2 * this.#code.length);
    return this;
  }

  /** Halfwords as they are. */
  raw(...halfwords: readonly number[]): this {
    this.#code.push(...halfwords);
    return this;
  }

  /** Register = constant. */
  load(register: number, value: number): this {
    this.#literals.push({ at: this.#code.length, value });
    return this.raw(0x4800 | (register << 8));
  }

  /** Word at `address` = constant; uses r0 and r1. */
  write(address: number, value: number): this {
    return this.load(0, address).load(1, value).raw(0x6001);
  }

  /** `register` = word at `address`; uses r0. */
  read(register: number, address: number): this {
    return this.load(0, address).raw(0x6800 | register);
  }

  /** Word at `to` = word at `from`; uses r0 and r1. */
  copy(from: number, to: number): this {
    return this.read(1, from).load(0, to).raw(0x6001);
  }

  /** Waits until the word at `address` has a bit of `mask` (or none, with `clear`); uses r0 to r2. */
  wait(address: number, mask: number, clear = false): this {
    const name = `wait ${this.#code.length}`;
    return this.load(0, address).load(2, mask).label(name).raw(0x6801, 0x4211).branch(name, clear ? 1 : 0);
  }

  /** Branch to a label: always, or by condition code (0 EQ, 1 NE). */
  branch(label: string, condition?: number): this {
    this.#branches.push({ at: this.#code.length, label, condition });
    return this.raw(0);
  }

  /** WFI. */
  sleep(): this {
    return this.raw(0xbf30);
  }

  /** Sleeps for ever. */
  halt(): this {
    const name = `halt ${this.#code.length}`;
    return this.label(name).sleep().branch(name);
  }

  /** Interrupt `irq` is handled at `label`. */
  vector(irq: number, label: string): this {
    this.#vectors.set(16 + irq, label);
    return this;
  }

  /** The image. */
  image(): Image {
    const code = [...this.#code];
    for (const { at, label, condition } of this.#branches) {
      const offset = (this.#address(label) - (START + 2 * at + 4)) / 2;
      code[at] = condition === undefined ? 0xe000 | (offset & 0x7ff) : 0xd000 | (condition << 8) | (offset & 0xff);
    }
    if (code.length % 2 === 1) code.push(0xbf00);
    const pool = code.length;
    this.#literals.forEach(({ at, value }, i) => {
      const pc = (START + 2 * at + 4) & ~3;
      code[at] |= (START + 2 * (pool + 2 * i) - pc) / 4;
      code.push(value & 0xffff, (value >>> 16) & 0xffff);
    });
    const data = new Uint8Array(START + 2 * code.length);
    const view = new DataView(data.buffer);
    view.setUint32(0, this.#stack, true);
    for (let vector = 1; vector < VECTORS; vector++) view.setUint32(4 * vector, (START | 1) >>> 0, true);
    for (const [vector, label] of this.#vectors) view.setUint32(4 * vector, this.#address(label) | 1, true);
    code.forEach((halfword, i) => { view.setUint16(START + 2 * i, halfword, true); });
    const symbol = { name: 'main', address: START, size: 2 * code.length, kind: 'function' } as const;
    return { format: 'bin', segments: [{ address: 0, data }], symbols: [symbol], lines: [] };
  }

  #address(label: string): number {
    const address = this.#labels.get(label);
    if (address === undefined) throw new Error(`no label ${label}`);
    return address;
  }
}
