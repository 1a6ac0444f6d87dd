import { exchangeOf } from '../catalogue/registry.js';
import type {
  CardPort, CertificateEntry, CertificateKind, CertificateObject, CertificateState, Embodiment, Failure, HashAlgorithm, KeyKind, Outcome,
  Page, PinChoice, ReceiptObject, RequestObject, RetrievedObject, SafePort, ScenarioId, StatusWord, StepId, StepMark, ValueEntry,
  ValueState, Variant,
} from '../ports.js';

/** What the fakes' objects hold, in place of TLV; `seal` stands for the signature. */
interface Content {
  readonly type: string;
  readonly cardId?: string;
  readonly sequence?: number;
  readonly hashAlgorithm?: HashAlgorithm;
  readonly kind?: CertificateKind;
  readonly hash?: string;
  readonly counter?: number;
  readonly safeId?: string;
  readonly body?: string;
  readonly seal?: string;
}

const encode = (content: Content): Uint8Array => new TextEncoder().encode(JSON.stringify(content));

/** Undefined for bytes that are no object. */
export function decode(bytes: Uint8Array): Content | undefined {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Content;
  } catch {
    return undefined;
  }
}

/** Replaces fields of an object without sealing it anew. */
export function alter<T extends { readonly bytes: Uint8Array }>(object: T, fields: Partial<Content>): T {
  return { ...object, ...fields, bytes: encode({ type: '', ...decode(object.bytes), ...fields }) };
}

/** A stand-in for a hash: injective, so that equal hashes mean equal content. */
export const fakeHash = (algorithm: HashAlgorithm, text: string): string =>
  [...`${algorithm}:${text}`].map((char) => char.charCodeAt(0).toString(16).padStart(4, '0')).join('');

interface FakeValue {
  handle: number; issueId: string; name: string; informationClass: number; quantity: number; state: ValueState;
  sequence?: number; variant?: Variant; hash?: HashAlgorithm;
}
interface FakeCertificate {
  handle: number; state: CertificateState; object: CertificateObject; issueId?: string; keyKind?: KeyKind; recovered?: string;
}
interface Pending { sequence: number; kind: CertificateKind; hash: string; algorithm: HashAlgorithm; value?: FakeValue; keyKind?: KeyKind }

/** The first refusal a command meets: at which of its steps, and the status word. */
class Refusal extends Error {
  readonly index: number;
  readonly sw: StatusWord;
  constructor(index: number, sw: StatusWord) {
    super(sw);
    this.index = index;
    this.sw = sw;
  }
}

/** A card as strict as protocol.md 2.4 at the level of its objects. */
export class FakeCard implements CardPort {
  readonly hasTrace: boolean;
  readonly cardId: string;
  readonly values: FakeValue[] = [];
  readonly certificates: FakeCertificate[] = [];
  readonly knownSafes: string[];
  readonly keys = new Set<KeyKind>(['decoding', 'common']);
  readonly calls: string[] = [];
  pinVerified = true;
  /** Index entries left. */
  free = 100;
  pageSize = 2;
  #sequence = 0;
  #handle = 0;
  #cycle = 0;
  readonly #pending: Pending[] = [];

  constructor(options: { hasTrace?: boolean; cardId?: string; safes?: string[] } = {}) {
    this.hasTrace = options.hasTrace ?? true;
    this.cardId = options.cardId ?? 'c1';
    this.knownSafes = options.safes ?? ['s1'];
  }

  /** Loads a value and gives its handle. */
  load(name: string, fields: Partial<Pick<FakeValue, 'informationClass' | 'quantity' | 'issueId'>> = {}): number {
    const handle = ++this.#handle;
    this.values.push({ handle, issueId: `i${handle}`, name, informationClass: 1, quantity: 1, state: 'active', ...fields });
    return handle;
  }

