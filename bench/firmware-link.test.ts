import { describe, expect, test } from 'vitest';
import { bytes, hex, RawTerminal } from './testing/raw-terminal.js';

const PROFILES = ['c2000', 'c2010', 'modern'] as const;

/** No violation of the chip's rules, no lost character; to be true at the end of each test. */
function clean(t: RawTerminal): void {
  expect(t.chip.violations).toEqual([]);
  expect(t.events.filter((event) => event.kind === 'collision' || event.kind === 'unheard')).toEqual([]);
}

const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i & 0xff);

describe('answer to reset', () => {
  test.each(PROFILES)('%s: bytes and timing', (profile) => {
    const t = new RawTerminal(profile, 'link.elf');
    const atr = t.atr();
    const ifsc = profile === 'c2000' ? 0x20 : 0xfe;
    expect(hex(atr.slice(0, -1))).toBe(`3b 97 95 80 31 ${hex([ifsc])} 25 80 31 80 73 80 01 80`);
    expect(atr.slice(1).reduce((a, b) => a ^ b, 0)).toBe(0);
    const start = t.characters[0].start;
    expect(start).toBeGreaterThanOrEqual(t.clocks(400));
    expect(start).toBeLessThanOrEqual(t.clocks(40_000));
    expect(t.receiveAll()).toEqual([]);
    clean(t);
  });

  test('the same ATR on a warm reset, in the middle of an EEPROM operation', () => {
    const t = new RawTerminal('c2010', 'link.elf');
    const cold = t.atr();
    t.wait(20_000);
    const end = t.chip.eeprom.endOfOperation;
    expect(end).toBeGreaterThan(t.chip.now);
    expect(end).toBeLessThan(Infinity);
    t.chip.warmReset();
    const now = t.chip.now;
    expect(t.atr()).toEqual(cold);
    expect(t.characters[15].start - now).toBeGreaterThanOrEqual(t.clocks(400));
    expect(t.characters[15].start - now).toBeLessThanOrEqual(t.clocks(40_000));
    t.pps(1);
    expect(hex(t.apdu1(bytes('80 02 00 00 03 01 02 03 00')).out)).toBe('01 02 03 90 00');
    clean(t);
  });
});

describe('PPS', () => {
  test.each([
    [0, undefined, 'ff 00 ff'],
    [1, undefined, 'ff 01 fe'],
    [0, 0x95, 'ff 10 95 7a'],
    [1, 0x95, 'ff 11 95 7b'],
    [1, 0x18, 'ff 01 fe'],
    [1, 0x96, 'ff 01 fe'],
    [1, 0x14, 'ff 11 14 fa'],
  ] as const)('protocol %i, PPS1 %s', (protocol, pps1, answer) => {
    const t = new RawTerminal('c2010', 'link.elf');
    t.atr();
    expect(hex(t.pps(protocol, pps1).concat(t.receiveAll()))).toBe(answer);
    clean(t);
  });

  test('PPS2 and PPS3 are not echoed', () => {
    const t = new RawTerminal('c2010', 'link.elf');
    t.atr();
    t.send(bytes('ff 71 95 00 00 1a'));
    expect(t.receiveAll()).toEqual([]);
    t.send(bytes('ff 71 95 00 00 1b'));
    expect(hex(t.receiveAll())).toBe('ff 11 95 7b');
    clean(t);
  });

  test.each(['ff 02 fd', 'ff 01 00', 'ff 81 7e'])('%s is not answered, a good request afterwards is', (request) => {
    const t = new RawTerminal('c2010', 'link.elf');
    t.atr();
    t.send(bytes(request));
    expect(t.receiveAll()).toEqual([]);
    expect(hex(t.pps(1))).toBe('ff 01 fe');
    clean(t);
  });

  test('half a request is forgotten after the initial waiting time', () => {
    const t = new RawTerminal('c2010', 'link.elf');
    t.atr();
    t.send([0xff, 0x11]);
    t.wait(t.chip.link.etus(9700));
    expect(hex(t.pps(1, 0x95))).toBe('ff 11 95 7b');
    clean(t);
  });
});

