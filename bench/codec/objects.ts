import { CodecError } from './errors.js';
import { elements, hashLengths, wrappedLengths } from './elements.js';
import type {
  BackedKey, CertificateKind, CertificateState, HashAlgorithm, Validity, ValueState, Variant,
} from './elements.js';
import { setCodecs, setElements } from './pieces.js';
import type { Bundle, KeyPart, PieceIdentity, ValuePiece } from './pieces.js';
import { bytesElement, constructed, sequence, template, wholeObject } from './schema.js';
import type { ObjectCodec, Part } from './schema.js';
import { TlvReader, tagName } from './tlv.js';

/** Value information 201 (E1). Amounts in yen. */
export interface ValueInformation {
  readonly infoClass: number;
  readonly name: string;
  readonly unitPrice: number;
  readonly quantity: number;
  readonly totalAmount: number;
  readonly place: string;
  readonly validity: Validity;
  readonly remaining: number;
  readonly remarks: string;
  readonly issueId: Uint8Array;
}

/** Digest 302 of a value (E2). */
export interface ValueDigest {
  readonly type: 'value';
  readonly infoClass: number;
  readonly name: string;
  readonly quantity: number;
  readonly place: string;
  readonly validity: Validity;
}
/** The empty digest (E2 00), when the setting says so. */
export interface EmptyDigest {
  readonly type: 'empty';
}
/** Key digest 306 (E2 with class 80). */
export interface KeyDigest {
  readonly type: 'key';
  readonly keyKind: BackedKey;
  readonly keyId: Uint8Array;
}
/** Any E2. */
export type Digest = ValueDigest | EmptyDigest | KeyDigest;

/** Registered value information 203 (E3). */
export interface RegisteredValue {
  readonly digest: ValueDigest | EmptyDigest;
  readonly variant: Variant;
  readonly encrypted: Uint8Array;
  readonly signature: Uint8Array;
}
/** Card credential (E9), signed by the issuer. */
export interface Credential {
  readonly cardId: Uint8Array;
  readonly verificationKey: Uint8Array;
  readonly transportKey: Uint8Array;
  readonly signature: Uint8Array;
}
/** Key object (E5): a key on its way to the safe. */
export interface KeyObject {
  readonly digest: KeyDigest;
  readonly wrappedKey: Uint8Array;
  readonly credential: Credential;
  readonly signature: Uint8Array;
}
/** A value sealed for the safe of a path, or registered value information sealed for its safe (F1). */
export interface PathedValue {
  readonly encrypted: Uint8Array;
  readonly credential: Credential;
  readonly signature: Uint8Array;
}
/** What a registration request carries: E1, E3 or E5, EE, EF or F1. */
export type RegistrationItem =
  | { readonly type: 'plain'; readonly value: ValueInformation }
  | { readonly type: 'registered'; readonly registered: RegisteredValue }
  | { readonly type: 'key'; readonly key: KeyObject }
  | { readonly type: 'piece'; readonly piece: ValuePiece }
  | { readonly type: 'bundle'; readonly bundle: Bundle }
  | { readonly type: 'key-part'; readonly part: KeyPart }
  | { readonly type: 'pathed'; readonly pathed: PathedValue };
