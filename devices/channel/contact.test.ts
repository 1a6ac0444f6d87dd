import { describe, expect, test } from 'vitest';
import { isDeviceError } from '../errors.js';
import type { DeviceErrorCode } from '../errors.js';
import { FAKE_ATR, FakeCard, withTck } from '../iso7816/testing/fake-card.js';
import type { FakeCardOptions } from '../iso7816/testing/fake-card.js';
import type { PatternApp } from '../iso7816/testing/fake-app.js';
import { pattern } from '../iso7816/testing/fake-app.js';
import { ContactChannel } from './contact.js';
import type { ContactOptions } from './contact.js';
import { DisturbedPort } from './fault.js';
import type { LinkFault } from './fault.js';
import type { Protocol } from './types.js';

interface Setup {
  readonly card: FakeCard;
  readonly port: DisturbedPort;
  readonly channel: ContactChannel;
  readonly blocks: string[];
  readonly lines: string[];
}

/** A channel to a fake card; faults count from after `open`. */
function make(protocol: Protocol, card: FakeCardOptions = {}, options: ContactOptions = {}): Setup {
  const fake = new FakeCard(card);
  const port = new DisturbedPort(fake, []);
  const channel = new ContactChannel(port, { protocol, ...options });
  const blocks: string[] = [];
  const lines: string[] = [];
  channel.observe({
    block: (b) => blocks.push(`${b.direction === 'to-card' ? '>' : '<'} ${b.text}`),
    apdu: (e) => lines.push(e.line),
  });
  return { card: fake, port, channel, blocks, lines };
}

async function opened(protocol: Protocol, faults: readonly LinkFault[] = [], card: FakeCardOptions = {}, options: ContactOptions = {}): Promise<Setup> {
  const setup = make(protocol, card, options);
  await setup.channel.open();
  setup.blocks.length = 0;
  setup.port.arm(faults);
  return setup;
}

const give = (n: number) => ({ cla: 0x80, ins: 0xf2, p1: n >> 8, p2: n & 0xff, le: Math.min(n, 256) });
const echo = (data: Uint8Array) => ({ cla: 0x80, ins: 0xf0, p1: 0, p2: 0, data, le: 256 });

async function codeOf(work: Promise<unknown>): Promise<DeviceErrorCode | 'no error'> {
  try {
    await work;
    return 'no error';
  } catch (error) {
    if (!isDeviceError(error)) throw error;
    return error.code;
  }
}

