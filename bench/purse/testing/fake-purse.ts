import { gcm } from '@noble/ciphers/aes.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { CodecError, concat, equalBytes, nobleOps, textBytes, toHex, uintBytes, uintOf, writeTlv } from '../../codec/index.js';
import type { PublicKeyOps } from '../../codec/index.js';
import { DeviceError } from '../../../devices/index.js';
import type { CardChannel, CardMark, CardSession, Command, CommandFields, Moment, Reply } from '../../../devices/index.js';
import type { SlotCard } from '../../world/card-slot.js';
import { seededRandom } from '../../world/random.js';
import { purseAid, purseApplet } from '../commands.js';
import { caCertificate, challenge, elements, issue, logEntry, logQuery, logReceipt, paymentObject, serviceState } from '../objects.js';
import type { Challenge, Issue, LogEntry, Payment } from '../objects.js';
import { g1Of, g2Of, messages } from '../signatures.js';

/** What a fake does wrong on purpose. */
export type Flaw =
  | 'keeps-challenge' | 'debits-late' | 'overdraft' | 'no-ca-check' | 'no-issuer-check' | 'no-payment-check' | 'no-challenge-check'
  | 'accepts-closed' | 'pays-twice' | 'forgets-entry' | 'no-receipt-check' | 'credits-before-answer' | 'marks-nothing';

interface Open { readonly id: string; readonly alternative: number; readonly r1: Uint8Array; readonly r2: Uint8Array; readonly amount: number }
interface Kept { readonly name: string; readonly amount: number; readonly id: Uint8Array; readonly answer: Uint8Array }
interface State {
  readonly lifeCycle: number; readonly settings: number; readonly balance: number; readonly issued: number; readonly received: number; readonly paid: number;
  readonly lastIssue: number; readonly counter: number; readonly open: readonly Open[]; readonly waiting: readonly Uint8Array[]; readonly payments: readonly Kept[];
  readonly issue: Uint8Array | undefined; readonly data: Readonly<Record<number, Uint8Array>>; readonly seed: Uint8Array | undefined; readonly secret: Uint8Array;
  readonly drawn: number;
}

const blank: State = {
  lifeCycle: 0, settings: 0, balance: 0, issued: 0, received: 0, paid: 0, lastIssue: 0, counter: 0, open: [], waiting: [], payments: [],
  issue: undefined, data: {}, seed: undefined, secret: new Uint8Array(32), drawn: 0,
};

class Refused extends Error {
  readonly sw: number;
  constructor(sw: number) {
    super(sw.toString(16));
    this.sw = sw;
  }
}

function check(holds: boolean, sw: number): asserts holds {
  if (!holds) throw new Refused(sw);
}

const text = (label: string, ...parts: readonly Uint8Array[]): Uint8Array => concat(textBytes(label), Uint8Array.of(0), ...parts);
const P = 0x50;

/** Cycles of a command: its change happens in the middle. */
export const COMMAND_CYCLES = 2000;

/** A purse of docs/purse.md without a chip: each command takes the same time and changes its state at once in the middle of it. */
export class FakePurse implements CardChannel {
  readonly name = 'fake purse';
  readonly hz = 30_000_000;
  session: CardSession | undefined;
  state: State = blank;
  readonly #flaws: ReadonlySet<Flaw>;
  readonly #ops: PublicKeyOps;
  readonly #seed: number;
  #cycle = 0;
  #cut: number | undefined;
  #marks: CardMark[] = [];
  #prepared: Uint8Array | undefined;
  #late: State | undefined;
  #step = 0;

  constructor(seed: number, flaws: readonly Flaw[] = [], ops: PublicKeyOps = nobleOps) {
    this.#seed = seed;
    this.#flaws = new Set(flaws);
    this.#ops = ops;
  }

