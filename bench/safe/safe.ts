import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import {
  bundle as bundleCodec, certificate as certificateCodec, credential as credentialCodec, concat, deriveKeyPair, digest as digestCodec,
  digestOf, encodeItem, equalBytes, hashX, isLegacy, keyIdOf, keyPartReply, keyReply, noPath, nobleOps, piece as pieceCodec, receipt as receiptCodec,
  registeredValue, registrationRequest, safeEntry, signed, textBytes, uintOf, unwrapKeyAtSafe, unwrapPartAtSafe, valueInformation,
  wrapKeyToCard, wrapPartToCard,
} from '../codec/index.js';
import type {
  Certificate, CertificateKind, Credential, Digest, KeyObject, KeyPart, PublicKeyOps, Receipt, RegistrationRequest, Signer,
} from '../codec/index.js';
import { SafeError } from './errors.js';
import type { KnownDevice } from './device-check.js';
import { forgetOwner, ownerOperation } from './path.js';
import type { OwnerOperation, PathCore } from './path.js';
import { registerOwned, retrieveSet } from './owned-keys.js';
import type { OwnedKeys } from './owned-keys.js';
import { ownerPolicy } from './owner.js';
import type { OwnerPolicy } from './owner.js';
import { answerPeer } from './peer.js';
import type { Peer } from './peer.js';
import * as records from './record.js';
import type { SafeRecord } from './record.js';
import { sealedReply, unsealed } from './sealed.js';
import type { SafeStore, StoreReader, StoreWriter } from './store.js';
import { wellFormed } from './well-formed.js';

/** Keys of a safe. */
export interface SafeKeys {
  /** Signs certificates and key replies (Ed25519). */
  readonly signer: Signer;
  /** X25519 private key (32): key objects are opened with it. */
  readonly agreement: Uint8Array;
  /** AES-256 key (32) under which objects are stored. */
  readonly store: Uint8Array;
}

/** Settings of a safe. */
export interface SafeSettings {
  /** Upper limit of the counter; default FFFFFFFF. */
  readonly counterLimit?: number;
  /** Makes empty digests for plain values; default false. */
  readonly emptyDigest?: boolean;
  /** Takes SHA-1 and MD5; default false. */
  readonly allowLegacy?: boolean;
  /** Ed25519 public keys (32) of the issuers whose credentials count. */
  readonly issuers?: readonly Uint8Array[];
  /** How owners are authenticated here; default {@link ownerPolicy}. */
  readonly owners?: OwnerPolicy;
  /** Ed25519 public keys (32) of the authentication means whose results count; default none. */
  readonly authenticators?: readonly Uint8Array[];
  /** Authentication devices that are known; default none. */
  readonly devices?: readonly KnownDevice[];
}

/** What a safe is made of. */
export interface SafeParts {
  /** Safe id (8). */
  readonly id: Uint8Array;
  readonly keys: SafeKeys;
  readonly store: SafeStore;
  readonly settings?: SafeSettings;
  /** Public-key operations; a campaign may give memoised ones. */
  readonly ops?: PublicKeyOps;
  /** Milliseconds, for waits and the age of paths; default the time of day. */
  readonly clock?: () => number;
  /** The safe this one speaks to (embodiment 12); default none. */
  readonly peer?: () => Peer | undefined;
}

/** An electronic safe (docs/protocol.md 3). All methods throw SafeError; all state is in the store. */
export interface Safe {
  /** Steps 1-9 to 1-11, 1-10 to 1-12, 3-5 to 3-7: E4 -> E6, durable before it returns. */
  register(request: Uint8Array): Uint8Array;
  /**
   * Several registrations in one change of the store, durable before it returns: for each what {@link register} would
   * answer or throw, in order. Never throws SafeError.
   */
  registerAll(requests: readonly Uint8Array[]): readonly (Uint8Array | SafeError)[];
  /** Steps 2-9, 2-10, 4-9, 4-10: E6 -> E1, E3, FB (an E3 that came sealed) or E8. Changes nothing. */
  retrieve(certificate: Uint8Array): Uint8Array;
  /** Claim 26: EA -> the object is deleted, a tombstone kept, durable before it returns. */
  receipt(receipt: Uint8Array): void;
  /** Owner authentication and what goes over a path (docs/protocol.md 3.1), durable before it returns. */
  owner(operation: OwnerOperation, body: Uint8Array): Uint8Array;
  /** Embodiment 12: a key with owner authentication information, 71 -> E6, durable before it returns. */
  registerOwned(request: Uint8Array): Uint8Array;
  /** Embodiment 12: key and value to the authenticated owner, 72 -> 73; the value comes from the paired safe. */
  retrieveSet(request: Uint8Array): Promise<Uint8Array>;
  /** Embodiment 12: answers the paired safe, 74 -> 75. */
  answerPeer(message: Uint8Array): Uint8Array;
  /** The safe entry ED: id and public keys. */
  identity(): Uint8Array;
  /** The index of fig. 4 and 9 as CSV: hash, counter, path of item, path of certificate, sorted by counter. */
  index(): string;
}

