import { concat, toHex, uintBytes, uintOf } from './bytes.js';
import { CodecError } from './errors.js';
import { TlvReader, tagName, writeTlv } from './tlv.js';
import type { Tlv } from './tlv.js';

/** Reads and writes one part of an object; `write` is the exact inverse of `read`. */
export interface Part<T> {
  read(reader: TlvReader): T;
  write(value: T): Uint8Array;
}

/** A whole object with its template tag. */
export interface ObjectCodec<T> extends Part<T> {
  readonly tag: number;
  /** Decodes exactly one object and nothing after it. Throws CodecError with the offset. */
  decode(bytes: Uint8Array): T;
  /** Encodes an object. Throws CodecError when a member is out of range. */
  encode(value: T): Uint8Array;
  /** The encoded elements before the signature 92: what is signed, without label and context (1.3). */
  encodeUnsigned(value: Omit<T, 'signature'>): Uint8Array;
}

/** Length rule of an element: every allowed length in bytes, or a range. */
export type LengthRule = readonly number[] | { readonly min: number; readonly max: number };

function allowed(rule: LengthRule, length: number): boolean {
  return 'min' in rule ? length >= rule.min && length <= rule.max : (rule).includes(length);
}

function checkLength(what: string, rule: LengthRule, length: number, offset?: number): void {
  if (allowed(rule, length)) return;
  const expected = 'min' in rule ? `${rule.min}-${rule.max}` : rule.join(' or ');
  throw new CodecError('ELEMENT_LENGTH', `${what}: expected ${expected} bytes, got ${length}`, offset);
}

/** A primitive element: the content is turned into a value by `from`, and back by `to`. */
export function element<T>(
  tag: number, what: string, rule: LengthRule,
  from: (content: Uint8Array, at: Tlv) => T, to: (value: T) => Uint8Array,
): Part<T> {
  return {
    read(reader) {
      const tlv = reader.expect(tag, what);
      checkLength(what, rule, tlv.content.length, tlv.contentOffset);
      return from(tlv.content, tlv);
    },
    write(value) {
      const content = to(value);
      checkLength(what, rule, content.length);
      return writeTlv(tag, content);
    },
  };
}

/** Raw bytes of the lengths allowed. */
export function bytesElement(tag: number, what: string, rule: LengthRule): Part<Uint8Array> {
  return element(tag, what, rule, (content) => content, (value) => value);
}

/** Big-endian unsigned integer of `size` bytes within min..max (default: the whole range). */
export function uintElement(tag: number, what: string, size: number, min = 0, max = 2 ** (8 * size) - 1): Part<number> {
  const check = (value: number, offset?: number): number => {
    if (value < min || value > max)
      throw new CodecError('ELEMENT_VALUE', `${what}: expected ${min}-${max}, got ${value}`, offset);
    return value;
  };
  return element(tag, what, [size], (content, at) => check(uintOf(content), at.contentOffset),
    (value) => uintBytes(check(value), size));
}

/** UTF-8 text; the lengths are bytes. */
export function textElement(tag: number, what: string, min: number, max: number): Part<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const from = (content: Uint8Array, at: Tlv): string => {
    try {
      return decoder.decode(content);
    } catch {
      throw new CodecError('ELEMENT_TEXT', `${what}: not well-formed UTF-8`, at.contentOffset);
    }
  };
  const to = (value: string): Uint8Array => {
    const content = new TextEncoder().encode(value);
    if (decoder.decode(content) !== value) throw new CodecError('ELEMENT_TEXT', `${what}: a surrogate stands alone`);
    return content;
  };
  return element(tag, what, { min, max }, from, to);
}

/** An element whose content is one of a few byte strings of equal length (hex), each with a name. */
export function namedElement<N extends string | number>(tag: number, what: string, names: readonly (readonly [string, N])[]): Part<N> {
  const size = (names[0]?.[0].length ?? 0) / 2;
  const from = (content: Uint8Array, at: Tlv): N => {
    const found = names.find(([hex]) => hex === toHex(content));
    if (found) return found[1];
    throw new CodecError('ELEMENT_VALUE', `${what}: ${toHex(content)} has no meaning`, at.contentOffset);
  };
  const to = (value: N): Uint8Array => {
    const found = names.find(([, name]) => name === value);
    if (!found) throw new CodecError('ELEMENT_VALUE', `${what}: ${String(value)} is not one of its names`);
    return Uint8Array.from({ length: size }, (_, i) => parseInt(found[0].slice(2 * i, 2 * i + 2), 16));
  };
  return element(tag, what, [size], from, to);
}

/** Members of a template in the order of their elements. */
type Parts<T> = { readonly [K in keyof T]: Part<T[K]> };

/** Rules of a template beyond its elements. */
export interface TemplateRules<T> {
  /** Most bytes the encoded object may have. */
  readonly max?: number;
  /** Says what does not fit together, undefined when all does. */
  readonly check?: (value: T) => string | undefined;
}

/** Reads and writes the members of an object in order, without tag and length around them. */
export function sequence<T extends object>(parts: Parts<T>): Part<T> {
  const names = Object.keys(parts) as (keyof T & string)[];
  return {
    read: (reader) => Object.fromEntries(names.map((name) => [name, parts[name].read(reader)])) as T,
    write: (value) => concat(...names.map((name) => parts[name].write(value[name]))),
  };
}

/** A constructed object: tag, then the given part as its whole content. */
export function constructed<T>(tag: number, what: string, body: Part<T>, rules: TemplateRules<T> = {}): Part<T> {
  const max = rules.max ?? 0xffff;
  const check = (value: T, offset?: number): T => {
    const fault = rules.check?.(value);
    if (fault !== undefined) throw new CodecError('OBJECT_INCONSISTENT', `${what}: ${fault}`, offset);
    return value;
  };
  const checkSize = (size: number, offset?: number): void => {
    if (size > max) throw new CodecError('TLV_TOO_LARGE', `${what}: ${size} bytes, at most ${max}`, offset);
  };
  return {
    read(reader) {
      const outer = reader.expect(tag, what);
      checkSize(reader.offset - outer.offset, outer.offset);
      const inside = reader.inside(outer);
      const value = body.read(inside);
      inside.finish(what);
      return check(value, outer.offset);
    },
    write(value) {
      const encoded = writeTlv(tag, body.write(check(value)));
      checkSize(encoded.length);
      return encoded;
    },
  };
}

/** Makes a whole object of a part: adds decode, encode and the unsigned form. */
export function wholeObject<T>(
  tag: number, what: string, part: Part<T>, unsigned: (value: Omit<T, 'signature'>) => Uint8Array,
): ObjectCodec<T> {
  return {
    tag,
    ...part,
    decode(bytes) {
      const reader = new TlvReader(bytes);
      const value = part.read(reader);
      reader.finish(`${what} (tag ${tagName(tag)})`);
      return value;
    },
    encode: (value) => part.write(value),
    encodeUnsigned: unsigned,
  };
}

/** A template of docs/protocol.md 1.2: its elements in exactly this order, each once, nothing else. */
export function template<T extends object>(
  tag: number, what: string, parts: Parts<T>, rules: TemplateRules<T> = {},
): ObjectCodec<T> {
  const names = Object.keys(parts).filter((name) => name !== 'signature') as (keyof T & string)[];
  const unsigned = (value: Omit<T, 'signature'>): Uint8Array =>
    concat(...names.map((name) => parts[name].write((value as T)[name])));
  return wholeObject(tag, what, constructed(tag, what, sequence(parts), rules), unsigned);
}
