import { describe, expect, it } from 'vitest';
import type { Device } from '../types.js';
import { loadProfile } from '../profiles/files.js';
import { GatedDevice } from './gated.js';
import { RNG_REGISTER, Rng } from './rng.js';
import { SYSCTL_REGISTER, Sysctl, uniqueNumber } from './sysctl.js';
import { FakeHost } from './testing/fake-host.js';
import { TIMER_REGISTER as T, Timer } from './timer.js';
import { TRACE_REGISTER, Trace } from './trace.js';

function of<D extends Device>(make: (host: FakeHost) => D) {
  const host = new FakeHost();
  const device = make(host);
  return {
    host, device,
    read: (register: number): number => device.read(register, 4, host.now),
    write: (register: number, value: number): void => device.write(register, 4, value, host.now),
    run: (until: number): void => host.run(device, until),
  };
}

describe('TIMER', () => {
  const timer = () => of((host) => new Timer(host));

  it('expires once after LOAD cycles and stops', () => {
    const t = timer();
    t.write(T.LOAD, 100);
    t.write(T.CTRL, 3);
    t.run(60);
    expect([t.read(T.VALUE), t.read(T.STATUS)]).toEqual([40, 0]);
    t.run(100);
    expect([t.read(T.STATUS), t.read(T.CTRL), t.read(T.VALUE), t.host.levels.get(2)]).toEqual([1, 2, 0, true]);
    t.write(T.STATUS, 1);
    t.run(1000);
    expect([t.read(T.STATUS), t.host.levels.get(2)]).toEqual([0, false]);
  });

  it('repeats without drift when periodic, and restarts on LOAD', () => {
    const t = timer();
    t.write(T.LOAD, 100);
    t.write(T.CTRL, 5);
    t.run(250);
    expect([t.read(T.VALUE), t.device.nextEvent()]).toEqual([50, 300]);
    t.write(T.LOAD, 1000);
    expect(t.device.nextEvent()).toBe(1250);
    t.write(T.CTRL, 0);
    t.run(5000);
    expect([t.read(T.VALUE), t.device.nextEvent()]).toEqual([1000, Infinity]);
  });

  it('counts cycles since reset in 64 bits, the high word latched', () => {
    const t = timer();
    t.host.now = 4294967296 * 3 + 5;
    expect([t.read(T.CYCLE_LO), t.read(T.CYCLE_HI)]).toEqual([5, 3]);
    t.host.now += 4294967296;
    expect(t.read(T.CYCLE_HI)).toBe(3);
    t.device.reset('warm', t.host.now);
    t.host.now += 7;
    expect([t.read(T.CYCLE_LO), t.read(T.CYCLE_HI)]).toEqual([7, 0]);
  });

  it('refuses LOAD 0 and unknown bits', () => {
    const t = timer();
    t.write(T.LOAD, 0);
    t.write(T.CTRL, 8);
    t.write(T.VALUE, 1);
    expect(t.host.codes()).toEqual(['REGISTER_VALUE', 'REGISTER_VALUE', 'REGISTER_READ_ONLY']);
  });
});

describe('RNG', () => {
  const rng = (seed: number, session: number) => of((host) => new Rng(host, { seed, session, cycles: 32 }));
  const draw = (t: ReturnType<typeof rng>, count: number): number[] => Array.from({ length: count }, () => {
    t.host.now += 32;
    return t.read(RNG_REGISTER.DATA);
  });

  it('gives the same words for the same seed and session: fixed vectors', () => {
    expect(draw(rng(7, 1), 4)).toEqual(WORDS);
    expect(draw(rng(7, 2), 4)).not.toEqual(WORDS);
    expect(draw(rng(8, 1), 4)).not.toEqual(WORDS);
  });

  it('is not ready for 32 cycles after a word', () => {
    const t = rng(7, 1);
    expect(t.read(RNG_REGISTER.STATUS)).toBe(1);
    t.read(RNG_REGISTER.DATA);
    t.host.now = 31;
    expect([t.read(RNG_REGISTER.STATUS), t.read(RNG_REGISTER.DATA)]).toEqual([0, 0]);
    expect(t.host.codes()).toEqual(['RNG_NOT_READY']);
    t.host.now = 32;
    expect(t.read(RNG_REGISTER.STATUS)).toBe(1);
  });

  it('goes on from a snapshot and over a warm reset, not over power', () => {
    const t = rng(7, 1);
    draw(t, 2);
    const saved = t.device.snapshot();
    expect(draw(t, 2)).toEqual(WORDS.slice(2));
    t.device.restore(saved);
    t.device.reset('warm', t.host.now);
    expect(draw(t, 2)).toEqual(WORDS.slice(2));
    t.device.powerOn(1);
    expect(draw(t, 4)).toEqual(WORDS);
  });

  it('is xoshiro128**: the published sequence from the state 1, 2, 3, 4', () => {
    const t = rng(7, 1);
    t.device.restore({ a: 1, b: 2, c: 3, d: 4, readyAt: 0, words: 0 });
    expect(draw(t, 7)).toEqual([11_520, 0, 5_927_040, 70_819_200, 2_031_721_883, 1_637_235_492, 1_287_239_034]);
  });

  it('has balanced bits', () => {
    let ones = 0;
    for (let word of draw(rng(1, 1), 2000)) for (; word > 0; word = Math.floor(word / 2)) ones += word & 1;
    expect(Math.abs(ones / 64_000 - 0.5)).toBeLessThan(0.01);
  });
});

