import { describe, expect, it } from 'vitest';
import { createChip, type Chip, type ChipConfig } from './chip.js';
import { Program } from './devices/testing/program.js';
import { nvmDigest } from './eeprom/digest.js';
import { loadProfile } from './profiles/files.js';

const SYSCTL = 0x40000000;
const UART = 0x40001000;
const EEPROM = 0x40002000;
const TIMER = 0x40003000;
const RNG = 0x40004000;
const CRYPTO = 0x40005000;
const TRACE = 0x40006000;
const WINDOW = 0x10000000;
const RAM = 0x20000000;
const EVENT = TRACE + 4;
const PAGE_TIME = 90_000;
const ETU = 3125;

const profile = loadProfile('c2010');

function chipOf(program: Program, more: Partial<ChipConfig> = {}): Chip {
  return createChip({ profile, image: program.image(), seed: 7, ...more });
}

/** Unlocks and gives one EEPROM command on a page offset. */
function command(program: Program, offset: number, value: number): Program {
  return program.write(EEPROM + 8, offset).write(EEPROM, 0x8c9daebf).write(EEPROM, 0x13243546).write(EEPROM + 4, value);
}

function words(chip: Chip): number[] {
  return chip.events.map((event) => event.word);
}

describe('a chip', () => {
  it('shows its sizes, clocks and number to the firmware', () => {
    const program = new Program();
    for (const offset of [0, 4, 8, 0xc, 0x10, 0x14, 0x18, 0x1c, 0x20, 0x28, 0x38, 0x3c]) program.copy(SYSCTL + offset, EVENT);
    const chip = chipOf(program.halt());
    expect(chip.run(100_000).reason).toBe('limit');
    const uid = words(chip)[9];
    expect(words(chip)).toEqual([0x43423031, 1, 65536, 8192, 65536, 64, 30_000_000, 3_571_200, 1, uid, 0x7e, 1]);
    expect(chip.violations).toEqual([]);
    expect(chip.now).toBe(100_000);
  });

  it('records steps, console and exit with their cycles', () => {
    const program = new Program().write(TRACE, 0x02010f01).write(TRACE + 8, 0x68).write(TRACE + 8, 0x69).write(TRACE + 12, 42).halt();
    const chip = chipOf(program);
    const end = chip.run(1000);
    expect([end.reason, end.exitCode, chip.console]).toEqual(['exit', 42, 'hi']);
    // two literal loads of 2 cycles each come before the store
    expect(chip.steps).toEqual([{ cycle: 4, embodiment: 2, step: [1, 15], outcome: 1 }]);
    expect(chip.run(2000).reason).toBe('limit');
  });

  it('keeps RAM over a warm reset and a software reset, and shows the cause', () => {
    const program = new Program().copy(SYSCTL + 0x20, EVENT).copy(RAM + 0x100, EVENT).write(RAM + 0x100, 0x1234).halt();
    const chip = chipOf(program);
    chip.run(1000);
    chip.warmReset();
    chip.run(2000);
    const [first, garbage, second, kept] = words(chip);
    expect([first, second, kept]).toEqual([1, 2, 0x1234]);
    expect(garbage).not.toBe(0x1234);
    chip.powerOn();
    chip.run(1000);
    expect(words(chip)).toEqual([1, garbage]);
    const software = chipOf(new Program().copy(SYSCTL + 0x20, EVENT).write(0xe000ed0c, 0x05fa0004).halt());
    software.run(200);
    expect(words(software).slice(0, 2)).toEqual([1, 4]);
  });

  it('stops clocks by CLKEN: access is a violation', () => {
    const chip = chipOf(new Program().write(SYSCTL + 0x38, 0x7e & ~8).copy(TIMER, EVENT).write(TIMER + 4, 5).halt());
    chip.run(1000);
    expect(chip.violations.map((v) => [v.code, v.address])).toEqual([['UNCLOCKED', TIMER], ['UNCLOCKED', TIMER + 4]]);
  });

  it('has no coprocessor when the profile says so, and no peripherals on the bare profile', () => {
    const program = new Program().copy(SYSCTL + 4, EVENT).copy(CRYPTO + 4, EVENT).vector(-13, 'fault').halt().label('fault').halt();
    const chip = chipOf(program, { profile: loadProfile('c2010', ['crypto.present=false']) });
    chip.run(1000);
    expect(words(chip)).toEqual([0]);
    expect(chip.violations.map((v) => v.code)).toEqual(['UNMAPPED_READ']);
    const bare = chipOf(new Program().copy(SYSCTL, RAM).vector(-13, 'fault').halt().label('fault').halt(), { profile: loadProfile('generic') });
    bare.run(1000);
    expect(bare.violations.map((v) => [v.code, v.address])).toEqual([['UNMAPPED_READ', SYSCTL]]);
  });
});

