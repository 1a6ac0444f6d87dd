import type { CampaignDefinition, CampaignKind } from './types.js';

type AnyDefinition = CampaignDefinition<unknown, unknown>;

/** The definitions by kind; loaded when they are used. */
const definitions: Readonly<Record<CampaignKind, () => Promise<unknown>>> = {
  capacity: async () => (await import('../capacity/definition.js')).capacityDefinition,
  disturb: async () => (await import('../disturb/definition.js')).disturbDefinition,
  tear: async () => (await import('../tear/definition.js')).tearDefinition,
};

/** The definition of a kind of campaign. */
export async function definitionOf(kind: CampaignKind): Promise<AnyDefinition> {
  return await definitions[kind]() as AnyDefinition;
}
