import { concat, uintBytes } from '../codec/index.js';
import { TlvReader, writeTlv } from '../codec/tlv.js';
import type { PurseAlteration, PurseElement } from '../../scenarios/index.js';
import { BenchError } from '../world/errors.js';

/** Tags of the elements by name. */
const tags: Readonly<Record<PurseElement, number>> = {
  amount: 0xd0, 'challenge-id': 0xd1, g1: 0xd2, g2: 0xd3, 'protected-challenge': 0xd4, 'payee-id': 0xd5, 'public-key': 0xd6, 'ca-signature': 0xd7,
  'issued-amount': 0xd8, 'issue-number': 0xd9, 'issuer-signature': 0xda, payment: 0xdb, r1: 0xdc, state: 0xdd, 'third-party-signature': 0xde,
};

interface Part { readonly tag: number; readonly content: Uint8Array }

function taken(bytes: Uint8Array): { readonly tag: number; readonly parts: readonly Part[] } {
  const reader = new TlvReader(bytes);
  const outer = reader.next();
  const inside = reader.inside(outer);
  const parts: Part[] = [];
  while (!inside.done) {
    const { tag, content } = inside.next();
    parts.push({ tag, content });
  }
  return { tag: outer.tag, parts };
}

const together = (tag: number, parts: readonly Part[]): Uint8Array => writeTlv(tag, concat(...parts.map((part) => writeTlv(part.tag, part.content))));

function flipped(content: Uint8Array, at: number): Uint8Array {
  const copy = content.slice();
  copy[at] ^= 0x01;
  return copy;
}

/**
 * An object with something changed on its way; nothing is signed again.
 * @param objectOf objects by name, for what is taken from another one
 * Throws BenchError BENCH_PREPARE when the object has not what is to be changed.
 */
export function alterObject(bytes: Uint8Array, alteration: PurseAlteration, objectOf: (name: string) => Uint8Array): Uint8Array {
  const { tag, parts } = taken(bytes);
  if (!('element' in alteration)) {
    const [first, second, ...rest] = parts;
    if (alteration.change === 'append') return together(tag, [...parts, { tag: 0xdd, content: Uint8Array.of(1) }]);
    return together(tag, alteration.change === 'leave-out' ? parts.slice(1) : [second, first, ...rest]);
  }
  const wanted = tags[alteration.element];
  const old = parts.find((part) => part.tag === wanted);
  if (!old) throw new BenchError('BENCH_PREPARE', `the object has no ${alteration.element} to alter`);
  const content = contentOf(old, alteration, objectOf);
  return together(tag, parts.map((part) => (part === old ? { tag: wanted, content } : part)));
}

function contentOf({ tag, content }: Part, alteration: Extract<PurseAlteration, { element: PurseElement }>, objectOf: (name: string) => Uint8Array): Uint8Array {
  switch (alteration.change) {
    case 'flip': return flipped(content, content.length - 1);
    case 'flip-first': return flipped(content, 0);
    case 'set': return uintBytes(alteration.to, content.length);
    case 'from': {
      const other = taken(objectOf(alteration.object)).parts.find((part) => part.tag === tag);
      if (!other) throw new BenchError('BENCH_PREPARE', `${alteration.object} has no ${alteration.element}`);
      return other.content;
    }
  }
}
