import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encode } from '../testing/asm.js';
import { disassemble } from './disassemble.js';
import { KIND } from './kinds.js';
import { INSTRUCTIONS, findInstruction, isWide, matches, operand } from './table.js';

const hex = (half: number): string => half.toString(16).padStart(4, '0');

describe('the instruction table', () => {
  it('gives each halfword to exactly one 16-bit row, or to none, and never to one and a 32-bit prefix', () => {
    const narrow = INSTRUCTIONS.filter((x) => x.halves === 1);
    const wrong: string[] = [];
    for (let half = 0; half < 65536; half++) {
      const rows = narrow.filter((x) => (half & x.mask) === x.value && matches(x, half, 0));
      const expected = isWide(half) ? 0 : 1;
      if (rows.length > expected || findInstruction(half, 0)?.name !== (rows[0] ?? findInstruction(half, 0))?.name) wrong.push(hex(half));
    }
    expect(wrong).toEqual([]);
  });

  it('knows which 16-bit encodings ARMv6-M does not have', () => {
    const groups = new Map<string, number>();
    for (let half = 0; half < 0xe800; half++) {
      if (findInstruction(half, 0) !== undefined) continue;
      const key = hex(half & 0xff00);
      groups.set(key, (groups.get(key) ?? 0) + 1);
    }
    expect(Object.fromEntries(groups)).toEqual({
      4400: 1, // ADD pc, pc
      4500: 64 + 16 + 16 - 1, // CMP of two low registers; with the PC
      4700: 2 * (16 * 7 + 1), // BX, BLX with bits 2-0 set; of the PC
      b100: 256, // CBZ
      b300: 256, // CBZ
      b400: 1, // PUSH {}
      b600: 256 - 2, // all but CPS
      b700: 256,
      b800: 256,
      b900: 256, // CBNZ
      ba00: 64, // HLT of later architectures
      bb00: 256, // CBNZ
      bc00: 1, // POP {}
      bf00: 256 - 16, // IT
      ...Object.fromEntries(['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8', 'c9', 'ca', 'cb', 'cc', 'cd', 'ce', 'cf'].map((x) => [`${x}00`, 1])),
    });
  });

  it('has no 32-bit instruction but BL, MRS, MSR, the barriers and UDF', () => {
    const names = new Set<string>();
    for (let half1 = 0xe800; half1 < 0x10000; half1++) {
      for (const half2 of [0x0000, 0x8000, 0x8800, 0x8f4f, 0x8f5f, 0x8f6f, 0xa000, 0xd000, 0xf800, 0xf0f1]) {
        const found = findInstruction(half1, half2);
        if (found !== undefined) names.add(found.name);
      }
    }
    expect([...names].sort()).toEqual(['BL', 'DMB', 'DSB', 'ISB', 'MRS', 'MSR', 'UDF (32 bit)']);
  });

  it.each([
    ['IT', 0xbf08, 0],
    ['CBZ', 0xb100, 0],
    ['CBNZ', 0xb900, 0],
    ['MOVW', 0xf240, 0x0000],
    ['UDIV', 0xfbb0, 0xf0f0],
    ['SDIV', 0xfb90, 0xf0f0],
    ['B.W', 0xf000, 0xb800],
    ['LDR.W', 0xf8d0, 0x1000],
    ['CPS with F', 0xb671, 0],
  ])('does not know %s', (_, half1, half2) => {
    expect(findInstruction(half1, half2)).toBeUndefined();
  });

  it('places every operand where the pattern says: encoding and decoding agree', () => {
    for (const instruction of INSTRUCTIONS) {
      for (const [letter, parts] of Object.entries(instruction.fields)) {
        const width = parts.reduce((sum, part) => sum + part.width, 0);
        const value = 2 ** width - 1;
        const [half1, half2 = 0] = encode(instruction.name, { [letter]: value });
        expect([instruction.name, letter, operand(instruction, letter, half1, half2)]).toEqual([instruction.name, letter, value]);
      }
    }
  });

  it('has unique names, patterns of whole halfwords and a dispatch number for each kind', () => {
    expect(new Set(INSTRUCTIONS.map((x) => x.name)).size).toBe(INSTRUCTIONS.length);
    for (const x of INSTRUCTIONS) {
      const bits = Object.values(x.fields).flat();
      const free = (half: 0 | 1): number => bits.filter((p) => p.half === half).reduce((m, p) => m | (((1 << p.width) - 1) << p.lsb), 0);
      expect([x.name, x.mask | free(0), x.mask & free(0)]).toEqual([x.name, 0xffff, 0]);
      if (x.halves === 2) expect([x.name, x.mask2 | free(1), x.mask2 & free(1)]).toEqual([x.name, 0xffff, 0]);
      expect(KIND[x.kind]).toBeGreaterThan(0);
    }
  });
});

