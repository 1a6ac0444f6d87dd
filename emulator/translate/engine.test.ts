import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KIND } from '../cpu/kinds.js';
import { loadElf } from '../image/elf.js';
import { createMachine, type Machine, type MachineConfig } from '../machine.js';
import { compareAtStops, createPair, differences } from '../testing/engines.js';
import { isEmitted } from './emit-region.js';
import { HANDED_BACK, flowOf } from './flow.js';
import { Translations } from './translations.js';

const image = loadElf(new Uint8Array(readFileSync(new URL('../testing/images/crypto.elf', import.meta.url))));

function machineOf(config: Partial<MachineConfig> = {}): Machine {
  const machine = createMachine({ core: 'cortex-m0', code: { size: 0x40000 }, ram: { size: 0x4000 }, ...config });
  machine.loadImage(image);
  machine.reset('power-on');
  return machine;
}

describe('every kind of instruction', () => {
  it.each(Object.entries(KIND))('%s is translated or said to be handed back, not both', (_, kind) => {
    const flow = flowOf(kind);
    expect([isEmitted(kind), HANDED_BACK.has(kind)]).toEqual([flow === 'plain', flow === 'back']);
  });
});

describe('snapshots', () => {
  it('go from one engine to the other and back', () => {
    const { interpreter, translator } = createPair(image);
    translator.run({ until: 100_001 });
    interpreter.restore(structuredClone(translator.snapshot()));
    interpreter.run({ until: 200_003 });
    translator.run({ until: 200_003 });
    expect(differences(interpreter, translator)).toEqual([]);
    interpreter.run({ until: 250_007 });
    translator.restore(interpreter.snapshot());
    expect(translator.run()).toMatchObject({ reason: 'bkpt', cycle: 430_009 });
    interpreter.run();
    expect(differences(interpreter, translator)).toEqual([]);
  });

  it('of a translated machine go back exactly, many times, without another translation', () => {
    const machine = machineOf({ engine: 'wasm' });
    machine.run({ until: 50_000 });
    const snapshot = machine.snapshot();
    machine.run({ until: 90_000 });
    const other = machineOf({ engine: 'interpreter' });
    other.run({ until: 90_000 });
    const before = machine.engineCounts?.regions;
    for (let k = 0; k < 50; k++) {
      machine.restore(snapshot);
      machine.run({ until: 90_000 });
      expect(differences(machine, other)).toEqual([]);
    }
    expect(machine.engineCounts?.regions).toBe(before);
  });
});

describe('shared translations', () => {
  it('serve a second machine from its first instruction', () => {
    const translations = new Translations();
    const first = machineOf({ engine: 'wasm', translations });
    const result = first.run();
    const second = machineOf({ engine: 'auto', translations });
    expect(second.run()).toEqual(result);
    expect(second.engineCounts).toMatchObject({ regions: 0 });
    expect(second.engineCounts?.interpreted).toBeLessThan(1_000);
    expect(second.engineCounts?.entered).toBeGreaterThan(0);
    expect(differences(first, second)).toEqual([]);
  });

  it('are kept apart by code, sizes and cycles', () => {
    const translations = new Translations();
    machineOf({ engine: 'wasm', translations }).run();
    for (const config of [{ core: 'cortex-m0plus' }, { multiplier: 32 }, { ram: { size: 0x8000 } }, { code: { size: 0x40000, waitStates: 1 } }] as const) {
      const pair = createPair(image, config);
      const shared = machineOf({ ...config, engine: 'wasm', translations });
      expect(shared.run()).toEqual(pair.interpreter.run());
      expect(shared.engineCounts?.regions).toBeGreaterThan(0);
    }
    const changed = machineOf({ engine: 'wasm', translations });
    changed.poke(0x200, Uint8Array.of(0xff, 0xde));
    changed.run({ until: 1000 });
    expect(changed.engineCounts?.regions).toBeGreaterThan(0);
  });

  it('travel as a clonable handle; one of another version is left alone', () => {
    const translations = new Translations();
    const result = machineOf({ engine: 'wasm', translations }).run();
    const elsewhere = new Translations();
    expect(elsewhere.adopt(structuredClone({ ...translations.handle(), version: 0 }))).toBe(0);
    expect(elsewhere.adopt(structuredClone(translations.handle()))).toBeGreaterThan(0);
    expect(elsewhere.adopt(translations.handle())).toBe(0);
    const machine = machineOf({ engine: 'auto', translations: elsewhere });
    expect(machine.run()).toEqual(result);
    expect(machine.engineCounts).toMatchObject({ regions: 0 });
    expect(machine.engineCounts?.interpreted).toBeLessThan(1_000);
  });

  it('grow while two machines run in turn', () => {
    const translations = new Translations();
    const pair = createPair(image);
    const machines = [0, 1].map(() => machineOf({ engine: 'wasm', translations }));
    for (let until = 5_000; until < 430_000; until += 7_919) {
      for (const machine of [pair.interpreter, ...machines]) machine.run({ until });
      for (const machine of machines) expect(differences(pair.interpreter, machine)).toEqual([]);
    }
  });
});

describe('choosing an engine', () => {
  it('translates nothing in a short run', () => {
    const machine = machineOf();
    machine.run({ until: 20_000 });
    expect(machine.engineCounts).toMatchObject({ regions: 0, modules: 0, entered: 0 });
    expect(machineOf({ engine: 'interpreter' }).engineCounts).toBeUndefined();
  });

  it('does without a translation where RAM is tiny or there is none to enter', () => {
    const pair = createPair(image, { ram: { size: 0x4000, seed: 0 } }, 'auto');
    expect(compareAtStops(pair, 9, 50, 1_000)).toMatchObject({ difference: undefined });
    expect(createMachine({ core: 'cortex-m0', code: { size: 64 }, ram: { size: 32 } }).engineCounts).toBeUndefined();
  });
});
