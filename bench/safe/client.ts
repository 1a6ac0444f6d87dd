import type { Safe } from './safe.js';

/** A safe as the bench uses it, in this process or over HTTP. All methods reject with SafeError. */
export interface SafeClient {
  /** E4 -> E6. */
  register(request: Uint8Array): Promise<Uint8Array>;
  /** E6 -> E1, E3 or E8. */
  retrieve(certificate: Uint8Array): Promise<Uint8Array>;
  /** EA -> acknowledged. */
  receipt(receipt: Uint8Array): Promise<void>;
  /** The safe entry ED. */
  identity(): Promise<Uint8Array>;
  /** The index as CSV; over HTTP it needs the operator token. */
  index(): Promise<string>;
}

const settled = <T>(run: () => T): Promise<T> => new Promise((resolve) => resolve(run()));

/** The in-process safe behind the client's interface. */
export function inProcessClient(safe: Safe): SafeClient {
  return {
    register: (bytes) => settled(() => safe.register(bytes)),
    retrieve: (bytes) => settled(() => safe.retrieve(bytes)),
    receipt: (bytes) => settled(() => safe.receipt(bytes)),
    identity: () => settled(() => safe.identity()),
    index: () => settled(() => safe.index()),
  };
}
