import type { TwinTable } from '../../scenarios/index.js';
import { CodecError, concat, textBytes, uintBytes, uintOf } from '../codec/index.js';

/** Bytes of a card, credit or e-money number. */
export const NUMBER_BYTES = 8;
/** Numbers a black list has room for. */
export const LISTED = 7;

/** A number as it crosses: ASCII, padded with zero bytes; blank is all zero. */
export function numberBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(NUMBER_BYTES);
  bytes.set(textBytes(text));
  return bytes;
}

/** Reads a number. Throws CodecError ELEMENT_VALUE. */
export function numberOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0) < 0 ? bytes.length : bytes.indexOf(0);
  const used = bytes.slice(0, end);
  if (bytes.slice(end).some((byte) => byte !== 0) || used.some((byte) => byte < 0x20 || byte > 0x7e)) throw new CodecError('ELEMENT_VALUE', 'a number is not printable text padded with zero bytes');
  return String.fromCharCode(...used);
}

/** What a card is issued with (docs/twin.md 1.1). Numbers as texts, blank ones empty; yen. */
export interface TwinIssue {
  readonly cardNumber: string;
  readonly primaryNumber: string;
  readonly secondaryNumber: string;
  readonly creditNumber: string;
  readonly creditPin: string;
  readonly moneyId: string;
  readonly balance: number;
}

/** What backup and restore carry from one card to the other. */
export interface TwinCopy extends Omit<TwinIssue, 'cardNumber'> {
  readonly blackList: readonly string[];
}

const copied = ({ primaryNumber, secondaryNumber, creditNumber, creditPin, moneyId, balance }: Omit<TwinIssue, 'cardNumber'>): Uint8Array =>
  concat(...[primaryNumber, secondaryNumber, creditNumber, creditPin, moneyId].map(numberBytes), uintBytes(balance, 4));

/** Data of ISSUE. */
export const issueBytes = (issue: TwinIssue, deviceKey: Uint8Array, issuerKey: Uint8Array, pin: string): Uint8Array =>
  concat(numberBytes(issue.cardNumber), copied(issue), deviceKey, issuerKey, textBytes(pin));

/** A copy as it crosses. */
export const copyBytes = (copy: TwinCopy): Uint8Array => concat(copied(copy), ...copy.blackList.map(numberBytes));

class Fields {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(count: number): Uint8Array {
    if (this.#at + count > this.#bytes.length) throw new CodecError('ELEMENT_LENGTH', `${this.#bytes.length} bytes are too few`);
    this.#at += count;
    return this.#bytes.slice(this.#at - count, this.#at);
  }

  number(): string {
    return numberOf(this.take(NUMBER_BYTES));
  }

  rest(): readonly string[] {
    const left = this.#bytes.length - this.#at;
    if (left % NUMBER_BYTES !== 0 || left > LISTED * NUMBER_BYTES) throw new CodecError('ELEMENT_LENGTH', `a black list of ${left} bytes`);
    return Array.from({ length: left / NUMBER_BYTES }, () => this.number());
  }
}

/** Reads a copy. Throws CodecError. */
export function copyOf(bytes: Uint8Array): TwinCopy {
  const fields = new Fields(bytes);
  const [primaryNumber, secondaryNumber, creditNumber, creditPin, moneyId] = Array.from({ length: 5 }, () => fields.number());
  return { primaryNumber, secondaryNumber, creditNumber, creditPin, moneyId, balance: uintOf(fields.take(4)), blackList: fields.rest() };
}

/** Reads what READ answers. Throws CodecError. */
export function tableOf(bytes: Uint8Array): TwinTable {
  const fields = new Fields(bytes);
  const [cardNumber, primaryNumber, secondaryNumber, creditNumber, moneyId] = Array.from({ length: 5 }, () => fields.number());
  const balance = uintOf(fields.take(4));
  const [tries, flags] = fields.take(2);
  if (flags > 1) throw new CodecError('ELEMENT_VALUE', `flags of a table are ${flags}`);
  return { cardNumber, primaryNumber, secondaryNumber, creditNumber, moneyId, balance, tries, hasCreditPin: flags === 1, blackList: fields.rest() };
}

/** What SHOP answers. Throws CodecError. */
export function shopAnswerOf(bytes: Uint8Array): { readonly cardNumber: string; readonly primaryNumber: string; readonly balance: number } {
  const fields = new Fields(bytes);
  const answer = { cardNumber: fields.number(), primaryNumber: fields.number(), balance: uintOf(fields.take(4)) };
  if (fields.rest().length > 0) throw new CodecError('TLV_TRAILING', 'bytes behind the answer of SHOP');
  return answer;
}
