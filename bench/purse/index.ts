/** Card-to-card money on the bench: docs/purse.md, docs/channels.md. */
export * from './cut-campaign.js';
export * from './cut-case.js';
export * from './factory.js';
export * from './point.js';
export { purseFactoryOf, pursePoint, purseRunner } from './runner.js';
export { purseCutRunner } from './cut-runner.js';
export * from './world.js';
