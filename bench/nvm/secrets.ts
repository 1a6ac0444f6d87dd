import { inspect } from 'node:util';
import { keyIdOf, nobleOps, toHex } from '../codec/index.js';
import type { PublicKeyOps } from '../codec/index.js';
import { decode, pageCount } from './decode.js';
import { settle } from './journal.js';
import { fixedPages, pageOf } from './layout.js';
import { pursePages } from './purse.js';

/** Secret bytes that never show when printed, logged or turned into JSON. */
export class Secret {
  readonly name: string;
  readonly #bytes: Uint8Array;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.#bytes = bytes.slice();
  }

  /** Offset of any `atLeast` consecutive bytes of the secret (default: all) in `where`, -1 when they are not there. */
  foundIn(where: Uint8Array, atLeast: number = this.#bytes.length): number {
    const haystack = Buffer.from(where.buffer, where.byteOffset, where.byteLength);
    for (let start = 0; start + atLeast <= this.#bytes.length; start += 1) {
      const at = haystack.indexOf(this.#bytes.subarray(start, start + atLeast));
      if (at >= 0) return at;
    }
    return -1;
  }

  /** Hands the bytes to a function that computes something public of them. */
  use<T>(compute: (bytes: Uint8Array) => T): T {
    return compute(this.#bytes.slice());
  }

  /** The name only. */
  toString(): string {
    return `[secret ${this.name}]`;
  }

  /** The name only. */
  toJSON(): string {
    return this.toString();
  }

  /** The name only. */
  [inspect.custom](): string {
    return this.toString();
  }
}

const places: readonly (readonly [string, number, number])[] = [
  ['decoding key', fixedPages.decodingKey, 32], ['common key', fixedPages.commonKey, 16],
  ['signing key', fixedPages.signingKey, 32], ['transport key', fixedPages.transportKey, 32],
  ['card secret', fixedPages.cardSecret, 32],
];

/** The keys in an image (journal settled), for secrecy checks. Throws NvmError NVM_SIZE. */
export function secretsOf(image: Uint8Array): readonly Secret[] {
  pageCount(image);
  const settled = settle(image);
  const area = decode(image).superblock?.areas.find(({ applet }) => applet === 'purse');
  const ofPurse = area ? [['purse key', area.firstPage + pursePages.seed, 32], ['purse secret', area.firstPage + pursePages.secret, 32]] as const : [];
  return [...places, ...ofPurse].flatMap(([name, number, length]) => {
    const page = pageOf(settled, number);
    return page[0] === 1 ? [new Secret(name, page.slice(8, 8 + length))] : [];
  });
}

/** What is public of the keys in an image, in hex; a member is absent where its key is. */
export interface PublicSide {
  readonly decodingKeyId?: string;
  readonly commonKeyId?: string;
  readonly verificationKey?: string;
  readonly transportKey?: string;
}

/** Computes the public side of the keys in an image: key ids (protocol 1.4) and public keys. */
export function publicSideOf(image: Uint8Array, ops: PublicKeyOps = nobleOps): PublicSide {
  const secrets = new Map(secretsOf(image).map((secret) => [secret.name, secret]));
  const compute = (name: string, member: keyof PublicSide, run: (key: Uint8Array) => Uint8Array): PublicSide => {
    const secret = secrets.get(name);
    return secret ? { [member]: toHex(secret.use(run)) } : {};
  };
  return {
    ...compute('decoding key', 'decodingKeyId', (key) => keyIdOf('decoding', key, ops)),
    ...compute('common key', 'commonKeyId', (key) => keyIdOf('common', key, ops)),
    ...compute('signing key', 'verificationKey', (key) => ops.signingPublic(key)),
    ...compute('transport key', 'transportKey', (key) => ops.agreementPublic(key)),
  };
}
