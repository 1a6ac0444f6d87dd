import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import {
  CodecError, certificate as certificateCodec, concat, deriveKeyPair, equalBytes, hashX, openPeer, peerQuery, peerReply, peerRequest, peerSigned,
  registeredValue, sealPeer, signed, textBytes, toHex, uintBytes, uintOf,
} from '../codec/index.js';
import type { Certificate, PeerContext, PeerMessage, PeerQuery, PublicKeyOps, RegisteredValue, SafeEntry } from '../codec/index.js';
import { SafeError } from './errors.js';
import type { SafeKeys } from './safe.js';
import type { SafeStore, StoreReader, StoreWriter } from './store.js';
import { wellFormed } from './well-formed.js';

/** Brings a message to the other safe and its answer back; rejects with SafeError. */
export type PeerAsk = (message: Uint8Array) => Promise<Uint8Array>;

/** The one other safe that a safe speaks to. */
export interface Peer {
  /** Id and public keys, known beforehand: whoever has other keys is not the peer. */
  readonly entry: SafeEntry;
  /** Absent: the peer may ask here, and is not asked. */
  readonly ask?: PeerAsk;
}

/** What one end of the connection is made of. */
export interface PeerEnd {
  readonly id: Uint8Array;
  readonly keys: SafeKeys;
  readonly store: SafeStore;
  readonly ops: PublicKeyOps;
  readonly peer: () => Peer | undefined;
}

const sentKey = 'peer/sent';
const windowKey = (id: Uint8Array): string => `peer/window/${toHex(id)}`;
/** Messages that may overtake each other: as in RFC 4303 3.4.3, one older than the newest by as many is refused. */
const windowSize = 64n;

const big = (bytes: Uint8Array | undefined): bigint => (bytes === undefined ? 0n : BigInt(`0x0${toHex(bytes)}`));
const bytes8 = (value: bigint): Uint8Array => concat(uintBytes(Number(value >> 32n), 4), uintBytes(Number(value & 0xffffffffn), 4));

/** The peer; nobody else is spoken to. Throws SafeError SAFE_UNPAIRED. */
export function peerOf({ peer }: Pick<PeerEnd, 'peer'>): Peer {
  const found = peer();
  if (found === undefined) throw new SafeError('SAFE_UNPAIRED', 'this safe is paired with no other');
  return found;
}

/** Takes the next number for a message, durably: none is used twice. */
function nextNumber(store: SafeStore): number {
  return store.transaction((writer) => {
    const next = Number(big(writer.get(sentKey))) + 1;
    writer.put(sentKey, bytes8(BigInt(next)));
    return next;
  });
}

/** Marks the number of a message as taken. Throws SafeError SAFE_REPLAY when it was, or is too old to tell. */
function takeNumber(writer: StoreWriter, from: Uint8Array, number: number): void {
  const stored = writer.get(windowKey(from));
  const [highest, seen] = stored === undefined ? [0n, 0n] : [big(stored.slice(0, 8)), big(stored.slice(8))];
  const at = BigInt(number);
  const age = highest - at;
  if (number === 0 || age >= windowSize || (age >= 0n && ((seen >> age) & 1n) === 1n))
    throw new SafeError('SAFE_REPLAY', `message ${number} of the other safe was taken before`);
  const mask = (1n << windowSize) - 1n;
  const now = age >= 0n ? [highest, seen | (1n << age)] : [at, ((-age >= windowSize ? 0n : seen << -age) | 1n) & mask];
  writer.put(windowKey(from), concat(bytes8(now[0]), bytes8(now[1])));
}

/** Seals and signs a message to the peer. Its ephemeral key is made of a secret, the number and the content. */
function messageTo(end: PeerEnd, peer: Peer, number: number, context: PeerContext, plaintext: Uint8Array): PeerMessage {
  const { id, keys, ops } = end;
  const way = { from: id, to: peer.entry.safeId, number };
  const about = concat(textBytes(context.what), peer.entry.safeId, bytes8(BigInt(number)), context.about ?? new Uint8Array(0), sha256(plaintext));
  const ephemeral = deriveKeyPair(hkdf(sha256, keys.agreement, textBytes('cardbench peer ephemeral v1'), about, 32));
  const unsigned = { ...way, sealed: sealPeer(way, context, plaintext, peer.entry.transportKey, ephemeral, ops) };
  return { ...unsigned, signature: keys.signer.sign(peerSigned(unsigned, context)) };
}

