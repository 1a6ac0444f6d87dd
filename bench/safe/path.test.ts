import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, test } from 'vitest';
import {
  certificate as certificateCodec, concat, deriveKeyPair, nobleOps, openOnCard, pathedMessage, paths, registrationRequest, resultMessage, samples,
  sealForSafe, sealOwner, signerOf, textBytes, valueInformation,
} from '../codec/index.js';
import type { Signer } from '../codec/index.js';
import { deviceProof } from './device-check.js';
import type { OwnerOperation } from './path.js';
import { PATH_LIFE } from './path.js';
import { createSafe } from './safe.js';
import type { Safe } from './safe.js';
import { memoryStore } from './store.js';
import type { MemoryStore } from './store.js';
import { issuer, safeId, safeKeys, testCard } from './testing/card.js';
import type { TestCard } from './testing/card.js';
import { codeOf } from './testing/code-of.js';

const policy = { scrypt: { logN: 4, r: 8, p: 1 }, threshold: 655, tries: 3, wait: 1000 };
const means = signerOf(sha256(textBytes('means')));
const others = signerOf(sha256(textBytes('other means')));
const known = { id: textBytes('DEVICE-1'), key: sha256(textBytes('device')) };
const card = testCard(1);
const value = valueInformation.encode(samples[0]);
const password = textBytes('correct horse');

interface Desk { readonly safe: Safe; readonly store: MemoryStore; readonly clock: { ms: number } }

function desk(store = memoryStore(), clock = { ms: 0 }): Desk {
  const settings = { issuers: [issuer.publicKey], owners: policy, authenticators: [means.publicKey, others.publicKey], devices: [known] };
  return { safe: createSafe({ id: safeId, keys: safeKeys, store, settings, clock: () => clock.ms }), store, clock };
}

const challengeOf = ({ safe }: Desk, of: TestCard = card): Uint8Array =>
  paths.challenge.decode(safe.owner('challenge', paths.challengeRequest.encode({ cardId: of.cardId }))).challenge;
const sealed = (challenge: Uint8Array, bytes: Uint8Array, of: TestCard = card): Uint8Array => sealOwner(
  { to: safeId, cardId: of.cardId, method: 1, challenge }, bytes, nobleOps.agreementPublic(safeKeys.agreement), deriveKeyPair(sha256(concat(challenge, bytes))),
);
const pathIn = (grant: Uint8Array): Uint8Array => paths.grant.decode(grant).pathId;
const enrolled = (at: Desk, bytes = password): Uint8Array =>
  pathIn(at.safe.owner('enrol', paths.enrolment.encode({ cardId: card.cardId, method: 1, sealed: sealed(challengeOf(at), bytes) })));
const presented = (at: Desk, certificate: Uint8Array, bytes = password): Uint8Array =>
  pathIn(at.safe.owner('present', paths.presentation.encode({ certificate: certificateCodec.decode(certificate), method: 1, sealed: sealed(challengeOf(at), bytes) })));

/** What a card sends over a path. */
function request(pathId: Uint8Array, sequence = 1, item = value, of: TestCard = card): Uint8Array {
  const binding = { cardId: of.cardId, sequence, pathId };
  const encrypted = sealForSafe(binding, item, nobleOps.agreementPublic(safeKeys.agreement), deriveKeyPair(sha256(concat(pathId, item))));
  const object = { encrypted, credential: of.credential };
  const pathed = { ...object, signature: of.signer.sign(pathedMessage(object, binding)) };
  return paths.request.encode({ pathId, request: { cardId: of.cardId, sequence, algorithm: 'SHA-256', item: { type: 'pathed', pathed } } });
}

const registered = (at: Desk, pathId = enrolled(at), sequence = 1): Uint8Array => at.safe.owner('register', request(pathId, sequence));
const retrieve = (at: Desk, pathId: Uint8Array, certificate: Uint8Array): Uint8Array =>
  at.safe.owner('retrieve', paths.certificate.encode({ pathId, certificate: certificateCodec.decode(certificate) }));

const resultFor = (challenge: Uint8Array, by: Signer = means, owner = 'owner'): Uint8Array => {
  const object = { cardId: card.cardId, safeId, challenge, reference: sha256(textBytes(owner)), verificationKey: by.publicKey };
  return paths.result.encode({ ...object, signature: by.sign(resultMessage(object)) });
};

