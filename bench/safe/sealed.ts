import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import {
  certificate as certificateCodec, concat, credential as credentialCodec, deriveKeyPair, noPath, openAtSafe, pathedMessage, paths, registeredValue, replyMessage,
  sealForCard, signed, textBytes,
} from '../codec/index.js';
import type { Certificate, Credential, PathedValue, PublicKeyOps, RegistrationRequest } from '../codec/index.js';
import { SafeError } from './errors.js';
import * as records from './record.js';
import type { SafeKeys } from './safe.js';

/** What of a safe seals and opens. */
export interface SealingSafe {
  readonly keys: SafeKeys;
  readonly ops: PublicKeyOps;
}

/** What a registration that was sealed for its safe stands for. */
export interface Unsealed {
  /** The same with the registered value information in the place of what was sealed. */
  readonly request: RegistrationRequest;
  /** The card's credential E9, encoded: whom a reply is sealed for. */
  readonly credential: Uint8Array;
}

/** The content of an F1, its sender checked but for the credential. Throws SafeError SAFE_BAD_SIGNATURE, CodecError. */
export function openedFor(safe: SealingSafe, { cardId, sequence }: RegistrationRequest, pathed: PathedValue, pathId: Uint8Array): Uint8Array {
  const binding = { cardId, sequence, pathId };
  if (!safe.ops.verify(pathed.credential.verificationKey, pathedMessage(pathed, binding), pathed.signature))
    throw new SafeError('SAFE_BAD_SIGNATURE', 'the sealed value does not verify');
  return openAtSafe(binding, pathed.encrypted, safe.keys.agreement, safe.ops);
}

/**
 * The registration of registered value information that the card has sealed for this safe (docs/protocol.md 2.8), with
 * both signatures of the card checked. The credential is the caller's to check, before.
 * @throws SafeError SAFE_BAD_SIGNATURE; CodecError when it does not open or is no E3
 */
export function unsealed(safe: SealingSafe, request: RegistrationRequest, pathed: PathedValue): Unsealed {
  const registered = registeredValue.decode(openedFor(safe, request, pathed, noPath));
  const { cardId, sequence } = request;
  if (!signed.registeredValue.verify(registered, { cardId, sequence }, pathed.credential.verificationKey, safe.ops))
    throw new SafeError('SAFE_BAD_SIGNATURE', 'the registered value information does not verify');
  return { request: { ...request, item: { type: 'registered', registered } }, credential: credentialCodec.encode(pathed.credential) };
}

/** What a reply is about. */
export interface Replied {
  readonly certificate: Certificate;
  /** Encoded, as stored. */
  readonly credential: Uint8Array;
  readonly pathId: Uint8Array;
  /** Encoded E1 or E3. */
  readonly object: Uint8Array;
}

/** The reply FB: sealed to the card's transport key, signed by the safe. Repeats are identical. Throws SafeError SAFE_STORE. */
export function sealedReply({ keys, ops }: SealingSafe, { certificate, credential, pathId, object }: Replied): Uint8Array {
  const { transportKey }: Credential = records.intact(() => credentialCodec.decode(credential));
  const about = concat(pathId, sha256(certificateCodec.encode(certificate)), transportKey);
  const material = hkdf(sha256, keys.agreement, textBytes('cardbench path reply ephemeral v1'), about, 32);
  const binding = { cardId: certificate.cardId, sequence: certificate.sequence, pathId };
  const reply = { pathId, encrypted: sealForCard(binding, object, transportKey, deriveKeyPair(material), ops) };
  return paths.reply.encode({ ...reply, signature: keys.signer.sign(replyMessage(reply, binding)) });
}
