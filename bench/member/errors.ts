/** Why the centre refuses. */
export type CentreErrorCode =
  /** Not a telegram of the connection that is open. */
  | 'CENTRE_TELEGRAM'
  | 'CENTRE_SIGNATURE'
  /** The member or store is not registered. */
  | 'CENTRE_UNKNOWN'
  /** Not what was ordered, or settled with something else. */
  | 'CENTRE_ORDER'
  | 'CENTRE_BALANCE'
  | 'CENTRE_UNSETTLED'
  | 'CENTRE_PAID'
  | 'CENTRE_UNCONFIRMED';

/** A refusal of the centre; nothing has changed there. */
export class CentreError extends Error {
  readonly code: CentreErrorCode;

  constructor(code: CentreErrorCode, message: string) {
    super(message);
    this.name = 'CentreError';
    this.code = code;
  }
}
