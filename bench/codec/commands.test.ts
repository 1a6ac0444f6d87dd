import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answers, settingsOf } from './answers.js';
import { concat, fromHex, textBytes, toHex } from './bytes.js';
import * as commands from './commands.js';
import type { CardCommand, CommandName } from './commands.js';
import { listEntry, valueInformation } from './objects.js';
import { samples } from './samples.js';
import { statusMeaning, statusWords } from './status.js';
import * as arb from './testing/arbitraries.js';

const safeId = fromHex('A1A2A3A4A5A6A7A8');
const pick = <T>(arbitrary: fc.Arbitrary<T>): T => fc.sample(arbitrary, { seed: 11, numRuns: 1 })[0];
const shown = ({ cla, ins, p1, p2, data }: CardCommand): string =>
  [cla, ins, p1, p2].map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join('') + (data.length ? ` ${toHex(data)}` : '');

const table: [CommandName, CardCommand, string][] = [
  ['SELECT', commands.select(), '00A40400 F04341524442454E4348'],
  ['VERIFY', commands.verify('1234'), '00200001 31323334'],
  ['VERIFY', commands.triesLeft(), '00200001'],
  ['CHANGE REFERENCE DATA', commands.changePin('123456789012'), '00240101 313233343536373839303132'],
  ['GET DATA', commands.getData('status'), '80CADF04'],
  ['LIST VALUES', commands.listValues(1), '80100100'],
  ['LIST VALUES', commands.listValues(2, 3), '80100200 8E020003'],
  ['REGISTER BEGIN', commands.registerBegin(1, 0, 0x0102), '80120100 8B020102950101'],
  ['REGISTER BEGIN', commands.registerBegin(2, 2, 1, 'MD5'), '80120202 8B020001950103'],
  ['REGISTER END', commands.registerEnd(2, 'key', fromHex('E600')), '80140203 E600'],
  ['LIST CERTIFICATES', commands.listCertificates(2, 'key', 0), '80160204 8E020000'],
  ['RECOVER BEGIN', commands.recoverBegin(1, 'value', 5), '80180102 8B020005'],
  ['RECOVER END', commands.recoverEnd(1, 5, fromHex('E100')), '801A0100 8B020005E100'],
  ['KEY REGISTER BEGIN', commands.keyRegisterBegin('common', safeId), '801C0202 9A08A1A2A3A4A5A6A7A8950101'],
  ['KEY RECOVER END', commands.keyRecoverEnd(5, fromHex('E800')), '801E0200 8B020005E800'],
  ['GET RECEIPT', commands.getReceipt(5), '80220000 8B020005'],
  ['DELETE', commands.deleteItem(5), '80240000 8B020005'],
  ['CANCEL', commands.cancel(5), '80260000 8B020005'],
  ['CANCEL', commands.cancelKey(), '80260000'],
  ['READ', commands.readItem(5), '80280000 8B020005'],
  ['USE', commands.useQuantity(5, 2), '802A0000 8B02000583020002'],
  ['USE', commands.useAmount(5, 300), '802A0000 8B02000587040000012C'],
  ['LIST', commands.list(), '802C0000'],
  ['LIST', commands.list({ entries: 'values', infoClass: 1, days: { today: '2000-05-25', last: '2000-06-01' } }, 2), '802C4100 800101860820000525200006018E020002'],
  ['LIST', commands.list({ entries: 'certificates' }), '802C4200'],
  ['LOAD', commands.load(fromHex('EC00')), '802E0000 EC00'],
  ['CORRECT', commands.correct(5, fromHex('EC00')), '80300000 8B020005EC00'],
  ['DIVIDE', commands.divide(1, 5, 'encrypt-first', { count: 3, wanted: 5 }), '80320401 8B020005950101C40102C6020305'],
  ['PIECE', commands.piece(5, 2), '80340402 8B020005'],
  ['PIECE', commands.keyPart(7, 3), '80340603 940400000007'],
  ['SET END', commands.setEnd(5, fromHex('E600')), '80360500 E600'],
  ['GATHER', commands.gather(6, 5), '80380600 8B020005'],
  ['COMBINE', commands.combine(4, 5, [fromHex('EE00'), fromHex('EE00')]), '803A0400 8B020005EF04EE00EE00'],
  ['COMBINE', commands.decouple(5, fromHex('EF00')), '803A0500 8B020005EF00'],
  ['COUPLE', commands.couple(2, [5, 6], 'divide-first'), '803C0502 950101C401018B0200058B020006'],
  ['DIVIDE KEY', commands.divideKey('decoding', { scheme: 'shamir', threshold: 2, count: 2 }, [safeId, safeId]), '803E0601 C703020202950101' + '9A08A1A2A3A4A5A6A7A8'.repeat(2)],
  ['DIVIDE KEY', commands.divideKey('seed', { scheme: 'xor', threshold: 2, count: 2 }, [safeId, safeId]), '803E0605 C703010202950101' + '9A08A1A2A3A4A5A6A7A8'.repeat(2)],
  ['DIVIDE KEY', commands.divideKey('common', { scheme: 'xor', threshold: 2, count: 2 }, [safeId, safeId], 'SHA-1', true), '803E0602 C703810202950102' + '9A08A1A2A3A4A5A6A7A8'.repeat(2)],
  ['COUPLE KEY', commands.coupleKey(1, 5, 7), '80700601 8B020005940400000007'],
  ['SET END', commands.coupledEnd(fromHex('E600')), '80360601 E600'],
  ['GATHER', commands.gatherCoupled(5), '80380601 8B020005'],
  ['COMBINE', commands.decoupleKey(5, fromHex('EF00')), '803A0601 8B020005EF00'],
  ['GENERATE KEY', commands.generateKey('transport'), '80400400'],
  ['DELETE KEY', commands.deleteKey('decoding'), '80420100'],
  ['RENEW KEY', commands.renewKey(), '80440C01'],
  ['GENERATE SEED', commands.generateSeed(), '80500700'],
  ['SEED REGISTER BEGIN', commands.seedRegisterBegin(safeId), '80520700 9A08A1A2A3A4A5A6A7A8950101'],
  ['SEED RECOVER BEGIN', commands.seedRecoverBegin(), '80540700'],
  ['SEED RECOVER BEGIN', commands.seedRecoverBegin(5), '80540700 8B020005'],
  ['SEED RECOVER END', commands.seedRecoverEnd(5, fromHex('E800')), '80560700 8B020005E800'],
  ['PATH REGISTER BEGIN', commands.pathRegister(8, 5, 'SHA-256', fromHex('F000')), '80580800 8B020005950101F000'],
  ['PATH RECOVER END', commands.pathRecover(10, 5, fromHex('FB00')), '805A0A00 8B020005FB00'],
  ['PATH REGISTER BEGIN', commands.sealedRegister(3, 2, 5, 'SHA-256', fromHex('0102030405060708')), '80580302 8B0200059501019A080102030405060708'],
  ['PATH RECOVER END', commands.sealedRecover(3, 5, fromHex('FB00')), '805A0300 8B020005FB00'],
  ['DATE', commands.date('2000-03-15'), '805E0B00 B00420000315'],
  ['PUT CONDITION', commands.putCondition(1, [{ about: 'class', classes: [1, 2] }, { about: 'vacant', least: 0, most: 4096 }]), '804A0B01 B1020102B3080000000000001000'],
  ['PUT CONDITION', commands.putCondition(254, [{ about: 'valid', window: { unit: 'months', least: 0, most: 1 }, not: true }]), '804A0BFE BC050200000001'],
  ['PUT CONDITION', commands.putCondition(2, [{ about: 'held', window: { unit: 'days', least: -32768, most: -30 } }]), '804A0B02 B705018000FFE2'],
  ['PUT CONDITION', commands.putCondition(3, [{ about: 'ends', window: { from: '2000-01-01', to: '2000-12-31' } }]), '804A0B03 B6082000010120001231'],
  ['PUT CONDITION', commands.deleteCondition(1), '804A0B01'],
  ['GET CONDITION', commands.getCondition(0), '804C0B00'],
  ['EXTRACT', commands.extract(0, '2000-03-15'), '804E0B00 B00420000315'],
  ['EXTRACT', commands.extract(3, '2000-03-15', 7), '804E0B03 B004200003158E020007'],
  ['BACKUP END', commands.backupEnd(5), '805C0B00 8B020005'],
  ['INITIALISE', commands.initialise(), '80460000'],
  ['ISSUE', commands.issue(), '80480000'],
  ['PUT DATA', commands.putCardId(safeId), '80DADF10 A1A2A3A4A5A6A7A8'],
  ['PUT DATA', commands.putIssuerKey(new Uint8Array(32)), `80DADF11 ${'00'.repeat(32)}`],
  ['PUT DATA', commands.putPin('0000'), '80DADF13 30303030'],
  ['PUT DATA', commands.putSettings({ emptyDigest: true, allowLegacy: true }), '80DADF14 03'],
  ['PUT DATA', commands.putCredentialSignature(new Uint8Array(64)), `80DADF15 ${'00'.repeat(64)}`],
];

