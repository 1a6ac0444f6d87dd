import type { CampaignDefinition, CampaignKind } from './types.js';

type AnyDefinition = CampaignDefinition<unknown, unknown>;

/** The definitions by kind; loaded when they are used. */
const definitions: Readonly<Partial<Record<CampaignKind, () => Promise<unknown>>>> = {
  capacity: async () => (await import('../capacity/definition.js')).capacityDefinition,
  tear: async () => (await import('../tear/definition.js')).tearDefinition,
};

/** The definition of a kind of campaign. @throws Error for a kind without one, a defect of the bench */
export async function definitionOf(kind: CampaignKind): Promise<AnyDefinition> {
  const load = definitions[kind];
  if (load === undefined) throw new Error(`there is no campaign ${kind}`);
  return await load() as AnyDefinition;
}
