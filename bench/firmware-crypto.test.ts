import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cbc, ecb, gcm } from '@noble/ciphers/aes.js';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { md5, sha1 } from '@noble/hashes/legacy.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createChip, loadImage, loadProfile, type Chip } from '../emulator/index.js';

/** The firmware's own cryptography (C) against published vectors and @noble, on every back end. */

const folder = fileURLToPath(new URL('../devices/firmware/test/', import.meta.url));
const OPERATIONS = [
  'init', 'aes-encrypt', 'aes-decrypt', 'gcm-seal', 'gcm-open', 'hash', 'sha512', 'hmac', 'hkdf-extract', 'hkdf-expand',
  'x25519', 'ed25519-public', 'ed25519-sign', 'ed25519-verify', 'hpke-derive', 'hpke-seal', 'hpke-open', 'hpke-schedule',
  'hpke-seal-random', 'crc32', 'equal', 'field',
];
const STATUS = { ok: 0, auth: 2, weak: 3 };
/** Offsets in the mailbox (devices/firmware/test/vectors.h). */
const MAILBOX = { base: 0x20000000, head: 4, result: 44, in: 60, out: 60 + 2304 };

interface Vector {
  readonly id: string;
  readonly source: string;
  readonly op: string;
  readonly parameters?: readonly number[];
  readonly in: readonly string[];
  readonly result: number;
  readonly out?: string;
  readonly only?: 'host';
}

interface Outcome {
  readonly result: number;
  readonly out: Uint8Array;
  readonly cycles: number;
  readonly idle: number;
  readonly stack: number;
}

const vectors = (JSON.parse(readFileSync(`${folder}vectors.json`, 'utf8')) as { cases: Vector[] }).cases;

/** Operation, three parameters, six lengths, and the inputs one after the other. */
function frame(op: string, inputs: readonly Uint8Array[], parameters: readonly number[] = []): { head: Uint8Array; data: Uint8Array } {
  const words = [OPERATIONS.indexOf(op) + 1, ...[0, 1, 2].map((i) => parameters[i] ?? 0)];
  const lengths = [0, 1, 2, 3, 4, 5].map((i) => inputs[i]?.length ?? 0);
  return { head: new Uint8Array(Uint32Array.from([...words, ...lengths]).buffer), data: concatBytes(...inputs) };
}

/** The vector image on an emulated chip, stopped at its BKPT between operations. */
class Target {
  readonly image = loadImage(readFileSync(`${folder}vectors.elf`));
  readonly chip: Chip;

  constructor(profile: string, coprocessor: boolean) {
    this.chip = createChip({ profile: loadProfile(profile), image: this.image });
    this.#toBreak(0);
    expect(this.#word(0)).toBe(0x31564243);
    expect(this.call('init', [], [Number(coprocessor)]).result).toBe(STATUS.ok);
  }

  #word(offset: number): number {
    const bytes = this.chip.machine.peek(MAILBOX.base + offset, 4);
    return new DataView(bytes!.buffer, bytes!.byteOffset).getUint32(0, true);
  }

  /** Runs to `bkpt #mark` and steps over it. */
  #toBreak(mark: number): void {
    const run = this.chip.run(this.chip.now + 400_000_000);
    expect(run.reason).toBe('bkpt');
    const { machine } = this.chip;
    expect(machine.violations).toEqual([]);
    expect(machine.peek(run.pc, 2)).toEqual(Uint8Array.of(mark, 0xbe));
    machine.setRegister(15, run.pc + 2);
  }

  /** Carries out one operation. */
  call(op: string, inputs: readonly Uint8Array[], parameters?: readonly number[]): Outcome {
    const { head, data } = frame(op, inputs, parameters);
    const { machine } = this.chip;
    expect(machine.poke(MAILBOX.base + MAILBOX.head, head) && machine.poke(MAILBOX.base + MAILBOX.in, data)).toBe(true);
    const start = this.chip.now;
    this.#toBreak(2);
    const cycles = this.chip.now - start;
    this.#toBreak(0);
    const [result, length, idle, stack] = [0, 4, 8, 12].map((offset) => this.#word(MAILBOX.result + offset));
    const out = length === 0 ? new Uint8Array(0) : machine.peek(MAILBOX.base + MAILBOX.out, length)!;
    return { result, out, cycles, idle, stack };
  }
}