describe.each(['T=0', 'T=1'] as const)('%s', (protocol) => {
  test('a clean card and a clean terminal: no complaint, no ISO finding', async () => {
    const { card, channel } = await opened(protocol);
    for (const n of [1, 32, 254, 255, 256]) {
      const reply = await channel.transmit(give(n));
      expect(reply).toMatchObject({ data: pattern(n), sw: 0x9000, findings: [] });
    }
    expect(card.complaints).toEqual([]);
    expect(channel.session?.findings.filter((f) => f.rule === 'ISO')).toEqual([]);
  });

  test('answers beyond 256 bytes are fetched by GET RESPONSE', async () => {
    const { channel } = await opened(protocol);
    const reply = await channel.transmit(give(1000));
    expect(reply).toMatchObject({ data: pattern(1000), sw: 0x9000 });
  });

  test('commands beyond 255 bytes are chained and arrive whole', async () => {
    const { card, channel } = await opened(protocol);
    const reply = await channel.transmit(echo(pattern(600)));
    expect(reply).toMatchObject({ data: pattern(600), sw: 0x9000 });
    expect((card.app as PatternApp).seen).toHaveLength(1);
    expect(card.complaints).toEqual([]);
  });

  test('a silent card: CARD_SILENT after the waiting time, the command may have been executed', async () => {
    const { card, channel } = await opened(protocol, [], { quirks: { mute: { from: protocol === 'T=1' ? 2 : 1 } } });
    const before = card.now();
    expect(await codeOf(channel.transmit(give(4)))).toBe('CARD_SILENT');
    expect(card.now() - before).toBeGreaterThan(9600 * 372);
  });

  test('a card that thinks too long without asking for time is late, with measured and permitted etu', async () => {
    const { channel } = await opened(protocol);
    const late = channel.transmit({ cla: 0x80, ins: 0xf6, p1: 18, p2: 0 });
    if (protocol === 'T=0') {
      expect(await codeOf(late)).toBe('CARD_LATE');
      expect(channel.takeFindings()).toContainEqual(expect.objectContaining({ code: 'WWT_EXCEEDED', rule: 'ISO', permittedEtu: 9600, measuredEtu: 18_016 }));
    } else {
      expect((await late).findings).toContainEqual(expect.objectContaining({ code: 'BWT_EXCEEDED', rule: 'ISO', permittedEtu: 15_371, measuredEtu: 18_022 }));
    }
  });

  test('a card that asks for time (NULL, S(WTX)) may think as long', async () => {
    const { channel } = await opened(protocol);
    const reply = await channel.transmit({ cla: 0x80, ins: 0xf6, p1: 18, p2: 2 });
    expect(reply).toMatchObject({ sw: 0x9000, findings: [] });
    expect(reply.endedAt.ms - reply.startedAt.ms).toBeGreaterThan((18_000 * 372) / 3571.2);
  });

  test('guard time and turnaround below the limit are findings with the measured etu', async () => {
    const quirks = { gapEtu: 10.5, turnaroundEtu: 10.2 };
    const { channel } = await opened(protocol, [], { quirks });
    const { findings } = await channel.transmit(give(2));
    expect(findings).toContainEqual(expect.objectContaining({ code: 'GUARD_SHORT', measuredEtu: 10.5, permittedEtu: 12 }));
    const code = protocol === 'T=0' ? 'TURNAROUND_SHORT' : 'BGT_SHORT';
    expect(findings).toContainEqual(expect.objectContaining({ code, permittedEtu: protocol === 'T=0' ? 16 : 22 }));
  });

  test('PPS settles the rates of TA1', async () => {
    const atr = withTck([0x3b, 0x90, 0x95, 0x80, 0x31, 0x40, 0x45]);
    const { card, channel } = make(protocol, { atr });
    expect(await channel.open()).toMatchObject({ F: 512, D: 16, protocol });
    expect(await channel.transmit(give(100))).toMatchObject({ sw: 0x9000 });
    expect(card.complaints).toEqual([]);
  });

  test('the same commands take the same cycles', async () => {
    const run = async () => {
      const { channel } = await opened(protocol);
      const reply = await channel.transmit(echo(pattern(300)));
      return [reply.startedAt, reply.endedAt];
    };
    expect(await run()).toEqual(await run());
  });

  test('state saved between exchanges can be taken back', async () => {
    const { channel } = await opened(protocol);
    await channel.transmit(give(3));
    const state = structuredClone(channel.save());
    await channel.close();
    expect(await codeOf(channel.transmit(give(3)))).toBe('CHANNEL_CLOSED');
    channel.load(state);
    expect(channel.session?.protocol).toBe(protocol);
    expect(channel.t1?.ns).toBe(protocol === 'T=1' ? 1 : undefined);
  });
});

