/** Codes of the safe: those of docs/protocol.md 3, those of its client, and those of setting it up. */
export type SafeErrorCode =
  | 'SAFE_BAD_OBJECT'
  | 'SAFE_BAD_SIGNATURE'
  | 'SAFE_UNKNOWN'
  | 'SAFE_CONFLICT'
  | 'SAFE_TOMBSTONE'
  | 'SAFE_TOO_LARGE'
  | 'SAFE_BAD_REQUEST'
  | 'SAFE_LEGACY_HASH'
  | 'SAFE_BUSY'
  | 'SAFE_STORE'
  | 'SAFE_FORBIDDEN'
  | 'SAFE_OWNER_WRONG'
  | 'SAFE_OWNER_WAIT'
  | 'SAFE_OWNER_LOCKED'
  | 'SAFE_OWNER_NEEDED'
  | 'SAFE_PATH'
  | 'SAFE_UNPAIRED'
  | 'SAFE_REPLAY'
  | 'SAFE_PEER'
  | 'SAFE_TIMEOUT'
  | 'SAFE_UNREACHABLE'
  | 'SAFE_BAD_ANSWER'
  | 'SAFE_SETUP';

interface Explanation {
  readonly status: number;
  readonly stillTrue: string;
  readonly next: string;
}

const unchanged = 'nothing was stored, changed or given out';
const unknown = 'the safe may or may not have carried out the request';
const repeat = 'repeat the same request: the safe answers it the same way however often';

/** HTTP status, what is still true and what to do, by code (table). */
export const explanations: Readonly<Record<SafeErrorCode, Explanation>> = {
  SAFE_BAD_OBJECT: { status: 400, stillTrue: unchanged, next: 'send one well-formed object of the template this path takes' },
  SAFE_BAD_SIGNATURE: { status: 403, stillTrue: unchanged, next: 'check who signed, over what, and which issuers the safe knows' },
  SAFE_UNKNOWN: { status: 404, stillTrue: unchanged, next: 'ask the safe that issued the certificate' },
  SAFE_CONFLICT: { status: 409, stillTrue: 'the first object registered under this sequence is kept unchanged', next: 'register the other object under a new sequence' },
  SAFE_TOMBSTONE: { status: 410, stillTrue: 'the value was recovered by the card and its copy deleted', next: 'keep nothing; the certificate is spent' },
  SAFE_TOO_LARGE: { status: 413, stillTrue: unchanged, next: 'send at most 4096 bytes' },
  SAFE_BAD_REQUEST: { status: 400, stillTrue: unchanged, next: 'compare method, path and headers with docs/safe.md' },
  SAFE_LEGACY_HASH: { status: 422, stillTrue: unchanged, next: 'ask for SHA-256, or allow legacy hashes on both sides' },
  SAFE_BUSY: { status: 503, stillTrue: 'nothing acknowledged is lost; this request was not begun', next: 'repeat the same request later' },
  SAFE_STORE: { status: 503, stillTrue: 'nothing acknowledged is lost', next: 'repeat the same request; check the disk of the safe' },
  SAFE_FORBIDDEN: { status: 401, stillTrue: unchanged, next: 'send the operator token as a Bearer token' },
  SAFE_OWNER_WRONG: { status: 403, stillTrue: 'nothing was given out; the attempt was counted', next: 'present the right owner information, device or result' },
  SAFE_OWNER_WAIT: { status: 429, stillTrue: 'nothing was given out; the attempt was not counted', next: 'wait, then present the owner information again' },
  SAFE_OWNER_LOCKED: { status: 423, stillTrue: 'the value is kept; no attempt is taken any more', next: 'ask the operator of the safe' },
  SAFE_OWNER_NEEDED: { status: 403, stillTrue: unchanged, next: 'authenticate the owner, then retrieve over the path' },
  SAFE_PATH: { status: 403, stillTrue: unchanged, next: 'authenticate the owner anew for a path of this card and use it once' },
  SAFE_UNPAIRED: { status: 403, stillTrue: unchanged, next: 'compare which safes are paired, and where key and value are registered' },
  SAFE_REPLAY: { status: 409, stillTrue: unchanged, next: 'send a message of a number that was not used' },
  SAFE_PEER: { status: 502, stillTrue: 'nothing was given out; key and ciphertext are where they were', next: 'repeat the request once both safes can be reached' },
  SAFE_TIMEOUT: { status: 0, stillTrue: unknown, next: repeat },
  SAFE_UNREACHABLE: { status: 0, stillTrue: unknown, next: repeat },
  SAFE_BAD_ANSWER: { status: 0, stillTrue: unknown, next: 'check that the address is that of a cardbench safe, then repeat the same request' },
  SAFE_SETUP: { status: 0, stillTrue: 'no record was changed', next: 'correct the setting named in the message' },
};

/** A coded refusal or failure of a safe. */
export class SafeError extends Error {
  readonly code: SafeErrorCode;
  /** HTTP status, 0 where the error never travels. */
  readonly status: number;
  /** What still holds after the error. */
  readonly stillTrue: string;
  /** What to do next. */
  readonly next: string;

  constructor(code: SafeErrorCode, message: string, options: { status?: number; stillTrue?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SafeError';
    this.code = code;
    this.status = options.status ?? explanations[code].status;
    this.stillTrue = options.stillTrue ?? explanations[code].stillTrue;
    this.next = explanations[code].next;
  }
}
