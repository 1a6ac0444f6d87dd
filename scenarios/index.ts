export type * from './ports.js';
export type * from './machines/types.js';
export type * from './plan/types.js';
export type * from './plan/faults.js';
export type * from './plan/script.js';
export type * from './invariants/state.js';
