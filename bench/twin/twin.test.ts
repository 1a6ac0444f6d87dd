import { readFileSync } from 'node:fs';
import { sha256 } from '@noble/hashes/sha2.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadImage, loadProfile } from '../../emulator/index.js';
import type { EmulatedCard } from '../../devices/index.js';
import { checkTwin, checkTwinChange, primaryCards, runDefinition, steps, twinCutPoints, twinPlan } from '../../scenarios/index.js';
import type { AbstractTwinWorld, TwinFunction, TwinTable } from '../../scenarios/index.js';
import { WorldFactory } from '../certify/factory.js';
import { concat, textBytes } from '../codec/index.js';
import { decode } from '../nvm/index.js';
import { emulatedTwinCards, TwinFactory } from './factory.js';
import { cardPins } from './commands.js';
import { runTwinPoint } from './point.js';
import { twinScenarios } from './world.js';
import type { TwinWorld } from './world.js';

const setup = { image: loadImage(readFileSync(new URL('../../devices/firmware/images/card.elf', import.meta.url))), profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' as const };
const worlds = new WorldFactory(setup);
let factory: TwinFactory;

beforeAll(() => { factory = new TwinFactory(1, emulatedTwinCards(setup, worlds)); });

describe('the plan on the reference firmware', () => {
  test('ids are given once, what is wrong is tried at least as often as what is right, and every step has its points', () => {
    const ids = [...twinPlan.points, ...twinCutPoints].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const negative = twinPlan.points.filter((point) => point.negative).length;
    expect(negative).toBeGreaterThanOrEqual(twinPlan.points.length - negative);
    for (const phase of ['start', 'backup', 'promote', 'restore']) {
      const named = new Set(twinPlan.points.filter(({ scenario }) => scenario === `twin/1/${phase}`).flatMap(({ clause }) => clause.steps as readonly string[]));
      expect(steps(1, phase, 'twin').map(({ id }) => id).filter((id) => !named.has(id))).toEqual([]);
    }
  });

  test.each(twinPlan.points.map((point) => [point.id, point.title, point] as const))('%s %s', async (_id, _title, point) => {
    const { verdict, reasons } = await runTwinPoint(point, factory);
    expect({ verdict, reasons }).toEqual({ verdict: 'pass', reasons: [] });
  });
});

describe('evidence', () => {
  const evidenceOf = async (state: 'issued' | 'backed-up' | 'withdrawn', run: TwinFunction): Promise<Readonly<Record<string, readonly string[]>>> => {
    const world = await factory.world({ state });
    const seen: Record<string, readonly string[]> = {};
    await world.run({ function: run }, (event) => { if (event.type === 'step' && event.evidence.outcome === 'done') seen[event.evidence.step] = event.evidence.kinds; });
    return seen;
  };

  test('cards mark what they do, the device shows what it does', async () => {
    const [link, device, both] = [['link', 'mark'], ['safe'], ['mark', 'safe']];
    expect(await evidenceOf('issued', 'backup')).toEqual({
      101: device, 102: device, 103: device, 104: device, 105: link, 106: link, 107: device,
      301: link, 302: link, 303: link, 304: link, 305: link, 306: link, 307: link, 308: link, 309: device, 310: link, 311: device,
    });
    expect(await evidenceOf('backed-up', 'promote')).toMatchObject({ 108: link, 401: link, 402: link, 403: link, 404: link, 405: device, 406: link, 407: both, 410: device });
    expect(await evidenceOf('withdrawn', 'restore')).toMatchObject({ 501: link, 502: link, 508: link, 509: link, 510: device, 511: link, 507: device });
  });

  test('a copy that only one of two cards has marked is not done', async () => {
    const world = await factory.world({});
    const seen: string[] = [];
    const copy = world.device.copy.bind(world.device);
    const ports = { device: { ...world.ports.device, copy: async () => { const outcome = await copy(); return { ...outcome, marks: outcome.marks.slice(0, 1) }; } } };
    await world.phase('start', { function: 'backup' });
    const { cause, step, evidence } = await runDefinition(twinScenarios.backup, { ports, options: { function: 'backup' } });
    seen.push(...evidence.filter(({ outcome }) => outcome === 'done').map((one) => one.step));
    expect([cause, step, seen.includes('310')]).toEqual(['unexpected', '310', false]);
  });
});

describe('the memory, read from docs/twin.md alone', () => {
  const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes).replace(/\0+$/, '');

  /** The four pages of the applet. */
  function areaOf(world: TwinWorld, card: 'A' | 'B' | 'C'): Uint8Array {
    const { bytes } = (world.bench.slot(card).channel as EmulatedCard).chip.eeprom;
    const first = decode(bytes).superblock?.areas.find(({ applet }) => applet === 'twin')?.firstPage ?? 0;
    return bytes.slice(first * 64, (first + 4) * 64);
  }

  const fields = (area: Uint8Array) => ({
    life: area[0], tries: area[1], balance: area[4] | (area[5] << 8), card: text(area.slice(8, 16)), primary: text(area.slice(16, 24)), secondary: text(area.slice(24, 32)),
    credit: text(area.slice(32, 40)), creditPin: text(area.slice(40, 48)), money: text(area.slice(48, 56)), list: Array.from({ length: area[64] }, (_, at) => text(area.slice(68 + at * 8, 76 + at * 8))),
  });

  test('figures 4 to 7, field by field, credit PIN included', async () => {
    const set = { life: 2, tries: 3, credit: '98765432', creditPin: '5309', money: 'Abcd-40' };
    const erased = { life: 2, credit: '', creditPin: '', money: '', balance: 0, primary: '', secondary: '' };
    const copied = await factory.world({ state: 'backed-up' });
    expect(fields(areaOf(copied, 'A'))).toEqual({ ...set, card: '1234567A', primary: '1234567A', secondary: '1234567B', list: [], balance: 10_000 });
    expect(fields(areaOf(copied, 'B'))).toEqual({ ...set, card: '1234567B', primary: '1234567A', secondary: '1234567B', list: [], balance: 0 });
    const invalid = await factory.world({ state: 'invalidated' });
    expect(fields(areaOf(invalid, 'A'))).toEqual({ ...erased, card: '1234567A', tries: 2, list: ['1234567A'] });
    const promoted = await factory.world({ state: 'promoted' });
    await promoted.run({ function: 'backup' });
    expect(fields(areaOf(promoted, 'B'))).toEqual({ ...set, card: '1234567B', primary: '1234567B', secondary: '1234567C', list: ['1234567A'], balance: 0 });
  });

  test('no PIN of a card lies in its memory in clear', async () => {
    const area = areaOf(await factory.world({}), 'A');
    expect(Buffer.from(area).includes(Buffer.from(cardPins['A']))).toBe(false);
    const salt = area.slice(128 + 4, 128 + 20);
    expect(Buffer.from(area.slice(128 + 20, 128 + 52))).toEqual(Buffer.from(sha256(concat(salt, textBytes(cardPins['A'])))));
  });
});

