import { ecb } from '@noble/ciphers/aes.js';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { _SHA256, sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { CryptoProfile } from '../profiles/schema.js';
import type { CryptoCache } from './crypto-cache.js';

/** Operands of one operation, as captured when CMD was written. */
export interface Operands {
  readonly key: Uint8Array;
  readonly src: Uint8Array;
  readonly aux: Uint8Array;
  /** The SHA-256 state. */
  readonly state: Uint8Array;
}

/** Outcome of an operation: bytes for DST, a signature verdict, or undefined for an error (X25519: result all zero). */
export interface Outcome {
  readonly output?: Uint8Array;
  readonly valid?: boolean;
}

/** One command of the coprocessor. Lengths in bytes; 0 means the operand is not used. */
export interface Operation {
  readonly name: string;
  readonly key: number;
  /** 'LEN' means the register; `multiple` and `max` bound it, `multiple` > 1 forbids 0 too. */
  readonly src: number | 'LEN';
  readonly multiple: number;
  readonly max: number;
  readonly aux: number;
  /** DST holds the 32-byte SHA-256 state on entry. */
  readonly state: boolean;
  /** Bytes written to DST; 'LEN' means the register. */
  readonly dst: number | 'LEN';
  readonly cycles: (profile: CryptoProfile, length: number) => number;
  readonly run: (operands: Operands, cache: CryptoCache) => Outcome | undefined;
}

const ANY = 0xffffffff;
const MESSAGE = 0xffff;

/** The commands by CMD value (docs/chip.md, CRYPTO). */
export const OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [1, aes('AES-128 encrypt', 16, true)],
  [2, aes('AES-128 decrypt', 16, false)],
  [3, aes('AES-256 encrypt', 32, true)],
  [4, aes('AES-256 decrypt', 32, false)],
  [5, {
    name: 'SHA-256 start', key: 0, src: 0, multiple: 1, max: ANY, aux: 0, state: false, dst: 32,
    cycles: (p) => p.start, run: () => ({ output: sha256Start() }),
  }],
  [6, {
    name: 'SHA-256 blocks', key: 0, src: 'LEN', multiple: 64, max: ANY, aux: 0, state: true, dst: 32,
    cycles: (p, length) => p.start + p.sha256Block * (length / 64),
    run: ({ state, src }) => ({ output: sha256Blocks(state, src) }),
  }],
  [7, {
    name: 'X25519', key: 32, src: 32, multiple: 1, max: ANY, aux: 0, state: false, dst: 32,
    cycles: (p) => p.start + p.x25519,
    run: ({ key, src }, cache) => result(cache.get(`x ${bytesToHex(key)} ${bytesToHex(src)}`, () => agree(key, src))),
  }],
  [8, {
    name: 'Ed25519 public key', key: 32, src: 0, multiple: 1, max: ANY, aux: 0, state: false, dst: 32,
    cycles: (p) => p.start + p.ed25519Public,
    run: ({ key }, cache) => result(cache.get(`p ${bytesToHex(key)}`, () => ed25519.getPublicKey(key))),
  }],
  [9, {
    name: 'Ed25519 sign', key: 32, src: 'LEN', multiple: 1, max: MESSAGE, aux: 0, state: false, dst: 64,
    cycles: (p, length) => p.start + p.ed25519Sign + p.messageBlock * Math.ceil(length / 64),
    run: ({ key, src }, cache) => result(cache.get(`s ${bytesToHex(key)} ${digest(src)}`, () => ed25519.sign(src, key))),
  }],
  [10, {
    name: 'Ed25519 verify', key: 32, src: 'LEN', multiple: 1, max: MESSAGE, aux: 64, state: false, dst: 0,
    cycles: (p, length) => p.start + p.ed25519Verify + p.messageBlock * Math.ceil(length / 64),
    run: ({ key, src, aux }, cache) => {
      const valid = cache.get(`v ${bytesToHex(key)} ${bytesToHex(aux)} ${digest(src)}`, () => verify(aux, src, key));
      return { valid: valid !== undefined };
    },
  }],
]);

/** Initial SHA-256 state as big-endian words (FIPS 180-4, 5.3.3). */
export function sha256Start(): Uint8Array {
  return new Compressor().state;
}

/** SHA-256 state after the blocks of `data` (a multiple of 64 bytes), from `state` (32 bytes, big-endian words). */
export function sha256Blocks(state: Uint8Array, data: Uint8Array): Uint8Array {
  const compressor = new Compressor();
  compressor.state = state;
  compressor.update(data);
  return compressor.state;
}

/** The hash function's compression opened up: its chaining state can be set and read. */
class Compressor extends _SHA256 {
  get state(): Uint8Array {
    const bytes = new Uint8Array(32);
    const view = new DataView(bytes.buffer);
    this.get().forEach((word, i) => { view.setUint32(4 * i, word >>> 0); });
    return bytes;
  }

  set state(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, 32);
    const word = (i: number): number => view.getUint32(4 * i);
    this.set(word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7));
  }
}

function aes(name: string, key: number, encrypt: boolean): Operation {
  return {
    name, key, src: 'LEN', multiple: 16, max: ANY, aux: 0, state: false, dst: 'LEN',
    cycles: (p, length) => p.start + (key === 16 ? p.aes128Block : p.aes256Block) * (length / 16),
    run: (operands) => {
      const cipher = ecb(operands.key, { disablePadding: true });
      return { output: encrypt ? cipher.encrypt(operands.src) : cipher.decrypt(operands.src) };
    },
  };
}

function result(output: Uint8Array | undefined): Outcome | undefined {
  return output === undefined ? undefined : { output };
}

/** RFC 7748, 6.1: an all-zero result is refused (undefined). */
function agree(scalar: Uint8Array, u: Uint8Array): Uint8Array | undefined {
  try {
    return x25519.scalarMult(scalar, u);
  } catch {
    return undefined;
  }
}

/** RFC 8032, 5.1.7: strict decoding; undefined for an invalid signature. */
function verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false }) ? new Uint8Array(0) : undefined;
  } catch {
    return undefined;
  }
}

function digest(message: Uint8Array): string {
  return bytesToHex(sha256(message));
}
