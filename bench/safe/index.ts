/** The electronic safe: logic over a storage port, served over HTTP(S) or in this process. */
export * from './client.js';
export { SafeError } from './errors.js';
export type { SafeErrorCode } from './errors.js';
export { lmdbFigures, lmdbStore } from './lmdb-store.js';
export type { StoreFigures } from './lmdb-store.js';
export { startServed } from './process.js';
export type { ServedProcess } from './process.js';
export { createSafe, indexCsv } from './safe.js';
export type { Safe, SafeKeys, SafeParts, SafeSettings } from './safe.js';
export { memoryStore } from './store.js';
export type { MemoryStore, SafeStore, StoreReader, StoreSnapshot, StoreWriter } from './store.js';
export { fingerprintOf, initHome, isInitialised, openHome, ownTls, readTls } from './home.js';
export type { RandomSource, SafeHome, TlsPair } from './home.js';
export { httpClient } from './http-client.js';
export type { HttpClientOptions } from './http-client.js';
export { defaultLimits, serveSafe } from './http-server.js';
export type { SafeServer, ServeOptions, ServerLimits } from './http-server.js';
