/** What a capability is about; the statement lists them in these groups. */
export type CapabilityGroup = 'embodiments' | 'systems' | 'variants' | 'transports' | 'chip';

/** A capability with what it means. */
export interface CapabilityEntry {
  readonly group: CapabilityGroup;
  /** What a firmware that claims it must do. */
  readonly means: string;
}

/** Everything an implementation under test can claim (docs/statement.md). Table; a new variant is one line. */
export const capabilityTable = {
  'embodiment-1': { group: 'embodiments', means: 'plain backup of values' },
  'embodiment-2': { group: 'embodiments', means: 'encrypted, signed backup with backup of the key' },
  'embodiment-3': { group: 'embodiments', means: 'value and key at two safes, neither can read alone' },
  'embodiment-4': { group: 'embodiments', means: 'values divided into pieces' },
  'embodiment-5': { group: 'embodiments', means: 'several values coupled under one certificate' },
  'embodiment-6': { group: 'embodiments', means: 'key divided into parts' },
  'embodiment-7': { group: 'embodiments', means: 'backup of the seed the key is derived from' },
  'embodiment-8': { group: 'embodiments', means: 'owner authenticated at the safe' },
  'embodiment-9': { group: 'embodiments', means: 'owner authenticated at the terminal' },
  'embodiment-10': { group: 'embodiments', means: 'owner authenticated by a second device' },
  'embodiment-11': { group: 'embodiments', means: 'automatic backup by conditions' },
  'embodiment-12': { group: 'embodiments', means: 'two safes that talk, new key after recovery' },
  twin: { group: 'systems', means: 'primary and secondary card' },
  purse: { group: 'systems', means: 'card-to-card money' },
  member: { group: 'systems', means: 'registration of signed information' },
  'common-key': { group: 'variants', means: 'common-key variant of encryption beside the public-key one' },
  'legacy-hashes': { group: 'variants', means: 'SHA-1 and MD5 where personalisation permits them' },
  'empty-digest': { group: 'variants', means: 'digests without partial information' },
  'two-safes': { group: 'variants', means: 'more than one safe known to the card' },
  'sealed-traffic': { group: 'variants', means: 'embodiment 3 with everything past the terminal sealed' },
  personalisation: { group: 'variants', means: 'initialisation and issue by command' },
  'T=0': { group: 'transports', means: 'transmission protocol T=0' },
  'T=1': { group: 'transports', means: 'transmission protocol T=1' },
  'raw-apdu': { group: 'transports', means: 'single command APDUs as they are' },
  'trace-port': { group: 'chip', means: 'step marks reach the bench' },
  'power-control': { group: 'chip', means: 'the bench can take the power away at any cycle' },
  'memory-fill': { group: 'chip', means: 'the bench can fill the memory to a chosen level' },
  'fault-resistance': { group: 'chip', means: 'resistance to attacks on the running core' },
} as const satisfies Readonly<Record<string, CapabilityEntry>>;

/** What an implementation under test or its chip must offer for a point to apply (implementation conformance statement). */
export type Capability = keyof typeof capabilityTable;

/** Every capability, in the order of the table. */
export const capabilities = Object.keys(capabilityTable) as readonly Capability[];

/** Capabilities of a group. */
export const capabilitiesOf = (group: CapabilityGroup): readonly Capability[] => capabilities.filter((name) => capabilityTable[name].group === group);
