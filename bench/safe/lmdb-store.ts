import { open } from 'lmdb';
import type { RootDatabase } from 'lmdb';
import { SafeError } from './errors.js';
import type { SafeStore, StoreReader, StoreWriter } from './store.js';

/** Carries an error of the caller's function through the database unchanged. */
class Thrown {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

function storing<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof SafeError) throw cause;
    throw new SafeError('SAFE_STORE', `the store failed to ${what}`, { cause });
  }
}

function* rangeOf(db: RootDatabase<Buffer, string>, prefix: string): Generator<readonly [string, Uint8Array]> {
  for (const { key, value } of db.getRange({ start: prefix })) {
    if (!key.startsWith(prefix)) return;
    yield [key, Uint8Array.from(value)];
  }
}

/**
 * Opens an embedded transactional store in a directory, which is made when it is missing. A transaction is flushed to
 * the disk before it returns. Throws SafeError SAFE_STORE.
 */
export function lmdbStore(directory: string): SafeStore {
  const db = storing('open', () => open<Buffer, string>({
    path: directory, noSubdir: false, encoding: 'binary', overlappingSync: false, noMemInit: false,
  }));
  const reader: StoreReader = {
    get: (key) => storing('read', () => {
      const value = db.get(key);
      return value === undefined ? undefined : Uint8Array.from(value);
    }),
    range: (prefix) => storing('read', () => rangeOf(db, prefix)),
  };
  const writer: StoreWriter = {
    ...reader,
    put: (key, value) => void db.putSync(key, Buffer.from(value)),
    delete: (key) => void db.removeSync(key),
  };
  return {
    ...reader,
    transaction<T>(run: (writer: StoreWriter) => T): T {
      try {
        return storing('write', () => db.transactionSync(() => {
          try {
            return run(writer);
          } catch (error) {
            throw new SafeError('SAFE_STORE', 'transaction given up', { cause: new Thrown(error) });
          }
        }));
      } catch (error) {
        if (error instanceof SafeError && error.cause instanceof Thrown) throw error.cause.error;
        throw error;
      }
    },
    close: () => db.close(),
  };
}