describe('commands', () => {
  test.each(table)('%s', (name, command, bytes) => {
    expect(command.name).toBe(name);
    expect(shown(command)).toBe(bytes);
    expect(commands.commandName(command.cla, command.ins)).toBe(name);
  });

  test('every command of the table but GET RESPONSE has a builder; INS are even and avoid 6X and 9X', () => {
    const built = new Set(table.map(([name]) => name));
    const names = Object.keys(commands.commandTable) as CommandName[];
    expect(names.filter((name) => !built.has(name))).toEqual(['GET RESPONSE']);
    for (const [, ins] of Object.values(commands.commandTable)) expect([ins % 2, ins >> 4 === 6, ins >> 4 === 9]).toEqual([0, false, false]);
    expect(commands.commandName(0x90, 0x14)).toBe('REGISTER END');
    expect(commands.commandName(0x80, 0x15)).toBeUndefined();
  });

  test('objects are encoded, arguments out of range refused', () => {
    const entry = pick(arb.safeEntryArb);
    expect(commands.putSafe(entry).data.length).toBe(80);
    expect(commands.load(pick(arb.loadObjectArb)).data[0]).toBe(0xec);
    expect(commands.registerEnd(1, 'value', pick(arb.certificateArb)).data[0]).toBe(0xe6);
    expect(commands.keyRecoverEnd(1, pick(arb.keyReplyArb)).data[4]).toBe(0xe8);
    expect(commands.correct(1, pick(arb.loadObjectArb)).data[4]).toBe(0xec);
    for (const run of [() => commands.verify('123'), () => commands.putPin('12a4'), () => commands.putCardId(new Uint8Array(7))])
      expect(run).toThrow(expect.objectContaining({ code: 'COMMAND_ARGUMENT' }));
    expect(() => commands.deleteItem(0)).toThrow(expect.objectContaining({ code: 'ELEMENT_VALUE' }));
    expect(() => commands.deleteItem(0xffff)).toThrow(expect.objectContaining({ code: 'ELEMENT_VALUE' }));
  });
});

