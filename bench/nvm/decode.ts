import { CodecError, certificate, hashLengths, lifeCycles, settingsOf, toHex, valueInformation } from '../codec/index.js';
import type {
  BackedKey, CardSettings, Certificate, CertificateKind, CertificateState, HashAlgorithm, KeysPresent, LifeCycle,
  ValueInformation, ValueState,
} from '../codec/index.js';
import { certificateStates, valueStates } from '../codec/index.js';
import { NvmError } from './errors.js';
import { readJournal, settle } from './journal.js';
import type { Journal } from './journal.js';
import { countedState, setWhole } from './sets.js';
import type { SetPlace, WrittenState } from './sets.js';
import { appletNames, conditionOf, fixedPages, indexStart, isErased, layoutVersion, pageOf, pageSize, safeArea, u16, u32 } from './layout.js';
import type { AppletName } from './layout.js';

/** What is wrong in an image, once its journal is settled. */
export type ProblemCode =
  | 'PAGE_DAMAGED' | 'SUPERBLOCK' | 'STATE' | 'ENTRY' | 'REGION_RANGE' | 'REGION_OVERLAP' | 'REGION_PADDING'
  | 'OBJECT_DAMAGED' | 'HANDLE_TWICE' | 'PARTNER_MISSING';

/** One thing wrong in an image. */
export interface Problem {
  readonly code: ProblemCode;
  /** Page it was found in. */
  readonly page: number;
  readonly text: string;
}

/** Superblock: how the memory is divided; pages of 64 bytes. */
export interface Superblock {
  readonly layoutVersion: number;
  readonly pageSize: number;
  readonly pages: number;
  readonly firstIndexPage: number;
  readonly indexEntries: number;
  readonly firstDataPage: number;
  /** First page behind the data: the areas of the other applets follow, to the end of the memory. */
  readonly dataEnd: number;
  readonly areas: readonly AppletArea[];
}

/** A backup condition: its number and its terms as stored, hex. */
export interface StoredCondition {
  readonly page: number;
  readonly number: number;
  readonly terms: string;
}

/** Pages that belong to an applet beside the backup. */
export interface AppletArea extends Region {
  readonly applet: AppletName;
}

/** State page. */
export interface CardState {
  readonly lifeCycle: LifeCycle;
  readonly pinTries: number;
  readonly settings: CardSettings;
  readonly lastSequence: number;
  readonly lastLoadNumber: number;
  readonly lastLoadHandle: number;
  readonly lastHandle: number;
  /** SHA-256 of the last load object, hex. */
  readonly lastLoadHash: string;
}

/** Key registration in progress. */
export interface KeyRegistration {
  readonly keyKind: BackedKey;
  readonly algorithm: HashAlgorithm;
  readonly sequence: number;
  readonly safeId: string;
  /** X3, hex. */
  readonly hash: string;
  readonly reservedHandle: number;
}

/** One safe the card knows; keys are public. */
export interface KnownSafe {
  readonly safeId: string;
  readonly verificationKey: string;
  readonly transportKey: string;
}

/** A run of pages. */
export interface Region {
  readonly firstPage: number;
  readonly pages: number;
}

interface EntryCommon {
  /** Page of the entry in the index. */
  readonly page: number;
  readonly handle: number;
  readonly region: Region;
  /** Bytes of the object in the region. */
  readonly size: number;
  readonly partner: number;
  readonly sequence: number;
  /** Hash X in hex, cut to the length of its algorithm; empty without one. */
  readonly hash: string;
  readonly kind: CertificateKind | undefined;
  readonly variant: number;
  readonly algorithm: HashAlgorithm | undefined;
  /** Pages holding data being prepared or to be erased. */
  readonly alternative: Region | undefined;
  /** Bytes of the E1 this certificate stands for. */
  readonly valueSize: number;
  /** Place in a set of pieces, a bundle or a divided key. */
  readonly place: SetPlace | undefined;
}
/** A value in the index. */
export interface NvmValue extends EntryCommon {
  readonly class: 'A';
  readonly state: ValueState;
  /** The E1, where the state says there is one and it can be read. */
  readonly object: ValueInformation | undefined;
}
/** A certificate in the index. */
export interface NvmCertificate extends EntryCommon {
  readonly class: 'B';
  readonly state: CertificateState;
  /** The E6, where the state says there is one and it can be read. */
  readonly object: Certificate | undefined;
}
/** An index entry. */
export type NvmEntry = NvmValue | NvmCertificate;

