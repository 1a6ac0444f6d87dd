import type { Condition } from './conditions/condition.js';
import type { OwnerChoice } from './owner-ports.js';

/** The systems of the sources. */
export type SystemName = 'backup' | 'twin' | 'purse' | 'member';

/** Embodiments of a system; only the backup protocol has more than two. */
export type Embodiment = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12;

/** A sequence of steps within an embodiment, named as in the step catalogue, for example `backup` or `key-recover`. */
export type Phase = string;

/** Scenarios of embodiments 1 and 2, which tables of campaigns about them list in full. */
export type BasicScenarioId = '1/backup' | '1/recover' | '2/backup' | '2/recover' | '2/key-backup' | '2/key-recover';

/**
 * Name of a scenario: embodiment and phase, for other systems than backup after the system's name (`purse/1/transfer`;
 * `twin/backup` where the system has one embodiment). Those that exist are in catalogue/registry.ts.
 */
export type ScenarioId = `${Embodiment}/${string}` | `${Exclude<SystemName, 'backup'>}/${string}`;

/** A step id of the catalogue, such as `1-14`, `301`, `P-3a`, `S7`; unique only within embodiment and phase. */
export type CatalogueId = `${number}-${number}` | `${number}` | `P-${string}` | `S${number}`;

/** A step id of the catalogue, or a named state derived from one, such as `3-5@safe2`. */
export type StepId = CatalogueId | `${CatalogueId}@${string}`;

/** Name of a port: which party a scenario speaks to, for example `card`, `safe`, `safe2`, `payee`. */
export type PortRole = string;

/** Two bytes of ISO/IEC 7816-4 status as four upper-case hexadecimal digits, for example `6A80`. */
export type StatusWord = string;

/** Encryption variant (protocol.md 1.1, tag 90); `plain` is embodiment 1 (P2 = 00). */
export type Variant = 'plain' | 'public-key' | 'common-key';

/** Hash algorithm (protocol.md 1.1, tags 95 and 97). MD5 and SHA-1 are legacy and flagged by every report. */
export type HashAlgorithm = 'SHA-256' | 'SHA-1' | 'MD5';

/** Kind of key (protocol.md 1.1, tag 8A): 01 X25519 decoding key, 02 AES-128 common key. */
export type KeyKind = 'decoding' | 'common';

/** What DIVIDE KEY divides: a key, or (05) the seed that the decoding key is derived from. */
export type DividedKey = KeyKind | 'seed';

/** Kind of a certificate (protocol.md 1.1, tag 9B): 01 to 08. */
export type CertificateKind = 'plain' | 'registered' | 'key' | 'seed' | 'piece' | 'bundle' | 'key-part' | 'coupled';

/** True for a certificate that stands for a key, for the seed of one or for a part. */
export const isKeyKind = (kind: CertificateKind | undefined): boolean => kind === 'key' || kind === 'seed' || kind === 'key-part';

/** Listed states of a class A item (protocol.md 2.3). */
export type ValueState = 'active' | 'pending' | 'deposited';

/** Listed states of a class B item (protocol.md 2.3). */
export type CertificateState = 'stored' | 'recovering' | 'spent';

/** A STEP mark the card wrote (protocol.md 2.6). */
export interface StepMark {
  readonly embodiment: number;
  readonly id: StepId;
  /** 0 done, 1 refused. */
  readonly outcome: number;
  /** Core clock cycle of the mark, since power-on. */
  readonly cycle: number;
}

/** Why a call did not succeed. `link`: the peer was unreachable or the connection broke; `late`: no answer in time. */
export type FailureCause = 'refused' | 'late' | 'link' | 'unexpected';

/** A call that did what was asked. */
export interface Success<T> {
  readonly ok: true;
  readonly value: T;
  readonly marks: readonly StepMark[];
}

/** A call that did not; never an exception. */
export interface Failure {
  readonly ok: false;
  readonly cause: FailureCause;
  /** The card's answer, where there was one. */
  readonly sw?: StatusWord;
  /** The safe's error code (protocol.md 3), where there was one. */
  readonly safeCode?: string;
  readonly text: string;
  /** Marks written before the call failed. */
  readonly marks: readonly StepMark[];
}

