import { describe, expect, it } from 'vitest';
import { createMachine } from '../machine.js';
import { encode } from '../testing/asm.js';

/** An independent model in BigInt: operands and carry in, result and NZCV out. */
interface Outcome {
  readonly result: bigint | undefined;
  readonly flags: number;
}

type Model = (a: bigint, b: bigint, carry: bigint) => { value: bigint; c?: bigint; v?: bigint; noResult?: boolean };

const MASK = 0xffffffffn;
const SIGN = 0x80000000n;
const signed = (x: bigint): bigint => BigInt.asIntN(32, x);

/** AddWithCarry of the manual (ARM DDI 0419, A2.2.1). */
function addWithCarry(a: bigint, b: bigint, carry: bigint): { value: bigint; c: bigint; v: bigint } {
  const unsignedSum = a + b + carry;
  const signedSum = signed(a) + signed(b) + carry;
  const value = unsignedSum & MASK;
  return { value, c: value === unsignedSum ? 0n : 1n, v: signed(value) === signedSum ? 0n : 1n };
}

const not = (x: bigint): bigint => x ^ MASK;

/** Shift_C of the manual (A2.2.1), with the carry out of the last bit shifted. */
function shift(kind: 'lsl' | 'lsr' | 'asr' | 'ror', x: bigint, amount: bigint, carry: bigint): { value: bigint; c: bigint } {
  if (amount === 0n) return { value: x, c: carry };
  if (kind === 'lsl') return { value: (x << amount) & MASK, c: ((x << amount) >> 32n) & 1n };
  if (kind === 'lsr') return { value: x >> amount, c: (x >> (amount - 1n)) & 1n };
  if (kind === 'asr') return { value: (signed(x) >> amount) & MASK, c: (signed(x) >> (amount - 1n)) & 1n };
  const turn = amount % 32n;
  const value = ((x >> turn) | (x << (32n - turn))) & MASK;
  return { value, c: value >> 31n };
}

/** Instructions on two registers: r1 is a (and the destination, where it is rdn), r2 is b. */
const REGISTER: readonly (readonly [string, Readonly<Record<string, number>>, Model])[] = [
  ['MOVS (register)', { d: 1, n: 2 }, (_, b) => ({ value: b })],
  ['ADDS (register)', { d: 1, n: 1, m: 2 }, (a, b) => addWithCarry(a, b, 0n)],
  ['SUBS (register)', { d: 1, n: 1, m: 2 }, (a, b) => addWithCarry(a, not(b), 1n)],
  ['ANDS', { d: 1, m: 2 }, (a, b) => ({ value: a & b })],
  ['EORS', { d: 1, m: 2 }, (a, b) => ({ value: a ^ b })],
  ['ORRS', { d: 1, m: 2 }, (a, b) => ({ value: a | b })],
  ['BICS', { d: 1, m: 2 }, (a, b) => ({ value: a & not(b) })],
  ['MVNS', { d: 1, m: 2 }, (_, b) => ({ value: not(b) })],
  ['ADCS', { d: 1, m: 2 }, (a, b, c) => addWithCarry(a, b, c)],
  ['SBCS', { d: 1, m: 2 }, (a, b, c) => addWithCarry(a, not(b), c)],
  ['RSBS', { d: 1, n: 2 }, (_, b) => addWithCarry(not(b), 0n, 1n)],
  ['MULS', { d: 1, m: 2 }, (a, b) => ({ value: (a * b) & MASK })],
  ['TST', { n: 1, m: 2 }, (a, b) => ({ value: a & b, noResult: true })],
  ['CMP (low registers)', { n: 1, m: 2 }, (a, b) => ({ ...addWithCarry(a, not(b), 1n), noResult: true })],
  ['CMN', { n: 1, m: 2 }, (a, b) => ({ ...addWithCarry(a, b, 0n), noResult: true })],
];

