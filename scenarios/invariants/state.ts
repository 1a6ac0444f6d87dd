import type { CertificateKind } from '../ports.js';

/** States of a class A item (protocol.md 2.3), the unlisted ones too. */
export type AbstractValueState = 'active' | 'pending' | 'deposited' | 'reserved' | 'deleting';

/** States of a class B item (protocol.md 2.3), the unlisted ones too. */
export type AbstractCertificateState = 'stored' | 'reserved' | 'recovering' | 'spent' | 'deleting';

/** A value on a card. */
export interface AbstractValue {
  readonly handle: number;
  /** Hexadecimal; empty for a bare reservation. */
  readonly issueId: string;
  readonly informationClass: number;
  readonly state: AbstractValueState;
  readonly quantity: number;
  /** Yen. */
  readonly remaining: number;
  /** False when two reads of the stored bytes differ or they do not decode. */
  readonly readable: boolean;
  /** Sequence of the bundle it is registered in. */
  readonly bundle?: number;
}

/** A certificate on a card. */
export interface AbstractCertificate {
  readonly handle: number;
  /** Hexadecimal. */
  readonly safeId: string;
  readonly counter: number;
  /** X1, X2 or X3, hexadecimal. */
  readonly hash: string;
  readonly kind: CertificateKind;
  /** The card named in the certificate, hexadecimal. */
  readonly cardId: string;
  /** Registration number of the card. */
  readonly sequence: number;
  readonly state: AbstractCertificateState;
  readonly readable: boolean;
}

/** What a card holds, without its bytes. */
export interface AbstractCard {
  readonly cardId: string;
  readonly values: readonly AbstractValue[];
  readonly certificates: readonly AbstractCertificate[];
  /** Last registration number used. */
  readonly sequence: number;
  /** Last load number taken. */
  readonly loadNumber: number;
  readonly pinTries: number;
  /** Ids of the keys present, hexadecimal; never the keys. */
  readonly keys: {
    readonly decoding?: string;
    readonly common?: string;
    /** Of the seed: the id of the decoding key it gives. */
    readonly seed?: string;
  };
}

/** Which piece or key part a record is. */
export interface AbstractPart {
  /** Sequence of the first of the set. */
  readonly set: number;
  /** From 1. */
  readonly index: number;
  readonly count: number;
  /** Of pieces: those deposited, as bits; of key parts: the threshold. */
  readonly wanted: number;
}

/** One record or tombstone of a safe. */
export interface AbstractRecord {
  readonly state: 'held' | 'tombstone';
  readonly counter: number;
  readonly hash: string;
  readonly kind: CertificateKind;
  readonly cardId: string;
  readonly sequence: number;
  /** Issue id of the value behind it as the bench's ledger knows it; absent for keys. */
  readonly issueId?: string;
  /** Quantity and remaining amount of the copy, where it is a value. */
  readonly quantity?: number;
  readonly remaining?: number;
  /** Of a piece of a value, or a part of a key. */
  readonly part?: AbstractPart;
  /** True for a part of a seed. */
  readonly ofSeed?: boolean;
  /** True for a key part that is the whole key. */
  readonly opens?: boolean;
  /** Everything in a bundle. */
  readonly holds?: readonly { readonly issueId: string; readonly quantity: number; readonly remaining: number }[];
  /** Id of the key that opens a registered value, or of the key held. */
  readonly keyId?: string;
}

/** What a safe holds. */
export interface AbstractSafe {
  readonly safeId: string;
  readonly counter: number;
  /** Number after which the counter returns to 0. */
  readonly counterLimit: number;
  readonly records: readonly AbstractRecord[];
}

/** The issuer's book: what was given out and what has been taken in for it. */
export interface AbstractLedgerEntry {
  readonly issueId: string;
  /** Tag 80, by which a value that is on no card is counted in units or yen. */
  readonly informationClass?: number;
  readonly quantity: number;
  /** Yen. */
  readonly remaining: number;
  /** Units taken in, over all cards. */
  readonly spentQuantity: number;
  /** Yen taken in, over all cards. */
  readonly spentAmount: number;
  /** The issuer took the value back or replaced it (CORRECT); nothing is owed for it. */
  readonly withdrawn?: boolean;
}

/** Everything the invariants look at, at one moment at rest. */
export interface AbstractWorld {
  readonly cards: readonly AbstractCard[];
  readonly safes: readonly AbstractSafe[];
  readonly ledger: readonly AbstractLedgerEntry[];
  /** Issue ids in a signed lost log. */
  readonly lostLog: readonly string[];
}

/** One breach of an invariant. */
export interface Finding {
  readonly invariant: InvariantId;
  readonly text: string;
  readonly step?: string;
}

/** The invariants of the tearing design. */
export type InvariantId =
  | 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'I10' | 'I11' | 'I12' | 'I13' | 'I14' | 'I15';
