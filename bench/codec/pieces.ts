import { uintBytes, uintOf } from './bytes.js';
import { elements } from './elements.js';
import type { BackedKey, Variant } from './elements.js';
import { wrappedLengths } from './elements.js';
import { CodecError } from './errors.js';
import type { Credential, EmptyDigest, KeyDigest, ValueDigest } from './objects.js';
import { bytesElement, element, namedElement, template } from './schema.js';
import type { ObjectCodec, Part } from './schema.js';

/** Element C4: what comes first, dividing (coupling) or encrypting. */
export type SetOrder = 'divide-first' | 'encrypt-first';
/** Element C5: which piece of which set this is. */
export interface PieceIdentity {
  /** Sequence of the piece with index 1. */
  readonly set: number;
  /** From 1. */
  readonly index: number;
  readonly count: number;
  /** Bytes of the whole; 0 where it is not known. */
  readonly whole: number;
}
/** Element C6: into how many pieces, and which of them are deposited (bit i - 1 for index i). */
export interface Division {
  readonly count: number;
  readonly wanted: number;
}
/** Element C7: how a key is divided; any `threshold` of `count` parts give it back. */
export interface KeyDivision {
  readonly scheme: 'xor' | 'shamir' | 'origin';
  readonly threshold: number;
  readonly count: number;
}

/** Piece of a value (EE). */
export interface ValuePiece {
  readonly digest: ValueDigest | EmptyDigest;
  readonly order: SetOrder;
  readonly identity: PieceIdentity;
  readonly variant: Variant;
  readonly content: Uint8Array;
  readonly signature: Uint8Array;
}
/** Bundle of values (EF), or a value coupled with a part of its key. */
export interface Bundle {
  readonly digest: ValueDigest | EmptyDigest;
  readonly order: SetOrder;
  /** Count of values; wanted is the count of key parts behind them: 0, or 1 behind one value. */
  readonly division: Division;
  readonly variant: Variant;
  readonly content: Uint8Array;
  readonly signature: Uint8Array;
}
/** Key part (EE) on its way to the safe. */
export interface KeyPart {
  readonly digest: KeyDigest;
  readonly identity: PieceIdentity;
  readonly division: KeyDivision;
  readonly wrappedKey: Uint8Array;
  readonly credential: Credential;
  readonly signature: Uint8Array;
}
/** Key part (EE) on its way back to the card. */
export interface KeyPartReply {
  readonly digest: KeyDigest;
  readonly identity: PieceIdentity;
  readonly division: KeyDivision;
  readonly wrappedKey: Uint8Array;
  readonly signature: Uint8Array;
}

/** Pieces and parts of a set. */
export const partsLimit = { min: 2, max: 5 } as const;
/** Values of a bundle. */
export const bundleLimit = { min: 2, max: 4 } as const;

function within(what: string, value: number, min: number, max: number, offset?: number): number {
  if (value < min || value > max) throw new CodecError('ELEMENT_VALUE', `${what}: expected ${min}-${max}, got ${value}`, offset);
  return value;
}

function checkedIdentity(identity: PieceIdentity, offset?: number): PieceIdentity {
  within('count of pieces', identity.count, partsLimit.min, partsLimit.max, offset);
  within('index of a piece', identity.index, 1, identity.count, offset);
  return identity;
}

function checkedKeyDivision(division: KeyDivision, offset?: number): KeyDivision {
  within('count of parts', division.count, partsLimit.min, partsLimit.max, offset);
  within('threshold', division.threshold, division.scheme === 'shamir' ? 2 : division.count, division.count, offset);
  return division;
}

/** Schemes of element C7 by their code, 01 first. */
const schemes = ['xor', 'shamir', 'origin'] as const;

/** Elements C4 to C8 by name. */
export const setElements = {
  order: namedElement<SetOrder>(0xc4, 'order', [['01', 'divide-first'], ['02', 'encrypt-first']]),
  identity: element<PieceIdentity>(0xc5, 'piece identity', [8],
    (content, at) => checkedIdentity({
      set: uintOf(content.slice(0, 4)), index: content[4], count: content[5], whole: uintOf(content.slice(6)),
    }, at.contentOffset),
    (value) => {
      const { set, index, count, whole } = checkedIdentity(value);
      return Uint8Array.of(...uintBytes(set, 4), index, count, ...uintBytes(whole, 2));
    }),
  division: element<Division>(0xc6, 'division', [2],
    (content, at) => ({ count: within('count', content[0], partsLimit.min, partsLimit.max, at.contentOffset), wanted: content[1] }),
    ({ count, wanted }) => Uint8Array.of(count, wanted)),
  bundleCounts: element<Division>(0xc6, 'counts of a bundle', [2],
    (content, at) => ({ count: within('count of values', content[0], 1, bundleLimit.max, at.contentOffset), wanted: content[1] }),
    ({ count, wanted }) => Uint8Array.of(count, wanted)),
  keyDivision: element<KeyDivision>(0xc7, 'key division', [3],
    (content, at) => checkedKeyDivision({
      scheme: schemes[within('scheme', content[0], 1, 3, at.contentOffset) - 1], threshold: content[1], count: content[2],
    }, at.contentOffset),
    (value) => {
      const { scheme, threshold, count } = checkedKeyDivision(value);
      return Uint8Array.of(schemes.indexOf(scheme) + 1, threshold, count);
    }),
  content: bytesElement(0xc8, 'content', { min: 1, max: 2000 }),
} as const;

/** What the templates here share with the other objects. */
interface Shared {
  readonly valueSide: Part<ValueDigest | EmptyDigest>;
  readonly keySide: Part<KeyDigest>;
  readonly credential: Part<Credential>;
}

/** The codecs of pieces, bundles and key parts. */
export interface SetCodecs {
  readonly piece: ObjectCodec<ValuePiece>;
  readonly bundle: ObjectCodec<Bundle>;
  readonly keyPart: ObjectCodec<KeyPart>;
  readonly keyPartReply: ObjectCodec<KeyPartReply>;
}

interface Parted {
  readonly digest: KeyDigest;
  readonly identity: PieceIdentity;
  readonly division: KeyDivision;
  readonly wrappedKey: Uint8Array;
}

const wrappedFits = (kind: BackedKey, length: number): boolean => length === wrappedLengths[kind];

const partFits = ({ digest, identity, division, wrappedKey }: Parted): string | undefined => {
  if (!wrappedFits(digest.keyKind, wrappedKey.length)) return `${wrappedKey.length} bytes do not fit a part of a ${digest.keyKind} key`;
  return identity.count === division.count ? undefined : 'identity and division have different counts';
};

/** Makes the codecs of docs/protocol.md 5.1. */
export function setCodecs({ valueSide, keySide, credential }: Shared): SetCodecs {
  const { order, identity, bundleCounts, keyDivision, content } = setElements;
  const { variant, wrappedKey, signature } = elements;
  return {
    piece: template<ValuePiece>(0xee, 'piece of a value', { digest: valueSide, order, identity, variant, content, signature }),
    bundle: template<Bundle>(0xef, 'bundle of values', { digest: valueSide, order, division: bundleCounts, variant, content, signature }, {
      check: ({ division: { count, wanted } }) => (wanted === (count === 1 ? 1 : 0) ? undefined : 'no counts of a bundle'),
    }),
    keyPart: template<KeyPart>(0xee, 'key part', { digest: keySide, identity, division: keyDivision, wrappedKey, credential, signature }, { check: partFits }),
    keyPartReply: template<KeyPartReply>(0xee, 'key part reply', { digest: keySide, identity, division: keyDivision, wrappedKey, signature }, { check: partFits }),
  };
}
