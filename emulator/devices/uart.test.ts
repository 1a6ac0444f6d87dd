import { describe, expect, it } from 'vitest';
import { halfEtus, makeEtu } from './etu.js';
import { decodeFrame, encodeFrame, frameEdges } from './frame.js';
import { ContactLink, type CardCharacter, type LinkEvent } from './link.js';
import { FakeHost } from './testing/fake-host.js';
import { UART_REGISTER as REG, UART_STATUS as BIT, Uart } from './uart.js';

const CLOCKS = { coreHz: 30_000_000, cardHz: 3_571_200 };
/** At 30 MHz and F = 372, D = 1 an etu is exactly 3125 cycles. */
const ETU = 3125;
/** 13.5, 10.5 and 11.5 etu, rounded down to whole cycles. */
const REPEAT = 42_187;
const ERROR_START = 32_812;
const ERROR_END = 35_937;

function setup(control = 1) {
  const host = new FakeHost();
  const link = new ContactLink({ ...CLOCKS, now: () => host.now });
  const uart = new Uart(host, CLOCKS, link);
  link.connect(() => uart.lineChanged(), () => undefined);
  uart.write(REG.CTRL, 4, control, 0);
  return {
    host, link, uart,
    read: (register: number): number => uart.read(register, 4, host.now),
    write: (register: number, value: number): void => uart.write(register, 4, value, host.now),
    run: (until: number): void => host.run(uart, until),
  };
}

function characters(events: readonly LinkEvent[]): CardCharacter[] {
  return events.filter((event) => event.kind === 'character');
}

describe('etu arithmetic', () => {
  it('is F * core / (D * card) with edges rounded down, without drift', () => {
    expect(makeEtu(372, 1, 30_000_000, 3_571_200)).toEqual({ num: 3125, den: 1 });
    expect(makeEtu(372, 1, 3_571_200, 3_571_200)).toEqual({ num: 372, den: 1 });
    const etu = makeEtu(512, 32, 30_000_000, 3_571_200);
    expect(etu.num / etu.den).toBeCloseTo(134.4086, 4);
    expect([1, 2, 3, 21, 186, 200_000_000].map((n) => halfEtus(etu, n)))
      .toEqual([67, 134, 201, 1411, 12_500, 13_440_860_215]);
  });
});

describe('frames', () => {
  it('gives the TS bytes of both conventions: 3B direct and 3F inverse', () => {
    // ISO/IEC 7816-3, 8.1: (H)LHHLHHHLLH(H) direct, (H)LHHLLLLLLH(H) inverse; moments 1 to 9 without the start.
    const levels = (text: string): number => [...text].reduce((sum, c, i) => sum | (Number(c === 'H') << i), 0);
    expect(encodeFrame(0x3b, false)).toBe(levels('HHLHHHLLH'));
    expect(encodeFrame(0x3f, true)).toBe(levels('HHLLLLLLH'));
    expect(decodeFrame(levels('HHLLLLLLH'), false).byte).toBe(0x03);
  });

  it('lists the edges of a character: 3B has its changes at 0, 1, 3, 4, 7, 9 etu', () => {
    const edges = frameEdges(encodeFrame(0x3b, false), 1000, makeEtu(372, 1, 30_000_000, 3_571_200));
    expect(edges.map((edge) => [(edge.cycle - 1000) / ETU, edge.level])).toEqual([[0, 0], [1, 1], [3, 0], [4, 1], [7, 0], [9, 1]]);
    const low = frameEdges(encodeFrame(0, false), 0, makeEtu(372, 1, 30_000_000, 3_571_200));
    expect(low).toEqual([{ cycle: 0, level: 0 }, { cycle: 10 * ETU, level: 1 }]);
  });

  it('gives every byte back in both conventions and sees wrong parity', () => {
    for (const inverse of [false, true]) {
      for (let byte = 0; byte < 256; byte++) {
        expect(decodeFrame(encodeFrame(byte, inverse), inverse)).toEqual({ byte, parityOk: true });
        expect(decodeFrame(encodeFrame(byte, inverse, true), inverse)).toEqual({ byte, parityOk: false });
      }
    }
  });
});

