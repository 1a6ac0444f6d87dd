import { describe, expect, it } from 'vitest';
import { INSTRUCTIONS, type Instruction } from '../cpu/table.js';
import type { MachineConfig } from '../machine.js';
import { encode } from '../testing/asm.js';
import { compareAtStops, createPair, sequence } from '../testing/engines.js';

const CODE = 0x1000;
const FIRST = 0x100;
const EDGES = [0, 1, 2, 31, 32, 255, 0x7fffffff, 0x80000000, 0xffffffff];

/** Rows without those that would only end the program. */
const ROWS = INSTRUCTIONS.filter(({ kind }) => !['BKPT', 'UDF', 'WFI', 'WFE', 'SVC', 'BX', 'BLX', 'BL', 'B'].includes(kind));

type Next = () => number;

const pick = <T>(next: Next, list: readonly T[]): T => list[Math.floor(next() * list.length)];

/** A random instruction; r6 and r7, which point into RAM, are mostly read only. */
function randomHalves(next: Next): readonly number[] {
  const kind = next();
  if (kind < 0.02) return [Math.floor(next() * 0x10000)];
  if (kind < 0.08) return encode('B', { i: Math.floor(next() * 40) + (next() < 0.3 ? 0x7d8 : 0) });
  if (kind < 0.11) return pick(next, [encode('BX', { m: 14 }), encode('BLX', { m: 8 }), encode('POP', { l: 0x101 }), encode('PUSH', { l: 0x103 }), encode('SVC', { i: 1 })]);
  if (kind < 0.15) return branchLink(Math.floor(next() * 200) - 100);
  const row = pick(next, ROWS);
  const halves = encode(row.name, operandsOf(next, row));
  return touchesBases(row, halves) && next() < 0.9 ? [0xbf00] : halves;
}

function operandsOf(next: Next, row: Instruction): Record<string, number> {
  const operands: Record<string, number> = {};
  for (const [letter, parts] of Object.entries(row.fields)) {
    const width = parts.reduce((sum, part) => sum + part.width, 0);
    operands[letter] = Math.floor(next() * 2 ** width);
    if (letter === 'n' && row.reads.includes('mem') && width === 3) operands.n = 6 + Math.floor(next() * 2);
    if (letter === 'i' && row.cycles === 'conditional') operands.i = (Math.floor(next() * 24) - 12) & 0xff;
  }
  return operands;
}

function touchesBases(row: Instruction, halves: readonly number[]): boolean {
  const d = row.writes.includes('d') ? row.fields.d : undefined;
  if (d === undefined) return false;
  return [6, 7].includes(d.reduce((value, part) => value * 2 ** part.width + ((halves[part.half] >>> part.lsb) & ((1 << part.width) - 1)), 0));
}

function branchLink(distance: number): readonly number[] {
  const s = distance < 0 ? 1 : 0;
  return [0xf000 | (s << 10) | ((distance >> 11) & 0x3ff), 0xf800 | (distance & 0x7ff)];
}

function program(next: Next): Uint8Array {
  const halves = new Uint16Array(CODE / 2);
  halves.fill(0xbf00);
  const words = new Uint32Array(halves.buffer);
  words.fill(FIRST + 1, 1, 48);
  words[0] = 0x20000200;
  for (let at = FIRST / 2; at < CODE / 2 - 4; ) for (const half of randomHalves(next)) halves[at++] = half;
  return new Uint8Array(halves.buffer);
}

function run(seed: number, config: Partial<MachineConfig>): { entered: number; stops: number; difference: string | undefined } {
  const next = sequence(seed);
  const image = { format: 'bin' as const, segments: [{ address: 0, data: program(next) }], symbols: [], lines: [] };
  const pair = createPair(image, { code: { size: CODE }, ram: { size: 0x400 }, ...config });
  for (let r = 0; r < 15; r++) {
    if (r === 13) continue;
    const value = r === 6 || r === 7 ? 0x20000000 + 4 * Math.floor(next() * 200) : r === 8 || r === 14 ? FIRST + 1 + 2 * Math.floor(next() * 500) : pick(next, EDGES);
    for (const machine of [pair.interpreter, pair.translator]) machine.setRegister(r, value);
  }
  const { stops, difference } = compareAtStops(pair, seed, 60, 2_000);
  return { entered: pair.translator.engineCounts?.entered ?? 0, stops, difference: difference === undefined ? undefined : `seed ${seed}: ${difference}` };
}

describe('random programs on both engines', () => {
  it.each([
    ['plain', {}],
    ['Cortex-M0+ with wait states and a slow multiplier', { core: 'cortex-m0plus', code: { size: CODE, waitStates: 1 }, multiplier: 32 }],
  ] as const)('%s: equal at every stop', (_, config) => {
    let entered = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const result = run(seed, config);
      expect(result.difference).toBeUndefined();
      entered += result.entered;
    }
    expect(entered).toBeGreaterThan(2_000);
  }, 60_000);
});
