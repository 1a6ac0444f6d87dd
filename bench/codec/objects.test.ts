import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, fromHex, toHex } from './bytes.js';
import { CodecError } from './errors.js';
import type { CodecErrorCode } from './errors.js';
import * as objects from './objects.js';
import { samples } from './samples.js';
import type { ObjectCodec } from './schema.js';
import * as arb from './testing/arbitraries.js';
import { writeTlv } from './tlv.js';

interface Case {
  readonly name: string;
  readonly codec: ObjectCodec<unknown>;
  readonly arbitrary: fc.Arbitrary<unknown>;
}
const one = <T>(name: string, codec: ObjectCodec<T>, arbitrary: fc.Arbitrary<T>): Case =>
  ({ name, codec: codec, arbitrary });

const cases: readonly Case[] = [
  one('E1 value information', objects.valueInformation, arb.valueInformationArb),
  one('E2 digest', objects.digest, arb.digestArb),
  one('E3 registered value', objects.registeredValue, arb.registeredArb),
  one('E4 registration request', objects.registrationRequest, arb.requestArb),
  one('E5 key object', objects.keyObject, arb.keyObjectArb),
  one('E6 certificate', objects.certificate, arb.certificateArb),
  one('EE piece', objects.piece, arb.pieceArb),
  one('EE key part', objects.keyPart, arb.keyPartArb),
  one('EE key part reply', objects.keyPartReply, arb.keyPartReplyArb),
  one('EF bundle', objects.bundle, arb.bundleArb),
  one('E8 key reply', objects.keyReply, arb.keyReplyArb),
  one('E9 credential', objects.credential, arb.credentialArb),
  one('EA receipt', objects.receipt, arb.receiptArb),
  one('EB list entry', objects.listEntry, arb.listEntryArb),
  one('EC load object', objects.loadObject, arb.loadObjectArb),
  one('ED safe entry', objects.safeEntry, arb.safeEntryArb),
];

function refused(codec: ObjectCodec<unknown>, bytes: Uint8Array): CodecError {
  try {
    codec.decode(bytes);
  } catch (error) {
    if (error instanceof CodecError) return error;
    throw error;
  }
  throw new Error(`accepted ${toHex(bytes)}`);
}

describe.each(cases)('$name', ({ codec, arbitrary }) => {
  test('decode is the inverse of encode', () => {
    fc.assert(fc.property(arbitrary, (value) => {
      const bytes = codec.encode(value);
      expect(bytes[0]).toBe(codec.tag);
      expect(codec.decode(bytes)).toEqual(value);
    }), { numRuns: 200 });
  });

  test('what is accepted is canonical; everything else is a coded refusal with an offset', () => {
    const mutation = fc.tuple(arbitrary, fc.nat(), fc.integer({ min: 1, max: 255 }));
    fc.assert(fc.property(mutation, ([value, where, change]) => {
      const bytes = codec.encode(value);
      bytes[where % bytes.length] ^= change;
      try {
        expect(toHex(codec.encode(codec.decode(bytes)))).toBe(toHex(bytes));
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
        expect(error.offset).toBeLessThanOrEqual(bytes.length);
      }
    }), { numRuns: 400 });
  });

  test('every truncation and every addition is refused', () => {
    fc.assert(fc.property(arbitrary, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 }), (value, cut, more) => {
      const bytes = codec.encode(value);
      const short = refused(codec, bytes.slice(0, cut % bytes.length));
      expect(['TLV_MISSING', 'TLV_TRUNCATED']).toContain(short.code);
      expect(refused(codec, concat(bytes, more))).toMatchObject({ code: 'TLV_TRAILING', offset: bytes.length });
    }), { numRuns: 200 });
  });

  test('random bytes never do anything but refuse or decode canonically', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (content) => {
      const bytes = writeTlv(codec.tag, content);
      try {
        expect(codec.encode(codec.decode(bytes))).toEqual(bytes);
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
      }
    }), { numRuns: 300 });
  });
});

