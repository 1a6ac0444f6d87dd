/** Codes of everything that can go wrong between the terminal and a card. */
export const DEVICE_ERROR_CODES = [
  'CARD_SILENT',
  'CARD_LATE',
  'CARD_BAD_ATR',
  'CARD_PROTOCOL',
  'CARD_LINK',
  'CARD_REMOVED',
  'CARD_POWER_CUT',
  'CARD_FAULT',
  'CHANNEL_CLOSED',
  'CHANNEL_BUSY',
  'COMMAND_FORMAT',
  'DEVICE_MISSING',
  'DEVICE_BUSY',
  'DEVICE_UNSUPPORTED',
] as const;

/** One of {@link DEVICE_ERROR_CODES}. */
export type DeviceErrorCode = (typeof DEVICE_ERROR_CODES)[number];

/** What an error tells besides its code. */
export interface DeviceErrorFacts {
  /** What happened, with measured and expected values. */
  readonly what: string;
  /** What is still true, for example whether the command may have been executed. */
  readonly stillTrue: string;
  /** What to do next. */
  readonly next: string;
  /** Cycle at which it happened, where the channel counts cycles. */
  readonly cycle?: number;
  readonly cause?: unknown;
}

const NEXT: Readonly<Record<DeviceErrorCode, string>> = {
  CARD_SILENT: 'reset the card; when it stays silent check power, clock, contact and image',
  CARD_LATE: 'reset the card; make the firmware ask for time (T=0 NULL, T=1 S(WTX)) before the waiting time ends',
  CARD_BAD_ATR: 'compare the ATR with ISO/IEC 7816-3 clause 8; reset the card to try again',
  CARD_PROTOCOL: 'look at the block and character trace; reset the card before the next command',
  CARD_LINK: 'reset the card; when it happens again check the line, rate and parity settings',
  CARD_REMOVED: 'insert the card or plug in the device and open the channel again',
  CARD_POWER_CUT: 'take the memory with powerOff() and start the card again with it, or restore a snapshot',
  CARD_FAULT: 'look at the violations of the chip; power the card off and on',
  CHANNEL_CLOSED: 'call open() first',
  CHANNEL_BUSY: 'wait for the running exchange to end',
  COMMAND_FORMAT: 'correct the command APDU (ISO/IEC 7816-3, 12.1)',
  DEVICE_MISSING: 'check the path and the cable; list the ports with `cardbench devices`',
  DEVICE_BUSY: 'close the other program that holds the port',
  DEVICE_UNSUPPORTED: 'choose another device or another operation; the message names what is missing',
};

const STILL_TRUE: Readonly<Record<DeviceErrorCode, string>> = {
  CARD_SILENT: 'the card is powered; a command already sent may have been executed',
  CARD_LATE: 'the card is powered; the command may have been executed',
  CARD_BAD_ATR: 'the card is powered; no command has been sent',
  CARD_PROTOCOL: 'the card is powered; the command may have been executed',
  CARD_LINK: 'the command may have been executed',
  CARD_REMOVED: 'the command may have been executed; the card has lost power',
  CARD_POWER_CUT: 'the non-volatile memory is as it was at that cycle; the command may have been executed',
  CARD_FAULT: 'the card no longer executes; the non-volatile memory is kept',
  CHANNEL_CLOSED: 'nothing has been sent',
  CHANNEL_BUSY: 'nothing has been changed',
  COMMAND_FORMAT: 'nothing has been sent',
  DEVICE_MISSING: 'nothing has been sent',
  DEVICE_BUSY: 'nothing has been sent',
  DEVICE_UNSUPPORTED: 'nothing has been changed',
};

/** Coded error of the devices folder: what happened, what is still true, what to do next. */
export class DeviceError extends Error implements DeviceErrorFacts {
  readonly code: DeviceErrorCode;
  readonly what: string;
  readonly stillTrue: string;
  readonly next: string;
  readonly cycle?: number;

  /** `facts.stillTrue` and `facts.next` default to the text that belongs to the code. */
  constructor(code: DeviceErrorCode, facts: Pick<DeviceErrorFacts, 'what'> & Partial<DeviceErrorFacts>) {
    const stillTrue = facts.stillTrue ?? STILL_TRUE[code];
    const next = facts.next ?? NEXT[code];
    super(`${code}: ${facts.what}; still true: ${stillTrue}; next: ${next}`, { cause: facts.cause });
    this.name = 'DeviceError';
    this.code = code;
    this.what = facts.what;
    this.stillTrue = stillTrue;
    this.next = next;
    if (facts.cycle !== undefined) this.cycle = facts.cycle;
  }
}

/** True when `error` is a {@link DeviceError}, of the given code if one is named. */
export function isDeviceError(error: unknown, code?: DeviceErrorCode): error is DeviceError {
  return error instanceof DeviceError && (code === undefined || error.code === code);
}
