import { fromHex, toHex } from './bytes.js';
import { CodecError } from './errors.js';
import { bytesElement, element, namedElement, textElement, uintElement } from './schema.js';
import type { Part } from './schema.js';
import type { Tlv } from './tlv.js';

/** Hash algorithms of elements 95 and 97; SHA-1 and MD5 are legacy and flagged by every report. */
export type HashAlgorithm = 'SHA-256' | 'SHA-1' | 'MD5';
/** Key kinds of element 8A: 01 decoding key (X25519), 02 common key (AES-128). */
export type KeyKind = 'decoding' | 'common';
/** What a key digest may name: also 05, the seed (32) a decoding key is derived from. */
export type BackedKey = KeyKind | 'seed';
/** Certificate kinds of element 9B. */
export type CertificateKind = 'plain' | 'registered' | 'key' | 'seed' | 'piece' | 'bundle' | 'key-part' | 'coupled';
/** Variants of element 90: 1 public-key, 2 common-key. */
export type Variant = 1 | 2;
/** States of a value in the wallet (docs/protocol.md 2.3). */
export type ValueState = 'ACTIVE' | 'PENDING' | 'DEPOSITED' | 'RESERVED' | 'DELETING';
/** States of a certificate in the wallet (docs/protocol.md 2.3). */
export type CertificateState = 'STORED' | 'RESERVED' | 'RECOVERING' | 'SPENT' | 'DELETING';
/** Element 8C: index class and state. */
export type ClassAndState =
  | { readonly class: 'A'; readonly state: ValueState }
  | { readonly class: 'B'; readonly state: CertificateState };

/** Element 86: first and last day as `YYYY-MM-DD` (BCD digits; the calendar is not checked), or null = no limit. */
export type Validity = { readonly from: string; readonly to: string } | null;

/** States of a value by their code, 01 first. */
export const valueStates = ['ACTIVE', 'PENDING', 'DEPOSITED', 'RESERVED', 'DELETING'] as const;
/** States of a certificate by their code, 01 first. */
export const certificateStates = ['STORED', 'RESERVED', 'RECOVERING', 'SPENT', 'DELETING'] as const;

/** Names of the information classes of element 80 (07-7F are other values without a name here). */
export const informationClasses = {
  movieTicket: 0x01, concertTicket: 0x02, prePaidCard: 0x03, coupon: 0x04, electronicCash: 0x05, otherValue: 0x06,
  key: 0x80,
} as const;

/** Bytes of a hash X by algorithm. */
export const hashLengths: Readonly<Record<HashAlgorithm, number>> = { 'SHA-256': 32, 'SHA-1': 20, MD5: 16 };
/** Bytes of a wrapped key 9C by key kind: enc 32, key 32 or 16, tag 16. */
export const wrappedLengths: Readonly<Record<BackedKey, number>> = { decoding: 80, common: 64, seed: 80 };

/** BCD YYYYMMDD of a day written `YYYY-MM-DD`. Throws CodecError ELEMENT_VALUE. */
export function dayBytes(day: string): Uint8Array {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new CodecError('ELEMENT_VALUE', `day: expected YYYY-MM-DD, got ${day}`);
  return fromHex(day.replaceAll('-', ''));
}

/** Day `YYYY-MM-DD` of four BCD bytes. Throws CodecError ELEMENT_VALUE when a digit is no decimal digit. */
export function dayOf(bytes: Uint8Array, offset?: number): string {
  const digits = toHex(bytes);
  if (!/^\d{8}$/.test(digits)) throw new CodecError('ELEMENT_VALUE', `day: ${digits} is not BCD`, offset);
  return `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`;
}

function validityOf(content: Uint8Array, at: Tlv): Validity {
  if (content.length === 0) return null;
  return { from: dayOf(content.slice(0, 4), at.contentOffset), to: dayOf(content.slice(4), at.contentOffset + 4) };
}

const validityBytes = (value: Validity): Uint8Array =>
  value === null ? new Uint8Array(0) : Uint8Array.of(...dayBytes(value.from), ...dayBytes(value.to));

const backedKeys: Readonly<Record<BackedKey, number>> = { decoding: 1, common: 2, seed: 5 };

