import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import {
  TlvReader, certificate as certificateCodec, concat, credential as credentialCodec, equalBytes, grantMessage, hashX,
  isLegacy, openOwner, paths, registrationRequest, resultMessage, textBytes, toHex, uintBytes, uintOf, valueInformation, writeTlv,
} from '../codec/index.js';
import type { Certificate, Credential, PathedValue, PublicKeyOps, RegistrationRequest } from '../codec/index.js';
import { checkProof, provesDevice } from './device-check.js';
import type { KnownDevice } from './device-check.js';
import { SafeError } from './errors.js';
import { authenticateOwner, enrolledOwner, ownerInformation, ownerKey, ownerSetting, renamedOwner } from './owner.js';
import type { OwnerInformation, OwnerPolicy } from './owner.js';
import * as records from './record.js';
import type { SafeRecord } from './record.js';
import type { SafeKeys } from './safe.js';
import { openedFor, sealedReply } from './sealed.js';
import type { SafeStore, StoreReader, StoreWriter } from './store.js';
import { wellFormed } from './well-formed.js';

/** What is asked of a safe about owners and paths (docs/protocol.md 3.1), by the last part of its HTTP path. */
export const ownerOperations = ['challenge', 'enrol', 'present', 'result', 'device', 'prove', 'register', 'retrieve'] as const;
/** See {@link ownerOperations}. */
export type OwnerOperation = (typeof ownerOperations)[number];

/** What of a safe the paths work with. */
export interface PathCore {
  readonly id: Uint8Array;
  readonly keys: SafeKeys;
  readonly store: SafeStore;
  readonly ops: PublicKeyOps;
  readonly allowLegacy: boolean;
  readonly policy: OwnerPolicy;
  /** Ed25519 keys of the authentication means whose results count. */
  readonly authenticators: readonly Uint8Array[];
  /** Authentication check storage means 153. */
  readonly devices: readonly KnownDevice[];
  /** The safe's clock, milliseconds. */
  readonly clock: () => number;
  /** The record of a genuine certificate that is held. Throws SafeError. */
  found(certificate: Uint8Array): { readonly name: string; readonly record: SafeRecord };
  /** What is stored for it, checked against it. Throws SafeError SAFE_STORE. */
  item(name: string, certificate: Certificate): Uint8Array;
  /** Throws SafeError SAFE_BAD_SIGNATURE. */
  checkCredential(credential: Credential, cardId: Uint8Array): void;
  /** Stores a plain value, and gives its certificate. */
  storePlain(writer: StoreWriter, request: RegistrationRequest, bytes: Uint8Array, value: Uint8Array, credential: Uint8Array): Uint8Array;
}

/** Milliseconds for which a path is good. */
export const PATH_LIFE = 600_000;

const openKey = (cardId: Uint8Array): string => `challenge/${toHex(cardId)}`;
const pathKey = (cardId: Uint8Array): string => `path/${toHex(cardId)}`;
const setKey = (name: string): string => `set/${name}`;
const pendingName = (cardId: Uint8Array): string => `pending/${toHex(cardId)}`;
const counterKey = 'owner-counter';

/** Forgets who may have a record. */
export function forgetOwner(writer: StoreWriter, name: string): void {
  writer.delete(ownerKey(name));
  writer.delete(setKey(name));
}

/** Bytes that nobody can foresee and that never come again: from the safe's secret and a counter in its store. */
function fresh(core: PathCore, writer: StoreWriter, label: string, length: number): Uint8Array {
  const count = uintOf(writer.get(counterKey) ?? new Uint8Array(0)) + 1;
  writer.put(counterKey, concat(uintBytes(Math.floor(count / 2 ** 24), 3), uintBytes(count % 2 ** 24, 3)));
  return hmac(sha256, core.keys.agreement, concat(textBytes(label), Uint8Array.of(0), writer.get(counterKey) ?? new Uint8Array(0))).slice(0, length);
}

/* ---- challenges: one open for each card, good once ---- */

/** Opens a challenge for a card; `about` is kept with it. */
const challengeFor = (core: PathCore, cardId: Uint8Array, about: Uint8Array = new Uint8Array(0)): Uint8Array =>
  core.store.transaction((writer) => {
    const challenge = fresh(core, writer, 'cardbench owner challenge v1', 16);
    writer.put(openKey(cardId), concat(challenge, about));
    return challenge;
  });

