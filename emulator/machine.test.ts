import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { EmulatorError } from './errors.js';
import { loadElf } from './image/elf.js';
import { createMachine, type Machine, type MachineConfig } from './machine.js';
import { assemble, vectors } from './testing/program.js';
import type { Device } from './types.js';

const elf = (name: string): Machine => {
  const machine = createMachine({ core: 'cortex-m0', code: { size: 0x40000 }, ram: { size: 0x4000 } });
  machine.loadImage(loadElf(new Uint8Array(readFileSync(fileURLToPath(new URL(`testing/images/${name}`, import.meta.url))))));
  machine.reset('power-on');
  return machine;
};

function boot(source: string, config: Partial<MachineConfig> = {}): { machine: Machine; at: (label: string) => number } {
  const program = assemble(`${vectors(0x20000400, { 1: 'reset', 3: 'hard' })}\n${source}\nhard: | bkpt 0x00ff`);
  const machine = createMachine({ core: 'cortex-m0', code: { size: 0x1000 }, ram: { size: 0x400 }, ...config });
  machine.loadImage(program.image);
  machine.reset('power-on');
  return { machine, at: (label) => program.labels.get(label) ?? -1 };
}

const state = (machine: Machine): unknown => [machine.registers(), machine.cycle, machine.instructions, machine.peek(0x20000000, 0x400)];

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof EmulatorError) return error.code;
    throw error;
  }
  return 'none';
}

describe('running images', () => {
  it.each([
    // Results checked on QEMU's micro:bit; cycles are the M0 table's.
    ['crypto.elf', 0x71ed315c, 295_435, 430_009],
    ['branchy.elf', 0x7cdb8f56, 1_691_208, 2_444_205],
  ])('%s ends at its BKPT with its checksum', (name, r0, instructions, cycle) => {
    const machine = elf(name);
    expect(machine.run()).toMatchObject({ reason: 'bkpt', instructions, cycle });
    expect(machine.registers().r[0]).toBe(r0);
    expect(machine.violations).toEqual([]);
  });

  it('is the same whatever the pieces a run is cut into', () => {
    const whole = elf('crypto.elf');
    whole.run({ until: 200_000 });
    const pieces = elf('crypto.elf');
    for (let until = 0, k = 1; until < 200_000; k = (k * 7) % 1009) {
      until = Math.min(200_000, until + k);
      pieces.run({ until });
    }
    expect(state(pieces)).toEqual(state(whole));
  });

  it('with the trace hook sees each instruction and changes nothing', () => {
    const plain = elf('crypto.elf');
    plain.run({ until: 20_000 });
    const traced = elf('crypto.elf');
    let seen = 0;
    traced.trace = () => { seen++; };
    traced.run({ until: 20_000 });
    expect(state(traced)).toEqual(state(plain));
    expect(seen).toBe(traced.instructions);
  });

  it('goes back to a snapshot, also a cloned one, and repeats itself', () => {
    const machine = elf('branchy.elf');
    machine.run({ until: 100_000 });
    const snapshot = structuredClone(machine.snapshot());
    machine.run({ until: 300_000 });
    const end = state(machine);
    machine.restore(snapshot);
    expect(machine.cycle).toBe(snapshot.scalars.end - snapshot.scalars.left);
    machine.run({ until: 300_000 });
    expect(state(machine)).toEqual(end);
    const other = elf('branchy.elf');
    other.restore(snapshot);
    other.run({ until: 300_000 });
    expect(state(other)).toEqual(end);
  });
});

describe('wait states', () => {
  it('cost one wait for each word fetched and each word of data read from code', () => {
    const source = 'reset: | ldr r0, =5 | nop | nop | nop | nop | nop | bkpt 0x0000';
    const run = (waitStates: number): number => boot(source, { code: { size: 0x1000, waitStates } }).machine.run().cycle;
    // reset is at a word plus 2 (behind the UDF): the fetched words are nop nop, nop nop, nop bkpt, and the literal.
    expect(run(1) - run(0)).toBe(4);
    expect(run(3) - run(0)).toBe(12);
  });
});