describe('T=0 line', () => {
  test('data byte by byte (INS xor FF)', async () => {
    const { card, channel } = await opened('T=0', [], { quirks: { byteWise: true } });
    expect(await channel.transmit(echo(pattern(40)))).toMatchObject({ data: pattern(40), sw: 0x9000 });
    expect(card.complaints).toEqual([]);
  });

  test('6Cxx: the command is repeated with the right Le', async () => {
    const { channel, blocks } = await opened('T=0');
    expect(await channel.transmit({ ...give(7), le: 256 })).toMatchObject({ data: pattern(7), sw: 0x9000 });
    expect(blocks.filter((b) => b === '> 5 bytes')).toHaveLength(2);
  });

  test('wrong parity from the card draws the error signal and a repeat', async () => {
    const { channel, port } = await opened('T=0', [{ direction: 'from-card', unit: 'character', nth: 3, action: 'parity' }]);
    const reply = await channel.transmit(give(5));
    expect(reply).toMatchObject({ data: pattern(5), sw: 0x9000 });
    expect(reply.findings.map((f) => f.code)).toEqual(['PARITY_ERROR']);
    expect(port.fired).toHaveLength(1);
  });

  test('the card refuses a character of wrong parity, and gets it again', async () => {
    const { card, channel, port } = await opened('T=0', [{ direction: 'to-card', unit: 'character', nth: 3, action: 'parity' }]);
    const reply = await channel.transmit(give(5));
    expect(reply).toMatchObject({ data: pattern(5), sw: 0x9000 });
    expect(reply.findings.map((f) => f.code)).toEqual(['ERROR_SIGNAL']);
    expect(port.fired).toHaveLength(1);
    expect(card.complaints).toEqual([]);
  });

  test('four repeats in a row: CARD_LINK', async () => {
    const faults = [3, 4, 5, 6].map((nth) => ({ direction: 'to-card', unit: 'character', nth, action: 'parity' }) as const);
    const { channel, port } = await opened('T=0', faults);
    expect(await codeOf(channel.transmit(give(5)))).toBe('CARD_LINK');
    expect(port.fired).toHaveLength(4);
  });

  test('a byte that is no procedure byte: CARD_PROTOCOL', async () => {
    const { channel, port } = await opened('T=0', [{ direction: 'from-card', unit: 'character', nth: 1, action: 'alter', mask: 0xff ^ 0x20 }]);
    expect(await codeOf(channel.transmit(give(5)))).toBe('CARD_PROTOCOL');
    expect(port.fired).toHaveLength(1);
  });

  test('a lost character of the card ends in CARD_SILENT', async () => {
    const { channel, port } = await opened('T=0', [{ direction: 'from-card', unit: 'character', nth: 8, action: 'drop' }]);
    expect(await codeOf(channel.transmit(give(5)))).toBe('CARD_SILENT');
    expect(port.fired).toHaveLength(1);
  });

  test('a character of the card that comes too late: CARD_LATE', async () => {
    const { channel, port } = await opened('T=0', [{ direction: 'from-card', unit: 'character', nth: 4, action: 'delay', etu: 9700 }]);
    expect(await codeOf(channel.transmit(give(5)))).toBe('CARD_LATE');
    expect(port.fired).toHaveLength(1);
  });
});

const from = (action: LinkFault['action'], nth: number, more: Partial<LinkFault> = {}): LinkFault => ({ direction: 'from-card', unit: 'block', nth, action, ...more });
const to = (action: LinkFault['action'], nth: number, more: Partial<LinkFault> = {}): LinkFault => ({ direction: 'to-card', unit: 'block', nth, action, ...more });

