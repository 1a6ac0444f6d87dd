import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sha256 } from '@noble/hashes/sha2.js';
import {
  certificate as certificateCodec, deriveKeyPair, pathedMessage, paths, safeEntry, samples, sealForSafe, sealOwner, textBytes, toHex, valueInformation,
} from '../codec/index.js';
import type { SafeEntry } from '../codec/index.js';
import { SafeError } from './errors.js';
import { httpClient } from './http-client.js';
import { buildSafeCommand, startServed } from './testing/built.js';
import type { ServedProcess } from './testing/built.js';
import { issuer, testCard } from './testing/card.js';
import type { SafeClient } from './client.js';

const scratch = mkdtempSync(join(tmpdir(), 'cardbench-owner-'));
const card = testCard(1);
let entry = '';
const running: ServedProcess[] = [];
beforeAll(() => { entry = buildSafeCommand(join(scratch, 'built')); }, 120_000);
afterAll(() => {
  for (const { child } of running) child.kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
});

const store = join(scratch, 'store');
const devices = join(scratch, 'devices');
writeFileSync(devices, `${'11'.repeat(8)} ${'22'.repeat(32)}\n`, { mode: 0o600 });

async function started(): Promise<{ readonly client: SafeClient; readonly safe: SafeEntry; readonly served: ServedProcess }> {
  const served = await startServed(entry, ['--store', store, '--issuer', toHex(issuer.publicKey), '--devices', devices, '--authenticator', '33'.repeat(32)]);
  running.push(served);
  const client = httpClient({ url: served.url });
  return { client, safe: safeEntry.decode(await client.identity()), served };
}

async function sealed({ client, safe }: { client: SafeClient; safe: SafeEntry }, password: string): Promise<{ readonly method: number; readonly sealed: Uint8Array }> {
  const { challenge } = paths.challenge.decode(await client.owner('challenge', paths.challengeRequest.encode({ cardId: card.cardId })));
  const bytes = textBytes(password);
  return { method: 1, sealed: sealOwner({ to: safe.safeId, cardId: card.cardId, method: 1, challenge }, bytes, safe.transportKey, deriveKeyPair(sha256(challenge))) };
}

/** Presents a password until it is taken: an attempt that comes too early is not counted. */
async function presented(desk: { client: SafeClient; safe: SafeEntry }, certificate: Uint8Array, password: string): Promise<string> {
  for (;;) {
    try {
      await desk.client.owner('present', paths.presentation.encode({ certificate: certificateCodec.decode(certificate), ...await sealed(desk, password) }));
      return 'done';
    } catch (error) {
      if (!(error instanceof SafeError)) throw error;
      if (error.code !== 'SAFE_OWNER_WAIT') return `${error.status} ${error.code}: ${error.message}`;
    }
  }
}

test('over HTTP: wrong attempts stay counted when the safe is killed and started again', async () => {
  let desk = await started();
  const { pathId } = paths.grant.decode(await desk.client.owner('enrol', paths.enrolment.encode({ cardId: card.cardId, ...await sealed(desk, 'correct horse') })));
  const value = valueInformation.encode(samples[0]);
  const object = { encrypted: sealForSafe({ cardId: card.cardId, sequence: 1, pathId }, value, desk.safe.transportKey, deriveKeyPair(sha256(value))), credential: card.credential };
  const pathed = { ...object, signature: card.signer.sign(pathedMessage(object, { cardId: card.cardId, sequence: 1, pathId })) };
  const certificate = await desk.client.owner('register', paths.request.encode({ pathId, request: { cardId: card.cardId, sequence: 1, algorithm: 'SHA-256', item: { type: 'pathed', pathed } } }));
  await expect(desk.client.retrieve(certificate)).rejects.toMatchObject({ code: 'SAFE_OWNER_NEEDED', status: 403 });
  expect(await presented(desk, certificate, 'wrong horse')).toMatch(/^403 SAFE_OWNER_WRONG: .*, 4 attempts left/);
  desk.served.child.kill('SIGKILL');
  expect((await desk.served.ended)[1]).toBe('SIGKILL');
  desk = await started();
  expect(await presented(desk, certificate, 'wrong horse')).toMatch(/^403 SAFE_OWNER_WRONG: .*, 3 attempts left/);
  expect(await presented(desk, certificate, 'correct horse')).toBe('done');
}, 120_000);
