import { describe, expect, it } from 'vitest';
import { createMachine, type Machine, type MachineConfig, type MachineHost } from '../machine.js';
import { assemble, vectors } from '../testing/program.js';
import type { Device } from '../types.js';

const SP = 0x20000400;

/** A device that raises and drops interrupt lines at given cycles, and drops one when 4*irq is written. */
function lines(host: MachineHost, plan: readonly (readonly [cycle: number, irq: number, level: boolean])[]): Device {
  let next = 0;
  return {
    name: 'lines',
    base: 0x40000000,
    size: 0x100,
    read: (offset) => offset,
    write: (offset) => { host.irq.set(offset >> 2, false); },
    nextEvent: () => plan[next]?.[0] ?? Infinity,
    onEvent: () => { host.irq.set(plan[next][1], plan[next++][2]); },
    reset: () => { next = 0; },
    snapshot: () => next,
    restore: (state) => { next = state as number; },
  };
}

interface Setup {
  readonly plan?: readonly (readonly [number, number, boolean])[];
  readonly config?: Partial<MachineConfig>;
}

function boot(source: string, setup: Setup = {}): { machine: Machine; at: (label: string) => number } {
  const program = assemble(source);
  const machine = createMachine({
    core: 'cortex-m0',
    code: { size: 0x1000 },
    ram: { size: 0x400, seed: 0 },
    devices: [(host) => lines(host, setup.plan ?? [])],
    ...setup.config,
  });
  machine.loadImage(program.image);
  machine.reset('power-on');
  return { machine, at: (label) => program.labels.get(label) ?? -1 };
}

const word = (machine: Machine, address: number): number => new DataView((machine.peek(address, 4) ?? new Uint8Array(4)).buffer).getUint32(0, true);

/** Cycle at which execution first reaches a label. */
function cycleAt(machine: Machine, address: number): number {
  machine.addBreakpoint(address);
  const { reason, cycle } = machine.run({ until: 100_000 });
  machine.removeBreakpoint(address);
  expect(reason).toBe('stop-at');
  return cycle;
}

/** Enables interrupts of `mask` with the priorities in `ipr0`, then runs on at `main`. */
const enable = (mask: number, ipr0 = 0): string => `
  ldr r0, =0xe000e100
  ldr r1, =${mask}
  ldr r2, =0xe000e400
  ldr r3, =${ipr0}
  str r3, [r2, #0]
  str r1, [r0, #0]`;

const LOG = `
  ; appends r0 to the log at 0x20000000; the fill level is in r7
  mov r1, r7 | str r0, [r1, #0] | adds r7, #4`;

describe('entry and return', () => {
  const source = `${vectors(SP, { 1: 'reset', 16: 'irq0' })}
  reset: | ${enable(1)}
  movs r4, #1
  main: | nop | nop | nop | nop | nop | nop | nop | nop | b main
  irq0: | ldr r0, =0x40000000 | str r0, [r0, #0] | bx lr`;

  it('takes 16 cycles from the end of the instruction in which the line rises, 15 on the Cortex-M0+', () => {
    for (const [core, latency] of [['cortex-m0', 16], ['cortex-m0plus', 15]] as const) {
      const { machine, at } = boot(source, { plan: [[60, 0, true]], config: { core } });
      const start = cycleAt(machine, at('irq0'));
      expect(start).toBe(60 + latency);
    }
  });

  it('stacks eight words with the double-word alignment bit, and puts everything back', () => {
    const { machine, at } = boot(source.replace('movs r4, #1', 'sub sp, #4'), { plan: [[60, 0, true]] });
    machine.run({ until: 59 });
    const before = machine.registers();
    expect(before.r[13] % 8).toBe(4);
    cycleAt(machine, at('irq0'));
    const inside = machine.registers();
    expect(inside.r[13]).toBe(before.r[13] - 4 - 0x20);
    expect(inside.r[14]).toBe(0xfffffff9);
    expect(inside.xpsr & 0x3f).toBe(16);
    expect([0, 1, 2, 3, 4].map((k) => word(machine, inside.r[13] + 4 * k))).toEqual([...before.r.slice(0, 4), before.r[12]]);
    expect(word(machine, inside.r[13] + 28) & (1 << 9)).not.toBe(0);
    const returnAddress = word(machine, inside.r[13] + 24);
    machine.addBreakpoint(returnAddress);
    expect(machine.run({ until: 1000 }).reason).toBe('stop-at');
    const after = machine.registers();
    expect([...after.r.slice(0, 15), after.xpsr]).toEqual([...before.r.slice(0, 15), before.xpsr]);
  });

  it('costs 10 cycles to return beside the BX', () => {
    const { machine, at } = boot(source, { plan: [[60, 0, true]] });
    const entry = cycleAt(machine, at('irq0'));
    while (machine.registers().xpsr & 0x3f) machine.step();
    expect(machine.cycle - entry).toBe(2 + 2 + 3 + 10);
  });
});

