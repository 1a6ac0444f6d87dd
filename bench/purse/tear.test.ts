import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadImage, loadProfile } from '../../emulator/index.js';
import { purseCutPoints } from '../../scenarios/index.js';
import { WorldFactory } from '../certify/factory.js';
import type { TestSetup } from '../certify/factory.js';
import { memoOps } from '../codec/index.js';
import { replayCardCuts, sampleCardCuts } from './cut-campaign.js';
import { cardCaseId, parseCardCase } from './cut-case.js';
import { emulatedCards, PurseFactory } from './factory.js';
import { fakeSlot, FakePurse } from './testing/fake-purse.js';
import type { Flaw } from './testing/fake-purse.js';

const setup: TestSetup = { image: loadImage(readFileSync(new URL('../../devices/firmware/images/card.elf', import.meta.url))), profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' };
const ops = memoOps(undefined, 100_000);
const fakes = (...flaws: Flaw[]): PurseFactory => new PurseFactory(1, ops, (role) => Promise.resolve(fakeSlot(new FakePurse(role === 'payer' ? 11 : 12, flaws, ops))));

describe('case ids', () => {
  const one = { firmware: '01234567', chip: 'c2010', protocol: 'T=1', seed: 7, point: 'purse-1-transfer-C-03', cuts: [{ card: 'payer', tick: 5 }, { card: 'payee', tick: 9 }], policy: 'random-2' } as const;

  test('hold everything and can be read back', () => {
    expect(cardCaseId(one)).toBe('cards:01234567:c2010:T=1:7:purse-1-transfer-C-03:payer@5+payee@9:random-2');
    expect(parseCardCase(cardCaseId(one))).toEqual(one);
  });

  test.each([cardCaseId(one).slice(1), cardCaseId(one).replace('payee', 'payer'), cardCaseId(one).replace('payee', 'third'), `${cardCaseId(one)} `, 'cut:01234567:c2010:T=1:7:x:5:new'])('%j is none', (text) => {
    expect(() => parseCardCase(text)).toThrow(expect.objectContaining({ code: 'TEAR_CASE' }));
  });
});

describe('sampled cuts of fakes', () => {
  test.each(purseCutPoints)('$id: an honest pair of cards withstands them', async (point) => {
    expect(await sampleCardCuts(point, fakes(), setup, { cases: 40, seed: 3 })).toMatchObject({ cases: 40, unfired: [], failures: [] });
  });

  test.each([['debits-late', 'C-01'], ['keeps-challenge', 'C-02'], ['credits-before-answer', 'C-02'], ['pays-twice', 'C-01'], ['forgets-entry', 'C-02']] as const)('a card with the flaw %s is caught', async (flaw, group) => {
    const point = purseCutPoints.filter(({ id }) => id.endsWith(group))[0];
    const caught = await sampleCardCuts(point, fakes(flaw), setup, { cases: 60, seed: 3 }).then(({ failures }) => failures.length, (error: unknown) => (error as { code: string }).code);
    expect(caught === 'TEAR_RUN' || Number(caught) > 0).toBe(true);
  });
});

describe('sampled cuts on the emulated chip', () => {
  const worlds = new WorldFactory(setup);
  const factory = new PurseFactory(1, worlds.ops, emulatedCards(setup, worlds));

  test('value is conserved over cuts on either card and pairs of cuts, and a case can be run again', async () => {
    for (const point of purseCutPoints) {
      const report = await sampleCardCuts(point, factory, setup, { cases: 4, seed: 5 });
      expect([point.id, report.unfired, report.failures]).toEqual([point.id, [], []]);
      expect(report.memories).toBeGreaterThanOrEqual(3);
    }
    const again = await sampleCardCuts(purseCutPoints[2], factory, setup, { cases: 2, seed: 5 });
    const other = new WorldFactory(setup);
    expect(await sampleCardCuts(purseCutPoints[2], new PurseFactory(1, other.ops, emulatedCards(setup, other)), setup, { cases: 2, seed: 5 })).toEqual(again);
    const id = 'cards:00000000:c2010:T=1:1:purse-1-transfer-C-03:payer@5:new';
    await expect(replayCardCuts(id, purseCutPoints, factory, setup)).rejects.toMatchObject({ code: 'TEAR_CASE' });
  }, 120_000);
});