const IMMEDIATE: readonly (readonly [string, (i: number) => Readonly<Record<string, number>>, number, Model])[] = [
  ['ADDS (immediate 3)', (i) => ({ d: 1, n: 1, i }), 7, (a, b) => addWithCarry(a, b, 0n)],
  ['SUBS (immediate 3)', (i) => ({ d: 1, n: 1, i }), 7, (a, b) => addWithCarry(a, not(b), 1n)],
  ['ADDS (immediate 8)', (i) => ({ d: 1, i }), 255, (a, b) => addWithCarry(a, b, 0n)],
  ['SUBS (immediate 8)', (i) => ({ d: 1, i }), 255, (a, b) => addWithCarry(a, not(b), 1n)],
  ['MOVS (immediate)', (i) => ({ d: 1, i }), 255, (_, b) => ({ value: b })],
  ['CMP (immediate)', (i) => ({ n: 1, i }), 255, (a, b) => ({ ...addWithCarry(a, not(b), 1n), noResult: true })],
  ['LSLS (immediate)', (i) => ({ d: 1, n: 1, i }), 31, (a, b, c) => shift('lsl', a, b, c)],
  ['LSRS (immediate)', (i) => ({ d: 1, n: 1, i }), 31, (a, b, c) => shift('lsr', a, b === 0n ? 32n : b, c)],
  ['ASRS (immediate)', (i) => ({ d: 1, n: 1, i }), 31, (a, b, c) => shift('asr', a, b === 0n ? 32n : b, c)],
];

const SHIFTS = [
  ['LSLS (register)', 'lsl'],
  ['LSRS (register)', 'lsr'],
  ['ASRS (register)', 'asr'],
  ['RORS', 'ror'],
] as const;

const EDGES = [0n, 1n, 0x7fffffffn, 0x80000000n, 0xffffffffn];
const AMOUNTS = [0n, 1n, 2n, 31n, 32n, 33n, 64n, 255n, 256n, 0xffffff21n];

function expected(model: Model, a: bigint, b: bigint, flagsIn: number): Outcome {
  const { value, c, v, noResult } = model(a, b, BigInt((flagsIn >> 1) & 1));
  const n = (value & SIGN) !== 0n ? 8 : 0;
  const z = value === 0n ? 4 : 0;
  const carry = c === undefined ? flagsIn & 2 : Number(c & 1n) * 2;
  const overflow = v === undefined ? flagsIn & 1 : Number(v);
  return { result: noResult === true ? undefined : value, flags: n | z | carry | overflow };
}

/** Runs one instruction with r1 = a, r2 = b and NZCV = flags; gives r1 and NZCV. */
function runner(halves: readonly number[]): (a: bigint, b: bigint, flags: number) => { r1: bigint; flags: number } {
  const machine = createMachine({ core: 'cortex-m0', code: { size: 64 }, ram: { size: 64 } });
  const data = Uint8Array.from([0x40, 0, 0, 0x20, 9, 0, 0, 0, ...halves.flatMap((h) => [h & 0xff, h >> 8])]);
  machine.loadImage({ format: 'bin', segments: [{ address: 0, data }], symbols: [], lines: [] });
  machine.reset('power-on');
  return (a, b, flags) => {
    machine.setRegister(15, 8);
    machine.setRegister(1, Number(signed(a)));
    machine.setRegister(2, Number(signed(b)));
    machine.setRegister(16, flags << 28);
    expect(machine.step().instructions).toBe(1);
    const { r, xpsr } = machine.registers();
    return { r1: BigInt(r[1]), flags: xpsr >>> 28 };
  };
}

function check(halves: readonly number[], model: Model, as: readonly bigint[], bs: readonly bigint[], given?: bigint): string[] {
  const run = runner(halves);
  const wrong: string[] = [];
  for (const a of as) {
    for (const b of bs) {
      for (let flags = 0; flags < 16; flags++) {
        const want = expected(model, a, given ?? b, flags);
        const got = run(a, b, flags);
        const result = want.result ?? a;
        if (got.r1 !== result || got.flags !== want.flags) {
          wrong.push(`a ${a.toString(16)} b ${b.toString(16)} flags ${flags}: ${got.r1.toString(16)}/${got.flags}, expected ${result.toString(16)}/${want.flags}`);
        }
      }
    }
  }
  return wrong;
}

