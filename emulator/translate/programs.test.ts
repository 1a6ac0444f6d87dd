import { describe, expect, it } from 'vitest';
import type { MachineConfig } from '../machine.js';
import { compareAtStops, createPair, differences, type Pair } from '../testing/engines.js';
import { assemble, vectors } from '../testing/program.js';

const RAM = 0x20000400;

function pairOf(source: string, config: Partial<MachineConfig> = {}): Pair & { at: (label: string) => number } {
  const handlers = { 1: 'reset', 3: 'hard', 11: 'svc', 14: 'pendsv', 15: 'tick', 16: 'irq0', 17: 'irq1' };
  const defaults = Object.values(handlers).filter((name) => !source.includes(`${name}:`)).map((name) => `${name}: | bkpt 0x00ff`).join('\n');
  const program = assemble(`${vectors(RAM, handlers)}\n${source}\n${defaults}`);
  const pair = createPair(program.image, { code: { size: 0x1000 }, ram: { size: 0x400 }, ...config });
  return { ...pair, at: (label) => program.labels.get(label) ?? -1 };
}

/** The same at random stops; again from power-on with everything translated; and in one go. */
function check(source: string, config: Partial<MachineConfig> = {}, longest = 300): Pair {
  const pair = pairOf(source, config);
  for (const seed of [1, 2, 3]) {
    for (const machine of [pair.interpreter, pair.translator]) machine.reset('power-on');
    expect(compareAtStops(pair, seed, 400, longest).difference).toBeUndefined();
  }
  for (const machine of [pair.interpreter, pair.translator]) machine.reset('power-on');
  expect(pair.translator.run({ until: 60_000 })).toEqual(pair.interpreter.run({ until: 60_000 }));
  expect(differences(pair.interpreter, pair.translator)).toEqual([]);
  expect(pair.translator.engineCounts?.entered).toBeGreaterThan(0);
  return pair;
}

const LOOP = 'adds r5, #1 | cmp r5, #200 | bne loop';