  now(): Moment { return { cycles: this.#cycle, ms: this.#cycle / 30_000 }; }
  observe(): () => void { return () => undefined; }
  marks(): readonly CardMark[] { return this.#marks; }
  open(): Promise<CardSession> { return this.reset('cold'); }

  reset(kind: 'cold' | 'warm'): Promise<CardSession> {
    if (kind === 'cold') this.#cycle = 0;
    this.#prepared = undefined;
    this.#marks = [];
    this.session = { protocol: 'T=1', findings: [] } as unknown as CardSession;
    return Promise.resolve(this.session);
  }

  close(): Promise<void> {
    this.session = undefined;
    this.#cut = undefined;
    return Promise.resolve();
  }

  runTo(cycle: number): Promise<void> {
    return Promise.resolve().then(() => { this.#pass(cycle); });
  }

  cutAt(cycle: number | undefined): void { this.#cut = cycle; }
  snapshot(): unknown { return [this.state, this.session, this.#cycle, this.#cut, this.#prepared, this.#late]; }

  restore(saved: unknown): void {
    [this.state, this.session, this.#cycle, this.#cut, this.#prepared, this.#late] =
      saved as [State, CardSession | undefined, number, number | undefined, Uint8Array | undefined, State | undefined];
    this.#marks = [];
  }

  async transmit(command: Command): Promise<Reply> {
    await Promise.resolve();
    if (this.session === undefined) throw new DeviceError('CARD_LINK', { what: 'the card has no power' });
    const { ins, p1, p2, data = new Uint8Array(0) } = command as CommandFields;
    this.#marks = [];
    const startedAt = this.now();
    this.state = this.#late ?? this.state;
    this.#late = undefined;
    const before = this.state;
    let [sw, answer] = [0x9000, new Uint8Array(0)];
    try {
      answer = Uint8Array.from(this.#run(ins, p1, p2, data));
    } catch (error) {
      if (!(error instanceof Refused) && !(error instanceof CodecError)) throw error;
      this.state = before;
      sw = error instanceof Refused ? error.sw : 0x6a80;
      this.#refuse(ins, p1);
    }
    const after = this.state;
    this.state = before;
    const middle = this.#cycle + COMMAND_CYCLES / 2;
    if (this.#flaws.has('credits-before-answer') && after.received !== before.received && this.#cut !== undefined && this.#cut < middle)
      this.state = { ...before, balance: after.balance, received: after.received };
    this.#pass(middle);
    if (this.#flaws.has('debits-late') && ins === 0x74) this.#late = after;
    else this.state = after;
    this.#pass(middle + COMMAND_CYCLES / 2);
    return { data: answer, sw, startedAt, endedAt: this.now(), findings: [] };
  }

  #pass(to: number): void {
    if (this.#cut !== undefined && this.#cut < to) {
      this.#cycle = Math.max(this.#cycle, this.#cut);
      this.session = undefined;
      this.#prepared = undefined;
      this.#late = undefined;
      const cycle = this.#cut;
      this.#cut = undefined;
      throw new DeviceError('CARD_POWER_CUT', { what: `power went at cycle ${cycle}`, cycle });
    }
    this.#cycle = to;
  }

  #mark(embodiment: number, ...steps: readonly number[]): void {
    if (this.#flaws.has('marks-nothing')) return;
    for (const step of steps) this.#marks.push({ embodiment, step: `${P}-${step}`, outcome: 'done', cycle: this.#cycle + this.#step++ });
  }

  #refuse(ins: number, embodiment: number): void {
    const last: Record<number, number> = { 0x72: 1, 0x74: this.#marks.length === 0 ? 1 : 2, 0x76: [2, 3, 4][this.#marks.length] ?? 4, 0x78: 0x3b };
    const step = last[ins] as number | undefined;
    if (step !== undefined && !this.#flaws.has('marks-nothing')) this.#marks.push({ embodiment, step: `${P}-${step}`, outcome: 'refused', cycle: this.#cycle });
  }

  #random(length: number): Uint8Array {
    const drawn = this.state.drawn + 1;
    this.state = { ...this.state, drawn };
    return seededRandom(this.#seed, `fake ${drawn}`)(length);
  }

  #run(ins: number, p1: number, p2: number, data: Uint8Array): Uint8Array {
    const { lifeCycle } = this.state;
    const tag = p1 * 256 + p2;
    const none = new Uint8Array(0);
    if (ins === 0xa4) { this.#prepared = undefined; return writeTlv(0x6f, writeTlv(0x84, purseAid)); }
    if (ins === 0xca) return this.#get(tag);
    if (ins === 0xda) { check(lifeCycle === 1, 0x6985); this.#put(tag, data); return none; }
    if (ins === 0x46) { check(lifeCycle < 2, 0x6985); this.state = { ...blank, lifeCycle: 1 }; return none; }
    if (ins === 0x40) { check(lifeCycle === 1, 0x6985); this.#generate(); return none; }
    if (ins === 0x48) { check(lifeCycle === 1 && [0xdf30, 0xdf31, 0xdf32, 0xdf33, 0xdf34].every((one) => one in this.state.data), 0x6985); this.state = { ...this.state, lifeCycle: 2 }; return none; }
    check(lifeCycle === 2, 0x6985);
    switch (ins) {
      case 0x70: this.#load(data); return none;
      case 0x72: return this.#challenge(p1, p2, data);
      case 0x74: return this.#pay(p1, data);
      case 0x76: return this.#receive(p1, data);
      case 0x78: return this.#accept(data);
      case 0x7a: { const found = this.state.waiting.find((one) => equalBytes(logEntry.decode(one).challengeId, data.slice(2))); check(found !== undefined, 0x6a82); return found; }
      case 0x7c: this.#taken(data); return none;
      case 0x7e: { const id = toHex(data.slice(2)); check(this.state.open.some((one) => one.id === id), 0x6a82); this.state = { ...this.state, open: this.state.open.filter((one) => one.id !== id) }; return none; }
      default: throw new Refused(0x6d00);
    }
  }

  get #key(): Uint8Array {
    check(this.state.seed !== undefined, 0x6985);
    return this.#ops.signingPublic(this.state.seed);
  }

  #generate(): void {
    const seed = this.#random(32);
    const secret = this.#random(32);
    const data = Object.fromEntries(Object.entries(this.state.data).filter(([name]) => Number(name) !== 0xdf34));
    this.state = { ...this.state, seed, secret, data };
  }

  #put(tag: number, data: Uint8Array): void {
    if (tag === 0xdf35) { this.state = { ...this.state, settings: data[0] }; return; }
    const length = { 0xdf30: 8, 0xdf31: 32, 0xdf32: 32, 0xdf33: 32, 0xdf34: 64 }[tag];
    check(length !== undefined, 0x6a82);
    check(data.length === length, 0x6700);
    if (tag === 0xdf34) check(this.#ops.verify(this.state.data[0xdf31], messages.key({ publicKey: this.#key }), data), 0x6982);
    this.state = { ...this.state, data: { ...this.state.data, [tag]: data } };
  }

  #get(tag: number): Uint8Array {
    const { state } = this;
    const { lifeCycle, balance, issued, received, paid, lastIssue } = state;
    const words = concat(...[balance, issued, received, paid, lastIssue].map((one) => uintBytes(one, 4)));
    switch (tag) {
      case 0xdf20: return Uint8Array.of(lifeCycle, ...words, state.open.length, state.waiting.length, state.payments.length, state.settings);
      case 0xdf21: return concat(elements.payeeId.write(state.data[0xdf30]), elements.publicKey.write(this.#key));
      case 0xdf22: return caCertificate.encode({ publicKey: this.#key, caSignature: state.data[0xdf34] });
      case 0xdf23: check(state.issue !== undefined, 0x6a82); return state.issue;
      case 0xdf24: return concat(...state.open.map(({ id }) => elements.challengeId.write(Uint8Array.from({ length: 8 }, (_, i) => parseInt(id.slice(2 * i, 2 * i + 2), 16)))));
      case 0xdf25: return concat(...state.waiting.map((one) => elements.challengeId.write(logEntry.decode(one).challengeId)));
      case 0xdf26: return concat(...state.payments.map(({ id, amount }) => concat(elements.challengeId.write(id), elements.amount.write(amount))));
      default: throw new Refused(0x6a82);
    }
  }

  #load(data: Uint8Array): void {
    const one: Issue = issue.decode(data);
    check(equalBytes(one.publicKey, this.#key), 0x6a80);
    if (this.state.issue !== undefined && equalBytes(this.state.issue, data)) return;
    check(one.issueNumber > this.state.lastIssue, 0x6985);
    check(this.#ops.verify(this.state.data[0xdf32], messages.issue(one), one.issuerSignature), 0x6982);
    check(this.state.balance + one.issuedAmount <= 0xffffffff, 0x6985);
    const { balance, issued } = this.state;
    this.state = { ...this.state, balance: balance + one.issuedAmount, issued: issued + one.issuedAmount, lastIssue: one.issueNumber, issue: data };
  }

  #secrets(alternative: number, id: Uint8Array): { r1: Uint8Array; r2: Uint8Array } {
    if (alternative === 1 || alternative === 4) return { r1: this.#random(16), r2: this.#random(16) };
    const key = this.state.secret.slice(16);
    return { r1: hmac(sha256, key, text('cardbench purse R1 v1', id)).slice(0, 16), r2: hmac(sha256, key, text('cardbench purse R2 v1', id)).slice(0, 16) };
  }

  #body(alternative: number, id: Uint8Array, x: Uint8Array, r1: Uint8Array, r2: Uint8Array): Uint8Array {
    const all = concat(r1, r2, x, id);
    const nonce = concat(new Uint8Array(4), id);
    const aad = text('cardbench purse challenge v1', this.state.data[0xdf30]);
    if (alternative === 1) return concat(nonce, gcm(this.state.secret.slice(0, 16), nonce, aad).encrypt(all));
    if (alternative === 2) return concat(x, id, sha256(text('cardbench purse challenge hash v1', all)));
    if (alternative === 4) return concat(x, id);
    check(this.state.seed !== undefined, 0x6985);
    return concat(x, id, this.#ops.sign(this.state.seed, text('cardbench purse challenge sign v1', all)));
  }

  #challenge(embodiment: number, alternative: number, data: Uint8Array): Uint8Array {
    check([1, 2].includes(embodiment) && alternative >= 1 && alternative <= 4, 0x6a86);
    check(data.length === 6 && data[0] === 0xd0 && uintOf(data.slice(2)) > 0, 0x6a80);
    const amount = uintOf(data.slice(2));
    check(this.state.balance + amount <= 0xffffffff, 0x6985);
    check(this.state.open.length < 6, 0x6a84);
    const counter = this.state.counter + 1;
    const id = concat(uintBytes(counter, 4), this.#random(4));
    const { r1, r2 } = this.#secrets(alternative, id);
    this.#prepared = undefined;
    this.state = { ...this.state, counter, open: [...this.state.open, { id: toHex(id), alternative, r1, r2, amount }] };
    this.#mark(embodiment, 1);
    const body = this.#body(alternative, id, data.slice(2), r1, r2);
    return challenge.encode({
      amount, challengeId: id, g1: g1Of(this.state.data[0xdf30], r1), g2: g2Of(this.#key, r2), protectedChallenge: concat(Uint8Array.of(alternative), body),
    });
  }

  #pay(embodiment: number, data: Uint8Array): Uint8Array {
    const one: Challenge = challenge.decode(data);
    this.#mark(embodiment, 1);
    const message = messages.payment(one);
    const name = toHex(sha256(message));
    const known = this.state.payments.find((kept) => kept.name === name);
    if (known && !this.#flaws.has('pays-twice')) { this.#mark(embodiment, 2); return paymentObject.encode({ ...paymentObject.decode(known.answer), protectedChallenge: one.protectedChallenge }); }
    check(this.state.issue !== undefined, 0x6985);
    check(one.amount <= this.state.balance || this.#flaws.has('overdraft'), 0x6985);
    check(this.state.seed !== undefined, 0x6985);
    const { issuedAmount, issueNumber, issuerSignature } = issue.decode(this.state.issue);
    const answer = paymentObject.encode({
      protectedChallenge: one.protectedChallenge, payment: this.#ops.sign(this.state.seed, message), publicKey: this.#key,
      caSignature: this.state.data[0xdf34], issuedAmount, issueNumber, issuerSignature,
    });
    const kept: Kept = { name, amount: one.amount, id: one.challengeId, answer };
    const balance = (this.state.balance - one.amount + 2 ** 32) % 2 ** 32;
    this.state = { ...this.state, balance, paid: this.state.paid + one.amount, payments: [kept, ...this.state.payments].slice(0, 8) };
    this.#mark(embodiment, 2);
    return answer;
  }

  /** What D4 says, when this card made it: id, x, R1, R2. */
  #opened(d4: Uint8Array): { id: Uint8Array; amount: number; r1: Uint8Array; r2: Uint8Array; open: Open } {
    const [alternative] = d4;
    const body = d4.slice(1);
    const id = alternative === 1 ? body.slice(4, 12) : body.slice(4, 12);
    const open = this.state.open.find((one) => one.id === toHex(id));
    check(open !== undefined, 0x6985);
    check(open.alternative === alternative, 0x6a80);
    const { r1, r2 } = open;
    const amount = alternative === 1 ? open.amount : uintOf(body.slice(0, 4));
    const made = this.#body(alternative, id, uintBytes(amount, 4), r1, r2);
    check(this.#flaws.has('no-challenge-check') || (equalBytes(made, body) && (alternative !== 4 || amount === open.amount)), 0x6a80);
    return { id, amount, r1, r2, open };
  }

  #verified(one: Payment): LogEntry {
    const { id, amount, r1, r2 } = this.#opened(one.protectedChallenge);
    const payeeId = this.state.data[0xdf30];
    const g2 = g2Of(this.#key, r2);
    const message = messages.payment({ amount, g1: g1Of(payeeId, r1), g2, challengeId: id });
    const holds = (flaw: Flaw, key: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean => this.#flaws.has(flaw) || this.#ops.verify(key, bytes, signature);
    check(holds('no-payment-check', one.publicKey, message, one.payment), 0x6982);
    check(holds('no-ca-check', this.state.data[0xdf31], messages.key(one), one.caSignature), 0x6982);
    check(holds('no-issuer-check', this.state.data[0xdf32], messages.issue(one), one.issuerSignature), 0x6982);
    check(this.state.balance + amount <= 0xffffffff, 0x6985);
    const { publicKey, caSignature, payment, issuedAmount, issueNumber, issuerSignature } = one;
    return { payeeId, issuedAmount, issueNumber, issuerSignature, publicKey, caSignature, payment, amount, r1, g2, challengeId: id };
  }

  #credit(entry: LogEntry): Uint8Array {
    const bytes = logEntry.encode(entry);
    const { balance, received, open, waiting } = this.state;
    const id = toHex(entry.challengeId);
    this.state = {
      ...this.state, balance: balance + entry.amount, received: received + entry.amount,
      open: this.#flaws.has('keeps-challenge') ? open : open.filter((one) => one.id !== id),
      waiting: this.#flaws.has('forgets-entry') ? waiting : [...waiting, bytes],
    };
    return bytes;
  }

  #receive(embodiment: number, data: Uint8Array): Uint8Array {
    check([1, 2].includes(embodiment), 0x6a86);
    const one = paymentObject.decode(data);
    check(embodiment === 2 || (this.state.settings & 1) === 0, 0x6985);
    this.#mark(embodiment, 2);
    const again = this.state.waiting.find((entry) => equalBytes(logEntry.decode(entry).payment, one.payment));
    if (again && !this.#flaws.has('keeps-challenge')) {
      this.#mark(embodiment, ...(embodiment === 1 ? [3, 4, 5] : [3, 0x3a]));
      return embodiment === 1 ? again : this.#query(logEntry.decode(again));
    }
    const entry = this.#verified(one);
    this.#mark(embodiment, 3);
    check(this.state.waiting.length < 4, 0x6a84);
    if (embodiment === 1) { this.#mark(1, 4, 5); return this.#credit(entry); }
    this.#prepared = logEntry.encode(entry);
    this.#mark(2, 0x3a);
    return this.#query(entry);
  }

  #query({ payeeId, challengeId, publicKey }: LogEntry): Uint8Array {
    return logQuery.encode({ payeeId, challengeId, publicKey });
  }

  #accept(data: Uint8Array): Uint8Array {
    const state = serviceState.decode(data);
    check(equalBytes(state.payeeId, this.state.data[0xdf30]), 0x6a80);
    const waits = this.state.waiting.find((one) => equalBytes(logEntry.decode(one).challengeId, state.challengeId));
    const ready = this.#prepared !== undefined && equalBytes(logEntry.decode(this.#prepared).challengeId, state.challengeId);
    check(ready || waits !== undefined, 0x6985);
    check(this.#ops.verify(this.state.data[0xdf33], messages.service(state), state.thirdPartySignature), 0x6982);
    check(state.state === 1 || this.#flaws.has('accepts-closed'), 0x6985);
    this.#mark(2, 0x3b, 4, 5);
    if (waits) return waits;
    const entry = logEntry.decode(this.#prepared ?? new Uint8Array(0));
    this.#prepared = undefined;
    return this.#credit(entry);
  }

  #taken(data: Uint8Array): void {
    const receipt = logReceipt.decode(data);
    check(equalBytes(receipt.payeeId, this.state.data[0xdf30]), 0x6a80);
    const entry = this.state.waiting.find((one) => equalBytes(logEntry.decode(one).challengeId, receipt.challengeId));
    if (!entry) return;
    check(this.#flaws.has('no-receipt-check') || this.#ops.verify(this.state.data[0xdf33], messages.receipt(receipt, entry), receipt.thirdPartySignature), 0x6982);
    this.#prepared = undefined;
    this.state = { ...this.state, waiting: this.state.waiting.filter((one) => one !== entry) };
  }
}

/** A fake for a slot of a bench. */
export function fakeSlot(card: FakePurse): SlotCard {
  return {
    channel: card, applet: purseApplet,
    virtual: {
      hz: card.hz, runTo: (cycle) => card.runTo(cycle), cutAt: (cycle) => { card.cutAt(cycle); },
      snapshot: () => card.snapshot(), restore: (state) => { card.restore(state); },
    },
  };
}
