/** Capacity campaigns: free room level by level, worn pages, little RAM, power cuts at the edges. */
export { capacityDefinition } from './definition.js';
export { isCapacityCase, parseCapacityCase } from './case-id.js';
export { replayCapacity } from './replay.js';
export type { CapacityReplay } from './replay.js';
export { capacityParts } from './types.js';
export type { CapacityOptions, CapacityPart, CapacityRow } from './types.js';
