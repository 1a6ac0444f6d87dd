import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isDeviceError } from '../errors.js';
import { chainOf, commandFields, encodeCommand, parseCommand } from './apdu.js';
import { crc16, edcOf, lrc } from './edc.js';
import { checkPpsResponse, ppsRequest } from './pps.js';
import { decodeBlock, describeBlock, encodeBlock } from './t1-block.js';
import type { T1Block } from './t1-block.js';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

describe('error detection codes', () => {
  test('CRC of ISO/IEC 13239: check value of 123456789', () => {
    expect(crc16(new TextEncoder().encode('123456789'))).toBe(0x906e);
    expect(edcOf('CRC', new TextEncoder().encode('123456789'))).toEqual([0x90, 0x6e]);
  });
  test('LRC', () => expect(lrc(hex('00C101FE'))).toBe(0x3e));
});

const bit = fc.constantFrom<0 | 1>(0, 1);
const inf = fc.uint8Array({ minLength: 0, maxLength: 254 });
const one = fc.integer({ min: 1, max: 254 }).map((n) => Uint8Array.of(n));
const none = fc.constant(new Uint8Array(0));
const blocks: fc.Arbitrary<T1Block> = fc.oneof(
  fc.record({ type: fc.constant('I' as const), nad: fc.constant(0), ns: bit, more: fc.boolean(), inf }),
  fc.record({ type: fc.constant('R' as const), nad: fc.constant(0), nr: bit, error: fc.constantFrom<0 | 1 | 2>(0, 1, 2) }),
  fc.record({ type: fc.constant('S' as const), nad: fc.constant(0), fn: fc.constantFrom('IFS' as const, 'WTX' as const), response: fc.boolean(), inf: one }),
  fc.record({ type: fc.constant('S' as const), nad: fc.constant(0), fn: fc.constantFrom('RESYNCH' as const, 'ABORT' as const), response: fc.boolean(), inf: none }),
);

describe('T=1 blocks', () => {
  test('decoding gives back what was encoded, with LRC and CRC', () => {
    fc.assert(fc.property(blocks, fc.constantFrom('LRC' as const, 'CRC' as const), (block, edc) => {
      expect(decodeBlock(encodeBlock(block, edc), edc)).toEqual(block);
    }));
  });

  test('one wrong bit anywhere is never the same block', () => {
    fc.assert(fc.property(blocks, fc.nat(), (block, n) => {
      const bytes = encodeBlock(block, 'LRC');
      bytes[Math.floor(n / 8) % bytes.length] ^= 1 << (n % 8);
      expect(typeof decodeBlock(bytes, 'LRC')).toBe('string');
    }));
  });

  test.each([
    ['00C101FE3E', 'S(IFS request FE)'],
    ['00E300E3', 'S(WTX response)'],
    ['0090' + '00' + '90', 'R(1)'],
    ['0081' + '00' + '81', 'R(0) EDC'],
    ['0060' + '00' + '60', 'I(1,1) 0'],
  ])('%s is %s', (text, shown) => {
    const block = decodeBlock(hex(text), 'LRC');
    if (shown === 'S(WTX response)') expect(block).toBe('length');
    else expect(typeof block === 'string' ? block : describeBlock(block)).toBe(shown);
  });

  test.each([
    ['00C400C4', 'pcb'], ['00830083', 'pcb'], ['00A000A0', 'pcb'], ['00110011', 'pcb'], ['0000FF', 'length'],
    ['00810100' + '80', 'length'], ['00000001', 'edc'],
  ])('%s is refused: %s', (text, fault) => expect(decodeBlock(hex(text), 'LRC')).toBe(fault));
});

describe('command APDUs', () => {
  test('cases 1 to 4', () => {
    expect(parseCommand(hex('00A40400'))).toEqual({ cla: 0, ins: 0xa4, p1: 4, p2: 0 });
    expect(parseCommand(hex('00B0000000'))).toEqual({ cla: 0, ins: 0xb0, p1: 0, p2: 0, le: 256 });
    expect(parseCommand(hex('00A4040002F001'))).toEqual({ cla: 0, ins: 0xa4, p1: 4, p2: 0, data: hex('F001') });
    expect(parseCommand(hex('00A4040002F00105'))).toEqual({ cla: 0, ins: 0xa4, p1: 4, p2: 0, data: hex('F001'), le: 5 });
  });

  test('encoding gives back what was parsed', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ maxLength: 255 }), fc.option(fc.integer({ min: 1, max: 256 })), (head, data, le) => {
      const fields = { cla: head[0], ins: head[1], p1: head[2], p2: head[3], ...(data.length ? { data } : {}), ...(le ? { le } : {}) };
      expect(parseCommand(encodeCommand(fields))).toEqual(fields);
    }));
  });

  test.each(['00', '00A40400000102', '00A4040005F001', '00A4040001F00000'])('%s: COMMAND_FORMAT', (text) => {
    expect(() => parseCommand(hex(text))).toThrow(expect.objectContaining({ code: 'COMMAND_FORMAT' }) as Error);
  });

  test('fields out of range: COMMAND_FORMAT', () => {
    const wrong = [{ cla: 256, ins: 0, p1: 0, p2: 0 }, { cla: 0, ins: -1, p1: 0, p2: 0 }, { cla: 0, ins: 0, p1: 0, p2: 0, le: 0 }];
    for (const fields of wrong) expect(() => commandFields(fields)).toThrow(expect.objectContaining({ code: 'COMMAND_FORMAT' }) as Error);
  });

  test('a long command becomes a chain whose last link alone has no chaining bit and has Le', () => {
    const links = chainOf({ cla: 0x80, ins: 0x14, p1: 1, p2: 1, data: new Uint8Array(600), le: 2 });
    expect(links.map((l) => [l.cla, l.data?.length, l.le])).toEqual([[0x90, 255, undefined], [0x90, 255, undefined], [0x80, 90, 2]]);
  });
});

describe('PPS', () => {
  test('request', () => {
    expect(ppsRequest(1, 0x95)).toEqual(hex('FF11957B'));
    expect(ppsRequest(1, 0x11)).toEqual(hex('FF01FE'));
  });

  test('the same answer, and one without PPS1, are taken', () => {
    const request = ppsRequest(1, 0x95);
    expect(checkPpsResponse(request, request)).toEqual({ protocol: 1, F: 512, D: 16 });
    expect(checkPpsResponse(request, hex('FF01FE'))).toEqual({ protocol: 1, F: 372, D: 1 });
  });

  test.each([
    ['FF11957A', /PCK/], ['FF10957A', /another protocol/], ['FF11967C'.replace('7C', '78'), /other rates/], ['FE01FF', /PPSS/], ['FF3195015A', /PPS2/],
  ])('%s is refused', (text, what) => {
    expect.assertions(2);
    try {
      checkPpsResponse(ppsRequest(1, 0x95), hex(text));
    } catch (error) {
      expect(isDeviceError(error, 'CARD_PROTOCOL')).toBe(true);
      expect((error as Error).message).toMatch(what);
    }
  });
});
