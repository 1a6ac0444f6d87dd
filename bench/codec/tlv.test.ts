import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, fromHex, toHex, uintBytes } from './bytes.js';
import { CodecError } from './errors.js';
import { TlvReader, writeTlv } from './tlv.js';

/** Code and offset of the CodecError a call throws. */
function refusal(run: () => unknown): [string, number | undefined] {
  try {
    run();
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    expect(error.next.length * error.stillTrue.length).toBeGreaterThan(0);
    return [error.code, error.offset];
  }
  throw new Error('nothing was refused');
}

describe('lengths', () => {
  test.each([[0, '8000'], [0x7f, '807F'], [0x80, '808180'], [0xff, '8081FF'], [0x100, '80820100'], [0xffff, '8082FFFF']])(
    '%i bytes get the shortest form', (length, head) => {
      const encoded = writeTlv(0x80, new Uint8Array(length));
      expect(toHex(encoded).slice(0, head.length)).toBe(head);
      expect(encoded.length).toBe(head.length / 2 + length);
    });

  test('more than 65535 bytes are refused', () => {
    expect(refusal(() => writeTlv(0x80, new Uint8Array(0x10000)))).toEqual(['TLV_TOO_LARGE', undefined]);
  });

  test.each([
    ['80', 'TLV_TRUNCATED', 1],
    ['8081', 'TLV_TRUNCATED', 2],
    ['808201', 'TLV_TRUNCATED', 3],
    ['8003AABB', 'TLV_TRUNCATED', 2],
    ['8080', 'TLV_LENGTH_FORM', 1],
    [`80817F${'00'.repeat(127)}`, 'TLV_LENGTH_FORM', 1],
    [`808200FF${'00'.repeat(255)}`, 'TLV_LENGTH_FORM', 1],
    ['8083000001AA', 'TLV_LENGTH_FORM', 1],
    ['80FF', 'TLV_LENGTH_FORM', 1],
  ])('%s is refused', (hex, code, offset) => {
    expect(refusal(() => new TlvReader(fromHex(hex)).next())).toEqual([code, offset]);
  });
});

describe('reader', () => {
  test('says what is missing, unexpected and too much', () => {
    const two = concat(writeTlv(0x80, Uint8Array.of(1)), writeTlv(0x81, Uint8Array.of(2)));
    const reader = new TlvReader(two);
    expect(refusal(() => reader.expect(0x81, 'name'))).toEqual(['TLV_UNEXPECTED', 0]);
    expect(reader.expect(0x80, 'class').content).toEqual(Uint8Array.of(1));
    expect(refusal(() => reader.finish('it'))).toEqual(['TLV_TRAILING', 3]);
    expect([...reader.lookahead(9)]).toEqual([0x81, 1, 2]);
    reader.next();
    reader.finish('it');
    expect(refusal(() => reader.expect(0x82, 'price'))).toEqual(['TLV_MISSING', 6]);
  });

  test('reads back whatever was written', () => {
    const list = fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 400 })), { maxLength: 5 });
    fc.assert(fc.property(list, (items) => {
      const reader = new TlvReader(concat(...items.map(([tag, content]) => writeTlv(tag, content))));
      for (const [tag, content] of items) expect(reader.expect(tag, 'it').content).toEqual(content);
      reader.finish('them');
    }));
  });

  test('an element inside another cannot reach past its end', () => {
    const outer = fromHex('E1 02 80 05 01 02 03 04 05');
    const reader = new TlvReader(outer);
    expect(refusal(() => reader.inside(reader.next()).next())).toEqual(['TLV_TRUNCATED', 4]);
  });
});

describe('bytes', () => {
  test('hex and integers refuse what does not fit', () => {
    expect(refusal(() => fromHex('ABC'))[0]).toBe('ELEMENT_VALUE');
    expect(refusal(() => fromHex('zz'))[0]).toBe('ELEMENT_VALUE');
    for (const value of [-1, 256, 0.5, NaN]) expect(refusal(() => uintBytes(value, 1))[0]).toBe('ELEMENT_VALUE');
    expect(toHex(uintBytes(0xfedcba98, 4))).toBe('FEDCBA98');
  });
});
