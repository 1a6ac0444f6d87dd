import { concat, textBytes, uintBytes } from './bytes.js';
import { hpkeOpen, hpkeSeal } from './hpke.js';
import type { HpkeContext } from './hpke.js';
import { credential, encryptedElement, registrationRequest, certificate } from './objects.js';
import { elements } from './elements.js';
import type { Certificate, PathedValue, RegistrationRequest } from './objects.js';
import { nobleOps } from './ops.js';
import type { PublicKeyOps } from './ops.js';
import { bytesElement, template, uintElement } from './schema.js';
import type { ObjectCodec, Part } from './schema.js';

const e = elements;
const pathId = bytesElement(0xc9, 'path id', [12]);
const challenge = bytesElement(0xca, 'challenge', [16]);
const method = uintElement(0xcb, 'method of owner authentication', 1, 1, 2);
const sealedOwner = bytesElement(0xcc, 'sealed owner information', { min: 56, max: 304 });
const proof = bytesElement(0xcd, 'proof', [32]);
const reference = bytesElement(0xce, 'owner reference', [32]);
const deviceId = bytesElement(0xcf, 'device id', [8]);

/** Grant of a path (F0): the safe has authenticated the owner; signed by it. */
export interface PathGrant {
  readonly cardId: Uint8Array;
  readonly safeId: Uint8Array;
  readonly pathId: Uint8Array;
  readonly signature: Uint8Array;
}
/** What a safe sends to the card over a path (FB): the value sealed to the card's transport key. */
export interface PathReply {
  readonly pathId: Uint8Array;
  readonly encrypted: Uint8Array;
  readonly signature: Uint8Array;
}
/** A card on its own (F2): a challenge is asked for. */
export interface ChallengeRequest { readonly cardId: Uint8Array }
/** A challenge (F3), good once. */
export interface Challenge { readonly challenge: Uint8Array }
/** Owner authentication information for the next value of a card (F4). */
export interface OwnerEnrolment { readonly cardId: Uint8Array; readonly method: number; readonly sealed: Uint8Array }
/** Owner information for the value of a certificate (F5). */
export interface OwnerPresentation { readonly certificate: Certificate; readonly method: number; readonly sealed: Uint8Array }
/** Result of an owner authentication away from the safe (F6), signed by the authentication means 149. */
export interface OwnerResult {
  readonly cardId: Uint8Array;
  readonly safeId: Uint8Array;
  readonly challenge: Uint8Array;
  readonly reference: Uint8Array;
  /** Ed25519, of the authentication means. */
  readonly verificationKey: Uint8Array;
  readonly signature: Uint8Array;
}
/** An authentication device presents itself with its challenge (F7). */
export interface DeviceHello { readonly cardId: Uint8Array; readonly deviceId: Uint8Array; readonly challenge: Uint8Array }
/** The check's challenge to the device and its own proof (F8). */
export interface CheckProof { readonly challenge: Uint8Array; readonly proof: Uint8Array }
/** The device's proof (F9). */
export interface DeviceProof { readonly cardId: Uint8Array; readonly deviceId: Uint8Array; readonly proof: Uint8Array }
/** A registration request on a path (FA). */
export interface PathRequest { readonly pathId: Uint8Array; readonly request: RegistrationRequest }
/** A certificate on a path (FC). */
export interface PathCertificate { readonly pathId: Uint8Array; readonly certificate: Certificate }

const card: { cardId: Part<Uint8Array> } = { cardId: e.cardId };

/** The objects of docs/protocol.md 2.9 and 3.1 beside F1, which stands in E4. */
export const paths = {
  grant: template<PathGrant>(0xf0, 'grant of a path', { ...card, safeId: e.safeId, pathId, signature: e.signature }),
  challengeRequest: template<ChallengeRequest>(0xf2, 'request for a challenge', card),
  challenge: template<Challenge>(0xf3, 'challenge', { challenge }),
  enrolment: template<OwnerEnrolment>(0xf4, 'owner authentication information', { ...card, method, sealed: sealedOwner }),
  presentation: template<OwnerPresentation>(0xf5, 'owner information', { certificate, method, sealed: sealedOwner }),
  result: template<OwnerResult>(0xf6, 'result of an owner authentication', {
    ...card, safeId: e.safeId, challenge, reference, verificationKey: e.verificationKey, signature: e.signature,
  }),
  hello: template<DeviceHello>(0xf7, 'authentication device', { ...card, deviceId, challenge }),
  checkProof: template<CheckProof>(0xf8, 'proof of the check', { challenge, proof }),
  deviceProof: template<DeviceProof>(0xf9, 'proof of the device', { ...card, deviceId, proof }),
  request: template<PathRequest>(0xfa, 'request on a path', { pathId, request: registrationRequest }),
  reply: template<PathReply>(0xfb, 'reply on a path', { pathId, encrypted: encryptedElement, signature: e.signature }),
  certificate: template<PathCertificate>(0xfc, 'certificate on a path', { pathId, certificate }),
} as const;