describe('T=1 error recovery (ISO/IEC 7816-3, 11.6.3)', () => {
  const repaired: readonly [string, LinkFault, string][] = [
    ['wrong LRC from the card', from('alter', 1, { index: 4 }), '> R(0) EDC'],
    ['wrong parity from the card', from('parity', 1, { index: 1 }), '> R(0) EDC'],
    ['wrong N(S) from the card', { direction: 'from-card', unit: 'character', nth: 2, action: 'alter', mask: 0x40 }, '> R(0) EDC'],
    ['a lost character from the card', from('drop', 1, { unit: 'character', nth: 6 }), '> R(0) other'],
    ['a lost block from the card', from('drop', 1), '> R(0) other'],
    ['a late block from the card', from('delay', 1, { etu: 16_000 }), '> R(0) other'],
    ['a late character from the card', from('delay', 5, { unit: 'character', etu: 8300 }), '> R(0) other'],
    ['a doubled character from the card', from('duplicate', 3, { unit: 'character' }), '> R(0) EDC'],
    ['wrong LRC to the card', to('alter', 1, { index: 4 }), '< R(0) EDC'],
    ['wrong parity to the card', to('parity', 1, { index: 2 }), '< R(0) EDC'],
    ['a lost block to the card', to('drop', 1), '> R(0) other'],
  ];

  test.each(repaired)('%s is repaired', async (_name, fault, sign) => {
    const { card, channel, port, blocks } = await opened('T=1', [fault]);
    const reply = await channel.transmit(give(20));
    expect(reply).toMatchObject({ data: pattern(20), sw: 0x9000 });
    expect(port.fired).toHaveLength(1);
    expect(blocks).toContain(sign);
    expect((card.app as PatternApp).seen).toHaveLength(1);
  });

  test('late block and late character are findings with measured and permitted etu', async () => {
    const { channel } = await opened('T=1', [from('delay', 1, { etu: 16_000 }), from('delay', 30, { unit: 'character', etu: 8300 })]);
    const { findings } = await channel.transmit(give(20));
    expect(findings).toContainEqual(expect.objectContaining({ code: 'BWT_EXCEEDED', measuredEtu: 16_022, permittedEtu: 15_371 }));
    expect(findings).toContainEqual(expect.objectContaining({ code: 'CWT_EXCEEDED', measuredEtu: 8312, permittedEtu: 8203 }));
  });

  test('a doubled block of the card (old N(S)) is not taken for the next answer', async () => {
    const { channel, port } = await opened('T=1', [from('duplicate', 1)]);
    expect(await channel.transmit(give(20))).toMatchObject({ data: pattern(20) });
    const reply = await channel.transmit(give(9));
    expect(reply).toMatchObject({ data: pattern(9), sw: 0x9000 });
    expect(reply.findings).toContainEqual(expect.objectContaining({ code: 'BLOCK_REPEATED' }));
    expect(port.fired).toHaveLength(1);
  });

  test('a doubled block to the card is carried out once', async () => {
    const { card, channel, port } = await opened('T=1', [to('duplicate', 1)]);
    await channel.transmit(give(20));
    expect(await channel.transmit(give(9))).toMatchObject({ data: pattern(9), sw: 0x9000 });
    expect(port.fired).toHaveLength(1);
    expect((card.app as PatternApp).seen.map((c) => c.p2)).toEqual([20, 9]);
  });

  test('errors within chains both ways are repaired, and nothing is carried out twice', async () => {
    const faults = [to('alter', 2, { index: 9 }), from('alter', 4, { index: 1 }), from('drop', 9), to('drop', 11)];
    const { card, channel, port } = await opened('T=1', faults, {}, { ifsd: 40 });
    expect(await channel.transmit(echo(pattern(200)))).toMatchObject({ data: pattern(200), sw: 0x9000 });
    expect(port.fired).toHaveLength(4);
    expect((card.app as PatternApp).seen).toHaveLength(1);
  });

  test('three failures: RESYNCH, the command is given up, the next one works', async () => {
    const { channel, port, blocks } = await opened('T=1', [1, 2, 3].map((nth) => from('alter', nth, { index: 2, mask: 1 })));
    expect(await codeOf(channel.transmit(give(20)))).toBe('CARD_PROTOCOL');
    expect(port.fired).toHaveLength(3);
    expect(blocks.slice(-2)).toEqual(['> S(RESYNCH request)', '< S(RESYNCH response)']);
    expect(channel.takeFindings().map((f) => f.code)).toContain('RESYNCH');
    expect(await channel.transmit(give(20))).toMatchObject({ data: pattern(20), sw: 0x9000 });
  });

  test('no RESYNCH in three tries: the link is dead until reset', async () => {
    const faults = [1, 2, 3].map((nth) => from('alter', nth, { index: 2, mask: 1 }));
    const { channel, blocks } = await opened('T=1', faults, { quirks: { noResynch: true } });
    expect(await codeOf(channel.transmit(give(20)))).toBe('CARD_SILENT');
    expect(blocks.filter((b) => b === '> S(RESYNCH request)')).toHaveLength(3);
    expect(await codeOf(channel.transmit(give(20)))).toBe('CARD_LINK');
    await channel.reset('warm');
    expect(await channel.transmit(give(20))).toMatchObject({ sw: 0x9000 });
  });

  test('no block at all in three tries at the start: dead without RESYNCH (rule 7.4.1)', async () => {
    const { channel, blocks } = make('T=1', { quirks: { mute: { from: 1 } } });
    expect(await codeOf(channel.open())).toBe('CARD_SILENT');
    expect(blocks.filter((b) => b === '> S(IFS request FE)')).toHaveLength(3);
    expect(blocks.join()).not.toContain('RESYNCH');
  });

  test('S(IFS) and S(ABORT) of the card are answered', async () => {
    const ifs = await opened('T=1', [], { quirks: { announceIfsc: 20 } });
    await ifs.channel.transmit(give(3));
    expect(ifs.blocks).toEqual(expect.arrayContaining(['< S(IFS request 14)', '> S(IFS response 14)']));
    expect(ifs.channel.t1?.ifsc).toBe(20);
    const abort = await opened('T=1', [], { quirks: { abortChain: true } });
    expect(await abort.channel.transmit(echo(pattern(100)))).toMatchObject({ sw: 0x6f00 });
    expect(abort.blocks).toContain('> S(ABORT response)');
  });

  test('raw access: a block with a wrong LRC draws R, a block sent by hand its answer', async () => {
    const { channel } = await opened('T=1');
    await channel.raw.sendCharacters(Uint8Array.of(0, 0, 1, 0, 0xff));
    const refusal = await channel.raw.receiveCharacters(4);
    expect(refusal.map((c) => c.byte)).toEqual([0, 0x81, 0, 0x81]);
    await channel.raw.sendBlock({ type: 'S', nad: 0, fn: 'IFS', response: false, inf: Uint8Array.of(100) });
    const answer = await channel.raw.receiveCharacters(5);
    expect(answer.map((c) => c.byte)).toEqual([0, 0xe1, 1, 100, 0xe1 ^ 1 ^ 100]);
  });
});

