import { bundle, digestOf, hashX, holdsKeyPart, keyPartReply, keyReply, paths, piece, registeredValue, toHex, valueInformation } from '../codec/index.js';
import type * as codec from '../codec/index.js';
import type {
  CertificateEntry, CertificateObject, CertificateState, DigestFields, RequestObject, RetrievedObject, ValueEntry,
  ValueState,
} from '../../scenarios/index.js';

const compactDay = (day: string): string => day.replaceAll('-', '');

/** Digest 302 as the fields a scenario compares; a key digest and the empty digest have none of them. */
export function digestFields(digest: codec.Digest): DigestFields {
  if (digest.type === 'empty') return {};
  if (digest.type === 'key') return { informationClass: 0x80 };
  const { infoClass, name, quantity, place, validity } = digest;
  const term = validity === null ? '' : `${compactDay(validity.from)}-${compactDay(validity.to)}`;
  return { informationClass: infoClass, name, quantity, place, validity: term };
}

/** A list entry of a value for the scenarios. */
export function valueEntry(entry: codec.ValueEntry, issueId: string | undefined): ValueEntry {
  return {
    handle: entry.handle,
    state: entry.state.toLowerCase() as ValueState,
    size: entry.size,
    digest: digestFields(entry.digest),
    remaining: entry.remaining,
    ...(issueId === undefined ? {} : { issueId }),
  };
}

/** A list entry of a certificate for the scenarios. */
export function certificateEntry(entry: codec.CertificateEntry, issueId: string | undefined): CertificateEntry {
  return {
    handle: entry.handle,
    state: entry.state.toLowerCase() as CertificateState,
    size: entry.size,
    digest: digestFields(entry.digest),
    counter: entry.counter,
    safeId: toHex(entry.safeId),
    kind: entry.kind,
    ...(entry.digest.type === 'key' ? { keyKind: entry.digest.keyKind, keyId: toHex(entry.digest.keyId) } : {}),
    ...(entry.identity === undefined ? {} : { identity: entry.identity }),
    ...(issueId === undefined ? {} : { issueId }),
  };
}

/** A registration request as the terminal sees it; hashes are computed from the bytes, never taken from the sender. */
export function requestObject(bytes: Uint8Array, request: codec.RegistrationRequest): RequestObject {
  const { item, algorithm } = request;
  const shared = { bytes, cardId: toHex(request.cardId), sequence: request.sequence, hashAlgorithm: algorithm };
  if (item.type === 'key') return { ...shared, content: 'key', keyId: toHex(item.key.digest.keyId) };
  if (item.type === 'registered')
    return { ...shared, content: 'registered', objectHash: toHex(hashX(algorithm, item.registered.encrypted)) };
  if (item.type === 'key-part') return { ...shared, content: 'key-part' };
  if (item.type === 'pathed') return { ...shared, content: 'sealed' };
  if (item.type !== 'plain') {
    const { content } = item.type === 'piece' ? item.piece : item.bundle;
    const coupled = item.type === 'bundle' && item.bundle.division.wanted > 0;
    return { ...shared, content: coupled ? 'coupled' : item.type, objectHash: toHex(hashX(algorithm, content)) };
  }
  const objectHash = toHex(hashX(algorithm, valueInformation.encode(item.value)));
  return { ...shared, content: 'plain', objectHash, digest: digestFields(digestOf(item.value)) };
}

/** A certificate as the terminal sees it. */
export function certificateObject(bytes: Uint8Array, certificate: codec.Certificate): CertificateObject {
  return {
    bytes,
    kind: certificate.kind,
    cardId: toHex(certificate.cardId),
    sequence: certificate.sequence,
    hashAlgorithm: certificate.algorithm,
    hash: toHex(certificate.hash),
    counter: certificate.counter,
    safeId: toHex(certificate.safeId),
  };
}

/**
 * What a safe gave back, hashed by the certificate's algorithm. Throws CodecError when it is none of E1, E3, E8, EE, EF, FB.
 */
export function retrievedObject(bytes: Uint8Array, algorithm: codec.HashAlgorithm): RetrievedObject {
  if (bytes[0] === keyReply.tag) {
    keyReply.decode(bytes);
    return { bytes, content: 'key' };
  }
  if (bytes[0] === registeredValue.tag) {
    const { encrypted } = registeredValue.decode(bytes);
    return { bytes, content: 'registered', objectHash: toHex(hashX(algorithm, encrypted)) };
  }
  if (bytes[0] === paths.reply.tag) {
    paths.reply.decode(bytes);
    return { bytes, content: 'sealed' };
  }
  if (bytes[0] === piece.tag && holdsKeyPart(bytes)) {
    keyPartReply.decode(bytes);
    return { bytes, content: 'key-part' };
  }
  if (bytes[0] === piece.tag) return { bytes, content: 'piece', objectHash: toHex(hashX(algorithm, piece.decode(bytes).content)) };
  if (bytes[0] === bundle.tag) {
    const { content, division } = bundle.decode(bytes);
    return { bytes, content: division.wanted > 0 ? 'coupled' : 'bundle', objectHash: toHex(hashX(algorithm, content)) };
  }
  valueInformation.decode(bytes);
  return { bytes, content: 'plain', objectHash: toHex(hashX(algorithm, bytes)) };
}
