/** Days of a 400-year cycle and the number of 1970-01-01 in days from 0000-03-01 (proleptic Gregorian calendar). */
const CYCLE = 146_097;
const EPOCH = 719_468;

/** Number of a day, 0 for 1970-01-01. A day beyond the end of its month runs on into the next. Years from 0. */
export function dayNumber(year: number, month: number, day: number): number {
  const counted = month > 2 ? year : year - 1;
  const ofCycle = ((counted % 400) + 400) % 400;
  const ofYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return Math.floor(counted / 400) * CYCLE + ofCycle * 365 + Math.floor(ofCycle / 4) - Math.floor(ofCycle / 100) + ofYear - EPOCH;
}

/** `YYYY-MM-DD` of a day's number. */
export function dateOf(number: number): string {
  const days = number + EPOCH;
  const ofCycle = ((days % CYCLE) + CYCLE) % CYCLE;
  const year = Math.floor((ofCycle - Math.floor(ofCycle / 1460) + Math.floor(ofCycle / 36_524) - Math.floor(ofCycle / 146_096)) / 365);
  const ofYear = ofCycle - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const shifted = Math.floor((5 * ofYear + 2) / 153);
  const [day, month] = [ofYear - Math.floor((153 * shifted + 2) / 5) + 1, shifted < 10 ? shifted + 3 : shifted - 9];
  const full = Math.floor(days / CYCLE) * 400 + year + (month <= 2 ? 1 : 0);
  return `${String(full).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}
