import { toHex, uintOf } from '../codec/index.js';
import { decode } from './decode.js';
import type { NvmContents } from './decode.js';
import { conditionOf, pageOf, u32 } from './layout.js';

/** What is wrong in a purse's area, with its page from the beginning of the area. */
export interface PurseProblem {
  readonly code: 'PAGE_DAMAGED' | 'STATE' | 'SUMS' | 'CHALLENGES' | 'ENTRY' | 'ISSUE';
  readonly page: number;
  readonly text: string;
}

/** An open challenge: alternative 1 to 4, id in hex. */
export interface OpenChallenge {
  readonly alternative: number;
  readonly id: string;
}

/** A log entry that waits for its receipt, a payment that is kept. Amounts in yen, ids and keys in hex. */
export interface PurseEntryInMemory {
  readonly challengeId: string;
  readonly amount: number;
  readonly payerKey: string;
}

/** See {@link PurseEntryInMemory}. */
export interface PaymentInMemory {
  readonly challengeId: string;
  readonly amount: number;
  readonly number: number;
}

/** A purse as its pages have it (docs/purse.md 5). Key bytes are not in it. */
export interface PurseContents {
  readonly lifeCycle: 'blank' | 'initialised' | 'operational';
  readonly id: string;
  /** Settings byte. */
  readonly settings: number;
  readonly balance: number;
  readonly issued: number;
  readonly received: number;
  readonly paid: number;
  readonly lastIssue: number;
  readonly challengeCounter: number;
  readonly open: readonly OpenChallenge[];
  readonly waiting: readonly PurseEntryInMemory[];
  /** Newest first. */
  readonly payments: readonly PaymentInMemory[];
  readonly problems: readonly PurseProblem[];
}

/** Pages from the beginning of the area. */
export const pursePages = { state: 0, challenges: 1, identity: 2, seed: 5, secret: 6, certificate: 7, issues: 9, payments: 17, kept: 25, entries: 31 } as const;
const places = { issues: 4, payments: 8, challenges: 6, entries: 4 } as const;
const entryPages = 5;
const packedBytes = 60;

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

/** Reads the pages of the area. */
class Area {
  readonly problems: PurseProblem[] = [];
  readonly #page: (number: number) => Uint8Array;

  constructor(image: Uint8Array, firstPage: number) {
    this.#page = (number) => pageOf(image, firstPage + number);
  }

  problem(code: PurseProblem['code'], page: number, text: string): void {
    this.problems.push({ code, page, text });
  }

  /** The page where it is whole; `counts`: it must be, or absent. */
  page(number: number, counts = true): Uint8Array | undefined {
    const page = this.#page(number);
    const condition = conditionOf(page);
    if (condition === 'damaged' && counts) this.problem('PAGE_DAMAGED', number, 'CRC');
    return condition === 'valid' ? page : undefined;
  }

  /** Bytes packed over pages, undefined where one is not whole. */
  packed(first: number, length: number): Uint8Array | undefined {
    const pages = range(Math.ceil(length / packedBytes)).map((i) => this.page(first + i, false));
    if (pages.some((page) => page === undefined)) return undefined;
    return Uint8Array.from(pages.flatMap((page) => [...(page ?? []).slice(0, packedBytes)])).slice(0, length);
  }
}

function openIn(area: Area): { readonly counter: number; readonly open: readonly OpenChallenge[] } {
  const page = area.page(pursePages.challenges);
  if (!page) return { counter: 0, open: [] };
  const counter = u32(page, 0);
  const open = range(places.challenges).flatMap((i) => {
    const at = 4 + 9 * i;
    if (page[at] === 0) return [];
    const challenge = { alternative: page[at], id: toHex(page.slice(at + 1, at + 9)) };
    if (challenge.alternative > 4 || uintOf(page.slice(at + 1, at + 5)) > counter) area.problem('CHALLENGES', pursePages.challenges, `challenge ${challenge.id}`);
    if (challenge.alternative === 4 && toHex(area.page(pursePages.kept + i)?.slice(0, 8) ?? new Uint8Array()) !== challenge.id)
      area.problem('CHALLENGES', pursePages.kept + i, `challenge ${challenge.id} is not kept`);
    return [challenge];
  });
  if (new Set(open.map(({ id }) => id)).size < open.length) area.problem('CHALLENGES', pursePages.challenges, 'one id twice');
  return { counter, open };
}

