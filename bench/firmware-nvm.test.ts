import { describe, expect, test } from 'vitest';
import type { ChipSnapshot, NvmState, WeakPolicy } from '../emulator/index.js';
import { bytes, hex, RawTerminal } from './testing/raw-terminal.js';

const HEADER = 1;
const policies: readonly WeakPolicy[] = [
  { kind: 'new' }, { kind: 'old' }, { kind: 'random', seed: 1 }, { kind: 'random', seed: 2 }, { kind: 'unstable' },
];
/** Nearly all cells of a page weak at once. */
const stress = ['eeprom.cells.spread=0.05', 'eeprom.cells.weak=0.12'];

function start(overrides: readonly string[] = []): RawTerminal {
  const t = new RawTerminal('c2010', 'link.elf', overrides);
  t.atr();
  t.pps(1, 0x95, [512, 16]);
  return t;
}

const page = (t: RawTerminal, number: number): string => hex([...t.chip.eeprom.readPage(number)]);
const pair = (t: RawTerminal): string => `${page(t, 20)} / ${page(t, 21)}`;

/** Boots on what a cut left, up to the end of the recovery. Gives the pages of the change and the operations needed. */
function boot(t: RawTerminal, nvm: NvmState, policy: WeakPolicy): { readonly content: string; readonly operations: number } {
  t.chip.powerOn(nvm, policy);
  t.chip.run(1_200_000);
  expect(t.chip.violations).toEqual([]);
  return { content: pair(t), operations: t.chip.usage().pageOperations };
}

interface Change {
  readonly t: RawTerminal;
  readonly begun: ChipSnapshot;
  readonly before: string;
  readonly after: string;
  /** Cycles worth a cut: around each phase's ends, and spread over it. */
  readonly cuts: readonly number[];
}

/** A change of pages 20 and 21 from 11.. to EE.., held at the moment its command is complete. */
function change(overrides: readonly string[]): Change {
  const t = start(overrides);
  t.apdu1(bytes('80 08 14 15 01 11'));
  const before = pair(t);
  const command = [0, 0x40, 6, ...bytes('80 08 14 15 01 EE')];
  t.send([...command, command.reduce((a, b) => a ^ b, 0)]);
  const begun = t.chip.snapshot();
  const from = t.chip.eeprom.writes.length;
  expect(hex(t.receiveBlock())).toBe('00 40 02 90 00');
  const writes = t.chip.eeprom.writes.slice(from);
  expect(writes.map((write) => write.page)).toEqual([2, 3, HEADER, 20, 21, HEADER]);
  const parts = [-1, 0, 1, 6000, 9000, 12_000, 13_000, 13_500, 14_000, 15_000, 18_000, 30_000];
  const cuts = writes.flatMap(({ start: at, programStart, phases }) =>
    [...parts.map((part) => at + part), ...(phases === 'erase+program' ? parts.map((part) => programStart + part) : [])]);
  return { t, begun, before, after: pair(t), cuts: [...cuts, writes[5].end, writes[5].end + 1] };
}

const cutAt = ({ t, begun }: Change, cycle: number): NvmState => {
  t.chip.restore(begun);
  t.chip.run(cycle);
  return t.chip.powerCut();
};