  #command<T>(name: string, scenario: ScenarioId, first: StepId, act: (refuse: (index: number, sw: StatusWord) => never) => T): Promise<Outcome<T>> {
    this.calls.push(name);
    const group = exchangeOf(scenario, first);
    const embodiment = Number(scenario.split('/')[0]);
    const mark = (id: StepId, outcome: number): StepMark => ({ embodiment, id, outcome, cycle: this.#cycle += 10 });
    const marked = (upTo: number): StepMark[] => (this.hasTrace ? group.slice(0, upTo).map((id) => mark(id, 0)) : []);
    const refusal = (sw: StatusWord, marks: StepMark[]): Failure => ({ ok: false, cause: 'refused', sw, text: `the card answered ${sw}`, marks });
    if (!this.pinVerified) return Promise.resolve(refusal('6982', []));
    try {
      const value = act((index, sw) => { throw new Refusal(index, sw); });
      return Promise.resolve({ ok: true, value, marks: marked(group.length) });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const marks = marked(error.index);
      if (this.hasTrace) marks.push(mark(group[error.index], 1));
      return Promise.resolve(refusal(error.sw, marks));
    }
  }

  #bare<T>(name: string, act: (refuse: (sw: StatusWord) => never) => T): Promise<Outcome<T>> {
    this.calls.push(name);
    try {
      if (!this.pinVerified) throw new Refusal(0, '6982');
      return Promise.resolve({ ok: true, value: act((sw) => { throw new Refusal(0, sw); }), marks: [] });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return Promise.resolve({ ok: false, cause: 'refused', sw: error.sw, text: `the card answered ${error.sw}`, marks: [] });
    }
  }