describe('owner authentication at the safe', () => {
  test('the value comes back sealed for the card, to the right password, also after a restart', () => {
    const at = desk();
    const certificate = registered(at);
    const again = desk(at.store);
    const pathId = presented(again, certificate);
    const reply = paths.reply.decode(retrieve(again, pathId, certificate));
    expect(openOnCard({ cardId: card.cardId, sequence: 1, pathId }, reply.encrypted, card.transport)).toEqual(value);
    expect(retrieve(again, pathId, certificate)).toEqual(paths.reply.encode(reply));
    expect(Buffer.from(paths.reply.encode(reply)).includes(Buffer.from(value.slice(-12)))).toBe(false);
  });

  test('without the owner the certificate gets nothing, and a value for a path is not registered beside it', () => {
    const at = desk();
    const certificate = registered(at);
    expect(codeOf(() => at.safe.retrieve(certificate))).toBe('SAFE_OWNER_NEEDED');
    const e4 = registrationRequest.encode(paths.request.decode(request(enrolled(at), 2)).request);
    expect(codeOf(() => at.safe.register(e4))).toBe('SAFE_BAD_SIGNATURE');
  });

  test('sealed owner information is good once, for one card, for one challenge', () => {
    const at = desk();
    const certificate = registered(at);
    const challenge = challengeOf(at);
    const body = paths.presentation.encode({ certificate: certificateCodec.decode(certificate), method: 1, sealed: sealed(challenge, password) });
    expect(codeOf(() => at.safe.owner('present', body))).toBe('done');
    expect(codeOf(() => at.safe.owner('present', body))).toBe('SAFE_PATH');
    challengeOf(at);
    expect(codeOf(() => at.safe.owner('present', body))).toBe('SAFE_BAD_OBJECT');
    const foreign = paths.enrolment.encode({ cardId: card.cardId, method: 1, sealed: sealed(challengeOf(at), password, testCard(2)) });
    expect(codeOf(() => at.safe.owner('enrol', foreign))).toBe('SAFE_BAD_OBJECT');
  });

  test('wrong attempts are counted for the value, through restarts, and lock it', () => {
    let at = desk();
    const certificate = registered(at);
    for (const ms of [0, 60_000, 120_000]) {
      at = desk(at.store, { ms });
      expect(codeOf(() => presented(at, certificate, textBytes('wrong horse')))).toBe('SAFE_OWNER_WRONG');
    }
    at.clock.ms = 1e9;
    expect(codeOf(() => presented(at, certificate))).toBe('SAFE_OWNER_LOCKED');
    expect(codeOf(() => registered(at, enrolled(at), 2))).toBe('done');
  });

  test('the same registration over another path gets the same certificate, and the last owner information counts', () => {
    const at = desk();
    const certificate = registered(at);
    expect(registered(at, enrolled(at, textBytes('another horse')))).toEqual(certificate);
    expect(codeOf(() => presented(at, certificate))).toBe('SAFE_OWNER_WRONG');
    at.clock.ms += 60_000;
    expect(codeOf(() => presented(at, certificate, textBytes('another horse')))).toBe('done');
    const other = valueInformation.encode(samples[1]);
    expect(codeOf(() => at.safe.owner('register', request(enrolled(at), 1, other)))).toBe('SAFE_CONFLICT');
  });

  test('a receipt forgets the owner with the value', () => {
    const at = desk();
    const certificate = registered(at);
    at.safe.receipt(card.receiptFor(certificate));
    expect([...at.store.range('owner/')].length + [...at.store.range('set/')].length).toBe(1); // what waits for the next value of this card
    expect(codeOf(() => presented(at, certificate))).toBe('SAFE_TOMBSTONE');
  });
});