describe('a change of two pages on the emulated chip', () => {
  test.each([['default cells', []], ['wide weak zone', stress]] as const)('%s: cut anywhere, whole or absent, stable', (_name, overrides) => {
    const it = change(overrides);
    const outcomes = new Set<string>();
    for (const cycle of it.cuts) {
      const nvm = cutAt(it, cycle);
      for (const policy of policies) {
        const first = boot(it.t, nvm, policy);
        expect([it.before, it.after]).toContain(first.content);
        expect(first.operations).toBeLessThanOrEqual(4);
        outcomes.add(first.content);
        const left = it.t.chip.powerCut();
        expect(boot(it.t, left, { kind: 'random', seed: 9 }).content).toBe(first.content);
      }
    }
    expect([...outcomes].sort()).toEqual([it.before, it.after].sort());
  });

  test('a second cut within the recovery', () => {
    const it = change(stress);
    for (const cycle of it.cuts.filter((_, i) => i % 4 === 1)) {
      const nvm = cutAt(it, cycle);
      for (const second of [600_000, 620_000, 640_000, 670_000, 700_000, 760_000, 800_000, 850_000]) {
        it.t.chip.powerOn(nvm, { kind: 'random', seed: second });
        it.t.chip.run(second);
        const left = it.t.chip.powerCut();
        const { content } = boot(it.t, left, { kind: 'unstable' });
        expect([it.before, it.after]).toContain(content);
        expect(boot(it.t, it.t.chip.powerCut(), { kind: 'old' }).content).toBe(content);
      }
    }
  });

  test('the link is served while the journal is settled', () => {
    const it = change([]);
    const nvm = cutAt(it, it.cuts[it.cuts.length - 40]);
    const t = new RawTerminal('c2010', 'link.elf', [], { eeprom: nvm });
    t.atr();
    t.send(bytes('80 14 00 00 00'));
    expect(hex(t.receive(2))).toBe('6c 01');
    expect(t.chip.usage().pageOperations).toBeGreaterThan(0);
    expect(t.chip.violations).toEqual([]);
  });
});

describe('brown-out', () => {
  test('no operation begins while the supply is bad, the terminal is kept waiting', () => {
    const t = start();
    const settled = t.chip.eeprom.writes.length;
    t.chip.setSupply(false);
    t.send([0, 0, 6, ...bytes('80 08 14 15 01 11'), 0x80 ^ 8 ^ 0x14 ^ 0x15 ^ 1 ^ 0x11 ^ 6]);
    expect(hex(t.receiveBlock())).toBe('00 c3 01 01');
    expect(t.chip.eeprom.writes).toHaveLength(settled);
    expect(t.chip.eeprom.operation).toBeUndefined();
    t.chip.setSupply(true);
    let answer = t.block(0, 0xe3, [1]);
    while (answer[1] === 0xc3) answer = t.block(0, 0xe3, [1]);
    expect(hex(answer)).toBe('00 00 02 90 00');
    expect(t.chip.violations).toEqual([]);
  });
});

describe('worn pages', () => {
  test('6581, and what was committed stays readable, also after a boot', () => {
    const t = start(['eeprom.wear.endurance=60', 'eeprom.wear.sigma=0.5']);
    let committed = '';
    let refused = 0;
    for (let i = 0; i < 400 && refused < 5; i++) {
      const value = (i * 37 + 1) & 0xff;
      const { out } = t.apdu1([0x80, 0x08, 20, 21, 1, value]);
      if (hex(out) === '90 00') committed = hex(Array.from({ length: 60 }, () => value));
      else {
        expect(hex(out)).toBe('65 81');
        refused++;
      }
      for (const p1 of [20, 21]) expect(hex(t.apdu1([0x80, 0x0a, p1, 0, 0]).out.slice(0, 60))).toBe(committed);
    }
    expect(refused).toBe(5);
    const nvm = t.chip.powerCut();
    const again = new RawTerminal('c2010', 'link.elf', ['eeprom.wear.endurance=60', 'eeprom.wear.sigma=0.5'], { eeprom: nvm });
    again.atr();
    again.pps(1);
    for (const p1 of [20, 21]) expect(hex(again.apdu1([0x80, 0x0a, p1, 0, 0]).out.slice(0, 60))).toBe(committed);
    expect(again.chip.violations).toEqual([]);
  });
});

describe('limits', () => {
  test('pages beyond the end, the journal itself', () => {
    const t = start(['eeprom.bytes=4096']);
    expect(hex(t.apdu1(bytes('80 08 40 00 01 00')).out)).toBe('6a 80');
    expect(hex(t.apdu1(bytes('80 08 02 00 01 00')).out)).toBe('6a 80');
    expect(hex(t.apdu1([0x80, 0x0e, 0x40, 0, 64, ...Array.from({ length: 64 }, () => 0)]).out)).toBe('6a 80');
    expect(t.chip.violations).toEqual([]);
  });

  test('an EEPROM with other pages: the card answers, every command 6581', () => {
    const t = start(['eeprom.page=128']);
    expect(hex(t.apdu1(bytes('80 14 00 00 00')).out)).toBe('65 81');
    expect(t.chip.violations).toEqual([]);
  });
});
