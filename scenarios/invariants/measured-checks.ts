import type { AbstractCard, Finding } from './state.js';
import { finding } from './state-checks.js';

/** What the bench measured on the way from a cut to commit or abort. */
export interface ProgressMeasure {
  /** Boots it took, the one after the cut included. */
  readonly boots: number;
  readonly retries: number;
  /** Page operations between power-on and the first command carried out. */
  readonly recoveryPages: number;
  /** False when the card never answered again. */
  readonly alive: boolean;
  /** False when the scenario reached neither commit nor abort. */
  readonly settled: boolean;
  readonly step?: string;
}

/** I11: at most two clean boots and three retries to commit or abort, at most four pages of recovery, never a brick. */
export function progress({ boots, retries, recoveryPages, alive, settled, step }: ProgressMeasure): readonly Finding[] {
  return [
    ...alive ? [] : [finding('I11', 'the card does not answer any more', step)],
    ...alive && !settled ? [finding('I11', 'the scenario reached neither commit nor abort', step)] : [],
    ...boots > 2 ? [finding('I11', `${boots} boots were needed, 2 are permitted`, step)] : [],
    ...retries > 3 ? [finding('I11', `${retries} retries were needed, 3 are permitted`, step)] : [],
    ...recoveryPages > 4 ? [finding('I11', `recovery wrote ${recoveryPages} pages, 4 are permitted`, step)] : [],
  ];
}

/** What the bench saw of one command on a full or worn memory. */
export interface FullMeasure {
  readonly sw: string;
  readonly before: AbstractCard;
  readonly after: AbstractCard;
  /** Safe records that appeared although the card then had no room for the certificate. */
  readonly outsideEffects: number;
  readonly step?: string;
}

/** I12: 6A84 and 6581 leave everything as it was, and nothing happened outside for which room was lacking. */
export function fullOrWorn({ sw, before, after, outsideEffects, step }: FullMeasure): readonly Finding[] {
  if (sw !== '6A84' && sw !== '6581') return [];
  const same = JSON.stringify(before) === JSON.stringify(after);
  return [
    ...same ? [] : [finding('I12', `the card answered ${sw} and changed something`, step)],
    ...outsideEffects > 0 ? [finding('I12', `${outsideEffects} records were made at a safe before the card answered ${sw}`, step)] : [],
  ];
}

/** What the bench saw of one hostile input. */
export interface HostileMeasure {
  readonly before: AbstractCard;
  readonly after: AbstractCard;
  /** Cycles until the answer or the next request for more time; undefined when none came. */
  readonly waited?: number;
  /** Waiting time in cycles. */
  readonly limit: number;
  readonly step?: string;
}

/** I13: hostile input changes nothing but error counters (PIN tries) and is answered within the waiting time. */
export function hostile({ before, after, waited, limit, step }: HostileMeasure): readonly Finding[] {
  const same = JSON.stringify({ ...before, pinTries: 0 }) === JSON.stringify({ ...after, pinTries: 0 });
  return [
    ...same ? [] : [finding('I13', 'hostile input changed the card', step)],
    ...after.pinTries > before.pinTries ? [finding('I13', 'hostile input gave PIN tries back', step)] : [],
    ...waited === undefined ? [finding('I13', 'hostile input was not answered', step)] : [],
    ...waited !== undefined && waited > limit ? [finding('I13', `hostile input was answered after ${waited} cycles, ${limit} are permitted`, step)] : [],
  ];
}

/** Where the bench looked for a secret in clear, and how often it found it. The secret itself never comes here. */
export interface SecrecyMeasure {
  readonly place: 'link past the terminal' | 'safe storage' | 'free EEPROM';
  readonly what: 'value' | 'key' | 'share' | 'PIN';
  readonly found: number;
  readonly step?: string;
}

/** I14: no value, key or share in clear on the link past the terminal, in safe storage, or in free EEPROM after deletion. */
export const secrecy = (measures: readonly SecrecyMeasure[]): readonly Finding[] => measures.flatMap(({ place, what, found, step }) =>
  (found > 0 ? [finding('I14', `a ${what} stands in clear in ${place}, ${found} times`, step)] : []));
