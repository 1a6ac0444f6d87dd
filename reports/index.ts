export * from './types.js';
export * from './errors.js';
export * from './redact.js';
export * from './record.js';
export * from './gather.js';
export * from './junit.js';
export * from './summary.js';
export * from './levels.js';
