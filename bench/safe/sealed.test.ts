import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, test } from 'vitest';
import {
  certificate as certificateCodec, concat, deriveKeyPair, encodeItem, hashX, noPath, nobleOps, openOnCard, pathedMessage, paths, registeredValue, registrationRequest,
  replyMessage, samples, sealForSafe, valueInformation,
} from '../codec/index.js';
import type { PathedValue, RegistrationRequest, ValueInformation } from '../codec/index.js';
import { memoryStore } from './store.js';
import { safeKeys, testCard, testSafe } from './testing/card.js';
import type { TestCard } from './testing/card.js';
import { codeOf } from './testing/code-of.js';

const card = testCard(1);
/** As long as an E1 may be. */
const longest: ValueInformation = { ...samples[0], name: 'n'.repeat(48), place: 'p'.repeat(48), remarks: 'r'.repeat(64) };

interface Making {
  readonly inner?: Uint8Array;
  readonly pathId?: Uint8Array;
  readonly to?: Uint8Array;
  readonly by?: TestCard;
  readonly more?: Partial<PathedValue>;
}

/** What a card sends when it seals a registration for its safe. */
function sealed(clear: Uint8Array, { inner, pathId = noPath, to = safeKeys.agreement, by = card, more = {} }: Making = {}): Uint8Array {
  const request = registrationRequest.decode(clear);
  const { sequence } = request;
  const binding = { cardId: card.cardId, sequence, pathId };
  const object = inner ?? encodeItem(request.item);
  const encrypted = sealForSafe(binding, object, nobleOps.agreementPublic(to), deriveKeyPair(sha256(concat(pathId, object))));
  const unsigned = { encrypted, credential: by.credential, ...more };
  const pathed = { ...unsigned, signature: by.signer.sign(pathedMessage(unsigned, binding)), ...more };
  return registrationRequest.encode({ ...request, item: { type: 'pathed', pathed } });
}

/** The encoded E3 of a registration in clear. */
const valueOf = (clear: Uint8Array): Uint8Array => encodeItem(registrationRequest.decode(clear).item);

/** What the card opens in what the safe gives back. */
function openedReply(reply: Uint8Array, certificate: Uint8Array): Uint8Array {
  const { pathId, encrypted, signature } = paths.reply.decode(reply);
  const { cardId, sequence } = certificateCodec.decode(certificate);
  expect(pathId).toEqual(noPath);
  expect(nobleOps.verify(safeKeys.signer.publicKey, replyMessage({ pathId, encrypted }, { cardId, sequence, pathId }), signature)).toBe(true);
  return openOnCard({ cardId, sequence, pathId }, encrypted, card.transport);
}