/** An object ready to be stored: what is kept, hashed and certified. */
interface Prepared {
  readonly kind: CertificateKind;
  readonly item: Uint8Array;
  readonly hash: Uint8Array;
  readonly digest: Digest;
  readonly credential: Uint8Array;
  /** Held for its authenticated owner alone. */
  readonly owned?: true;
}

/** Everything the operations need, with defaults filled in. */
interface Context extends Required<Pick<SafeSettings, 'counterLimit' | 'emptyDigest' | 'allowLegacy' | 'issuers'>> {
  readonly id: Uint8Array;
  readonly keys: SafeKeys;
  readonly store: SafeStore;
  readonly ops: PublicKeyOps;
}

const empty = new Uint8Array(0);

function require403(condition: boolean, what: string): void {
  if (!condition) throw new SafeError('SAFE_BAD_SIGNATURE', `${what} does not verify`);
}

function checkCredential(context: Context, credential: Credential, cardId: Uint8Array): void {
  const known = context.issuers.some((issuer) => signed.credential.verify(credential, {}, issuer, context.ops));
  require403(known, 'the card credential');
  require403(equalBytes(credential.cardId, cardId), 'the card credential (it is of another card)');
}

function prepareKey(context: Context, request: RegistrationRequest, object: KeyObject): Prepared {
  const { cardId, sequence, algorithm } = request;
  checkCredential(context, object.credential, cardId);
  const about = { cardId, sequence, safeId: context.id };
  require403(signed.keyObject.verify(object, about, object.credential.verificationKey, context.ops), 'the key object');
  const key = wellFormed(() =>
    unwrapKeyAtSafe({ ...about, digest: object.digest }, object.wrappedKey, context.keys.agreement, context.ops));
  if (!equalBytes(keyIdOf(object.digest.keyKind, key, context.ops), object.digest.keyId))
    throw new SafeError('SAFE_BAD_OBJECT', 'the key id of the digest is not that of the key');
  return {
    kind: object.digest.keyKind === 'seed' ? 'seed' : 'key', item: key, hash: hashX(algorithm, key), digest: object.digest,
    credential: credentialCodec.encode(object.credential),
  };
}

/** A key part: opened, kept as the encoded identity and division, then the part. */
function preparePart(context: Context, request: RegistrationRequest, object: KeyPart): Prepared {
  const { cardId, sequence, algorithm } = request;
  checkCredential(context, object.credential, cardId);
  const about = { cardId, sequence, safeId: context.id };
  require403(signed.keyPart.verify(object, about, object.credential.verificationKey, context.ops), 'the key part');
  if (object.identity.set + object.identity.index - 1 !== sequence)
    throw new SafeError('SAFE_BAD_OBJECT', 'the identity of the key part does not fit its sequence');
  const part = wellFormed(() =>
    unwrapPartAtSafe({ ...about, digest: object.digest }, object.wrappedKey, context.keys.agreement, context.ops));
  return {
    kind: 'key-part', item: records.encodePart(object, part), hash: hashX(algorithm, part), digest: object.digest,
    credential: credentialCodec.encode(object.credential),
  };
}

