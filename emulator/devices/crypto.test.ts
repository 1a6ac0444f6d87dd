import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import { loadProfile } from '../profiles/files.js';
import { CryptoCache } from './crypto-cache.js';
import { CRYPTO_REGISTER as REG, CRYPTO_STATUS as BIT, Crypto } from './crypto.js';
import { FAKE_RAM, FakeHost } from './testing/fake-host.js';

const KEY = FAKE_RAM.base;
const SRC = FAKE_RAM.base + 0x100;
const AUX = FAKE_RAM.base + 0x300;
const DST = FAKE_RAM.base + 0x400;

function setup(profileName: 'c2010' | 'c2000' = 'c2010', cache = new CryptoCache()) {
  const host = new FakeHost();
  const crypto = new Crypto(host, {
    profile: loadProfile(profileName).crypto, cache, ramBase: FAKE_RAM.base, ramBytes: FAKE_RAM.bytes,
    load: (address, length) => host.peek(address, length),
  });
  const write = (register: number, value: number): void => crypto.write(register, 4, value, host.now);
  const read = (register: number): number => crypto.read(register, 4, host.now);
  const put = (address: number, hex: string): void => void host.pokeRam(address, hexToBytes(hex));
  for (const [register, value] of [[REG.KEY, KEY], [REG.SRC, SRC], [REG.AUX, AUX], [REG.DST, DST]] as const) write(register, value);
  /** Runs one command to its end; the cycles it took and what is in DST. */
  const run = (command: number, length: number, output: number): { cycles: number; hex: string; status: number } => {
    const start = host.now;
    write(REG.LEN, length);
    write(REG.CMD, command);
    host.run(crypto, crypto.nextEvent());
    return { cycles: host.now - start, hex: bytesToHex(host.peek(DST, output) ?? new Uint8Array()), status: read(REG.STATUS) };
  };
  return { host, crypto, cache, write, read, put, run };
}

describe('AES (FIPS-197, appendix C)', () => {
  const plain = '00112233445566778899aabbccddeeff';
  const key128 = '000102030405060708090a0b0c0d0e0f';
  const key256 = `${key128}101112131415161718191a1b1c1d1e1f`;

  it('AES-128 and AES-256 encrypt and decrypt the example vectors', () => {
    const t = setup();
    t.put(KEY, key256);
    t.put(SRC, plain);
    expect(t.run(1, 16, 16)).toEqual({ cycles: 96, hex: '69c4e0d86a7b0430d8cdb78070b4c55a', status: BIT.DONE });
    expect(t.run(3, 16, 16)).toEqual({ cycles: 116, hex: '8ea2b7ca516745bfeafc49904b496089', status: BIT.DONE });
    t.put(SRC, '69c4e0d86a7b0430d8cdb78070b4c55a8ea2b7ca516745bfeafc49904b496089');
    expect(t.run(2, 32, 16)).toMatchObject({ cycles: 40 + 2 * 56, hex: plain });
    t.put(SRC, '8ea2b7ca516745bfeafc49904b496089');
    expect(t.run(4, 16, 16).hex).toBe(plain);
  });

  it('costs ten times as much on the c2000', () => {
    const t = setup('c2000');
    expect(t.run(1, 32, 16).cycles).toBe(40 + 2 * 560);
  });
});

describe('SHA-256 (FIPS 180-4)', () => {
  it('gives the initial state and the digest of the two-block example', () => {
    const t = setup();
    expect(t.run(5, 0, 32)).toEqual({
      cycles: 40, hex: '6a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19', status: BIT.DONE,
    });
    const message = new TextEncoder().encode('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq');
    const padded = new Uint8Array(128);
    padded.set(message);
    padded[56] = 0x80;
    padded[126] = 0x01;
    padded[127] = 0xc0;
    t.put(SRC, bytesToHex(padded));
    const digest = '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1';
    expect(t.run(6, 128, 32)).toEqual({ cycles: 40 + 160, hex: digest, status: BIT.DONE });
    expect(bytesToHex(sha256(message))).toBe(digest);
  });

  it('goes on from a given state', () => {
    const t = setup();
    t.run(5, 0, 32);
    t.put(SRC, '61'.repeat(64));
    t.run(6, 64, 32);
    t.put(SRC, `80${'00'.repeat(61)}0200`);
    expect(t.run(6, 64, 32).hex).toBe(bytesToHex(sha256(new TextEncoder().encode('a'.repeat(64)))));
  });
});

describe('X25519 (RFC 7748)', () => {
  it('multiplies the vectors of 5.2', () => {
    const t = setup();
    t.put(KEY, 'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4');
    t.put(SRC, 'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c');
    expect(t.run(7, 0, 32)).toEqual({
      cycles: 366_615, hex: 'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552', status: BIT.DONE,
    });
    t.put(KEY, '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d');
    t.put(SRC, 'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493');
    expect(t.run(7, 0, 32).hex).toBe('95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957');
  });

  it('sets ERR for an all-zero result and leaves DST alone', () => {
    const t = setup();
    t.put(KEY, '01'.repeat(32));
    t.put(SRC, '00'.repeat(32));
    expect(t.run(7, 0, 32)).toEqual({ cycles: 366_615, hex: '00'.repeat(32), status: BIT.DONE | BIT.ERR });
    t.put(DST, '55'.repeat(32));
    expect(t.run(7, 0, 32).hex).toBe('55'.repeat(32));
  });
});