describe('priorities', () => {
  const source = `${vectors(SP, { 1: 'reset', 16: 'irq0', 17: 'irq1', 18: 'irq2' })}
  reset:
  ldr r7, =0x20000000 ${enable(7, 0x00408000 | 0)}
  main: | b main
  irq0: | push {r4, lr} | movs r0, #16 ${LOG} | ldr r2, =0x40000000 | str r0, [r2, #0]
  nop | nop | nop | nop | nop | nop | nop | nop | nop | nop | nop | nop | nop | nop | nop | nop | nop | nop | nop | nop
  movs r0, #17 ${LOG} | pop {r4, pc}
  irq1: | push {r4, lr} | movs r0, #32 ${LOG} | ldr r2, =0x40000000 | str r0, [r2, #4] | movs r0, #33 ${LOG} | pop {r4, pc}
  irq2: | push {r4, lr} | movs r0, #48 ${LOG} | ldr r2, =0x40000000 | str r0, [r2, #8] | movs r0, #49 ${LOG} | pop {r4, pc}`;
  const log = (machine: Machine): number[] => Array.from({ length: 6 }, (_, k) => word(machine, 0x20000000 + 4 * k));
  // IPR0 = 00 40 80 00 from the top: irq0 0x00, irq1 0x80, irq2 0x40.

  it('nests a more urgent interrupt and resumes the lesser one', () => {
    const nested = source.replace('=4227072', '=0x004000c0');
    const { machine } = boot(nested, { plan: [[100, 0, true], [135, 2, true]] });
    machine.run({ until: 400 });
    expect(log(machine)).toEqual([16, 48, 49, 17, 0, 0]);
  });

  it('lets a lesser or equal one wait and tail-chains it in 6 cycles, without unstacking', () => {
    const { machine, at } = boot(source, { plan: [[100, 0, true], [135, 1, true]] });
    const entry = cycleAt(machine, at('irq0'));
    const sp = machine.registers().r[13];
    const chained = cycleAt(machine, at('irq1'));
    expect(machine.registers().r[13]).toBe(sp);
    expect(machine.registers().r[14]).toBe(0xfffffff9);
    const push = 3, two = 2 * 1, store = 2;
    const logging = 1 + 1 + store + 1;
    expect(chained - entry).toBe(push + logging + two + store + 20 + logging + 6 + 6);
    machine.run({ until: 500 });
    expect(log(machine)).toEqual([16, 17, 32, 33, 0, 0]);
  });

  it('lets a more urgent one that arrives during stacking go first, the other tail-chains', () => {
    const { machine, at } = boot(source, { plan: [[100, 1, true], [108, 2, true]] });
    const first = cycleAt(machine, at('irq2'));
    expect(first).toBeLessThan(100 + 16 + 4);
    machine.run({ until: 500 });
    expect(log(machine)).toEqual([48, 49, 32, 33, 0, 0]);
    expect(machine.stackLowWater).toBe(SP - 0x20 - 8);
  });

  it('of equal priorities takes the lower number first', () => {
    const { machine } = boot(source.replace('=4227072', '=0'), { plan: [[100, 1, true], [100, 0, true]] });
    machine.run({ until: 500 });
    expect(log(machine).slice(0, 4)).toEqual([16, 17, 32, 33]);
  });

  it('pends again when the line is still high at return', () => {
    const stuck = source.replace('str r0, [r2, #4]', 'nop');
    const { machine } = boot(stuck, { plan: [[100, 1, true]] });
    machine.run({ until: 400 });
    expect(log(machine)).toEqual([32, 33, 32, 33, 32, 33]);
  });

  it('ISPR pends, ICPR and ICER hold back', () => {
    const soft = `${vectors(SP, { 1: 'reset', 16: 'irq0' })}
    reset: | movs r4, #0
    ldr r0, =0xe000e100 | ldr r1, =0xe000e200 | ldr r2, =0xe000e280 | ldr r3, =0xe000e180
    movs r5, #1
    str r5, [r1, #0] | str r5, [r2, #0] | str r5, [r0, #0]
    one: | str r5, [r1, #0]
    two: | str r5, [r3, #0] | str r5, [r1, #0]
    three: | ldr r6, [r1, #0] | ldr r7, [r0, #0] | bkpt 0x0000
    irq0: | adds r4, #1 | bx lr`;
    const { machine } = boot(soft);
    expect(machine.run().reason).toBe('bkpt');
    const { r } = machine.registers();
    expect([r[4], r[6], r[7]]).toEqual([1, 1, 0]);
  });
});

