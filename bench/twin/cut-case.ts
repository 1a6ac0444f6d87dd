import { cardCases } from '../tear/card-cases.js';
import type { RoleCut } from '../tear/card-cuts.js';
import { twinCards } from './card-talk.js';
import type { TwinCardName } from './card-talk.js';

/** The power of one card goes, so many ticks of the bench after the run began. */
export type TwinCut = RoleCut<TwinCardName>;

/** Cases of power cuts on primary and secondary card: `twin:1f2e3d4c:c2010:T=1:7:twin-1-promote-Z-03:A@812345+B@917354:random-2`. */
export const twinCases = cardCases<TwinCardName>('twin', twinCards, 'primary and secondary card');
/** See {@link twinCases}. */
export const { prefix: TWIN_CASE_PREFIX, id: twinCaseId, parse: parseTwinCase } = twinCases;
