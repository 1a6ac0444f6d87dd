/** Codes of the image decoder. */
export type NvmErrorCode = 'NVM_SIZE';

/** The image cannot be one of a card's memory. Faults inside an image are no errors: they are listed as problems. */
export class NvmError extends Error {
  readonly code: NvmErrorCode;
  /** What still holds after the error. */
  readonly stillTrue = 'the image was not changed';
  /** What to do next. */
  readonly next = 'give the whole EEPROM: a whole number of 64-byte pages, at least 32';

  constructor(code: NvmErrorCode, message: string) {
    super(message);
    this.name = 'NvmError';
    this.code = code;
  }
}
