import { z } from 'zod';

const count = z.number().int().nonnegative();
const positive = z.number().int().positive();
const share = z.number().min(0).max(1);

const cells = z.strictObject({
  mean: z.number().positive().max(1).describe('mean switching moment of a cell, as a part of the phase'),
  spread: z.number().nonnegative().max(1).describe('sigma of the logarithm of the switching moment'),
  weak: z.number().nonnegative().max(0.9).describe('half width of the weak window, as a part of the switching moment'),
  levels: positive.max(255).describe('number of distinct charges a weak cell can have'),
  noise: z.number().nonnegative().max(1).describe('sigma of the charge noise drawn at each read of a weak cell'),
  offset: z.number().min(-1).max(1).describe('added to the charge of all weak cells at each read (voltage, temperature); > 0 is towards erased'),
  drift: share.describe('charge that weak cells gain towards erased at each power-on'),
  disturb: share.describe('chance that a cut weakens a given cell of a neighbouring page'),
  tornFactor: z.number().min(1).max(10).describe('weak window of the next operation after a torn erase is wider by this factor'),
});

const wear = z.strictObject({
  endurance: positive.describe('median number of operations until a page wears'),
  sigma: z.number().nonnegative().max(3).describe('sigma of the logarithm of the endurance'),
  span: z.number().positive().max(10).describe('from the first rare failure to a stuck bit, as a part of the endurance'),
});

const eeprom = z.strictObject({
  bytes: count.describe('size; 0 for none'),
  page: positive.describe('bytes in a page'),
  eraseUs: positive.describe('time of the erase phase, microseconds'),
  programUs: positive.describe('time of the program phase, microseconds'),
  erased: z.union([z.literal(0x00), z.literal(0xff)]).describe('value of an erased byte'),
  holdUs: count.describe('how long the stored charge feeds an operation after a brown-out of the kind `finish`, microseconds'),
  cells,
  wear,
});

const crypto = z.strictObject({
  present: z.boolean().describe('coprocessor built in'),
  start: count.describe('cycles to start any operation'),
  aes128Block: count.describe('cycles for a block of 16 bytes'),
  aes256Block: count.describe('cycles for a block of 16 bytes'),
  sha256Block: count.describe('cycles for a block of 64 bytes'),
  x25519: count.describe('cycles'),
  ed25519Public: count.describe('cycles'),
  ed25519Sign: count.describe('cycles'),
  ed25519Verify: count.describe('cycles'),
  messageBlock: count.describe('cycles for each 64 bytes of a signed message'),
});

/** Schema of a chip profile: every number that makes one chip differ from another. */
export const profileSchema = z.strictObject({
  name: z.string().min(1),
  description: z.string(),
  cpu: z.strictObject({
    core: z.enum(['cortex-m0', 'cortex-m0plus']).describe('cycle table'),
    hz: positive.describe('core clock'),
    mulCycles: z.union([z.literal(1), z.literal(32)]).describe('cycles of MULS'),
    waitStates: count.max(15).describe('wait states of the code memory'),
  }),
  card: z.strictObject({ hz: positive.describe('contact clock CLK, base of the etu') }),
  code: z.strictObject({ bytes: positive }),
  ram: z.strictObject({ bytes: positive.multipleOf(4) }),
  peripherals: z.boolean().describe('false: code and RAM only'),
  eeprom,
  rng: z.strictObject({ cycles: count.describe('cycles until the next random word is ready') }),
  crypto,
}).superRefine((profile, context) => {
  if (profile.eeprom.bytes % profile.eeprom.page !== 0) {
    context.addIssue({ code: 'custom', path: ['eeprom', 'bytes'], message: `must be a multiple of eeprom.page (${profile.eeprom.page})` });
  }
  if (profile.eeprom.page > 2048 || (profile.eeprom.page & (profile.eeprom.page - 1)) !== 0) {
    context.addIssue({ code: 'custom', path: ['eeprom', 'page'], message: 'must be a power of two up to 2048' });
  }
});

/** A chip profile, checked. Sizes in bytes, clocks in Hz, times in microseconds or core cycles as named. */
export type ChipProfile = z.infer<typeof profileSchema>;
/** Cell parameters of the EEPROM. */
export type CellProfile = ChipProfile['eeprom']['cells'];
/** Wear parameters of the EEPROM. */
export type WearProfile = ChipProfile['eeprom']['wear'];
/** Presence and cycle costs of the crypto coprocessor. */
export type CryptoProfile = ChipProfile['crypto'];

/** The JSON Schema (draft 2020-12) of a profile, for editors; kept beside the profiles as `profile.schema.json`. */
export function profileJsonSchema(): object {
  return z.toJSONSchema(profileSchema);
}
