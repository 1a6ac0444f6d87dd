import { SafeError } from './errors.js';
import type { OwnerOperation } from './path.js';
import type { Safe } from './safe.js';

/** A safe as the bench uses it, in this process or over HTTP. All methods reject with SafeError. */
export interface SafeClient {
  /** E4 -> E6. */
  register(request: Uint8Array): Promise<Uint8Array>;
  /** E6 -> E1, E3 or E8. */
  retrieve(certificate: Uint8Array): Promise<Uint8Array>;
  /** EA -> acknowledged. */
  receipt(receipt: Uint8Array): Promise<void>;
  /** Owner authentication and what goes over a path (docs/protocol.md 3.1). */
  owner(operation: OwnerOperation, body: Uint8Array): Promise<Uint8Array>;
  /** 71 -> E6: a key with owner authentication information. */
  registerOwned(request: Uint8Array): Promise<Uint8Array>;
  /** 72 -> 73: key and value to the authenticated owner. */
  retrieveSet(request: Uint8Array): Promise<Uint8Array>;
  /** 74 -> 75: what the paired safe asks. */
  answerPeer(message: Uint8Array): Promise<Uint8Array>;
  /** The safe entry ED. */
  identity(): Promise<Uint8Array>;
  /** The index as CSV; over HTTP it needs the operator token. */
  index(): Promise<string>;
  /** Closes connections kept open, where there are any. */
  close?(): void;
}

const settled = <T>(run: () => T): Promise<T> => new Promise((resolve) => resolve(run()));

/** Most bytes of a request (docs/protocol.md 3). */
export const requestLimit = 4096;

function limited(bytes: Uint8Array): Uint8Array {
  if (bytes.length > requestLimit) throw new SafeError('SAFE_TOO_LARGE', `the body has more than ${requestLimit} bytes`);
  return bytes;
}

/** The in-process safe behind the client's interface, with the limit a served one has. */
export function inProcessClient(safe: Safe): SafeClient {
  return {
    register: (bytes) => settled(() => safe.register(limited(bytes))),
    retrieve: (bytes) => settled(() => safe.retrieve(limited(bytes))),
    receipt: (bytes) => settled(() => safe.receipt(limited(bytes))),
    owner: (operation, bytes) => settled(() => safe.owner(operation, limited(bytes))),
    registerOwned: (bytes) => settled(() => safe.registerOwned(limited(bytes))),
    retrieveSet: async (bytes) => safe.retrieveSet(limited(bytes)),
    answerPeer: (bytes) => settled(() => safe.answerPeer(limited(bytes))),
    identity: () => settled(() => safe.identity()),
    index: () => settled(() => safe.index()),
  };
}