const BACK_ENDS = [
  { name: 'software, generic machine', profile: 'generic', coprocessor: false, software: true },
  { name: 'coprocessor, c2010', profile: 'c2010', coprocessor: true, software: false },
] as const;

describe.each(BACK_ENDS)('firmware cryptography: $name', ({ profile, coprocessor, software }) => {
  let target: Target;
  const ok = (op: string, inputs: readonly Uint8Array[], parameters?: readonly number[]): Uint8Array => {
    const { result, out } = target.call(op, inputs, parameters);
    expect(result).toBe(STATUS.ok);
    return out;
  };

  beforeAll(() => {
    target = new Target(profile, coprocessor);
  });

  it.each(vectors.filter(({ only }) => only === undefined))('$id ($source)', (vector) => {
    const { result, out } = target.call(vector.op, vector.in.map(hexToBytes), vector.parameters);
    expect({ result, out: bytesToHex(out) }).toEqual({ result: vector.result, out: vector.out ?? '' });
  });

  const bytes = (minLength: number, maxLength = minLength): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength, maxLength });
  const key = fc.oneof(bytes(16), bytes(32));
  const check = <T extends [unknown, ...unknown[]]>(runs: number, arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> }, property: (...values: T) => void): void => {
    fc.assert(fc.property(...arbitraries, property), { seed: 7816, numRuns: runs });
  };

  it('AES blocks equal @noble, and decryption undoes encryption', () => {
    check(200, [key, bytes(16)], (k, block) => {
      const sealed = ok('aes-encrypt', [k, block]);
      expect(sealed).toEqual(ecb(k, { disablePadding: true }).encrypt(block));
      expect(sealed).toEqual(cbc(k, new Uint8Array(16), { disablePadding: true }).encrypt(block));
      expect(ok('aes-decrypt', [k, sealed])).toEqual(block);
    });
  });

  it('AES-GCM equals @noble, opens again, and refuses any altered bit', () => {
    check(200, [key, bytes(12), bytes(0, 70), bytes(0, 100), fc.nat(1), fc.nat()], (k, nonce, aad, text, inPlace, spot) => {
      const sealed = ok('gcm-seal', [k, nonce, aad, text], [inPlace]);
      expect(sealed).toEqual(gcm(k, nonce, aad).encrypt(text));
      const open = (whole: Uint8Array): Outcome => target.call('gcm-open', [k, nonce, aad, whole.slice(0, -16), whole.slice(-16)], [inPlace]);
      expect(open(sealed)).toMatchObject({ result: STATUS.ok, out: text });
      const altered = sealed.slice();
      altered[spot % altered.length] ^= 1 << spot % 8;
      expect(open(altered).result).toBe(STATUS.auth);
    });
  });

  it('digests equal @noble, however the data are cut', () => {
    check(200, [bytes(0, 300), fc.integer({ min: 1, max: 150 })], (data, piece) => {
      expect(ok('hash', [data], [0, piece, 1])).toEqual(md5(data));
      expect(ok('hash', [data], [1, piece, 1])).toEqual(sha1(data));
      expect(ok('hash', [data], [2, piece, 1])).toEqual(sha256(data));
    });
    check(40, [bytes(0, 300), fc.integer({ min: 1, max: 150 })], (data, piece) => {
      expect(ok('sha512', [data], [0, piece, 1])).toEqual(sha512(data));
    });
  });

  it('HMAC and HKDF equal @noble', () => {
    check(100, [bytes(32, 150), bytes(0, 150), fc.nat(200)], (a, b, length) => {
      expect(ok('hmac', [a, b])).toEqual(hmac(sha256, a, b));
      expect(ok('hkdf-extract', [a, b])).toEqual(extract(sha256, b, a));
      expect(ok('hkdf-expand', [a, b], [length])).toEqual(length === 0 ? new Uint8Array(0) : expand(sha256, a, b, length));
    });
  });

  it('X25519 equals @noble', () => {
    check(10, [bytes(32), bytes(32)], (scalar, u) => {
      expect(ok('x25519', [scalar, u], [1])).toEqual(x25519.getSharedSecret(scalar, u));
    });
  });

  it('Ed25519 equals @noble and refuses what was not signed', () => {
    check(5, [bytes(32), bytes(0, 300), fc.nat(511)], (seed, message, bit) => {
      const publicKey = ok('ed25519-public', [seed]);
      expect(publicKey).toEqual(ed25519.getPublicKey(seed));
      const signature = ok('ed25519-sign', [seed, message]);
      expect(signature).toEqual(ed25519.sign(message, seed));
      expect(target.call('ed25519-verify', [publicKey, message, signature]).result).toBe(STATUS.ok);
      const altered = signature.slice();
      altered[bit >> 3] ^= 1 << (bit & 7);
      expect(target.call('ed25519-verify', [publicKey, message, altered]).result).toBe(STATUS.auth);
    });
  });

  it('HPKE seals what it opens, for any info, aad and text', () => {
    check(4, [bytes(32), bytes(32), bytes(0, 80), bytes(0, 80), bytes(0, 100)], (r, e, info, aad, text) => {
      const sealed = ok('hpke-seal', [x25519.getPublicKey(r), e, info, aad, text]);
      expect(sealed.slice(0, 32)).toEqual(x25519.getPublicKey(e));
      const parts = [r, new Uint8Array(0), sealed.slice(0, 32), info, aad, sealed.slice(32)];
      expect(ok('hpke-open', parts)).toEqual(text);
    });
  });

  if (software) it('field arithmetic is right at the edges of the representation', () => {
    const p = 2n ** 255n - 19n;
    const near = [0n, 1n, p, 2n * p, 2n ** 255n, 2n ** 256n - 1n].map((centre) =>
      fc.bigInt({ min: centre - 40n, max: centre + 40n }).map((value) => BigInt.asUintN(256, value)));
    const number = fc.oneof(...near, fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }));
    const bytesOf = (value: bigint): Uint8Array => hexToBytes(value.toString(16).padStart(64, '0')).reverse();
    const mod = (value: bigint): bigint => ((value % p) + p) % p;
    check(400, [number, number], (a, b) => {
      const expected = [a + b, a - b, a * b, a * a, a * 121665n].map(mod);
      const got = expected.map((_, i) => ok('field', [bytesOf(a), bytesOf(b)], [i]));
      expect(got).toEqual(expected.map(bytesOf));
    });
    check(5, [number], (a) => {
      const inverse = ok('field', [bytesOf(a), bytesOf(0n)], [5]);
      const product = ok('field', [inverse, bytesOf(a)], [2]);
      expect(product).toEqual(bytesOf(mod(a) === 0n ? 0n : 1n));
    });
  });

  it('keeps to its budgets of time and stack, and lets the link layer in while it works', () => {
    const three = new Uint8Array(32).fill(3);
    const message = new Uint8Array(64);
    const signature = ok('ed25519-sign', [three, message]);
    const table = [
      { op: 'aes-encrypt', inputs: [three.slice(16), message.slice(0, 16)], cycles: 10_000, stack: 400 },
      { op: 'aes-decrypt', inputs: [three.slice(16), message.slice(0, 16)], cycles: 12_000, stack: 400 },
      { op: 'aes-encrypt', inputs: [three, message.slice(0, 16)], cycles: 10_000, stack: 400 },
      { op: 'hash', inputs: [new Uint8Array(55)], parameters: [2, 64, 1], cycles: 12_000, stack: 400 },
      { op: 'hash', inputs: [new Uint8Array(64 * 10 + 55)], parameters: [2, 999, 1], cycles: 115_000, stack: 400 },
      { op: 'gcm-seal', inputs: [three, message.slice(0, 12), message, message], cycles: 120_000, stack: 480 },
      { op: 'x25519', inputs: [three, three], parameters: [1], cycles: 6_000_000, stack: 1600 },
      { op: 'ed25519-public', inputs: [three], cycles: 10_000_000, stack: 1600 },
      { op: 'ed25519-sign', inputs: [three, message], cycles: 20_000_000, stack: 1600 },
      { op: 'ed25519-verify', inputs: [ed25519.getPublicKey(three), message, signature], cycles: 20_000_000, stack: 1600 },
      { op: 'hpke-seal', inputs: [three, three, message, message, message], cycles: 14_000_000, stack: 1600 },
      { op: 'crc32', inputs: [message], cycles: 4_000, stack: 200 },
    ];
    const frame = target.call('equal', [message, message]).stack;
    for (const { op, inputs, parameters, cycles, stack } of table) {
      const measured = target.call(op, inputs, parameters);
      if (process.env.CRYPTO_FIGURES !== undefined) console.log(op, measured.cycles, measured.stack - frame, measured.idle);
      expect(measured.result, op).toBe(STATUS.ok);
      expect(measured.cycles, op).toBeLessThan(cycles);
      expect(measured.stack - frame, op).toBeLessThan(stack);
      expect(measured.idle * 20_000, op).toBeGreaterThan(measured.cycles > 300_000 ? measured.cycles : -1);
    }
  });
});