/** A card's memory, decoded with the journal settled. Key bytes are not in it. */
export interface NvmContents {
  readonly pages: number;
  readonly journal: Journal;
  readonly superblock: Superblock | undefined;
  readonly state: CardState | undefined;
  /** Card id in hex, where the identity page is there. */
  readonly cardId: string | undefined;
  readonly issuerKey: string | undefined;
  readonly keys: KeysPresent;
  readonly cardSecret: boolean;
  readonly credential: boolean;
  readonly pin: boolean;
  readonly keyRegistration: KeyRegistration | undefined;
  readonly safes: readonly KnownSafe[];
  readonly entries: readonly NvmEntry[];
  /** Backup conditions, in index pages of their own. */
  readonly conditions: readonly StoredCondition[];
  readonly freeEntries: number;
  readonly problems: readonly Problem[];
  /** The image with the journal settled, as the decoder read it. Holds secrets: never print it. */
  readonly settled: () => Uint8Array;
}

const algorithmNames: readonly (HashAlgorithm | undefined)[] = [undefined, 'SHA-256', 'SHA-1', 'MD5'];
const kindNames: readonly (CertificateKind | undefined)[] = [undefined, 'plain', 'registered', 'key', 'seed', 'piece', 'bundle', 'key-part', 'coupled'];
const keyKinds: readonly (BackedKey | undefined)[] = [undefined, 'decoding', 'common', undefined, undefined, 'seed'];

/** Reads pages of a settled image and collects what is wrong. */
class Source {
  readonly image: Uint8Array;
  readonly problems: Problem[] = [];
  /** First page behind the data. */
  dataEnd: number;

  constructor(image: Uint8Array) {
    this.image = image;
    this.dataEnd = image.length / pageSize;
  }

  problem(code: ProblemCode, page: number, text: string): undefined {
    this.problems.push({ code, page, text });
    return undefined;
  }

  /** The page when it is there and whole. */
  page(number: number, what: string): Uint8Array | undefined {
    const page = pageOf(this.image, number);
    const condition = conditionOf(page);
    if (condition === 'valid') return page;
    return condition === 'absent' ? undefined : this.problem('PAGE_DAMAGED', number, `${what}: CRC`);
  }

  present(number: number, what: string): boolean {
    const page = this.page(number, what);
    return page !== undefined && page[0] === 1;
  }
}

function readSuperblock(source: Source): Superblock | undefined {
  const page = source.page(fixedPages.superblock, 'superblock');
  if (!page) return undefined;
  const pages = source.image.length / pageSize;
  const areas = areasOf(page);
  const block = {
    layoutVersion: u16(page, 4), pageSize: u16(page, 6), pages: u16(page, 8), firstIndexPage: u16(page, 10),
    indexEntries: u16(page, 12), firstDataPage: u16(page, 14), dataEnd: u16(page, 16), areas,
  };
  const dataEnd = pages - areas.reduce((sum, area) => sum + area.pages, 0);
  const expected = { layoutVersion, pageSize, pages, ...divisionOf(pages), dataEnd };
  const wrong = Object.entries(expected).filter(([name, value]) => block[name as keyof Superblock] !== value);
  if (toHex(page.slice(0, 4)) !== '43425731') wrong.unshift(['magic', 0]);
  if (areas.length !== page[18] || dataEnd < block.firstDataPage) wrong.push(['areas', 0]);
  if (wrong.length === 0) return block;
  return source.problem('SUPERBLOCK', 0, `does not fit the layout: ${wrong.map(([name]) => name).join(', ')}`);
}