/** Registration request (E4). */
export interface RegistrationRequest {
  readonly cardId: Uint8Array;
  readonly sequence: number;
  readonly algorithm: HashAlgorithm;
  readonly item: RegistrationItem;
}
/** Registration certificate 301, 304, 305 (E6). */
export interface Certificate {
  readonly version: number;
  readonly kind: CertificateKind;
  readonly cardId: Uint8Array;
  readonly sequence: number;
  readonly digest: Digest;
  readonly algorithm: HashAlgorithm;
  readonly hash: Uint8Array;
  readonly counter: number;
  readonly safeId: Uint8Array;
  readonly signature: Uint8Array;
}
/** Key reply (E8): a key on its way to the card. */
export interface KeyReply {
  readonly digest: KeyDigest;
  readonly wrappedKey: Uint8Array;
  readonly signature: Uint8Array;
}
/** Receipt (EA): the card says that a value was recovered. */
export interface Receipt {
  readonly cardId: Uint8Array;
  readonly sequence: number;
  readonly safeId: Uint8Array;
  readonly counter: number;
  readonly algorithm: HashAlgorithm;
  readonly hash: Uint8Array;
  readonly outcome: number;
  readonly credential: Credential;
  readonly signature: Uint8Array;
}
/** A value in a list (EB, class A). Size in bytes. */
export interface ValueEntry {
  readonly class: 'A';
  readonly handle: number;
  readonly state: ValueState;
  readonly size: number;
  readonly digest: ValueDigest | EmptyDigest;
  readonly remaining: number;
}
/** A certificate in a list (EB, class B). Size in bytes. */
export interface CertificateEntry {
  readonly class: 'B';
  readonly handle: number;
  readonly state: CertificateState;
  readonly size: number;
  readonly digest: Digest;
  readonly counter: number;
  readonly safeId: Uint8Array;
  readonly kind: CertificateKind;
  /** Of a piece or key part. */
  readonly identity?: PieceIdentity;
}
/** Any list entry (EB). */
export type ListEntry = ValueEntry | CertificateEntry;
/** Load object (EC), signed by the issuer. */
export interface LoadObject {
  readonly cardId: Uint8Array;
  /** Load number, from 1, strictly rising. */
  readonly loadNumber: number;
  readonly value: ValueInformation;
  readonly signature: Uint8Array;
}
/** Safe entry (ED): id and public keys of a safe. */
export interface SafeEntry {
  readonly safeId: Uint8Array;
  readonly verificationKey: Uint8Array;
  /** X25519 public key of the safe. */
  readonly transportKey: Uint8Array;
}

const e = elements;

/** Value information 201: at most 256 bytes encoded. */
export const valueInformation: ObjectCodec<ValueInformation> = template<ValueInformation>(0xe1, 'value information', {
  infoClass: e.valueClass, name: e.name, unitPrice: e.unitPrice, quantity: e.quantity, totalAmount: e.totalAmount,
  place: e.place, validity: e.validity, remaining: e.remaining, remarks: e.remarks, issueId: e.issueId,
}, { max: 256 });

const valueDigestBody = sequence<Omit<ValueDigest, 'type'>>({
  infoClass: e.valueClass, name: e.name, quantity: e.quantity, place: e.place, validity: e.validity,
});

function readKeyDigest(reader: TlvReader): KeyDigest {
  e.keyClass.read(reader);
  return { type: 'key', ...e.keyInformation.read(reader) };
}

const isKeyClass = (reader: TlvReader): boolean => {
  const ahead = reader.lookahead(3);
  return ahead[0] === 0x80 && ahead[1] === 1 && ahead[2] === 0x80;
};

const digestPart = constructed<Digest>(0xe2, 'digest', {
  read(reader) {
    if (reader.done) return { type: 'empty' };
    return isKeyClass(reader) ? readKeyDigest(reader) : { type: 'value', ...valueDigestBody.read(reader) };
  },
  write(value) {
    if (value.type === 'empty') return new Uint8Array(0);
    if (value.type === 'value') return valueDigestBody.write(value);
    return Uint8Array.of(...e.keyClass.write(0x80), ...e.keyInformation.write(value));
  },
});

function narrowed<N extends Digest>(what: string, fits: (value: Digest) => value is N): Part<N> {
  const check = (value: Digest, offset?: number): N => {
    if (fits(value)) return value;
    throw new CodecError('OBJECT_INCONSISTENT', `a ${value.type} digest cannot stand in a ${what}`, offset);
  };
  return {
    read(reader) {
      const offset = reader.offset;
      return check(digestPart.read(reader), offset);
    },
    write: (value) => digestPart.write(check(value)),
  };
}
const valueSide = narrowed('value object', (value): value is ValueDigest | EmptyDigest => value.type !== 'key');
const keySide = narrowed('key object', (value): value is KeyDigest => value.type === 'key');

const noSignature = (what: string) => (): never => {
  throw new CodecError('OBJECT_INCONSISTENT', `${what} is not signed`);
};

/** Digest 302 and 306 (E2). */
export const digest: ObjectCodec<Digest> = wholeObject(0xe2, 'digest', digestPart, noSignature('a digest'));

/** Registered value information 203 (E3). */
export const registeredValue: ObjectCodec<RegisteredValue> = template<RegisteredValue>(
  0xe3, 'registered value information',
  { digest: valueSide, variant: e.variant, encrypted: e.encrypted, signature: e.signature },
);