/** `sealedBy`: the credential of the card that has sealed the registered value information, encoded; otherwise empty. */
function prepare(context: Context, request: RegistrationRequest, sealedBy: Uint8Array): Prepared {
  const { item, algorithm } = request;
  if (item.type === 'key') return prepareKey(context, request, item.key);
  if (item.type === 'key-part') return preparePart(context, request, item.part);
  const bytes = encodeItem(item);
  if (item.type === 'registered') {
    const { digest, encrypted } = item.registered;
    return { kind: 'registered', item: bytes, hash: hashX(algorithm, encrypted), digest, credential: sealedBy };
  }
  if (item.type === 'pathed') throw new SafeError('SAFE_BAD_OBJECT', 'what is sealed is opened first');
  if (item.type !== 'plain') {
    const { digest, content } = item.type === 'piece' ? item.piece : item.bundle;
    const kind = item.type === 'bundle' && item.bundle.division.wanted > 0 ? 'coupled' : item.type;
    return { kind, item: bytes, hash: hashX(algorithm, content), digest, credential: empty };
  }
  const digest = digestOf(item.value, context.emptyDigest);
  return { kind: 'plain', item: bytes, hash: hashX(algorithm, bytes), digest, credential: empty };
}

function recordAt(store: StoreReader, name: string): SafeRecord | undefined {
  const bytes = store.get(records.keys.certificate(name));
  return bytes === undefined ? undefined : records.decodeRecord(bytes);
}

/** Rule (a): what was answered to this (card id, sequence) before; another object is a conflict. */
function repeated(store: StoreReader, request: RegistrationRequest, bytes: Uint8Array): Uint8Array | undefined {
  const found = store.get(records.keys.registration(request.cardId, request.sequence));
  if (found === undefined) return undefined;
  const { requestHash, name } = records.decodeRegistration(found);
  if (!equalBytes(requestHash, sha256(bytes)))
    throw new SafeError('SAFE_CONFLICT', 'another object is registered under this card id and sequence');
  const record = recordAt(store, name);
  if (record === undefined) throw new SafeError('SAFE_STORE', 'a registration without its record');
  return record.certificate;
}

function certify(context: Context, request: RegistrationRequest, prepared: Prepared, counter: number): Certificate {
  return signed.certificate.sign({
    version: 1, kind: prepared.kind, cardId: request.cardId, sequence: request.sequence, digest: prepared.digest,
    algorithm: request.algorithm, hash: prepared.hash, counter, safeId: context.id,
  }, {}, context.keys.signer);
}

function storeNew(
  context: Context, writer: StoreWriter, request: RegistrationRequest, bytes: Uint8Array, prepared: Prepared,
): Uint8Array {
  const counter = records.nextCounter(uintOf(writer.get(records.keys.counter) ?? empty), context.counterLimit);
  const certificate = certify(context, request, prepared, counter);
  const name = records.recordName(certificate);
  const encoded = certificateCodec.encode(certificate);
  const record = { state: 'held', certificate: encoded, credential: prepared.credential, ...prepared.owned && { owned: true as const } } as const;
  writer.put(records.keys.counter, records.counterBytes(counter));
  writer.put(records.keys.certificate(name), records.encodeRecord(record));
  writer.put(records.keys.item(name), records.sealItem(context.keys.store, name, prepared.item));
  writer.put(records.keys.registration(request.cardId, request.sequence), records.encodeRegistration(bytes, name));
  return encoded;
}

/** A registration that has passed what can be checked before the store is changed. */
interface Pending {
  readonly request: RegistrationRequest;
  readonly bytes: Uint8Array;
  /** Of the card that sealed it for this safe, encoded; otherwise empty. */
  readonly credential: Uint8Array;
}
type Answered = Uint8Array | SafeError;
const isAnswered = (one: Answered | Pending): one is Answered => one instanceof Uint8Array || one instanceof SafeError;

/** The result, or the refusal as a value. Failures of the store stop everything when `through` says so. */
function answered<T>(run: () => T, through = false): T | SafeError {
  try {
    return run();
  } catch (error) {
    if (error instanceof SafeError && !(through && error.code === 'SAFE_STORE')) return error;
    throw error;
  }
}

function considered(context: Context, bytes: Uint8Array): Uint8Array | Pending {
  const request = wellFormed(() => registrationRequest.decode(bytes));
  if (isLegacy(request.algorithm) && !context.allowLegacy)
    throw new SafeError('SAFE_LEGACY_HASH', `${request.algorithm} is not allowed here`);
  const pending = opened(context, request, bytes);
  return repeated(context.store, pending.request, pending.bytes) ?? pending;
}

