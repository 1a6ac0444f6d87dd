/** Codes of what can go wrong when a chip, its profile or its link is set up or used wrongly. */
export type ChipErrorCode =
  | 'PROFILE_UNKNOWN_KEY'
  | 'PROFILE_INVALID'
  | 'PROFILE_SYNTAX'
  | 'PROFILE_NOT_FOUND'
  | 'OVERRIDE_SYNTAX'
  | 'NVM_SIZE'
  | 'LINK_PAST'
  | 'LINK_OVERLAP'
  | 'LINK_RANGE'
  | 'LINK_NO_SIGNAL'
  | 'CHIP_OFF'
  | 'SNAPSHOT_MISMATCH';

/** An error of the chip's user (never of the firmware: that is a violation). */
export class ChipError extends Error {
  readonly code: ChipErrorCode;
  /** What still holds after the error. */
  readonly still: string;
  /** What to do next. */
  readonly advice: string;

  /** Message: what happened; what is still true; what to do. */
  constructor(code: ChipErrorCode, happened: string, still: string, advice: string) {
    super(`${code}: ${happened}; ${still}; ${advice}`);
    this.name = 'ChipError';
    this.code = code;
    this.still = still;
    this.advice = advice;
  }
}
