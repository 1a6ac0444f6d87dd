/** What went wrong in an object, a command or a cryptographic step. */
export type CodecErrorCode =
  | 'TLV_TRUNCATED'
  | 'TLV_LENGTH_FORM'
  | 'TLV_UNEXPECTED'
  | 'TLV_MISSING'
  | 'TLV_TRAILING'
  | 'TLV_TOO_LARGE'
  | 'ELEMENT_LENGTH'
  | 'ELEMENT_VALUE'
  | 'ELEMENT_TEXT'
  | 'OBJECT_INCONSISTENT'
  | 'CRYPTO_OPEN'
  | 'CRYPTO_KEY'
  | 'COMMAND_ARGUMENT';

const next: Record<CodecErrorCode, string> = {
  TLV_TRUNCATED: 'check whether the whole object arrived',
  TLV_LENGTH_FORM: 'write lengths in the shortest form (00-7F, 81 xx, 82 xx xx)',
  TLV_UNEXPECTED: 'compare the order of elements with docs/protocol.md 1.2',
  TLV_MISSING: 'compare the elements with docs/protocol.md 1.2',
  TLV_TRAILING: 'send one object and nothing after it',
  TLV_TOO_LARGE: 'keep to the size limits of docs/protocol.md 1.2',
  ELEMENT_LENGTH: 'compare the length with docs/protocol.md 1.1',
  ELEMENT_VALUE: 'compare the content with docs/protocol.md 1.1',
  ELEMENT_TEXT: 'send well-formed UTF-8',
  OBJECT_INCONSISTENT: 'make the elements of the object fit each other',
  CRYPTO_OPEN: 'check key, card id, sequence, safe id and digest: all are bound into the ciphertext',
  CRYPTO_KEY: 'give a key of the right length that is a point of its curve',
  COMMAND_ARGUMENT: 'compare the argument with docs/protocol.md 2.1',
};

/** A coded refusal of the codec. Nothing was changed: the codec is pure. */
export class CodecError extends Error {
  /** What went wrong. */
  readonly code: CodecErrorCode;
  /** Byte offset into the decoded input, where there is one. */
  readonly offset: number | undefined;
  /** What still holds after the error. */
  readonly stillTrue = 'nothing was changed or sent';
  /** What to do next. */
  readonly next: string;

  constructor(code: CodecErrorCode, message: string, offset?: number) {
    super(offset === undefined ? message : `${message} (offset ${offset})`);
    this.name = 'CodecError';
    this.code = code;
    this.offset = offset;
    this.next = next[code];
  }
}
