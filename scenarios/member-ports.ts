import type { Outcome } from './ports.js';

/** A password by name: none ever enters scenarios, records or traces. `wrong`, `short`, `long` and `odd` are none of the member's. */
export type MemberPassword = 'A' | 'B' | 'wrong' | 'short' | 'long' | 'odd';

/** Registration method of the source: 1 saves the signed registration under password A first, 2 sends it at once. */
export type RegistrationMethod = 1 | 2;

/** A connection F4 that the centre has opened. */
export interface ConnectionObject {
  readonly bytes: Uint8Array;
  /** Hexadecimal. */
  readonly connection: string;
}

/** A telegram as it crosses: sealed for the centre. */
export interface TelegramObject {
  readonly bytes: Uint8Array;
}

/** An admission F1. */
export interface AdmissionObject {
  readonly bytes: Uint8Array;
  /** Hexadecimal; so the verification key. */
  readonly memberNumber: string;
  readonly verificationKey: string;
}

/** An order F5, or one line of the history. Yen. */
export interface OrderObject {
  readonly bytes: Uint8Array;
  readonly transaction: number;
  /** Hexadecimal. */
  readonly store: string;
  readonly amount: number;
  /** `YYYYMMDD`. */
  readonly date: string;
}

/** A settlement notice F3. */
export interface NoticeObject extends OrderObject {
  readonly memberNumber: string;
  readonly balance: number;
}

/** The member's card (docs/member.md 2) with the applet selected. */
export interface MemberCardPort {
  /** True when the card's STEP marks reach the bench. */
  readonly hasTrace: boolean;
  passwords(a: MemberPassword, b?: MemberPassword): Promise<Outcome<undefined>>;
  contents(text: string): Promise<Outcome<undefined>>;
  /** Resolves to the verification key, hexadecimal. @param text typed by the member; absent: random */
  seed(text?: string): Promise<Outcome<string>>;
  sign(method: RegistrationMethod): Promise<Outcome<undefined>>;
  fetch(a: MemberPassword): Promise<Outcome<undefined>>;
  connect(connection: ConnectionObject): Promise<Outcome<undefined>>;
  send(): Promise<Outcome<TelegramObject>>;
  admitted(admission: AdmissionObject): Promise<Outcome<undefined>>;
  enterA(a: MemberPassword): Promise<Outcome<undefined>>;
  history(): Promise<Outcome<readonly OrderObject[]>>;
  enterB(b: MemberPassword): Promise<Outcome<undefined>>;
  pay(order: OrderObject): Promise<Outcome<TelegramObject>>;
  settled(notice: NoticeObject): Promise<Outcome<undefined>>;
}

/** The settlement centre (docs/member.md 4). Marks of its outcomes are empty. */
export interface CentrePort {
  connect(): Promise<Outcome<ConnectionObject>>;
  register(telegram: TelegramObject): Promise<Outcome<AdmissionObject>>;
  /** Gives a transaction number. @param amount yen */
  order(amount: number): Promise<Outcome<OrderObject>>;
  pay(telegram: TelegramObject): Promise<Outcome<NoticeObject>>;
}

/** Both sides of registration and trade. */
export interface MemberPorts {
  readonly card: MemberCardPort;
  readonly centre: CentrePort;
}
