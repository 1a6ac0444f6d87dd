import { statSync } from 'node:fs';
import { join } from 'node:path';
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

const opened = (directory: string, readOnly: boolean): RootDatabase<Buffer, string> => storing('open', () => open<Buffer, string>({
  path: directory, noSubdir: false, encoding: 'binary', overlappingSync: false, noMemInit: false, readOnly,
}));

/** Size and shape of a store on the disk. */
export interface StoreFigures {
  /** Entries; a registration takes three. */
  readonly entries: number;
  /** Pages from the root of the tree to an entry: what one lookup reads. */
  readonly depth: number;
  /** Size of the file, its free pages included. */
  readonly bytes: number;
}

/** Figures of a store that another process may be serving. Throws SafeError SAFE_STORE. */
export async function lmdbFigures(directory: string): Promise<StoreFigures> {
  const db = opened(directory, true);
  const { entryCount, treeDepth } = db.getStats() as { readonly entryCount: number; readonly treeDepth: number };
  await db.close();
  return { entries: entryCount, depth: treeDepth, bytes: statSync(join(directory, 'data.mdb')).size };
}

/**
 * Opens an embedded transactional store in a directory, which is made when it is missing. A transaction is flushed to
 * the disk before it returns. `readOnly` looks into a store another process may be serving. Throws SafeError SAFE_STORE.
 */
export function lmdbStore(directory: string, { readOnly = false }: { readonly readOnly?: boolean } = {}): SafeStore {
  const db = opened(directory, readOnly);
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
