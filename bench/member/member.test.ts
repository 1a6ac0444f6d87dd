import { readFileSync } from 'node:fs';
import { pbkdf2 } from '@noble/hashes/pbkdf2.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadImage, loadProfile } from '../../emulator/index.js';
import type { EmulatedCard } from '../../devices/index.js';
import { checkMember, checkMemberChange, memberPlan, runDefinition } from '../../scenarios/index.js';
import type { AbstractMemberWorld } from '../../scenarios/index.js';
import { WorldFactory } from '../certify/factory.js';
import { concat, nobleOps, openGcm, signerOf, textBytes } from '../codec/index.js';
import { decode } from '../nvm/index.js';
import { passwordText } from './commands.js';
import { emulatedMemberCard, MemberFactory } from './factory.js';
import { storeNotice } from './objects.js';
import { runMemberPoint } from './point.js';
import { signatures } from './signatures.js';
import { memberScenarios } from './world.js';

const setup = { image: loadImage(readFileSync(new URL('../../devices/firmware/images/card.elf', import.meta.url))), profile: loadProfile('c2010'), seed: 1, protocol: 'T=1' as const };
const worlds = new WorldFactory(setup);
let factory: MemberFactory;

beforeAll(() => { factory = new MemberFactory(1, nobleOps, () => emulatedMemberCard(setup, worlds)); });

describe('the plan on the reference firmware', () => {
  test('ids are given once, and what is wrong is tried at least as often as what is right', () => {
    const ids = memberPlan.points.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const negative = memberPlan.points.filter((point) => point.negative).length;
    expect(negative).toBeGreaterThanOrEqual(ids.length - negative);
  });

  test.each(memberPlan.points.map((point) => [point.id, point.title, point] as const))('%s %s', async (_id, _title, point) => {
    const { verdict, reasons } = await runMemberPoint(point, factory);
    expect({ verdict, reasons }).toEqual({ verdict: 'pass', reasons: [] });
  });
});

describe('evidence', () => {
  test.each([[1, ['S1', 'S2', 'S3', 'S4', 'S5', 'S6', 'S7', 'S8', 'S9']], [2, ['S1', 'S2', 'S3', 'S4', 'S5', 'S10', 'S8', 'S9']]] as const)('method %d: every step is marked by the card', async (method, steps) => {
    const world = await factory.world({});
    const { evidence } = await runDefinition(memberScenarios.register, { ports: world.ports, options: { method } });
    expect(evidence.map(({ step }) => step)).toEqual(steps);
    expect(evidence.every(({ kinds }) => kinds.includes('mark'))).toBe(true);
  });

  test('the store is told of a payment by the centre', async () => {
    const world = await factory.world({ registered: {}, issued: 500 });
    await runDefinition(memberScenarios.trade, { ports: world.ports, options: { amount: 120 } });
    const [settlement] = world.centre.settlements;
    const told = storeNotice.decode(settlement.storeNotice);
    expect([told.transaction, told.amount]).toEqual([1, 120]);
    expect(signatures.notice.verify(told, world.centre.publicKey, nobleOps)).toBe(true);
    expect(signatures.notice.verify({ ...told, amount: 121 }, world.centre.publicKey, nobleOps)).toBe(false);
  });
});

/** Memory of a card whose key file is registered. */
async function memoryOf(): Promise<{ readonly bytes: Uint8Array; readonly seed: Uint8Array }> {
  const slot = await emulatedMemberCard(setup, worlds);
  const world = await new MemberFactory(1, nobleOps, () => Promise.resolve(slot)).world({ registered: { seed: 'autograph' } });
  expect((await world.status()).registered).toBe(true);
  const seed = sha256(concat(textBytes('cardbench member seed v1'), Uint8Array.of(0), textBytes('autograph')));
  return { bytes: (slot.channel as EmulatedCard).chip.eeprom.bytes, seed };
}

const packed = (bytes: Uint8Array, page: number, size: number): Uint8Array =>
  concat(...Array.from({ length: Math.ceil(size / 60) }, (_, i) => bytes.slice((page + i) * 64, (page + i) * 64 + 60))).slice(0, size);

describe('the key file as it lies in memory (docs/member.md 1.5, 5)', () => {
  test('the signature key is nowhere in clear; A opens the history, B within it the key', async () => {
    const { bytes, seed } = await memoryOf();
    expect(Buffer.from(bytes).includes(Buffer.from(seed))).toBe(false);
    const first = decode(bytes).superblock?.areas.find(({ applet }) => applet === 'member')?.firstPage ?? 0;
    const state = bytes.subarray(first * 64, first * 64 + 64);
    const salt = bytes.slice((first + 3) * 64 + 4, (first + 3) * 64 + 20);
    const key = (which: string, text: string): Uint8Array => pbkdf2(sha256, textBytes(text), concat(salt, textBytes(which)), { c: 64, dkLen: 16 });
    const outer = packed(bytes, first + 5 + 5 * (state[12] & 1), 249);
    const clear = openGcm(key('A', passwordText.A), outer.slice(0, 12), new Uint8Array(0), outer.slice(12));
    expect(clear[60]).toBe(0);
    expect(Buffer.from(clear).includes(Buffer.from(seed))).toBe(false);
    expect(openGcm(key('B', passwordText.B), clear.slice(0, 12), new Uint8Array(0), clear.slice(12, 60))).toEqual(seed);
    expect(() => openGcm(key('B', passwordText.A), clear.slice(0, 12), new Uint8Array(0), clear.slice(12, 60))).toThrow();
    expect(bytes.slice((first + 4) * 64 + 8, (first + 4) * 64 + 40)).toEqual(signerOf(seed).publicKey);
  });
});

describe('invariants', () => {
  const good: AbstractMemberWorld = {
    members: [{ number: '01', verificationKey: 'aa', balance: 40, issued: 100 }], paid: 25, settlements: [
      { member: '01', transaction: 1, store: '05', amount: 25, claimed: true }, { member: '01', transaction: 2, store: '05', amount: 35, claimed: false },
    ], card: { registered: true, verificationKey: 'aa', memberNumber: '01', lastTransaction: 2, lastSettled: 2, tries: { a: 3, b: 3 } },
  };

  test('hold for a good world and are broken one by one', () => {
    const names = (world: AbstractMemberWorld): string[] => checkMember(world).map(({ invariant }) => invariant);
    expect(names(good)).toEqual([]);
    expect(names({ ...good, members: [{ ...good.members[0], balance: -1, issued: 59 }] })).toEqual(['B1']);
    expect(names({ ...good, paid: 26 })).toEqual(['B2']);
    expect(names({ ...good, settlements: [good.settlements[0], { ...good.settlements[1], transaction: 1 }] })).toEqual(['B3']);
    expect(names({ ...good, card: { ...good.card, verificationKey: 'bb' } })).toEqual(['B4']);
  });

  test('numbers and registrations never go back', () => {
    const names = (after: Partial<AbstractMemberWorld['card']>): string[] => checkMemberChange(good, { ...good, card: { ...good.card, ...after } }).map(({ invariant }) => invariant);
    expect(names({})).toEqual([]);
    expect(names({ lastTransaction: 1 })).toEqual(['B3']);
    expect(names({ registered: false })).toEqual(['B4']);
  });
});
