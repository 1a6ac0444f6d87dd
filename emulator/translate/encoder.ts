/** Opcodes and types of the WebAssembly binary format (W3C, WebAssembly Core 2.0, section 5; tail calls) that the translator emits. */
export const OP = {
  BLOCK: 0x02, LOOP: 0x03, IF: 0x04, ELSE: 0x05, END: 0x0b, BR: 0x0c, BR_IF: 0x0d, RETURN: 0x0f,
  CALL_INDIRECT: 0x11, RETURN_CALL: 0x12, RETURN_CALL_INDIRECT: 0x13, SELECT: 0x1b,
  LOCAL_GET: 0x20, LOCAL_SET: 0x21, LOCAL_TEE: 0x22,
  I32_LOAD: 0x28, I64_LOAD: 0x29, I32_LOAD8_S: 0x2c, I32_LOAD8_U: 0x2d, I32_LOAD16_S: 0x2e, I32_LOAD16_U: 0x2f,
  I32_STORE: 0x36, I64_STORE: 0x37, I32_STORE8: 0x3a, I32_STORE16: 0x3b, I32_CONST: 0x41, I64_CONST: 0x42,
  I32_EQZ: 0x45, I32_EQ: 0x46, I32_NE: 0x47, I32_LT_S: 0x48, I32_LT_U: 0x49, I32_GT_S: 0x4a, I32_GT_U: 0x4b,
  I32_LE_S: 0x4c, I32_LE_U: 0x4d, I32_GE_S: 0x4e, I32_GE_U: 0x4f,
  I32_ADD: 0x6a, I32_SUB: 0x6b, I32_MUL: 0x6c, I32_AND: 0x71, I32_OR: 0x72, I32_XOR: 0x73,
  I32_SHL: 0x74, I32_SHR_S: 0x75, I32_SHR_U: 0x76, I32_ROTL: 0x77, I32_ROTR: 0x78,
  I64_ADD: 0x7c, I64_SUB: 0x7d, I32_WRAP_I64: 0xa7, I64_EXTEND_I32_U: 0xad, I32_EXTEND8_S: 0xc0, I32_EXTEND16_S: 0xc1,
} as const;

/** Value types, and the empty block type. */
export const TYPE = { I32: 0x7f, I64: 0x7e, VOID: 0x40 } as const;

/** Bytes of WebAssembly code under construction. */
export class Code {
  #bytes = new Uint8Array(1024);
  #length = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** The bytes written; a view, valid until the next write. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Starts anew, keeping the room. */
  clear(): void {
    this.#length = 0;
  }

  #room(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  /** One byte: an opcode or a type. */
  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  /** An unsigned LEB128 number, 32 bits. */
  unsigned(value: number): void {
    this.#room(5);
    let rest = value >>> 0;
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A signed LEB128 number, any safe integer. */
  signed(value: number): void {
    this.#room(10);
    if ((value | 0) === value) {
      this.#signed32(value);
      return;
    }
    let rest = value;
    for (;;) {
      const low = ((rest % 128) + 128) % 128;
      rest = (rest - low) / 128;
      const done = (rest === 0 && low < 64) || (rest === -1 && low >= 64);
      this.#bytes[this.#length++] = done ? low : low | 128;
      if (done) return;
    }
  }

  #signed32(value: number): void {
    let rest = value;
    while (rest < -64 || rest > 63) {
      this.#bytes[this.#length++] = (rest & 127) | 128;
      rest >>= 7;
    }
    this.#bytes[this.#length++] = rest & 127;
  }

  /** All bytes of another piece of code. */
  append(other: Uint8Array): void {
    this.#room(other.length);
    this.#bytes.set(other, this.#length);
    this.#length += other.length;
  }

  /** A byte vector: its length, then its bytes. */
  vector(other: Uint8Array): void {
    this.unsigned(other.length);
    this.append(other);
  }

  /** A name. */
  name(text: string): void {
    this.vector(new TextEncoder().encode(text));
  }

  /** `i32.const`, the value taken modulo 2^32. */
  i32(value: number): void {
    this.byte(OP.I32_CONST);
    this.signed(value | 0);
  }

  /** `i64.const` of a safe integer. */
  i64(value: number): void {
    this.byte(OP.I64_CONST);
    this.signed(value);
  }

  /** `local.get`. */
  get(local: number): void {
    this.byte(OP.LOCAL_GET);
    this.unsigned(local);
  }

  /** `local.set`. */
  set(local: number): void {
    this.byte(OP.LOCAL_SET);
    this.unsigned(local);
  }

  /** `local.tee`. */
  tee(local: number): void {
    this.byte(OP.LOCAL_TEE);
    this.unsigned(local);
  }

  /** A load or store at the address on the stack plus `offset`; no alignment is promised. */
  memory(opcode: number, offset: number): void {
    this.byte(opcode);
    this.byte(0);
    this.unsigned(offset);
  }
}

/** A module from its sections, in order: number and content. */
export function encodeModule(sections: readonly (readonly [number, Code])[]): Uint8Array {
  const module = new Code();
  for (const byte of [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) module.byte(byte);
  for (const [number, content] of sections) {
    module.byte(number);
    module.vector(content.bytes);
  }
  return module.bytes.slice();
}

/** A section or vector built by a function. */
export function section(build: (code: Code) => void): Code {
  const code = new Code();
  build(code);
  return code;
}
