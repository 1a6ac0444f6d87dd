import { toHex } from '../codec/index.js';
import type { PublicKeyOps } from '../codec/index.js';
import { decode, pageSize } from '../nvm/index.js';
import type { NvmContents, NvmEntry } from '../nvm/index.js';
import type { AbstractCard } from '../../scenarios/index.js';
import { abstractCard } from '../world/abstract-card.js';

/** What counts of a card's memory for the judgement of hostile input; holds secrets, so it is never printed. */
export interface CardView {
  readonly card: AbstractCard;
  readonly lifeCycle: string;
  /** Identity, signing and transport key, credential, card secret, safes, settings: fixed once the card is issued. */
  readonly fixed: string;
  readonly pin: string;
  readonly keyRegistration: string;
  /** Backup conditions by number. */
  readonly conditions: string;
  /** Encoded certificates in hexadecimal by handle, where they are complete. */
  readonly certificates: ReadonlyMap<number, string>;
  /** Elements of the values that nothing may change, by handle. */
  readonly values: ReadonlyMap<number, string>;
  readonly problems: readonly string[];
}

/** Pages by what they hold (docs/firmware.md, NVM layout). */
const fixedPages = [0, 5, 6, 7, 8, 9, 13, 16, 17, 18, 19, 20, 21, 22, 23] as const;
const pinPage = 10;

function certificateOf(entry: NvmEntry, settled: Uint8Array): (readonly [number, string])[] {
  if (entry.class !== 'B' || entry.object === undefined) return [];
  const from = entry.region.firstPage * pageSize;
  return [[entry.handle, toHex(settled.subarray(from, from + entry.size))]];
}

function valueOf(entry: NvmEntry): (readonly [number, string])[] {
  if (entry.class !== 'A' || entry.object === undefined) return [];
  const { infoClass, name, unitPrice, place, validity, remarks, issueId } = entry.object;
  return [[entry.handle, JSON.stringify([infoClass, name, unitPrice, place, validity, remarks, toHex(issueId)])]];
}

/** Reads a memory. `cardId` is what a card without identity is called. */
export function viewOf(memory: Uint8Array, ops: PublicKeyOps, cardId: string): CardView {
  const contents: NvmContents = decode(memory);
  const settled = contents.settled();
  const page = (number: number): string => toHex(settled.subarray(number * pageSize, (number + 1) * pageSize));
  const { state, keyRegistration, entries, problems } = contents;
  return {
    card: abstractCard(memory, ops, contents, cardId),
    lifeCycle: state?.lifeCycle ?? 'blank',
    fixed: [...fixedPages.map(page), JSON.stringify(state?.settings)].join(' '),
    pin: page(pinPage),
    keyRegistration: JSON.stringify(keyRegistration),
    conditions: JSON.stringify(contents.conditions.map(({ number, terms }) => [number, terms]).sort()),
    certificates: new Map(entries.flatMap((entry) => certificateOf(entry, settled))),
    values: new Map(entries.flatMap(valueOf)),
    problems: problems.map(({ code, page: at, text }) => `${code} in page ${at}: ${text}`),
  };
}