/** What every port operation resolves to. A rejected promise means that the bench itself failed: the run is aborted. */
export type Outcome<T> = Success<T> | Failure;

/** The partial information of digest 302; absent fields where the card's setting is "empty digest". */
export interface DigestFields {
  /** Tag 80, for example 1 = movie ticket. */
  readonly informationClass?: number;
  readonly name?: string;
  readonly quantity?: number;
  readonly place?: string;
  /** `YYYYMMDD-YYYYMMDD`, empty = no limit. */
  readonly validity?: string;
}

/** One EB entry of a list of values. */
export interface ValueEntry {
  readonly handle: number;
  readonly state: ValueState;
  /** Bytes of the stored item. */
  readonly size: number;
  readonly digest: DigestFields;
  /** Remaining amount in yen. */
  readonly remaining: number;
  /** Issue id in hexadecimal where the bench knows it from its own ledger; the list itself does not carry it. */
  readonly issueId?: string;
}

/** One EB entry of a list of certificates. */
export interface CertificateEntry {
  readonly handle: number;
  readonly state: CertificateState;
  /** Bytes of the stored item. */
  readonly size: number;
  readonly digest: DigestFields;
  readonly counter: number;
  /** Hexadecimal. */
  readonly safeId: string;
  readonly kind: CertificateKind;
  /** Of a key certificate: tag 8A of its digest 306. */
  readonly keyKind?: DividedKey;
  /** Of a key certificate: id of the key in hexadecimal. */
  readonly keyId?: string;
  /** Of a piece or key part: its place in the set. */
  readonly identity?: { readonly set: number; readonly index: number; readonly count: number };
  /** Issue id in hexadecimal of the value behind it, where the bench knows it. */
  readonly issueId?: string;
}

/** One answer to a list command; `next` is the position to ask for, absent on the last page. */
export interface Page<T> {
  readonly entries: readonly T[];
  readonly next?: number;
}

/** What an object has in it; `sealed`: for its receiver, the terminal cannot tell. */
export type Content = CertificateKind | 'sealed';

/** A registration request E4. */
export interface RequestObject {
  readonly bytes: Uint8Array;
  readonly cardId: string;
  readonly sequence: number;
  readonly hashAlgorithm: HashAlgorithm;
  readonly content: Content;
  /** X1 or X2 in hexadecimal, computed by the terminal; absent for keys, which the terminal cannot read. */
  readonly objectHash?: string;
  /** Of a key: its id in hexadecimal. */
  readonly keyId?: string;
  /** The digest fields of a plain E1, for the terminal's comparison with the list. */
  readonly digest?: DigestFields;
}

/** A registration certificate E6. */
export interface CertificateObject {
  readonly bytes: Uint8Array;
  readonly kind: CertificateKind;
  readonly cardId: string;
  readonly sequence: number;
  readonly hashAlgorithm: HashAlgorithm;
  /** X1, X2 or X3 in hexadecimal. */
  readonly hash: string;
  readonly counter: number;
  readonly safeId: string;
}

/** What a safe returns on presentation of a certificate: E1, E3 or E8. */
export interface RetrievedObject {
  readonly bytes: Uint8Array;
  readonly content: Content;
  /** Hash by the certificate's algorithm in hexadecimal, computed by the terminal; absent for keys. */
  readonly objectHash?: string;
}

/** A receipt EA. */
export interface ReceiptObject {
  readonly bytes: Uint8Array;
  readonly cardId: string;
  readonly sequence: number;
}

/**
 * The card as the terminal sees it (protocol.md 2.1), with the applet selected. The bench has verified the PIN before
 * a scenario starts. Handles are the card-local names of tag 8B.
 */