/** What binds the objects of a path: card id (8), sequence of the registration, path id (12). */
export interface PathBinding {
  readonly cardId: Uint8Array;
  readonly sequence: number;
  readonly pathId: Uint8Array;
}

const bindingBytes = ({ cardId, sequence, pathId: id }: PathBinding): Uint8Array => concat(cardId, uintBytes(sequence, 4), id);
const labelled = (label: string, ...parts: readonly Uint8Array[]): Uint8Array => concat(textBytes(label), Uint8Array.of(0), ...parts);
const context = (label: string) => (binding: PathBinding): HpkeContext => ({ info: labelled(label, bindingBytes(binding)), aad: new Uint8Array(0) });
const toSafe = context('cardbench to safe v1');
const toCard = context('cardbench to card v1');

/** The encoded E1 of an F1, opened with the safe's X25519 key. Throws CodecError CRYPTO_OPEN, CRYPTO_KEY. */
export const openAtSafe = (binding: PathBinding, sealed: Uint8Array, key: Uint8Array, ops: PublicKeyOps = nobleOps): Uint8Array =>
  hpkeOpen(key, toSafe(binding), sealed, ops);
/** An encoded E1 sealed for the safe, as a card does it. Throws CodecError CRYPTO_KEY. */
export const sealForSafe = (binding: PathBinding, value: Uint8Array, recipient: Uint8Array, ephemeral: Uint8Array, ops: PublicKeyOps = nobleOps): Uint8Array =>
  hpkeSeal(recipient, ephemeral, toSafe(binding), value, ops);
/** An encoded E1 sealed for the card's transport key. Throws CodecError CRYPTO_KEY. */
export const sealForCard = (binding: PathBinding, value: Uint8Array, recipient: Uint8Array, ephemeral: Uint8Array, ops: PublicKeyOps = nobleOps): Uint8Array =>
  hpkeSeal(recipient, ephemeral, toCard(binding), value, ops);
/** The encoded E1 of an FB, opened with the card's transport key. Throws CodecError CRYPTO_OPEN, CRYPTO_KEY. */
export const openOnCard = (binding: PathBinding, sealed: Uint8Array, key: Uint8Array, ops: PublicKeyOps = nobleOps): Uint8Array =>
  hpkeOpen(key, toCard(binding), sealed, ops);

/** What a card signs of an F1. */
export const pathedMessage = (object: Omit<PathedValue, 'signature'>, binding: PathBinding): Uint8Array =>
  labelled('cardbench sealed v1', bindingBytes(binding), encryptedElement.write(object.encrypted), credential.encode(object.credential));
/** What a safe signs of an FB. */
export const replyMessage = (object: Omit<PathReply, 'signature'>, binding: PathBinding): Uint8Array =>
  labelled('cardbench reply v1', bindingBytes(binding), paths.reply.encodeUnsigned(object));
/** What a safe signs of an F0. */
export const grantMessage = (object: Omit<PathGrant, 'signature'>): Uint8Array => labelled('cardbench path v1', paths.grant.encodeUnsigned(object));
/** What the authentication means sign of an F6. */
export const resultMessage = (object: Omit<OwnerResult, 'signature'>): Uint8Array =>
  labelled('cardbench owner result v1', paths.result.encodeUnsigned(object));

/** How owner information is sealed for whoever compares it: bound to who that is, whose card it is about, the method and a challenge that is good once. */
export interface OwnerSealing {
  /** Safe id (8), or the X25519 key (32) of authentication means 149. */
  readonly to: Uint8Array;
  readonly cardId: Uint8Array;
  readonly method: number;
  readonly challenge: Uint8Array;
}

const ownerContext = ({ to, cardId, method: by, challenge: once }: OwnerSealing): HpkeContext =>
  ({ info: labelled('cardbench owner v1', to, cardId, Uint8Array.of(by)), aad: once });

/** Owner information for an X25519 key (element CC). Throws CodecError CRYPTO_KEY. */
export const sealOwner = (sealing: OwnerSealing, information: Uint8Array, recipient: Uint8Array, ephemeral: Uint8Array, ops: PublicKeyOps = nobleOps): Uint8Array =>
  hpkeSeal(recipient, ephemeral, ownerContext(sealing), information, ops);
/** The opposite. Throws CodecError CRYPTO_OPEN, CRYPTO_KEY. */
export const openOwner = (sealing: OwnerSealing, sealed: Uint8Array, key: Uint8Array, ops: PublicKeyOps = nobleOps): Uint8Array =>
  hpkeOpen(key, ownerContext(sealing), sealed, ops);

/** Every object of a path by its codec, for whoever looks at bytes. */
export const pathCodecs: readonly ObjectCodec<never>[] = Object.values(paths) as never;