describe('what crosses', () => {
  test('neither card PIN nor credit PIN nor e-money id is on any line in clear', async () => {
    const crossed: number[] = [];
    factory.hooks = { exchanged: (_card, { command, answer }) => { crossed.push(...command, ...answer); } };
    const world = await factory.world({});
    await world.run({ function: 'backup' });
    factory.hooks = {};
    const all = Buffer.from(crossed);
    expect(all.length).toBeGreaterThan(500);
    for (const secret of [cardPins['A'], cardPins['B'], '5309', 'Abcd-40', '98765432']) expect(all.includes(Buffer.from(secret))).toBe(false);
  });

  test('T=0 carries the same system', async () => {
    const t0 = { ...setup, protocol: 'T=0' as const };
    const other = new TwinFactory(1, emulatedTwinCards(t0, new WorldFactory(t0)));
    for (const id of ['twin-1-backup-N-01', 'twin-1-promote-N-01', 'twin-1-restore-N-01', 'twin-1-backup-X-10', 'twin-1-promote-X-09'])
      expect([id, (await runTwinPoint(twinPlan.points.filter((point) => point.id === id)[0], other)).reasons]).toEqual([id, []]);
  });
});

describe('invariants', () => {
  const table = (card: string, primary: string, more: Partial<TwinTable> = {}): TwinTable =>
    ({ cardNumber: card, primaryNumber: primary, secondaryNumber: 'B', blackList: [], creditNumber: '', hasCreditPin: false, moneyId: '', balance: 0, tries: 3, ...more });
  const good: AbstractTwinWorld = {
    cards: [{ table: table('A', 'A', { balance: 70 }), accepted: true }, { table: table('B', 'A'), accepted: false }], device: { blackList: [], blocked: false },
    issuer: { blackList: [], accounts: [{ holder: 'A', issued: 100, spent: 30 }] },
  };
  const names = (world: AbstractTwinWorld): string[] => checkTwin(world).map(({ invariant }) => invariant);
  const cards = (...list: AbstractTwinWorld['cards']): AbstractTwinWorld => ({ ...good, cards: list });

  test('hold for a good world and are broken one by one', () => {
    expect(names(good)).toEqual([]);
    expect(primaryCards(good)).toEqual(['A']);
    expect(names(cards(good.cards[0], { table: table('B', 'B'), accepted: true }))).toEqual(['T1']);
    expect(names(cards({ table: table('A', 'B'), accepted: false }, good.cards[1]))).toEqual(['T1']);
    expect(names(cards(good.cards[0], { table: table('B', 'A'), accepted: true }))).toEqual(['T2']);
    expect(names(cards(good.cards[0], { table: table('B', 'A', { balance: 1 }), accepted: false }))).toEqual(['T3']);
    expect(names(cards({ table: table('A', 'A', { balance: 71 }), accepted: true }, good.cards[1]))).toEqual(['T4']);
    expect(names(cards({ table: table('A', '', { secondaryNumber: '', blackList: ['A'] }), accepted: false }, good.cards[1]))).toEqual([]);
  });

  test('a card that takes another one\'s place has black-listed it', () => {
    const promoted = (list: readonly string[]) => cards(good.cards[0], { table: table('B', 'B', { blackList: list }), accepted: true });
    expect(checkTwinChange(good, promoted(['A']))).toEqual([]);
    expect(checkTwinChange(good, promoted([])).map(({ invariant }) => invariant)).toEqual(['T5']);
  });
});
