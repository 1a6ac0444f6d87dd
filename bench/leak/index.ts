/** Leaks: values, keys and seeds in what a safe, a record or a link shows. */
export { findLeaks, notSearchable } from './search.js';
export type { Leak, LeakSearch, Place, Sought } from './search.js';
export { secretsOfWorld, tapped } from './collect.js';
export type { TappedWorld, WorldSecrets } from './collect.js';
export { computedFrom } from './curious.js';
export type { View } from './curious.js';