describe('paths', () => {
  test('one for each card, for one purpose, for ten minutes', () => {
    const at = desk();
    const first = enrolled(at);
    const second = enrolled(at);
    expect(codeOf(() => registered(at, first))).toBe('SAFE_PATH');
    const certificate = registered(at, second);
    expect(codeOf(() => retrieve(at, second, certificate))).toBe('SAFE_PATH');
    const back = presented(at, certificate);
    expect(codeOf(() => registered(at, back, 2))).toBe('SAFE_PATH');
    at.clock.ms += PATH_LIFE;
    expect(codeOf(() => retrieve(at, back, certificate))).toBe('done');
    at.clock.ms += 1;
    expect(codeOf(() => retrieve(at, back, certificate))).toBe('SAFE_PATH');
  });

  test('a path of one value or card opens no other', () => {
    const at = desk();
    const certificate = registered(at);
    const other = registered(at, enrolled(at), 2);
    const pathId = presented(at, certificate);
    expect(codeOf(() => retrieve(at, pathId, other))).toBe('SAFE_PATH');
    expect(codeOf(() => at.safe.owner('register', request(pathId, 1, value, testCard(2))))).toBe('SAFE_PATH');
  });

  test.each(['enrol', 'present', 'result', 'device', 'prove', 'register', 'retrieve', 'challenge'] as const)('%s takes no garbage', (operation: OwnerOperation) => {
    const at = desk();
    for (const body of [new Uint8Array(0), Uint8Array.of(0xf0), textBytes('garbage'), request(enrolled(at)).slice(1)])
      expect(codeOf(() => at.safe.owner(operation, body))).toBe('SAFE_BAD_OBJECT');
  });
});

describe('results from elsewhere and devices', () => {
  test('a value is held with who authenticated whom: neither other means, nor another owner, nor a password gets it', () => {
    const at = desk();
    const by = (bytes: Uint8Array): Uint8Array => pathIn(at.safe.owner('result', bytes));
    const certificate = registered(at, by(resultFor(challengeOf(at))));
    expect(codeOf(() => retrieve(at, by(concat(resultFor(challengeOf(at)), certificate)), certificate))).toBe('done');
    expect(codeOf(() => by(concat(resultFor(challengeOf(at), others), certificate)))).toBe('SAFE_OWNER_WRONG');
    expect(codeOf(() => by(concat(resultFor(challengeOf(at), means, 'somebody'), certificate)))).toBe('SAFE_OWNER_WRONG');
    expect(codeOf(() => by(concat(resultFor(challengeOf(at), signerOf(sha256(textBytes('nobody')))), certificate)))).toBe('SAFE_BAD_SIGNATURE');
    expect(codeOf(() => presented(at, certificate))).toBe('SAFE_UNKNOWN');
    expect(codeOf(() => at.safe.retrieve(certificate))).toBe('SAFE_OWNER_NEEDED');
  });

  test('a result is good for the challenge it answers, once', () => {
    const at = desk();
    const old = resultFor(challengeOf(at));
    challengeOf(at);
    expect(codeOf(() => at.safe.owner('result', old))).toBe('SAFE_PATH');
    const good = resultFor(challengeOf(at));
    expect([codeOf(() => at.safe.owner('result', good)), codeOf(() => at.safe.owner('result', good))]).toEqual(['done', 'SAFE_PATH']);
  });

  test('a device proves itself for the challenge it was given, once, and nothing else opens what is held with it', () => {
    const at = desk();
    const theirs = new Uint8Array(16).fill(7);
    const proven = (more: Uint8Array = new Uint8Array(0)): Uint8Array => {
      const { challenge } = paths.checkProof.decode(at.safe.owner('device', paths.hello.encode({ cardId: card.cardId, deviceId: known.id, challenge: theirs })));
      return concat(paths.deviceProof.encode({ cardId: card.cardId, deviceId: known.id, proof: deviceProof(known, challenge, theirs) }), more);
    };
    const certificate = registered(at, pathIn(at.safe.owner('prove', proven())));
    const proof = proven(certificate);
    const pathId = pathIn(at.safe.owner('prove', proof));
    expect(codeOf(() => retrieve(at, pathId, certificate))).toBe('done');
    expect(codeOf(() => at.safe.owner('prove', proof))).toBe('SAFE_PATH');
    expect(codeOf(() => at.safe.owner('result', concat(resultFor(challengeOf(at)), certificate)))).toBe('SAFE_OWNER_WRONG');
    expect(codeOf(() => at.safe.owner('prove', (challengeOf(at), proof)))).toBe('SAFE_PATH');
  });
});
