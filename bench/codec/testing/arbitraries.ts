import fc from 'fast-check';
import { certificateStates, hashLengths, valueStates } from '../elements.js';
import type { HashAlgorithm, KeyKind, Validity } from '../elements.js';
import type { Bundle, KeyDivision, KeyPart, KeyPartReply, PieceIdentity, SetOrder, ValuePiece } from '../pieces.js';
import type {
  Certificate, Credential, Digest, EmptyDigest, KeyDigest, KeyObject, KeyReply, ListEntry, LoadObject, Receipt,
  RegisteredValue, RegistrationItem, RegistrationRequest, SafeEntry, ValueDigest, ValueInformation,
} from '../objects.js';

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const number1 = fc.integer({ min: 1, max: 0xffffffff });
const handle = fc.integer({ min: 1, max: 0xfffe });
const text = (min: number, max: number): fc.Arbitrary<string> =>
  fc.string({ unit: 'grapheme', minLength: min, maxLength: max }).filter((value) => {
    const { length } = new TextEncoder().encode(value);
    return length >= min && length <= max;
  });
const digits = (count: number): fc.Arbitrary<string> =>
  fc.integer({ min: 0, max: 10 ** count - 1 }).map((value) => String(value).padStart(count, '0'));
const day = fc.tuple(digits(4), digits(2), digits(2)).map((parts) => parts.join('-'));
const validity: fc.Arbitrary<Validity> = fc.option(fc.record({ from: day, to: day }), { nil: null });
const infoClass = fc.integer({ min: 1, max: 0x7f });
const algorithm = fc.constantFrom<HashAlgorithm>('SHA-256', 'SHA-1', 'MD5');
const keyKind = fc.constantFrom<KeyKind>('decoding', 'common');
const signature = bytes(64);
const id = bytes(8);

export const valueInformationArb: fc.Arbitrary<ValueInformation> = fc.record({
  infoClass, name: text(1, 48), unitPrice: u32, quantity: u16, totalAmount: u32, place: text(0, 48), validity,
  remaining: u32, remarks: text(0, 64), issueId: id,
});
const fullDigest: fc.Arbitrary<ValueDigest> = fc.record({
  type: fc.constant('value' as const), infoClass, name: text(1, 48), quantity: u16, place: text(0, 48), validity,
});
const valueDigest: fc.Arbitrary<ValueDigest | EmptyDigest> = fc.oneof(fullDigest, fc.constant({ type: 'empty' as const }));
const keyDigest: fc.Arbitrary<KeyDigest> = fc.record({ type: fc.constant('key' as const), keyKind, keyId: id });
export const digestArb: fc.Arbitrary<Digest> = fc.oneof(valueDigest, keyDigest);
export const registeredArb: fc.Arbitrary<RegisteredValue> = fc.record({
  digest: valueDigest, variant: fc.constantFrom<1 | 2>(1, 2), encrypted: fc.uint8Array({ minLength: 29, maxLength: 304 }),
  signature,
});
export const credentialArb: fc.Arbitrary<Credential> = fc.record({
  cardId: id, verificationKey: bytes(32), transportKey: bytes(32), signature,
});
const wrapped = keyDigest.chain((digest) => fc.record({
  digest: fc.constant(digest), wrappedKey: bytes(digest.keyKind === 'decoding' ? 80 : 64),
}));
export const keyObjectArb: fc.Arbitrary<KeyObject> = fc.tuple(wrapped, credentialArb, signature)
  .map(([both, credential, sig]) => ({ ...both, credential, signature: sig }));
export const keyReplyArb: fc.Arbitrary<KeyReply> = fc.tuple(wrapped, signature)
  .map(([both, sig]) => ({ ...both, signature: sig }));