describe('T=0', () => {
  const start = (profile = 'c2010', fast = false): RawTerminal => {
    const t = new RawTerminal(profile, 'link.elf');
    t.atr();
    if (fast) t.pps(0, 0x95, [512, 16]);
    return t;
  };

  test.each([['c2000', false], ['c2010', false], ['modern', false], ['c2000', true], ['c2010', true], ['modern', true]] as const)(
    '%s, 32 clocks per etu %s: cases 1 to 4',
    (profile, fast) => {
      const t = start(profile, fast);
      expect(hex(t.apdu0(bytes('80 04 00 00 00')).out)).toBe('90 00');
      expect(hex(t.apdu0(bytes('80 04 00 05 00')).out)).toBe('6c 05');
      expect(hex(t.apdu0(bytes('80 04 00 05 05'), [], 5).out)).toBe('00 01 02 03 04 90 00');
      expect(hex(t.apdu0(bytes('80 08 20 00 02'), [7, 8]).out)).toBe('90 00');
      expect(hex(t.apdu0([0x80, 0x02, 0, 0, 255], count(255)).out)).toBe('61 ff');
      expect(hex(t.apdu0(bytes('00 C0 00 00 00')).out)).toBe('6c ff');
      const { out } = t.apdu0(bytes('00 C0 00 00 FF'), [], 255);
      expect(out).toEqual([...count(255), 0x90, 0x00]);
      clean(t);
    },
  );

  test('long answers in pieces, dropped by another command', () => {
    const t = start();
    expect(t.apdu0(bytes('80 04 02 04 00'), [], 256).out).toEqual([...count(256), 0x61, 0x00]);
    expect(t.apdu0(bytes('00 C0 00 00 F0'), [], 240).out).toEqual([...count(240), 0x61, 0x14]);
    expect(t.apdu0(bytes('00 C0 00 00 00')).out).toEqual([0x6c, 0x14]);
    expect(t.apdu0(bytes('00 C0 00 00 14'), [], 20).out).toEqual([...count(260).slice(240), 0x90, 0x00]);
    expect(hex(t.apdu0(bytes('00 C0 00 00 00')).out)).toBe('69 85');
    t.apdu0(bytes('80 04 02 04 00'), [], 256);
    t.apdu0(bytes('80 04 00 00 00'));
    expect(hex(t.apdu0(bytes('00 C0 00 00 00')).out)).toBe('69 85');
    expect(hex(t.apdu0(bytes('00 C0 01 00 00')).out)).toBe('6a 86');
    clean(t);
  });

  test('the answer behind 6Cxx is kept: the command is not carried out twice', () => {
    const t = start();
    expect(hex(t.apdu0(bytes('80 14 00 00 00')).out)).toBe('6c 01');
    expect(hex(t.apdu0(bytes('80 14 00 00 01'), [], 1).out)).toBe('01 90 00');
    expect(hex(t.apdu0(bytes('80 0A 01 00 00')).out)).toBe('6c 40');
    expect(hex(t.apdu0(bytes('80 0A 02 00 00')).out)).toBe('6c 40');
    clean(t);
  });

  test('chaining to the capacity, 6700 beyond it', () => {
    const t = start();
    for (let i = 0; i < 8; i++) expect(hex(t.apdu0([0x90, 0x12, 0, 0, 250], count(250)).out)).toBe('90 00');
    expect(hex(t.apdu0([0x80, 0x12, 0, 0, 48], count(48)).out)).toBe('61 03');
    expect(hex(t.apdu0(bytes('00 C0 00 00 03'), [], 3).out)).toBe('08 00 01 90 00');
    for (let i = 0; i < 8; i++) t.apdu0([0x90, 0x12, 0, 0, 250], count(250));
    expect(hex(t.apdu0([0x80, 0x12, 0, 0, 49]).out)).toBe('67 00');
    expect(hex(t.apdu0([0x80, 0x12, 0, 0, 1], [0]).out)).toBe('61 03');
    expect(hex(t.apdu0(bytes('00 C0 00 00 03'), [], 3).out)).toBe('00 01 00 90 00');
    clean(t);
  });

  test('a command that is not the continuation drops the chain', () => {
    const t = start();
    t.apdu0([0x90, 0x12, 0, 0, 10], count(10));
    t.apdu0(bytes('80 04 00 00 00'));
    t.apdu0([0x80, 0x12, 0, 0, 1], [0]);
    expect(hex(t.apdu0(bytes('00 C0 00 00 03'), [], 3).out)).toBe('00 01 00 90 00');
    clean(t);
  });

  test.each([['80 60 00 00 00', '6d 00'], ['80 9A 00 00 05', '6d 00'], ['00 A4 04 00 00', '6e 00'], ['80 FE 00 00 00', '6d 00']])(
    '%s is answered %s',
    (header, sw) => {
      const t = start();
      expect(hex(t.apdu0(bytes(header)).out)).toBe(sw);
      clean(t);
    },
  );

  test('NULL while working: never longer silent than the waiting time', () => {
    const t = start('c2000');
    const { out, nulls } = t.apdu0(bytes('80 06 40 00 01'), [9]);
    expect(hex(out)).toBe('61 01');
    expect(nulls).toBeGreaterThan(4);
    const edges = t.characters.slice(15).map((character) => character.start);
    const gaps = edges.slice(1).map((edge, i) => edge - edges[i]);
    expect(Math.max(...gaps)).toBeLessThan(960 * 10 * 372);
    clean(t);
  });

  test.each([['c2000', true], ['modern', false]] as const)('%s: at least 16 etu between leading edges in opposite directions', (profile, fast) => {
    const t = start(profile, fast);
    const before = t.characters.length;
    const sent = t.send(bytes('80 04 00 00 00'));
    expect(hex(t.receive(2))).toBe('90 00');
    expect(t.characters[before].start - sent).toBeGreaterThanOrEqual(t.chip.link.etus(16));
    clean(t);
  });

  test('error signals: the card repeats, and takes a repeated character once', () => {
    const t = start();
    t.chip.link.reject(15);
    t.chip.link.reject(16);
    t.send(bytes('80 02 00'));
    t.send([0x00], { wrong: 0 });
    t.wait(t.chip.link.etus(4));
    expect(t.events.some((event) => event.kind === 'error-signal' && event.index === 3)).toBe(true);
    t.send([0x00, 0x02]);
    expect(hex(t.receive(3))).toBe('02 02 02');
    t.send([8, 9]);
    expect(hex(t.receiveAll())).toBe('61 02');
    expect(t.characters.slice(15, 18).map((character) => character.repeat)).toEqual([0, 1, 2]);
    expect(t.chip.violations).toEqual([]);
  });

  test('half a header, half of the data: forgotten after the waiting time', () => {
    const t = start('c2010');
    t.send(bytes('80 02 00'));
    t.wait(t.chip.link.etus(154_000));
    expect(hex(t.apdu0(bytes('80 04 00 00 00')).out)).toBe('90 00');
    t.send(bytes('80 02 00 00 05'));
    expect(t.receive(1)).toEqual([2]);
    t.send([1, 2]);
    t.wait(t.chip.link.etus(154_000));
    expect(hex(t.apdu0(bytes('80 04 00 00 00')).out)).toBe('90 00');
    clean(t);
  });
});

