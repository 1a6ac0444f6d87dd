import { sha256 } from '@noble/hashes/sha2.js';
import {
  CodecError, TlvReader, bundle, certificate, concat, digest as digestCodec, hpkeOpen, keyObject, keyOfSeed, keyPart, keyPartReply, keyReply, memoOps, noPath, openGcm,
  pathedValue, paths, piece, registeredValue, registrationRequest, textBytes, toHex, uintBytes,
} from '../codec/index.js';
import type { Bundle, KeyDivision, PieceIdentity, ValuePiece } from '../codec/index.js';
import { decodePart, openItem } from '../safe/record.js';
import { SafeError } from '../safe/errors.js';
import { combinedKeys } from './parts.js';
import type { KnownPart } from './parts.js';

/** What somebody has who wants to know more than they should. */
export interface View {
  /** Messages and answers as they crossed, each whole. */
  readonly seen: readonly Uint8Array[];
  /** Entries of stores by record name, each store with its key (32). */
  readonly stores: readonly { readonly key: Uint8Array; readonly items: readonly (readonly [name: string, sealed: Uint8Array])[] }[];
  /** Keys of their own: X25519 private keys (32) and others. */
  readonly keys: readonly Uint8Array[];
}

/** Something sealed with what is needed to open it but the key. */
interface Sealed {
  readonly content: Uint8Array;
  readonly aad: Uint8Array;
  /** Labels and what stands behind the binding. */
  readonly infos: readonly (readonly [label: string, behind: Uint8Array])[];
  readonly part?: { readonly identity: PieceIdentity; readonly division: KeyDivision };
  /** A part that is coupled with a ciphertext: which one it is does not stand in it. */
  readonly coupled?: boolean;
}

const none = new Uint8Array(0);
/** Element 91. */
const encryptedTag = 0x91;
const valueLabels = ['cardbench 202 v1', 'cardbench piece v1', 'cardbench whole v1', 'cardbench bundle v1', 'cardbench coupled v1'];
const keyLabels = ['cardbench key to safe v1', 'cardbench key to card v1', 'cardbench part to safe v1', 'cardbench part to card v1'];
const pathLabels = ['cardbench to safe v1', 'cardbench to card v1'];
/** Sequences looked at beyond those that were seen: bundles and sets take several. */
const AHEAD = 4;

function attempted<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof CodecError || error instanceof SafeError) return undefined;
    throw error;
  }
}

/** Everything that is encoded somewhere within bytes, wherever it begins. */
function* within(bytes: Uint8Array): Generator<readonly [tag: number, encoded: Uint8Array, content: Uint8Array]> {
  for (let at = 0; at < bytes.length; at += 1) {
    const read = attempted(() => {
      const reader = new TlvReader(bytes, at);
      const { tag, content } = reader.next();
      return [tag, bytes.slice(at, reader.offset), content] as const;
    });
    if (read) yield read;
  }
}

/** Computes, from a view, whatever the rules of docs/protocol.md let its holder compute. */
class Curious {
  readonly #ops = memoOps();
  readonly #known = new Map<string, Uint8Array>();
  readonly #fresh: Uint8Array[] = [];
  readonly #keys = new Map<string, Uint8Array>();
  readonly #parts = new Map<string, KnownPart>();
  /** Parts that were coupled with ciphertexts. */
  readonly #coupled = new Map<string, Uint8Array>();
  readonly #sealed = new Map<string, Sealed>();
  /** Pieces of ciphertexts by set and index. */
  readonly #pieces = new Map<number, Map<number, Uint8Array>>();
  readonly #cards = new Map<string, Uint8Array>();
  readonly #safes = new Map<string, Uint8Array>();
  readonly #paths = new Map<string, Uint8Array>([[toHex(noPath), noPath]]);
  readonly #tried = new Set<string>();
  #sequence = 0;

  constructor({ seen, stores, keys }: View) {
    for (const key of keys) this.#key(key);
    for (const bytes of seen) this.#learn(bytes);
    for (const { key, items } of stores)
      for (const [name, sealed] of items) {
        const item = attempted(() => openItem(key, name, sealed));
        if (item) this.#learn(item);
      }
  }