/** Takes the open challenge of a card, durably, whatever comes of it. */
function takeChallenge(core: PathCore, cardId: Uint8Array): { readonly challenge: Uint8Array; readonly about: Uint8Array } {
  const kept = core.store.transaction((writer) => {
    const bytes = writer.get(openKey(cardId));
    writer.delete(openKey(cardId));
    return bytes;
  });
  if (kept === undefined) throw new SafeError('SAFE_PATH', 'no challenge is open for this card');
  return { challenge: kept.slice(0, 16), about: kept.slice(16) };
}

/* ---- paths: one for each card ---- */

/** What is kept of a path. */
interface Path {
  readonly id: Uint8Array;
  /** Milliseconds of the safe's clock. */
  readonly until: number;
  /** Kept with the value that is registered over it; of owner information: empty, it waits under {@link pendingName}. */
  readonly set: Uint8Array;
  /** Record that is given out over it; empty: something is registered. */
  readonly name: string;
}

const encodePath = (core: PathCore, cardId: Uint8Array, { id, until, set, name }: Path): Uint8Array =>
  records.sealItem(core.keys.store, pathKey(cardId), concat(
    writeTlv(0xc1, id), writeTlv(0xc2, concat(uintBytes(Math.floor(until / 2 ** 24), 3), uintBytes(until % 2 ** 24, 3))), writeTlv(0xc3, set), writeTlv(0xc4, textBytes(name)),
  ));

/** The open path of a card. Throws SafeError SAFE_PATH when it is another one, or too old. */
function pathOf(core: PathCore, cardId: Uint8Array, id: Uint8Array): Path {
  const bytes = core.store.get(pathKey(cardId));
  if (bytes === undefined) throw new SafeError('SAFE_PATH', 'no path is open for this card');
  const path = records.intact(() => {
    const reader = new TlvReader(records.openItem(core.keys.store, pathKey(cardId), bytes));
    const next = (tag: number): Uint8Array => reader.expect(tag, 'path').content;
    return { id: next(0xc1), until: uintOf(next(0xc2)), set: next(0xc3), name: new TextDecoder().decode(next(0xc4)) };
  });
  if (!equalBytes(path.id, id)) throw new SafeError('SAFE_PATH', 'the path of this card is another one');
  if (core.clock() > path.until) throw new SafeError('SAFE_PATH', 'the path is too old');
  return path;
}

/** Opens a path for a card whose owner has been authenticated; the one before is closed. */
function granted(core: PathCore, cardId: Uint8Array, kept: Pick<Path, 'set' | 'name'>, pending?: OwnerInformation): Uint8Array {
  const id = core.store.transaction((writer) => {
    const own = fresh(core, writer, 'cardbench path id v1', 12);
    writer.put(pathKey(cardId), encodePath(core, cardId, { id: own, until: core.clock() + PATH_LIFE, ...kept }));
    const waiting = ownerKey(pendingName(cardId));
    if (pending === undefined) writer.delete(waiting);
    else writer.put(waiting, enrolledOwner(pendingName(cardId), pending, ownerSetting(core)));
    return own;
  });
  const grant = { cardId, safeId: core.id, pathId: id };
  return paths.grant.encode({ ...grant, signature: core.keys.signer.sign(grantMessage(grant)) });
}

/* ---- owner authentication at the safe (embodiment 8) ---- */

function openedOwner(core: PathCore, cardId: Uint8Array, method: number, challenge: Uint8Array, sealed: Uint8Array): OwnerInformation {
  return ownerInformation(method, wellFormed(() => openOwner({ to: core.id, cardId, method, challenge }, sealed, core.keys.agreement, core.ops)));
}

function enrol(core: PathCore, bytes: Uint8Array): Uint8Array {
  const { cardId, method, sealed } = wellFormed(() => paths.enrolment.decode(bytes));
  const { challenge } = takeChallenge(core, cardId);
  return granted(core, cardId, { set: new Uint8Array(0), name: '' }, openedOwner(core, cardId, method, challenge, sealed));
}

