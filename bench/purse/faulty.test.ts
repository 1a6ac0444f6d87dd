import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadImage, loadProfile } from '../../emulator/index.js';
import { purseCutPoints } from '../../scenarios/index.js';
import { WorldFactory } from '../certify/factory.js';
import type { TestSetup } from '../certify/factory.js';
import { replayCardCuts, sampleCardCuts } from './cut-campaign.js';
import { emulatedCards, PurseFactory } from './factory.js';
import { runPursePoint } from './point.js';
import { pursePoint } from './runner.js';

function made(name: string): { readonly setup: TestSetup; readonly factory: PurseFactory } {
  const image = loadImage(readFileSync(new URL(`../../devices/firmware/images/faulty/${name}.elf`, import.meta.url)));
  const setup = { image, profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' } as const;
  const worlds = new WorldFactory(setup);
  return { setup, factory: new PurseFactory(1, worlds.ops, emulatedCards(setup, worlds)) };
}

test.each([
  ['purse-challenge-kept', 'purse-1-transfer-O-01', 'was answered 9000'],
  ['purse-pay-twice', 'purse-1-transfer-R-01', 'the payer holds more by -900'],
  ['purse-overdraft', 'purse-1-transfer-L-01', 'expected the end refused'],
  ['purse-no-ca', 'purse-1-transfer-K-01', 'RECEIVE was answered 9000'],
])('%s fails %s for its own reason', async (name, id, reason) => {
  const { verdict, reasons } = await runPursePoint(pursePoint(id), made(name).factory);
  expect(verdict).toBe('fail');
  expect(reasons.join('\n')).toContain(reason);
});

test.each([
  ['purse-debit-late', 'purse-1-transfer-C-01', 'V1'],
  ['purse-erase-first', 'purse-1-transfer-C-02', 'stuck'],
])('%s is caught by cuts of %s; a case can be run again', async (name, id, reason) => {
  const { setup, factory } = made(name);
  const [point] = purseCutPoints.filter((one) => one.id === id);
  const { failures } = await sampleCardCuts(point, factory, setup, { cases: 30, seed: 2 });
  const all = failures.flatMap(({ reasons }) => reasons);
  expect(all.join('\n')).toContain(reason);
  const [first] = failures;
  const { factory: another } = made(name);
  expect((await replayCardCuts(first.case, purseCutPoints, another, setup)).reasons).toEqual(first.reasons);
});
