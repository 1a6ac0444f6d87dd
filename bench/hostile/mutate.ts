import { concat } from '../codec/index.js';
import type { CardCommand } from '../codec/index.js';
import { apdusOf } from './genuine.js';
import type { HostileInput } from './inputs.js';
import type { Prng } from './random.js';

const handleTag = 0x8b;
const firstTemplate = 0xe0;
/** Handles are tried from 0 up to here. */
const handles = 24;
/** Bytes of an Ed25519 signature, which ends every signed object. */
const signatureLength = 64;
/** CLA INS of the commands that can change what values are worth, and how many times as often as others they are taken. */
const weighty: ReadonlySet<number> = new Set([
  0x8012, 0x8014, 0x8018, 0x801a, 0x801e, 0x8022, 0x8024, 0x8026, 0x802a, 0x802e, 0x8030, 0x8042,
]);
const weight = 4;

const lengths: readonly number[] = [0, 1, 2, 4, 8, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x84, 0xfe, 0xff];

interface Place {
  readonly tag: number;
  readonly length: number;
  readonly end: number;
}

/** Where the objects of BER-TLV data begin, have their length and end, templates taken apart; data that are none give none. */
function placesOf(data: Uint8Array, from = 0, to: number = data.length): Place[] {
  const places: Place[] = [];
  for (let at = from; at + 2 <= to;) {
    const form = data[at + 1];
    const more = form === 0x81 ? 1 : form === 0x82 ? 2 : 0;
    const size = more === 0 ? form : more === 1 ? data[at + 2] : (data[at + 2] << 8) | data[at + 3];
    const start = at + 2 + more;
    const end = start + size;
    if (end > to) break;
    places.push({ tag: at, length: at + 1, end });
    if (data[at] >= 0xe0) places.push(...placesOf(data, start, end));
    at = end;
  }
  return places;
}

function changed(data: Uint8Array, at: number, byte: number): Uint8Array {
  if (at >= data.length) return data;
  const copy = data.slice();
  copy[at] = byte;
  return copy;
}

/** Changes what an object says and nothing of its form: one element, the signature at its end, or the handle before it. */
function mutateContent(data: Uint8Array, random: Prng): Uint8Array {
  const share = random.below(5);
  if (share < 2 && data.length > signatureLength) {
    const at = data.length - 1 - random.below(signatureLength);
    return changed(data, at, data[at] ^ (1 << random.below(8)));
  }
  if (share < 4 && data[0] === handleTag && data[1] === 2) return changed(data, 3, random.below(handles));
  const leaves = placesOf(data).filter(({ tag, length, end }) => data[tag] < firstTemplate && end > length + 1);
  if (leaves.length === 0) return changed(data, random.below(data.length), random.byte());
  const { length, end } = random.pick(leaves);
  const at = length + 1 + random.below(end - length - 1);
  return changed(data, at, random.chance(0.5) ? data[at] ^ (1 << random.below(8)) : random.byte());
}

/** One change of some data: of content, bytes, lengths, tags, of the order of objects. */
export function mutateData(data: Uint8Array, random: Prng, genuine: readonly CardCommand[]): Uint8Array {
  if (random.chance(0.35)) return mutateContent(data, random);
  const at = random.below(data.length + 1);
  const places = placesOf(data);
  const place = places.length > 0 ? random.pick(places) : { tag: 0, length: 1, end: data.length };
  const object = data.slice(place.tag, place.end);
  switch (random.below(10)) {
    case 0: return changed(data, at, (data[at] ?? 0) ^ (1 << random.below(8)));
    case 1: return changed(data, at, random.pick(lengths));
    case 2: return data.slice(0, at);
    case 3: return concat(data, random.bytes(1 + random.below(24)));
    case 4: return concat(data.slice(0, at), random.bytes(1 + random.below(8)), data.slice(at));
    case 5: return changed(data, place.length, random.chance(0.5) ? random.pick(lengths) : ((data[place.length] ?? 0) + random.pick([1, -1])) & 0xff);
    case 6: return changed(data, place.tag, random.chance(0.5) ? random.byte() : (data[place.tag] ?? 0) ^ (1 << random.below(8)));
    case 7: return concat(data.slice(0, place.end), object, data.slice(place.end));
    case 8: return concat(data.slice(0, place.tag), data.slice(place.end));
    default: {
      const other = random.pick(genuine).data;
      return concat(data.slice(0, at), other.slice(random.below(other.length + 1)));
    }
  }
}

