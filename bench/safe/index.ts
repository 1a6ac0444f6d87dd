/** The electronic safe: logic over a storage port, served over HTTP(S) or in this process. */
export * from './client.js';
export { SafeError } from './errors.js';
export type { SafeErrorCode } from './errors.js';
export { lmdbStore } from './lmdb-store.js';
export { createSafe, indexCsv } from './safe.js';
export type { Safe, SafeKeys, SafeParts, SafeSettings } from './safe.js';
export { memoryStore } from './store.js';
export type { MemoryStore, SafeStore, StoreReader, StoreSnapshot, StoreWriter } from './store.js';