describe('memory limits', () => {
  it('are violations with address, pc and symbol', () => {
    for (const [address, code] of [[0x20002000, 'UNMAPPED_WRITE'], [0x30000000, 'UNMAPPED_WRITE'], [WINDOW, 'READ_ONLY_WRITE'], [0x100, 'CODE_WRITE']] as const) {
      const chip = chipOf(new Program().write(address, 1).vector(-13, 'fault').halt().label('fault').halt());
      chip.run(1000);
      expect(chip.violations).toEqual([expect.objectContaining({ code, address, pc: 0xc4, symbol: 'main' })]);
    }
  });

  it('report the stack below STACK_LIMIT and go on', () => {
    const push = 0xb4ff;
    const chip = chipOf(new Program().write(SYSCTL + 0x24, 0x20000800 - 40).raw(push, push).write(EVENT, 1).halt());
    chip.run(1000);
    expect(chip.violations.map((v) => v.code)).toEqual(['STACK_LIMIT']);
    expect(chip.violations[0]).toMatchObject({ address: 0x20000800 - 64, symbol: 'main' });
    expect(words(chip)).toEqual([1]);
    expect(chip.usage().stackLow).toBe(0x20000800 - 64);
    expect(chip.usage().ramTouched).toBeGreaterThan(0);
    expect(chip.usage().ramTouched).toBeLessThanOrEqual(64);
  });
});

describe('the contact', () => {
  const echo = new Program().write(UART, 1).label('next').wait(UART + 4, 1).copy(UART + 8, UART + 8).branch('next');

  it('echoes a character, cycle by cycle', () => {
    const chip = chipOf(echo);
    chip.link.send(0xa5, 10_000);
    expect(chip.run(1_000_000, { stopOnLink: true })).toMatchObject({ reason: 'link' });
    const [event] = chip.link.take();
    expect(event).toMatchObject({ kind: 'character', byte: 0xa5, parityOk: true });
    const start = event.kind === 'character' ? event.start : 0;
    const latency = start - (10_000 + 10 * ETU);
    expect(latency).toBeGreaterThanOrEqual(0);
    expect(latency).toBeLessThan(30);
    expect(chip.run(1_000_000, { stopOnLink: true }).reason).toBe('limit');
    expect(chip.violations).toEqual([]);
  });

  it('wakes a sleeping core by interrupt', () => {
    const program = new Program().vector(0, 'isr').write(UART, 1).write(UART + 0x18, 1).write(0xe000e100, 1).halt()
      .label('isr').copy(UART + 8, EVENT).raw(0x4770);
    const chip = chipOf(program);
    chip.link.send(0x77, 5000);
    chip.run(100_000);
    expect(words(chip)).toEqual([0x77]);
    const latency = chip.events[0].cycle - (5000 + 10 * ETU);
    expect(latency).toBeGreaterThan(15);
    expect(latency).toBeLessThan(40);
  });
});

