import { commandTable, concat } from '../codec/index.js';
import type { CardCommand } from '../codec/index.js';
import { apdusOf } from './genuine.js';
import type { Burst, HostileInput } from './inputs.js';
import { pickGenuine } from './mutate.js';
import type { Prng } from './random.js';

const headers = Object.values(commandTable);

/** Headers that T=0 or the card does not know: INS 6X and 9X, odd INS, CLA FF, any P3. */
function header(random: Prng): Uint8Array {
  const [cla, ins] = random.pick(headers);
  switch (random.below(5)) {
    case 0: return Uint8Array.of(cla, (random.chance(0.5) ? 0x60 : 0x90) | random.below(16), 0, 0, random.byte());
    case 1: return Uint8Array.of(cla, ins | 1, random.below(4), random.below(4), random.byte());
    case 2: return Uint8Array.of(0xff, ins, random.byte(), random.byte(), random.byte());
    case 3: return Uint8Array.of(cla, ins, random.below(4), random.below(4), random.pick([0, 1, 5, 255]));
    default: return random.bytes(5);
  }
}

/** The header of a genuine command, then less than it promised, more, or other bytes; or characters of wrong parity. */
function genuineSpoiled(random: Prng, genuine: readonly CardCommand[]): Burst[] {
  const apdu = random.pick(apdusOf(pickGenuine(random, genuine), false));
  const head = Uint8Array.from({ length: 5 }, (_, i) => apdu[i] ?? 0);
  const data = apdu.slice(5);
  switch (random.below(5)) {
    case 0: return [{ bytes: head }, { bytes: data.slice(0, random.below(data.length + 1)) }];
    case 1: return [{ bytes: head }, { bytes: concat(data, random.bytes(1 + random.below(8))) }];
    case 2: return [{ bytes: concat(head, data) }];
    case 3: return [{ bytes: head, badParity: [random.below(5)] }, { bytes: data }];
    default: return data.length === 0 ? [{ bytes: head.slice(0, random.below(5)) }]
      : [{ bytes: head }, { bytes: data, badParity: [random.below(data.length)] }];
  }
}

/** A hostile input of single characters under T=0. */
export function makeCharacters(random: Prng, genuine: readonly CardCommand[]): HostileInput {
  const share = random.below(10);
  if (share < 4) return { kind: 'header', bursts: [{ bytes: header(random) }, ...(random.chance(0.5) ? [{ bytes: random.bytes(random.below(20)) }] : [])] };
  if (share < 8) return { kind: 'short-data', bursts: genuineSpoiled(random, genuine) };
  const bytes = random.bytes(1 + random.below(30));
  const badParity = random.chance(0.3) ? [random.below(bytes.length)] : [];
  return { kind: 'garbage', bursts: [{ bytes, badParity }] };
}