/** What was sealed for this safe counts as what is in it, here and when it comes again. */
function opened(context: Context, request: RegistrationRequest, bytes: Uint8Array): Pending {
  const { item, cardId } = request;
  if (item.type !== 'pathed') return { request, bytes, credential: empty };
  checkCredential(context, item.pathed.credential, cardId);
  const inner = wellFormed(() => unsealed(context, request, item.pathed));
  return { ...inner, bytes: registrationRequest.encode(inner.request) };
}

function storePending(context: Context, writer: StoreWriter, { request, bytes, credential }: Pending): Answered {
  return answered(() => repeated(writer, request, bytes) ?? storeNew(context, writer, request, bytes, prepare(context, request, credential)), true);
}

function registerAll(context: Context, requests: readonly Uint8Array[]): readonly Answered[] {
  const first = requests.map((bytes) => answered(() => considered(context, bytes)));
  if (first.every(isAnswered)) return first;
  const all = answered(() => context.store.transaction((writer) =>
    first.map((one) => (isAnswered(one) ? one : storePending(context, writer, one)))));
  return all instanceof SafeError ? first.map((one) => (isAnswered(one) ? one : all)) : all;
}

/** One registration of what is held for its owner alone, with who that is stored in the same change when it is new. */
function registerOwnedWith(context: Context, bytes: Uint8Array, also: (writer: StoreWriter, name: string) => void): { certificate: Uint8Array; fresh: boolean } {
  const first = considered(context, bytes);
  if (isAnswered(first)) return { certificate: first, fresh: false };
  return context.store.transaction((writer) => {
    const before = repeated(writer, first.request, first.bytes);
    if (before !== undefined) return { certificate: before, fresh: false };
    const certificate = storeNew(context, writer, first.request, first.bytes, { ...prepare(context, first.request, first.credential), owned: true });
    also(writer, records.recordName(certificateCodec.decode(certificate)));
    return { certificate, fresh: true };
  });
}

function register(context: Context, bytes: Uint8Array): Uint8Array {
  const [answer] = registerAll(context, [bytes]);
  if (answer instanceof SafeError) throw answer;
  return answer;
}

/** Finds a record by counter, then hash, then the rest of its name. Throws SAFE_UNKNOWN, SAFE_TOMBSTONE. */
function find(context: Context, store: StoreReader, of: Certificate | Receipt): { name: string; record: SafeRecord } {
  const name = records.recordName(of);
  const record = equalBytes(of.safeId, context.id) ? recordAt(store, name) : undefined;
  if (record === undefined) throw new SafeError('SAFE_UNKNOWN', 'no record with this counter, hash, card and sequence');
  return { name, record };
}

const damaged = (what: string): SafeError =>
  new SafeError('SAFE_STORE', `the stored object does not fit its certificate (${what}); nothing was given out`);

/** Rule (c), last part: the stored object's hash and digest against the certificate. */
function checkItem(certificate: Certificate, item: Uint8Array): void {
  const fits = (hashed: Uint8Array, digest: Digest): void => {
    if (!equalBytes(hashX(certificate.algorithm, hashed), certificate.hash)) throw damaged('hash');
    if (!equalBytes(digestCodec.encode(digest), digestCodec.encode(certificate.digest))) throw damaged('digest');
  };
  records.intact(() => {
    if (certificate.kind === 'registered') {
      const { encrypted, digest } = registeredValue.decode(item);
      fits(encrypted, digest);
    } else if (['piece', 'bundle', 'coupled'].includes(certificate.kind)) {
      const { content, digest } = certificate.kind === 'piece' ? pieceCodec.decode(item) : bundleCodec.decode(item);
      fits(content, digest);
    } else if (certificate.kind === 'key-part') {
      fits(records.decodePart(item).part, certificate.digest);
    } else if (certificate.kind === 'plain') {
      fits(item, digestOf(valueInformation.decode(item), certificate.digest.type === 'empty'));
    } else {
      fits(item, certificate.digest);
    }
  });
}