export interface CardPort {
  /** True when the card's STEP marks reach the bench; then a missing mark is a failure. */
  readonly hasTrace: boolean;
  verifyPin(pin: PinChoice): Promise<Outcome<undefined>>;
  listValues(embodiment: Embodiment, from?: number): Promise<Outcome<Page<ValueEntry>>>;
  /** `sealFor`: id in hexadecimal of the safe that the registered value information is sealed for (embodiment 3). */
  registerBegin(
    embodiment: Embodiment, variant: Variant, handle: number, hash: HashAlgorithm, sealFor?: string,
  ): Promise<Outcome<RequestObject>>;
  /** Resolves to the certificate's handle. */
  registerEnd(
    embodiment: Embodiment, what: 'value' | 'key', certificate: CertificateObject,
  ): Promise<Outcome<number>>;
  listCertificates(
    embodiment: Embodiment, what: 'value' | 'key', from?: number,
  ): Promise<Outcome<Page<CertificateEntry>>>;
  recoverBegin(embodiment: Embodiment, what: 'value' | 'key', handle: number): Promise<Outcome<CertificateObject>>;
  /** Resolves to the value's handle. An object that is sealed for the card goes by the command for such. */
  recoverEnd(embodiment: Embodiment, certificate: number, object: RetrievedObject): Promise<Outcome<number>>;
  /** Embodiment 2 unless another is named. */
  keyRegisterBegin(kind: KeyKind, safeId: string, hash: HashAlgorithm, embodiment?: Embodiment): Promise<Outcome<RequestObject>>;
  keyRecoverEnd(certificate: number, object: RetrievedObject, embodiment?: Embodiment): Promise<Outcome<undefined>>;
  getReceipt(certificate: number): Promise<Outcome<ReceiptObject>>;
  delete(handle: number): Promise<Outcome<undefined>>;
  deleteKey(kind: KeyKind): Promise<Outcome<undefined>>;
}

/** A PIN by name: digits never enter scenarios, records or traces. */
export type PinChoice = 'right' | 'wrong' | 'short' | 'long' | 'not-digits' | 'new' | 'ask';

/** A safe as the terminal sees it (protocol.md 3). Marks of its outcomes are empty. */
export interface SafePort {
  /** Hexadecimal. */
  readonly safeId: string;
  register(request: RequestObject): Promise<Outcome<CertificateObject>>;
  retrieve(certificate: CertificateObject): Promise<Outcome<RetrievedObject>>;
  receipt(receipt: ReceiptObject): Promise<Outcome<undefined>>;
}

/** A certificate the card chose, with its handle. */
export type ChosenCertificate = CertificateObject & { readonly handle: number };

/** A card that derives its decoding key from a seed (embodiment 7, protocol.md 2.7). */
export interface SeedCardPort extends CardPort {
  seedRegisterBegin(safeId: string, hash: HashAlgorithm): Promise<Outcome<RequestObject>>;
  /** Without a handle the card takes any seed certificate it has. */
  seedRecoverBegin(certificate?: number): Promise<Outcome<ChosenCertificate>>;
  seedRecoverEnd(certificate: number, object: RetrievedObject): Promise<Outcome<undefined>>;
}

/** Peers of a scenario with a second safe: values at `safe`, what opens them at `safe2`. */
export interface TwoSafePorts extends Ports {
  readonly card: SeedCardPort;
  readonly safe2: SafePort;
}

/** Key and value as the key safe gives them together. */
export interface RetrievedSet {
  readonly bytes: Uint8Array;
  readonly key: RetrievedObject;
  readonly value: RetrievedObject;
  /** True when the other safe has been seen to take a message for it. */
  readonly fetched: boolean;
}

/** The safe that holds keys with their owners, and fetches what they open from the other (embodiment 12). */
export interface KeySafePort extends SafePort {
  registerOwned(request: RequestObject, owner: OwnerChoice): Promise<Outcome<CertificateObject>>;
  retrieveSet(owner: OwnerChoice, key: CertificateObject, value: CertificateObject): Promise<Outcome<RetrievedSet>>;
}

/** A card that renews its key pair (protocol.md 2.11). */
export interface RenewingCardPort extends SeedCardPort {
  renewKey(): Promise<Outcome<undefined>>;
}

/** Peers of embodiment 12. */
export interface TalkPorts extends TwoSafePorts {
  readonly card: RenewingCardPort;
  readonly safe2: KeySafePort;
}

/** Both peers of a scenario. */
export interface Ports {
  readonly card: CardPort;
  readonly safe: SafePort;
}

