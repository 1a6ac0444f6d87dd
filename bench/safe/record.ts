import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { CodecError, TlvReader, concat, openGcm, sealGcm, setElements, textBytes, toHex, uintBytes, writeTlv } from '../codec/index.js';
import type { Certificate, KeyPart, Receipt } from '../codec/index.js';
import { SafeError } from './errors.js';

/** What the safe keeps beside the object itself. */
export interface SafeRecord {
  readonly state: 'held' | 'tombstone';
  /** Held for its authenticated owner alone; the certificate is not enough. */
  readonly owned?: true;
  /** The certificate E6 as issued. */
  readonly certificate: Uint8Array;
  /** The card's credential E9 where known (key objects), otherwise empty. */
  readonly credential: Uint8Array;
}

const hex8 = (value: number): string => value.toString(16).padStart(8, '0').toUpperCase();

/** Name of a record: counter, hash, card id, sequence, so that keys are sorted by counter and then hash. */
export function recordName(of: Pick<Certificate | Receipt, 'counter' | 'hash' | 'cardId' | 'sequence'>): string {
  return `${hex8(of.counter)}/${toHex(of.hash)}/${toHex(of.cardId)}/${hex8(of.sequence)}`;
}

/** Store keys: certificates, sealed items, registrations by (card id, sequence), and the counter. */
export const keys = {
  certificate: (name: string): string => `certificate/${name}`,
  item: (name: string): string => `item/${name}`,
  registration: (cardId: Uint8Array, sequence: number): string => `registration/${toHex(cardId)}/${hex8(sequence)}`,
  counter: 'counter',
} as const;

const stateTag = 0xc0;
const certificateTag = 0xc1;
const credentialTag = 0xc2;

/** Bytes of a record for the store. */
export function encodeRecord(record: SafeRecord): Uint8Array {
  return concat(
    writeTlv(stateTag, Uint8Array.of(record.state === 'tombstone' ? 2 : record.owned ? 3 : 1)),
    writeTlv(certificateTag, record.certificate),
    writeTlv(credentialTag, record.credential),
  );
}

/** A record from the store. Throws SafeError SAFE_STORE when it is damaged. */
export function decodeRecord(bytes: Uint8Array): SafeRecord {
  return intact(() => {
    const reader = new TlvReader(bytes);
    const [state] = reader.expect(stateTag, 'state').content;
    const certificate = reader.expect(certificateTag, 'certificate').content;
    const credential = reader.expect(credentialTag, 'credential').content;
    reader.finish('a record');
    return { state: state === 1 || state === 3 ? 'held' : 'tombstone', certificate, credential, ...state === 3 && { owned: true } };
  });
}

/** What is stored of a key part: identity, division, then the part itself. */
export function encodePart({ identity, division }: Pick<KeyPart, 'identity' | 'division'>, part: Uint8Array): Uint8Array {
  return concat(setElements.identity.write(identity), setElements.keyDivision.write(division), part);
}

/** The opposite of encodePart. Throws SafeError SAFE_STORE when it is damaged. */
export function decodePart(item: Uint8Array): Pick<KeyPart, 'identity' | 'division'> & { readonly part: Uint8Array } {
  return intact(() => {
    const reader = new TlvReader(item);
    const identity = setElements.identity.read(reader);
    const division = setElements.keyDivision.read(reader);
    return { identity, division, part: item.slice(reader.offset) };
  });
}

/** Turns a codec's refusal of stored bytes into SafeError SAFE_STORE. */
export function intact<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
    throw new SafeError('SAFE_STORE', 'a stored record is damaged; nothing was given out', { cause });
  }
}

/**
 * Seals an object for the store: nonce (12) || AES-256-GCM, bound to its record name. The nonce is a MAC of name and
 * object (synthetic), so no nonce ever serves two plaintexts and the safe needs no randomness.
 */
export function sealItem(storeKey: Uint8Array, name: string, item: Uint8Array): Uint8Array {
  const macKey = hmac(sha256, storeKey, textBytes('cardbench safe nonce v1'));
  const nonce = hmac(sha256, macKey, concat(textBytes(name), Uint8Array.of(0), item)).slice(0, 12);
  return concat(nonce, sealGcm(storeKey, nonce, textBytes(name), item));
}

/** Opens a sealed object. Throws SafeError SAFE_STORE when it does not open. */
export function openItem(storeKey: Uint8Array, name: string, sealed: Uint8Array): Uint8Array {
  return intact(() => openGcm(storeKey, sealed.slice(0, 12), textBytes(name), sealed.slice(12)));
}

/** What was registered under a sequence: SHA-256 of the request and the record's name. */
export function encodeRegistration(request: Uint8Array, name: string): Uint8Array {
  return concat(sha256(request), textBytes(name));
}

/** The opposite of encodeRegistration. */
export function decodeRegistration(bytes: Uint8Array): { requestHash: Uint8Array; name: string } {
  return { requestHash: bytes.slice(0, 32), name: new TextDecoder().decode(bytes.slice(32)) };
}

/** Counter after `last`: one more, 0 after the upper limit (docs/protocol.md 1.6). */
export function nextCounter(last: number, limit: number): number {
  return last >= limit ? 0 : last + 1;
}

/** Bytes of the counter for the store. */
export const counterBytes = (counter: number): Uint8Array => uintBytes(counter, 4);
