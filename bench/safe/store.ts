import { sha256 } from '@noble/hashes/sha2.js';
import { textBytes, toHex } from '../codec/index.js';
import { SafeError } from './errors.js';
import { treeDelete, treeGet, treePut, treeRange } from './tree.js';
import type { Comparisons, Tree } from './tree.js';

/** Reads of a store; keys are ASCII strings without control characters. */
export interface StoreReader {
  get(key: string): Uint8Array | undefined;
  /** Entries whose key starts with `prefix`, in ascending order of keys. */
  range(prefix: string): Iterable<readonly [string, Uint8Array]>;
}

/** Writes, inside a transaction only; reads there see them at once. */
export interface StoreWriter extends StoreReader {
  put(key: string, value: Uint8Array): void;
  delete(key: string): void;
}

/** Where a safe keeps its records: sorted, transactional. */
export interface SafeStore extends StoreReader {
  /**
   * Runs the changes as one: when it returns they are durable (as far as the store is), when `run` throws nothing has
   * changed and the error passes through. Throws SafeError SAFE_STORE when the store itself fails.
   */
  transaction<T>(run: (writer: StoreWriter) => T): T;
  /** Closes the store; further use throws SAFE_STORE. */
  close(): Promise<void>;
}

/** A version of a memory store: a value that costs nothing to keep. */
export interface StoreSnapshot {
  readonly root: Tree | undefined;
}

/** A store in memory, for campaigns: snapshots are cheap values. */
export interface MemoryStore extends SafeStore {
  snapshot(): StoreSnapshot;
  restore(snapshot: StoreSnapshot): void;
  /** Key comparisons made so far. */
  readonly comparisons: Readonly<Comparisons>;
  /** SHA-256 in hex over all entries in order: equal contents, equal fingerprint. */
  fingerprint(): string;
}

const fingerprints = (): ((root: Tree | undefined) => string) => {
  const known = new WeakMap<Tree, string>();
  const hashed = (root: Tree | undefined): string => {
    const hash = sha256.create();
    for (const [key, value] of treeRange(root, ''))
      hash.update(textBytes(`${key}\n${value.length}\n`)).update(value);
    return toHex(hash.digest());
  };
  return (root) => {
    if (!root) return hashed(root);
    const found = known.get(root) ?? hashed(root);
    known.set(root, found);
    return found;
  };
};

/** Makes a store in memory, empty or from a snapshot. */
export function memoryStore(from: StoreSnapshot = { root: undefined }): MemoryStore {
  let root = from.root;
  let open = true;
  let writing = false;
  const comparisons: Comparisons = { count: 0 };
  const fingerprintOf = fingerprints();
  const usable = (): void => {
    if (!open) throw new SafeError('SAFE_STORE', 'the store is closed');
  };
  const reader: StoreReader = {
    get(key) {
      usable();
      return treeGet(root, key, comparisons)?.slice();
    },
    range(prefix) {
      usable();
      return treeRange(root, prefix);
    },
  };
  const writer: StoreWriter = {
    ...reader,
    put(key, value) {
      root = treePut(root, key, value.slice(), comparisons);
    },
    delete(key) {
      root = treeDelete(root, key, comparisons);
    },
  };
  return {
    ...reader,
    comparisons,
    transaction(run) {
      usable();
      if (writing) throw new SafeError('SAFE_STORE', 'a transaction is open already');
      const before = root;
      writing = true;
      try {
        return run(writer);
      } catch (error) {
        root = before;
        throw error;
      } finally {
        writing = false;
      }
    },
    close() {
      open = false;
      return Promise.resolve();
    },
    snapshot: () => ({ root }),
    restore(snapshot) {
      root = snapshot.root;
    },
    fingerprint: () => fingerprintOf(root),
  };
}
