import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createMachine } from '../../emulator/index.js';
import { compare, lockstep } from './lockstep.js';
import { hasQemu } from './qemu.js';

const image = (name: string): string => fileURLToPath(new URL(`../../emulator/testing/images/${name}`, import.meta.url));
const missing = hasQemu() ? '' : ' (skipped: qemu-system-arm is not installed; run bash .ci/system-packages)';

describe.skipIf(missing !== '')(`lockstep with QEMU${missing}`, () => {
  it.each([
    ['crypto-speed.elf', 160_000],
    ['branchy-speed.elf', 160_000],
  ])('%s: the same registers and flags before each of %i instructions', async (name, count) => {
    const result = await lockstep(image(name), count);
    expect(result).toEqual({ compared: count, difference: undefined });
  }, 120_000);
});

describe('the comparison itself', () => {
  it('names each register that differs', () => {
    const machine = createMachine({ core: 'cortex-m0', code: { size: 16 }, ram: { size: 16 } });
    const { r, xpsr } = machine.registers();
    expect(compare(machine, { r, xpsr })).toEqual([]);
    const other = r.map((value, k) => (k === 3 ? 0x12 : value));
    expect(compare(machine, { r: other, xpsr: 0x61000000 })).toEqual(['r3 00000000, QEMU 00000012', 'xpsr 01000000, QEMU 61000000']);
  });
});
