import type { OwnerPolicy } from './owner.js';

/** How the safes of a test bench authenticate owners: as any safe does, at a small cost and without waiting, since their clock stands still. */
export const benchOwnerPolicy: OwnerPolicy = { scrypt: { logN: 10, r: 8, p: 1 }, threshold: 655, tries: 5, wait: 0 };