/** Loops of 200 turns with one thing in them that translated code has to treat with care. */
const LOOPS: Readonly<Record<string, string>> = {
  'a load that is misaligned at the end': 'ldr r0, =0x20000000 | movs r1, #0 | loop: | ldr r2, [r0, #4] | cmp r5, #150 | bne next | adds r0, #1 | next: |',
  'a store that leaves RAM': 'ldr r0, =0x20000000 | loop: | str r5, [r0, #0] | adds r0, #8 |',
  'a store below RAM': 'ldr r0, =0x20000100 | loop: | strb r5, [r0, #0] | subs r0, #3 |',
  'a halfword load that leaves code': 'ldr r0, =0x00000f00 | loop: | ldrh r1, [r0, #0] | adds r0, #2 | adds r3, r3, r1 |',
  'a word load at the edge of RAM': 'ldr r0, =0x200003f0 | loop: | ldr r1, [r0, #0] | adds r0, #2 | adds r0, #2 |',
  'a signed load': 'ldr r0, =0x20000000 | loop: | ldrsb r1, [r0, r5] | ldrsh r2, [r0, r6] | adds r3, r3, r1 | adds r6, #2 |',
  'PUSH into the stack limit and beyond RAM': 'loop: | push {r0, r1, r5} |',
  'POP beyond RAM': 'sub sp, #120 | loop: | pop {r1, r2} |',
  'a frame that sinks below RAM': 'loop: | str r5, [sp, #0] | ldr r1, [sp, #4] | sub sp, #8 | str r1, [sp, #8] | str r5, [sp, #0] | ldr r2, [sp, #4] |',
  'a frame that rises beyond RAM': 'sub sp, #400 | ldr r1, [sp, #12] | loop: | ldr r1, [sp, #8] | str r5, [sp, #4] | add sp, #4 | ldr r2, [sp, #4] | ldr r3, [sp, #12] |',
  'a frame known before the loop': 'sub sp, #400 | ldr r1, [sp, #12] | loop: | ldr r1, [sp, #12] | add sp, #4 |',
  'two ways of which one ends beyond RAM': 'sub sp, #508 | loop: | cmp r5, #100 | bcc low | ldr r3, [sp, #500] | b join | low: | ldr r2, [sp, #500] | join: | cmp r5, #99 | bne next | add sp, #8 | next: |',
  'PUSH, frame and POP in the same block': 'sub sp, #200 | loop: | push {r4, r5} | sub sp, #16 | str r5, [sp, #0] | ldr r1, [sp, #0] | ldr r2, [sp, #16] | add sp, #16 | pop {r4, r6} | add sp, #4 | ldr r2, [sp, #0] |',
  'POP behind a known frame': 'sub sp, #200 | loop: | ldr r1, [sp, #4] | pop {r4, r6} | pop {r4, r6} |',
  'a frame set by register': 'ldr r0, =0x20000300 | loop: | str r5, [sp, #0] | mov sp, r0 | adds r0, #4 | str r5, [sp, #0] | ldr r1, [sp, #4] |',
  'a frame in code': 'movs r0, #64 | loop: | cmp r5, #150 | bne good | mov sp, r0 | good: | ldr r1, [sp, #0] | ldr r2, [sp, #4] |',
  'STM beyond RAM': 'ldr r0, =0x20000300 | loop: | stmia r0!, {r1, r5, r6} |',
  'STM with its base in the list': 'ldr r7, =0x20000000 | loop: | mov r2, r7 | stmia r2!, {r1, r2, r3} | ldmia r7!, {r3, r4} | subs r7, #8 |',
  'LDM with its base in the list': 'ldr r7, =0x20000000 | str r7, [r7, #4] | loop: | mov r2, r7 | ldmia r2, {r1, r2, r3} |',
  'LDM from a misaligned base': 'ldr r0, =0x20000000 | loop: | cmp r5, #100 | bne good | adds r0, #2 | good: | ldmia r0!, {r1, r2} | subs r0, #8 |',
  'an undefined instruction': 'loop: | cmp r5, #120 | bne good | .half 0xb100 | good: |',
  'SVC': 'loop: | svc 3 |',
  'a jump to an even address': 'ldr r0, =good | loop: | cmp r5, #90 | beq odd | adds r0, #1 | odd: | bx r0 | nop | good: | ldr r0, =good |',
  'a jump out of memory': 'loop: | cmp r5, #77 | bne good | ldr r0, =0x30000001 | bx r0 | good: |',
  'MRS and MSR': 'loop: | mrs r1, apsr | adds r5, #0 | movs r2, #5 | lsls r2, r2, #29 | msr apsr, r2 | bmi skip | adds r3, #1 | skip: |',
  'PRIMASK, NOPs and barriers': 'loop: | cpsid i | nop | dsb 15 | isb 15 | cpsie i |',
  'SP by ADD, SUB and MOV': 'loop: | sub sp, #8 | add r1, sp, #4 | mov r2, sp | add sp, #8 | mov sp, r2 | add sp, #8 | movs r6, #4 | add sp, r6 | subs r6, #8 | add sp, r6 | adds r6, #4 |',
  'ADR, ADD and MOV from PC': 'loop: | add r1, pc, #8 | mov r2, pc | add r3, pc | adds r2, r2, r1 |',
  'MOV to PC and ADD to PC': 'loop: | ldr r0, =good | mov pc, r0 | nop | good: | movs r1, #2 | add pc, r1 | nop | nop | nop | nop |',
  'a device address': 'ldr r0, =0xe000e018 | loop: | ldr r1, [r0, #0] | str r5, [r0, #0] |',
  'many reads of code in a row': `ldr r0, =0x00000040 | loop: | ${'ldrb r1, [r0, r5] | ldrh r2, [r0, #6] | adds r3, r3, r1 | ldr r2, [r0, #8] | '.repeat(6)}`,
  'shifts by registers': 'loop: | lsls r2, r5 | lsrs r3, r5 | asrs r4, r5 | adcs r6, r5 | rors r1, r5 | sbcs r1, r2 | movs r2, #255 | mvns r3, r1 |',
};

/** The loop with a handler that steps over what faulted, nine times. */
function around(body: string): string {
  return `reset: | movs r5, #0 | ${body} ${LOOP} | bkpt 0x0000\nhard: | adds r4, #1 | cmp r4, #9 | beq enough | mov r7, sp | ldr r6, [r7, #24] | adds r6, #2 | str r6, [r7, #24] | bx lr | enough: | bkpt 0x00fe\nsvc: | adds r3, #1 | bx lr`;
}