function waitingIn(area: Area, state: Uint8Array): readonly PurseEntryInMemory[] {
  return range(places.entries).flatMap((i) => {
    const [mark, page] = [state[28 + i], pursePages.entries + entryPages * i];
    if (mark === 0) return [];
    const entry = area.packed(page, 292);
    if (mark !== 1 || !entry) {
      area.problem('ENTRY', page, mark === 1 ? 'waits and cannot be read' : `place ${i} has mark ${mark}`);
      return [];
    }
    return [{ amount: uintOf(entry.slice(0, 4)), challengeId: toHex(entry.slice(52, 60)), payerKey: toHex(entry.slice(68, 100)) }];
  });
}

function paymentsIn(area: Area, made: number): readonly PaymentInMemory[] {
  return range(places.payments).flatMap((i) => {
    const page = area.page(pursePages.payments + i);
    if (page?.[0] !== 1) return [];
    const number = u32(page, 52);
    if (number >= made || number % places.payments !== i) area.problem('STATE', pursePages.payments + i, `payment ${number} of ${made}`);
    return [{ amount: u32(page, 4), challengeId: toHex(page.slice(8, 16)), number }];
  }).sort((a, b) => b.number - a.number);
}

/** The newest issue must be there, with its number. */
function checkIssue(area: Area, state: Uint8Array): void {
  const [place, number] = [state[2], u32(state, 20)];
  if (number === 0) return;
  const page = pursePages.issues + 2 * place;
  const issue = place < places.issues ? area.packed(page, 72) : undefined;
  if (!issue || uintOf(issue.slice(4, 8)) !== number) area.problem('ISSUE', page, `issue ${number} is not in its place`);
}

const lives = ['blank', 'initialised', 'operational'] as const;

/** Nothing counts before the state page is there: a cut in INITIALISE leaves pages half erased. */
const blank: Omit<PurseContents, 'problems'> = {
  lifeCycle: 'blank', id: '', settings: 0, balance: 0, issued: 0, received: 0, paid: 0, lastIssue: 0, challengeCounter: 0, open: [], waiting: [], payments: [],
};

function read(area: Area): PurseContents {
  const state = area.page(pursePages.state);
  if (!state) return { ...blank, problems: area.problems };
  const { counter, open } = openIn(area);
  const waiting = waitingIn(area, state);
  const [balance, issued, received, paid] = [4, 8, 12, 16].map((at) => u32(state, at));
  if ((issued + received - paid) >>> 0 !== balance) area.problem('SUMS', pursePages.state, `${balance} is not ${issued} + ${received} - ${paid}`);
  if (waiting.some(({ challengeId }) => open.some(({ id }) => id === challengeId))) area.problem('CHALLENGES', pursePages.challenges, 'credited and still open');
  const lifeCycle = lives[state[0]] as PurseContents['lifeCycle'] | undefined;
  if (lifeCycle === undefined) area.problem('STATE', pursePages.state, `life cycle ${state[0]}`);
  checkIssue(area, state);
  return {
    lifeCycle: lifeCycle ?? 'blank', id: toHex(area.page(pursePages.identity)?.slice(0, 8) ?? new Uint8Array()), settings: state[1],
    balance, issued, received, paid, lastIssue: u32(state, 20), challengeCounter: counter, open, waiting,
    payments: paymentsIn(area, u32(state, 24)), problems: area.problems,
  };
}

/** The purse in decoded contents; undefined where the card has no area for one. */
export function purseOf(contents: NvmContents): PurseContents | undefined {
  const area = contents.superblock?.areas.find(({ applet }) => applet === 'purse');
  return area && read(new Area(contents.settled(), area.firstPage));
}

/** The purse in an image, with the journal settled as a booted card would. Throws NvmError NVM_SIZE. */
export const decodePurse = (image: Uint8Array): PurseContents | undefined => purseOf(decode(image));
