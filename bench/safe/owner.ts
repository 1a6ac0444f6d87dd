import { hkdf } from '@noble/hashes/hkdf.js';
import { scrypt } from '@noble/hashes/scrypt.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { TlvReader, concat, textBytes, uintBytes, uintOf, writeTlv } from '../codec/index.js';
import { SafeError } from './errors.js';
import { intact, openItem, sealItem } from './record.js';
import type { SafeKeys } from './safe.js';
import type { SafeStore, StoreReader } from './store.js';

/**
 * What an owner is known by: a password (UTF-8, NFKC, 8 to 128 bytes), or a template of a fingerprint, palm print or iris
 * (256 bytes = 2,048 bits, opaque; two of one owner differ in few bits). Secret: never in records, logs or answers.
 */
export interface OwnerInformation {
  readonly method: 'password' | 'template';
  readonly bytes: Uint8Array;
}

/** Cost of the memory-hard function: N = 2^logN, 128 r N bytes of memory. */
export interface ScryptCost {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** How owners are authenticated. A record keeps the cost or threshold it was made with. */
export interface OwnerPolicy {
  readonly scrypt: ScryptCost;
  /** Bits by which a template may differ from the stored one. */
  readonly threshold: number;
  /** Wrong attempts in a row until the record is locked. */
  readonly tries: number;
  /** Milliseconds after the first wrong attempt in which none is taken; doubled by each further one. */
  readonly wait: number;
}

/** The default: 32 MiB and about 0.3 s for a password, 0.32 of the bits of a template, five attempts, waits of 1, 2, 4, 8 s. */
export const ownerPolicy: OwnerPolicy = { scrypt: { logN: 15, r: 8, p: 3 }, threshold: 655, tries: 5, wait: 1000 };

/** What protects stored owner authentication information. */
export interface OwnerSetting {
  readonly policy: OwnerPolicy;
  /** Secret (32) from which salts are derived, so that the safe needs no randomness. */
  readonly secret: Uint8Array;
  /** AES-256 key (32) of the store: everything of an owner is sealed under it. */
  readonly storeKey: Uint8Array;
}

/** What protects owners at a safe with these keys: salts have a secret of their own, derived from the store's key. */
export const ownerSetting = ({ keys, policy }: { readonly keys: Pick<SafeKeys, 'store'>; readonly policy: OwnerPolicy }): OwnerSetting =>
  ({ policy, storeKey: keys.store, secret: hkdf(sha256, keys.store, textBytes('cardbench owner secret v1'), new Uint8Array(0), 32) });

/** Bytes of a template. */
export const TEMPLATE_BYTES = 256;
const methods = ['password', 'template'] as const;
const key = (name: string): string => `owner/${name}`;

/** Number of a method (element CB). */
export const methodNumber = (method: OwnerInformation['method']): number => methods.indexOf(method) + 1;

/**
 * Owner information of a method number and its bytes.
 * @throws SafeError `SAFE_BAD_OBJECT` unknown method, wrong length, password not UTF-8 in NFKC
 */
export function ownerInformation(method: number, bytes: Uint8Array): OwnerInformation {
  const name = methods.at(method - 1);
  if (method < 1 || name === undefined) throw new SafeError('SAFE_BAD_OBJECT', `owner information of the unknown method ${method}`);
  const fits = name === 'template' ? bytes.length === TEMPLATE_BYTES : bytes.length >= 8 && bytes.length <= 128 && isNormal(bytes);
  if (!fits) throw new SafeError('SAFE_BAD_OBJECT', name === 'template' ? `a template has ${TEMPLATE_BYTES} bytes` : 'a password has 8 to 128 bytes of UTF-8 in NFKC');
  return { method: name, bytes };
}

function isNormal(bytes: Uint8Array): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text === text.normalize('NFKC');
  } catch {
    return false;
  }
}

/** Compares secrets in a time that depends on their length alone. */
export function sameSecret(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let at = 0; at < a.length; at += 1) difference |= a[at] ^ (b[at] ?? 0);
  return difference === 0;
}

/** Bits in which two templates differ. */
export function distance(a: Uint8Array, b: Uint8Array): number {
  let bits = 0;
  for (let at = 0; at < Math.max(a.length, b.length); at += 1)
    for (let rest = (a[at] ?? 0) ^ (b[at] ?? 0); rest !== 0; rest >>= 1) bits += rest & 1;
  return bits;
}

/** What is stored of an owner. */
interface OwnerRecord {
  readonly method: OwnerInformation['method'];
  readonly cost: ScryptCost;
  readonly threshold: number;
  readonly salt: Uint8Array;
  /** scrypt of the password, or the template itself: it can only be matched in clear. */
  readonly verifier: Uint8Array;
  /** Attempts left, 0: locked. */
  readonly tries: number;
  /** No attempt is taken before, milliseconds. */
  readonly notBefore: number;
}