const order = fc.constantFrom<SetOrder>('divide-first', 'encrypt-first');
const identity: fc.Arbitrary<PieceIdentity> = fc.integer({ min: 2, max: 5 }).chain((count) => fc.record({
  set: u32, index: fc.integer({ min: 1, max: count }), count: fc.constant(count), whole: u16,
}));
const keyDivision = (count: number): fc.Arbitrary<KeyDivision> => fc.oneof(
  fc.record({ scheme: fc.constantFrom('xor' as const, 'origin' as const), threshold: fc.constant(count), count: fc.constant(count) }),
  fc.record({ scheme: fc.constant('shamir' as const), threshold: fc.integer({ min: 2, max: count }), count: fc.constant(count) }),
);
const content = fc.uint8Array({ minLength: 1, maxLength: 400 });
const variant = fc.constantFrom<1 | 2>(1, 2);
export const pieceArb: fc.Arbitrary<ValuePiece> = fc.record({ digest: valueDigest, order, identity, variant, content, signature });
export const bundleArb: fc.Arbitrary<Bundle> = fc.record({
  digest: valueDigest, order, division: fc.oneof(fc.record({ count: fc.integer({ min: 2, max: 4 }), wanted: fc.constant(0) }), fc.constant({ count: 1, wanted: 1 })), variant, content, signature,
});
export const keyPartReplyArb: fc.Arbitrary<KeyPartReply> = fc.tuple(wrapped, identity, signature)
  .chain(([both, place, sig]) => keyDivision(place.count).map((division) => ({ ...both, identity: place, division, signature: sig })));
export const keyPartArb: fc.Arbitrary<KeyPart> = fc.tuple(keyPartReplyArb, credentialArb).map(([reply, credential]) => ({ ...reply, credential }));
const item: fc.Arbitrary<RegistrationItem> = fc.oneof(
  valueInformationArb.map((value) => ({ type: 'plain' as const, value })),
  registeredArb.map((registered) => ({ type: 'registered' as const, registered })),
  keyObjectArb.map((key) => ({ type: 'key' as const, key })),
  pieceArb.map((piece) => ({ type: 'piece' as const, piece })),
  bundleArb.map((bundle) => ({ type: 'bundle' as const, bundle })),
  keyPartArb.map((part) => ({ type: 'key-part' as const, part })),
);
export const requestArb: fc.Arbitrary<RegistrationRequest> = fc.record({ cardId: id, sequence: number1, algorithm, item });
const hashed = algorithm.chain((name) => fc.record({ algorithm: fc.constant(name), hash: bytes(hashLengths[name]) }));
const kinded = fc.oneof(
  fc.record({ kind: fc.constantFrom('plain' as const, 'registered' as const, 'bundle' as const), digest: valueDigest }),
  fc.record({ kind: fc.constant('key' as const), digest: keyDigest }),
);
export const certificateArb: fc.Arbitrary<Certificate> = fc.tuple(
  fc.oneof(kinded, fc.record({ kind: fc.constant('coupled' as const), digest: valueDigest })), hashed, fc.record({ cardId: id, sequence: number1, counter: u32, safeId: id, signature }),
).map(([kind, hash, rest]) => ({ version: 1, ...kind, ...hash, ...rest }));
export const receiptArb: fc.Arbitrary<Receipt> = fc.tuple(
  hashed, fc.record({ cardId: id, sequence: number1, safeId: id, counter: u32, credential: credentialArb, signature }),
).map(([hash, rest]) => ({ ...hash, ...rest, outcome: 1 }));
export const listEntryArb: fc.Arbitrary<ListEntry> = fc.oneof(
  fc.record({
    class: fc.constant('A' as const), handle, state: fc.constantFrom(...valueStates), size: u16, digest: valueDigest,
    remaining: u32,
  }),
  fc.tuple(kinded, fc.record({
    class: fc.constant('B' as const), handle, state: fc.constantFrom(...certificateStates), size: u16, counter: u32,
    safeId: id,
  })).map(([kind, rest]) => ({ ...rest, ...kind })),
);
export const loadObjectArb: fc.Arbitrary<LoadObject> = fc.record({
  cardId: id, loadNumber: number1, value: valueInformationArb, signature,
});
export const safeEntryArb: fc.Arbitrary<SafeEntry> = fc.record({
  safeId: id, verificationKey: bytes(32), transportKey: bytes(32),
});
