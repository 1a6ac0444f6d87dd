import { describe, expect, it } from 'vitest';
import { flipRam, flipRegister, skipInstruction, XPSR_INDEX } from './inject.js';
import { createMachine, type Machine } from './machine.js';
import { assemble, vectors } from './testing/program.js';

const PROGRAM = `${vectors(0x20000400, { 1: 'reset', 3: 'hard' })}
reset: | movs r0, #1
 adds r0, #2
 adds r0, #4
 adds r0, #8
 wfi
hard: | bkpt 0x00ff`;

/** A machine that has executed so many instructions of one cycle each. */
function after(cycles: number): Machine {
  const machine = createMachine({ core: 'cortex-m0', code: { size: 0x1000 }, ram: { size: 0x400 } });
  machine.loadImage(assemble(PROGRAM).image);
  machine.reset('power-on');
  machine.run({ until: machine.cycle + cycles });
  return machine;
}

describe('flipped bits', () => {
  it('of a register show in what follows', () => {
    const machine = after(1);
    const { cycle, pc } = machine;
    expect(flipRegister(machine, 0, 8)).toEqual({ cycle, pc, before: 1, after: 0x101 });
    machine.run({ until: cycle + 3 });
    expect(machine.registers().r[0]).toBe(0x10f);
  });

  it.each([[13, 5], [14, 31], [15, 4], [XPSR_INDEX, 30]])('of register %i differ before and after', (index, bit) => {
    const machine = after(1);
    const { before, after: now } = flipRegister(machine, index, bit);
    expect((before ^ now) >>> 0).toBe((1 << bit) >>> 0);
  });

  it.each([[13, 0], [15, 0], [XPSR_INDEX, 3]])('are no flips where the hardware keeps the bit: register %i bit %i', (index, bit) => {
    const { before, after: now } = flipRegister(after(1), index, bit);
    expect(now).toBe(before);
  });

  it('of RAM are written, and nowhere else', () => {
    const machine = after(1);
    const [old] = machine.peek(0x20000010, 1) ?? [];
    expect(flipRam(machine, 0x20000010, 7)).toMatchObject({ before: old, after: old ^ 0x80 });
    expect(machine.peek(0x20000010, 1)?.[0]).toBe(old ^ 0x80);
    expect(flipRam(machine, 0x20000400, 0)).toBeUndefined();
    expect(flipRam(machine, 0x10, 0)).toBeUndefined();
  });
});

describe('skipped instructions', () => {
  it('cost their cycles and have no effect', () => {
    const machine = after(2);
    const { cycle, pc } = machine;
    expect(skipInstruction(machine)).toEqual({ cycle, pc, text: 'adds r0, #4', cycles: 1 });
    expect([machine.cycle, machine.pc]).toEqual([cycle + 1, pc + 2]);
    machine.run({ until: cycle + 2 });
    expect([machine.registers().r[0], machine.cycle]).toEqual([11, cycle + 2]);
  });

  it('need a core that executes', () => {
    const machine = after(20);
    expect(machine.sleeping).toBe(true);
    const { cycle, pc } = machine;
    expect(skipInstruction(machine)).toBeUndefined();
    expect([machine.cycle, machine.pc]).toEqual([cycle, pc]);
    machine.setRegister(15, 0x40000000);
    expect(skipInstruction(machine)).toBeUndefined();
  });
});
