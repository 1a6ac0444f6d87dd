import { expect, test } from 'vitest';
import { certifyOptions } from '../certify/options.js';
import { cardScenarios, cardTearArguments } from './tear-cards.js';

test('sampled cuts of a transfer are the cut points of certify', () => {
  const argv = cardTearArguments(['--scenario', 'purse/1/transfer', '--sample', '2000', '--seed', '3', '--jobs', '1', 'my.elf', '--json']);
  expect(certifyOptions(argv ?? [])).toMatchObject({
    image: 'my.elf', cuts: 2000, seed: 3, json: true, points: ['purse-1-transfer-C-01', 'purse-1-transfer-C-02', 'purse-1-transfer-C-03'],
  });
});

test('every system with cuts of its own is there', () => {
  expect(cardScenarios).toEqual([
    'member/1/register', 'member/1/trade', '11/condition', 'purse/1/transfer', 'purse/2/transfer', 'twin/1/backup', 'twin/1/promote', 'twin/1/restore',
  ]);
});

test.each([
  [['--scenario', 'purse/1/transfer']], [['--scenario', '1/backup', '--sample', '5']], [['--scenario', 'purse/1/transfer', '--sample', '5', '--depth', '2']], [['--sample', '5']],
])('%j is left to the cuts of one card', (argv) => {
  expect(cardTearArguments(argv)).toBeUndefined();
});
