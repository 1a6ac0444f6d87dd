import { applicationId, commandTable, concat, dataTags, uintBytes, writeTlv } from '../codec/index.js';
import type { CardCommand } from '../codec/index.js';
import { apdusOf } from './genuine.js';
import type { HostileInput } from './inputs.js';
import { pickGenuine } from './mutate.js';
import type { Prng } from './random.js';

const headers = Object.values(commandTable);
const tags = Object.values(dataTags);
/** Element and template tags of docs/protocol.md 1.1, 1.2. */
const elementTags: readonly number[] = [
  ...Array.from({ length: 0x20 }, (_, i) => 0x80 + i), ...Array.from({ length: 13 }, (_, i) => 0xe1 + i),
];
const edges: readonly number[] = [0, 1, 2, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0x82, 0xfe, 0xff];
const chaining = 0x10;

const none = new Uint8Array(0);

function parameters(random: Prng): readonly [number, number] {
  const share = random.below(10);
  if (share === 0) return [random.byte(), random.byte()];
  if (share < 3) return [random.pick(tags) >> 8, random.pick(tags) & 0xff];
  return [random.below(5), random.below(5)];
}

/** Handles as a card gives them: small numbers, and the odd ones. */
const handle = (random: Prng): Uint8Array => writeTlv(0x8b, uintBytes(random.chance(0.9) ? random.below(24) : random.below(0x10000), 2));

function elements(random: Prng): Uint8Array {
  return concat(...Array.from({ length: random.below(4) }, () => writeTlv(random.pick(elementTags), random.bytes(random.pick([0, 1, 2, 4, 8, 9, 16, 32, 64, 80, 130])))));
}

function randomData(random: Prng): Uint8Array {
  switch (random.below(6)) {
    case 0: return none;
    case 1: return random.bytes(random.below(256));
    case 2: return handle(random);
    case 3: return concat(handle(random), elements(random));
    case 4: return elements(random);
    default: return concat(handle(random), writeTlv(random.pick([0x83, 0x87, 0x95]), random.bytes(random.pick([1, 2, 4]))));
  }
}

/** An APDU of any case, with the right Lc or, now and then, a wrong one. */
function randomApdu(random: Prng): Uint8Array {
  const known = random.pick(headers);
  const cla = random.chance(0.9) ? known[0] : random.pick([known[0] ^ (1 << random.below(8)), random.byte()]);
  const ins = random.chance(0.9) ? known[1] : random.byte();
  const data = randomData(random).slice(0, 255);
  const lc = random.chance(0.88) ? data.length : random.pick([0, 255, data.length + 1, Math.max(0, data.length - 1), random.byte()]);
  const body = data.length > 0 || random.chance(0.1) ? [lc & 0xff, ...data] : [];
  const le = random.chance(0.5) ? [random.pick(edges)] : [];
  const apdu = Uint8Array.of(cla, ins, ...parameters(random), ...body, ...le);
  return random.chance(0.03) ? apdu.slice(0, random.below(6)) : apdu;
}

/** A begun chain that is broken off, mixed or overlong. */
function chained(random: Prng, genuine: readonly CardCommand[]): readonly Uint8Array[] {
  const { cla, ins, p1, p2, data } = pickGenuine(random, genuine);
  const links = 1 + random.below(5);
  const size = random.pick([1, 4, 32, 255]);
  return Array.from({ length: links }, (_, i) => {
    const part = random.chance(0.8) ? data.slice(i * size, (i + 1) * size) : random.bytes(size);
    const more = random.chance(i === links - 1 ? 0.3 : 0.85);
    const other = random.chance(0.12);
    return Uint8Array.of(
      more ? cla | chaining : cla, other ? random.pick(headers)[1] : ins, p1, random.chance(0.95) ? p2 : random.byte(),
      ...(part.length > 0 ? [part.length, ...part] : []), ...(more ? [] : [0]),
    );
  });
}

function getResponse(random: Prng, genuine: readonly CardCommand[]): readonly Uint8Array[] {
  const first = random.chance(0.6) ? apdusOf(random.pick(genuine), false) : [];
  const asks = Array.from({ length: 1 + random.below(3) }, () =>
    Uint8Array.of(random.chance(0.9) ? 0 : 0x10, 0xc0, random.chance(0.9) ? 0 : random.byte(), 0, random.pick(edges)));
  return [...first, ...asks];
}

function select(random: Prng): readonly Uint8Array[] {
  const other = random.pick([
    applicationId.slice(0, random.below(applicationId.length)), concat(applicationId, random.bytes(1)), random.bytes(random.below(17)),
    applicationId.map((byte, i) => (i === 9 ? byte ^ 1 : byte)), applicationId,
  ]);
  const body = other.length > 0 ? [other.length, ...other] : [];
  return [Uint8Array.of(0, 0xa4, random.pick([4, 4, 4, 0, 8]), random.pick([0, 0, 0, 2, 0x0c]), ...body, ...(random.chance(0.5) ? [0] : []))];
}

/** VERIFY with digits that are not the PIN, or are none. */
function verify(random: Prng): Uint8Array {
  const digits = Array.from({ length: random.pick([3, 4, 6, 6, 6, 12, 13]) }, () => (random.chance(0.02) ? random.byte() : 0x30 + random.below(10)));
  return Uint8Array.of(0, 0x20, 0, 1, digits.length, ...digits);
}

/** A random input on the level of commands. */
export function makeRandom(random: Prng, genuine: readonly CardCommand[]): HostileInput {
  const share = random.below(20);
  if (share < 4) return { kind: 'chained', apdus: chained(random, genuine) };
  if (share < 6) return { kind: 'get-response', apdus: getResponse(random, genuine) };
  if (share < 8) return { kind: 'verify', apdus: [verify(random)] };
  if (share < 9) return { kind: 'select', apdus: select(random) };
  return { kind: 'random', apdus: [randomApdu(random)] };
}