  #page<T>(all: readonly T[], from = 0): Page<T> {
    const next = from + this.pageSize;
    return { entries: all.slice(from, next), ...next < all.length && { next } };
  }

  verifyPin(pin: PinChoice): Promise<Outcome<undefined>> {
    this.pinVerified = pin === 'right';
    if (this.pinVerified) return Promise.resolve({ ok: true, value: undefined, marks: [] });
    return Promise.resolve({ ok: false, cause: 'refused', sw: '63C2', text: 'wrong PIN', marks: [] });
  }

  listValues(embodiment: Embodiment, from?: number): Promise<Outcome<Page<ValueEntry>>> {
    const entries = this.values.map(({ handle, state, issueId, name, informationClass, quantity }): ValueEntry =>
      ({ handle, state, size: 100, digest: { name, informationClass, quantity }, remaining: 0, issueId }));
    return this.#command(`listValues ${from ?? 0}`, `${embodiment}/backup`, '1-1', () => this.#page(entries, from));
  }

  registerBegin(embodiment: Embodiment, variant: Variant, handle: number, hash: HashAlgorithm): Promise<Outcome<RequestObject>> {
    return this.#command('registerBegin', `${embodiment}/backup`, '1-5', (refuse) => {
      const value = this.values.find((entry) => entry.handle === handle) ?? refuse(2, '6A82');
      if (value.state === 'deposited') refuse(2, '6985');
      if (variant === 'common-key' && !this.keys.has('common')) refuse(3, '6985');
      const again = value.state === 'pending' && value.variant === variant && value.hash === hash;
      if (!again && this.free < 1) refuse(2, '6A84');
      if (!again) this.#begin(value, variant, hash);
      const sequence = value.sequence ?? refuse(2, '6985');
      const kind: CertificateKind = variant === 'plain' ? 'plain' : 'registered';
      const body = variant === 'plain' ? this.#plain(value) : `sealed(${this.cardId},${sequence},${variant}):${this.#plain(value)}`;
      const objectHash = fakeHash(hash, body);
      this.#pending.push({ sequence, kind, hash: objectHash, algorithm: hash, value });
      return this.#request({ kind, sequence, hashAlgorithm: hash, body }, { objectHash, digest: { name: value.name, quantity: value.quantity } });
    });
  }

  #begin(value: FakeValue, variant: Variant, hash: HashAlgorithm): void {
    if (value.state !== 'pending') this.free -= 1;
    Object.assign(value, { state: 'pending', variant, hash, sequence: ++this.#sequence });
  }

  #plain = (value: FakeValue): string => JSON.stringify({ issueId: value.issueId, name: value.name, informationClass: value.informationClass, quantity: value.quantity });

  #request(
    content: { kind: CertificateKind; sequence: number; hashAlgorithm: HashAlgorithm; body: string },
    extra: Pick<RequestObject, 'objectHash' | 'digest'>,
  ): RequestObject {
    const { kind, sequence, hashAlgorithm } = content;
    const bytes = encode({ type: 'request', cardId: this.cardId, ...content });
    return { bytes, cardId: this.cardId, sequence, hashAlgorithm, content: kind, ...extra };
  }

  keyRegisterBegin(kind: KeyKind, safeId: string, hash: HashAlgorithm): Promise<Outcome<RequestObject>> {
    return this.#command('keyRegisterBegin', '2/key-backup', '3-1', (refuse) => {
      if (!this.keys.has(kind)) refuse(2, '6985');
      if (!this.knownSafes.includes(safeId)) refuse(2, '6A82');
      if (this.free < 1) refuse(2, '6A84');
      const sequence = ++this.#sequence;
      const body = `key:${kind}:${this.cardId}`;
      this.#pending.push({ sequence, kind: 'key', hash: fakeHash(hash, body), algorithm: hash, keyKind: kind });
      return this.#request({ kind: 'key', sequence, hashAlgorithm: hash, body }, {});
    });
  }

  registerEnd(embodiment: Embodiment, what: 'value' | 'key', certificate: CertificateObject): Promise<Outcome<number>> {
    const [scenario, first]: [ScenarioId, StepId] = what === 'key' ? ['2/key-backup', '3-8']
      : embodiment === 1 ? ['1/backup', '1-12'] : ['2/backup', '1-13'];
    return this.#command('registerEnd', scenario, first, (refuse) => {
      const found = decode(certificate.bytes);
      if (found?.type !== 'certificate' || found.cardId !== this.cardId) return refuse(2, '6A80');
      const stored = this.certificates.find(({ object }) => object.sequence === found.sequence);
      if (stored && decode(stored.object.bytes)?.seal === found.seal) return stored.handle;
      const pending = this.#pending.find(({ sequence }) => sequence === found.sequence) ?? refuse(2, '6985');
      if (pending.value && (pending.value.state !== 'pending' || pending.value.sequence !== pending.sequence)) refuse(2, '6985');
      if (found.kind !== pending.kind || (found.kind === 'key') !== (what === 'key')) refuse(2, '6A80');
      if (!this.knownSafes.includes(found.safeId ?? '')) refuse(2, '6A82');
      if (found.hash !== pending.hash || found.hashAlgorithm !== pending.algorithm) refuse(2, '6A80');
      if (found.seal !== sealOf(found)) refuse(2, '6982');
      return this.#store(certificate, pending);
    });
  }

  #store(object: CertificateObject, pending: Pending): number {
    const handle = ++this.#handle;
    if (pending.value) pending.value.state = 'deposited';
    this.certificates.push({
      handle, state: 'stored', object,
      ...pending.value && { issueId: pending.value.issueId }, ...pending.keyKind && { keyKind: pending.keyKind },
    });
    return handle;
  }

  listCertificates(embodiment: Embodiment, what: 'value' | 'key', from?: number): Promise<Outcome<Page<CertificateEntry>>> {
    const [scenario, first]: [ScenarioId, StepId] = what === 'key' ? ['2/key-recover', '4-1'] : [`${embodiment}/recover`, '2-1'];
    const entries = this.certificates.filter(({ object }) => (object.kind === 'key') === (what === 'key')).map((entry): CertificateEntry => ({
      handle: entry.handle, state: entry.state, size: 200, digest: {}, counter: entry.object.counter, safeId: entry.object.safeId,
      kind: entry.object.kind, ...entry.issueId !== undefined && { issueId: entry.issueId }, ...entry.keyKind && { keyKind: entry.keyKind },
    }));
    return this.#command(`listCertificates ${from ?? 0}`, scenario, first, () => this.#page(entries, from));
  }

  recoverBegin(embodiment: Embodiment, what: 'value' | 'key', handle: number): Promise<Outcome<CertificateObject>> {
    const [scenario, first]: [ScenarioId, StepId] = what === 'key' ? ['2/key-recover', '4-5'] : [`${embodiment}/recover`, '2-5'];
    return this.#command('recoverBegin', scenario, first, (refuse) => {
      const entry = this.certificates.find((certificate) => certificate.handle === handle) ?? refuse(2, '6A82');
      if (entry.state === 'spent') refuse(2, '6985');
      const present = this.values.some((value) => value.issueId === entry.issueId);
      if (what === 'value' && entry.state === 'stored') {
        if (!present && this.free < 1) refuse(2, '6A84');
        entry.state = 'recovering';
      }
      return entry.object;
    });
  }

  recoverEnd(embodiment: Embodiment, certificate: number, object: RetrievedObject): Promise<Outcome<number>> {
    const [inner, last] = embodiment === 1 ? [2, 2] : [1, 3];
    return this.#command('recoverEnd', `${embodiment}/recover`, '2-11', (refuse) => {
      const entry = this.certificates.find(({ handle }) => handle === certificate) ?? refuse(0, '6A82');
      const found = decode(object.bytes);
      const body = found?.body ?? refuse(0, '6A80');
      const fits = fakeHash(entry.object.hashAlgorithm, body) === entry.object.hash;
      if (entry.state === 'spent' && fits) return this.#valueOf(body).handle;
      if (entry.state !== 'recovering') refuse(last, '6985');
      if (embodiment === 2 && !body.startsWith('sealed(')) refuse(inner, '6982');
      if (!fits) refuse(inner, '6A80');
      if (body.includes('public-key') && !this.keys.has('decoding')) refuse(inner, '6985');
      entry.state = 'spent';
      const value = this.#valueOf(body);
      value.state = 'active';
      return value.handle;
    });
  }

  #valueOf(body: string): FakeValue {
    const fields = JSON.parse(body.slice(body.indexOf('{'))) as { issueId: string; name: string };
    const present = this.values.find((entry) => entry.issueId === fields.issueId);
    if (present) return present;
    const handle = this.load(fields.name, fields);
    return this.values.find((entry) => entry.handle === handle) as FakeValue;
  }

  keyRecoverEnd(certificate: number, object: RetrievedObject): Promise<Outcome<undefined>> {
    return this.#command('keyRecoverEnd', '2/key-recover', '4-11', (refuse) => {
      const entry = this.certificates.find(({ handle }) => handle === certificate) ?? refuse(0, '6A82');
      const found = decode(object.bytes);
      if (found?.seal !== 'key-reply') refuse(1, '6982');
      if (fakeHash(entry.object.hashAlgorithm, found?.body ?? '') !== entry.object.hash) refuse(2, '6A80');
      this.keys.add(entry.keyKind ?? 'decoding');
      return undefined;
    });
  }

  getReceipt(certificate: number): Promise<Outcome<ReceiptObject>> {
    return this.#bare('getReceipt', (refuse) => {
      const entry = this.certificates.find(({ handle }) => handle === certificate) ?? refuse('6A82');
      if (entry.state !== 'spent') refuse('6985');
      const { sequence, counter, hash } = entry.object;
      return { bytes: encode({ type: 'receipt', cardId: this.cardId, sequence, counter, hash, seal: this.cardId }), cardId: this.cardId, sequence };
    });
  }

  delete(handle: number): Promise<Outcome<undefined>> {
    return this.#bare('delete', (refuse) => {
      const value = this.values.findIndex((entry) => entry.handle === handle);
      const certificate = this.certificates.findIndex((entry) => entry.handle === handle);
      if (value < 0 && certificate < 0) refuse('6A82');
      if (value >= 0 && this.values[value].state !== 'deposited') refuse('6985');
      if (certificate >= 0 && this.certificates[certificate].state !== 'spent') refuse('6985');
      if (value >= 0) this.values.splice(value, 1);
      else this.certificates.splice(certificate, 1);
      this.free += 1;
      return undefined;
    });
  }

  deleteKey(kind: KeyKind): Promise<Outcome<undefined>> {
    return this.#bare('deleteKey', (refuse) => {
      if (!this.certificates.some((entry) => entry.keyKind === kind)) refuse('6985');
      this.keys.delete(kind);
      return undefined;
    });
  }
}