describe('registered value information that a card has sealed for its safe', () => {
  test.each([[1, samples[2]], [2, samples[2]], [1, longest], [2, longest]] as const)('variant %i is certified as what is in it, and comes back sealed for the card', (variant, value) => {
    const store = memoryStore();
    const safe = testSafe(store);
    const clear = card.registered(1, variant, value);
    const certificate = safe.register(sealed(clear));
    const { kind, hash, digest } = certificateCodec.decode(certificate);
    const e3 = registeredValue.decode(valueOf(clear));
    expect(kind).toBe('registered');
    expect(hash).toEqual(hashX('SHA-256', e3.encrypted));
    expect(digest).toEqual(e3.digest);
    const reply = safe.retrieve(certificate);
    expect(openedReply(reply, certificate)).toEqual(valueOf(clear));
    expect(safe.retrieve(certificate)).toEqual(reply);
    expect(testSafe(store).retrieve(certificate)).toEqual(reply);
  });

  test('the longest object fits what elements may be', () => {
    expect(valueInformation.encode(longest).length).toBe(214);
    expect(valueOf(card.registered(1, 1, longest)).length).toBe(458);
  });

  test('the same sealed and in clear is one registration; how it came first says how it goes out', () => {
    const safe = testSafe(memoryStore());
    const clear = card.registered(1, 1);
    const certificate = safe.register(sealed(clear));
    expect(safe.register(sealed(clear))).toEqual(certificate);
    expect(safe.register(clear)).toEqual(certificate);
    expect(safe.retrieve(certificate)[0]).toBe(paths.reply.tag);
    const second = card.registered(2, 1);
    const other = safe.register(second);
    expect(safe.register(sealed(second))).toEqual(other);
    expect(safe.retrieve(other)).toEqual(valueOf(second));
    expect(safe.registerAll([sealed(clear), clear, sealed(second)])).toEqual([certificate, certificate, other]);
    expect(codeOf(() => safe.register(sealed(card.registered(1, 1, samples[0]))))).toBe('SAFE_CONFLICT');
  });

  test('new ones registered together, sealed and in clear, are told apart', () => {
    const safe = testSafe(memoryStore());
    const [first, second] = [card.registered(1, 1), card.registered(2, 1)];
    const [one, two] = safe.registerAll([sealed(first), second]) as Uint8Array[];
    expect(safe.retrieve(one)[0]).toBe(paths.reply.tag);
    expect(safe.retrieve(two)[0]).toBe(registeredValue.tag);
  });

  test('it goes with a receipt', () => {
    const safe = testSafe(memoryStore());
    const certificate = safe.register(sealed(card.registered(1, 1)));
    safe.receipt(card.receiptFor(certificate));
    expect(codeOf(() => safe.retrieve(certificate))).toBe('SAFE_TOMBSTONE');
  });

  const clear = card.registered(1, 1);
  const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
  const stranger = testCard(2);
  const e3 = registeredValue.decode(valueOf(clear));
  const cases: readonly (readonly [string, Uint8Array, string])[] = [
    ['sealed for another safe', sealed(clear, { to: stranger.transport }), 'SAFE_BAD_OBJECT'],
    ['sealed for a path', sealed(clear, { pathId: noPath.map(() => 1) }), 'SAFE_BAD_SIGNATURE'],
    ['with another card\'s credential and signature', sealed(clear, { by: stranger }), 'SAFE_BAD_SIGNATURE'],
    ['with a credential of an unknown issuer', sealed(clear, { by: { ...card, credential: testCard(1, stranger.signer).credential } }), 'SAFE_BAD_SIGNATURE'],
    ['with a bad signature', sealed(clear, { more: { signature: new Uint8Array(64) } }), 'SAFE_BAD_SIGNATURE'],
    ['with a value in it', sealed(clear, { inner: valueInformation.encode(samples[0]) }), 'SAFE_BAD_OBJECT'],
    ['with something behind it', sealed(clear, { inner: concat(valueOf(clear), Uint8Array.of(0)) }), 'SAFE_BAD_OBJECT'],
    ['whose signature 303 is wrong', sealed(clear, { inner: registeredValue.encode({ ...e3, signature: flipped(e3.signature, 0) }) }), 'SAFE_BAD_SIGNATURE'],
    ['whose ciphertext was exchanged inside', sealed(clear, { inner: registeredValue.encode({ ...e3, encrypted: flipped(e3.encrypted, 40) }) }), 'SAFE_BAD_SIGNATURE'],
    ['of another sequence inside', sealed(clear, { inner: valueOf(card.registered(2, 1)) }), 'SAFE_BAD_SIGNATURE'],
  ];

  test.each(cases)('%s it is refused and nothing is stored', (_, request, code) => {
    const store = memoryStore();
    const safe = testSafe(store);
    expect(codeOf(() => safe.register(request))).toBe(code);
    expect([...store.range('')]).toEqual([]);
    const honest: RegistrationRequest = registrationRequest.decode(clear);
    expect(certificateCodec.decode(safe.register(sealed(clear))).sequence).toBe(honest.sequence);
  });
});