const keyInformation = element<{ keyKind: BackedKey; keyId: Uint8Array }>(
  0x8a, 'key information', [9],
  (content, at) => {
    const found = (Object.keys(backedKeys) as BackedKey[]).find((kind) => backedKeys[kind] === content[0]);
    if (found === undefined)
      throw new CodecError('ELEMENT_VALUE', `key kind: expected 1, 2 or 5, got ${content[0]}`, at.contentOffset);
    return { keyKind: found, keyId: content.slice(1) };
  },
  (value) => Uint8Array.of(backedKeys[value.keyKind], ...value.keyId),
);

const algorithms = [['01', 'SHA-256'], ['02', 'SHA-1'], ['03', 'MD5']] as const;

const hexCode = (code: number): string => code.toString(16).padStart(2, '0').toUpperCase();
const classAndStates = [
  ...valueStates.map((state, i) => [`41${hexCode(i + 1)}`, `A ${state}`] as const),
  ...certificateStates.map((state, i) => [`42${hexCode(i + 1)}`, `B ${state}`] as const),
];
const classAndStateNames = namedElement(0x8c, 'class and state', classAndStates);
const classAndState: Part<ClassAndState> = {
  read(reader) {
    const [cls, state] = classAndStateNames.read(reader).split(' ');
    return { class: cls, state } as ClassAndState;
  },
  write: (value) => classAndStateNames.write(`${value.class} ${value.state}` as (typeof classAndStates)[number][1]),
};

/** The elements of docs/protocol.md 1.1 by name. */
export const elements = {
  valueClass: uintElement(0x80, 'information class', 1, 0x01, 0x7f),
  keyClass: uintElement(0x80, 'information class', 1, 0x80, 0x80),
  name: textElement(0x81, 'name', 1, 48),
  unitPrice: uintElement(0x82, 'unit price', 4),
  quantity: uintElement(0x83, 'quantity', 2),
  totalAmount: uintElement(0x84, 'total amount', 4),
  place: textElement(0x85, 'place', 0, 48),
  validity: element<Validity>(0x86, 'term of validity', [0, 8], validityOf, validityBytes),
  listDays: bytesElement(0x86, 'today and last day', [8]),
  remaining: uintElement(0x87, 'remaining amount', 4),
  remarks: textElement(0x88, 'remarks', 0, 64),
  issueId: bytesElement(0x89, 'issue id', [8]),
  keyInformation,
  handle: uintElement(0x8b, 'handle', 2, 0x0001, 0xfffe),
  classAndState,
  size: uintElement(0x8d, 'size', 2),
  position: uintElement(0x8e, 'list position', 2),
  variant: namedElement<Variant>(0x90, 'variant', [['01', 1], ['02', 2]]),
  /** 29 bytes: nonce, tag and one byte; 304: an E1 of 256 bytes with enc and tag. */
  encrypted: bytesElement(0x91, 'encrypted value information', { min: 29, max: 304 }),
  signature: bytesElement(0x92, 'signature', [64]),
  cardId: bytesElement(0x93, 'card id', [8]),
  sequence: uintElement(0x94, 'sequence', 4, 1),
  wantedAlgorithm: namedElement<HashAlgorithm>(0x95, 'wanted hash algorithm', algorithms),
  version: uintElement(0x96, 'version', 1, 1, 1),
  usedAlgorithm: namedElement<HashAlgorithm>(0x97, 'used hash algorithm', algorithms),
  hash: bytesElement(0x98, 'hash X', [32, 20, 16]),
  counter: uintElement(0x99, 'counter Y', 4),
  safeId: bytesElement(0x9a, 'safe id', [8]),
  kind: namedElement<CertificateKind>(0x9b, 'kind', [
    ['01', 'plain'], ['02', 'registered'], ['03', 'key'], ['04', 'seed'], ['05', 'piece'], ['06', 'bundle'], ['07', 'key-part'], ['08', 'coupled'],
  ]),
  wrappedKey: bytesElement(0x9c, 'wrapped key', [80, 64]),
  verificationKey: bytesElement(0x9d, 'verification key', [32]),
  transportKey: bytesElement(0x9e, 'transport key', [32]),
  outcome: uintElement(0x9f, 'outcome', 1, 1, 1),
} as const;
