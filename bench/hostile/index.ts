/** Hostile input against a card: generators, oracle, campaign. */
export { failureText, HostileCampaign, hostileCampaign } from './campaign.js';
export type { HostileFailure, HostileReport, HostileSetup } from './campaign.js';
export type { Burst, HostileInput, HostileKind, HostileLevel } from './inputs.js';
export type { StageName } from './stages.js';
