import { cardCases } from '../tear/card-cases.js';
import type { RoleCut } from '../tear/card-cuts.js';
import { purseRoles } from './world.js';
import type { PurseRole } from './world.js';

/** The power of one card goes, so many ticks of the bench after the transfer began. */
export type CardCut = RoleCut<PurseRole>;

/** Cases of power cuts on the cards of a transfer: `cards:1f2e3d4c:c2010:T=1:7:purse-1-transfer-C-03:payer@812345+payee@917354:random-2`. */
export const purseCases = cardCases<PurseRole>('cards', purseRoles, 'several cards');
/** See {@link purseCases}. */
export const { prefix: CARD_CASE_PREFIX, id: cardCaseId, parse: parseCardCase } = purseCases;
