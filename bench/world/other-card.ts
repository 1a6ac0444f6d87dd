import {
  digestOf, keyIdOf, nobleOps, registrationRequest, sealCommon, sealPublic, signed, signerOf, valueInformation,
  wrapKeyToSafe,
} from '../codec/index.js';
import type {
  BackedKey, Credential, HashAlgorithm, KeyDigest, PublicKeyOps, RegisteredValue, SafeEntry, ValueInformation,
} from '../codec/index.js';
import type { Issuer } from './issuer.js';
import type { RandomSource } from './random.js';

/** A genuine card of the same issuer that exists only on the bench: the source of foreign objects. */
export interface OtherCard {
  readonly cardId: Uint8Array;
  readonly credential: Credential;
  /** A registration request (E4) for a value: plain, or sealed by a variant. */
  requestValue(value: ValueInformation, variant: 'plain' | 'public-key' | 'common-key', hash: HashAlgorithm): Uint8Array;
  /** A registration request (E4) for one of its keys or a seed, wrapped for the safe. */
  requestKey(kind: BackedKey, safe: SafeEntry, hash: HashAlgorithm): Uint8Array;
}

/** A card with keys of its own, certified by `issuer`; its sequence numbers start after `firstSequence`. */
export function createOtherCard(
  cardId: Uint8Array, issuer: Issuer, random: RandomSource, firstSequence = 0, ops: PublicKeyOps = nobleOps,
): OtherCard {
  const signer = signerOf(random(32), ops);
  const keys = { transport: random(32), decoding: random(32), common: random(16), seed: random(32) };
  const credential = issuer.certify({
    cardId, verificationKey: signer.publicKey, transportKey: ops.agreementPublic(keys.transport),
  });
  let sequence = firstSequence;
  const next = (): number => (sequence += 1);

  function seal(value: ValueInformation, variant: 1 | 2, at: number): RegisteredValue {
    const binding = { cardId, sequence: at, digest: digestOf(value) };
    const encoded = valueInformation.encode(value);
    const encrypted = variant === 1
      ? sealPublic(binding, encoded, ops.agreementPublic(keys.decoding), random(32), ops)
      : sealCommon(binding, encoded, keys.common);
    return signed.registeredValue.sign({ digest: binding.digest, variant, encrypted }, { cardId, sequence: at }, signer);
  }

  return {
    cardId,
    credential,
    requestValue(value, variant, algorithm) {
      const at = next();
      if (variant === 'plain')
        return registrationRequest.encode({ cardId, sequence: at, algorithm, item: { type: 'plain', value } });
      const registered = seal(value, variant === 'public-key' ? 1 : 2, at);
      return registrationRequest.encode({ cardId, sequence: at, algorithm, item: { type: 'registered', registered } });
    },
    requestKey(keyKind, safe, algorithm) {
      const at = next();
      const digest: KeyDigest = { type: 'key', keyKind, keyId: keyIdOf(keyKind, keys[keyKind], ops) };
      const binding = { cardId, sequence: at, safeId: safe.safeId, digest };
      const wrappedKey = wrapKeyToSafe(binding, keys[keyKind], safe.transportKey, random(32), ops);
      const key = signed.keyObject.sign({ digest, wrappedKey, credential }, binding, signer);
      return registrationRequest.encode({ cardId, sequence: at, algorithm, item: { type: 'key', key } });
    },
  };
}
