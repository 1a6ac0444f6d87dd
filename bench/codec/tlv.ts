import { concat } from './bytes.js';
import { CodecError } from './errors.js';

/** One BER-TLV element as found in an input. */
export interface Tlv {
  readonly tag: number;
  /** Offset of the tag byte in the whole input. */
  readonly offset: number;
  readonly content: Uint8Array;
  /** Offset of the first content byte in the whole input. */
  readonly contentOffset: number;
}

/** Two hex digits of a tag, for messages. */
export const tagName = (tag: number): string => tag.toString(16).toUpperCase().padStart(2, '0');

/** Encodes one element: one-byte tag, definite length in the shortest form. Throws TLV_TOO_LARGE over 65535 bytes. */
export function writeTlv(tag: number, content: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(tag), lengthBytes(content.length), content);
}

function lengthBytes(length: number): Uint8Array {
  if (length <= 0x7f) return Uint8Array.of(length);
  if (length <= 0xff) return Uint8Array.of(0x81, length);
  if (length <= 0xffff) return Uint8Array.of(0x82, length >> 8, length & 0xff);
  throw new CodecError('TLV_TOO_LARGE', `${length} bytes of content; at most 65535`);
}

/** Reads elements one after the other; offsets in errors count from the start of the whole input. */
export class TlvReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  /** Offset of the next unread byte. */
  get offset(): number {
    return this.#at;
  }

  /** True when nothing is left. */
  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** Tag of the next element, undefined at the end. */
  peek(): number | undefined {
    return this.done ? undefined : this.#bytes[this.#at];
  }

  /** Up to `count` bytes that come next, without reading them. */
  lookahead(count: number): Uint8Array {
    return this.#bytes.slice(this.#at, Math.min(this.#at + count, this.#end));
  }

  /** Reads the element that must come next. Throws TLV_MISSING, TLV_UNEXPECTED, TLV_TRUNCATED, TLV_LENGTH_FORM. */
  expect(tag: number, what: string): Tlv {
    const found = this.peek();
    if (found === undefined) throw new CodecError('TLV_MISSING', `${what} (tag ${tagName(tag)}) is missing`, this.#at);
    if (found !== tag) {
      const message = `expected ${what} (tag ${tagName(tag)}), found tag ${tagName(found)}`;
      throw new CodecError('TLV_UNEXPECTED', message, this.#at);
    }
    return this.next();
  }

  /** Reads the next element whatever its tag. Throws TLV_TRUNCATED, TLV_LENGTH_FORM. */
  next(): Tlv {
    const offset = this.#at;
    const tag = this.#byte();
    const length = this.#length();
    const contentOffset = this.#at;
    if (contentOffset + length > this.#end) {
      const message = `tag ${tagName(tag)} announces ${length} bytes, ${this.#end - contentOffset} are there`;
      throw new CodecError('TLV_TRUNCATED', message, contentOffset);
    }
    this.#at = contentOffset + length;
    return { tag, offset, content: this.#bytes.slice(contentOffset, this.#at), contentOffset };
  }

  /** A reader of the content of a constructed element read before. */
  inside(outer: Tlv): TlvReader {
    return new TlvReader(this.#bytes, outer.contentOffset, outer.contentOffset + outer.content.length);
  }

  /** Throws TLV_TRAILING unless everything was read. */
  finish(what: string): void {
    if (!this.done)
      throw new CodecError('TLV_TRAILING', `${this.#end - this.#at} bytes too many after ${what}`, this.#at);
  }

  #byte(): number {
    if (this.done) throw new CodecError('TLV_TRUNCATED', 'the input ends inside a tag or length', this.#at);
    return this.#bytes[this.#at++] ?? 0;
  }

  #length(): number {
    const at = this.#at;
    const first = this.#byte();
    if (first <= 0x7f) return first;
    if (first !== 0x81 && first !== 0x82)
      throw new CodecError('TLV_LENGTH_FORM', `length form ${tagName(first)} is not used`, at);
    const length = first === 0x81 ? this.#byte() : this.#byte() * 256 + this.#byte();
    if (length <= (first === 0x81 ? 0x7f : 0xff))
      throw new CodecError('TLV_LENGTH_FORM', `length ${length} is not in its shortest form`, at);
    return length;
  }
}
