/** Every code a {@link ReportError} can carry. */
export type ReportErrorCode =
  | 'RECORD_NO_HEADER'
  | 'RECORD_VERSION'
  | 'RECORD_CORRUPT'
  | 'RECORD_TRUNCATED'
  | 'RECORD_ORDER'
  | 'RECORD_SECRET';

/** An error with a stable code; the message says what happened and, after it, what is still true or to do next. */
export class ReportError extends Error {
  override readonly name = 'ReportError';
  readonly code: ReportErrorCode;
  /** Line of the record, from 1, where there is one. */
  readonly line?: number;

  /**
   * @param code the stable code
   * @param what what happened, with the value found and the value expected
   * @param next what is still true and what to do next
   */
  constructor(code: ReportErrorCode, what: string, next: string, line?: number) {
    super(`${code}: ${what}. ${next}.`);
    this.code = code;
    if (line !== undefined) this.line = line;
  }
}