describe('crypto_idle', () => {
  it('is called at least every 20,000 cycles inside the software public-key operations', () => {
    const target = new Target('generic', false);
    const { machine } = target.chip;
    const idle = target.image.symbols.find(({ name }) => name === 'crypto_idle')!;
    let last = target.chip.now;
    let longest = 0;
    machine.trace = (pc) => {
      if (pc !== (idle.address & ~1)) return;
      longest = Math.max(longest, target.chip.now - last);
      last = target.chip.now;
    };
    const call = (op: string, ...inputs: Uint8Array[]): Uint8Array => {
      last = target.chip.now;
      const { result, out } = target.call(op, inputs, [1]);
      expect(result).toBe(STATUS.ok);
      return out;
    };
    const [seed, message] = [new Uint8Array(32).fill(3), new Uint8Array(300)];
    call('ed25519-verify', ed25519.getPublicKey(seed), message, call('ed25519-sign', seed, message));
    call('x25519', seed, seed);
    if (process.env.CRYPTO_FIGURES !== undefined) console.log('longest', longest);
    expect(longest).toBeGreaterThan(1000);
    expect(longest).toBeLessThanOrEqual(20_000);
  });
});

const compiler = spawnSync('cc', ['--version']).status === 0 && spawnSync('make', ['--version']).status === 0;

// Needs cc and make (bash .ci/system-packages).
describe.skipIf(!compiler)('firmware cryptography: host build', () => {
  it('passes all vectors, the long ones included', () => {
    execFileSync('make', ['-s', '-C', folder, 'host']);
    const frames = vectors.map(({ op, in: inputs, parameters }) => frame(op, inputs.map(hexToBytes), parameters));
    const answer = execFileSync(`${folder}build/vectors-host`, { input: concatBytes(...frames.flatMap(({ head, data }) => [head, data])) });
    let at = 0;
    const outcomes = vectors.map(({ id }) => {
      const [result, length] = [answer.readUInt32LE(at), answer.readUInt32LE(at + 4)];
      at += 8 + length;
      return { id, result, out: answer.subarray(at - length, at).toString('hex') };
    });
    expect(outcomes).toEqual(vectors.map(({ id, result, out }) => ({ id, result, out: out ?? '' })));
    expect(at).toBe(answer.length);
  });
});

describe('generated table', () => {
  it('equals fresh output', () => {
    const fresh = execFileSync(process.execPath, [`${folder}make-base-table.mjs`], { encoding: 'utf8' });
    expect(readFileSync(`${folder}../crypto/ed25519_base.h`, 'utf8')).toBe(fresh);
  });
});
