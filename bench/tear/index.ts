/** Power cuts: at random cycles and at every cycle, and what the card makes of them. */
export { caseId, imageDigest, parseCaseId } from './case-id.js';
export type { CutCase } from './case-id.js';
export { TearError } from './errors.js';
export type { TearErrorCode } from './errors.js';
export type { Aim } from './forward.js';
export type { Judged, RecoveryMeasure } from './judge.js';
export { tearClause, tearPoint, tearPoints } from './points.js';
export type { TearPoint } from './points.js';
export { defaultPolicies, policyOf } from './policies.js';
export type { CutPolicy } from './policies.js';
export { cutEvents, cutLine, runCuts } from './results.js';
export type { CutCampaign, CutResult } from './results.js';
export { replayCut } from './replay.js';
export type { CutReplay } from './replay.js';
export { sampleCuts } from './sample.js';
export type { CutFailure, CutPlan, CutReport, WorstRecovery } from './sample.js';
