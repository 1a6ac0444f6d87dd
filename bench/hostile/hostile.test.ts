import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { commands } from '../codec/index.js';
import { loadImage, loadProfile } from '../../emulator/index.js';
import type { Image } from '../../emulator/index.js';
import { Attack } from './attack.js';
import { GenuineRun, apdusOf } from './genuine.js';
import { failureText, hostileCampaign, replayHostile } from './index.js';
import type { HostileCampaign, HostileLevel, HostileReport, HostileSetup } from './index.js';
import { mutateData } from './mutate.js';
import { Oracle, statusProblem } from './oracle.js';
import { Prng } from './random.js';
import { SessionModel, namesWithin } from './session.js';
import { prove } from './stages.js';

const images = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'devices', 'firmware', 'images');
const image = (name: string) => loadImage(readFileSync(join(images, name)));

const setup = (
  level: HostileLevel, protocol: 'T=0' | 'T=1', seed: number, chip = 'c2010', name = chip === 'c2000' ? 'card-small.elf' : 'card.elf',
): HostileSetup => (
  { image: image(name), profile: loadProfile(chip), seed, protocol, level }
);

async function attack(count: number, ...how: Parameters<typeof setup>): Promise<HostileReport> {
  return (await hostileCampaign(setup(...how))).run(count);
}

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);

/** No failure, and the input went deep: every kind, refusals of every sort and commands carried out. */
function expectHeld(report: HostileReport, count: number, kinds: readonly string[], answers: readonly string[]): void {
  expect(report.failures.map(failureText)).toEqual([]);
  expect(report.inputs).toBe(count);
  expect(sum(report.kinds)).toBe(count);
  expect(Object.keys(report.kinds)).toEqual(kinds);
  expect(Object.keys(report.answers)).toEqual(expect.arrayContaining([...answers]));
  expect(report.verified).toBeGreaterThan(count * 0.45);
}

const commandKinds = ['chained', 'genuine', 'get-response', 'mutated', 'out-of-order', 'random', 'select', 'spliced', 'verify'];
const refusals = ['6700', '6982', '6985', '6A80', '6A82', '6A86', '6D00', '6E00'];

describe('10,000 hostile inputs to the reference firmware: no fault, no lockup, no changed value, every answer in time', () => {
  test('4,000 commands over T=1', async () => {
    expectHeld(await attack(4000, 'apdu', 'T=1', 1), 4000, commandKinds, ['9000', '63C2', '6983', ...refusals]);
  });

  test('3,000 exchanges of T=1 blocks', async () => {
    const answers = ['I-block', 'R-block', 'R-block EDC', 'R-block other', 'S(ABORT)', 'S(IFS)', 'S(RESYNCH)'];
    const report = await attack(3000, 'block', 'T=1', 2);
    expectHeld(report, 3000, ['blocks'], answers);
    expect(report.answers).not.toHaveProperty('silence');
    expect(report.answers).not.toHaveProperty('RESYNCH late');
  });

  test('1,500 commands over T=0', async () => {
    expectHeld(await attack(1500, 'apdu', 'T=0', 3), 1500, commandKinds, ['9000', ...refusals]);
  });

  test('1,500 inputs of single characters under T=0', async () => {
    const report = await attack(1500, 'character', 'T=0', 4);
    expectHeld(report, 1500, ['garbage', 'header', 'short-data'], ['silence', 'procedure byte', '6D00', '9000']);
    expect(report.resets).toBeLessThan(15);
  });
});

describe('the same on a card of the year 2000, whose memory is full in some sessions', () => {
  test('500 inputs of all levels', async () => {
    const reports = [
      await attack(250, 'apdu', 'T=1', 5, 'c2000'), await attack(150, 'block', 'T=1', 5, 'c2000'), await attack(100, 'character', 'T=0', 5, 'c2000'),
    ];
    expect(reports.flatMap(({ failures }) => failures).map(failureText)).toEqual([]);
    expect(reports.map(({ inputs }) => inputs)).toEqual([250, 150, 100]);
    expect(reports.reduce((inputs, { stages }) => inputs + (stages['full'] ?? 0), 0)).toBeGreaterThan(30);
  });
});

describe('the oracle sees what a faulty firmware does', () => {
  test.each([
    ['no-safe-signature', /REGISTER END accepted an object that nobody issued; certificate \d+ was issued by no safe/],
    ['foreign-certificate', /I7: card CB00000000000001 holds certificate \d+ of card CB00000000000002/],
    ['delete-pending', /value pending>none, by DELETE.*I5: pending value/],
    ['use-deposited', /deposited value used, by USE/],
    ['early-receipt', /GET RECEIPT of a certificate that is stored/],
  ])('%s', async (name, said) => {
    const campaign = await hostileCampaign(setup('apdu', 'T=1', 1, 'c2010', `faulty/${name}.elf`));
    const { failures: [failure] } = await campaign.run(10_000, 1);
    expect(failure?.problems.join('; ')).toMatch(said);
    expect(failureText(failure)).toContain(`replayHostile(1, ${failure.index})`);
  });

  test('a failure can be seen again from its seed and index alone', async () => {
    const faulty = setup('apdu', 'T=1', 1, 'c2010', 'faulty/delete-pending.elf');
    const { failures: [first] } = await (await hostileCampaign(faulty)).run(10_000, 1);
    expect(await replayHostile(first.seed, first.index, faulty)).toEqual(first);
    expect((await replayHostile(first.seed, first.index)).problems).toEqual([]);
  });
});

