import type { Cycles } from '../types.js';
import { halfEtus, sameEtu, type Etu } from './etu.js';

/*
 * A character frame (ISO/IEC 7816-3, 7.2) as the levels of its moments 1 to 9 in bits 0 to 8 (1 = high): eight data
 * bits and parity. Moment 0 (start) is low; from moment 10 on the line is high.
 */

/** What a receiver makes of a frame. */
export interface Decoded {
  readonly byte: number;
  readonly parityOk: boolean;
}

const PARITY = Uint8Array.from({ length: 512 }, (_, value) => {
  let ones = 0;
  for (let v = value; v > 0; v >>= 1) ones ^= v & 1;
  return ones;
});

/** Levels for a byte: direct convention sends bit 0 first with high = 1, inverse bit 7 first with high = 0. */
export function encodeFrame(byte: number, inverse: boolean, wrongParity = false): number {
  const parity = PARITY[byte] ^ Number(wrongParity);
  const frame = (inverse ? reverse(byte) : byte) | (parity << 8);
  return inverse ? frame ^ 0x1ff : frame;
}

/** Byte and parity check of the levels of one frame. */
export function decodeFrame(levels: number, inverse: boolean): Decoded {
  const frame = inverse ? levels ^ 0x1ff : levels;
  const byte = inverse ? reverse(frame & 0xff) : frame & 0xff;
  return { byte, parityOk: PARITY[frame] === 0 };
}

/**
 * Levels that a receiver with its own etu samples in the middle of its moments 1 to 9, and whether start and stop
 * moment looked right; equal units give the frame back.
 */
export function sampleFrame(levels: number, sender: Etu, receiver: Etu): { readonly levels: number; readonly framed: boolean } {
  if (sameEtu(sender, receiver)) return { levels, framed: true };
  let sampled = 0;
  for (let moment = 1; moment <= 9; moment++) {
    sampled |= levelAt(levels, sender, halfEtus(receiver, 2 * moment + 1)) << (moment - 1);
  }
  const framed = levelAt(levels, sender, halfEtus(receiver, 1)) === 0 && levelAt(levels, sender, halfEtus(receiver, 21)) === 1;
  return { levels: sampled, framed };
}

/** A change of the I/O line. */
export interface LineEdge {
  readonly cycle: Cycles;
  readonly level: 0 | 1;
}

/** The changes of the line, high before and after, that a frame with its leading edge at `start` makes: for traces. */
export function frameEdges(levels: number, start: Cycles, etu: Etu): LineEdge[] {
  const edges: LineEdge[] = [];
  let last = 1;
  for (let moment = 0; moment <= 10; moment++) {
    const level = moment === 0 ? 0 : moment === 10 ? 1 : (levels >> (moment - 1)) & 1;
    if (level !== last) edges.push({ cycle: start + halfEtus(etu, 2 * moment), level: level === 1 ? 1 : 0 });
    last = level;
  }
  return edges;
}

/** Level of the line `age` cycles after the leading edge. */
export function levelAt(levels: number, sender: Etu, age: number): number {
  let moment = 0;
  while (moment < 10 && halfEtus(sender, 2 * (moment + 1)) <= age) moment++;
  if (moment === 0) return 0;
  return moment === 10 ? 1 : (levels >> (moment - 1)) & 1;
}

function reverse(byte: number): number {
  let out = 0;
  for (let i = 0; i < 8; i++) out |= ((byte >> i) & 1) << (7 - i);
  return out;
}
