import { concat, uintBytes, uintOf } from './bytes.js';
import { dayBytes, dayOf, elements } from './elements.js';
import type { ClassAndState } from './elements.js';
import { CodecError } from './errors.js';
import { element } from './schema.js';
import { TlvReader, writeTlv } from './tlv.js';

/** Days of a condition (docs/protocol.md 6.1): an offset from the date told, or two days of the calendar. */
export type ConditionWindow =
  | { readonly unit: 'days' | 'months'; readonly least: number; readonly most: number }
  | { readonly from: string; readonly to: string };
/** A term of a condition. */
export type ConditionTerm = (
  | { readonly about: 'class'; readonly classes: readonly number[] }
  | { readonly about: 'size' | 'vacant'; readonly least: number; readonly most: number }
  | { readonly about: 'valid' | 'begins' | 'ends' | 'held'; readonly window: ConditionWindow }
) & { readonly not?: true };
/** A value of the backup object list. */
export interface Extracted {
  readonly handle: number;
  readonly state: (ClassAndState & { readonly class: 'A' })['state'];
}

const tags = { class: 0xb1, size: 0xb2, vacant: 0xb3, valid: 0xb4, begins: 0xb5, ends: 0xb6, held: 0xb7 } as const;
/** Bit of a tag: the term must not hold. */
const NOT = 8;
const units = ['days', 'months'] as const;

/** Bytes of the terms of one condition at most. */
export const conditionBytes = 56;

/** Element B0: the day told with a command. */
export const dateElement = element<string>(0xb0, 'date', [4], (content, at) => dayOf(content, at.contentOffset), dayBytes);

const offset = (value: number): Uint8Array => {
  if (!Number.isInteger(value) || value < -0x8000 || value > 0x7fff) throw new CodecError('ELEMENT_VALUE', `offset: expected -32768 to 32767, got ${value}`);
  return uintBytes(value & 0xffff, 2);
};
const offsetOf = (bytes: Uint8Array): number => (uintOf(bytes) << 16) >> 16;

function windowBytes(window: ConditionWindow): Uint8Array {
  if ('from' in window) return concat(dayBytes(window.from), dayBytes(window.to));
  return concat(Uint8Array.of(units.indexOf(window.unit) + 1), offset(window.least), offset(window.most));
}

function windowOf(content: Uint8Array): ConditionWindow {
  if (content.length === 8) return { from: dayOf(content.slice(0, 4)), to: dayOf(content.slice(4)) };
  const unit = units[content[0] - 1] as (typeof units)[number] | undefined;
  if (content.length !== 5 || unit === undefined) throw new CodecError('ELEMENT_VALUE', `window of ${content.length} bytes, unit ${content[0]}`);
  return { unit, least: offsetOf(content.slice(1, 3)), most: offsetOf(content.slice(3)) };
}

function termBytes(term: ConditionTerm): Uint8Array {
  if (term.about === 'class') return Uint8Array.from(term.classes);
  return 'window' in term ? windowBytes(term.window) : concat(uintBytes(term.least, 4), uintBytes(term.most, 4));
}

/** The terms of a condition, encoded. Throws CodecError for members out of range; the length is not looked at. */
export const encodeCondition = (condition: readonly ConditionTerm[]): Uint8Array =>
  concat(...condition.map((term) => writeTlv(tags[term.about] | (term.not === true ? NOT : 0), termBytes(term))));

function termOf(tag: number, content: Uint8Array): ConditionTerm {
  const about = (Object.keys(tags) as (keyof typeof tags)[]).find((name) => tags[name] === (tag & ~NOT));
  const not = (tag & NOT) === 0 ? {} : { not: true as const };
  if (about === undefined) throw new CodecError('ELEMENT_VALUE', `no term has the tag ${tag.toString(16)}`);
  if (about === 'class') return { about, classes: [...content], ...not };
  if (about !== 'size' && about !== 'vacant') return { about, window: windowOf(content), ...not };
  if (content.length !== 8) throw new CodecError('ELEMENT_LENGTH', `${about}: expected 8 bytes, got ${content.length}`);
  return { about, least: uintOf(content.slice(0, 4)), most: uintOf(content.slice(4)), ...not };
}

/** The terms of a condition. Throws CodecError. */
export function decodeCondition(bytes: Uint8Array): readonly ConditionTerm[] {
  const reader = new TlvReader(bytes);
  const terms: ConditionTerm[] = [];
  while (!reader.done) {
    const tag = reader.peek() ?? 0;
    terms.push(termOf(tag, reader.expect(tag, 'term').content));
  }
  return terms;
}

/** Answer to EXTRACT: the values, and the position to go on from. Throws CodecError. */
export function decodeExtracted(data: Uint8Array): { readonly entries: readonly Extracted[]; readonly next: number | undefined } {
  const reader = new TlvReader(data);
  const entries: Extracted[] = [];
  while (reader.peek() === 0x8b) {
    const handle = elements.handle.read(reader);
    const state = elements.classAndState.read(reader);
    if (state.class !== 'A') throw new CodecError('ELEMENT_VALUE', `item ${handle} is no value`);
    entries.push({ handle, state: state.state });
  }
  const next = reader.done ? undefined : elements.position.read(reader);
  reader.finish('the backup object list');
  return { entries, next };
}