const sealOf = ({ cardId, sequence, kind, hash, hashAlgorithm, counter, safeId }: Content): string =>
  JSON.stringify([safeId, cardId, sequence, kind, hash, hashAlgorithm, counter]);

interface FakeRecord { request: string; body: string; certificate: CertificateObject; state: 'held' | 'tombstone' }

/** A safe as strict as protocol.md 3 at the level of its objects. */
export class FakeSafe implements SafePort {
  readonly safeId: string;
  readonly records: FakeRecord[] = [];
  readonly calls: string[] = [];
  #counter = 0;

  constructor(safeId = 's1') {
    this.safeId = safeId;
  }

  #refused = (safeCode: string): Failure => ({ ok: false, cause: 'refused', safeCode, text: `the safe answered ${safeCode}`, marks: [] });

  register(request: RequestObject): Promise<Outcome<CertificateObject>> {
    this.calls.push('register');
    const found = decode(request.bytes);
    const { cardId, sequence, hashAlgorithm, kind, body } = found ?? {};
    if (found?.type !== 'request' || !cardId || !sequence || !hashAlgorithm || !kind || body === undefined)
      return Promise.resolve(this.#refused('SAFE_BAD_OBJECT'));
    const text = JSON.stringify(found);
    const known = this.records.find(({ certificate }) => certificate.cardId === cardId && certificate.sequence === sequence);
    if (known && known.request !== text) return Promise.resolve(this.#refused('SAFE_CONFLICT'));
    if (known) return Promise.resolve({ ok: true, value: known.certificate, marks: [] });
    const fields = { kind, cardId, sequence, hashAlgorithm, hash: fakeHash(hashAlgorithm, body), counter: ++this.#counter, safeId: this.safeId };
    const certificate = { ...fields, bytes: encode({ type: 'certificate', ...fields, seal: sealOf({ type: '', ...fields }) }) };
    this.records.push({ request: text, body, certificate, state: 'held' });
    return Promise.resolve({ ok: true, value: certificate, marks: [] });
  }

  retrieve(certificate: CertificateObject): Promise<Outcome<RetrievedObject>> {
    this.calls.push('retrieve');
    const found = decode(certificate.bytes);
    if (!found) return Promise.resolve(this.#refused('SAFE_BAD_OBJECT'));
    if (found.seal !== sealOf(found)) return Promise.resolve(this.#refused('SAFE_BAD_SIGNATURE'));
    const record = this.records.find((entry) => JSON.stringify(decode(entry.certificate.bytes)) === JSON.stringify(found));
    if (!record) return Promise.resolve(this.#refused('SAFE_UNKNOWN'));
    if (record.state === 'tombstone') return Promise.resolve(this.#refused('SAFE_TOMBSTONE'));
    const { kind } = record.certificate;
    const bytes = encode({ type: 'object', body: record.body, ...kind === 'key' && { seal: 'key-reply' } });
    const objectHash = fakeHash(record.certificate.hashAlgorithm, record.body);
    return Promise.resolve({ ok: true, value: { bytes, content: kind, ...kind !== 'key' && { objectHash } }, marks: [] });
  }

  receipt(receipt: ReceiptObject): Promise<Outcome<undefined>> {
    this.calls.push('receipt');
    const found = decode(receipt.bytes);
    const record = this.records.find(({ certificate }) => certificate.cardId === found?.cardId && certificate.sequence === found.sequence
      && certificate.counter === found.counter && certificate.hash === found.hash);
    if (!record) return Promise.resolve(this.#refused('SAFE_UNKNOWN'));
    if (found?.seal !== found?.cardId) return Promise.resolve(this.#refused('SAFE_BAD_SIGNATURE'));
    record.state = 'tombstone';
    return Promise.resolve({ ok: true, value: undefined, marks: [] });
  }
}

type Calls<P> = { [K in keyof P]: P[K] extends (...args: infer A) => Promise<infer R> ? (call: (...args: A) => Promise<R>, ...args: A) => Promise<R> : never };

/** A port with some of its calls replaced; each replacement is given the real call and the arguments. */
export function meddle<P extends object>(port: P, calls: Partial<Calls<P>>): P {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const bound = value.bind(target) as (...args: unknown[]) => unknown;
      const other = (calls as Record<string | symbol, ((call: unknown, ...args: unknown[]) => unknown) | undefined>)[name];
      return other ? (...args: unknown[]) => other(bound, ...args) : bound;
    },
  });
}

/** A broken link after as many marks as given. */
export const cut = (cause: 'link' | 'late' | 'unexpected', marks: readonly StepMark[] = []): Failure =>
  ({ ok: false, cause, text: `the call ended: ${cause}`, marks });