/** E8 for a stored key. Its ephemeral key is made of the safe's secret and the certificate: repeats are identical. */
function replyWithKey(context: Context, certificate: Certificate, encoded: Uint8Array, record: SafeRecord, key: Uint8Array): Uint8Array {
  const { digest, cardId, sequence, counter } = certificate;
  if (digest.type !== 'key') throw damaged('digest');
  const { transportKey } = records.intact(() => credentialCodec.decode(record.credential));
  const material = hkdf(sha256, context.keys.agreement, textBytes('cardbench key reply ephemeral v1'),
    concat(sha256(encoded), transportKey), 32);
  const about = { cardId, sequence, safeId: context.id };
  const wrappedKey = wrapKeyToCard({ ...about, digest }, key, transportKey, deriveKeyPair(material), context.ops);
  return keyReply.encode(signed.keyReply.sign({ digest, wrappedKey }, { ...about, counter }, context.keys.signer));
}

/** The reply EE for a stored key part; repeats are identical, as with keys. */
function replyWithPart(context: Context, certificate: Certificate, encoded: Uint8Array, record: SafeRecord, item: Uint8Array): Uint8Array {
  const { digest, cardId, sequence, counter } = certificate;
  if (digest.type !== 'key') throw damaged('digest');
  const { identity, division, part } = records.decodePart(item);
  const { transportKey } = records.intact(() => credentialCodec.decode(record.credential));
  const material = hkdf(sha256, context.keys.agreement, textBytes('cardbench key part reply ephemeral v1'),
    concat(sha256(encoded), transportKey), 32);
  const about = { cardId, sequence, safeId: context.id };
  const wrappedKey = wrapPartToCard({ ...about, digest }, part, transportKey, deriveKeyPair(material), context.ops);
  return keyPartReply.encode(signed.keyPartReply.sign({ digest, identity, division, wrappedKey }, { ...about, counter }, context.keys.signer));
}

/** The record of a genuine certificate that is held. */
function found(context: Context, bytes: Uint8Array): { certificate: Certificate; name: string; record: SafeRecord } {
  const certificate = wellFormed(() => certificateCodec.decode(bytes));
  require403(signed.certificate.verify(certificate, {}, context.keys.signer.publicKey, context.ops), 'the certificate');
  const { name, record } = find(context, context.store, certificate);
  if (!equalBytes(record.certificate, bytes)) throw new SafeError('SAFE_UNKNOWN', 'the certificate is not the one issued');
  if (record.state === 'tombstone') throw new SafeError('SAFE_TOMBSTONE', 'the value was recovered and its copy deleted');
  return { certificate, name, record };
}

/** What is stored for a certificate, checked against it. */
function stored(context: Context, name: string, certificate: Certificate): Uint8Array {
  const sealed = context.store.get(records.keys.item(name));
  if (sealed === undefined) throw damaged('missing');
  const item = records.openItem(context.keys.store, name, sealed);
  checkItem(certificate, item);
  return item;
}

/** `owned`: the caller authenticates the owner itself. */
function retrieve(context: Context, bytes: Uint8Array, owned = false): Uint8Array {
  const { certificate, name, record } = found(context, bytes);
  if (!owned && record.owned) throw new SafeError('SAFE_OWNER_NEEDED', 'what is stored is given out to its authenticated owner alone');
  const item = stored(context, name, certificate);
  if (certificate.kind === 'key-part') return replyWithPart(context, certificate, bytes, record, item);
  if (certificate.kind === 'registered' && record.credential.length > 0)
    return sealedReply(context, { certificate, credential: record.credential, pathId: noPath, object: item });
  return certificate.digest.type === 'key' ? replyWithKey(context, certificate, bytes, record, item) : item;
}

function takeReceipt(context: Context, bytes: Uint8Array): void {
  const receipt = wellFormed(() => receiptCodec.decode(bytes));
  checkCredential(context, receipt.credential, receipt.cardId);
  require403(signed.receipt.verify(receipt, {}, receipt.credential.verificationKey, context.ops), 'the receipt');
  const settled = (store: StoreReader): { name: string; record: SafeRecord } => {
    const found = find(context, store, receipt);
    const issued = records.intact(() => certificateCodec.decode(found.record.certificate));
    if (issued.algorithm !== receipt.algorithm) throw new SafeError('SAFE_UNKNOWN', 'the receipt names another hash algorithm');
    return found;
  };
  if (settled(context.store).record.state === 'tombstone') return;
  context.store.transaction((writer) => {
    const { name, record } = settled(writer);
    writer.put(records.keys.certificate(name), records.encodeRecord({ ...record, state: 'tombstone' }));
    writer.delete(records.keys.item(name));
    forgetOwner(writer, name);
  });
}

