import { certificate, CodecError, keyReply, ownedRegistration, registeredValue, registrationRequest, returnedSet, setRequest, toHex } from '../codec/index.js';
import type { OwnerProof } from '../codec/index.js';
import { SafeError, methodNumber } from '../safe/index.js';
import type { OwnerInformation, OwnerOperation, SafeClient } from '../safe/index.js';
import type { CertificateObject, FailureCause, KeySafePort, OwnerChoice, Outcome, SafePort } from '../../scenarios/index.js';
import { certificateObject, retrievedObject } from './convert.js';

/** One request to a safe as it is recorded; lengths in bytes. */
export interface SafeExchange {
  readonly safeId: string;
  readonly operation: 'register' | 'retrieve' | 'receipt' | 'register-owned' | 'retrieve-set' | `owner/${OwnerOperation}`;
  readonly sent: number;
  readonly received: number;
  /** HTTP status the safe answers with, 0 when there was no answer. */
  readonly status: number;
  readonly code?: string;
}

const causes: Readonly<Record<string, FailureCause>> = {
  SAFE_TIMEOUT: 'late', SAFE_UNREACHABLE: 'link', SAFE_BAD_ANSWER: 'unexpected',
};

/** Carries out one request and turns what happens into an outcome. Errors that are not the safe's are thrown on. */
export async function safeOutcome<T>(
  run: () => Promise<Uint8Array | void>, parse: (bytes: Uint8Array) => T, tell: (received: number, status: number, code?: string) => void,
): Promise<Outcome<T>> {
  try {
    const bytes = (await run()) ?? new Uint8Array(0);
    tell(bytes.length, 200);
    return { ok: true, value: parse(bytes), marks: [] };
  } catch (error) {
    if (error instanceof CodecError) return { ok: false, cause: 'unexpected', text: `${error.code}: ${error.message}`, marks: [] };
    if (!(error instanceof SafeError)) throw error;
    tell(0, error.status, error.code);
    return { ok: false, cause: causes[error.code] ?? 'refused', safeCode: error.code, text: `${error.code}: ${error.message}`, marks: [] };
  }
}

/** A safe as the scenarios want it. */
export function createSafePort(
  safeId: Uint8Array, client: SafeClient, tell: (exchange: SafeExchange) => void = () => undefined,
): SafePort {
  const id = toHex(safeId);
  const telling = (operation: SafeExchange['operation'], sent: number) =>
    (received: number, status: number, code?: string): void => {
      tell({ safeId: id, operation, sent, received, status, ...(code === undefined ? {} : { code }) });
    };
  const parseCertificate = (bytes: Uint8Array): CertificateObject => certificateObject(bytes, certificate.decode(bytes));
  return {
    safeId: id,
    register: ({ bytes }) => safeOutcome(() => client.register(bytes), parseCertificate, telling('register', bytes.length)),
    retrieve: ({ bytes, hashAlgorithm }) => safeOutcome(
      () => client.retrieve(bytes), (object) => retrievedObject(object, hashAlgorithm), telling('retrieve', bytes.length),
    ),
    receipt: ({ bytes }) => safeOutcome(() => client.receipt(bytes), () => undefined, telling('receipt', bytes.length)),
  };
}

/** What the bench watches of a key safe. */
export interface KeySafeWatch {
  readonly tell: (exchange: SafeExchange) => void;
  /** Number of the newest message that the other safe has taken from it. */
  readonly taken: () => number;
  /** What is entered there: secret. */
  readonly information: (choice: OwnerChoice) => OwnerInformation;
}

/** The key safe of embodiment 12 as the scenarios want it: `base` is what it has in common with any safe. */
export function createKeySafePort(base: SafePort, client: SafeClient, { tell, taken, information }: KeySafeWatch): KeySafePort {
  const telling = (operation: SafeExchange['operation'], sent: number) => (received: number, status: number, code?: string): void => {
    tell({ safeId: base.safeId, operation, sent, received, status, ...(code === undefined ? {} : { code }) });
  };
  const owner = (choice: OwnerChoice): OwnerProof => {
    const { method, bytes } = information(choice);
    return { method: methodNumber(method), information: bytes };
  };
  return {
    ...base,
    registerOwned: (request, choice) => safeOutcome(
      () => client.registerOwned(ownedRegistration.encode({ ...owner(choice), request: registrationRequest.decode(request.bytes) })),
      (bytes) => certificateObject(bytes, certificate.decode(bytes)), telling('register-owned', request.bytes.length),
    ),
    retrieveSet: (choice, key, value) => {
      const before = taken();
      return safeOutcome(() => client.retrieveSet(setRequest.encode({ ...owner(choice), key: certificate.decode(key.bytes), value: certificate.decode(value.bytes) })), (bytes) => {
        const set = returnedSet.decode(bytes);
        return {
          bytes, key: retrievedObject(keyReply.encode(set.key), key.hashAlgorithm), value: retrievedObject(registeredValue.encode(set.value), value.hashAlgorithm),
          fetched: taken() > before,
        };
      }, telling('retrieve-set', key.bytes.length + value.bytes.length));
    },
  };
}
