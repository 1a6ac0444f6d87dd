/** Faults other than a clean power cut: injected with proof, judged by the invariants, repeatable by a case id. */
export { DISTURB_PREFIX, disturbCaseId, parseDisturbCase } from './case-id.js';
export type { DisturbCase } from './case-id.js';
export { disturbDefinition, replayDisturbance } from './definition.js';
export type { DisturbOptions, DisturbUnitResult } from './definition.js';
export { disturbPoint, disturbPoints } from './points.js';
export type { DisturbPoint } from './points.js';
export { disturbOutcomes } from './run.js';
export type { DisturbOutcome, DisturbReport } from './run.js';
export { attackKinds, disturbKinds } from './spec.js';
export type { Disturbance, DisturbKind } from './spec.js';
