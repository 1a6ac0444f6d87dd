/** Safes under load: many registrations, lookups as the store grows, and the process killed among them. */
export { runLoad } from './run.js';
export type { LoadResult, LoadSetting } from './run.js';
export { loadText } from './text.js';