/** The areas of the applets, in order from the first page behind the data; ends at a number that is not an applet's. */
function areasOf(superblock: Uint8Array): AppletArea[] {
  const areas: AppletArea[] = [];
  let firstPage = u16(superblock, 16);
  for (let i = 0; i < Math.min(superblock[18], appletNames.length); i += 1) {
    const [applet, pages] = [appletNames[u16(superblock, 20 + 4 * i) - 1], u16(superblock, 22 + 4 * i)];
    if (applet === undefined) break;
    areas.push({ applet, firstPage, pages });
    firstPage += pages;
  }
  return areas;
}

/** How the layout divides a memory of so many pages: index 851 first, then data. */
export function divisionOf(pages: number): Pick<Superblock, 'firstIndexPage' | 'indexEntries' | 'firstDataPage'> {
  const indexEntries = Math.floor(pages / 4);
  return { firstIndexPage: indexStart, indexEntries, firstDataPage: indexStart + indexEntries };
}

function readState(source: Source): CardState | undefined {
  const page = source.page(fixedPages.state, 'state');
  if (!page) return undefined;
  const lifeCycle = lifeCycles[page[0]];
  if (lifeCycle === undefined || page[2] > 3) return source.problem('STATE', fixedPages.state, 'life cycle or settings');
  return {
    lifeCycle, pinTries: page[1], settings: settingsOf(page[2]), lastSequence: u32(page, 4),
    lastLoadNumber: u32(page, 8), lastLoadHandle: u16(page, 12), lastHandle: u16(page, 14),
    lastLoadHash: toHex(page.slice(16, 48)),
  };
}

function readKeyRegistration(source: Source): KeyRegistration | undefined {
  const page = source.page(fixedPages.keyRegistration, 'key registration');
  if (page?.[0] !== 1) return undefined;
  const keyKind = keyKinds[page[1]];
  const algorithm = algorithmNames[page[2]];
  if (keyKind === 'seed' && !source.present(fixedPages.seed, 'seed')) return undefined;
  if (!keyKind || !algorithm) return source.problem('STATE', fixedPages.keyRegistration, 'key kind or algorithm');
  return {
    keyKind, algorithm, sequence: u32(page, 4), safeId: toHex(page.slice(8, 16)),
    hash: toHex(page.slice(16, 16 + hashLengths[algorithm])), reservedHandle: u16(page, 48),
  };
}

function readSafes(source: Source): KnownSafe[] {
  return Array.from({ length: safeArea.count }, (_, i) => safeArea.first + 2 * i).flatMap((page) => {
    const [a, b] = [source.page(page, 'safe'), source.page(page + 1, 'safe')];
    if (!a || !b) return [];
    return [{ safeId: toHex(a.slice(0, 8)), verificationKey: toHex(a.slice(8, 40)), transportKey: toHex(b.slice(0, 32)) }];
  });
}

function inData(source: Source, { firstPage, pages }: Region): boolean {
  const all = source.image.length / pageSize;
  return pages > 0 && firstPage >= divisionOf(all).firstDataPage && firstPage + pages <= source.dataEnd;
}

function objectBytes(source: Source, entry: EntryCommon): Uint8Array | undefined {
  const { firstPage, pages } = entry.region;
  if (!inData(source, entry.region)) return undefined;
  if (entry.size === 0 || entry.size > pages * pageSize)
    return source.problem('REGION_RANGE', entry.page, `handle ${entry.handle}: ${entry.size} bytes in ${pages} pages`);
  const start = firstPage * pageSize;
  if (!isErased(source.image, start + entry.size, (firstPage + pages) * pageSize))
    source.problem('REGION_PADDING', firstPage, `handle ${entry.handle}: bytes after the object are not FF`);
  return source.image.slice(start, start + entry.size);
}

function objectOf<T>(source: Source, entry: EntryCommon, decode: (bytes: Uint8Array) => T): T | undefined {
  const bytes = objectBytes(source, entry);
  if (!bytes) return undefined;
  try {
    return decode(bytes);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return source.problem('OBJECT_DAMAGED', entry.region.firstPage, `handle ${entry.handle}: ${error.code}`);
  }
}