describe('T=1', () => {
  const start = (profile = 'c2010', fast = false, overrides: readonly string[] = []): RawTerminal => {
    const t = new RawTerminal(profile, 'link.elf', overrides);
    t.atr();
    t.pps(1, fast ? 0x95 : undefined, fast ? [512, 16] : undefined);
    return t;
  };

  test.each([['c2000', false], ['c2010', false], ['modern', false], ['c2000', true], ['c2010', true], ['modern', true]] as const)(
    '%s, 32 clocks per etu %s: cases 1 to 4, chaining both ways',
    (profile, fast) => {
      const t = start(profile, fast);
      expect(hex(t.apdu1(bytes('80 04 00 00')).out)).toBe('90 00');
      expect(hex(t.apdu1(bytes('80 04 00 05 00')).out)).toBe('00 01 02 03 04 90 00');
      expect(hex(t.apdu1(bytes('80 04 00 05 02')).out)).toBe('00 01 61 03');
      expect(hex(t.apdu1(bytes('00 C0 00 00 00')).out)).toBe('02 03 04 90 00');
      expect(hex(t.apdu1(bytes('80 08 20 00 02 07 08')).out)).toBe('90 00');
      expect(t.apdu1([0x80, 0x02, 0, 0, 255, ...count(255), 0]).out).toEqual([...count(255), 0x90, 0x00]);
      expect(hex(t.apdu1([0x80, 0x02, 0, 0, 255, ...count(255)]).out)).toBe('61 ff');
      expect(t.apdu1(bytes('00 C0 00 00 00')).out).toEqual([...count(255), 0x90, 0x00]);
      expect(t.apdu1(bytes('80 04 01 41 00')).out).toEqual([...count(256), 0x61, 0x41]);
      expect(t.apdu1(bytes('00 C0 00 00 41')).out).toEqual([...count(65), 0x90, 0x00]);
      clean(t);
    },
  );

  test('timing: the card keeps the block guard time and the character waiting time', () => {
    const t = start('c2010', true);
    const before = t.characters.length;
    const sent = t.send([0, 0, 5, ...bytes('80 04 00 30 00'), 0x80 ^ 4 ^ 0x30 ^ 5]);
    t.receiveAll();
    const edges = t.characters.slice(before).map((character) => character.start);
    expect(edges).toHaveLength(36);
    expect(edges[0] - sent).toBeGreaterThanOrEqual(t.chip.link.etus(22));
    const gaps = edges.slice(1).map((edge, i) => edge - edges[i]);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(t.chip.link.etus(11));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(t.chip.link.etus(43));
    clean(t);
  });

  test('IFSD and RESYNCH: longer blocks, and 32 again', () => {
    const t = start();
    expect(hex(t.block(0, 0xc1, [254]))).toBe('00 e1 01 fe');
    expect(t.apdu1(bytes('80 04 00 C8 00'), 32, 254).out).toHaveLength(202);
    expect(hex(t.block(0, 0xc0))).toBe('00 e0 00');
    t.resync();
    expect(t.apdu1(bytes('80 04 00 C8 00')).out).toHaveLength(202);
    expect(hex(t.block(0, 0xc1, [0]))).toBe('00 92 00');
    expect(hex(t.block(0, 0xc1, [255]))).toBe('00 92 00');
    expect(hex(t.block(0, 0xc1))).toBe('00 92 00');
    clean(t);
  });

  test.each([
    ['wrong EDC', '00 00 05 80 04 00 01 00 ff', '00 81 00'],
    ['NAD not 0', '21 00 05 80 04 00 01 00 a1', '00 82 00'],
    ['length 255', '00 00 ff 80 04', '00 82 00'],
    ['longer than told', '00 00 01 80 04 00 01 00 80', '00 81 00'],
    ['shorter than told', '00 00 07 80 04 00 01 00 82', '00 82 00'],
    ['one character', '00', '00 82 00'],
    ['reserved bits of an I-block', '00 01 05 80 04 00 01 00 81', '00 82 00'],
    ['wrong N(S)', '00 40 05 80 04 00 01 00 c0', '00 82 00'],
    ['unknown S-block', '00 c5 00 c5', '00 82 00'],
    ['S(WTX response) unasked', '00 e3 01 01 e3', '00 82 00'],
    ['R-block with INF', '00 80 01 00 81', '00 82 00'],
  ])('%s: R-block, then the right block is taken', (_name, garbage, answer) => {
    const t = start();
    t.send(bytes(garbage));
    expect(hex(t.receiveBlock())).toBe(answer);
    expect(hex(t.block(0, 0, bytes('80 04 00 01 00')))).toBe('00 00 03 00 90 00');
    clean(t);
  });

  test('wrong parity in T=1: R-block with EDC error', () => {
    const t = start();
    const block = [0, 0, 5, ...bytes('80 04 00 01 00'), 0x80];
    t.send(block, { wrong: 4 });
    expect(hex(t.receiveBlock())).toBe('00 81 00');
    expect(hex(t.block(0, 0, bytes('80 04 00 01 00')))).toBe('00 00 03 00 90 00');
    clean(t);
  });

  test('lost blocks: the card repeats what R asks for, within a chain too', () => {
    const t = start();
    const first = t.block(0, 0, bytes('80 04 00 30 00'));
    expect(first.slice(0, 3)).toEqual([0, 0x20, 32]);
    expect(t.block(0, 0x81)).toEqual(first);
    expect(t.block(0, 0x82)).toEqual(first);
    const second = t.block(0, 0x90);
    expect(second.slice(0, 3)).toEqual([0, 0x40, 18]);
    expect(t.block(0, 0x91)).toEqual(second);
    expect(hex(t.block(0, 0x40, bytes('80 14 00 00 00')))).toBe('00 00 03 01 90 00');
    clean(t);
  });

  test('lost acknowledgement: R is repeated, the link is not taken twice', () => {
    const t = start();
    expect(hex(t.block(0, 0x20, bytes('80 12 00 00 04')))).toBe('00 90 00');
    expect(hex(t.block(0, 0x80))).toBe('00 90 00');
    expect(hex(t.block(0, 0x20, bytes('80 12 00 00 04')))).toBe('00 92 00');
    expect(hex(t.block(0, 0x40, bytes('01 02 03 04 00')))).toBe('00 00 05 00 04 00 90 00');
    clean(t);
  });

  test('S(ABORT): chain of the terminal and of the card', () => {
    const t = start();
    t.block(0, 0x20, bytes('80 12 00 00 04 01'));
    expect(hex(t.block(0, 0xc2))).toBe('00 e2 00');
    expect(t.block(0, 0x40, bytes('80 04 00 30 00')).slice(0, 3)).toEqual([0, 0x20, 32]);
    expect(hex(t.block(0, 0xc2))).toBe('00 e2 00');
    expect(hex(t.block(0, 0, bytes('80 14 00 00 00')))).toBe('00 40 03 01 90 00');
    clean(t);
  });

  test.each(['80', '80 04 00', '80 02 00 00 05 01 02', '80 02 00 00 01 01 00 00', '80 02 00 00 00 00 01 07', '80 02 00 00 00 00 00'])(
    '%s: wrong length',
    (apdu) => {
      const t = start();
      expect(hex(t.apdu1(bytes(apdu)).out)).toBe('67 00');
      expect(hex(t.apdu1(bytes('80 14 00 00 00')).out)).toBe('01 90 00');
      clean(t);
    },
  );

  test.each([['c2000', 529, 640], ['c2010', 2048, 2048], ['modern', 2048, 2048], ['c2000 --set ram.bytes=3072', 1500, 1700]] as const)(
    '%s: chains to the capacity, %i to %i bytes, and 6700 beyond it',
    (name, least, most) => {
      const [profile, , set] = name.split(' ');
      const t = start(profile, true, set === undefined ? [] : [set]);
      const [high, low] = t.apdu1(bytes('80 16 00 00 00')).out;
      const capacity = high * 256 + low;
      expect(capacity).toBeGreaterThanOrEqual(least);
      expect(capacity).toBeLessThanOrEqual(most);
      const chain = (last: number): string => {
        for (let left = capacity; left > 250; left -= 250) expect(hex(t.apdu1([0x90, 0x12, 0, 0, 250, ...count(250)]).out)).toBe('90 00');
        return hex(t.apdu1([0x80, 0x12, 0, 0, last, ...count(last), 0]).out);
      };
      const rest = ((capacity - 1) % 250) + 1;
      expect(chain(rest)).toBe(`${hex([high, low])} 01 90 00`);
      expect(chain(rest + 1)).toBe('67 00');
      expect(hex(t.apdu1([0x80, 0x12, 0, 0, 1, 0, 0]).out)).toBe('00 01 00 90 00');
      expect(t.chip.usage().stackLow).toBeGreaterThan(0x20000000 + capacity);
      clean(t);
    },
  );

  test('S(WTX) while working: each silence below the block waiting time', () => {
    const t = start('c2000', true);
    const { out, waits } = t.apdu1(bytes('80 06 20 00 02 08 09 00'));
    expect(hex(out)).toBe('08 09 90 00');
    expect(waits).toBeGreaterThanOrEqual(8);
    const edges = t.characters.slice(15).map((character) => character.start);
    expect(Math.max(...edges.slice(1).map((edge, i) => edge - edges[i]))).toBeLessThan(4 * 960 * 372);
    clean(t);
  });

  test('S(WTX): asked again after a wrong answer, and after R', () => {
    const t = start('c2010');
    t.send([0, 0, 6, ...bytes('80 06 80 00 01 05'), 0x80 ^ 6 ^ 0x80 ^ 1 ^ 5 ^ 6]);
    expect(hex(t.receiveBlock())).toBe('00 c3 01 01');
    expect(hex(t.block(0, 0xe3, [2]))).toBe('00 c3 01 01');
    expect(hex(t.block(0, 0x80))).toBe('00 c3 01 01');
    t.send([0, 0xe3, 1, 1, 0]);
    expect(hex(t.receiveBlock())).toBe('00 c3 01 01');
    t.send([0, 0xe3, 1, 1, 0xe3], { wrong: 2 });
    expect(hex(t.receiveBlock())).toBe('00 c3 01 01');
    let answer = t.block(0, 0xe3, [1]);
    while (answer[1] === 0xc3) answer = t.block(0, 0xe3, [1]);
    expect(hex(answer)).toBe('00 00 02 61 01');
    clean(t);
  });

  test('RESYNCH instead of S(WTX response): answered when the work is done, the answer is dropped', () => {
    const t = start('c2010');
    t.send([0, 0, 6, ...bytes('80 06 80 00 01 05'), 0x80 ^ 6 ^ 0x80 ^ 1 ^ 5 ^ 6]);
    expect(hex(t.receiveBlock())).toBe('00 c3 01 01');
    expect(hex(t.block(0, 0xc0))).toBe('00 e0 00');
    t.resync();
    expect(hex(t.apdu1(bytes('00 C0 00 00 00')).out)).toBe('69 85');
    clean(t);
  });
});