/** Card credential (E9). */
export const credential: ObjectCodec<Credential> = template<Credential>(0xe9, 'card credential', {
  cardId: e.cardId, verificationKey: e.verificationKey, transportKey: e.transportKey, signature: e.signature,
});

/** Element 91 of a path: an E1, or an E3 (at most 500 bytes), with enc and tag. */
export const encryptedElement = bytesElement(0x91, 'sealed value', { min: 49, max: 548 });

/** A value sealed for the safe of a path (F1). */
export const pathedValue: ObjectCodec<PathedValue> = template<PathedValue>(
  0xf1, 'value sealed for a safe', { encrypted: encryptedElement, credential, signature: e.signature },
);

const wrappedFits = (value: { digest: KeyDigest; wrappedKey: Uint8Array }): string | undefined =>
  value.wrappedKey.length === wrappedLengths[value.digest.keyKind]
    ? undefined
    : `${value.wrappedKey.length} bytes of wrapped key do not fit a ${value.digest.keyKind} key`;

/** Key object (E5). */
export const keyObject: ObjectCodec<KeyObject> = template<KeyObject>(
  0xe5, 'key object',
  { digest: keySide, wrappedKey: e.wrappedKey, credential, signature: e.signature }, { check: wrappedFits },
);

/** Key reply (E8). */
export const keyReply: ObjectCodec<KeyReply> = template<KeyReply>(
  0xe8, 'key reply', { digest: keySide, wrappedKey: e.wrappedKey, signature: e.signature }, { check: wrappedFits },
);

/** Pieces, bundles and key parts (docs/protocol.md 5.1). */
export const { piece, bundle, keyPart, keyPartReply } = setCodecs({ valueSide, keySide, credential });

/** True for an EE that begins with a key digest; `ahead` are its first bytes. */
export function holdsKeyPart(ahead: Uint8Array): boolean {
  const at = 2 + Math.max(0, ahead[1] - 0x80);
  return ahead[at] === 0xe2 && ahead[at + 2] === 0x80 && ahead[at + 4] === 0x80;
}

const itemPart: Part<RegistrationItem> = {
  read(reader) {
    const tag = reader.peek();
    if (tag === 0xe1) return { type: 'plain', value: valueInformation.read(reader) };
    if (tag === 0xe3) return { type: 'registered', registered: registeredValue.read(reader) };
    if (tag === 0xe5) return { type: 'key', key: keyObject.read(reader) };
    if (tag === pathedValue.tag) return { type: 'pathed', pathed: pathedValue.read(reader) };
    if (tag === bundle.tag) return { type: 'bundle', bundle: bundle.read(reader) };
    if (tag === piece.tag && holdsKeyPart(reader.lookahead(10))) return { type: 'key-part', part: keyPart.read(reader) };
    if (tag === piece.tag) return { type: 'piece', piece: piece.read(reader) };
    if (tag === undefined) throw new CodecError('TLV_MISSING', 'E1, E3 or E5 is missing', reader.offset);
    throw new CodecError('TLV_UNEXPECTED', `expected E1, E3 or E5, found tag ${tagName(tag)}`, reader.offset);
  },
  write(item) {
    if (item.type === 'plain') return valueInformation.write(item.value);
    if (item.type === 'piece') return piece.write(item.piece);
    if (item.type === 'bundle') return bundle.write(item.bundle);
    if (item.type === 'pathed') return pathedValue.write(item.pathed);
    if (item.type === 'key-part') return keyPart.write(item.part);
    return item.type === 'registered' ? registeredValue.write(item.registered) : keyObject.write(item.key);
  },
};

/** Registration request (E4). */
export const registrationRequest: ObjectCodec<RegistrationRequest> = template<RegistrationRequest>(
  0xe4, 'registration request',
  { cardId: e.cardId, sequence: e.sequence, algorithm: e.wantedAlgorithm, item: itemPart },
);

const hashFits = (value: { algorithm: HashAlgorithm; hash: Uint8Array }): string | undefined =>
  value.hash.length === hashLengths[value.algorithm]
    ? undefined
    : `${value.hash.length} bytes of hash do not fit ${value.algorithm}`;
