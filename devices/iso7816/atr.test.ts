import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isDeviceError } from '../errors.js';
import { atrLength, parseAtr } from './atr.js';
import { checkAtr, EMV_ATR_RULES, ISO_ATR_RULES } from './atr-rules.js';
import { BAUD_RATES, CLOCK_RATES, ratesOf } from './rates.js';
import { withTck } from './testing/fake-card.js';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replace(/ /g, ''), 'hex'));
const details = (hex: Uint8Array, rules = ISO_ATR_RULES): string[] => checkAtr(parseAtr(hex), rules, 0).map((f) => f.detail);

describe('parsing', () => {
  test('the shortest ATR has all defaults', () => {
    expect(parseAtr(bytes('3B00'))).toMatchObject({
      convention: 'direct', protocols: [0], defaultProtocol: 0, rates: { F: 372, D: 1 }, extraGuard: 0,
      t0: { WI: 10 }, t1: { ifsc: 32, bwi: 4, cwi: 13, edc: 'LRC' },
    });
  });

  test('a T=1 card (JCOP v2.4.1): TA1, TB1, TC1, TA3, TB3, historical bytes, TCK', () => {
    const atr = parseAtr(bytes('3B F8 13 00 00 81 31 FE 45 4A 43 4F 50 76 32 34 31 B7'));
    expect(atr).toMatchObject({ protocols: [1], rates: { F: 372, D: 4 }, t1: { ifsc: 254, bwi: 4, cwi: 5, edc: 'LRC' }, tck: 0xb7 });
    expect(new TextDecoder().decode(atr.historical)).toBe('JCOPv241');
  });

  test('an inverse-convention T=0 card has no TCK', () => {
    const atr = parseAtr(bytes('3F 65 25 08 93 04 6C 90 00'));
    expect(atr).toMatchObject({ convention: 'inverse', protocols: [0], extraGuard: 8 });
    expect(atr.tck).toBeUndefined();
    expect(atr.tb[0]).toBe(0x25);
  });

  test('two protocols, TC2, CRC', () => {
    const atr = parseAtr(withTck([0x3b, 0xd0, 0x95, 0x05, 0xc0, 0x20, 0x71, 0x40, 0x23, 0x01]));
    expect(atr).toMatchObject({ protocols: [0, 1], rates: { F: 512, D: 16 }, extraGuard: 5, t0: { WI: 32 }, t1: { ifsc: 64, bwi: 2, cwi: 3, edc: 'CRC' } });
  });

  test('TA2 puts the card in specific mode', () => {
    const specific = parseAtr(withTck([0x3b, 0x80, 0x91, 0x91, 0x31, 0xfe, 0x45]));
    expect(specific.specificMode).toEqual({ protocol: 1, changeable: false, implicitRates: true });
    expect(specific.defaultProtocol).toBe(1);
  });

  test.each([
    ['TS', '0300', /TS is 03/],
    ['short', '3B65', /ends after 2/],
    ['long', '3B0000', /1 characters too many/],
    ['TCK', '3B8001FF', /TCK is FF, expected 81/],
  ])('%s wrong: CARD_BAD_ATR', (_name, hex, what) => {
    expect.assertions(2);
    try {
      parseAtr(bytes(hex));
    } catch (error) {
      expect(isDeviceError(error, 'CARD_BAD_ATR')).toBe(true);
      expect((error as Error).message).toMatch(what);
    }
  });

  test('the length is known exactly when the interface bytes are complete, and no prefix is longer', () => {
    const whole = bytes('3B F8 13 00 00 81 31 FE 45 4A 43 4F 50 76 32 34 31 B7');
    for (let n = 0; n <= whole.length; n++) expect(atrLength(whole.subarray(0, n))).toBe(n < 9 ? undefined : whole.length);
  });

  test('any bytes are parsed or refused with CARD_BAD_ATR, nothing else', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 0, maxLength: 40 }), (tail) => {
      try {
        const atr = parseAtr(Uint8Array.of(0x3b, ...tail));
        expect(atr.protocols.length).toBeGreaterThan(0);
      } catch (error) {
        expect(isDeviceError(error, 'CARD_BAD_ATR')).toBe(true);
      }
    }));
  });
});

describe('rules', () => {
  const clean = withTck([0x3b, 0xe0, 0x00, 0x00, 0x81, 0x31, 0xfe, 0x45]);

  test('an EMV card breaks none', () => {
    expect(details(clean)).toEqual([]);
    expect(details(clean, EMV_ATR_RULES)).toEqual([]);
  });

  test.each([
    ['TA1 reserved', withTck([0x3b, 0x90, 0x71, 0x01]), /TA1 71 is reserved/],
    ['protocols not ascending', withTck([0x3b, 0x80, 0x81, 0x00]), /not in ascending order/],
    ['T=15 first', withTck([0x3b, 0x80, 0x0f]), /TD1 names T=15/],
    ['TC2 zero', Uint8Array.of(0x3b, 0x80, 0x40, 0x00), /TC2/],
    ['IFSC 255', withTck([0x3b, 0x80, 0x81, 0x11, 0xff]), /IFSC 255/],
    ['BWI 10', withTck([0x3b, 0x80, 0x81, 0x21, 0xa5]), /BWI 10/],
    ['TA2 names what is not offered', withTck([0x3b, 0x80, 0x91, 0x00, 0x01]), /TA2 names T=0/],
  ])('ISO: %s', (_name, atr, what) => {
    expect(details(atr).join('; ')).toMatch(what);
  });

  test.each([
    ['TA1', [0x3b, 0xf0, 0x95, 0x00, 0x00, 0x81, 0x31, 0xfe, 0x45], /TA1 is 95/],
    ['TB1', [0x3b, 0xe0, 0x25, 0x00, 0x81, 0x31, 0xfe, 0x45], /TB1 is 25/],
    ['TC1', [0x3b, 0xe0, 0x00, 0x07, 0x81, 0x31, 0xfe, 0x45], /TC1 is 07/],
    ['CRC', [0x3b, 0xe0, 0x00, 0x00, 0x81, 0x71, 0xfe, 0x45, 0x01], /LRC/],
    ['BWI', [0x3b, 0xe0, 0x00, 0x00, 0x81, 0x31, 0xfe, 0x55], /BWI 5/],
    ['CWI', [0x3b, 0xe0, 0x00, 0x00, 0x81, 0x31, 0xfe, 0x46], /CWI 6/],
    ['IFSC', [0x3b, 0xe0, 0x00, 0x00, 0x81, 0x31, 0x0f, 0x45], /IFSC 15/],
  ])('EMV: %s', (_name, atr, what) => {
    expect(details(withTck(atr), EMV_ATR_RULES).join('; ')).toMatch(what);
    expect(details(withTck(atr))).toEqual([]);
  });
});

test('rates of TA1 (ISO/IEC 7816-3, tables 7 and 8)', () => {
  expect(CLOCK_RATES).toHaveLength(16);
  expect(BAUD_RATES).toHaveLength(16);
  expect(ratesOf(0x96)).toEqual({ F: 512, D: 32, fMaxMHz: 5 });
  expect(ratesOf(0x18)).toEqual({ F: 372, D: 12, fMaxMHz: 5 });
  expect(ratesOf(0x10)).toBeUndefined();
  expect(ratesOf(0x81)).toBeUndefined();
});
