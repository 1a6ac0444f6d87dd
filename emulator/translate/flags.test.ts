import { describe, expect, it } from 'vitest';
import { INSTRUCTIONS } from '../cpu/table.js';
import { encode } from '../testing/asm.js';
import { createPair, differences } from '../testing/engines.js';

const EDGES = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff];
/** Low bytes and their neighbours for shifts. */
const AMOUNTS = [0, 1, 31, 32, 33, 255, 256];
/** Operands of a CMP that leave every state of C and V, and N and Z as far as they go together. */
const BEFORE = [[0, 0], [1, 0], [0, 1], [0x80000000, 1], [0x7fffffff, 0xffffffff], [0x80000000, 0x7fffffff]] as const;
const IMMEDIATES = [0, 1, 7, 15, 31, 127, 128, 255];

/** Rows that set flags; r1 and r2 are their operands, r1 the destination. */
const ROWS = INSTRUCTIONS.filter(({ writes, halves }) => halves === 1 && writes.includes('N'));

function encodings(row: (typeof ROWS)[number]): (readonly number[])[] {
  const width = (row.fields.i ?? []).reduce((sum, part) => sum + part.width, 0);
  const registers = { ...(row.fields.d === undefined ? {} : { d: 1 }), ...(row.fields.m === undefined ? {} : { m: 2 }) };
  const n = row.fields.n === undefined ? {} : { n: row.fields.m === undefined && row.fields.i === undefined ? 2 : row.name.includes('high') ? 8 : 1 };
  const base = { ...registers, ...n };
  if (width === 0) return [encode(row.name, base)];
  const fitting = IMMEDIATES.filter((i) => i < 2 ** width && !(row.kind === 'LSLS_IMM' && i === 0));
  return fitting.map((i) => encode(row.name, { ...base, i }));
}

/** CMP r5, r6; the instruction; then a place where everything is looked at: a read of a device in both cases of C. */
function program(halves: readonly number[], behind: readonly number[]): Uint8Array {
  const all = [...encode('CMP (low registers)', { n: 5, m: 6 }), ...halves, ...behind, ...encode('BKPT', {})];
  return Uint8Array.from([0x40, 0, 0, 0x20, 9, 0, 0, 0, ...all.flatMap((half) => [half & 0xff, half >> 8])]);
}

const BEHIND: Readonly<Record<string, readonly number[]>> = {
  'the next instruction, for the interpreter': [],
  'a store that cannot be': encode('STR (immediate)', { d: 0, n: 3, i: 0 }),
  'a branch': [...encode('BHI', { i: 0 }), ...encode('NOP'), ...encode('BGE', { i: 0 }), ...encode('NOP'), ...encode('BLE', { i: 0 }), ...encode('NOP')],
  'a carry used': encode('ADCS', { d: 0, m: 0 }),
  'a shift that leaves V': encode('LSRS (immediate)', { d: 0, n: 0, i: 3 }),
};

function check(halves: readonly number[], behind: readonly number[], bs: readonly number[]): string[] {
  const image = { format: 'bin' as const, segments: [{ address: 0, data: program(halves, behind) }], symbols: [], lines: [] };
  const pair = createPair(image, { code: { size: 64 }, ram: { size: 64 } });
  const { interpreter, translator } = pair;
  const wrong: string[] = [];
  for (const [x, y] of BEFORE) for (const a of EDGES) for (const b of bs) {
    for (const machine of [interpreter, translator]) {
      machine.reset('power-on');
      [[1, a], [2, b], [8, a], [5, x], [6, y], [3, 0x30000000]].forEach(([r, value]) => { machine.setRegister(r, value | 0); });
      machine.core.z = machine.core.n = 1;
      machine.run({ until: 60 });
    }
    const found = differences(interpreter, translator);
    if (found.length > 0) wrong.push(`a ${a.toString(16)} b ${b.toString(16)} after CMP ${x}, ${y}: ${found.join('; ')}`);
  }
  expect(translator.engineCounts?.entered).toBeGreaterThan(10);
  return wrong;
}

describe('flags of both engines at the operand edges, with both carries', () => {
  it.each(ROWS.map((row) => [row.name, row] as const))('%s', (_, row) => {
    const shifts = ['LSLS_REG', 'LSRS_REG', 'ASRS_REG', 'RORS'].includes(row.kind);
    for (const halves of encodings(row)) {
      for (const behind of Object.values(BEHIND)) expect(check(halves, behind, shifts ? AMOUNTS : EDGES)).toEqual([]);
    }
  });
});
