import { createHmac } from 'node:crypto';
import { gcm } from '@noble/ciphers/aes.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, fromHex, textBytes, toHex } from './bytes.js';
import { hashX, isLegacy } from './hash.js';
import { heldSigner } from './held-signer.js';
import { deriveKeyPair, hpkeOpen, hpkeSeal, sealGcm } from './hpke.js';
import { certificate, digestOf, valueInformation } from './objects.js';
import { memoOps, nobleOps } from './ops.js';
import { samples } from './samples.js';
import * as seal from './seal.js';
import { signed, signerOf } from './sign.js';
import { certificateArb, credentialArb, keyObjectArb, keyReplyArb, loadObjectArb, receiptArb, registeredArb } from './testing/arbitraries.js';

describe('HPKE base mode, RFC 9180 A.1.1', () => {
  const ikmE = fromHex('7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234');
  const ikmR = fromHex('6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037');
  const skE = '52C4A758A802CD8B936ECEEA314432798D5BAF2D7E9235DC084AB1B9CFA2F736';
  const pkE = '37FDA3567BDBD628E88668C3C8D7E97D1D1253B6D4EA6D44C150F741F1BF4431';
  const skR = '4612C550263FC8AD58375DF3F557AAC531D26850903E55A9F23F21D8534E8AC8';
  const pkR = '3948CFE0AD1DDB695D780E59077195DA6C56506B027329794AB02BCA80815C4D';
  const context = { info: fromHex('4f6465206f6e2061204772656369616e2055726e'), aad: textBytes('Count-0') };
  const plaintext = textBytes('Beauty is truth, truth beauty');
  const ciphertext = 'F938558B5D72F1A23810B4BE2AB4F84331ACC02FC97BABC53A52AE8218A355A96D8770AC83D07BEA87E13C512A';

  test('key pairs are derived as in the vectors', () => {
    expect(toHex(deriveKeyPair(ikmE))).toBe(skE);
    expect(toHex(deriveKeyPair(ikmR))).toBe(skR);
    expect(toHex(nobleOps.agreementPublic(fromHex(skR)))).toBe(pkR);
  });

  test('seal and open give the vectors', () => {
    const sealed = hpkeSeal(fromHex(pkR), fromHex(skE), context, plaintext);
    expect(toHex(sealed)).toBe(pkE + ciphertext);
    expect(hpkeOpen(fromHex(skR), context, sealed)).toEqual(plaintext);
  });

  test('any change of ciphertext, info, aad or key keeps it shut', () => {
    const sealed = fromHex(pkE + ciphertext);
    for (let i = 0; i < sealed.length; i += 1) {
      const changed = sealed.slice();
      changed[i] ^= 0x01;
      expect(() => hpkeOpen(fromHex(skR), context, changed)).toThrow(expect.objectContaining({ code: 'CRYPTO_OPEN' }));
    }
    expect(() => hpkeOpen(fromHex(skR), { ...context, info: context.aad }, sealed)).toThrow(expect.objectContaining({ code: 'CRYPTO_OPEN' }));
    expect(() => hpkeOpen(fromHex(skR), { ...context, aad: context.info }, sealed)).toThrow(expect.objectContaining({ code: 'CRYPTO_OPEN' }));
    expect(() => hpkeOpen(fromHex(skE), context, sealed)).toThrow(expect.objectContaining({ code: 'CRYPTO_OPEN' }));
    expect(() => hpkeOpen(fromHex(skR), context, sealed.slice(0, 47))).toThrow(expect.objectContaining({ code: 'CRYPTO_OPEN' }));
  });

  test('keys that cannot be used are refused as such', () => {
    const zero = new Uint8Array(32);
    expect(() => hpkeSeal(zero, fromHex(skE), context, plaintext)).toThrow(expect.objectContaining({ code: 'CRYPTO_KEY' }));
    expect(() => hpkeOpen(fromHex(skR), context, concat(zero, fromHex(ciphertext)))).toThrow(expect.objectContaining({ code: 'CRYPTO_KEY' }));
    expect(() => nobleOps.signingPublic(new Uint8Array(5))).toThrow(expect.objectContaining({ code: 'CRYPTO_KEY' }));
    expect(() => sealGcm(new Uint8Array(24), new Uint8Array(12), zero, zero)).toThrow(expect.objectContaining({ code: 'CRYPTO_KEY' }));
  });
});

