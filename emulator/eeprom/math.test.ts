import { describe, expect, it } from 'vitest';
import { exp, gaussian, hash32, ln, normalQuantile, unit } from './math.js';

/** The bits of a double, so that a change in the last place shows. */
function bits(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, '0');
}

describe('portable mathematics', () => {
  it('exp and ln agree with the mathematical functions', () => {
    for (let x = -5; x <= 5; x += 0.0625) {
      expect(Math.abs(exp(x) / Math.exp(x) - 1)).toBeLessThan(1e-14);
      expect(Math.abs(ln(Math.exp(x)) - x)).toBeLessThan(1e-13);
    }
  });

  it('gives known quantiles of the normal distribution', () => {
    expect(normalQuantile(0.5)).toBe(0);
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 7);
    expect(normalQuantile(0.001)).toBeCloseTo(-3.090232306167813, 7);
    expect(normalQuantile(1e-9)).toBeCloseTo(-5.997807015008, 6);
  });

  it('keeps every bit: fixed vectors', () => {
    expect([hash32(1, 2, 3), hash32(1), hash32(3, 2, 1), hash32()]).toEqual(VECTORS.hash);
    expect([exp(0.12), exp(-0.36), exp(1), ln(2), ln(0.001)].map(bits)).toEqual(VECTORS.functions);
    expect([0, 1, 0x80000000, 0xffffffff, 12345678].map((word) => bits(gaussian(word)))).toEqual(VECTORS.gaussian);
  });

  it('spreads: mean 0 and variance 1 over many words', () => {
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < 20_000; i++) {
      const g = gaussian(hash32(7, i));
      sum += g;
      squares += g * g;
    }
    expect(Math.abs(sum / 20_000)).toBeLessThan(0.03);
    expect(Math.abs(squares / 20_000 - 1)).toBeLessThan(0.05);
    expect(unit(0)).toBeGreaterThan(0);
    expect(unit(0xffffffff)).toBeLessThan(1);
  });
});

const VECTORS = {
  hash: [903052332, 204805973, 1479035571, 2654435769],
  functions: ['3ff20a3a237e05ac', '3fe6535d4d756470', '4005bf0a8b14576a', '3fe62e42fefa39ef', 'c01ba18a998fffa0'],
  gaussian: ['c0195a1198ce64ee', 'c018aa6c7fcbb60a', '3df40d9320575479', '40195a1198ce64ee', 'c006181a9e821328'],
};