/** The reference image with Thumb instructions planted at the start of a function. */
function planted(at: string, ...code: readonly number[]): Image {
  const whole = image('card.elf');
  const address = whole.symbols.find(({ name }) => name === at)?.address;
  if (address === undefined) throw new Error(`no function ${at}`);
  const segments = whole.segments.map(({ address: from, data }) => {
    const copy = data.slice();
    if (address >= from && address < from + data.length)
      code.forEach((word, i) => { copy.set([word & 0xff, word >> 8], address - from + 2 * i); });
    return { address: from, data: copy };
  });
  return { ...whole, segments };
}

describe('the oracle sees what a firmware does that runs wild', () => {
  test.each([
    ['an endless loop', [0xe7fe], /more than 60 requests for time/],
    ['an undefined instruction', [0xde00], /CARD_FAULT|no block within BWT|not answer/],
    ['a store to the code', [0x2000, 0x6000], /violation/],
  ] as const)('%s in CANCEL', async (_name, code, said) => {
    const campaign = await hostileCampaign({ ...setup('apdu', 'T=1', 1), image: planted('cmd_cancel', ...code) });
    const { failures: [failure] } = await campaign.run(2000, 1);
    expect(failure?.problems.join('; ')).toMatch(said);
  }, 300_000);
});

describe('oracle and model', () => {
  let campaign: HostileCampaign;
  beforeAll(async () => { campaign = await hostileCampaign(setup('apdu', 'T=1', 7)); });

  test('the same seed gives the same inputs, another seed others', async () => {
    const other = await hostileCampaign(setup('apdu', 'T=1', 8));
    const inputs = Array.from({ length: 50 }, (_, i) => campaign.input(i));
    expect(Array.from({ length: 50 }, (_, i) => campaign.input(i))).toEqual(inputs);
    expect(Array.from({ length: 50 }, (_, i) => other.input(i))).not.toEqual(inputs);
    expect(await campaign.run(160)).toEqual(await campaign.run(160));
  });

  test('memory altered behind the back of the firmware is seen, and a card that has lost its power', async () => {
    const { world, stages, genuine } = await prove(setup('apdu', 'T=1', 7));
    const stage = stages.find(({ name, verified }) => name === 'rich' && verified);
    if (stage === undefined) throw new Error('no stage');
    const begin = (): Attack => {
      world.card.restore(stage.snapshot);
      const facts = { ops: world.parts.ops, cardId: world.cardId, genuine, safes: stage.safes };
      return new Attack(world.card, new Oracle(facts, world.memory(), stage.ledger), new SessionModel('T=1', true, '246810'));
    };
    const harmless = { kind: 'genuine', apdus: apdusOf(commands.getData('status')) } as const;
    expect(await begin().send(harmless)).toEqual({ problems: [], answers: ['9000'], reset: false });
    const altered = begin();
    world.card.chip.eeprom.bytes[4 * 64 + 4] ^= 1;
    expect((await altered.send(harmless)).problems.join('; ')).toMatch(/memory: |though refused|by GET DATA/);
    const stuck = begin();
    world.card.chip.powerCut('abrupt');
    expect((await stuck.send(harmless)).problems.join('; ')).toMatch(/CARD_/);
  });

  test.each([
    [0x6f00, 'READ', 'status word 6F00'], [0x6581, 'READ', 'without a worn cell'], [0x63c2, 'READ', 'another command than VERIFY'],
    [0x1234, undefined, 'not in the contract'],
  ] as const)('status word %i to %s is a finding', (sw, name, text) => {
    expect(statusProblem(sw, name)).toContain(text);
  });

  test('the session model puts chains together and knows when the PIN is needed', () => {
    const model = new SessionModel('T=1', false, '246810');
    expect(model.meaning(Uint8Array.of(0x90, 0x28, 0, 0, 2, 0x8b, 2))).toEqual({ what: 'link' });
    const read = model.meaning(Uint8Array.of(0x80, 0x28, 0, 0, 2, 0, 1, 0));
    if (read.what !== 'command') throw new Error('no command');
    expect(read.command).toEqual({ name: 'READ', p1: 0, p2: 0, data: Uint8Array.of(0x8b, 2, 0, 1) });
    expect(model.objection(read.command, true)).toBe('READ was carried out without the PIN');
    model.note({ name: 'VERIFY', p1: 0, p2: 1, data: new TextEncoder().encode('246810') }, true, false);
    expect(model.objection(read.command, true)).toBeUndefined();
    expect(model.objection({ ...read.command, name: 'VERIFY', data: new TextEncoder().encode('246811') }, true)).toBe('a wrong PIN was accepted');
    expect(model.meaning(Uint8Array.of(0x80, 0x28, 0))).toEqual({ what: 'nothing' });
    expect(namesWithin(Uint8Array.of(1, 0x80, 0x24, 0x90, 0x2a))).toEqual(['DELETE', 'USE']);
  });

  test('mutation changes data in most cases and never throws', () => {
    const random = new Prng(1, 1);
    const list = [commands.getReceipt(3), commands.useAmount(2, 100), commands.triesLeft()];
    const object = Uint8Array.of(0x8b, 2, 0, 3, 0xe2, 6, 0x80, 1, 1, 0x8a, 1, 7);
    const same = Array.from({ length: 2000 }, () => mutateData(object, random, list)).filter((data) => Buffer.from(data).equals(object));
    expect(same.length).toBeLessThan(200);
    expect(new GenuineRun().commands).toEqual([]);
  });
});
