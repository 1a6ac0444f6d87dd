import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { answers, commands, keyIdOf, samples, toHex } from '../codec/index.js';
import { Desk } from '../firmware/desk.js';
import { HostLine, buildHost } from '../firmware/host-line.js';
import { abstractState } from './abstract.js';
import { decode } from './decode.js';
import { pageMap } from './pages.js';
import { publicSideOf, secretsOf } from './secrets.js';

const missing = spawnSync('gcc', ['--version']).status !== 0;
const title = missing
  ? 'memories of the reference firmware (skipped: no gcc; enable with: bash .ci/system-packages)'
  : 'memories of the reference firmware';

/** The decoder, written from docs/firmware.md, against memories the reference firmware wrote. */
describe.skipIf(missing)(title, () => {
  let program = '';
  let line: HostLine;
  let desk: Desk;
  beforeAll(() => {
    program = buildHost();
  }, 120_000);
  beforeEach(async () => {
    line = new HostLine(program);
    desk = new Desk(line);
    await desk.personalise();
  });
  afterEach(() => line.close());
  afterAll(() => rmSync(dirname(program), { recursive: true, force: true }));

  /** What the card says of itself must be what its memory says; nothing may be wrong in it. */
  async function agrees(): Promise<void> {
    const memory = line.memory();
    const contents = decode(memory);
    expect(contents.problems).toEqual([]);
    const status = answers.status(await desk.send(commands.getData('status')));
    const { lifeCycle, pinTries, keys, lastSequence, lastLoadNumber } = abstractState(memory);
    expect({ lifeCycle, pinTries, keys, lastSequence, lastLoadNumber }).toEqual(status);
    const listed = contents.entries.filter(({ state }) => state !== 'RESERVED' && state !== 'DELETING');
    expect(listed.map((entry) => `${entry.handle} ${entry.class} ${entry.state}`).sort()).toEqual([...await desk.listing()].sort());
    for (const { handle, object } of listed) expect(object).toEqual(await desk.read(handle));
    const figures = answers.memory(await desk.send(commands.getData('memory')));
    const map = pageMap(memory);
    expect([figures.eeprom, figures.freeData, figures.largestRun, figures.freeEntries])
      .toEqual([memory.length, map.freeBytes, map.largestRunBytes, map.freeEntries]);
    expect(map.leftovers).toEqual([]);
  }

  test('a personalised card: identity, safes, keys and their public side', async () => {
    await agrees();
    const contents = decode(line.memory());
    expect(contents).toMatchObject({ cardId: 'C100000000000001', cardSecret: true, credential: true, pin: true, keyRegistration: undefined });
    expect(contents.safes.map(({ safeId }) => safeId)).toEqual(['5A00000000000001', '5A00000000000002']);
    expect(contents.issuerKey).toBe(toHex(desk.issuer.publicKey));
    const keys = answers.publicKeys(await desk.send(commands.getData('publicKeys')));
    const side = publicSideOf(line.memory());
    expect([side.verificationKey, side.transportKey]).toEqual([toHex(keys.verificationKey), toHex(keys.transportKey)]);
    const [decoding, common] = secretsOf(line.memory());
    expect([side.decodingKeyId, side.commonKeyId]).toEqual([
      decoding.use((key) => toHex(keyIdOf('decoding', key))), common.use((key) => toHex(keyIdOf('common', key))),
    ]);
  });

  test.each([[1, 0], [2, 1], [2, 2]] as const)('embodiment %i, variant %i: registered, deleted, recovered, settled', async (embodiment, variant) => {
    const handle = await desk.load(samples[2]);
    const other = await desk.load(samples[1]);
    await agrees();
    const e6 = await desk.begin(embodiment, variant, handle);
    await agrees();
    const pending = decode(line.memory()).entries.find((entry) => entry.handle === handle);
    expect(pending).toMatchObject({ state: 'PENDING', sequence: 1, variant, kind: embodiment === 1 ? 'plain' : 'registered', algorithm: 'SHA-256' });
    const certificate = await desk.end(embodiment, 'value', e6);
    await agrees();
    expect(abstractState(line.memory()).values.map(({ state }) => state).sort()).toEqual(['ACTIVE', 'DEPOSITED']);
    await desk.send(commands.deleteItem(handle));
    await agrees();
    await desk.send(commands.recoverBegin(embodiment, 'value', certificate));
    await agrees();
    await desk.recover(embodiment, certificate);
    await agrees();
    expect(abstractState(line.memory()).certificates.map(({ state, counter }) => [state, counter])).toEqual([['SPENT', 1]]);
    await desk.settle(certificate);
    await agrees();
    await desk.send(commands.useQuantity(other, 1));
    await agrees();
    expect(abstractState(line.memory()).values.map(({ state, quantity, remaining }) => [state, quantity, remaining]))
      .toEqual(expect.arrayContaining([['ACTIVE', 1, 800], ['ACTIVE', 1, 0]]));
  });

  test('a key: registration open, stored, deleted, recovered; a deleted key is nowhere in the memory', async () => {
    const before = secretsOf(line.memory());
    const safeId = decode(line.memory()).safes[0].safeId;
    const request = await desk.send(commands.keyRegisterBegin('decoding', Uint8Array.from(Buffer.from(safeId, 'hex'))));
    expect(decode(line.memory()).keyRegistration).toMatchObject({ keyKind: 'decoding', sequence: 1, safeId });
    await agrees();
    const certificate = await desk.end(2, 'key', desk.safe.register(request));
    await agrees();
    const side = publicSideOf(line.memory());
    await desk.send(commands.deleteKey('decoding'));
    await agrees();
    const [decoding] = before;
    expect(String(decoding)).toBe('[secret decoding key]');
    expect(decoding.foundIn(line.memory(), 8)).toBe(-1);
    expect(publicSideOf(line.memory()).decodingKeyId).toBeUndefined();
    await desk.recoverKey(certificate);
    await agrees();
    expect(publicSideOf(line.memory())).toEqual(side);
    expect(decoding.foundIn(line.memory())).toBeGreaterThan(0);
  });
});