describe('PendSV, SVC, SysTick, NMI', () => {
  it('PendSV waits for the SVC that asked for it', () => {
    const { machine } = boot(`${vectors(SP, { 1: 'reset', 11: 'svc', 14: 'pendsv' })}
    reset: | ldr r7, =0x20000000
    ldr r0, =0xe000ed1c | ldr r1, =0x40000000 | str r1, [r0, #0] | ldr r0, =0xe000ed20 | ldr r1, =0x00c00000 | str r1, [r0, #0]
    svc 5 | movs r0, #3 ${LOG} | bkpt 0x0000
    svc: | ldr r0, =0xe000ed04 | ldr r1, =0x10000000 | str r1, [r0, #0] | movs r0, #1 ${LOG} | bx lr
    pendsv: | movs r0, #2 ${LOG} | bx lr`);
    expect(machine.run().reason).toBe('bkpt');
    expect([0, 4, 8].map((k) => word(machine, 0x20000000 + k))).toEqual([1, 2, 3]);
    expect(machine.violations).toEqual([]);
  });

  it('SVC returns behind itself and can read its number', () => {
    const { machine } = boot(`${vectors(SP, { 1: 'reset', 11: 'svc' })}
    reset: | svc 171 | bkpt 0x0000
    svc: | ldr r0, [sp, #24] | subs r0, #2 | ldrb r4, [r0, #0] | bx lr`);
    expect(machine.run().reason).toBe('bkpt');
    expect(machine.registers().r[4]).toBe(171);
  });

  it('SVC under PRIMASK is a HardFault whose frame points at the SVC', () => {
    const { machine, at } = boot(`${vectors(SP, { 1: 'reset', 3: 'hard', 11: 'unexpected' })}
    reset: | cpsid i
    here: | svc 0
    hard: | ldr r4, [sp, #24] | mrs r5, ipsr | bkpt 0x0000`);
    expect(machine.run().reason).toBe('bkpt');
    expect(machine.registers().r.slice(4, 6)).toEqual([at('here'), 3]);
    expect(machine.violations.map((v) => v.code)).toEqual(['SVC_ESCALATED']);
  });

  it('SysTick counts every cycle: RVR + 1 from zero to zero', () => {
    const { machine, at } = boot(`${vectors(SP, { 1: 'reset', 15: 'tick' })}
    reset: | ldr r0, =0xe000e010 | movs r1, #99 | str r1, [r0, #4] | str r1, [r0, #8] | movs r1, #7
    start: | str r1, [r0, #0]
    main: | nop | nop | nop | nop | nop | nop | nop | nop | b main
    tick: | bx lr`);
    const start = cycleAt(machine, at('start'));
    const ticks = Array.from({ length: 4 }, () => {
      const cycle = cycleAt(machine, at('tick'));
      machine.step();
      return cycle - start;
    });
    // Enabled at the store, loaded one cycle later, 0 after another 99; then the entry of 16 cycles after the instruction.
    ticks.forEach((t, k) => {
      const zero = 100 * (k + 1);
      expect(t).toBeGreaterThanOrEqual(zero + 16);
      expect(t).toBeLessThanOrEqual(zero + 16 + 2);
    });
  });

  it('SysTick reads back exactly and COUNTFLAG clears by reading', () => {
    const { machine } = boot(`${vectors(SP, { 1: 'reset' })}
    reset: | ldr r0, =0xe000e010 | movs r1, #50 | str r1, [r0, #4] | str r1, [r0, #8] | movs r1, #5 | str r1, [r0, #0]
    ldr r2, [r0, #8] | ldr r3, [r0, #8] | nop | ldr r4, [r0, #8]
    movs r5, #20
    wait: | subs r5, #1 | bne wait
    ldr r5, [r0, #0] | ldr r6, [r0, #0] | ldr r7, [r0, #12] | bkpt 0x0000`);
    expect(machine.run().reason).toBe('bkpt');
    const { r } = machine.registers();
    // Enabled at cycle 0 of the store: 2 cycles later the counter has been loaded with 50 and lost one.
    expect(r.slice(2, 5)).toEqual([49, 47, 44]);
    expect([r[5], r[6]]).toEqual([0x10005, 5]);
    expect(r[7]).toBe(0xc0000000);
  });

  it('NMI preempts even under PRIMASK', () => {
    const { machine } = boot(`${vectors(SP, { 1: 'reset', 2: 'nmi' })}
    reset: | cpsid i | ldr r0, =0xe000ed04 | ldr r1, =0x80000000 | str r1, [r0, #0] | bkpt 0x0000
    nmi: | mrs r4, ipsr | bx lr`);
    expect(machine.run().reason).toBe('bkpt');
    expect(machine.registers().r[4]).toBe(2);
  });
});

