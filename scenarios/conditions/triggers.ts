import { dateOf, dayNumber } from './calendar.js';
/** What the terminal 160 knows at a moment of virtual time; plain data. */
export interface Situation {
  /** Minutes of virtual time since the terminal was switched on. */
  readonly minute: number;
  /** Local time, `YYYY-MM-DD` and minutes since midnight. */
  readonly date: string;
  readonly timeOfDay: number;
  /** Reception, 0 to 100. */
  readonly signal: number;
  /** Battery, percent. */
  readonly battery: number;
  /** Bytes free on the card (DF02), as last read. */
  readonly vacant: number;
  /** The card has refused a new item or a recovery for want of room (6A84) and nothing was done about it. */
  readonly short?: boolean;
  /** The user has asked. */
  readonly asked?: boolean;
  /** First days of validity of the items that are at the safe. */
  readonly begins: readonly string[];
  /** Bytes the user has planned to need, by day. */
  readonly planned: readonly { readonly date: string; readonly bytes: number }[];
  /** Minute at which each trigger fired last, by its name. */
  readonly fired: Readonly<Record<string, number>>;
}

/** When the terminal starts the extractor 159, or a recovery. Plain data. */
export type Trigger =
  /** Every so many minutes. */
  | { readonly when: 'periodic'; readonly minutes: number }
  /** Too little room for a new item or a recovery. */
  | { readonly when: 'shortage' }
  | { readonly when: 'demand' }
  /** Reception has become at least so good. */
  | { readonly when: 'signal'; readonly least: number }
  /** The battery has come above so many percent. */
  | { readonly when: 'battery'; readonly least: number }
  /** Once a day, from this minute after midnight. */
  | { readonly when: 'time'; readonly at: number }
  /** The card's free memory has come above so many bytes. */
  | { readonly when: 'memory'; readonly least: number }
  /** An item at the safe becomes valid tomorrow. */
  | { readonly when: 'valid-tomorrow' }
  /** What is planned for within so many days needs more room than there is (source page 65 is lost: rebuilt). */
  | { readonly when: 'needed-ahead'; readonly days: number }
  /** All at once. */
  | { readonly when: 'all'; readonly of: readonly Trigger[] }
  /** One of them. */
  | { readonly when: 'any'; readonly of: readonly Trigger[] };

/** Minutes of a day. */
const DAY = 1440;

/** `YYYY-MM-DD` so many days later. */
export function daysLater(date: string, days: number): string {
  const [year, month, day] = date.split('-').map(Number);
  return dateOf(dayNumber(year, month, day) + days);
}

/** The name under which a trigger's last firing is kept. */
export const triggerName = (trigger: Trigger): string => JSON.stringify(trigger);

function neededAhead(days: number, { date, planned, vacant }: Situation): boolean {
  const last = daysLater(date, days);
  const bytes = planned.filter((one) => one.date >= date && one.date <= last).reduce((sum, one) => sum + one.bytes, 0);
  return bytes > vacant;
}

/** Since when a trigger of its own period has waited: its last firing, or the terminal's start. */
const since = (trigger: Trigger, { fired, minute }: Situation): number => minute - (fired[triggerName(trigger)] ?? 0);

function firedToday(trigger: Trigger, { fired, minute, timeOfDay }: Situation): boolean {
  const last = fired[triggerName(trigger)];
  return last !== undefined && minute - last <= timeOfDay;
}

/** True when the condition of a trigger is met now, whether it was before or not. */
export function isMet(trigger: Trigger, now: Situation): boolean {
  switch (trigger.when) {
    case 'periodic': return since(trigger, now) >= trigger.minutes;
    case 'shortage': return now.short === true;
    case 'demand': return now.asked === true;
    case 'signal': return now.signal >= trigger.least;
    case 'battery': return now.battery >= trigger.least;
    case 'time': return now.timeOfDay >= trigger.at && now.timeOfDay < DAY && !firedToday(trigger, now);
    case 'memory': return now.vacant >= trigger.least;
    case 'valid-tomorrow': return now.begins.includes(daysLater(now.date, 1));
    case 'needed-ahead': return neededAhead(trigger.days, now);
    case 'all': return trigger.of.every((one) => isMet(one, now));
    case 'any': return trigger.of.some((one) => isMet(one, now));
  }
}

/** True when a trigger fires: its condition is met now and was not at the moment before. */
export const fires = (trigger: Trigger, before: Situation | undefined, now: Situation): boolean =>
  isMet(trigger, now) && !(before !== undefined && isMet(trigger, before));

/** The names to keep as fired at this minute: the trigger and what it is put together of, as far as met. */
export function firedNames(trigger: Trigger, now: Situation): readonly string[] {
  const inner = trigger.when === 'all' || trigger.when === 'any' ? trigger.of.flatMap((one) => firedNames(one, now)) : [];
  return isMet(trigger, now) ? [triggerName(trigger), ...inner] : inner;
}