/** Of a key part that is coupled with a value, bit 3 of byte 51 says so; the value itself has the kind of a part. */
function kindOf(page: Uint8Array): CertificateKind | undefined {
  const kind = kindNames[page[48]];
  return kind === 'key-part' && (page[0] === 0x41 || (page[51] & 8) !== 0) ? 'coupled' : kind;
}

function placeOf(page: Uint8Array): SetPlace | undefined {
  const index = page[58] & 15;
  const kind = kindOf(page);
  if (page[58] === 0 || (kind !== 'piece' && kind !== 'bundle' && kind !== 'key-part' && kind !== 'coupled')) return undefined;
  const own = page[0] === 0x42 && kind !== 'bundle';
  return { set: u32(page, 12) - (own ? index - 1 : 0), index, count: page[58] >> 4, wanted: page[59], ready: (page[51] & 4) !== 0 };
}

function entryFields(page: Uint8Array, number: number): EntryCommon {
  const algorithm = algorithmNames[page[50]];
  return {
    page: number, handle: u16(page, 2), region: { firstPage: u16(page, 4), pages: u16(page, 8) }, size: u16(page, 6),
    partner: u16(page, 10), sequence: u32(page, 12),
    hash: algorithm ? toHex(page.slice(16, 16 + hashLengths[algorithm])) : '',
    kind: kindOf(page), variant: page[49], algorithm,
    alternative: page[51] & 1 ? { firstPage: u16(page, 52), pages: u16(page, 54) } : undefined,
    valueSize: u16(page, 56), place: placeOf(page),
  };
}

const holdsValue: readonly ValueState[] = ['ACTIVE', 'PENDING', 'DEPOSITED'];
const holdsCertificate: readonly CertificateState[] = ['STORED', 'RECOVERING', 'SPENT'];

/** An entry as it is written, before it is known how it counts. */
type Written = EntryCommon & { readonly class: 'A' | 'B'; readonly state: WrittenState };

const conditionClass = 0x43;
const conditionBytes = 56;

/** Conditions; a second one of the same number, or one that claims more bytes than there are, is a problem. */
function readConditions(source: Source, first: number, count: number): StoredCondition[] {
  const found = new Map<number, StoredCondition>();
  for (let page = first; page < first + count; page += 1) {
    const bytes = pageOf(source.image, page);
    if (bytes[0] !== conditionClass || conditionOf(bytes) !== 'valid') continue;
    const [, length, number] = bytes;
    if (length === 0 || length > conditionBytes || number === 0 || number === 255 || found.has(number))
      source.problem('ENTRY', page, `condition ${number} of ${length} bytes`);
    else found.set(number, { page, number, terms: toHex(bytes.slice(4, 4 + length)) });
  }
  return [...found.values()];
}

function readWritten(source: Source, number: number): Written | undefined {
  const page = source.page(number, 'index entry');
  if (!page) return undefined;
  const common = entryFields(page, number);
  if (page[0] === conditionClass) return undefined;
  const certificateState = page[1] === 6 && common.place ? 'HELD' as const : certificateStates[page[1] - 1];
  const valueState = valueStates[page[1] - 1];
  if (page[0] === 0x41 && valueState !== undefined) return { ...common, class: 'A', state: valueState };
  if (page[0] === 0x42 && certificateState !== undefined) return { ...common, class: 'B', state: certificateState };
  return source.problem('ENTRY', number, `class ${page[0]}, state ${page[1]}`);
}

/** The entry as it counts, with its object. */
function readEntry(source: Source, written: Written, all: readonly Written[]): NvmEntry {
  const state = countedState(written, all);
  if (written.class === 'A') {
    const holds = holdsValue.includes(state as ValueState);
    const object = holds ? objectOf(source, written, (bytes) => valueInformation.decode(bytes)) : undefined;
    return { ...written, class: 'A', state: state as ValueState, object };
  }
  const holds = holdsCertificate.includes(state as CertificateState);
  const object = holds ? objectOf(source, written, (bytes) => certificate.decode(bytes)) : undefined;
  return { ...written, class: 'B', state: state as CertificateState, object };
}

