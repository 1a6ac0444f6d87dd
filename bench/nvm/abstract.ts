import { toHex } from '../codec/index.js';
import type { CertificateKind, CertificateState, KeysPresent, LifeCycle, ValueState } from '../codec/index.js';
import { decode } from './decode.js';
import type { NvmContents, NvmEntry } from './decode.js';

/** A value as it counts. Amounts in yen. */
export interface AbstractValue {
  /** Issue id in hex; empty when the object cannot be read. */
  readonly issueId: string;
  readonly state: ValueState;
  readonly quantity: number;
  readonly remaining: number;
}

/** A certificate as it counts. */
export interface AbstractCertificate {
  readonly safeId: string;
  readonly counter: number;
  readonly hash: string;
  readonly state: CertificateState;
  readonly kind: CertificateKind;
  readonly sequence: number;
}

/** What counts of a card's memory; plain data in canonical order, so that equal states are deeply equal. */
export interface AbstractState {
  readonly lifeCycle: LifeCycle;
  readonly pinTries: number;
  readonly lastSequence: number;
  readonly lastLoadNumber: number;
  readonly keys: KeysPresent;
  /** Sequence of the open key registration, 0 when none. */
  readonly keyRegistration: number;
  readonly values: readonly AbstractValue[];
  readonly certificates: readonly AbstractCertificate[];
  /** Number and terms of each backup condition, by number. */
  readonly conditions: readonly (readonly [number, string])[];
  /** Codes of the problems found, with their pages. */
  readonly problems: readonly string[];
}

const inOrder = <T>(list: readonly T[]): readonly T[] =>
  list.map((item) => [JSON.stringify(item), item] as const).sort(([a], [b]) => (a < b ? -1 : Number(a > b)))
    .map(([, item]) => item);

const counts = (entry: NvmEntry): boolean => entry.state !== 'RESERVED' && entry.state !== 'DELETING';

function valueOf(entry: NvmEntry): AbstractValue[] {
  if (entry.class !== 'A' || !counts(entry)) return [];
  const { object, state } = entry;
  if (!object) return [{ issueId: '', state, quantity: 0, remaining: 0 }];
  return [{ issueId: toHex(object.issueId), state, quantity: object.quantity, remaining: object.remaining }];
}

function certificateOf(entry: NvmEntry): AbstractCertificate[] {
  if (entry.class !== 'B' || !counts(entry) || !entry.object) return [];
  const { safeId, counter, hash, kind, sequence } = entry.object;
  return [{ safeId: toHex(safeId), counter, hash: toHex(hash), state: entry.state, kind, sequence }];
}

/** What counts of decoded contents: RESERVED and DELETING entries, handles and places do not. */
export function abstractOf(contents: NvmContents): AbstractState {
  const { state, keys, keyRegistration, entries, conditions, problems } = contents;
  return {
    lifeCycle: state?.lifeCycle ?? 'blank', pinTries: state?.pinTries ?? 0, lastSequence: state?.lastSequence ?? 0,
    lastLoadNumber: state?.lastLoadNumber ?? 0, keys, keyRegistration: keyRegistration?.sequence ?? 0,
    values: inOrder(entries.flatMap(valueOf)), certificates: inOrder(entries.flatMap(certificateOf)),
    conditions: conditions.map(({ number, terms }) => [number, terms] as const).sort(([a], [b]) => a - b),
    problems: problems.map(({ code, page }) => `${code} ${page}`).sort(),
  };
}

/** What counts of an image, with the journal settled as a booted card would. Throws NvmError NVM_SIZE. */
export function abstractState(image: Uint8Array): AbstractState {
  return abstractOf(decode(image));
}

/** One string for an abstract state: equal states, equal strings. */
export function abstractKey(state: AbstractState): string {
  return JSON.stringify(state);
}
