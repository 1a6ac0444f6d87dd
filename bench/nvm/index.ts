/** A second reader of the card's memory, written from docs/firmware.md alone. */
export * from './abstract.js';
export * from './decode.js';
export { NvmError } from './errors.js';
export type { NvmErrorCode } from './errors.js';
export { readJournal, settle } from './journal.js';
export type { AppletName } from './layout.js';
export type { Journal } from './journal.js';
export { crc32, pageSize } from './layout.js';
export * from './pages.js';
export { decodePurse, purseOf } from './purse.js';
export type { OpenChallenge, PaymentInMemory, PurseContents, PurseEntryInMemory, PurseProblem } from './purse.js';
export * from './secrets.js';