describe('code in RAM', () => {
  it('is decoded again when it is written, by STR, STRH and STM', () => {
    const { machine } = boot(`reset: | ldr r7, =0x20000100 | ldr r0, =0x47702101 | str r0, [r7, #0] | adds r7, #1 | blx r7 | movs r4, r1
    ldr r0, =0x2102 | subs r7, #1 | strh r0, [r7, #0] | adds r7, #1 | blx r7 | movs r5, r1
    ldr r0, =0x47702103 | subs r7, #1 | mov r6, r7 | stmia r6!, {r0} | adds r7, #1 | blx r7 | bkpt 0x0000`);
    expect(machine.run().reason).toBe('bkpt');
    const { r } = machine.registers();
    expect([r[4], r[5], r[1]]).toEqual([1, 2, 3]);
  });

  it('is decoded again after restore and poke', () => {
    const { machine } = boot('reset: | ldr r0, =0x20000101 | ldr r1, =0x2f002101 | subs r2, r0, #1 | str r1, [r2, #0] | bx r0');
    machine.poke(0x20000102, Uint8Array.of(0x00, 0xbe));
    machine.run({ until: 4 });
    const snapshot = machine.snapshot();
    machine.poke(0x20000102, Uint8Array.of(0x00, 0xbe));
    machine.run({ until: 100 });
    machine.restore(snapshot);
    machine.run({ until: 8 });
    machine.poke(0x20000100, Uint8Array.of(7, 0x21, 0, 0xbe));
    expect(machine.run({ until: 1000 }).reason).toBe('bkpt');
    expect(machine.registers().r[1]).toBe(7);
  });
});

describe('the stack', () => {
  const source = `reset: | push {r0, r1} | push {r2} | pop {r2} | push {r2} | sub sp, #64 | add sp, #64 | push {r0} | pop {r0, r1, r2, r3} | bkpt 0x0000`;

  it('leaves a low-water mark', () => {
    const { machine } = boot(source);
    expect(machine.stackLowWater).toBe(0x20000400);
    machine.run();
    expect(machine.stackLowWater).toBe(0x20000400 - 12 - 64);
  });

  it('below STACK_LIMIT is a violation once per depth, and the run goes on', () => {
    const { machine } = boot(source);
    machine.setStackLimit(0x200003f8);
    expect(machine.run().reason).toBe('bkpt');
    expect(machine.violations.map((v) => [v.code, v.address])).toEqual([
      ['STACK_LIMIT', 0x200003f4],
      ['STACK_LIMIT', 0x200003b4],
    ]);
    const again = boot(source).machine;
    again.run({ until: 40 });
    again.setStackLimit(0x20000300);
    again.run();
    expect(again.violations).toEqual([]);
  });
});

describe('breakpoints and stops', () => {
  const loop = 'reset: | movs r0, #0 | loop: | adds r0, #1 | cmp r0, #3 | bne loop | bkpt 0x0000';

  it('stop before the instruction, each time round, and go on from there', () => {
    const { machine, at } = boot(loop);
    machine.addBreakpoint(at('loop') + 1);
    const seen = [1, 2, 3].map(() => [machine.run().reason, machine.pc, machine.registers().r[0]]);
    expect(seen).toEqual([0, 1, 2].map((n) => ['stop-at', at('loop'), n]));
    machine.removeBreakpoint(at('loop'));
    machine.removeBreakpoint(0x500);
    expect(machine.run()).toMatchObject({ reason: 'bkpt', cycle: 1 + 3 * 2 + 2 * 3 + 1 + 1 });
    expect(codeOf(() => { machine.addBreakpoint(0x40000000); })).toBe('MACHINE_ADDRESS');
  });

  it('work with the trace hook too', () => {
    const { machine, at } = boot(loop);
    machine.trace = () => undefined;
    machine.addBreakpoint(at('loop'));
    expect([1, 2, 3].map(() => machine.run().reason)).toEqual(['stop-at', 'stop-at', 'stop-at']);
    expect(machine.run().reason).toBe('bkpt');
  });

  it('SYSRESETREQ stops the run, with the key only', () => {
    const { machine } = boot('reset: | ldr r0, =0xe000ed0c | ldr r1, =0x00000004 | str r1, [r0, #0] | ldr r1, =0x05fa0004 | str r1, [r0, #0] | nop | bkpt 0x0000');
    expect(machine.run()).toMatchObject({ reason: 'reset-request', instructions: 5 });
    machine.poke(0x20000000, Uint8Array.of(0xaa));
    const { cycle } = machine;
    machine.reset('software');
    expect([machine.cycle, machine.peek(0x20000000, 1)]).toEqual([cycle, Uint8Array.of(0xaa)]);
    machine.reset('power-on');
    expect([machine.cycle, machine.instructions]).toEqual([0, 0]);
    expect(machine.peek(0x20000000, 1)).not.toEqual(Uint8Array.of(0xaa));
  });
});

