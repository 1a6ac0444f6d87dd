import { concat } from '../codec/index.js';
import type { CardCommand } from '../codec/index.js';
import { encodeBlock } from '../../devices/index.js';
import type { SFunction, T1Block } from '../../devices/index.js';
import { apdusOf } from './genuine.js';
import type { Burst, HostileInput } from './inputs.js';
import { pickGenuine } from './mutate.js';
import type { Prng } from './random.js';

const none = new Uint8Array(0);
const functions: readonly SFunction[] = ['RESYNCH', 'IFS', 'ABORT', 'WTX'];

const lrc = (bytes: Uint8Array): number => bytes.reduce((a, b) => a ^ b, 0);
const sealed = (...body: readonly number[]): Uint8Array => Uint8Array.of(...body, lrc(Uint8Array.from(body)));
const block = (what: T1Block): Uint8Array => encodeBlock(what, 'LRC');

/** The I-blocks of a genuine command from N(S) = 0, and the R-blocks that fetch a long answer. */
function genuineBlocks(random: Prng, genuine: readonly CardCommand[]): Uint8Array[] {
  const apdu = random.pick(apdusOf(pickGenuine(random, genuine)));
  const size = random.pick([8, 16, 32, 32]);
  const count = Math.ceil(apdu.length / size);
  const out = Array.from({ length: count }, (_, i) =>
    block({ type: 'I', nad: 0, ns: (i & 1) as 0 | 1, more: i < count - 1, inf: apdu.slice(i * size, (i + 1) * size) }));
  const fetch = Array.from({ length: random.below(4) }, (_, i) => block({ type: 'R', nad: 0, nr: ((i + 1) & 1) as 0 | 1, error: 0 }));
  return [...out, ...fetch];
}

function randomBlock(random: Prng): Uint8Array {
  const inf = random.bytes(random.pick([0, 0, 1, 2, 4, 31, 32, 33, 254]));
  return sealed(0, random.byte(), inf.length, ...inf);
}

function sBlock(random: Prng): Uint8Array {
  const fn = random.pick(functions);
  const code = 0xc0 | (random.chance(0.5) ? 0x20 : 0) | functions.indexOf(fn);
  const inf = random.bytes(random.pick([0, 1, 1, 2]));
  return sealed(0, code, inf.length, ...inf);
}

const rBlock = (random: Prng): Uint8Array =>
  sealed(0, 0x80 | (random.chance(0.5) ? 0x10 : 0) | random.pick([0, 0, 1, 2, 3, 8, 0x20]), ...(random.chance(0.9) ? [0] : [1, 0]));

/** A right block made wrong: LRC, NAD, LEN, N(S), missing or added characters, wrong parity, a pause within. */
function spoiled(bytes: Uint8Array, random: Prng): Burst {
  const at = random.below(bytes.length);
  const replaced = (index: number, byte: number): Uint8Array => bytes.map((old, i) => (i === index ? byte : old));
  const fixed = (index: number, byte: number): Uint8Array => sealed(...replaced(index, byte).slice(0, -1));
  switch (random.below(9)) {
    case 0: return { bytes: replaced(bytes.length - 1, bytes[bytes.length - 1] ^ (1 + random.below(255))) };
    case 1: return { bytes: fixed(0, 1 + random.below(255)) };
    case 2: return { bytes: fixed(2, random.pick([0, 255, (bytes[2] + 1) & 0xff, random.byte()])) };
    case 3: return { bytes: fixed(1, bytes[1] ^ 0x40) };
    case 4: return { bytes: fixed(1, bytes[1] ^ 0x20) };
    case 5: return { bytes: bytes.slice(0, Math.max(1, at)) };
    case 6: return { bytes: concat(bytes, random.bytes(1 + random.below(40))) };
    case 7: return { bytes, badParity: [at] };
    default: return { bytes, pause: { before: Math.max(1, at), etu: random.pick([20, 40, 44, 50, 120, 400]) } };
  }
}

function hostile(random: Prng, before: readonly Uint8Array[]): Burst {
  switch (random.below(6)) {
    case 0: return { bytes: randomBlock(random) };
    case 1: return { bytes: sBlock(random) };
    case 2: return { bytes: rBlock(random) };
    case 3: return { bytes: random.bytes(1 + random.below(random.chance(0.1) ? 300 : 12)) };
    case 4: return { bytes: before.length > 0 ? random.pick(before) : randomBlock(random) };
    default: return spoiled(before.length > 0 ? random.pick(before) : randomBlock(random), random);
  }
}

/** A genuine exchange of blocks with hostile ones among them; N(S) and N(R) count from a RESYNCH. */
export function makeBlocks(random: Prng, genuine: readonly CardCommand[]): HostileInput {
  const base = random.chance(0.75) ? genuineBlocks(random, genuine) : [none].slice(1);
  const bursts: Burst[] = base.map((bytes) => (random.chance(0.08) ? spoiled(bytes, random) : { bytes }));
  for (let more = random.below(3); more >= 0; more -= 1) bursts.splice(random.below(bursts.length + 1), 0, hostile(random, base));
  return { kind: 'blocks', bursts };
}
