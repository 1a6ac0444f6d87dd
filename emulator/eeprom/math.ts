/*
 * Random numbers and functions that give the same bits on every engine. ECMAScript leaves Math.exp, Math.log
 * and Math.sqrt to the implementation; additions, products and quotients of doubles are exact by IEEE 754.
 */

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const EXP_TERMS = 14;

/** Mixes 32-bit words into one well-spread 32-bit word (0 to 2^32-1); order matters. */
export function hash32(...words: readonly number[]): number {
  let h = 0x9e3779b9;
  for (const word of words) h = mix32(h ^ word, word);
  return h >>> 0;
}

/** One step of {@link hash32}: folds `word` into the state `h`; returns a signed 32-bit value. */
export function mix32(h: number, word: number): number {
  let x = Math.imul(h ^ Math.imul(word, 0x85ebca6b), 0xc2b2ae35);
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return (x ^ (x >>> 16)) + 0x9e3779b9 | 0;
}

/** A 32-bit word as a number strictly between 0 and 1. */
export function unit(word: number): number {
  return ((word >>> 0) + 0.5) / 4294967296;
}

/** e to the x, for |x| <= 700; relative error below 1e-15. */
export function exp(x: number): number {
  const k = Math.round(x / Math.LN2);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let sum = 1;
  for (let n = EXP_TERMS; n >= 1; n--) sum = 1 + (sum * r) / n;
  return sum * powerOfTwo(k);
}

/** Natural logarithm of x > 0; absolute error below 1e-14. */
export function ln(x: number): number {
  let m = x;
  let k = 0;
  while (m > 1.4142135623730951) { m /= 2; k++; }
  while (m < 0.7071067811865476) { m *= 2; k--; }
  const s = (m - 1) / (m + 1);
  const s2 = s * s;
  let sum = 0;
  for (let n = 23; n >= 1; n -= 2) sum = sum * s2 + 1 / n;
  return 2 * s * sum + k * LN2_HIGH + k * LN2_LOW;
}

/**
 * Quantile of the standard normal distribution, 0 < p < 1.
 * P. J. Acklam's rational approximation, relative error below 1.2e-9.
 */
export function normalQuantile(p: number): number {
  if (p < 0.02425) return tail(p);
  if (p > 0.97575) return -tail(1 - p);
  const q = p - 0.5;
  const r = q * q;
  const a = ((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r + 138.357751867269) * r
    - 30.66479806614716) * r + 2.506628277459239;
  const b = ((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r + 66.80131188771972) * r
    - 13.28068155288572) * r + 1;
  return a * q / b;
}

/** A standard normal number from one hash word: the same word gives the same number. */
export function gaussian(word: number): number {
  return normalQuantile(unit(word));
}

function tail(p: number): number {
  const q = root(-2 * ln(p));
  const c = ((((-0.007784894002430293 * q - 0.3223964580411365) * q - 2.400758277161838) * q - 2.549732539343734) * q
    + 4.374664141464968) * q + 2.938163982698783;
  const d = (((0.007784695709041462 * q + 0.3224671290700398) * q + 2.445134137142996) * q + 3.754408661907416) * q + 1;
  return c / d;
}

/** Square root by Newton's method, for 1 to 100. */
function root(x: number): number {
  let y = x < 16 ? 3 : 6;
  for (let i = 0; i < 6; i++) y = (y + x / y) / 2;
  return y;
}

function powerOfTwo(k: number): number {
  let power = 1;
  const factor = k < 0 ? 0.5 : 2;
  for (let i = Math.abs(k); i > 0; i--) power *= factor;
  return power;
}
