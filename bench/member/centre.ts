import { CodecError, equalBytes, signerOf, toHex, uintBytes } from '../codec/index.js';
import type { PublicKeyOps, Signer } from '../codec/index.js';
import type { IssueWay, MemberSettlement } from '../../scenarios/index.js';
import type { Party } from '../world/card-bench.js';
import type { RandomSource } from '../world/random.js';
import { CentreError } from './errors.js';
import { claim as claimCodec, order as orderCodec, payment, registration } from './objects.js';
import type { Order, Payment } from './objects.js';
import { openTelegram, signatures } from './signatures.js';

/** A registered member. Yen. */
export interface MemberRecord {
  readonly number: string;
  readonly contents: string;
  readonly verificationKey: Uint8Array;
  readonly admission: Uint8Array;
  readonly balance: number;
  readonly issued: number;
  readonly lastOrder: number;
}

/** A settled transaction with what was answered. */
export interface Settlement extends MemberSettlement {
  readonly member: string;
  readonly payment: Uint8Array;
  readonly notice: Uint8Array;
  readonly storeNotice: Uint8Array;
}

/** Number of the first member. */
const firstNumber = 0x1001;

interface Registers {
  connection: Uint8Array | undefined;
  connections: number;
  members: Map<string, MemberRecord>;
  orders: Map<string, Order>;
  settlements: Map<string, Settlement>;
  paid: number;
}

const emptyRegisters = (): Registers =>
  ({ connection: undefined, connections: 0, members: new Map(), orders: new Map(), settlements: new Map(), paid: 0 });

const sameOrder = (a: Order, b: Order): boolean => equalBytes(orderCodec.encode(a), orderCodec.encode(b));

/** The settlement centre with its registers, one store, and stand-ins for credit company and banks (docs/member.md 4). */
export class Centre implements Party {
  readonly publicKey: Uint8Array;
  /** X25519. */
  readonly sealKey: Uint8Array;
  readonly store: Uint8Array;
  readonly #ops: PublicKeyOps;
  readonly #signer: Signer;
  readonly #agreement: Uint8Array;
  readonly #storeSigner: Signer;
  /** Day of every order, `YYYYMMDD`. */
  readonly #date: string;
  #registers = emptyRegisters();

