import { expect, test } from 'vitest';
import { lostPages, sourceClaims } from './claims.js';
import { frames } from './registry.js';

test('the 44 claims in order, each with a text and an embodiment that realises it', () => {
  expect(sourceClaims.map(({ number }) => number)).toEqual(Array.from({ length: 44 }, (_, at) => at + 1));
  expect(sourceClaims.filter(({ text, embodiments }) => text.length < 20 || embodiments.length === 0)).toEqual([]);
  expect(new Set(sourceClaims.map(({ text }) => text)).size).toBe(44);
  expect(lostPages.map(({ rule }) => rule)).toEqual(['source-65']);
});

test('a scenario covers only claims that its embodiment realises', () => {
  const strange = frames.flatMap(({ id, system, embodiment, covers }) =>
    covers.filter((number) => system !== 'backup' || !sourceClaims[number - 1].embodiments.includes(embodiment)).map((number) => `${id}: ${number}`));
  expect(strange).toEqual([]);
});
