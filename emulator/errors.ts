/** Every code an {@link EmulatorError} can carry. */
export type EmulatorErrorCode =
  | 'IMAGE_FORMAT'
  | 'IMAGE_TRUNCATED'
  | 'IMAGE_CLASS'
  | 'IMAGE_ENDIAN'
  | 'IMAGE_MACHINE'
  | 'IMAGE_ARCHITECTURE'
  | 'IMAGE_TYPE'
  | 'IMAGE_EMPTY'
  | 'IMAGE_OVERLAP'
  | 'IMAGE_OUTSIDE'
  | 'IMAGE_CHECKSUM'
  | 'MACHINE_CONFIG'
  | 'MACHINE_STATE'
  | 'MACHINE_ADDRESS'
  | 'PROFILE_INVALID';

/** An error with a stable code; the message says what happened and, after it, what to do next. */
export class EmulatorError extends Error {
  override readonly name = 'EmulatorError';
  readonly code: EmulatorErrorCode;

  /**
   * @param code the stable code
   * @param what what happened, with the value found and the value expected
   * @param next what is still true and what to do next
   */
  constructor(code: EmulatorErrorCode, what: string, next: string) {
    super(`${code}: ${what}. ${next}.`);
    this.code = code;
  }
}