describe('variants and key wrapping', () => {
  const cardId = fromHex('0102030405060708');
  const safeId = fromHex('A1A2A3A4A5A6A7A8');
  const value = valueInformation.encode(samples[2]);
  const binding = { cardId, sequence: 7, digest: digestOf(samples[2]) };
  const privateKey = deriveKeyPair(textBytes('a decoding key for these tests only'));
  const ephemeral = deriveKeyPair(textBytes('an ephemeral key for these tests only'));
  const common = fromHex('000102030405060708090A0B0C0D0E0F');
  const otherBindings = [
    { ...binding, sequence: 8 }, { ...binding, cardId: safeId }, { ...binding, digest: { type: 'empty' as const } },
  ];

  test('variant 01 opens only with its key and binding', () => {
    const content = seal.sealPublic(binding, value, nobleOps.agreementPublic(privateKey), ephemeral);
    expect(content.length).toBe(value.length + 48);
    expect(seal.openPublic(binding, content, privateKey)).toEqual(value);
    for (const other of otherBindings)
      expect(() => seal.openPublic(other, content, privateKey)).toThrow(expect.objectContaining({ code: 'CRYPTO_OPEN' }));
    expect(() => seal.openPublic(binding, content, ephemeral)).toThrow(expect.objectContaining({ code: 'CRYPTO_OPEN' }));
  });

  test('variant 02 is nonce, AES-128-GCM and tag as section 1.4 writes it', () => {
    const content = seal.sealCommon(binding, value, common);
    const nonce = fromHex('000000000000000000000007');
    const digest = fromHex('E21D 800103 810F7072652D706169642063617264 2045 83020001 850146 8600');
    const aad = concat(textBytes('cardbench 202 v1'), Uint8Array.of(0), cardId, fromHex('00000007'), digest);
    expect(toHex(content)).toBe(toHex(concat(nonce, gcm(common, nonce, aad).encrypt(value))));
    expect(seal.openCommon(binding, content, common)).toEqual(value);
    for (const other of otherBindings)
      expect(() => seal.openCommon(other, content, common)).toThrow(expect.objectContaining({ code: 'CRYPTO_OPEN' }));
    expect(() => seal.sealCommon(binding, value, privateKey)).toThrow(expect.objectContaining({ code: 'CRYPTO_KEY' }));
    expect(() => seal.openCommon(binding, new Uint8Array(20), common)).toThrow(expect.objectContaining({ code: 'CRYPTO_OPEN' }));
  });

  test.each([['decoding', privateKey, 80], ['common', common, 64]] as const)('%s key to the safe and back', (keyKind, key, length) => {
    const digest = { type: 'key' as const, keyKind, keyId: seal.keyIdOf(keyKind, key) };
    const keyBinding = { cardId, sequence: 3, safeId, digest };
    const publicKey = nobleOps.agreementPublic(privateKey);
    const up = seal.wrapKeyToSafe(keyBinding, key, publicKey, ephemeral);
    expect(up.length).toBe(length);
    expect(seal.unwrapKeyAtSafe(keyBinding, up, privateKey)).toEqual(key);
    const down = seal.wrapKeyToCard(keyBinding, key, publicKey, ephemeral);
    expect(seal.unwrapKeyOnCard(keyBinding, down, privateKey)).toEqual(key);
    expect(() => seal.unwrapKeyOnCard(keyBinding, up, privateKey)).toThrow(expect.objectContaining({ code: 'CRYPTO_OPEN' }));
    expect(() => seal.unwrapKeyAtSafe({ ...keyBinding, safeId: cardId }, up, privateKey)).toThrow(expect.objectContaining({ code: 'CRYPTO_OPEN' }));
  });

  test('key ids are as section 1.4 writes them', () => {
    expect(seal.keyIdOf('decoding', privateKey)).toEqual(hashX('SHA-256', nobleOps.agreementPublic(privateKey)).slice(0, 8));
    expect(seal.keyIdOf('common', common)).toEqual(hashX('SHA-256', concat(textBytes('cardbench key id v1\0'), common)).slice(0, 8));
  });
});

describe('seed of a decoding key', () => {
  test('one block of HKDF-Expand over label, algorithm and version, as section 1.4 writes it; its key id is that of the key', () => {
    const seed = Uint8Array.from({ length: 32 }, (_, i) => 7 * i + 1);
    const info = concat(textBytes('cardbench seed v1'), Uint8Array.of(0, 1, 1));
    const key = Uint8Array.from(createHmac('sha256', seed).update(concat(info, Uint8Array.of(1))).digest());
    expect(toHex(seal.keyOfSeed(seed))).toBe(toHex(key));
    expect(toHex(seal.keyIdOf('seed', seed))).toBe(toHex(seal.keyIdOf('decoding', key)));
    expect(toHex(seal.keyOfSeed(seed, { id: 1, version: 2 }))).not.toBe(toHex(key));
    expect(() => seal.keyOfSeed(seed.slice(1))).toThrow(expect.objectContaining({ code: 'CRYPTO_KEY' }));
  });
});

describe('hashes', () => {
  test.each([
    ['SHA-256', 'BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD', false],
    ['SHA-1', 'A9993E364706816ABA3E25717850C26C9CD0D89D', true],
    ['MD5', '900150983CD24FB0D6963F7D28E17F72', true],
  ] as const)('%s of abc', (name, hex, legacy) => {
    expect(toHex(hashX(name, textBytes('abc')))).toBe(hex);
    expect(isLegacy(name)).toBe(legacy);
  });
});

