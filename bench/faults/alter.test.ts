import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../codec/index.js';
import type { Alteration } from '../../scenarios/index.js';
import { alterObject, beforeSignature, withSignature } from './alter.js';

const object = 'E60C' + '960101' + 'E203800101' + '92020A0B';
const altered = (element: string, how: Alteration): string | undefined => {
  const out = alterObject(fromHex(object), element, how);
  return out && toHex(out);
};

describe('alterObject', () => {
  test.each<[string, Alteration, string]>([
    ['96', { how: 'flip', bit: 0 }, 'E60C960181E20380010192020A0B'],
    ['96', { how: 'flip', bit: -1 }, 'E60C960100E20380010192020A0B'],
    ['96', { how: 'set', bytes: 'AABB' }, 'E60D9602AABBE20380010192020A0B'],
    ['92', { how: 'add', amount: 1 }, 'E60C960101E20380010192020A0C'],
    ['92', { how: 'add', amount: 0xffff }, 'E60C960101E20380010192020A0A'],
    ['92', { how: 'truncate', bytes: 1 }, 'E60B960101E20380010192010A'],
    ['92', { how: 'extend', bytes: 2 }, 'E60E960101E20380010192040A0B0000'],
    ['E2/80', { how: 'set', bytes: '' }, 'E60B960101E202800092020A0B'],
    ['E2', { how: 'remove' }, 'E607960101' + '92020A0B'],
    ['96', { how: 'duplicate' }, 'E60F960101960101E20380010192020A0B'],
    ['96', { how: 'reorder', with: 'next' }, 'E60CE20380010196010192020A0B'],
    ['96', { how: 'length-form', form: '81' }, 'E60D96810101E20380010192020A0B'],
    ['96', { how: 'length-form', form: '82' }, 'E60E9682000101E20380010192020A0B'],
    ['whole', { how: 'truncate', bytes: 1 }, 'E60C960101E20380010192020A'],
    ['whole', { how: 'set', bytes: 'E6' }, 'E6'],
    ['whole', { how: 'duplicate' }, object + object],
    ['trailing', { how: 'set', bytes: '00' }, `${object}00`],
    ['trailing', { how: 'extend', bytes: 2 }, `${object}0000`],
  ])('%s %o', (element, how, expected) => {
    expect(altered(element, how)).toBe(expected);
  });

  test.each<[string, Alteration]>([
    ['97', { how: 'flip', bit: 0 }],
    ['96', { how: 'flip', bit: 8 }],
    ['96', { how: 'set', bytes: '01' }],
    ['92', { how: 'truncate', bytes: 3 }],
    ['92', { how: 'reorder', with: 'next' }],
    ['E2/81', { how: 'remove' }],
  ])('says that %s %o would alter nothing', (element, how) => {
    expect(altered(element, how)).toBeUndefined();
  });

  test('takes objects apart that are already out of form', () => {
    const long = fromHex('E60D' + '96810101' + 'E203800101' + '92020A0B');
    expect(toHex(beforeSignature(long))).toBe('96810101E203800101');
    expect(toHex(withSignature(long, fromHex('CCDD')))).toBe('E60D96810101E2038001019202CCDD');
  });
});