describe('faults', () => {
  const faulting = (body: string): string => `${vectors(SP, { 1: 'reset', 3: 'hard' })}
  reset: | ldr r0, =0x20000001 | ldr r1, =0x50000000 | ldr r2, =0x20000000
  here: | ${body} | bkpt 0x0001
  hard: | ldr r4, [sp, #24] | ldr r5, [sp, #28] | bkpt 0x0000`;

  it.each([
    ['an unaligned word load', 'ldr r3, [r0, #0]', 'UNALIGNED', 0x20000001],
    ['an unaligned halfword load', 'ldrh r3, [r0, #0]', 'UNALIGNED', 0x20000001],
    ['an unaligned store', 'str r3, [r0, #0]', 'UNALIGNED', 0x20000001],
    ['an unaligned LDM', 'ldmia r0!, {r3}', 'UNALIGNED', 0x20000001],
    ['a load from nowhere', 'ldr r3, [r1, #0]', 'UNMAPPED_READ', 0x50000000],
    ['a store to nowhere', 'strb r3, [r1, #0]', 'UNMAPPED_WRITE', 0x50000000],
    ['a store to code', 'movs r3, #0 | str r3, [r3, #4]', 'CODE_WRITE', 4],
    ['a byte access to the system control space', 'ldr r3, =0xe000ed04 | ldrb r3, [r3, #0]', 'SCS_WIDTH', 0xe000ed04],
    ['UDF', 'udf #1', 'UNDEFINED', undefined],
    ['IT', '.half 0xbf08', 'UNDEFINED', undefined],
    ['CBZ', '.half 0xb100', 'UNDEFINED', undefined],
    ['MOVW', '.wide 0xf240 0x0000', 'UNDEFINED', undefined],
    ['UDIV', '.wide 0xfbb0 0xf0f0', 'UNDEFINED', undefined],
    ['BX to an even address', 'bx r2', 'INVALID_STATE', 0x20000000],
    ['a branch into the void', 'mov r3, r1 | adds r3, #1 | bx r3', 'UNMAPPED_FETCH', 0x50000000],
    ['EXC_RETURN in Thread mode', 'movs r3, #6 | mvns r3, r3 | bx r3', 'UNMAPPED_FETCH', 0xfffffff8],
  ])('%s is a HardFault and a violation', (_, body, code, address) => {
    const { machine, at } = boot(faulting(body));
    const result = machine.run({ until: 10_000 });
    expect([result.reason, result.pc]).toEqual(['bkpt', at('hard') + 4]);
    expect(machine.violations.map((v) => v.code)).toEqual([code]);
    expect(machine.violations[0].address).toBe(address);
    const { r } = machine.registers();
    expect(r[4]).toBe(machine.violations[0].pc);
    expect((r[5] & (1 << 24)) === 0).toBe(code === 'INVALID_STATE');
  });

  it('a fault in HardFault locks up', () => {
    const { machine } = boot(`${vectors(SP, { 1: 'reset', 3: 'unexpected' })} | reset: | udf #0`);
    const result = machine.run({ until: 10_000 });
    expect(result.reason).toBe('lockup');
    expect(machine.violations.map((v) => v.code)).toEqual(['UNDEFINED', 'UNDEFINED', 'LOCKUP']);
    expect(machine.run({ until: 20_000 })).toMatchObject({ reason: 'lockup', instructions: 0 });
    machine.reset('warm');
    expect(machine.run({ until: 30_000 }).reason).toBe('lockup');
  });

  it('a stack outside RAM makes the exception frame fault, and HardFault then locks up', () => {
    const { machine } = boot(`${vectors(0x20000010, { 1: 'reset', 3: 'unexpected' })} | reset: | udf #0`);
    expect(machine.run({ until: 10_000 }).reason).toBe('lockup');
    expect(machine.violations.map((v) => v.code)).toEqual(['UNDEFINED', 'STACKING_FAULT', 'LOCKUP']);
  });

  it('a wrong EXC_RETURN in a handler is a HardFault', () => {
    const { machine } = boot(`${vectors(SP, { 1: 'reset', 3: 'hard', 11: 'svc' })}
    reset: | svc 0
    svc: | movs r0, #14 | mvns r0, r0 | bx r0
    hard: | bkpt 0x0000`);
    expect(machine.run({ until: 10_000 }).reason).toBe('bkpt');
    expect(machine.violations.map((v) => v.code)).toEqual(['EXC_RETURN']);
  });

  it('running off the end of code is a fetch fault', () => {
    const { machine } = boot(`${vectors(SP, { 1: 'reset', 3: 'hard' })} | reset: | ldr r0, =0xffd | bx r0 | hard: | bkpt 0x0000`);
    machine.poke(0xffc, Uint8Array.of(0, 0xbf, 0, 0xbf));
    expect(machine.run({ until: 10_000 }).reason).toBe('bkpt');
    expect(machine.violations.map((v) => [v.code, v.address])).toEqual([['UNMAPPED_FETCH', 0x1000]]);
  });

  it('SP keeps its two low bits zero', () => {
    const { machine } = boot(`${vectors(SP, { 1: 'reset' })} | reset: | ldr r0, =0x20000203 | mov sp, r0 | mov r1, sp | msr msp, r0 | mrs r2, msp | bkpt 0x0000`);
    expect(machine.run().reason).toBe('bkpt');
    expect(machine.registers().r.slice(1, 3)).toEqual([0x20000200, 0x20000200]);
  });
});