describe('Ed25519 (RFC 8032, 7.1)', () => {
  const seed = 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7';
  const publicKey = 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025';
  const signature = '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a';

  it('derives the public key and signs test 3', () => {
    const t = setup();
    t.put(KEY, seed);
    expect(t.run(8, 0, 32)).toEqual({ cycles: 333_027, hex: publicKey, status: BIT.DONE });
    t.put(SRC, 'af82');
    expect(t.run(9, 2, 64)).toEqual({ cycles: 40 + 685_831 + 80, hex: signature, status: BIT.DONE });
  });

  it('verifies it, and refuses another message, key and a malformed point', () => {
    const t = setup();
    t.put(KEY, publicKey);
    t.put(SRC, 'af82');
    t.put(AUX, signature);
    expect(t.run(10, 2, 0)).toMatchObject({ cycles: 40 + 332_987 + 80, status: BIT.DONE | BIT.RESULT });
    t.put(SRC, 'af83');
    expect(t.run(10, 2, 0).status).toBe(BIT.DONE);
    t.put(SRC, 'af82');
    t.put(KEY, 'ff'.repeat(32));
    expect(t.run(10, 2, 0).status).toBe(BIT.DONE);
  });

  it('signs the empty message of test 1', () => {
    const t = setup();
    t.put(KEY, '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
    expect(t.run(9, 0, 64)).toMatchObject({
      cycles: 40 + 685_831,
      hex: 'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    });
  });
});

describe('the coprocessor', () => {
  it('takes operands at the command, gives results at the end, and refuses commands meanwhile', () => {
    const t = setup();
    t.put(KEY, '000102030405060708090a0b0c0d0e0f');
    t.put(SRC, '00112233445566778899aabbccddeeff');
    t.write(REG.LEN, 16);
    t.write(REG.CMD, 1);
    t.put(SRC, '00'.repeat(16));
    t.write(REG.DST, DST + 64);
    expect(t.read(REG.STATUS)).toBe(BIT.BUSY);
    t.write(REG.CMD, 1);
    expect(t.host.codes()).toEqual(['CRYPTO_BUSY']);
    t.host.run(t.crypto, 95);
    expect(bytesToHex(t.host.peek(DST, 16) ?? new Uint8Array())).toBe('00'.repeat(16));
    t.host.run(t.crypto, 96);
    expect(bytesToHex(t.host.peek(DST, 16) ?? new Uint8Array())).toBe('69c4e0d86a7b0430d8cdb78070b4c55a');
    expect(t.host.violations.slice(1)).toEqual([expect.objectContaining({ code: 'CRYPTO_TOUCHED', address: SRC + 1, cycle: 96 })]);
  });

  it('works in place without complaint', () => {
    const t = setup();
    t.put(KEY, '000102030405060708090a0b0c0d0e0f');
    t.put(DST, '00112233445566778899aabbccddeeff');
    t.write(REG.SRC, DST);
    expect(t.run(1, 16, 16).hex).toBe('69c4e0d86a7b0430d8cdb78070b4c55a');
    expect(t.host.codes()).toEqual([]);
  });

  it('refuses wrong lengths, addresses and commands: ERR, a violation, nothing done', () => {
    const t = setup();
    const attempt = (command: number, length: number): void => {
      t.write(REG.LEN, length);
      t.write(REG.CMD, command);
      expect(t.read(REG.STATUS)).toBe(BIT.ERR);
      t.write(REG.STATUS, BIT.ERR);
    };
    attempt(1, 15);
    attempt(1, 0);
    attempt(6, 32);
    attempt(9, 65536);
    attempt(11, 16);
    t.write(REG.DST, FAKE_RAM.base + FAKE_RAM.bytes - 8);
    attempt(1, 16);
    t.write(REG.DST, DST);
    t.write(REG.SRC, 0x30000000);
    attempt(1, 16);
    expect(t.host.codes()).toEqual([
      'CRYPTO_LENGTH', 'CRYPTO_LENGTH', 'CRYPTO_LENGTH', 'CRYPTO_LENGTH', 'CRYPTO_COMMAND', 'CRYPTO_ADDRESS', 'CRYPTO_ADDRESS',
    ]);
    expect(t.crypto.nextEvent()).toBe(Infinity);
  });

  it('interrupts on DONE and on ERR', () => {
    const t = setup();
    t.write(REG.IE, BIT.DONE);
    t.run(5, 0, 32);
    expect(t.host.levels.get(3)).toBe(true);
    t.write(REG.STATUS, BIT.DONE);
    expect(t.host.levels.get(3)).toBe(false);
    t.write(REG.CMD, 99);
    expect(t.host.levels.get(3)).toBe(true);
  });

  it('goes on from a snapshot in the middle of an operation', () => {
    const t = setup();
    t.put(SRC, '00112233445566778899aabbccddeeff');
    t.put(KEY, '000102030405060708090a0b0c0d0e0f');
    t.write(REG.LEN, 16);
    t.write(REG.CMD, 1);
    const saved = structuredClone(t.crypto.snapshot());
    const other = setup();
    other.crypto.restore(saved);
    other.host.run(other.crypto, 96);
    expect(bytesToHex(other.host.peek(DST, 16) ?? new Uint8Array())).toBe('69c4e0d86a7b0430d8cdb78070b4c55a');
  });
});

describe('the cache of results', () => {
  it('answers repeated public-key operations, shared between chips', () => {
    const cache = new CryptoCache();
    for (let i = 0; i < 3; i++) {
      const t = setup('c2010', cache);
      t.put(KEY, '01'.repeat(32));
      t.run(8, 0, 32);
      t.run(9, 5, 64);
      t.run(1, 16, 16);
    }
    expect([cache.hits, cache.misses, cache.size]).toEqual([4, 2, 2]);
  });

  it('is bounded: the oldest goes first; undefined is a result', () => {
    const cache = new CryptoCache(2);
    for (const key of ['a', 'b', 'a', 'c', 'a']) cache.get(key, () => undefined);
    expect([cache.hits, cache.misses, cache.size]).toEqual([1, 4, 2]);
  });
});