describe('reset', () => {
  test.each<[string, FakeCardOptions, DeviceErrorCode | 'no error', string | undefined]>([
    ['in time', {}, 'no error', undefined],
    ['too early', { atrClocks: 300 }, 'no error', 'ATR_EARLY'],
    ['too late', { atrClocks: 41_000 }, 'CARD_LATE', undefined],
    ['not at all', { atrClocks: 10_000_000 }, 'CARD_SILENT', undefined],
    ['wrong TCK', { atr: Uint8Array.of(0x3b, 0x80, 0x01, 0x00) }, 'CARD_BAD_ATR', undefined],
    ['wrong TS', { atr: Uint8Array.of(0x3a, 0x00) }, 'CARD_BAD_ATR', undefined],
    ['ends early', { atr: FAKE_ATR.slice(0, 5) }, 'CARD_BAD_ATR', undefined],
    ['one wrong parity', { atrBadParity: 4 }, 'no error', 'PARITY_ERROR'],
    ['slow for EMV', { atrGapEtu: 2500 }, 'no error', 'ATR_SLOW'],
    ['slower than the initial waiting time', { atrGapEtu: 9700 }, 'CARD_LATE', undefined],
  ])('ATR %s', async (_name, options, code, finding) => {
    const { channel } = make('T=0', options);
    const found: string[] = [];
    channel.observe({ finding: (f) => found.push(f.code) });
    expect(await codeOf(channel.open())).toBe(code);
    if (finding) expect(found).toContain(finding);
  });

  test('a card of the inverse convention', async () => {
    const { channel } = make('T=0', { atr: Uint8Array.of(0x3f, 0x00) });
    expect((await channel.open()).atr.convention).toBe('inverse');
  });

  test('a protocol that is not offered: DEVICE_UNSUPPORTED', async () => {
    const { channel } = make('T=1', { atr: Uint8Array.of(0x3b, 0x00) });
    expect(await codeOf(channel.open())).toBe('DEVICE_UNSUPPORTED');
  });
});

describe('log', () => {
  test('APDU lines; PIN data is masked in lines, blocks and characters', async () => {
    const { channel, lines } = await opened('T=1');
    const seen: (number | undefined)[] = [];
    let shown = 0;
    channel.observe({ character: (c) => seen.push(c.byte), block: (b) => { shown += b.bytes ? 1 : 0; } });
    await channel.transmit(Uint8Array.from(Buffer.from('0020000104313233340'.slice(0, 18), 'hex')));
    expect(lines).toEqual(['A>> T=1 (4+0004) 00200001 04 ........', expect.stringMatching(/^A<< \(0000\+2\) \(\d+ ms\) 63C3$/)]);
    expect(seen.length).toBeGreaterThan(10);
    expect(seen.every((byte) => byte === undefined)).toBe(true);
    expect(shown).toBe(0);
    await channel.transmit(give(2));
    expect(lines.slice(2)).toEqual(['A>> T=1 (4+0000) 80F20002 02', expect.stringMatching(/^A<< \(0002\+2\) \(\d+ ms\) 0001 9000$/)]);
    expect(seen).toContain(0xf2);
  });
});