  /** All that is known in the end, keys among it. */
  all(): readonly Uint8Array[] {
    do {
      for (let bytes = this.#fresh.pop(); bytes !== undefined; bytes = this.#fresh.pop()) this.#read(bytes);
      for (const parts of this.#divided()) for (const key of combinedKeys(parts)) this.#key(key);
      this.#open();
    } while (this.#fresh.length > 0);
    return [...this.#known.values(), ...this.#keys.values()];
  }

  /** The parts known by themselves, and with each coupled part in the place of the first of each set. */
  #divided(): readonly (readonly KnownPart[])[] {
    const parts = [...this.#parts.values()];
    const joined = [...this.#coupled.values()].flatMap((bytes) => parts.map(({ set, ...part }) =>
      [{ ...part, set, index: 1, bytes }, ...parts.filter((other) => other.set === set && other.index !== 1)]));
    return [parts, ...joined].filter((one) => one.length > 0);
  }

  #learn(bytes: Uint8Array): void {
    const name = toHex(sha256(bytes));
    if (this.#known.has(name)) return;
    this.#known.set(name, bytes);
    this.#fresh.push(bytes);
  }

  #key(bytes: Uint8Array): void {
    if ((bytes.length !== 32 && bytes.length !== 16) || this.#keys.has(toHex(bytes))) return;
    this.#keys.set(toHex(bytes), bytes);
    if (bytes.length === 32) this.#keys.set(toHex(keyOfSeed(bytes)), keyOfSeed(bytes));
  }

  #part(part: KnownPart): void {
    this.#parts.set(`${part.set} ${part.index}`, part);
    this.#key(part.bytes);
  }

  /** Finds objects, parts and what binds them in something that has become known. */
  #read(bytes: Uint8Array): void {
    if (bytes.length === 32 || bytes.length === 16) this.#key(bytes);
    const stored = attempted(() => decodePart(bytes));
    if (stored) this.#part({ ...stored.identity, ...stored.division, bytes: stored.part });
    for (const [tag, encoded, content] of within(bytes)) {
      if (tag === registrationRequest.tag) this.#bind(attempted(() => registrationRequest.decode(encoded)));
      if (tag === certificate.tag) this.#bind(attempted(() => certificate.decode(encoded)));
      if (tag === 0x9a && content.length === 8) this.#safes.set(toHex(content), content);
      if (tag === 0xc9 && content.length === noPath.length) this.#paths.set(toHex(content), content);
      this.#seal(tag, encoded);
    }
  }

  #bind(about: { readonly cardId: Uint8Array; readonly sequence: number } | undefined): void {
    if (!about) return;
    this.#cards.set(toHex(about.cardId), about.cardId);
    this.#sequence = Math.max(this.#sequence, about.sequence + AHEAD);
  }

