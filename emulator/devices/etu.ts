import type { Cycles } from '../types.js';

/** Length of an elementary time unit in core cycles, as the fraction `num / den` in lowest terms. */
export interface Etu {
  readonly num: number;
  readonly den: number;
}

/** etu of F/D contact-clock cycles, in core cycles: F * coreHz / (D * cardHz) (ISO/IEC 7816-3, 7.1). */
export function makeEtu(f: number, d: number, coreHz: number, cardHz: number): Etu {
  const num = f * coreHz;
  const den = d * cardHz;
  const common = gcd(num, den);
  return { num: num / common, den: den / common };
}

/** Whole cycles in `halves` half etu, rounded down: the n-th etu is at `halfEtus(etu, 2 * n)`. */
export function halfEtus(etu: Etu, halves: number): Cycles {
  const den = 2 * etu.den;
  const whole = Math.floor(etu.num / den);
  return halves * whole + Math.floor((halves * (etu.num - whole * den)) / den);
}

/** The two units are equally long. */
export function sameEtu(a: Etu, b: Etu): boolean {
  return a.num === b.num && a.den === b.den;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