describe('hostile input', () => {
  /** Same numbers everywhere (mulberry32). */
  const numbers = (seed: number): ((below: number) => number) => {
    let state = seed;
    return (below) => {
      state = (state + 0x6d2b79f5) | 0;
      let z = Math.imul(state ^ (state >>> 15), 1 | state);
      z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
      return ((z ^ (z >>> 14)) >>> 0) % below;
    };
  };

  test.each([1, 2, 3, 4])('T=1, seed %i: 150 pieces of garbage, each answered, RESYNCH works, nothing is written', (seed) => {
    const draw = numbers(seed);
    const t = new RawTerminal('c2010', 'link.elf');
    t.atr();
    t.pps(1, 0x95, [512, 16]);
    t.wait(t.clocks(20_000));
    const writes = t.chip.eeprom.writes.length;
    for (let i = 0; i < 150; i++) {
      const length = draw(4) === 0 ? draw(300) : draw(12);
      const inf = Array.from({ length }, () => draw(256));
      const body = draw(3) === 0 ? inf : [draw(8) === 0 ? draw(256) : 0, draw(256), draw(6) === 0 ? draw(256) : Math.min(length, 255), ...inf.slice(0, 255)];
      // 08, 0C and 0E change the memory of the test image
      if ((body[1] & 0x80) === 0 && [0x08, 0x0c, 0x0e].includes(body[4])) continue;
      t.send([...body, body.reduce((a, b) => a ^ b, draw(5) === 0 ? 1 : 0)], draw(5) === 0 ? { wrong: draw(body.length + 1) } : {});
      expect(t.receive(1).length, hex(body)).toBe(1);
      t.receiveAll(60);
      if (i % 10 === 9) {
        expect(hex(t.block(0, 0xc0))).toBe('00 e0 00');
        t.resync();
        expect(hex(t.apdu1(bytes('80 04 00 02 00')).out)).toBe('00 01 90 00');
      }
    }
    expect(t.chip.eeprom.writes).toHaveLength(writes);
    clean(t);
  });

  test.each([1, 2])('T=0, seed %i: random headers, each answered or given up within the waiting time', (seed) => {
    const draw = numbers(seed);
    const t = new RawTerminal('c2010', 'link.elf');
    t.atr();
    t.pps(0, 0x95, [512, 16]);
    for (let i = 0; i < 200; i++) {
      const header = [draw(3) === 0 ? draw(256) : 0x80, draw(256), draw(3), draw(256), draw(256)];
      if ([0x06, 0x08, 0x0c, 0x0e].includes(header[1])) continue;
      const cut = draw(4) === 0 ? 1 + draw(4) : 5;
      t.send(header.slice(0, cut));
      const answer = t.receiveAll(60);
      expect(answer.length > 0, hex(header)).toBe(cut === 5);
      if (answer.length < 2) t.wait(t.chip.link.etus(154_000));
    }
    expect(hex(t.apdu0(bytes('80 04 00 00 00')).out)).toBe('90 00');
    clean(t);
  });
});