function checkRegions(source: Source, entries: readonly NvmEntry[]): void {
  const owners = new Map<number, number>();
  for (const entry of entries) {
    const regions = [entry.region, ...(entry.alternative ? [entry.alternative] : [])];
    for (const region of regions.filter((one) => !inData(source, one)))
      source.problem('REGION_RANGE', entry.page, `handle ${entry.handle}: ${region.pages} pages from ${region.firstPage}`);
    const taken = regions.flatMap(({ firstPage, pages }) => Array.from({ length: pages }, (_, i) => firstPage + i))
      .filter((page) => owners.has(page) || !owners.set(page, entry.handle));
    if (taken.length > 0) source.problem('REGION_OVERLAP', taken[0], `handles ${owners.get(taken[0])} and ${entry.handle}`);
  }
}

function checkHandles(source: Source, entries: readonly NvmEntry[]): void {
  const byHandle = new Map<number, NvmEntry>();
  for (const entry of entries) {
    if (byHandle.has(entry.handle)) source.problem('HANDLE_TWICE', entry.page, `handle ${entry.handle}`);
    byHandle.set(entry.handle, entry);
  }
  for (const entry of entries) {
    const partner = byHandle.get(entry.partner);
    const needed = entry.class === 'A' && (entry.state === 'PENDING' || entry.state === 'DEPOSITED');
    const fits = entry.place ? setWhole(entry, entries) : partner?.class === 'B' && (entry.state !== 'PENDING' || partner.state === 'RESERVED');
    if (needed && !fits) source.problem('PARTNER_MISSING', entry.page, `handle ${entry.handle}: ${entry.state} without its certificate`);
  }
}

function readKeys(source: Source): KeysPresent {
  return {
    decoding: source.present(fixedPages.decodingKey, 'decoding key'),
    common: source.present(fixedPages.commonKey, 'common key'),
    signing: source.present(fixedPages.signingKey, 'signing key'),
    transport: source.present(fixedPages.transportKey, 'transport key'),
    seed: source.present(fixedPages.seed, 'seed'),
  };
}

/** Pages of an image. Throws NvmError NVM_SIZE when the length cannot be that of a card. */
export function pageCount(image: Uint8Array): number {
  const pages = image.length / pageSize;
  if (Number.isInteger(pages) && pages >= 32 && pages <= 0xffff) return pages;
  throw new NvmError('NVM_SIZE', `${image.length} bytes cannot be a card's memory`);
}

/**
 * Decodes a card's memory from docs/firmware.md alone, with the journal settled as a booted card would. Whatever the
 * bytes are, faults are listed as problems. Throws NvmError NVM_SIZE when the length cannot be that of a card.
 */
export function decode(image: Uint8Array): NvmContents {
  const pages = pageCount(image);
  const journal = readJournal(image);
  const source = new Source(settle(image, journal));
  const { firstIndexPage, indexEntries } = divisionOf(pages);
  const superblock = readSuperblock(source);
  source.dataEnd = superblock?.dataEnd ?? pages;
  const identity = source.page(fixedPages.identity, 'identity');
  const written = Array.from({ length: indexEntries }, (_, i) => readWritten(source, firstIndexPage + i))
    .filter((entry) => entry !== undefined);
  const entries = written.map((entry) => readEntry(source, entry, written));
  checkRegions(source, entries);
  checkHandles(source, entries);
  const free = Array.from({ length: indexEntries }, (_, i) => pageOf(source.image, firstIndexPage + i))
    .filter((page) => isErased(page)).length;
  const [first, second] = [source.page(fixedPages.credential0, 'credential'), source.page(fixedPages.credential1, 'credential')];
  return {
    pages, journal, superblock, state: readState(source),
    cardId: identity && toHex(identity.slice(0, 8)), issuerKey: identity && toHex(identity.slice(8, 40)),
    keys: readKeys(source), cardSecret: source.present(fixedPages.cardSecret, 'card secret'),
    credential: first !== undefined && second !== undefined, pin: source.present(fixedPages.pin, 'PIN'),
    keyRegistration: readKeyRegistration(source), safes: readSafes(source), entries,
    conditions: readConditions(source, firstIndexPage, indexEntries), freeEntries: free,
    problems: source.problems, settled: () => source.image.slice(),
  };
}