describe('SYSCTL', () => {
  const profile = loadProfile('c2010');

  it('passes the stack limit on and drops it at reset; keeps causes apart', () => {
    const limits: number[] = [];
    const t = of((host) => new Sysctl(host, profile, 7, (limit) => limits.push(limit)));
    t.write(SYSCTL_REGISTER.STACK_LIMIT, 0x20000400);
    expect([limits, t.read(SYSCTL_REGISTER.STACK_LIMIT)]).toEqual([[0x20000400], 0x20000400]);
    for (const [kind, cause] of [['warm', 2], ['software', 4], ['power-on', 1]] as const) {
      t.device.reset(kind);
      expect([t.read(SYSCTL_REGISTER.RESET_CAUSE), t.read(SYSCTL_REGISTER.STACK_LIMIT), limits.at(-1)]).toEqual([cause, 0, 0]);
    }
  });

  it('has a unique number by seed, and refuses writes to what is fixed', () => {
    const t = of((host) => new Sysctl(host, profile, 7, () => undefined));
    expect([0x28, 0x2c, 0x30, 0x34].map(t.read)).toEqual(uniqueNumber(7));
    expect(uniqueNumber(7)).not.toEqual(uniqueNumber(8));
    t.write(SYSCTL_REGISTER.ID, 0);
    t.write(SYSCTL_REGISTER.CLKEN, 0x80);
    t.read(0x40);
    expect(t.host.codes()).toEqual(['REGISTER_READ_ONLY', 'REGISTER_VALUE', 'REGISTER_UNKNOWN']);
  });
});

describe('TRACE and clock gate', () => {
  it('keeps its log over warm resets and snapshots, not over power', () => {
    const t = of((host) => new Trace(host));
    for (let i = 0; i < 300; i++) t.write(TRACE_REGISTER.PUTC, 0x41);
    t.write(TRACE_REGISTER.EVENT, 5);
    t.write(TRACE_REGISTER.EXIT, 3);
    t.device.reset('warm');
    const saved = structuredClone(t.device.snapshot());
    expect([t.device.console.length, t.device.events, t.host.exitCode]).toEqual([300, [{ cycle: 0, word: 5 }], 3]);
    t.device.reset('power-on');
    expect([t.device.console.length, t.device.events]).toEqual([0, []]);
    t.device.restore(saved);
    expect([t.device.console.length, t.device.events.length]).toEqual([300, 1]);
    t.read(TRACE_REGISTER.STEP);
    expect(t.host.codes()).toEqual(['REGISTER_WRITE_ONLY']);
  });

  it('hides a device whose clock is off, while it runs on', () => {
    let clocked = true;
    const t = of((host) => new GatedDevice(new Timer(host), host, () => clocked));
    t.write(T.LOAD, 10);
    t.write(T.CTRL, 1);
    clocked = false;
    t.run(20);
    t.write(T.STATUS, 1);
    expect([t.read(T.STATUS), t.host.codes()]).toEqual([0, ['UNCLOCKED', 'UNCLOCKED']]);
    clocked = true;
    expect(t.read(T.STATUS)).toBe(1);
  });
});

const WORDS = [446_595_716, 1_312_998_726, 3_373_504_018, 417_755_953];