describe('the interpreter', () => {
  const source = readFileSync(fileURLToPath(new URL('interpreter.ts', import.meta.url)), 'utf8');

  it('numbers its cases as KIND does', () => {
    const cases = [...source.matchAll(/case (\d+): \{? ?\/\/ (\w+)/g)].map(([, number, name]) => [name, Number(number)]);
    expect(cases.length).toBeGreaterThan(80);
    for (const [name, number] of cases) expect([name, number]).toEqual([name, KIND[name as keyof typeof KIND]]);
    const results = [...source.matchAll(/result = (\d+);/g)].map((m) => Number(m[1]));
    expect(new Set(results)).toEqual(new Set([KIND.STRADDLE, KIND.BX, KIND.STACK, KIND.CODE_WRITTEN]));
  });
});

const OBJDUMP = 'arm-none-eabi-objdump';
const missing = spawnSync(OBJDUMP, ['--version']).status === 0 ? '' : ` (skipped: ${OBJDUMP} is not installed; run bash .ci/system-packages)`;

/** Text of `halves` from address 0 on as objdump prints it, by address. */
function objdump(folder: string, halves: readonly number[]): Map<number, string> {
  const file = join(folder, 'code.bin');
  writeFileSync(file, Uint8Array.from(halves.flatMap((h) => [h & 0xff, h >> 8])));
  const args = ['-D', '-b', 'binary', '-m', 'arm', '-M', 'force-thumb', '-z', file];
  const { stdout } = spawnSync(OBJDUMP, args, { encoding: 'utf8', maxBuffer: 1 << 28, timeout: 60_000 });
  const lines = [...stdout.matchAll(/^\s*([0-9a-f]+):\t[0-9a-f ]+\t(.*)$/gm)];
  return new Map(lines.map(([, at, text]) => [Number.parseInt(at, 16), normal(text)]));
}

/** Takes off what is comment and alias: `; ...`, `<...>`, tabs. */
function normal(text: string): string {
  return text.replace(/\s*;.*$/, '').replace(/\s*@.*$/, '').replace(/\s*<.*>/, '').replace(/\s+/g, ' ').trim();
}

describe.skipIf(missing !== '')(`disassembly against objdump${missing}`, () => {
  let folder = '';
  beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'objdump-')); });
  afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

  it('agrees on every 16-bit encoding that ARMv6-M has', () => {
    const known = Array.from({ length: 0xe800 }, (_, half) => half).filter((half) => findInstruction(half, 0) !== undefined);
    const texts = objdump(folder, known);
    const wrong = known.flatMap((half, k) => {
      const ours = normal(disassemble(half, 0, 2 * k).text);
      const theirs = texts.get(2 * k);
      return ours === theirs ? [] : [`${hex(half)}: ${ours} | ${theirs}`];
    });
    // objdump's alias for the old NOP, and a name of a later architecture for a hint that is a NOP here.
    expect(wrong).toEqual(['46c0: mov r8, r8 | nop', 'bf50: nop {5} | sevl']);
  }, 60_000);

  it('agrees on BL, MRS, MSR and the barriers', () => {
    const pairs = [
      [0xf000, 0xf800], [0xf7ff, 0xfffe], [0xf000, 0xd000], [0xf400, 0xf801], [0xf3ef, 0x8005], [0xf3ef, 0x8308], [0xf3ef, 0x8710],
      [0xf3ef, 0x8214], [0xf3ef, 0x8100], [0xf381, 0x8808], [0xf380, 0x8814], [0xf382, 0x8810], [0xf383, 0x8809], [0xf3bf, 0x8f4f], [0xf3bf, 0x8f5f], [0xf3bf, 0x8f6f],
    ];
    const texts = objdump(folder, pairs.flat());
    const ours = pairs.map(([a, b], k) => normal(disassemble(a, b, 4 * k).text));
    // objdump calls the APSR by its name on larger cores.
    expect(ours).toEqual(pairs.map((_, k) => texts.get(4 * k)?.replace('CPSR', 'APSR')));
  });
});