describe('UART, sending', () => {
  it('sends a character in 10 etu and lets the next follow at the guard time', () => {
    const { link, run, write, read } = setup();
    run(1000);
    write(REG.DATA, 0x3b);
    expect(read(REG.STATUS) & (BIT.TXE | BIT.TC)).toBe(BIT.TXE);
    write(REG.DATA, 0x65);
    expect(read(REG.STATUS) & (BIT.TXE | BIT.TC)).toBe(0);
    run(1000 + 10 * ETU - 1);
    expect(link.pending).toBe(0);
    run(1000 + 12 * ETU - 1);
    expect(read(REG.STATUS) & BIT.TXE).toBe(0);
    run(1000 + 12 * ETU);
    expect(read(REG.STATUS) & BIT.TXE).toBe(BIT.TXE);
    run(1000 + 24 * ETU - 1);
    expect(read(REG.STATUS) & BIT.TC).toBe(0);
    run(1000 + 24 * ETU);
    expect(read(REG.STATUS) & BIT.TC).toBe(BIT.TC);
    expect(link.take()).toEqual([
      { kind: 'character', ordinal: 0, byte: 0x3b, parityOk: true, start: 1000, end: 1000 + 10 * ETU, repeat: 0 },
      { kind: 'character', ordinal: 1, byte: 0x65, parityOk: true, start: 1000 + 12 * ETU, end: 1000 + 22 * ETU, repeat: 0 },
    ]);
  });

  it('sends with 11 etu in T=1 and with the extra guard time asked for', () => {
    const { link, run, write } = setup(3);
    write(REG.GT, 11);
    write(REG.DATA, 1);
    write(REG.DATA, 2);
    run(11 * ETU);
    write(REG.GT, 266);
    write(REG.DATA, 3);
    run(300 * ETU);
    expect(characters(link.take()).map((c) => c.start / ETU)).toEqual([0, 11, 277]);
  });

  it('repeats 2 etu after the error signal: leading edges 13.5 etu apart', () => {
    const { link, run, write, read } = setup();
    link.reject(0);
    link.reject(1);
    write(REG.DATA, 0x42);
    run(100 * ETU);
    expect(characters(link.take()).map((c) => [c.byte, c.start, c.repeat]))
      .toEqual([[0x42, 0, 0], [0x42, REPEAT, 1], [0x42, 2 * REPEAT, 2]]);
    expect(read(REG.STATUS)).toBe(BIT.TXE | BIT.TC);
  });

  it('takes an error signal given between 10 and 10.5 etu, not later', () => {
    const { link, run, write } = setup();
    write(REG.DATA, 0x42);
    run(10 * ETU);
    expect(characters(link.take())[0].ordinal).toBe(0);
    link.reject(0);
    run(24 * ETU);
    expect(link.take()).toHaveLength(1);
    expect(() => link.reject(1)).toThrow(expect.objectContaining({ code: 'LINK_NO_SIGNAL' }));
  });

  it('gives up after RETRY repeats with TXERR, seen at 11 etu', () => {
    const { link, run, write, read, host } = setup();
    write(REG.RETRY, 1);
    write(REG.IE, BIT.TXERR);
    for (const ordinal of [0, 1]) link.reject(ordinal);
    write(REG.DATA, 0x42);
    write(REG.DATA, 0x43);
    run(REPEAT + 11 * ETU - 1);
    expect(read(REG.STATUS) & BIT.TXERR).toBe(0);
    run(REPEAT + 11 * ETU);
    expect(read(REG.STATUS) & BIT.TXERR).toBe(BIT.TXERR);
    expect(host.levels.get(0)).toBe(true);
    write(REG.STATUS, BIT.TXERR);
    expect(host.levels.get(0)).toBe(false);
    run(60 * ETU);
    expect(characters(link.take()).map((c) => [c.byte, c.start])).toEqual([[0x42, 0], [0x42, REPEAT], [0x43, 2 * REPEAT]]);
  });

  it('does not look for an error signal in T=1', () => {
    const { link, run, write } = setup(3);
    link.reject(0);
    write(REG.DATA, 0x42);
    run(100 * ETU);
    expect(characters(link.take())).toHaveLength(1);
  });

  it('loses bytes written too early or while disabled, as violations', () => {
    const { link, run, write, host } = setup();
    for (const byte of [1, 2, 3]) write(REG.DATA, byte);
    write(REG.CTRL, 0);
    run(100 * ETU);
    write(REG.DATA, 4);
    run(200 * ETU);
    expect(host.codes()).toEqual(['UART_TX_OVERRUN', 'UART_DISABLED']);
    expect(host.violations[0].address).toBe(0x40001008);
    expect(characters(link.take()).map((c) => c.byte)).toEqual([1, 2]);
  });

  it('changes the etu with the next character', () => {
    const { link, run, write } = setup();
    write(REG.DATA, 1);
    write(REG.DATA, 2);
    write(REG.FD, 512 | (8 << 16));
    run(11 * ETU);
    link.setFD(512, 8);
    run(30 * ETU);
    const second = characters(link.take())[1];
    expect(second).toMatchObject({ start: 12 * ETU, byte: 2, parityOk: true });
    expect(second.end - second.start).toBe(Math.floor((10 * 512 * 30_000_000) / (8 * 3_571_200)));
  });

  it('is misread by a terminal with another etu or convention', () => {
    const { link, run, write } = setup();
    link.setFD(372, 2);
    write(REG.DATA, 0x55);
    run(12 * ETU);
    const garbled = characters(link.take())[0];
    expect([garbled.byte, garbled.parityOk]).not.toEqual([0x55, true]);
    link.setFD(372, 1);
    link.setInverse(true);
    write(REG.DATA, 0x3b);
    run(30 * ETU);
    expect(characters(link.take())[0].byte).not.toBe(0x3b);
  });
});