const kindsOf = (digest: Digest): readonly CertificateKind[] => {
  if (digest.type !== 'key') return ['plain', 'registered', 'piece', 'bundle', 'coupled'];
  return [digest.keyKind === 'seed' ? 'seed' : 'key', 'key-part'];
};
const kindFits = ({ kind, digest }: { kind: CertificateKind; digest: Digest }): string | undefined =>
  (kindsOf(digest).includes(kind) ? undefined : `a ${digest.type} digest does not fit kind ${kind}`);

/** Registration certificate 301, 304, 305 (E6): at most 320 bytes encoded. */
export const certificate: ObjectCodec<Certificate> = template<Certificate>(0xe6, 'registration certificate', {
  version: e.version, kind: e.kind, cardId: e.cardId, sequence: e.sequence, digest, algorithm: e.usedAlgorithm,
  hash: e.hash, counter: e.counter, safeId: e.safeId, signature: e.signature,
}, { max: 320, check: (value) => hashFits(value) ?? kindFits(value) });

/** Receipt (EA). */
export const receipt: ObjectCodec<Receipt> = template<Receipt>(0xea, 'receipt', {
  cardId: e.cardId, sequence: e.sequence, safeId: e.safeId, counter: e.counter, algorithm: e.usedAlgorithm,
  hash: e.hash, outcome: e.outcome, credential, signature: e.signature,
}, { check: hashFits });

const valueTail = sequence<{ digest: ValueDigest | EmptyDigest; remaining: number }>({
  digest: valueSide, remaining: e.remaining,
});
const certificateTail = sequence<{ digest: Digest; counter: number; safeId: Uint8Array; kind: CertificateKind }>({
  digest, counter: e.counter, safeId: e.safeId, kind: e.kind,
});

const kindsWithIdentity: readonly CertificateKind[] = ['piece', 'key-part', 'coupled'];

/** The identity that follows in the entry of a piece, a key part, or what is coupled with one. */
function withIdentity<T extends { readonly kind: CertificateKind }>(tail: T, reader: TlvReader): T & { readonly identity?: PieceIdentity } {
  return kindsWithIdentity.includes(tail.kind) ? { ...tail, identity: setElements.identity.read(reader) } : tail;
}

const entryPart = constructed<ListEntry>(0xeb, 'list entry', {
  read(reader) {
    const handle = e.handle.read(reader);
    const which = e.classAndState.read(reader);
    const size = e.size.read(reader);
    return which.class === 'A'
      ? { handle, ...which, size, ...valueTail.read(reader) }
      : { handle, ...which, size, ...withIdentity(certificateTail.read(reader), reader) };
  },
  write(value) {
    const head = [e.handle.write(value.handle), e.classAndState.write(value), e.size.write(value.size)];
    const tail = value.class === 'A' ? valueTail.write(value) : certificateTail.write(value);
    const identity = value.class === 'B' && value.identity ? setElements.identity.write(value.identity) : [];
    return Uint8Array.of(...head.flatMap((part) => [...part]), ...tail, ...identity);
  },
}, { check: (value) => (value.class === 'B' ? kindFits(value) : undefined) });

/** List entry (EB). */
export const listEntry: ObjectCodec<ListEntry> =
  wholeObject(0xeb, 'list entry', entryPart, noSignature('a list entry'));

/** Load object (EC). */
export const loadObject: ObjectCodec<LoadObject> = template<LoadObject>(0xec, 'load object', {
  cardId: e.cardId, loadNumber: e.sequence, value: valueInformation, signature: e.signature,
});

/** Safe entry (ED). */
export const safeEntry: ObjectCodec<SafeEntry> = template<SafeEntry>(0xed, 'safe entry', {
  safeId: e.safeId, verificationKey: e.verificationKey, transportKey: e.transportKey,
});

/** The digest 302 of a value (fig. 2b), or the empty one. */
export function digestOf(value: ValueInformation, empty = false): ValueDigest | EmptyDigest {
  if (empty) return { type: 'empty' };
  const { infoClass, name, quantity, place, validity } = value;
  return { type: 'value', infoClass, name, quantity, place, validity };
}

/** What the safe keeps and gives back of an item: the encoded E1, E3 or (for a key) E5. */
export function encodeItem(item: RegistrationItem): Uint8Array {
  return itemPart.write(item);
}
