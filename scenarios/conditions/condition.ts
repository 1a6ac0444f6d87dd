import { dayNumber } from './calendar.js';
/** Days of a condition: an offset from the date told with the command, or two days of the calendar, both included. */
export type Window =
  | { readonly unit: 'days' | 'months'; /** Offsets from -32768 to 32767; months are calendar months. */ readonly least: number; readonly most: number }
  /** `YYYY-MM-DD` each. */
  | { readonly from: string; readonly to: string };

/** One term of a condition (docs/protocol.md 6.1); with `not` it must not hold. */
export type Term = (
  /** The information class is one of these (1 to 127). */
  | { readonly about: 'class'; readonly classes: readonly number[] }
  /** Bytes of the item, or bytes free in wallet storage, both bounds included. */
  | { readonly about: 'size' | 'vacant'; readonly least: number; readonly most: number }
  /** The effective period has a day in the window, begins in it, ends in it; or the card got the item in it. */
  | { readonly about: 'valid' | 'begins' | 'ends' | 'held'; readonly window: Window }
) & { readonly not?: true };

/** A backup condition: all its terms must hold. Several conditions stand beside each other: one of them is enough. */
export type Condition = readonly Term[];

/** What a condition looks at of an item. */
export interface ConditionItem {
  readonly infoClass: number;
  /** Bytes of the stored object. */
  readonly size: number;
  /** null: no limit. `YYYY-MM-DD`; digits only are sure, not that the calendar has the day. */
  readonly validity: { readonly from: string; readonly to: string } | null;
  /** Day on which the card got it, where it was told one. */
  readonly heldSince?: string;
}

/** What is the same for all items of one extraction. */
export interface Occasion {
  /** `YYYY-MM-DD`, told by the terminal: a card has no clock. */
  readonly date: string;
  /** Bytes free in wallet storage. */
  readonly vacant: number;
}

interface Day { readonly text: string; readonly days: number; readonly months: number }

/** A day by its digits; undefined where month or day are none of the calendar. A 31st that its month lacks runs on into the next. */
function dayOf(text: string): Day | undefined {
  const [year, month, day] = text.split('-').map(Number);
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  return { text, days: dayNumber(year, month, day), months: year * 12 + month };
}

/** True when the time between two days has one in the window. */
function meetsWindow(window: Window, first: string, last: string, date: string): boolean {
  const [from, to, now] = [dayOf(first), dayOf(last), dayOf(date)];
  if (!from || !to || !now) return false;
  if ('from' in window) return from.text <= window.to && to.text >= window.from;
  return from[window.unit] - now[window.unit] <= window.most && to[window.unit] - now[window.unit] >= window.least;
}

function holds(term: Term, item: ConditionItem, { date, vacant }: Occasion): boolean {
  const { validity, heldSince } = item;
  switch (term.about) {
    case 'class': return term.classes.includes(item.infoClass);
    case 'size': return item.size >= term.least && item.size <= term.most;
    case 'vacant': return vacant >= term.least && vacant <= term.most;
    case 'held': return heldSince !== undefined && meetsWindow(term.window, heldSince, heldSince, date);
    case 'valid': return validity !== null && meetsWindow(term.window, validity.from, validity.to, date);
    case 'begins': return validity !== null && meetsWindow(term.window, validity.from, validity.from, date);
    case 'ends': return validity !== null && meetsWindow(term.window, validity.to, validity.to, date);
  }
}

/**
 * What the extractor 159 of a card must answer for an item; a model of docs/protocol.md 6.3 that shares nothing with the
 * firmware. A term about a period or a day that the item does not have does not hold, its negation does.
 */
export const meets = (condition: Condition, item: ConditionItem, occasion: Occasion): boolean =>
  condition.every((term) => holds(term, item, occasion) !== (term.not === true));

/** Fig. 20a: the class is movie ticket. */
export const movieTickets: Condition = [{ about: 'class', classes: [1] }];

/**
 * Fig. 20b: no available date within a month, told on {@link figureDate}. The figure takes E, which has no limit and so
 * no date, and G, which begins in May; it leaves out A and C, which begin on April 1 and 29. So a month is a calendar
 * month: this one and the next.
 */
export const noDateWithinMonth: Condition = [{ about: 'valid', window: { unit: 'months', least: 0, most: 1 }, not: true }];

/** The date of fig. 20b. */
export const figureDate = '2000-03-15';