describe('EEPROM through the chip', () => {
  const writer = command(new Program().write(EEPROM + 0x100, 0x11223344).write(EEPROM + 0x13c, 0x55667788), 0x1000, 3)
    .wait(EEPROM + 12, 1, true).copy(WINDOW + 0x1000, EVENT).copy(EEPROM + 12, EVENT).halt();

  it('erases and programs a page and keeps it over power', () => {
    const chip = chipOf(writer);
    chip.run(200_000);
    // the page was erased already: only the program phase is done
    expect(words(chip)).toEqual([0x11223344, 4]);
    const [write] = chip.eeprom.writes;
    expect([write.page, write.phases, write.end - write.start, write.verified]).toEqual([64, 'program', PAGE_TIME / 2, true]);
    chip.powerOn();
    chip.run(200_000);
    expect(chip.eeprom.writes[0]).toMatchObject({ phases: 'erase+program' });
    expect(chip.eeprom.writes[0].end - chip.eeprom.writes[0].start).toBe(PAGE_TIME);
    expect(chip.usage()).toMatchObject({ pagesWritten: [64], pageOperations: 1 });
    expect([chip.eeprom.cycles[64], chip.eeprom.sessions, chip.violations.length]).toEqual([2, 2, 0]);
  });

  it('reports each breach of the controller\'s rules with its error bit', () => {
    const program = new Program().write(EEPROM + 4, 3);
    command(program, 0x1001, 3);
    command(program, 0x10000, 3);
    command(program, 0x40, 0);
    command(program.write(EEPROM + 0x100, 0), 0x40, 0x103);
    program.copy(WINDOW + 0x44, RAM).copy(WINDOW + 0x80, EVENT);
    program.write(EEPROM + 0x104, 0).write(EEPROM, 0x8c9daebf).write(EEPROM + 4, 1).write(EEPROM + 0x14, 0).copy(EEPROM + 12, EVENT);
    const chip = chipOf(program.halt());
    chip.run(200_000);
    expect(chip.violations.map((v) => v.code)).toEqual([
      'EEPROM_LOCKED', 'EEPROM_ALIGN', 'EEPROM_RANGE', 'EEPROM_COMMAND', 'EEPROM_READ_BUSY',
      'EEPROM_OVERLAP', 'EEPROM_OVERLAP', 'EEPROM_OVERLAP', 'EEPROM_OVERLAP',
    ]);
    expect(chip.violations[4]).toMatchObject({ address: WINDOW + 0x44, symbol: 'main' });
    // LDR r1, [r0]
    expect(chip.machine.peek(chip.violations[4].pc, 2)).toEqual(new Uint8Array([0x01, 0x68]));
    expect(words(chip)).toEqual([0xffffffff, 1 | 0x10 | 0x20 | 0x40 | 0x100 | 8]);
  });

  it('leaves weak cells after a cut in a phase, the same at every repetition', () => {
    const cut = (at: number) => {
      const chip = chipOf(writer);
      chip.run(at);
      return chip.powerCut();
    };
    const early = cut(1000);
    expect([early.weak, early.torn, early.bytes.every((byte) => byte === 0xff)]).toEqual([[], [], true]);
    const middle = cut(15_000);
    expect(middle.weak).toHaveLength(1);
    expect(Buffer.compare(cut(15_000).bytes, middle.bytes)).toBe(0);
    expect(cut(15_000).weak).toEqual(middle.weak);
    const late = cut(44_000);
    expect([...late.bytes.slice(0x1000, 0x1004)]).toEqual([0x44, 0x33, 0x22, 0x11]);
  });

  it('lets the charge finish a page in a brown-out, if it lasts', () => {
    const chip = chipOf(writer);
    chip.run(35_000);
    const saved = chip.snapshot();
    expect(chip.powerCut('finish').weak).toEqual([]);
    expect(chip.eeprom.writes[0]).toMatchObject({ cut: false, verified: true });
    chip.restore(saved);
    chip.powerCut('abrupt');
    expect(chip.eeprom.writes[0]).toMatchObject({ cut: true, end: 35_000 });
    expect(() => chip.run(40_000)).toThrow(expect.objectContaining({ code: 'CHIP_OFF' }));
    expect(() => chip.powerCut()).toThrow(expect.objectContaining({ code: 'CHIP_OFF' }));
    expect(() => { chip.warmReset(); }).toThrow(expect.objectContaining({ code: 'CHIP_OFF' }));
  });

  it('shows the brown-out to the firmware before power goes', () => {
    const chip = chipOf(new Program().wait(SYSCTL + 0x3c, 1, true).write(EVENT, 9).halt());
    chip.run(1000);
    chip.setSupply(false);
    chip.run(2000);
    expect(words(chip)).toEqual([9]);
  });

  it('refuses an EEPROM image of another size', () => {
    expect(() => chipOf(writer, { eeprom: new Uint8Array(100) })).toThrow(expect.objectContaining({ code: 'NVM_SIZE' }));
    const chip = chipOf(new Program().copy(WINDOW, EVENT).halt(), { eeprom: new Uint8Array(65536).fill(0x21) });
    chip.run(100);
    expect(words(chip)).toEqual([0x21212121]);
  });
});