describe('memory and devices', () => {
  function recorder(log: string[]): Device {
    let due = Infinity;
    return {
      name: 'recorder',
      base: 0x40000000,
      size: 0x100,
      read: (offset, size, now) => { log.push(`read ${offset} ${size} at ${now}`); return 0x80; },
      write: (offset, size, value, now) => { log.push(`write ${offset} ${size} ${value} at ${now}`); if (offset === 8) due = now + value; },
      nextEvent: () => due,
      onEvent: (now) => { log.push(`event at ${now}`); due = Infinity; },
      reset: (kind) => { log.push(`reset ${kind}`); },
      snapshot: () => due,
      restore: (x) => { due = x as number; },
    };
  }

  it('accesses carry the cycle at which their instruction starts; events come before any instruction at or after them', () => {
    const log: string[] = [];
    const { machine } = boot(
      `reset: | ldr r0, =0x40000000 | movs r1, #5 | strb r1, [r0, #1] | ldrb r2, [r0, #3] | ldr r4, =0x40000005 | movs r6, #0 | ldrsb r3, [r0, r6]
      nop | bkpt 0x0000`,
      { devices: [recorder(log)] },
    );
    machine.run();
    expect(log).toEqual(['reset power-on', 'write 1 1 5 at 3', 'read 3 1 at 5', 'read 0 1 at 10']);
    expect(machine.registers().r[3]).toBe(0xffffff80);
  });

  it('an event set by a store cuts the running slice', () => {
    const log: string[] = [];
    const source = 'reset: | ldr r0, =0x40000000 | movs r1, #4 | str r1, [r0, #8] | nop | nop | nop | str r1, [r0, #0] | bkpt 0x0000';
    const { machine } = boot(source, { devices: [(host) => {
      const device = recorder(log);
      return { ...device, write: (o, s, v, now) => { device.write(o, s, v, now); host.reschedule(); } };
    }] });
    machine.run();
    expect(log).toEqual(['reset power-on', 'write 8 4 4 at 3', 'event at 7', 'write 0 4 4 at 8']);
  });

  it('reads regions at any width, through a hook while it is set; writing there is a fault', () => {
    const region = { name: 'eeprom', base: 0x10000000, bytes: Uint8Array.of(1, 2, 3, 0x84, 5, 6, 7, 8), onRead: undefined as ((o: number, s: number) => number | undefined) | undefined };
    const source = 'reset: | ldr r0, =0x10000000 | ldr r1, [r0, #0] | ldrh r2, [r0, #6] | ldrb r3, [r0, #3] | ldmia r0!, {r4, r5} | ldr r6, =0x10000000 | str r6, [r6, #0]';
    const { machine } = boot(source, { regions: [region] });
    expect(machine.run().reason).toBe('bkpt');
    expect(machine.violations.map((v) => v.code)).toEqual(['READ_ONLY_WRITE']);
    const { r } = machine.registers();
    expect([word(machine, 4)[0], r[4], r[5]]).toEqual([0x84030201, 0x84030201, 0x08070605]);
    region.onRead = (offset, size) => (size === 4 && offset === 0 ? 0x55 : undefined);
    machine.reset('power-on');
    machine.run();
    expect(machine.registers().r.slice(4, 6)).toEqual([0x55, 0x08070605]);
    expect(machine.peek(0x10000000, 2)).toEqual(Uint8Array.of(1, 2));
    expect(machine.peek(0x40000000, 1)).toBeUndefined();
    expect(machine.poke(0x10000000, Uint8Array.of(9))).toBe(false);
  });

  /** Stacked r1 of the fault frame. */
  function word(machine: Machine, index: number): Uint32Array {
    const frame = machine.registers().r[13];
    return new Uint32Array((machine.peek(frame + index, 4) ?? new Uint8Array(4)).buffer);
  }

  it('a device whose event never passes is an error, not a hang', () => {
    const stuck: Device = { ...recorder([]), nextEvent: () => 5, onEvent: () => undefined };
    expect(codeOf(() => boot('reset: | b reset', { devices: [stuck] }).machine.run({ until: 100 }))).toBe('MACHINE_STATE');
  });

  it('refuses sizes that cannot be', () => {
    const make = (config: Partial<MachineConfig>) => () => createMachine({ core: 'cortex-m0', code: { size: 16 }, ram: { size: 16 }, ...config });
    expect(codeOf(make({ code: { size: 18 } }))).toBe('MACHINE_CONFIG');
    expect(codeOf(make({ ram: { size: 0 } }))).toBe('MACHINE_CONFIG');
    expect(codeOf(make({ regions: [{ name: 'x', base: 0, bytes: new Uint8Array(7) }] }))).toBe('MACHINE_CONFIG');
    expect(codeOf(make({ regions: [{ name: 'x', base: 0, bytes: new Uint8Array(12).subarray(2, 6) }] }))).toBe('MACHINE_CONFIG');
  });
});
