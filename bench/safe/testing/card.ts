import { sha256 } from '@noble/hashes/sha2.js';
import {
  certificate as certificateCodec, concat, deriveKeyPair, digestOf, keyIdOf, nobleOps, receipt,
  registrationRequest, safeEntry, samples, sealCommon, sealPublic, signed, signerOf, textBytes, uintBytes,
  valueInformation, wrapKeyToSafe,
} from '../../codec/index.js';
import type { Credential, HashAlgorithm, KeyKind, RegistrationItem, Signer, ValueInformation } from '../../codec/index.js';
import { createSafe } from '../safe.js';
import type { Safe, SafeKeys, SafeSettings } from '../safe.js';
import type { SafeStore } from '../store.js';

const secret = (label: string): Uint8Array => sha256(textBytes(`for tests only: ${label}`));

/** The issuer of every card here. */
export const issuer: Signer = signerOf(secret('issuer'));
export const safeId = Uint8Array.of(0x5a, 1, 2, 3, 4, 5, 6, 7);
export const safeKeys: SafeKeys = {
  signer: signerOf(secret('safe signing')), agreement: secret('safe agreement'), store: secret('safe store'),
};

export function testSafe(store: SafeStore, settings: SafeSettings = {}): Safe {
  return createSafe({ id: safeId, keys: safeKeys, store, settings: { issuers: [issuer.publicKey], ...settings } });
}

/** What a card would send, made in the open: every key can be read. */
export interface TestCard {
  readonly cardId: Uint8Array;
  readonly signer: Signer;
  readonly transport: Uint8Array;
  readonly decoding: Uint8Array;
  readonly common: Uint8Array;
  readonly credential: Credential;
  plain(sequence: number, value?: ValueInformation, algorithm?: HashAlgorithm): Uint8Array;
  registered(sequence: number, variant: 1 | 2, value?: ValueInformation): Uint8Array;
  key(sequence: number, kind: KeyKind, to?: Pick<Safe, 'identity'>): Uint8Array;
  receiptFor(certificate: Uint8Array): Uint8Array;
}

export function testCard(number: number, by: Signer = issuer): TestCard {
  const cardId = Uint8Array.of(0xca, 0, 0, 0, ...uintBytes(number, 4));
  const signer = signerOf(secret(`card ${number}`));
  const transport = secret(`transport ${number}`);
  const decoding = secret(`decoding ${number}`);
  const common = secret(`common ${number}`).slice(0, 16);
  const credential = signed.credential.sign(
    { cardId, verificationKey: signer.publicKey, transportKey: nobleOps.agreementPublic(transport) }, {}, by);
  const request = (sequence: number, item: RegistrationItem, algorithm: HashAlgorithm = 'SHA-256'): Uint8Array =>
    registrationRequest.encode({ cardId, sequence, algorithm, item });
  const ephemeral = (sequence: number, plaintext: Uint8Array): Uint8Array =>
    deriveKeyPair(concat(secret(`ephemeral ${number}`), uintBytes(sequence, 4), sha256(plaintext)));
  return {
    cardId, signer, transport, decoding, common, credential,
    plain: (sequence, value = samples[0], algorithm) => request(sequence, { type: 'plain', value }, algorithm),
    registered(sequence, variant, value = samples[2]) {
      const digest = digestOf(value);
      const encoded = valueInformation.encode(value);
      const binding = { cardId, sequence, digest };
      const encrypted = variant === 1
        ? sealPublic(binding, encoded, nobleOps.agreementPublic(decoding), ephemeral(sequence, encoded))
        : sealCommon(binding, encoded, common);
      const registered = signed.registeredValue.sign({ digest, variant, encrypted }, { cardId, sequence }, signer);
      return request(sequence, { type: 'registered', registered });
    },
    key(sequence, keyKind, to) {
      const entry = to ? safeEntry.decode(to.identity()) : {
        safeId, transportKey: nobleOps.agreementPublic(safeKeys.agreement),
      };
      const key = keyKind === 'decoding' ? decoding : common;
      const digest = { type: 'key', keyKind, keyId: keyIdOf(keyKind, key) } as const;
      const about = { cardId, sequence, safeId: entry.safeId };
      const wrappedKey = wrapKeyToSafe({ ...about, digest }, key, entry.transportKey, ephemeral(sequence, key));
      return request(sequence, { type: 'key', key: signed.keyObject.sign({ digest, wrappedKey, credential }, about, signer) });
    },
    receiptFor(bytes) {
      const { sequence, counter, algorithm, hash, safeId: from } = certificateCodec.decode(bytes);
      return receipt.encode(signed.receipt.sign(
        { cardId, sequence, safeId: from, counter, algorithm, hash, outcome: 1, credential }, {}, signer));
    },
  };
}