describe('random numbers and coprocessor through the chip', () => {
  it('draws a fresh stream in every power session, the same for the same seed', () => {
    const program = new Program();
    for (let i = 0; i < 3; i++) program.wait(RNG, 1).copy(RNG + 4, EVENT);
    program.copy(RNG + 4, EVENT).halt();
    const chip = chipOf(program);
    chip.run(1000);
    const first = words(chip);
    expect(chip.violations.map((v) => v.code)).toEqual(['RNG_NOT_READY']);
    expect([first[3], chip.usage().randomWords]).toEqual([0, 3]);
    chip.powerOn();
    chip.run(1000);
    expect(words(chip)).not.toEqual(first);
    expect(new Set(first).size).toBe(4);
    const again = chipOf(program);
    again.run(1000);
    expect(words(again)).toEqual(first);
  });

  it('hashes a block from EEPROM into RAM in the cycles of the profile', () => {
    const image = new Uint8Array(65536);
    image.set([0x61, 0x62, 0x63, 0x80]);
    image[63] = 24;
    const program = new Program().write(CRYPTO + 0x10, RAM + 0x40).write(CRYPTO, 5).wait(CRYPTO + 4, 1, true)
      .write(CRYPTO + 12, WINDOW).write(CRYPTO + 0x18, 64).write(CRYPTO, 6).wait(CRYPTO + 4, 1, true).write(EVENT, 1).halt();
    const chip = chipOf(program, { eeprom: image });
    chip.run(10_000);
    const digest = Buffer.from(chip.machine.peek(RAM + 0x40, 32) ?? []).toString('hex');
    // FIPS 180-4 example: "abc"
    expect(digest).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(chip.violations).toEqual([]);
  });
});

describe('snapshots', () => {
  const busy = command(new Program().write(UART, 1).write(TIMER + 4, 777).write(TIMER, 7)
    .write(UART + 8, 0x3b).write(UART + 8, 0x65).write(EEPROM + 0x100, 0x12345678), 0x40, 0x103)
    .label('loop').wait(EEPROM + 12, 4).copy(RNG + 4, EVENT).copy(UART + 4, EVENT).write(EEPROM + 12, 4).sleep();
  command(busy, 0x80, 0x103).branch('loop');

  const observe = (chip: Chip): unknown => [chip.now, chip.events, chip.link.take(), chip.eeprom.writes, chip.violations, chip.machine.registers()];

  it('taken in the middle of a page and of a character continue like a straight run', () => {
    for (const at of [5_000, 20_000, 50_001, 100_003, 195_000]) {
      const straight = chipOf(busy);
      straight.link.send(0x10, 60_000);
      straight.run(at);
      straight.run(400_000);
      const forked = chipOf(busy);
      forked.link.send(0x10, 60_000);
      forked.run(at);
      const saved = structuredClone(forked.snapshot());
      forked.link.send(0x99, 200_000);
      forked.run(300_000);
      forked.powerCut();
      forked.restore(saved);
      forked.run(400_000);
      const other = chipOf(busy);
      other.restore(saved);
      other.run(400_000);
      const expected = observe(straight);
      expect(observe(forked)).toEqual(expected);
      expect(observe(other)).toEqual(expected);
    }
  });

  it('leave the same EEPROM for a cut at any cycle, reached straight or over a snapshot', () => {
    const chip = chipOf(busy);
    chip.run(2_000);
    const saved = chip.snapshot();
    for (let at = 2_001; at < 190_000; at += 6_133) {
      chip.restore(saved);
      chip.run(at);
      const forked = chip.powerCut();
      const straight = chipOf(busy);
      straight.run(at);
      const left = straight.powerCut();
      expect([nvmDigest(left), left.weak, left.sessions]).toEqual([nvmDigest(forked), forked.weak, forked.sessions]);
      expect(Buffer.compare(left.bytes, forked.bytes)).toBe(0);
    }
  });

  it('never go back in time by a run to an earlier cycle', () => {
    const chip = chipOf(busy);
    chip.run(60_000);
    chip.run(10);
    expect(chip.now).toBeGreaterThanOrEqual(60_000);
    chip.powerCut();
    expect(chip.eeprom.writes[0].end).toBe(60_000);
  });

  it('does not depend on how a run is divided', () => {
    const whole = chipOf(busy);
    whole.run(400_000);
    const parts = chipOf(busy);
    for (let at = 0; at <= 400_000; at += 1_237) parts.run(at);
    parts.run(400_000);
    expect(observe(parts)).toEqual(observe(whole));
  });

  it('is refused by a chip of another kind', () => {
    const saved = chipOf(busy).snapshot();
    expect(() => { chipOf(busy, { seed: 8 }).restore(saved); }).toThrow(expect.objectContaining({ code: 'SNAPSHOT_MISMATCH' }));
  });
});