/** What comes first in a set: dividing (coupling) or encrypting. */
export type SetOrder = 'divide-first' | 'encrypt-first';
/** Into how many pieces a value is divided, and which of them are deposited (bit i - 1 for index i). */
export interface Division {
  readonly count: number;
  readonly wanted: number;
}
/** How a key is divided: any `threshold` of `count` parts give it back. */
export interface KeyDivision {
  /** `origin`: the key is generated from its parts (claim 12). */
  readonly scheme: 'xor' | 'shamir' | 'origin';
  readonly threshold: number;
  readonly count: number;
}

/** The card with the commands of embodiments 4, 5 and 6 (protocol.md 5.3). */
export interface SetCardPort extends CardPort {
  /** Resolves to the set. */
  divide(variant: Exclude<Variant, 'plain'>, handle: number, order: SetOrder, division: Division, hash: HashAlgorithm): Promise<Outcome<number>>;
  piece(handle: number, index: number): Promise<Outcome<RequestObject>>;
  keyPart(set: number, index: number): Promise<Outcome<RequestObject>>;
  /** Resolves to the certificate's handle. */
  setEnd(embodiment: 4 | 5 | 6, certificate: CertificateObject): Promise<Outcome<number>>;
  gather(embodiment: 4 | 5 | 6, handle: number): Promise<Outcome<CertificateObject>>;
  /** Resolves to the value's handle; of a key to 0. */
  combine(embodiment: 4 | 6, certificate: number, objects: readonly RetrievedObject[]): Promise<Outcome<number>>;
  couple(variant: Exclude<Variant, 'plain'>, handles: readonly number[], order: SetOrder, hash: HashAlgorithm): Promise<Outcome<RequestObject>>;
  /** Resolves to the values' handles. */
  decouple(certificate: number, object: RetrievedObject): Promise<Outcome<readonly number[]>>;
  /** Resolves to the set; one safe id in hexadecimal for each part. `coupled`: the first part goes with a value. */
  divideKey(kind: DividedKey, division: KeyDivision, safes: readonly string[], hash: HashAlgorithm, coupled?: boolean): Promise<Outcome<number>>;
  /** The ciphertext of a value coupled with the first part of its divided key, as one request. */
  coupleKey(variant: Exclude<Variant, 'plain'>, handle: number, set: number): Promise<Outcome<RequestObject>>;
  /** Stores the certificate of what was coupled; resolves to its handle. */
  coupledEnd(certificate: CertificateObject): Promise<Outcome<number>>;
  gatherCoupled(handle: number): Promise<Outcome<CertificateObject>>;
  /** Decodes the value in a coupled object with the key, which must be back; resolves to the value's handle. */
  decoupleKey(certificate: number, object: RetrievedObject): Promise<Outcome<number>>;
}

/** A value that the extractor 159 has chosen. */
export interface ExtractedValue {
  readonly handle: number;
  /** `deposited`: its certificate is stored already, it only has to make room. */
  readonly state: ValueState;
}

/** The card with the commands of embodiment 11 (protocol.md 6). Days are `YYYY-MM-DD`, numbers of conditions 1 to 254. */
export interface ConditionCardPort extends CardPort {
  /** Tells the day for what arrives later in this session. */
  tellDate(date: string): Promise<Outcome<undefined>>;
  /** Stores a condition or puts it in the place of the one with its number. */
  putCondition(number: number, condition: Condition): Promise<Outcome<undefined>>;
  deleteCondition(number: number): Promise<Outcome<undefined>>;
  getCondition(number: number): Promise<Outcome<Condition>>;
  conditionNumbers(): Promise<Outcome<readonly number[]>>;
  /** Number 0: by all conditions. */
  extract(number: number, date: string, from?: number): Promise<Outcome<Page<ExtractedValue>>>;
  /** The value with this handle makes room: steps 2-10 and 2-11. */
  backupEnd(handle: number): Promise<Outcome<undefined>>;
}

/** Peers of the automatic backup. */
export interface ConditionPorts extends Ports {
  readonly card: ConditionCardPort;
}

/** Peers of the scenarios with sets. */
export interface SetPorts extends Ports {
  readonly card: SetCardPort;
  readonly safe2: SafePort;
}
