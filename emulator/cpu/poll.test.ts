import { describe, expect, it } from 'vitest';
import { createMachine, type Machine } from '../machine.js';
import { assemble, vectors } from '../testing/program.js';
import type { Cycles, Device } from '../types.js';

/** A status register that turns from 1 to 3 at `middle` (no event) and to 0 at `end` (an event); counts its reads. */
function busy(stable: boolean, middle: Cycles, end: Cycles): { device: Device; reads: () => number } {
  let reads = 0;
  let due: Cycles = end;
  let value = 1;
  const device: Device = {
    name: 'busy',
    base: 0x40000000,
    size: 0x100,
    read: (_offset, _size, now) => { reads++; return value === 1 && now >= middle ? 3 : value; },
    write: () => undefined,
    nextEvent: () => due,
    onEvent: () => { value = 0; due = Infinity; },
    reset: () => { value = 1; due = end; },
    snapshot: () => undefined,
    restore: () => undefined,
    ...(stable ? { stableUntil: (_offset: number, now: Cycles) => (now < middle ? middle : Infinity) } : {}),
  };
  return { device, reads: () => reads };
}

const LOOPS = {
  'a plain wait': 'loop: | ldr r1, [r0, #0] | cmp r1, #0 | bne loop',
  'a wait on a bit by shifting': 'loop: | ldr r1, [r0, #0] | lsls r1, r1, #31 | bmi loop',
  'the load in the middle': 'loop: | movs r3, #5 | ldr r1, [r0, #0] | movs r4, #1 | tst r1, r4 | bne loop',
  'a counting wait': 'movs r2, #0 | loop: | adds r2, #1 | ldr r1, [r0, #0] | cmp r1, #0 | bne loop',
  'a wait that stores': 'ldr r5, =0x20000000 | loop: | str r1, [r5, #0] | ldr r1, [r0, #0] | cmp r1, #0 | bne loop',
  'a wait over a call': 'b loop | get: | ldr r1, [r0, #0] | bx lr | loop: | bl get | cmp r1, #0 | bne loop',
};

function run(body: string, stable: boolean, limits: readonly Cycles[]): { machine: Machine; reads: number; stops: unknown[] } {
  const program = assemble(`${vectors(0x20000400, { 1: 'reset' })}\nreset: | ldr r0, =0x40000000 | ${body} | bkpt 0x0000`);
  const { device, reads } = busy(stable, 40_003, 90_001);
  const machine = createMachine({ core: 'cortex-m0', code: { size: 0x1000 }, ram: { size: 0x400 }, devices: [device] });
  machine.loadImage(program.image);
  machine.reset('power-on');
  const stops = limits.map((until) => [machine.run({ until }), machine.registers()]);
  return { machine, reads: reads(), stops };
}

describe('skipping the turns of a polling loop', () => {
  it.each(Object.entries(LOOPS))('%s ends at the same cycle, instruction and registers as turn by turn', (_, body) => {
    const limits = [1000, 1001, 39_999, 40_002, 40_010, 70_000, Infinity];
    const skipped = run(body, true, limits);
    const plain = run(body, false, limits);
    expect(skipped.stops).toEqual(plain.stops);
    expect(skipped.machine.cycle).toBeGreaterThan(90_001);
    expect(skipped.machine.peek(0x20000000, 0x400)).toEqual(plain.machine.peek(0x20000000, 0x400));
  });

  it('takes a few reads where the loop only waits, and every turn where it counts or stores', () => {
    const reads = Object.values(LOOPS).map((body) => run(body, true, [Infinity]).reads);
    expect(reads.slice(0, 3).every((n) => n < 60)).toBe(true);
    expect(reads.slice(3, 5).every((n) => n > 5_000)).toBe(true);
  });
});
