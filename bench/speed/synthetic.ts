import type { Image } from '../../emulator/index.js';

const FIRST = 0x100;
const FUNCTION_HALVES = 64;
const SP = 0x20008000;

/** BL from halfword `from` to halfword `to`. */
function branchLink(from: number, to: number): readonly [number, number] {
  const distance = to - from - 2;
  const s = distance < 0 ? 1 : 0;
  const bit = (k: number): number => (~((distance >> k) & 1) ^ s) & 1;
  return [0xf000 | (s << 10) | ((distance >> 11) & 0x3ff), 0xd000 | (bit(22) << 13) | (bit(21) << 11) | (distance & 0x7ff)];
}

/** One function: PUSH {r4, lr}, a short loop, arithmetic, a load and a store on the stack, POP {r4, pc}. */
function body(number: number): number[] {
  const mix = Array.from({ length: FUNCTION_HALVES - 14 }, (_, k) => [0x3001 | ((number + k) & 0x7f), 0x4048, 0x0041 | (((k + number) % 7 + 1) << 6), 0x1840, 0x4141][(k + number) % 5]);
  return [
    0xb510, 0xb082, // push {r4, lr}; sub sp, #8
    0x2403, ...mix.slice(0, 8), 0x3c01, 0xd1f5, // movs r4, #3; loop: ...; subs r4, #1; bne loop
    0x9000, ...mix.slice(8), 0x9900, 0x1840, // str r0, [sp]; ...; ldr r1, [sp]; adds r0, r0, r1
    0xb002, 0xbd10, // add sp, #8; pop {r4, pc}
  ];
}

/** An endless program of about `bytes` bytes of code, all of it run in turn: many small functions and a loop that calls them. */
export function syntheticImage(bytes: number): Image {
  const count = Math.floor((bytes - FIRST) / (FUNCTION_HALVES * 2 + 4));
  const caller = FIRST / 2;
  const first = caller + count * 2 + 2;
  const functions = Array.from({ length: count }, (_, k) => body(k));
  const length = functions[0].length;
  const calls = functions.flatMap((_, k) => branchLink(caller + 2 * k, first + k * length));
  const halves = new Uint16Array(first + count * length);
  const words = new Uint32Array(halves.buffer, 0, 2);
  words[0] = SP;
  words[1] = FIRST + 1;
  // MOVS r0, #1 at the start would cut the values off; they run on. Back to the first call by BL: far for B.
  halves.set([...calls, ...branchLink(caller + 2 * count, caller)], caller);
  functions.forEach((halfwords, k) => halves.set(halfwords, first + k * length));
  return { format: 'bin', segments: [{ address: 0, data: new Uint8Array(halves.buffer) }], symbols: [], lines: [] };
}
