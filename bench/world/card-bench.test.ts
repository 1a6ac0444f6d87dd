import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { emulatedCard } from '../../devices/index.js';
import type { CardChannel, CardSession, Reply } from '../../devices/index.js';
import { loadImage, nvmDigest } from '../../emulator/index.js';
import { commands, fromHex, nobleOps, toHex } from '../codec/index.js';
import { backupApplet } from '../terminal/applet.js';
import { BenchClock } from './bench-clock.js';
import { CardBench } from './card-bench.js';
import type { Party } from './card-bench.js';
import { emulatedSlot, realSlot } from './card-slot.js';
import { createIssuer } from './issuer.js';
import { personalise } from './personalise.js';
import { seededRandom } from './random.js';

const image = loadImage(readFileSync(new URL('../../devices/firmware/images/card.elf', import.meta.url)));

/** Two cards of different clock rates and protocols, and what crosses their lines. */
function pair(options: { readonly parties?: readonly Party[]; readonly hz?: number } = {}) {
  const log: string[] = [];
  const bench = new CardBench({
    ...options,
    cards: {
      slow: emulatedSlot(emulatedCard({ profile: 'c2010', image, seed: 1, protocol: 'T=1' }), backupApplet),
      fast: emulatedSlot(emulatedCard({ profile: 'modern', image, seed: 2, protocol: 'T=0' }), backupApplet),
    },
    hooks: {
      exchanged: (role, { startedAt, endedAt, command, answer, time }) => log.push(`${role} ${time} ${startedAt}-${endedAt} ${toHex(command)} ${toHex(answer)}`),
      cut: (role, tick) => log.push(`${role} lost power, seen at ${tick}`),
      ending: (role) => log.push(`${role} session ends`),
    },
  });
  return { bench, log };
}

const status = commands.getData('status');

/** Something of everything on both cards; `between` runs after each piece. */
async function story(bench: CardBench<'slow' | 'fast'>, between: () => Promise<unknown> = () => Promise.resolve()): Promise<void> {
  const issuer = createIssuer(seededRandom(1, 'issuer'), nobleOps);
  const data = { safes: [], pin: '1234', settings: { emptyDigest: false, allowLegacy: false } };
  await bench.slot('slow').line.bringUp();
  await between();
  await bench.slot('fast').line.bringUp();
  await between();
  await personalise(bench.slot('fast').line, issuer, { ...data, cardId: fromHex('CB00000000000002') }).catch(() => undefined);
  await between();
  await bench.slot('slow').line.transmit(status);
  await between();
  await bench.idle(bench.clock.hz / 30);
  await bench.slot('fast').line.transmit(status);
  await bench.slot('slow').line.reset('warm');
  await between();
  await bench.slot('fast').line.reset('cold');
  await bench.slot('slow').line.transmit(commands.initialise());
  await bench.slot('fast').line.transmit(status);
}

describe('clock', () => {
  test('equal rates are the same number, others are rounded up and never go back', () => {
    const clock = new BenchClock(30_000_000);
    expect([clock.ticks(7, 30_000_000), clock.ticks(7, 60_000_000), clock.ticks(7, 3_571_200), clock.cycles(59, 3_571_200)]).toEqual([7, 4, 59, 8]);
    expect(clock.cycles(9_000_000_000_000, 60_000_000)).toBe(18_000_000_000_000);
    clock.reach(5);
    clock.reach(3);
    expect(clock.now).toBe(5);
  });
});