  #seal(tag: number, encoded: Uint8Array): void {
    const values = valueLabels.map((label) => [label, none] as const);
    const keys = keyLabels.flatMap((label) => [...this.#safes.values()].map((safe) => [label, safe] as const));
    const found = attempted(() => {
      switch (tag) {
        case registeredValue.tag: return { content: registeredValue.decode(encoded).encrypted, infos: values };
        case bundle.tag: return this.#ofBundle(bundle.decode(encoded), encoded, values);
        case keyObject.tag: return { content: keyObject.decode(encoded).wrappedKey, infos: keys };
        case keyReply.tag: return { content: keyReply.decode(encoded).wrappedKey, infos: keys };
        case piece.tag: return this.#ofSet(encoded, values, keys);
        case pathedValue.tag: return this.#ofPath(pathedValue.decode(encoded).encrypted);
        case paths.reply.tag: return this.#ofPath(paths.reply.decode(encoded).encrypted);
        default: return undefined;
      }
    });
    if (found) this.#add(found, encoded);
  }

  /** What is sealed over a path, or without one, has no digest beside it. */
  #ofPath(content: Uint8Array): undefined {
    const infos = pathLabels.flatMap((label) => [...this.#paths.values()].map((path) => [label, path] as const));
    this.#sealed.set(toHex(content), { content, infos, aad: none });
  }

  /** Something sealed whose digest stands in the same object. */
  #add(found: Omit<Sealed, 'aad'>, encoded: Uint8Array): void {
    const [, aad] = [...within(encoded)].find(([inner]) => inner === digestCodec.tag) ?? [];
    if (aad) this.#sealed.set(toHex(found.content), { ...found, aad });
  }

  /** A bundle sealed as one, or ciphertexts one behind the other. */
  #ofBundle({ content, division }: Bundle, encoded: Uint8Array, infos: Sealed['infos']): Omit<Sealed, 'aad'> {
    const reader = attempted(() => new TlvReader(content));
    for (let at = 0; reader !== undefined && !reader.done; at += 1) {
      const inner = attempted(() => reader.next());
      if (inner === undefined) break;
      const coupled = division.wanted > 0 && at === 1;
      /** What a card forgot to seal stands where the ciphertext would. */
      if (coupled) this.#coupled.set(toHex(inner.content), inner.content.slice(32, -16));
      if (inner.tag === encryptedTag) this.#add({ content: inner.content, infos, coupled }, encoded);
    }
    return { content, infos };
  }

  /** A piece that is sealed, or a piece of something sealed; with all of them that itself. */
  #ofValue({ identity: { set, index, count }, content }: ValuePiece, encoded: Uint8Array, infos: Sealed['infos']): Omit<Sealed, 'aad'> {
    const all = this.#pieces.get(set) ?? new Map<number, Uint8Array>();
    this.#pieces.set(set, all.set(index, content));
    if (all.size === count) this.#add({ content: concat(...[...all].sort(([a], [b]) => a - b).map(([, bytes]) => bytes)), infos }, encoded);
    return { content, infos };
  }

  #ofSet(encoded: Uint8Array, values: Sealed['infos'], keys: Sealed['infos']): Omit<Sealed, 'aad'> | undefined {
    const value = attempted(() => piece.decode(encoded));
    if (value) return this.#ofValue(value, encoded, values);
    const part = attempted(() => keyPart.decode(encoded)) ?? attempted(() => keyPartReply.decode(encoded));
    return part && { content: part.wrappedKey, infos: keys, part };
  }

  /** Tries every key on everything sealed, each once. */
  #open(): void {
    for (const [name, sealed] of this.#sealed)
      for (const [id, key] of this.#keys) {
        const attempt = `${name} ${id} ${this.#sequence} ${sealed.infos.length}`;
        if (this.#tried.has(attempt)) continue;
        this.#tried.add(attempt);
        const plaintext = this.#opened(sealed, key);
        if (!plaintext) continue;
        if (sealed.coupled) this.#coupled.set(toHex(plaintext), plaintext);
        if (sealed.part) this.#part({ ...sealed.part.identity, ...sealed.part.division, bytes: plaintext });
        this.#learn(plaintext);
      }
  }

  #opened({ content, aad, infos }: Sealed, key: Uint8Array): Uint8Array | undefined {
    for (const cardId of this.#cards.values())
      for (let sequence = 0; sequence <= this.#sequence; sequence += 1)
        for (const [label, behind] of infos) {
          const info = concat(textBytes(label), Uint8Array.of(0), cardId, uintBytes(sequence, 4), behind);
          const plaintext = attempted(() => (key.length === 32
            ? hpkeOpen(key, { info, aad }, content, this.#ops) : openGcm(key, content.slice(0, 12), concat(info, aad), content.slice(12))));
          if (plaintext) return plaintext;
        }
    return undefined;
  }
}

/**
 * Everything the holder of a view can compute by the rules of docs/protocol.md: what was seen, what own keys and keys that
 * are found open, keys of seeds, keys put together from parts, and so on until nothing new comes. It knows no attack on
 * the ciphers themselves.
 */
export const computedFrom = (view: View): readonly Uint8Array[] => new Curious(view).all();