describe('value information 201', () => {
  const movie = '800101 810E6D6F766965207469636B65742041 820400000640 83020001 840400000640 850142'
    + '86082000040120000531 870400000000 8800 89080000000000000001';

  test('fig. 19, movie ticket A, in bytes written by hand', () => {
    const content = fromHex(movie);
    expect(toHex(objects.valueInformation.encode(samples[0]))).toBe(toHex(writeTlv(0xe1, content)));
  });

  test('the four samples have the amounts of fig. 19 and survive the codec', () => {
    expect(samples.map(({ unitPrice, quantity, totalAmount, remaining }) => [unitPrice, quantity, totalAmount, remaining]))
      .toEqual([[1600, 1, 1600, 0], [4500, 2, 9000, 0], [1000, 1, 1000, 800], [1600, 2, 3200, 0]]);
    for (const sample of samples) {
      expect(objects.valueInformation.decode(objects.valueInformation.encode(sample))).toEqual(sample);
      expect(sample.totalAmount).toBe(sample.unitPrice * sample.quantity);
    }
  });

  const mutated: [string, string, CodecErrorCode, number][] = [
    ['elements swapped', movie.replace('83020001 840400000640', '840400000640 83020001'), 'TLV_UNEXPECTED', 27],
    ['element twice', movie.replace('83020001', '83020001 83020001'), 'TLV_UNEXPECTED', 31],
    ['element left out', movie.replace('83020001', ''), 'TLV_UNEXPECTED', 27],
    ['last element left out', movie.replace('89080000000000000001', ''), 'TLV_MISSING', 58],
    ['something after', `${movie}8A00`, 'TLV_TRAILING', 68],
    ['class 00', movie.replace('800101', '800100'), 'ELEMENT_VALUE', 4],
    ['class of a key', movie.replace('800101', '800180'), 'ELEMENT_VALUE', 4],
    ['price of 3 bytes', movie.replace('820400000640', '8203000640'), 'ELEMENT_LENGTH', 23],
    ['empty name', movie.replace('810E6D6F766965207469636B65742041', '8100'), 'ELEMENT_LENGTH', 7],
    ['name of 49 bytes', movie.replace('810E6D6F766965207469636B65742041', `8131${'41'.repeat(49)}`), 'ELEMENT_LENGTH', 7],
    ['name with half a character', movie.replace('810E6D6F', '810EC36F'), 'ELEMENT_TEXT', 7],
    ['validity with a hex digit', movie.replace('20000531', '2000053A'), 'ELEMENT_VALUE', 46],
    ['validity of 4 bytes', movie.replace('86082000040120000531', '860420000401'), 'ELEMENT_LENGTH', 42],
  ];
  test.each(mutated)('%s: refused', (_, content, code, offset) => {
    expect(refused(objects.valueInformation as ObjectCodec<unknown>, writeTlv(0xe1, fromHex(content))))
      .toMatchObject({ code, offset });
  });

  test('an encoder refuses what no decoder would take', () => {
    const bad: [Partial<objects.ValueInformation>, CodecErrorCode][] = [
      [{ infoClass: 0x80 }, 'ELEMENT_VALUE'], [{ quantity: 65536 }, 'ELEMENT_VALUE'], [{ unitPrice: 1.5 }, 'ELEMENT_VALUE'],
      [{ name: '' }, 'ELEMENT_LENGTH'], [{ name: '\ud800' }, 'ELEMENT_TEXT'], [{ remarks: 'x'.repeat(65) }, 'ELEMENT_LENGTH'],
      [{ validity: { from: '2000-4-1', to: '2000-05-31' } }, 'ELEMENT_VALUE'], [{ issueId: new Uint8Array(7) }, 'ELEMENT_LENGTH'],
    ];
    for (const [change, code] of bad)
      expect(() => objects.valueInformation.encode({ ...samples[0], ...change })).toThrow(expect.objectContaining({ code }));
  });

  test('an object over its size limit is refused before its elements are read', () => {
    const big = writeTlv(0xe1, new Uint8Array(300));
    expect(refused(objects.valueInformation as ObjectCodec<unknown>, big)).toMatchObject({ code: 'TLV_TOO_LARGE', offset: 0 });
  });
});

describe('members that must fit each other', () => {
  const sample = <T>(arbitrary: fc.Arbitrary<T>): T => fc.sample(arbitrary, { seed: 7, numRuns: 1 })[0];
  const keyDigest: objects.KeyDigest = { type: 'key', keyKind: 'decoding', keyId: new Uint8Array(8) };
  const bad: [string, () => unknown][] = [
    ['hash length and algorithm', () =>
      objects.certificate.encode({ ...sample(arb.certificateArb), algorithm: 'MD5', hash: new Uint8Array(20) })],
    ['key kind with a value digest', () =>
      objects.certificate.encode({ ...sample(arb.certificateArb), kind: 'key', digest: { type: 'empty' } })],
    ['value kind with a key digest', () =>
      objects.certificate.encode({ ...sample(arb.certificateArb), kind: 'plain', digest: keyDigest })],
    ['wrapped key length and kind', () =>
      objects.keyReply.encode({ digest: keyDigest, wrappedKey: new Uint8Array(64), signature: new Uint8Array(64) })],
  ];
  test.each(bad)('%s', (_, run) => {
    expect(run).toThrow(expect.objectContaining({ code: 'OBJECT_INCONSISTENT' }));
  });

  test('a registered value cannot carry a key digest', () => {
    const digest = objects.digest.encode(keyDigest);
    const rest = concat(fromHex('900101'), writeTlv(0x91, new Uint8Array(60)), writeTlv(0x92, new Uint8Array(64)));
    expect(refused(objects.registeredValue as ObjectCodec<unknown>, writeTlv(0xe3, concat(digest, rest))))
      .toMatchObject({ code: 'OBJECT_INCONSISTENT', offset: 3 });
  });

  test('digest 302 of a value, full and empty', () => {
    expect(objects.digestOf(samples[1])).toEqual({
      type: 'value', infoClass: 2, name: 'concert ticket C', quantity: 2, place: 'D',
      validity: { from: '2000-04-29', to: '2000-04-29' },
    });
    expect(toHex(objects.digest.encode(objects.digestOf(samples[1], true)))).toBe('E200');
  });

  test('the unsigned form is the encoding up to 92', () => {
    fc.assert(fc.property(arb.certificateArb, (value) => {
      const whole = toHex(objects.certificate.encode(value));
      const unsigned = toHex(objects.certificate.encodeUnsigned(value));
      expect(whole.endsWith(`${unsigned}9240${toHex(value.signature)}`)).toBe(true);
    }));
    expect(() => objects.digest.encodeUnsigned({ type: 'empty' })).toThrow(expect.objectContaining({ code: 'OBJECT_INCONSISTENT' }));
  });
});