describe('two emulated cards', () => {
  test('order and times of the record are the same in each run, and whether idling cards are run at once or late', async () => {
    const [late, again, eager] = [pair(), pair(), pair()];
    await story(late.bench);
    await story(again.bench);
    await story(eager.bench, () => eager.bench.sync());
    expect(late.log.length).toBeGreaterThan(20);
    expect(again.log).toEqual(late.log);
    expect(eager.log).toEqual(late.log);
    await late.bench.sync();
    await eager.bench.sync();
    expect(isDeepStrictEqual(eager.bench.save(), late.bench.save())).toBe(true);
  });

  test('times of one clock never overlap, and a card spoken to has reached the common time', async () => {
    const { bench, log } = pair();
    await story(bench);
    let last = 0;
    for (const line of log) {
      const times = / (\d+)-(\d+) /.exec(line);
      if (!times) continue;
      expect(Number(times[1])).toBeGreaterThanOrEqual(last);
      last = Number(times[2]);
    }
    const slot = bench.slot('fast');
    expect(slot.tickOf(slot.channel.now().cycles ?? 0)).toBeLessThanOrEqual(bench.now);
    await bench.sync();
    expect(slot.tickOf(slot.channel.now().cycles ?? 0)).toBeGreaterThanOrEqual(bench.now);
  });

  test('the rate of the bench changes the ticks, not what the cards do', async () => {
    const [one, other] = [pair(), pair({ hz: 60_000_000 })];
    await story(one.bench);
    await story(other.bench);
    const bytes = (log: readonly string[]): string[] => log.map((line) => line.replace(/ \d+-\d+ /, ' '));
    expect(bytes(other.log)).toEqual(bytes(one.log));
    expect(Math.abs(other.bench.now / 2 - one.bench.now)).toBeLessThan(50);
  });

  test('cards and parties are saved and restored together', async () => {
    const party = { value: 1, save: () => party.value, restore: (state: unknown) => { party.value = Number(state); } };
    const { bench, log } = pair({ parties: [party] });
    await bench.slot('slow').line.bringUp();
    await bench.slot('fast').line.bringUp();
    const fork = bench.save();
    const go = async (): Promise<readonly string[]> => {
      log.length = 0;
      await bench.slot('fast').line.transmit(commands.initialise());
      await bench.slot('slow').line.transmit(status);
      party.value += 1;
      return [...log, `${bench.now}`];
    };
    const first = await go();
    bench.restore(fork);
    expect([party.value, bench.now]).toEqual([1, fork.now]);
    expect(await go()).toEqual(first);
  });

  test('power goes at a moment of the bench, within an exchange or while the card idles, and on that card only', async () => {
    const { bench, log } = pair();
    const { line } = bench.slot('slow');
    await line.bringUp();
    await bench.slot('fast').line.bringUp();
    const fork = bench.save();
    bench.slot('slow').cutAt(bench.now + 200_000);
    await expect(line.transmit(commands.initialise())).rejects.toMatchObject({ code: 'CARD_POWER_CUT' });
    expect([bench.slot('slow').powered, bench.slot('fast').powered]).toEqual([false, true]);
    expect(log.at(-2)).toMatch(/^slow lost power/);
    await line.bringUp();
    expect((await line.transmit(status)).sw).toBe(0x9000);
    bench.restore(fork);
    bench.slot('slow').cutAt(bench.now + 5_000);
    bench.slot('fast').cutAt(bench.now + 40_000_000);
    expect(await bench.idle(10_000)).toEqual(['slow']);
    expect((await bench.slot('fast').line.transmit(status)).sw).toBe(0x9000);
    expect(() => { bench.slot('slow').cutAt(bench.now + 1); }).toThrow('no power');
    expect(await bench.idle(40_000_000)).toEqual(['fast']);
  });

  test('a cut by bench time leaves the memory that the same cut by cycle leaves', async () => {
    const left = async (arm: (card: ReturnType<typeof emulatedCard>, bench: CardBench<'only'>) => void): Promise<string> => {
      const card = emulatedCard({ profile: 'c2010', image, seed: 3, protocol: 'T=1' });
      const bench = new CardBench({ cards: { only: emulatedSlot(card, backupApplet) }, hz: 1_000_000_000 });
      await bench.idle(77);
      await bench.slot('only').line.bringUp();
      arm(card, bench);
      await bench.slot('only').line.transmit(commands.initialise()).catch(() => undefined);
      expect(card.session).toBeUndefined();
      return nvmDigest(card.port.takeNvm());
    };
    let cycle = 0;
    const byCycle = await left((card) => { cycle = (card.now().cycles ?? 0) + 300_000; card.cutAt(cycle); });
    expect(await left((_, bench) => { bench.slot('only').cutAt(bench.slot('only').tickOf(cycle)); })).toBe(byCycle);
  });

  test('one exchange at a time', async () => {
    const { bench } = pair();
    const first = bench.slot('slow').line.bringUp();
    await expect(bench.slot('fast').line.bringUp()).rejects.toMatchObject({ code: 'BENCH_USAGE' });
    await first;
    expect(() => bench.slot('third' as 'slow')).toThrow('no card');
  });
});

/** A stand-in for a card on a real device: each exchange takes 20 ms by a wall clock that also moves between exchanges. */
function wallCard(): CardChannel {
  let ms = 1000;
  let session: CardSession | undefined;
  const spend = <T>(value: T): Promise<T> => {
    ms += 20;
    return Promise.resolve(value);
  };
  return {
    name: 'real', get session() { return session; }, now: () => ({ ms: (ms += 3) }),
    open: () => spend((session = { protocol: 'T=1', findings: [] } as unknown as CardSession)),
    reset: () => spend(session as CardSession),
    transmit: () => spend({ data: new Uint8Array(0), sw: 0x6a82, findings: [] } as unknown as Reply),
    close: () => spend(undefined), observe: () => () => undefined, marks: () => [],
  };
}

describe('a real card beside an emulated one', () => {
  test('brings its wall time, the record says so, and it can be neither saved nor cut', async () => {
    const times: string[] = [];
    const bench = new CardBench({
      cards: {
        real: realSlot(wallCard(), backupApplet),
        emulated: emulatedSlot(emulatedCard({ profile: 'c2010', image, seed: 1, protocol: 'T=1' }), backupApplet),
      },
      hooks: { exchanged: (role, { time, startedAt, endedAt }) => times.push(`${role} ${time} ${role === 'real' ? (endedAt - startedAt) / bench.clock.hz : ''}`) },
    });
    expect(bench.clock.hz).toBe(30_000_000);
    await bench.slot('emulated').line.bringUp();
    const before = bench.now;
    await bench.slot('real').line.bringUp();
    expect(bench.slot('real').line.hasTrace).toBe(false);
    expect((bench.now - before) / bench.clock.hz).toBeCloseTo(0.046, 6);
    await bench.slot('emulated').line.transmit(status);
    expect(times).toEqual(['emulated virtual ', 'real wall 0.023', 'emulated virtual ']);
    expect((bench.slot('emulated').channel.now().ms)).toBeGreaterThan(46);
    expect(() => bench.save()).toThrow('real one');
    expect(() => { bench.slot('real').cutAt(5); }).toThrow('real one');
  });
});