const stretched = (password: Uint8Array, salt: Uint8Array, { logN, r, p }: ScryptCost): Uint8Array =>
  scrypt(password, salt, { N: 2 ** logN, r, p, dkLen: 32, maxmem: 2 ** 32 });

function encode(name: string, record: OwnerRecord, { storeKey }: OwnerSetting): Uint8Array {
  const { method, cost, threshold, salt, verifier, tries, notBefore } = record;
  return sealItem(storeKey, key(name), concat(
    writeTlv(0xc3, Uint8Array.of(methodNumber(method))), writeTlv(0xc4, Uint8Array.of(cost.logN, cost.r, cost.p)), writeTlv(0xc5, uintBytes(threshold, 2)),
    writeTlv(0xc6, salt), writeTlv(0xc7, verifier), writeTlv(0xc8, Uint8Array.of(tries)),
    writeTlv(0xc9, concat(uintBytes(Math.floor(notBefore / 2 ** 32), 2), uintBytes(notBefore % 2 ** 32, 4))),
  ));
}

function decode(name: string, bytes: Uint8Array, { storeKey }: OwnerSetting): OwnerRecord {
  return intact(() => {
    const reader = new TlvReader(openItem(storeKey, key(name), bytes));
    const next = (tag: number): Uint8Array => reader.expect(tag, 'owner').content;
    const method = next(0xc3)[0] === 1 ? 'password' : 'template';
    const [logN, r, p] = next(0xc4);
    return {
      method, cost: { logN, r, p }, threshold: uintOf(next(0xc5)), salt: next(0xc6), verifier: next(0xc7),
      tries: uintOf(next(0xc8)), notBefore: uintOf(next(0xc9)),
    };
  });
}

/**
 * Owner authentication information as it is stored under a name: of a password only scrypt's result with salt and cost.
 * A template cannot be hashed, since no two of one owner are equal: it is sealed under the store's key, as all of this
 * is, and whoever has store and key has the template.
 */
export function enrolledOwner(name: string, { method, bytes }: OwnerInformation, setting: OwnerSetting): Uint8Array {
  const { scrypt: cost, threshold, tries } = setting.policy;
  const salt = hkdf(sha256, setting.secret, textBytes('cardbench owner salt v1'), concat(textBytes(name), Uint8Array.of(0), sha256(bytes)), 16);
  const verifier = method === 'password' ? stretched(bytes, salt, cost) : bytes;
  return encode(name, { method, cost, threshold, salt, verifier, tries, notBefore: 0 }, setting);
}

/** Store key of what is known of an owner under a name. */
export const ownerKey = key;

/** Moves what {@link enrolledOwner} made for one name to another. */
export const renamedOwner = (from: string, to: string, stored: Uint8Array, setting: OwnerSetting): Uint8Array =>
  encode(to, decode(from, stored, setting), setting);

function stored(store: StoreReader, name: string, setting: OwnerSetting): OwnerRecord {
  const bytes = store.get(key(name));
  if (bytes === undefined) throw new SafeError('SAFE_UNKNOWN', 'nothing is registered with owner authentication under this name');
  return decode(name, bytes, setting);
}

const matches = (record: OwnerRecord, { method, bytes }: OwnerInformation): boolean => {
  if (method !== record.method) return false;
  return method === 'password' ? sameSecret(stretched(bytes, record.salt, record.cost), record.verifier) : distance(bytes, record.verifier) <= record.threshold;
};

/**
 * Compares owner information with what is stored under a name. The attempt is counted, durably, before the comparison, and
 * the count is full again after success: neither a restart nor a crash of the safe gives an attempt back.
 * @param now milliseconds of the safe's clock
 * @throws SafeError `SAFE_UNKNOWN`; `SAFE_OWNER_LOCKED` no attempt left; `SAFE_OWNER_WAIT` too early, not counted;
 * `SAFE_OWNER_WRONG` no match
 * @example authenticateOwner(store, name, ownerInformation(1, textBytes('correct horse')), clock(), setting);
 */
export function authenticateOwner(store: SafeStore, name: string, presented: OwnerInformation, now: number, setting: OwnerSetting): void {
  const counted = store.transaction((writer) => {
    const record = stored(writer, name, setting);
    if (record.tries === 0) throw new SafeError('SAFE_OWNER_LOCKED', 'too many wrong attempts');
    if (now < record.notBefore) throw new SafeError('SAFE_OWNER_WAIT', `the next attempt is taken in ${record.notBefore - now} ms`);
    const failures = Math.max(0, setting.policy.tries - record.tries);
    const after = { ...record, tries: record.tries - 1, notBefore: now + setting.policy.wait * 2 ** failures };
    writer.put(key(name), encode(name, after, setting));
    return after;
  });
  if (!matches(counted, presented)) throw new SafeError('SAFE_OWNER_WRONG', `the owner's information does not match, ${counted.tries} attempts left`);
  store.transaction((writer) => { writer.put(key(name), encode(name, { ...counted, tries: setting.policy.tries, notBefore: 0 }, setting)); });
}