describe('translated loops', () => {
  it.each(Object.entries(LOOPS))('with %s', (_, body) => {
    check(around(body));
  });

  it('with wait states in each of them', () => {
    for (const body of Object.values(LOOPS)) check(around(body), { code: { size: 0x1000, waitStates: 1 } });
  });

  it('whose budget look is far behind: long straight code', () => {
    const long = Array.from({ length: 150 }, (_, k) => `adds r${k % 4}, #${k}`).join(' | ');
    check(`reset: | movs r5, #0 | loop: | ${long} | adds r5, #1 | cmp r5, #9 | bne loop | bkpt 0x0000`);
  });
});

const TICK = 'ldr r0, =0xe000e010 | movs r1, #61 | str r1, [r0, #4] | movs r1, #7 | str r1, [r0, #0]';

describe('interrupts and translated code', () => {
  it('SysTick abandons LDM, STM, PUSH, POP and slow MULS', () => {
    const body = 'push {r0, r1, r2, r3, r4} | stmia r7!, {r0, r1, r2, r3} | subs r7, #16 | ldmia r7!, {r0, r1, r2, r3} | subs r7, #16 | pop {r0, r1, r2, r3, r4} | muls r6, r5';
    const source = `reset: | ${TICK} | ldr r7, =0x20000000 | movs r5, #3 | loop: | ${body} | adds r5, #1 | b loop\ntick: | push {r4, lr} | adds r4, #1 | mov r8, r4 | pop {r4, pc}`;
    check(source);
    check(source, { multiplier: 32 });
  });

  it('SysTick abandons what translated code hands back: LDM from code, POP from code, slow MULS behind it', () => {
    const source = `reset: | ${TICK} | movs r7, #64 | movs r5, #3 | loop: | adds r5, #1 | mov r6, r7 | ldmia r6!, {r0, r1, r2, r3} | adds r4, r4, r0 | ldmia r6!, {r0, r1} | muls r4, r5 | b loop\ntick: | push {r4, lr} | mov r8, r6 | pop {r4, pc}`;
    check(source);
    check(source, { multiplier: 32 });
    check(source.replace('#61', '#77'));
  });

  it('nested: a more urgent interrupt in the middle of a handler', () => {
    const source = `reset: | ldr r0, =0xe000ed20 | ldr r1, =0x40c00000 | str r1, [r0, #0] | ${TICK} | ldr r6, =0xe000ed04 | movs r7, #1 | lsls r7, r7, #28
    loop: | adds r5, #1 | cmp r5, #30 | bne loop | movs r5, #0 | str r7, [r6, #0] | b loop
    pendsv: | push {r4, r5, lr} | movs r4, #0 | wait: | adds r4, #1 | cmp r4, #100 | bne wait | pop {r4, r5, pc}
    tick: | mov r9, r4 | mov r8, sp | bx lr`;
    check(source, {}, 700);
  });

  it('WFI and SEV, WFE between translated loops', () => {
    check(`reset: | ${TICK} | loop: | movs r5, #0 | inner: | adds r5, #1 | cmp r5, #20 | bne inner | wfi | sev | wfe | b loop\ntick: | adds r4, #1 | bx lr`);
  });

  it('the process stack in Thread mode', () => {
    check(`reset: | ldr r0, =0x20000200 | msr psp, r0 | movs r0, #2 | msr control, r0 | ${TICK} | loop: | push {r4, r5} | adds r5, #1 | pop {r4, r5} | adds r4, r4, r5 | b loop\ntick: | push {r0, lr} | pop {r0, pc}`);
  });
});