describe('stacks and privilege', () => {
  const source = `${vectors(SP, { 1: 'reset', 11: 'svc' })}
  reset: | ldr r0, =0x20000200 | msr psp, r0 | movs r0, #3 | msr control, r0 | isb | mrs r6, control
  movs r1, #17 | svc 0 | mrs r7, control | bkpt 0x0000
  svc: | mov r4, lr | mov r5, sp | mrs r2, psp | ldr r3, [r2, #4] | str r3, [r2, #0] | bx lr`;

  it('stacks on PSP in Thread mode, runs the handler on MSP, returns by FFFFFFFD', () => {
    const { machine } = boot(source);
    expect(machine.run().reason).toBe('bkpt');
    const { r, msp, psp } = machine.registers();
    expect([r[0], r[4], r[5]]).toEqual([17, 0xfffffffd, SP]);
    expect([msp, psp, r[13]]).toEqual([SP, 0x20000200, 0x20000200]);
  });

  it('CONTROL.nPRIV exists on the Cortex-M0+ only, and takes the system control space away', () => {
    const { machine } = boot(source);
    machine.run();
    expect(machine.registers().r.slice(6, 8)).toEqual([2, 2]);
    const unprivileged = `${vectors(SP, { 1: 'reset', 3: 'hard' })}
    reset: | movs r0, #1 | msr control, r0 | isb | cpsid i | mrs r6, primask | ldr r0, =0xe000e100 | ldr r1, [r0, #0]
    hard: | bkpt 0x0000`;
    const plus = boot(unprivileged, { config: { core: 'cortex-m0plus' } }).machine;
    expect(plus.run().reason).toBe('bkpt');
    expect(plus.violations.map((v) => v.code)).toEqual(['UNPRIVILEGED']);
    expect(plus.registers().primask).toBe(0);
  });
});