/** Way and signature of a message from the peer. Throws SafeError SAFE_UNPAIRED, SAFE_BAD_SIGNATURE. */
function checkMessage({ id, ops }: PeerEnd, { entry }: Peer, message: PeerMessage, context: PeerContext): void {
  if (!equalBytes(message.from, entry.safeId) || !equalBytes(message.to, id))
    throw new SafeError('SAFE_UNPAIRED', 'the message is not of the paired safe to this one');
  if (!ops.verify(entry.verificationKey, peerSigned(message, context), message.signature))
    throw new SafeError('SAFE_BAD_SIGNATURE', "the message of the other safe does not verify");
}

/** What the peer asks for must fit what it vouches for: an owner authenticated for a key that it certified to the same card. */
function checkQuery({ ops }: PeerEnd, { entry }: Peer, { method, key, value }: PeerQuery): void {
  if (method === 0) throw new SafeError('SAFE_OWNER_NEEDED', 'the other safe has not authenticated the owner');
  if (key.kind !== 'key' || !equalBytes(key.safeId, entry.safeId) || !signed.certificate.verify(key, {}, entry.verificationKey, ops))
    throw new SafeError('SAFE_BAD_SIGNATURE', 'the key certificate is not one of the other safe');
  if (value.kind !== 'registered' || !equalBytes(key.cardId, value.cardId))
    throw new SafeError('SAFE_BAD_OBJECT', 'value and key are not of one card');
}

/**
 * Answers the paired safe: a ciphertext for its certificate, to nobody else and only for an authenticated owner. Each
 * message is answered once.
 * @param retrieve what this safe gives out for a certificate
 * @throws SafeError `SAFE_UNPAIRED`, `SAFE_BAD_SIGNATURE`, `SAFE_REPLAY`, `SAFE_BAD_OBJECT`, `SAFE_OWNER_NEEDED`, and those of retrieve
 */
export function answerPeer(end: PeerEnd, bytes: Uint8Array, retrieve: (certificate: Uint8Array) => Uint8Array): Uint8Array {
  const peer = peerOf(end);
  const request = wellFormed(() => peerRequest.decode(bytes));
  checkMessage(end, peer, request, { what: 'request' });
  end.store.transaction((writer) => { takeNumber(writer, request.from, request.number); });
  const query = wellFormed(() => peerQuery.decode(openPeer(request, { what: 'request' }, end.keys.agreement, end.ops)));
  checkQuery(end, peer, query);
  const object = retrieve(certificateCodec.encode(query.value));
  return peerReply.encode(messageTo(end, peer, request.number, { what: 'reply', about: sha256(bytes) }, object));
}

/** The other safe's part failed or cannot be trusted: nothing of it is given out. */
const failed = (cause: unknown): SafeError => {
  const text = cause instanceof SafeError || cause instanceof CodecError ? `${cause.code}: ${cause.message}` : 'its answer cannot be used';
  return new SafeError('SAFE_PEER', `the other safe: ${text}`, { cause });
};

function replyOf(end: PeerEnd, peer: Peer, sent: Uint8Array, number: number, answer: Uint8Array, value: Certificate): RegisteredValue {
  const context: PeerContext = { what: 'reply', about: sha256(sent) };
  const reply = peerReply.decode(answer);
  checkMessage(end, peer, reply, context);
  if (reply.number !== number) throw new SafeError('SAFE_REPLAY', 'the reply is to another message');
  const object = registeredValue.decode(openPeer(reply, context, end.keys.agreement, end.ops));
  if (!equalBytes(hashX(value.algorithm, object.encrypted), value.hash)) throw new SafeError('SAFE_BAD_OBJECT', 'the ciphertext is not the one certified');
  return object;
}

/**
 * Fetches a ciphertext from the paired safe. The owner must have been authenticated by the caller.
 * @throws SafeError `SAFE_UNPAIRED`; `SAFE_PEER` for whatever goes wrong there or on the way
 */
export async function askPeer(end: PeerEnd, query: PeerQuery): Promise<RegisteredValue> {
  const peer = peerOf(end);
  if (peer.ask === undefined) throw new SafeError('SAFE_UNPAIRED', 'this safe has no address of the other');
  const number = nextNumber(end.store);
  const sent = peerRequest.encode(messageTo(end, peer, number, { what: 'request' }, peerQuery.encode(query)));
  try {
    return replyOf(end, peer, sent, number, await peer.ask(sent), query.value);
  } catch (cause) {
    throw failed(cause);
  }
}

/** The newest message number taken from a safe. */
export const newestFrom = (store: StoreReader, id: Uint8Array): number => uintOf((store.get(windowKey(id)) ?? new Uint8Array(8)).slice(0, 8));