function present(core: PathCore, bytes: Uint8Array): Uint8Array {
  const { certificate, method, sealed } = wellFormed(() => paths.presentation.decode(bytes));
  const { cardId } = certificate;
  const { name } = core.found(certificateCodec.encode(certificate));
  const { challenge } = takeChallenge(core, cardId);
  authenticateOwner(core.store, name, openedOwner(core, cardId, method, challenge, sealed), core.clock(), ownerSetting(core));
  return granted(core, cardId, { set: new Uint8Array(0), name });
}

/* ---- results from elsewhere and devices (embodiments 9 and 10) ---- */

/** What is kept with a value: 3 and who authenticated whom, or 4 and the device. */
const resultSet = (authenticator: Uint8Array, reference: Uint8Array): Uint8Array => concat(Uint8Array.of(3), authenticator, reference);
const deviceSet = (deviceId: Uint8Array): Uint8Array => concat(Uint8Array.of(4), deviceId);

/** A path for the next value of a card, or for a value that is held with this set. `rest`: empty, or the certificate E6. */
function grantedWith(core: PathCore, cardId: Uint8Array, set: Uint8Array, rest: Uint8Array): Uint8Array {
  if (rest.length === 0) return granted(core, cardId, { set, name: '' });
  const certificate = wellFormed(() => certificateCodec.decode(rest));
  const { name } = core.found(rest);
  const sealed = core.store.get(setKey(name));
  const held = sealed && records.openItem(core.keys.store, setKey(name), sealed);
  if (held === undefined || !equalBytes(held, set) || !equalBytes(certificate.cardId, cardId))
    throw new SafeError('SAFE_OWNER_WRONG', 'the value is held with another owner authentication');
  return granted(core, cardId, { set, name });
}

/** The first object of a body and what follows it. */
function split(bytes: Uint8Array): readonly [Uint8Array, Uint8Array] {
  const reader = new TlvReader(bytes);
  wellFormed(() => reader.next());
  return [bytes.slice(0, reader.offset), bytes.slice(reader.offset)];
}

function result(core: PathCore, bytes: Uint8Array): Uint8Array {
  const [first, rest] = split(bytes);
  const object = wellFormed(() => paths.result.decode(first));
  const { cardId, safeId, reference, verificationKey, signature } = object;
  const { challenge } = takeChallenge(core, cardId);
  const known = core.authenticators.some((key) => equalBytes(key, verificationKey));
  if (!known || !core.ops.verify(verificationKey, resultMessage(object), signature))
    throw new SafeError('SAFE_BAD_SIGNATURE', 'the result of the owner authentication does not verify');
  if (!equalBytes(challenge, object.challenge) || !equalBytes(safeId, core.id)) throw new SafeError('SAFE_PATH', 'the result answers another challenge');
  return grantedWith(core, cardId, resultSet(verificationKey, reference), rest);
}

const deviceOf = (core: PathCore, id: Uint8Array): KnownDevice => {
  const known = core.devices.find((one) => equalBytes(one.id, id));
  if (known === undefined) throw new SafeError('SAFE_OWNER_WRONG', 'the authentication device is not known');
  return known;
};

function hello(core: PathCore, bytes: Uint8Array): Uint8Array {
  const { cardId, deviceId, challenge: theirs } = wellFormed(() => paths.hello.decode(bytes));
  const device = deviceOf(core, deviceId);
  const challenge = challengeFor(core, cardId, concat(deviceId, theirs));
  return paths.checkProof.encode({ challenge, proof: checkProof(device, theirs, challenge) });
}

function prove(core: PathCore, bytes: Uint8Array): Uint8Array {
  const [first, rest] = split(bytes);
  const { cardId, deviceId, proof } = wellFormed(() => paths.deviceProof.decode(first));
  const { challenge, about } = takeChallenge(core, cardId);
  if (about.length !== 24 || !equalBytes(about.slice(0, 8), deviceId)) throw new SafeError('SAFE_PATH', 'the proof answers another challenge');
  if (!provesDevice(deviceOf(core, deviceId), challenge, about.slice(8), proof)) throw new SafeError('SAFE_OWNER_WRONG', 'the authentication device has not proved itself');
  return grantedWith(core, cardId, deviceSet(deviceId), rest);
}