describe('calls', () => {
  it('deep recursion, then down again', () => {
    check('reset: | movs r0, #40 | bl down | cmp r1, #40 | beq good | bkpt 0x0001 | good: | b reset\ndown: | push {r4, lr} | mov r4, r0 | cmp r4, #0 | beq up | subs r0, #1 | bl down | adds r1, #1 | up: | pop {r4, pc}', { ram: { size: 0x800 } });
  });

  it('returns to elsewhere: a far jump by BL, a stack that is thrown away, a changed LR', () => {
    check(`reset: | ldr r0, =${RAM} | mov sp, r0 | movs r5, #0 | loop: | bl deep | bkpt 0x0001 | back: | bl helper | .half 0x2e01 | adds r6, #1 | bl far | nop | ${LOOP} | bkpt 0x0000
    deep: | push {r4, lr} | bl deeper | pop {r4, pc}
    deeper: | push {r4, lr} | ldr r0, =&back | ldr r1, =${RAM} | mov sp, r1 | bx r0
    helper: | mov r1, lr | adds r1, #2 | mov lr, r1 | bx lr
    far: | ldr r2, =&landing | bx r2 | landing: | bx lr`);
  });

  it('a table of jumps, and a callee reached in two ways', () => {
    check(`reset: | movs r5, #0 | loop: | movs r1, #3 | ands r1, r5 | lsls r1, r1, #2 | ldr r2, =table | ldr r2, [r2, r1] | blx r2 | ldr r3, =&one | blx r3 | ${LOOP} | bkpt 0x0000
    one: | adds r6, #1 | bx lr\ntwo: | adds r6, #2 | b one\nthree: | push {lr} | bl one | pop {pc}\nfour: | mov pc, lr
    nop\ntable: | .word &one | .word &two | .word &three | .word &four`);
  });

  it('a loop that is entered in the middle (irreducible)', () => {
    check(`reset: | movs r5, #0 | movs r6, #0 | loop: | lsrs r1, r5, #1 | bcs second | first: | adds r6, #1 | cmp r6, #7 | beq out | second: | adds r6, #2 | cmp r6, #9 | bhi out | b first | out: | movs r6, #0 | ${LOOP} | bkpt 0x0000`);
  });
});

describe('code that changes', () => {
  it('in RAM is interpreted, and a store into it is seen', () => {
    check(`reset: | ldr r7, =0x20000100 | ldr r0, =0x47703101 | str r0, [r7, #0] | movs r1, #0 | mov r4, r7 | adds r4, #1 | movs r5, #0
    loop: | blx r4 | ldr r0, =0x47703102 | str r0, [r7, #0] | blx r4 | ldr r0, =0x3103 | strh r0, [r7, #0] | blx r4 | movs r0, #4 | strb r0, [r7, #0] | blx r4 | ${LOOP} | bkpt 0x0000`);
  });

  it('poked or loaded during a run is translated anew', () => {
    const pair = pairOf('reset: | movs r5, #0 | loop: | adds r5, #1 | b loop');
    const both = [pair.interpreter, pair.translator];
    const at = pair.at('loop');
    const result = (until: number): number[] => both.map((machine) => { machine.run({ until }); return machine.registers().r[5]; });
    result(10_000);
    for (const machine of both) machine.poke(at, Uint8Array.of(3, 0x35));
    expect(new Set(result(20_000)).size).toBe(1);
    expect(differences(pair.interpreter, pair.translator)).toEqual([]);
    const other = assemble(`${vectors(RAM, { 1: 'reset' })}\nreset: | movs r5, #0 | loop: | adds r5, #7 | b loop`).image;
    for (const machine of both) {
      machine.loadImage(other);
      machine.reset('power-on');
    }
    expect(result(40_000)).toEqual([70_007, 70_007].map(() => both[0].registers().r[5]));
    expect(both[1].registers().r[5] % 7).toBe(0);
  });

  it('with a breakpoint stops there every time', () => {
    const pair = pairOf('reset: | movs r5, #0 | loop: | adds r5, #1 | cmp r5, #250 | bne loop | bkpt 0x0000');
    const { translator } = pair;
    translator.run({ until: 600 });
    translator.addBreakpoint(pair.at('loop'));
    const seen = [translator.run().reason, translator.run().reason, translator.registers().r[5]];
    translator.removeBreakpoint(pair.at('loop'));
    expect([...seen.slice(0, 2), translator.run().reason]).toEqual(['stop-at', 'stop-at', 'bkpt']);
    pair.interpreter.run();
    expect(differences(pair.interpreter, translator)).toEqual([]);
  });
});

describe('the stack', () => {
  it('leaves the same low-water mark and the same violations', () => {
    const pair = pairOf('reset: | movs r5, #0 | loop: | push {r0, r1} | push {r2, lr} | sub sp, #16 | add sp, #32 | mov r3, sp | subs r3, r3, r5 | mov sp, r3 | add sp, r5 | adds r5, #4 | cmp r5, #200 | bne loop | bkpt 0x0000');
    for (const machine of [pair.interpreter, pair.translator]) machine.setStackLimit(0x20000380);
    expect(compareAtStops(pair, 4, 2000, 90)).toMatchObject({ difference: undefined, reason: 'bkpt' });
    expect(pair.translator.violations.length).toBeGreaterThan(10);
  });
});