describe('UART, receiving', () => {
  it('delivers a byte 10 etu after its leading edge', () => {
    const { link, run, write, read, host } = setup();
    write(REG.IE, BIT.RXNE);
    link.send(0xa4, 5000);
    run(4999);
    expect(read(REG.STATUS) & BIT.RXBUSY).toBe(0);
    run(5000);
    expect(read(REG.STATUS) & BIT.RXBUSY).toBe(BIT.RXBUSY);
    run(5000 + 10 * ETU - 1);
    expect(read(REG.STATUS) & BIT.RXNE).toBe(0);
    run(5000 + 10 * ETU);
    expect(read(REG.STATUS) & (BIT.RXNE | BIT.RXBUSY)).toBe(BIT.RXNE);
    expect(host.levels.get(0)).toBe(true);
    expect(read(REG.DATA)).toBe(0xa4);
    expect(read(REG.STATUS) & BIT.RXNE).toBe(0);
    expect(host.levels.get(0)).toBe(false);
  });

  it('answers wrong parity in T=0 with the error signal from 10.5 to 11.5 etu and drops the character', () => {
    const { link, run, read, write } = setup();
    const index = link.send(0xa4, 0, { wrongParity: true });
    run(ERROR_START - 1);
    expect(link.pending).toBe(0);
    run(ERROR_START);
    expect(link.take()).toEqual([{ kind: 'error-signal', index, start: ERROR_START, end: ERROR_END }]);
    expect(read(REG.STATUS) & (BIT.PERR | BIT.RXNE)).toBe(BIT.PERR);
    write(REG.STATUS, BIT.PERR);
    link.send(0xa4, REPEAT);
    run(REPEAT + 10 * ETU);
    expect([read(REG.STATUS) & (BIT.PERR | BIT.RXNE), read(REG.DATA)]).toEqual([BIT.RXNE, 0xa4]);
  });

  it('delivers wrong parity in T=1 with PERR and without error signal', () => {
    const { link, run, read } = setup(3);
    link.send(0xa4, 0, { wrongParity: true });
    run(20 * ETU);
    expect(link.take()).toEqual([]);
    expect([read(REG.STATUS) & (BIT.PERR | BIT.RXNE), read(REG.DATA)]).toEqual([BIT.PERR | BIT.RXNE, 0xa4]);
  });

  it('keeps the first byte and sets OVR when DATA was not read', () => {
    const { link, run, read } = setup();
    link.send(1, 0);
    link.send(2, 12 * ETU);
    run(22 * ETU);
    expect([read(REG.STATUS) & (BIT.OVR | BIT.RXNE), read(REG.DATA)]).toEqual([BIT.OVR | BIT.RXNE, 1]);
  });

  it('runs the waiting timer from its write and from each leading edge', () => {
    const { link, run, read, write, host } = setup();
    write(REG.IE, BIT.WTO);
    write(REG.WT, 100);
    link.send(1, 50 * ETU);
    run(150 * ETU - 1);
    expect(read(REG.STATUS) & BIT.WTO).toBe(0);
    run(150 * ETU);
    expect(read(REG.STATUS) & BIT.WTO).toBe(BIT.WTO);
    expect(host.levels.get(0)).toBe(true);
    write(REG.STATUS, BIT.WTO);
    write(REG.WT, 0);
    run(10_000 * ETU);
    expect(read(REG.STATUS) & BIT.WTO).toBe(0);
  });

  it('reports characters that meet its sending, and those that meet a disabled UART', () => {
    const { link, run, write, read } = setup();
    write(REG.DATA, 7);
    link.send(1, 5 * ETU);
    run(30 * ETU);
    expect(link.take().map((event) => event.kind)).toEqual(['collision', 'character']);
    link.send(2, 40 * ETU);
    run(45 * ETU);
    write(REG.DATA, 8);
    run(60 * ETU);
    expect(link.take().map((event) => event.kind)).toEqual(['collision', 'character']);
    write(REG.CTRL, 0);
    link.send(3, 70 * ETU);
    run(90 * ETU);
    expect(link.take().map((event) => event.kind)).toEqual(['unheard']);
    expect(read(REG.STATUS) & BIT.RXNE).toBe(0);
  });

  it('reads inverse convention when told to', () => {
    const { link, run, read } = setup(5);
    link.setInverse(true);
    link.send(0x3f, 0);
    run(10 * ETU);
    expect([read(REG.DATA), read(REG.STATUS) & BIT.PERR]).toEqual([0x3f, 0]);
  });
});

