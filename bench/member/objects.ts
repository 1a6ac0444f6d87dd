import { CodecError } from '../codec/errors.js';
import { bytesElement, element, template, textElement, uintElement } from '../codec/schema.js';

/** BCD date of four bytes as `YYYYMMDD`. */
const date = element<string>(0xdb, 'date', [4],
  (content, at) => {
    const text = Array.from(content, (byte) => byte.toString(16).padStart(2, '0')).join('');
    if (/^\d{8}$/.test(text)) return text;
    throw new CodecError('ELEMENT_VALUE', `date: ${text} is not BCD`, at.contentOffset);
  },
  (text) => Uint8Array.from({ length: 4 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16)));

/** Elements of docs/member.md 1.1. Amounts in yen, lengths in bytes. */
export const elements = {
  contents: textElement(0xd2, 'contents', 1, 160),
  verificationKey: bytesElement(0xd4, 'verification key', [32]),
  signature: bytesElement(0xd5, 'signature', [64]),
  memberNumber: bytesElement(0xd6, 'member number', [8]),
  connection: bytesElement(0xd7, 'connection', [8]),
  transaction: uintElement(0xd8, 'transaction number', 4, 1),
  store: bytesElement(0xd9, 'store number', [8]),
  amount: uintElement(0xda, 'amount', 4, 1),
  date,
  balance: uintElement(0xdc, 'balance', 4),
} as const;

/** A registration (F0). */
export interface Registration {
  readonly contents: string;
  readonly verificationKey: Uint8Array;
  readonly signature: Uint8Array;
}
/** An admission (F1). */
export interface Admission {
  readonly memberNumber: Uint8Array;
  readonly verificationKey: Uint8Array;
  readonly signature: Uint8Array;
}
/** An order (F5) and a line of the history (F6). */
export interface Order {
  readonly transaction: number;
  readonly store: Uint8Array;
  readonly amount: number;
  readonly date: string;
}
/** A payment instruction (F2). */
export interface Payment extends Order {
  readonly memberNumber: Uint8Array;
  readonly signature: Uint8Array;
}
/** A settlement notice (F3). */
export interface Notice extends Payment {
  readonly balance: number;
}
/** A connection (F4). */
export interface Connection {
  readonly connection: Uint8Array;
  readonly signature: Uint8Array;
}
/** A payment notice to a store (F7). */
export interface StoreNotice extends Order {
  readonly signature: Uint8Array;
}
/** A claim of a store (F8). */
export interface Claim {
  readonly store: Uint8Array;
  readonly transaction: number;
  readonly amount: number;
  readonly signature: Uint8Array;
}

const { contents, verificationKey, signature, memberNumber, connection, transaction, store, amount, balance } = elements;
const orderParts = { transaction, store, amount, date };

/** F0. */
export const registration = template<Registration>(0xf0, 'registration', { contents, verificationKey, signature });
/** F1. */
export const admission = template<Admission>(0xf1, 'admission', { memberNumber, verificationKey, signature });
/** F2. */
export const payment = template<Payment>(0xf2, 'payment instruction', { memberNumber, ...orderParts, signature });
/** F3. */
export const notice = template<Notice>(0xf3, 'settlement notice', { memberNumber, ...orderParts, balance, signature });
/** F4. */
export const connectionObject = template<Connection>(0xf4, 'connection', { connection, signature });
/** F5. */
export const order = template<Order>(0xf5, 'order', orderParts);
/** F6. */
export const historyEntry = template<Order>(0xf6, 'history entry', orderParts);
/** F7. */
export const storeNotice = template<StoreNotice>(0xf7, 'payment notice', { store, transaction, amount, date, signature });
/** F8. */
export const claim = template<Claim>(0xf8, 'claim', { store, transaction, amount, signature });
