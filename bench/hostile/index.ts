/** Hostile input against a card: generators, oracle, campaign. */
export { failureText, HostileCampaign, hostileCampaign, replayHostile } from './campaign.js';
export type { HostileFailure, HostileReport, HostileSetup, ReplaySetup } from './campaign.js';
export type { Burst, HostileInput, HostileKind, HostileLevel } from './inputs.js';
export type { StageName } from './stages.js';