describe('the link', () => {
  it('refuses the past, overlap and non-bytes, by code', () => {
    const { link, run } = setup();
    run(1000);
    expect(() => link.send(1, 999)).toThrow(expect.objectContaining({ code: 'LINK_PAST' }));
    link.send(1, 1000);
    expect(() => link.send(1, 1000 + 10 * ETU - 1)).toThrow(expect.objectContaining({ code: 'LINK_OVERLAP' }));
    expect(link.send(1, 1000 + 10 * ETU)).toBe(1);
    expect(() => link.send(256, 1_000_000)).toThrow(expect.objectContaining({ code: 'LINK_RANGE' }));
    expect(() => link.setFD(0, 1)).toThrow(expect.objectContaining({ code: 'LINK_RANGE' }));
    expect(link.cancel()).toBe(2);
    expect(link.send(1, 1000)).toBe(2);
  });
});

describe('UART registers', () => {
  it('have their reset values', () => {
    const { read, uart } = setup();
    uart.reset('warm', 0);
    expect([REG.CTRL, REG.STATUS, REG.FD, REG.GT, REG.RETRY, REG.IE, REG.WT].map(read))
      .toEqual([0, BIT.TXE | BIT.TC, 372 | (1 << 16), 12, 3, 0, 0]);
  });

  it('ignore values out of range, other widths and unknown offsets, as violations', () => {
    const { read, write, uart, host } = setup();
    write(REG.FD, 372);
    write(REG.GT, 10);
    write(REG.RETRY, 8);
    write(REG.CTRL, 8);
    uart.write(REG.DATA, 1, 0x41, 0);
    uart.read(REG.DATA, 2, 0);
    read(0x20);
    write(0x24, 0);
    expect([read(REG.FD), read(REG.GT), read(REG.RETRY), read(REG.CTRL)]).toEqual([372 | (1 << 16), 12, 3, 1]);
    expect(host.codes()).toEqual([
      ...Array<string>(4).fill('REGISTER_VALUE'), 'REGISTER_WIDTH', 'REGISTER_WIDTH', 'REGISTER_UNKNOWN', 'REGISTER_UNKNOWN',
    ]);
  });
});

describe('UART snapshots', () => {
  it('in the middle of characters continue as if nothing had been', () => {
    const play = (interrupt: boolean): unknown => {
      const t = setup();
      t.link.reject(1);
      t.write(REG.DATA, 0x11);
      t.write(REG.DATA, 0x22);
      t.run(54_062);
      if (interrupt) {
        const saved = structuredClone([t.uart.snapshot(), t.link.snapshot()]);
        t.run(23 * ETU);
        t.write(REG.DATA, 0x99);
        t.run(90 * ETU);
        t.link.take();
        t.host.now = 54_062;
        t.uart.restore(saved[0]);
        t.link.restore(saved[1] as ReturnType<ContactLink['snapshot']>);
      }
      t.link.send(0x5a, 60 * ETU);
      t.run(70 * ETU);
      return [t.link.take(), t.read(REG.STATUS), t.read(REG.DATA)];
    };
    expect(play(true)).toEqual(play(false));
  });
});