  constructor(random: RandomSource, ops: PublicKeyOps, date = '20000315') {
    this.#ops = ops;
    this.#signer = signerOf(random(32), ops);
    this.#agreement = random(32);
    this.#storeSigner = signerOf(random(32), ops);
    this.store = random(8);
    this.#date = date;
    this.publicKey = this.#signer.publicKey;
    this.sealKey = ops.agreementPublic(this.#agreement);
  }

  save(): unknown {
    const { members, orders, settlements, ...rest } = this.#registers;
    return { ...rest, members: new Map(members), orders: new Map(orders), settlements: new Map(settlements) };
  }

  restore(state: unknown): void {
    const { members, orders, settlements, ...rest } = state as Registers;
    this.#registers = { ...rest, members: new Map(members), orders: new Map(orders), settlements: new Map(settlements) };
  }

  /** Members in the order of their numbers. */
  get members(): readonly MemberRecord[] {
    return [...this.#registers.members.values()];
  }

  /** Settled transactions in order. */
  get settlements(): readonly Settlement[] {
    return [...this.#registers.settlements.values()];
  }

  /** Yen paid to the store's account. */
  get paid(): number {
    return this.#registers.paid;
  }

  /** Opens a connection (F4); the one before is closed. */
  connect(): Uint8Array {
    const connection = uintBytes(++this.#registers.connections, 8);
    this.#registers.connection = connection;
    return signatures.connection.sign({ connection }, this.#signer);
  }

  /** Takes a registration in (F1). Throws CentreError. */
  register(telegram: Uint8Array): Uint8Array {
    const object = this.#open(telegram, (bytes) => registration.decode(bytes));
    const { contents, verificationKey } = object;
    if (!signatures.registration.verify(object, verificationKey, this.#ops)) throw new CentreError('CENTRE_SIGNATURE', 'the registration is not signed with its own key');
    this.#registers.connection = undefined;
    const known = this.members.find((member) => equalBytes(member.verificationKey, verificationKey));
    if (known) return known.admission;
    const memberNumber = uintBytes(firstNumber + this.members.length, 8);
    const number = toHex(memberNumber);
    const admission = signatures.admission.sign({ memberNumber, verificationKey }, this.#signer);
    this.#registers.members.set(number, { number, contents, verificationKey, admission, balance: 0, issued: 0, lastOrder: 0 });
    return admission;
  }

  /** Issues value by a way, once what the way needs is confirmed. Throws CentreError. */
  issue(number: string, amount: number, way: IssueWay, confirmed = true): void {
    const member = this.#member(number);
    if (!confirmed) throw new CentreError('CENTRE_UNCONFIRMED', `${way}: ${confirmationOf[way]} is missing`);
    this.#registers.members.set(number, { ...member, balance: member.balance + amount, issued: member.issued + amount });
  }

  /** An order (F5) of a member at the store. Throws CentreError CENTRE_UNKNOWN. */
  order(number: string, amount: number): Uint8Array {
    const member = this.#member(number);
    const order: Order = { transaction: member.lastOrder + 1, store: this.store, amount, date: this.#date };
    this.#registers.members.set(number, { ...member, lastOrder: order.transaction });
    this.#registers.orders.set(`${number}/${order.transaction}`, order);
    return orderCodec.encode(order);
  }

  /** The last order given to a member, settled or not. */
  lastOrder(number: string): Uint8Array | undefined {
    const order = this.#registers.orders.get(`${number}/${this.#member(number).lastOrder}`);
    return order && orderCodec.encode(order);
  }

  /** An order that the centre has not given: for what must be refused. */
  foreignOrder(transaction: number, amount: number): Uint8Array {
    return orderCodec.encode({ transaction, store: this.store, amount, date: this.#date });
  }

  /** Settles a payment instruction (F3 for the member). Throws CentreError. */
  pay(telegram: Uint8Array): Uint8Array {
    const object = this.#open(telegram, (bytes) => payment.decode(bytes));
    const number = toHex(object.memberNumber);
    const member = this.#member(number);
    if (!signatures.payment.verify(object, member.verificationKey, this.#ops)) throw new CentreError('CENTRE_SIGNATURE', 'the instruction is not signed with the registered key');
    this.#registers.connection = undefined;
    const name = `${number}/${object.transaction}`;
    const known = this.#registers.settlements.get(name);
    const bytes = payment.encode(object);
    if (known && equalBytes(known.payment, bytes)) return known.notice;
    const ordered = this.#registers.orders.get(name);
    if (known || !ordered || !sameOrder(ordered, object)) throw new CentreError('CENTRE_ORDER', `transaction ${object.transaction} is not what was ordered`);
    if (object.amount > member.balance) throw new CentreError('CENTRE_BALANCE', `${object.amount} yen of ${member.balance}`);
    return this.#settle(name, member, object, bytes);
  }

  /** A claim of the store. Throws CentreError. */
  claim(claim: Uint8Array): void {
    const object = claimCodec.decode(claim);
    if (!equalBytes(object.store, this.store)) throw new CentreError('CENTRE_UNKNOWN', 'the store is not registered');
    if (!signatures.claim.verify(object, this.#storeSigner.publicKey, this.#ops)) throw new CentreError('CENTRE_SIGNATURE', 'the claim is not signed by the store');
    const found = [...this.#registers.settlements].find(([, { transaction, amount }]) => transaction === object.transaction && amount === object.amount);
    if (!found) throw new CentreError('CENTRE_UNSETTLED', `transaction ${object.transaction} over ${object.amount} yen is not settled`);
    const [name, settlement] = found;
    if (settlement.claimed) throw new CentreError('CENTRE_PAID', 'the claim has been paid');
    this.#registers.settlements.set(name, { ...settlement, claimed: true });
    this.#registers.paid += settlement.amount;
  }

  /** A claim as the store makes it, or somebody else. */
  claimFor(order: Uint8Array, amount: number, signer: Signer = this.#storeSigner): Uint8Array {
    const { transaction, store } = orderCodec.decode(order);
    return signatures.claim.sign({ store, transaction, amount }, signer);
  }

  #settle(name: string, member: MemberRecord, object: Payment, bytes: Uint8Array): Uint8Array {
    const { memberNumber, transaction, store, amount, date } = object;
    const balance = member.balance - amount;
    const notice = signatures.settlement.sign({ memberNumber, transaction, store, amount, date, balance }, this.#signer);
    const storeNotice = signatures.notice.sign({ store, transaction, amount, date }, this.#signer);
    this.#registers.members.set(member.number, { ...member, balance });
    this.#registers.settlements.set(name, { member: member.number, transaction, store: toHex(store), amount, claimed: false, payment: bytes, notice, storeNotice });
    return notice;
  }

  #member(number: string): MemberRecord {
    const member = this.#registers.members.get(number);
    if (!member) throw new CentreError('CENTRE_UNKNOWN', `member ${number} is not registered`);
    return member;
  }

  #open<T>(telegram: Uint8Array, decode: (bytes: Uint8Array) => T): T {
    const { connection } = this.#registers;
    if (!connection) throw new CentreError('CENTRE_TELEGRAM', 'no connection is open');
    try {
      return decode(openTelegram(this.#agreement, connection, telegram, this.#ops));
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      throw new CentreError('CENTRE_TELEGRAM', `not a telegram of this connection: ${error.message}`);
    }
  }
}

/** What must be confirmed before value is issued. */
const confirmationOf: Readonly<Record<IssueWay, string>> = {
  credit: "the credit company's promise", 'own-bank': "the confirmation between the banks", 'direct-transfer': "the receipt on the centre's account", 'cash-mail': 'the letter with the cash',
};
