/** Why the backup device or the issuer's management terminal refuses (docs/twin.md 4, 5). */
export type TwinErrorCode =
  | 'DEVICE_PIN' | 'DEVICE_BLOCKED' | 'DEVICE_CARD' | 'DEVICE_EMPTY' | 'DEVICE_LISTED' | 'DEVICE_DECLINED' | 'DEVICE_RESTORE' | 'DEVICE_ORDER'
  | 'ISSUER_LISTED' | 'ISSUER_PROMOTED' | 'ISSUER_UNKNOWN' | 'ISSUER_CARD' | 'CARD_LOST' | 'LINK_ALTERED' | 'LINK_DOWN';

const nextOf: Readonly<Record<TwinErrorCode, string>> = {
  DEVICE_PIN: 'enter the device PIN again; at the limit the device blocks itself',
  DEVICE_BLOCKED: 'ask the issuer to unblock the device',
  DEVICE_CARD: 'put the cards of this device into their slots',
  DEVICE_EMPTY: 'put the card into its slot',
  DEVICE_LISTED: 'ask the issuer why the card is on the black list',
  DEVICE_DECLINED: 'nothing; begin again to promote the card',
  DEVICE_RESTORE: 'ask the issuer to set the restore card number',
  DEVICE_ORDER: 'begin at step 101',
  ISSUER_LISTED: 'withdraw the card from the black list first',
  ISSUER_PROMOTED: 'the secondary card has taken its place: issue a new secondary card',
  ISSUER_UNKNOWN: 'look the number up in the register',
  ISSUER_CARD: 'put the card into the device and try again',
  CARD_LOST: 'put the card into the device again; what it was told may have been done',
  LINK_ALTERED: 'send the same again',
  LINK_DOWN: 'send the same when the link is up',
};

/** Coded refusal of device, issuer or the link between them: nothing has changed at the one who refuses. CARD_LOST: the card may have done it. */
export class TwinError extends Error {
  readonly code: TwinErrorCode;
  readonly next: string;

  constructor(code: TwinErrorCode, message: string) {
    super(message);
    this.name = 'TwinError';
    this.code = code;
    this.next = nextOf[code];
  }
}