describe('sleep', () => {
  const wfi = `${vectors(SP, { 1: 'reset', 16: 'irq0' })}
  reset: | cpsid i ${enable(1)}
  sleep: | wfi
  awake: | movs r4, #1 | cpsie i
  after: | nop | bkpt 0x0000
  irq0: | movs r5, #1 | ldr r0, =0x40000000 | str r0, [r0, #0] | bx lr`;

  it('WFI wakes under PRIMASK at the very cycle and takes the interrupt when PRIMASK opens', () => {
    const { machine, at } = boot(wfi, { plan: [[50_000, 0, true]] });
    expect(cycleAt(machine, at('awake'))).toBe(50_000);
    expect(machine.registers().r[5]).toBe(0);
    expect(cycleAt(machine, at('irq0'))).toBe(50_000 + 1 + 1 + 16);
    expect(machine.run().reason).toBe('bkpt');
  });

  it('with nothing that could wake it the run ends, or the time passes', () => {
    const { machine } = boot(wfi);
    const asleep = machine.run({ until: 1_000_000 });
    expect(asleep.reason).toBe('sleep-forever');
    expect(machine.sleeping).toBe(true);
    expect(asleep.cycle).toBeLessThan(100);
    expect(machine.run({ until: 1_000_000, idle: 'advance' })).toMatchObject({ reason: 'limit', cycle: 1_000_000 });
  });

  it('a disabled interrupt does not wake WFI', () => {
    const { machine } = boot(wfi.replace('ldr r1, =1', 'ldr r1, =2'), { plan: [[500, 0, true]] });
    expect(machine.run({ until: 10_000 }).reason).toBe('sleep-forever');
  });

  it('WFE passes after SEV once, then sleeps; SEVONPEND wakes it by a disabled interrupt', () => {
    const source = (scr: number): string => `${vectors(SP, { 1: 'reset' })}
    reset: | ldr r0, =0xe000ed10 | movs r1, #${scr} | str r1, [r0, #0]
    sev | wfe
    one: | wfe
    two: | bkpt 0x0000`;
    const asleep = boot(source(0), { plan: [[700, 3, true]] });
    cycleAt(asleep.machine, asleep.at('one'));
    expect(asleep.machine.run({ until: 10_000 }).reason).toBe('sleep-forever');
    const awake = boot(source(16), { plan: [[700, 3, true]] });
    expect(awake.machine.run({ until: 10_000 })).toMatchObject({ reason: 'bkpt', cycle: 701 });
  });

  it('SLEEPONEXIT sleeps again after each handler', () => {
    const source = wfi.replace('cpsid i', 'ldr r0, =0xe000ed10 | movs r1, #2 | str r1, [r0, #0]').replace('movs r5, #1', 'adds r5, #1').replace('awake:', 'movs r6, #1 | awake:');
    const { machine } = boot(source, { plan: [[300, 0, true], [600, 0, true]] });
    expect(machine.run({ until: 10_000 }).reason).toBe('sleep-forever');
    expect(machine.registers().r.slice(4, 7)).toEqual([0, 2, 0]);
  });
});

describe('instructions cut short', () => {
  const body = (instruction: string): string => `${vectors(SP, { 1: 'reset', 16: 'irq0' })}
  reset: | ldr r2, =0x20000000 | ldr r4, =0x40000000 ${enable(1)} | movs r3, #7
  ldr r2, =0x20000000
  here: | ${instruction}
  behind: | bkpt 0x0000
  irq0: | str r4, [r4, #0] | mov r6, r2 | bx lr`;

  it('LDM is abandoned for an interrupt and done again from the start', () => {
    const plain = boot(body('ldmia r2!, {r0, r1, r3, r5, r7}'));
    const start = cycleAt(plain.machine, plain.at('here'));
    const { machine, at } = boot(body('ldmia r2!, {r0, r1, r3, r5, r7}'), { plan: [[start + 3, 0, true]] });
    expect(cycleAt(machine, at('irq0'))).toBe(start + 3 + 16);
    expect(word(machine, machine.registers().r[13] + 24)).toBe(at('here'));
    expect(cycleAt(machine, at('here'))).toBe(start + 3 + 16 + 2 + 1 + 3 + 10);
    expect(machine.registers().r[6]).toBe(0x20000000);
    expect(cycleAt(machine, at('behind'))).toBe(start + 3 + 16 + 2 + 1 + 3 + 10 + 6);
  });

  it('a one-cycle MULS is not, a 32-cycle one is', () => {
    for (const [multiplier, latency] of [[1, 1 + 16], [32, 10 + 16]] as const) {
      const plain = boot(body('muls r0, r3'), { config: { multiplier } });
      const start = cycleAt(plain.machine, plain.at('here'));
      const at10 = multiplier === 1 ? 1 : 10;
      const { machine, at } = boot(body('muls r0, r3'), { config: { multiplier }, plan: [[start + at10, 0, true]] });
      expect(cycleAt(machine, at('irq0'))).toBe(start + latency);
    }
  });
});