function mutateHeader(command: CardCommand, random: Prng, genuine: readonly CardCommand[]): CardCommand {
  switch (random.below(4)) {
    case 0: return { ...command, p1: random.chance(0.8) ? random.below(5) : random.byte() };
    case 1: return { ...command, p2: random.chance(0.8) ? random.below(5) : random.byte() };
    case 2: {
      const { cla, ins } = random.pick(genuine);
      return { ...command, cla, ins };
    }
    default: return { ...command, cla: command.cla ^ (1 << random.below(8)) };
  }
}

/** Changes how a command travels: links lost, doubled or exchanged, a wrong Lc, bytes lost or added. */
function mutateLinks(apdus: readonly Uint8Array[], random: Prng): readonly Uint8Array[] {
  const which = random.below(apdus.length);
  const edit = (change: (apdu: Uint8Array) => Uint8Array): readonly Uint8Array[] => apdus.map((apdu, i) => (i === which ? change(apdu) : apdu));
  switch (random.below(6)) {
    case 0: return apdus.length > 1 ? apdus.filter((_, i) => i !== which) : apdus;
    case 1: return apdus.flatMap((apdu, i) => (i === which ? [apdu, apdu] : [apdu]));
    case 2: return [...apdus].reverse();
    case 3: return edit((apdu) => changed(apdu, 4, random.pick(lengths)));
    case 4: return edit((apdu) => apdu.slice(0, random.below(apdu.length + 1)));
    default: return edit((apdu) => concat(apdu, random.bytes(1 + random.below(3))).slice(0, 261));
  }
}

/** A genuine command: the instruction first, those that change values more often; then one of its commands. */
export function pickGenuine(random: Prng, genuine: readonly CardCommand[]): CardCommand {
  const all = [...new Set(genuine.map(({ cla, ins }) => (cla << 8) | ins))];
  for (;;) {
    const code = random.pick(all);
    if (!weighty.has(code) && !random.chance(1 / weight)) continue;
    return random.pick(genuine.filter(({ cla, ins }) => ((cla << 8) | ins) === code));
  }
}

/** A genuine command on another item than it was meant for. */
export function makeOutOfOrder(random: Prng, genuine: readonly CardCommand[]): HostileInput {
  const command = pickGenuine(random, genuine.filter(({ data }) => data[0] === handleTag && data[1] === 2));
  return { kind: 'out-of-order', apdus: apdusOf({ ...command, data: changed(command.data, 3, random.below(handles)) }) };
}

/** A genuine command, changed in one to three places, or not at all. */
export function makeMutated(random: Prng, genuine: readonly CardCommand[]): HostileInput {
  let command = pickGenuine(random, genuine);
  if (random.chance(0.15)) return { kind: 'genuine', apdus: apdusOf(command) };
  const splice = random.chance(0.1);
  if (splice) command = { ...command, data: random.pick(genuine).data };
  for (let changes = random.pick([0, 0, 1, 2]); changes >= 0; changes -= 1) {
    if (random.chance(0.2)) command = mutateHeader(command, random, genuine);
    else command = { ...command, data: mutateData(command.data, random, genuine).slice(0, 900) };
  }
  const apdus = apdusOf(command, random.chance(0.9));
  return { kind: splice ? 'spliced' : 'mutated', apdus: random.chance(0.12) ? mutateLinks(apdus, random) : apdus };
}
