import { concat, textBytes, uintBytes, uintOf } from './bytes.js';
import { elements } from './elements.js';
import { CodecError } from './errors.js';
import { hpkeOpen, hpkeSeal } from './hpke.js';
import type { HpkeContext } from './hpke.js';
import { certificate, keyReply, registeredValue, registrationRequest } from './objects.js';
import type { Certificate, KeyReply, RegisteredValue, RegistrationRequest } from './objects.js';
import { nobleOps } from './ops.js';
import type { PublicKeyOps } from './ops.js';
import { bytesElement, element, template, uintElement } from './schema.js';
import type { ObjectCodec } from './schema.js';

/** How an owner is authenticated and by what (docs/protocol.md 3.3); the bytes are secret. */
export interface OwnerProof {
  /** 1 password, 2 template. */
  readonly method: number;
  readonly information: Uint8Array;
}

/** 71: a key to the key safe with the owner's authentication information, as a set. */
export interface OwnedRegistration extends OwnerProof {
  readonly request: RegistrationRequest;
}

/** 72: the owner asks the key safe for key and value. */
export interface SetRequest extends OwnerProof {
  readonly key: Certificate;
  readonly value: Certificate;
}

/** 73: key and value as they come back together. */
export interface ReturnedSet {
  readonly key: KeyReply;
  readonly value: RegisteredValue;
}

/** 74 and 75: a message of one safe to the other. */
export interface PeerMessage {
  /** Safe ids (8). */
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  /** Of the request, from 1; its reply has the same. */
  readonly number: number;
  /** HPKE to the receiver's X25519 key. */
  readonly sealed: Uint8Array;
  readonly signature: Uint8Array;
}

/** 76: what a peer's request says: the owner has been authenticated by this method, for these certificates. */
export interface PeerQuery {
  readonly method: number;
  readonly key: Certificate;
  readonly value: Certificate;
}

const method = uintElement(0xd0, 'method of owner authentication', 1, 0, 255);
const information = bytesElement(0xd1, 'owner information', { min: 1, max: 256 });
/** Numbers up to 2^53 - 1. */
const number = element(0xd2, 'message number', [8], (content, at) => {
  const high = uintOf(content.slice(0, 4));
  if (high >= 2 ** 21) throw new CodecError('ELEMENT_VALUE', 'message number: too large', at.contentOffset);
  return high * 2 ** 32 + uintOf(content.slice(4));
}, (value: number) => concat(uintBytes(Math.floor(value / 2 ** 32), 4), uintBytes(value % 2 ** 32, 4)));
const to = bytesElement(0xd3, 'safe id of the receiver', [8]);
const sealed = bytesElement(0xd4, 'sealed message', { min: 49, max: 2000 });
const message = { from: elements.safeId, to, number, sealed, signature: elements.signature };

/** Key registration with owner authentication information (71). */
export const ownedRegistration: ObjectCodec<OwnedRegistration> =
  template<OwnedRegistration>(0x71, 'registration with owner authentication', { method, information, request: registrationRequest });
/** Request for key and value (72). */
export const setRequest: ObjectCodec<SetRequest> = template<SetRequest>(0x72, 'request for key and value', { method, information, key: certificate, value: certificate });
/** Key and value (73). */
export const returnedSet: ObjectCodec<ReturnedSet> = template<ReturnedSet>(0x73, 'key and value', { key: keyReply, value: registeredValue });
/** Request of a safe to its peer (74). */
export const peerRequest: ObjectCodec<PeerMessage> = template<PeerMessage>(0x74, "peer's request", message);
/** Reply of a safe to its peer (75). */
export const peerReply: ObjectCodec<PeerMessage> = template<PeerMessage>(0x75, "peer's reply", message);
/** Content of a peer's request (76). */
export const peerQuery: ObjectCodec<PeerQuery> = template<PeerQuery>(0x76, "peer's query", { method, key: certificate, value: certificate });

type Way = Pick<PeerMessage, 'from' | 'to' | 'number'>;

/** Label of a message and, for a reply, the SHA-256 of the request it answers. */
export interface PeerContext {
  readonly what: 'request' | 'reply';
  readonly about?: Uint8Array;
}

const labelled = ({ what, about = new Uint8Array(0) }: PeerContext): Uint8Array => concat(textBytes(`cardbench peer ${what} v1`), Uint8Array.of(0), about);
const sealing = (way: Way, context: PeerContext): HpkeContext =>
  ({ info: concat(labelled(context), way.from, way.to, number.write(way.number)), aad: new Uint8Array(0) });

/** Seals a message to the receiver's X25519 key; `ephemeral` serves this one message. */
export const sealPeer = (way: Way, context: PeerContext, plaintext: Uint8Array, recipient: Uint8Array, ephemeral: Uint8Array, ops: PublicKeyOps = nobleOps): Uint8Array =>
  hpkeSeal(recipient, ephemeral, sealing(way, context), plaintext, ops);

/** Opens a message with the receiver's X25519 private key. Throws CodecError CRYPTO_OPEN, CRYPTO_KEY. */
export const openPeer = (received: PeerMessage, context: PeerContext, privateKey: Uint8Array, ops: PublicKeyOps = nobleOps): Uint8Array =>
  hpkeOpen(privateKey, sealing(received, context), received.sealed, ops);

/** The bytes a safe signs of a message: label, context, all elements before 92. */
export const peerSigned = (unsigned: Omit<PeerMessage, 'signature'>, context: PeerContext): Uint8Array =>
  concat(labelled(context), (context.what === 'request' ? peerRequest : peerReply).encodeUnsigned(unsigned));
