// Writes crypto/ed25519_base.h: node devices/firmware/test/make-base-table.mjs > devices/firmware/crypto/ed25519_base.h
import { ed25519 } from '@noble/curves/ed25519.js';

const { Point } = ed25519;
const { p, d, n } = { ...Point.CURVE() };
const mod = (value, modulus) => ((value % modulus) + modulus) % modulus;

/** A field element as the initialiser of 8 words, lowest first. */
function words(value) {
  const list = Array.from({ length: 8 }, (_, i) => (mod(value, p) >> BigInt(32 * i)) & 0xffffffffn);
  return `{${list.map((word) => `0x${word.toString(16).toUpperCase().padStart(8, '0')}u`).join(', ')}}`;
}

/** Entry m: 2^192 plus or minus 2^(64 j), plus where bit j of m is set, times the base point. */
function entry(m) {
  const scalar = [0, 1, 2].reduce((sum, j) => sum + ((m >> j) & 1 ? 1n : -1n) * 2n ** BigInt(64 * j), 2n ** 192n);
  const { x, y } = Point.BASE.multiply(mod(scalar, n)).toAffine();
  return `    {${[y + x, y - x, 2n * d * x * y].map(words).join(',\n     ')}},`;
}

/** The whole header. */
export function baseTable() {
  const entries = Array.from({ length: 8 }, (_, m) => entry(m));
  return [
    '/** Made by test/make-base-table.mjs. Entry m: (2^192 + sum over j = 0..2 of s 2^(64 j)) B, s = +1 where bit j',
    ' * of m is 1, else -1; as y + x, y - x, 2 d x y. */',
    'static const niels base_table[8] = {',
    ...entries,
    '};',
    '',
  ].join('\n');
}

if (import.meta.url === `file://${process.argv[1]}`) {
  process.stdout.write(baseTable());
}
