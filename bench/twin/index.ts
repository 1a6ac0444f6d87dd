export { TWIN_CASE_PREFIX, parseTwinCase } from './cut-case.js';
export { replayTwinCuts } from './cut-campaign.js';
export { twinFactoryOf, twinRunner } from './runner.js';
export { twinCutRunner } from './cut-runner.js';