/** The index of a store as CSV (fig. 4 and 9), sorted by counter and then hash; a tombstone has no path of item. */
export function indexCsv(store: StoreReader): string {
  const lines = ['hash,counter,item,certificate'];
  for (const [key, bytes] of store.range('certificate/')) {
    const name = key.slice('certificate/'.length);
    const [counter, hash] = name.split('/');
    const item = records.decodeRecord(bytes).state === 'held' ? records.keys.item(name) : '';
    lines.push(`${hash},${parseInt(counter, 16)},${item},${key}`);
  }
  return `${lines.join('\r\n')}\r\n`;
}

function checkParts(context: Context): void {
  const sizes: readonly (readonly [string, Uint8Array, number])[] = [
    ['safe id', context.id, 8], ['X25519 key', context.keys.agreement, 32], ['store key', context.keys.store, 32],
    ...context.issuers.map((key) => ['issuer key', key, 32] as const),
  ];
  for (const [what, bytes, size] of sizes)
    if (bytes.length !== size) throw new SafeError('SAFE_SETUP', `${what}: expected ${size} bytes, got ${bytes.length}`);
  const limit = context.counterLimit;
  if (!Number.isInteger(limit) || limit < 0 || limit > 0xffffffff)
    throw new SafeError('SAFE_SETUP', `counter limit: expected 0-4294967295, got ${limit}`);
}

const timeOfDay = (): number => Math.floor(performance.timeOrigin + performance.now());

/** What the paths work with. */
function pathCore(context: Context, { clock = timeOfDay, settings = {} }: SafeParts): PathCore {
  const { owners: policy = ownerPolicy, authenticators = [], devices = [] } = settings;
  const { id, keys, store, ops, allowLegacy } = context;
  return {
    id, keys, store, ops, allowLegacy, policy, authenticators, devices, clock,
    found: (bytes) => found(context, bytes),
    item: (name, certificate) => stored(context, name, certificate),
    checkCredential: (credential, cardId) => { checkCredential(context, credential, cardId); },
    storePlain: (writer, request, bytes, value, credential) => storeNew(context, writer, request, bytes, {
      kind: 'plain', item: value, hash: hashX(request.algorithm, value), digest: digestOf(valueInformation.decode(value), context.emptyDigest), credential, owned: true,
    }),
  };
}

/**
 * Makes a safe over a store. It is deterministic: same store, keys and requests give the same bytes, and a snapshot of
 * the store is a snapshot of the safe. Throws SafeError SAFE_SETUP when a part has the wrong size.
 */
export function createSafe(parts: SafeParts): Safe {
  const { counterLimit = 0xffffffff, emptyDigest = false, allowLegacy = false, issuers = [] } = parts.settings ?? {};
  const { id, keys, store, ops = nobleOps } = parts;
  const context: Context = { id, keys, store, ops, counterLimit, emptyDigest, allowLegacy, issuers };
  checkParts(context);
  const core = pathCore(context, parts);
  const identity = safeEntry.encode({
    safeId: id, verificationKey: keys.signer.publicKey, transportKey: ops.agreementPublic(keys.agreement),
  });
  const owned: OwnedKeys = {
    id, keys, store, ops, peer: parts.peer ?? (() => undefined), policy: core.policy, now: core.clock,
    retrieve: (bytes) => retrieve(context, bytes, true), register: (bytes, also) => registerOwnedWith(context, bytes, also),
  };
  return {
    registerOwned: (bytes) => registerOwned(owned, bytes),
    retrieveSet: (bytes) => retrieveSet(owned, bytes),
    answerPeer: (bytes) => answerPeer(owned, bytes, (certificate) => retrieve(context, certificate)),
    register: (bytes) => register(context, bytes),
    registerAll: (requests) => registerAll(context, requests),
    retrieve: (bytes) => retrieve(context, bytes),
    receipt: (bytes) => takeReceipt(context, bytes),
    owner: (operation, bytes) => ownerOperation(core, operation, bytes),
    identity: () => identity.slice(),
    index: () => indexCsv(store),
  };
}