describe('answers', () => {
  test('lists, with and without a position to go on', () => {
    const entries = fc.array(arb.listEntryArb, { maxLength: 4 });
    fc.assert(fc.property(entries, fc.option(fc.integer({ min: 0, max: 65535 }), { nil: undefined }), (list, next) => {
      const position = next === undefined ? new Uint8Array(0) : Uint8Array.of(0x8e, 2, next >> 8, next & 255);
      expect(answers.list(concat(...list.map((entry) => listEntry.encode(entry)), position))).toEqual({ entries: list, next });
    }));
    expect(() => answers.list(fromHex('8E02000000'))).toThrow(expect.objectContaining({ code: 'TLV_TRAILING', offset: 4 }));
  });

  test('handles, counts, items, settings', () => {
    expect(answers.registerEnd(fromHex('8B020102'))).toBe(0x0102);
    expect(answers.use(fromHex('8302000187040000012C'))).toEqual({ quantity: 1, remaining: 300 });
    expect(answers.readItem(valueInformation.encode(samples[0]))).toEqual(samples[0]);
    expect(answers.currentSettings(fromHex('02'))).toEqual({ emptyDigest: false, allowLegacy: true });
    expect(() => settingsOf(4)).toThrow(expect.objectContaining({ code: 'ELEMENT_VALUE' }));
    expect(() => answers.empty(fromHex('00'))).toThrow(expect.objectContaining({ code: 'ELEMENT_LENGTH' }));
    expect(toHex(answers.select(fromHex('6F0C840AF04341524442454E4348')))).toBe('F04341524442454E4348');
    expect(() => answers.select(fromHex('6F0C840AF04341524442454E4349'))).toThrow(expect.objectContaining({ code: 'ELEMENT_VALUE' }));
    const keys = answers.publicKeys(fromHex(`9D20${'11'.repeat(32)}9E20${'22'.repeat(32)}`));
    expect([keys.verificationKey[0], keys.transportKey[0]]).toEqual([0x11, 0x22]);
    expect(answers.firmware(textBytes('cardbench reference 1.0'))).toBe('cardbench reference 1.0');
  });

  test('GET DATA figures', () => {
    expect(answers.shortage(new Uint8Array(0))).toBeUndefined();
    expect(answers.shortage(fromHex('00000100 00000080 0003 12'))).toEqual({ needed: 256, free: 128, freeEntries: 3, ins: 0x12 });
    expect(answers.memory(fromHex('00010000 00004000 00002000 0010 00001000 0400 0500'))).toEqual({
      eeprom: 65536, freeData: 16384, largestRun: 8192, freeEntries: 16, ram: 4096, longestCommand: 1024, longestAnswer: 1280,
    });
    expect(answers.status(fromHex('02 03 0F 00000007 00000002'))).toEqual({
      lifeCycle: 'operational', pinTries: 3, keys: { decoding: true, common: true, signing: true, transport: true, seed: false },
      lastSequence: 7, lastLoadNumber: 2,
    });
    expect(answers.status(fromHex('02 03 10 00000007 00000002')).keys).toMatchObject({ decoding: false, seed: true });
    expect(() => answers.status(fromHex('02 03 20 00000007 00000002'))).toThrow(expect.objectContaining({ code: 'ELEMENT_VALUE' }));
    expect(() => answers.status(fromHex('03 03 0F 00000007 00000002'))).toThrow(expect.objectContaining({ code: 'ELEMENT_VALUE' }));
    expect(() => answers.memory(fromHex('00'))).toThrow(expect.objectContaining({ code: 'ELEMENT_LENGTH' }));
  });
});

describe('status words', () => {
  test('the table, counts in 61xx and 63Cx, and words outside the contract', () => {
    for (const sw of Object.values(statusWords)) expect(statusMeaning(sw).meaning).not.toBe('not in the contract');
    expect(statusMeaning(0x6182)).toMatchObject({ class: 'more', count: 0x82 });
    expect(statusMeaning(0x63c2)).toMatchObject({ class: 'warning', count: 2, hex: '63C2' });
    expect(statusMeaning(0x6a84)).toMatchObject({ class: 'refused', meaning: 'not enough memory space; nothing changed' });
    expect(statusMeaning(0x1234)).toMatchObject({ class: 'unknown', meaning: 'not in the contract' });
  });
});