/* ---- what goes over a path ---- */

/** The value of a request on a path, with everything about its sender checked. */
function opened(core: PathCore, request: RegistrationRequest, pathed: PathedValue, pathId: Uint8Array): Uint8Array {
  core.checkCredential(pathed.credential, request.cardId);
  const value = wellFormed(() => openedFor(core, request, pathed, pathId));
  return wellFormed(() => valueInformation.encode(valueInformation.decode(value)));
}

/** The certificate given to this registration before. Throws SafeError SAFE_CONFLICT when it was another value. */
function certifiedBefore(writer: StoreReader, request: RegistrationRequest, value: Uint8Array): { name: string; certificate: Uint8Array } | undefined {
  const kept = writer.get(records.keys.registration(request.cardId, request.sequence));
  if (kept === undefined) return undefined;
  const { name } = records.decodeRegistration(kept);
  const record = writer.get(records.keys.certificate(name));
  if (record === undefined) throw new SafeError('SAFE_STORE', 'a registration without its record');
  const { certificate, owned } = records.decodeRecord(record);
  const issued = records.intact(() => certificateCodec.decode(certificate));
  if (issued.algorithm !== request.algorithm || !equalBytes(issued.hash, hashX(issued.algorithm, value)) || !owned)
    throw new SafeError('SAFE_CONFLICT', 'another object is registered under this card id and sequence');
  return { name, certificate };
}

/** Keeps who is authenticated together with the value. */
function keepSet(core: PathCore, writer: StoreWriter, cardId: Uint8Array, { set }: Path, name: string): void {
  forgetOwner(writer, name);
  const waiting = writer.get(ownerKey(pendingName(cardId)));
  if (set.length > 0) writer.put(setKey(name), records.sealItem(core.keys.store, setKey(name), set));
  else if (waiting !== undefined) writer.put(ownerKey(name), renamedOwner(pendingName(cardId), name, waiting, ownerSetting(core)));
  else throw new SafeError('SAFE_PATH', 'nothing is known of the owner of this path');
}

function register(core: PathCore, bytes: Uint8Array): Uint8Array {
  const { pathId, request } = wellFormed(() => paths.request.decode(bytes));
  const { cardId, item, algorithm } = request;
  if (item.type !== 'pathed') throw new SafeError('SAFE_BAD_OBJECT', 'a path takes values that are sealed for its safe');
  if (isLegacy(algorithm) && !core.allowLegacy) throw new SafeError('SAFE_LEGACY_HASH', `${algorithm} is not allowed here`);
  const path = pathOf(core, cardId, pathId);
  if (path.name !== '') throw new SafeError('SAFE_PATH', 'the path is for a recovery');
  const value = opened(core, request, item.pathed, pathId);
  return core.store.transaction((writer) => {
    const before = certifiedBefore(writer, request, value);
    const certificate = before?.certificate
      ?? core.storePlain(writer, request, registrationRequest.encode(request), value, credentialCodec.encode(item.pathed.credential));
    keepSet(core, writer, cardId, path, before?.name ?? records.recordName(certificateCodec.decode(certificate)));
    return certificate;
  });
}

function retrieve(core: PathCore, bytes: Uint8Array): Uint8Array {
  const { pathId, certificate } = wellFormed(() => paths.certificate.decode(bytes));
  const { cardId } = certificate;
  const { name, record } = core.found(certificateCodec.encode(certificate));
  if (pathOf(core, cardId, pathId).name !== name) throw new SafeError('SAFE_PATH', 'the path is not for this value');
  return sealedReply(core, { certificate, credential: record.credential, pathId, object: core.item(name, certificate) });
}

const runs: Readonly<Record<OwnerOperation, (core: PathCore, bytes: Uint8Array) => Uint8Array>> = {
  challenge: (core, bytes) => paths.challenge.encode({ challenge: challengeFor(core, wellFormed(() => paths.challengeRequest.decode(bytes)).cardId) }),
  enrol, present, result, device: hello, prove, register, retrieve,
};

/** Carries out one operation about owners and paths. Throws SafeError. */
export const ownerOperation = (core: PathCore, operation: OwnerOperation, bytes: Uint8Array): Uint8Array => runs[operation](core, bytes);