describe('results and flags at the operand edges, all 16 flag states before', () => {
  it.each(REGISTER)('%s', (name, operands, model) => {
    expect(check(encode(name, operands), model, EDGES, EDGES)).toEqual([]);
  });

  it.each(IMMEDIATE)('%s, every immediate', (name, operands, last, model) => {
    for (let i = 0; i <= last; i++) {
      if (name === 'LSLS (immediate)' && i === 0) continue; // MOVS (register)
      expect(check(encode(name, operands(i)), model, EDGES, [0n], BigInt(i))).toEqual([]);
    }
  });

  it.each(SHIFTS)('%s by 0, 1, 2, 31, 32, 33, 64, 255 and amounts of which the low byte counts', (name, kind) => {
    const model: Model = (a, b, c) => shift(kind, a, b & 255n, c);
    expect(check(encode(name, { d: 1, m: 2 }), model, [...EDGES, 0x12345678n], AMOUNTS)).toEqual([]);
  });

  it.each([
    ['SXTB', (b: bigint) => BigInt.asUintN(32, BigInt.asIntN(8, b))],
    ['SXTH', (b: bigint) => BigInt.asUintN(32, BigInt.asIntN(16, b))],
    ['UXTB', (b: bigint) => b & 0xffn],
    ['UXTH', (b: bigint) => b & 0xffffn],
    ['REV', (b: bigint) => ((b & 0xffn) << 24n) | ((b & 0xff00n) << 8n) | ((b >> 8n) & 0xff00n) | (b >> 24n)],
    ['REV16', (b: bigint) => ((b & 0xff00ffn) << 8n) | ((b >> 8n) & 0xff00ffn)],
    ['REVSH', (b: bigint) => BigInt.asUintN(32, BigInt.asIntN(16, ((b & 0xffn) << 8n) | ((b >> 8n) & 0xffn)))],
  ] as const)('%s leaves the flags alone', (name, model) => {
    const run = runner(encode(name, { d: 1, m: 2 }));
    for (const b of [...EDGES, 0x12345678n, 0x8090a0b0n, 0x80n, 0x7fn, 0x8000n]) {
      for (let flags = 0; flags < 16; flags++) expect(run(5n, b, flags)).toEqual({ r1: model(b), flags });
    }
  });

  it('every condition follows its flags', () => {
    const holds: readonly ((n: boolean, z: boolean, c: boolean, v: boolean) => boolean)[] = [
      (_n, z) => z, (_n, z) => !z, (_n, _z, c) => c, (_n, _z, c) => !c, (n) => n, (n) => !n, (_n, _z, _c, v) => v, (_n, _z, _c, v) => !v,
      (_n, z, c) => c && !z, (_n, z, c) => !c || z, (n, _z, _c, v) => n === v, (n, _z, _c, v) => n !== v, (n, z, _c, v) => !z && n === v, (n, z, _c, v) => z || n !== v,
    ];
    holds.forEach((condition, cond) => {
      const machine = createMachine({ core: 'cortex-m0', code: { size: 64 }, ram: { size: 64 } });
      const data = Uint8Array.from([0x40, 0, 0, 0x20, 9, 0, 0, 0, 4, 0xd0 | cond]);
      machine.loadImage({ format: 'bin', segments: [{ address: 0, data }], symbols: [], lines: [] });
      machine.reset('power-on');
      for (let flags = 0; flags < 16; flags++) {
        machine.setRegister(15, 8);
        machine.setRegister(16, flags << 28);
        const start = machine.cycle;
        machine.step();
        const taken = condition((flags & 8) !== 0, (flags & 4) !== 0, (flags & 2) !== 0, (flags & 1) !== 0);
        expect([cond, flags, machine.pc, machine.cycle - start]).toEqual([cond, flags, taken ? 20 : 10, taken ? 3 : 1]);
      }
    });
  });
});
