import type { CertificateKind, CertificateState, ValueState } from '../codec/index.js';

/** Which set an entry belongs to (docs/firmware.md, bytes 58 and 59). */
export interface SetPlace {
  /** First sequence of the set. */
  readonly set: number;
  /** From 1; 0 for the certificate of a bundle. */
  readonly index: number;
  readonly count: number;
  /** Wanted pieces as bits, or of a key part the threshold. */
  readonly wanted: number;
  /** Of a bundle's certificate: all its values are PENDING. */
  readonly ready: boolean;
}

/** States as they are written: HELD is a certificate that waits for those of the other pieces. */
export type WrittenState = ValueState | CertificateState | 'HELD';

/** What is needed of an entry to tell how it counts. */
export interface SetEntry {
  readonly class: 'A' | 'B';
  readonly state: WrittenState;
  readonly kind: CertificateKind | undefined;
  readonly place: SetPlace | undefined;
}

const stateOf = (entry: SetEntry | undefined): WrittenState | undefined => entry?.state;

/** A piece's certificate counts by the state of the value of its set. */
function pieceState(entry: SetEntry, value: WrittenState | undefined): WrittenState {
  if (entry.class === 'A') return entry.state;
  if (entry.state === 'HELD') return value === 'DEPOSITED' ? 'STORED' : value === 'PENDING' ? 'RESERVED' : 'DELETING';
  if (entry.state === 'RESERVED') return value === 'PENDING' ? 'RESERVED' : 'DELETING';
  if (entry.state !== 'RECOVERING') return entry.state;
  return value === 'ACTIVE' ? 'SPENT' : value === undefined ? 'STORED' : 'RECOVERING';
}

/** A bundle's value counts by the state of the bundle's certificate. */
function bundleState(entry: SetEntry, certificate: SetEntry | undefined): WrittenState {
  const state = stateOf(certificate);
  if (entry.class === 'B') return entry.state === 'RESERVED' && entry.place?.ready !== true ? 'DELETING' : entry.state;
  if (entry.state === 'PENDING') {
    if (state === 'STORED' || state === 'RECOVERING') return 'DEPOSITED';
    return state === 'RESERVED' && certificate?.place?.ready === true ? 'PENDING' : 'ACTIVE';
  }
  if (entry.state === 'DEPOSITED') return state === 'SPENT' ? 'ACTIVE' : 'DEPOSITED';
  if (entry.state === 'RESERVED') return state === 'SPENT' ? 'ACTIVE' : state === 'RECOVERING' ? 'RESERVED' : 'DELETING';
  return entry.state;
}

/** A value whose coupled certificate was dropped is not registered. */
const coupledState = (entry: SetEntry, certificate: SetEntry | undefined): WrittenState =>
  (entry.class === 'A' && entry.state === 'PENDING' && certificate === undefined ? 'ACTIVE' : entry.state);

/**
 * How an entry counts among all entries (docs/firmware.md, sets): what has happened to a set is written in one page, and
 * the others follow it. HELD never counts as itself.
 */
export function countedState(entry: SetEntry, all: readonly SetEntry[]): ValueState | CertificateState {
  const { place, kind } = entry;
  const find = (wanted: 'A' | 'B', index: number): SetEntry | undefined => all.find((other) =>
    other.class === wanted && other.kind === kind && other.state !== 'DELETING' && other.place?.set === place?.set && other.place?.index === index);
  const counted = place === undefined ? entry.state
    : kind === 'piece' ? pieceState(entry, stateOf(find('A', 1)))
      : kind === 'bundle' ? bundleState(entry, find('B', 0)) : kind === 'coupled' ? coupledState(entry, find('B', 1)) : entry.state;
  return counted === 'HELD' ? 'DELETING' : counted;
}

/** True when the certificates that a PENDING or DEPOSITED value of a set relies on are there. */
export function setWhole(entry: SetEntry, all: readonly SetEntry[]): boolean {
  const { place, kind } = entry;
  if (place === undefined) return true;
  const certificates = all.filter((other) => other.class === 'B' && other.kind === kind && other.place?.set === place.set && other.state !== 'DELETING');
  if (kind !== 'piece') return certificates.length === 1;
  return Array.from({ length: place.count }, (_, i) => i + 1).filter((index) => (place.wanted >> (index - 1)) & 1)
    .every((index) => certificates.some((other) => other.place?.index === index));
}