describe('signatures', () => {
  const signer = signerOf(hashX('SHA-256', textBytes('signer')));
  const other = signerOf(hashX('SHA-256', textBytes('other')));
  const card = { cardId: fromHex('0102030405060708'), sequence: 9 };
  const withSafe = { ...card, safeId: fromHex('A1A2A3A4A5A6A7A8') };

  test('the certificate message is label, zero and the elements before 92', () => {
    const [value] = fc.sample(certificateArb, { seed: 3, numRuns: 1 });
    const encoded = certificate.encode(value);
    const content = toHex(encoded).slice(encoded[1] === 0x81 ? 6 : encoded[1] === 0x82 ? 8 : 4, -132);
    expect(toHex(signed.certificate.message(value, {}))).toBe(toHex(textBytes('cardbench certificate v1\0')) + content);
  });

  test('the contexts of E3, E5 and E8 come before the elements', () => {
    const [e3] = fc.sample(registeredArb, { seed: 3, numRuns: 1 });
    const [e8] = fc.sample(keyReplyArb, { seed: 3, numRuns: 1 });
    const [e5] = fc.sample(keyObjectArb, { seed: 3, numRuns: 1 });
    expect(toHex(signed.registeredValue.message(e3, card))).toMatch(new RegExp(`^${toHex(textBytes('cardbench 203 v1\0'))}010203040506070800000009E2`));
    expect(toHex(signed.keyObject.message(e5, withSafe))).toMatch(new RegExp(`^${toHex(textBytes('cardbench key v1\0'))}010203040506070800000009A1A2A3A4A5A6A7A8E2`));
    expect(toHex(signed.keyReply.message(e8, { ...withSafe, counter: 5 })))
      .toMatch(new RegExp(`^${toHex(textBytes('cardbench key reply v1\0'))}010203040506070800000009A1A2A3A4A5A6A7A800000005E2`));
  });

  test('sign and verify; another key, object, context or kind does not verify', () => {
    const pick = <T>(arbitrary: fc.Arbitrary<T>): T => fc.sample(arbitrary, { seed: 5, numRuns: 1 })[0];
    const e6 = signed.certificate.sign(pick(certificateArb), {}, signer);
    expect(signed.certificate.verify(e6, {}, signer.publicKey)).toBe(true);
    expect(signed.certificate.verify({ ...e6, counter: (e6.counter + 1) % 2 ** 32 }, {}, signer.publicKey)).toBe(false);
    expect(signed.certificate.verify(e6, {}, other.publicKey)).toBe(false);
    expect(signed.certificate.verify(e6, {}, new Uint8Array(32).fill(255))).toBe(false);
    const e3 = signed.registeredValue.sign(pick(registeredArb), card, signer);
    expect(signed.registeredValue.verify(e3, card, signer.publicKey)).toBe(true);
    expect(signed.registeredValue.verify(e3, { ...card, sequence: 10 }, signer.publicKey)).toBe(false);
    const e9 = signed.credential.sign(pick(credentialArb), {}, signer);
    const ea = signed.receipt.sign({ ...pick(receiptArb), credential: e9 }, {}, signer);
    const ec = signed.loadObject.sign(pick(loadObjectArb), {}, signer);
    expect(signed.credential.verify(e9, {}, signer.publicKey)).toBe(true);
    expect(signed.receipt.verify(ea, {}, signer.publicKey)).toBe(true);
    expect(signed.loadObject.verify(ec, {}, signer.publicKey)).toBe(true);
    expect(signed.receipt.verify({ ...ea, signature: e9.signature }, {}, signer.publicKey)).toBe(false);
  });
});

describe('memoised operations', () => {
  test('give the same results, count hits, keep to their limit', () => {
    const ops = memoOps(nobleOps, 2);
    const seed = new Uint8Array(32).fill(3);
    const first = ops.sign(seed, textBytes('x'));
    first.fill(0);
    expect(ops.sign(seed, textBytes('x'))).toEqual(nobleOps.sign(seed, textBytes('x')));
    expect(ops.counts).toEqual({ hits: 1, misses: 1 });
    expect(ops.verify(ops.signingPublic(seed), textBytes('x'), ops.sign(seed, textBytes('x')))).toBe(true);
    ops.agreementPublic(seed);
    ops.agree(seed, nobleOps.agreementPublic(seed));
    ops.sign(seed, textBytes('x'));
    expect(ops.counts).toEqual({ hits: 2, misses: 6 });
  });
});

describe('a signer that keeps its expanded key', () => {
  test('RFC 8032 7.1, test 3', () => {
    const signer = heldSigner(fromHex('c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7'));
    expect(toHex(signer.publicKey)).toBe('FC51CD8E6218A1A38DA47ED00230F0580816ED13BA3303AC5DEB911548908025');
    expect(toHex(signer.sign(fromHex('af82')))).toBe(
      '6291D657DEEC24024827E69C3ABE01A30CE548A284743A445E3680D7DB5AC3AC18FF9B538D16F290AE67F760984DC6594A7C15E9716ED28DC027BECEEA1EC40A');
  });

  test('any seed and message: the signature the library gives', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array({ maxLength: 300 }), (seed, message) => {
      expect(toHex(heldSigner(seed).sign(message))).toBe(toHex(nobleOps.sign(seed, message)));
    }), { numRuns: 50 });
  });

  test('a seed of another length is refused', () => {
    expect(() => heldSigner(new Uint8Array(31))).toThrow(expect.objectContaining({ code: 'CRYPTO_KEY' }));
  });
});
