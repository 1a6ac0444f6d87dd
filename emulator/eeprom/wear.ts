import type { WearProfile } from '../profiles/schema.js';
import { exp, gaussian, hash32, unit } from './math.js';

const ENDURANCE_SALT = 0x57454152;
const BIT_SALT = 0x42495453;
const DRAW_SALT = 0x44524157;

/** Operations that `page` of the chip lasts: lognormal around the profile's endurance, by (seed, page). */
export function endurance(profile: WearProfile, seed: number, page: number): number {
  return Math.max(1, Math.round(profile.endurance * exp(profile.sigma * gaussian(hash32(seed, ENDURANCE_SALT, page)))));
}

/**
 * Applies wear to what an operation leaves in a page, in place; true if any cell failed. `count` is the number of
 * operations the page has had with this one. Beyond the page's endurance one cell first misses its intended value
 * rarely (chance from 2 % rising with the square of the excess to 1 within `span` of the endurance), after that it
 * is stuck, and a further cell for each quarter of a span.
 */
export function applyWear(profile: WearProfile, seed: number, page: number, count: number, bytes: Uint8Array): boolean {
  const life = endurance(profile, seed, page);
  if (count <= life) return false;
  const excess = (count - life) / (life * profile.span);
  if (excess < 1) {
    if (unit(hash32(seed, DRAW_SALT, page, count)) >= 0.02 + 0.98 * excess * excess) return false;
    const bit = wornBit(seed, page, 0, bytes.length);
    bytes[bit >> 3] ^= 1 << (bit & 7);
    return true;
  }
  const stuck = Math.min(bytes.length * 8, 1 + Math.floor((excess - 1) * 4));
  let changed = false;
  for (let i = 0; i < stuck; i++) {
    const bit = wornBit(seed, page, i, bytes.length);
    const mask = 1 << (bit & 7);
    const value = hash32(seed, BIT_SALT, page, i, 1) & 1 ? bytes[bit >> 3] | mask : bytes[bit >> 3] & ~mask;
    changed ||= value !== bytes[bit >> 3];
    bytes[bit >> 3] = value;
  }
  return changed;
}

function wornBit(seed: number, page: number, index: number, pageBytes: number): number {
  return hash32(seed, BIT_SALT, page, index) % (pageBytes * 8);
}
