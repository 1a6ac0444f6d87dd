import { describe, expect, test } from 'vitest';
import { dateOf, dayNumber } from './calendar.js';

const lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
const two = (number: number): string => String(number).padStart(2, '0');

describe('calendar', () => {
  test('days are numbered from 1970-01-01', () => {
    expect([dayNumber(1970, 1, 1), dayNumber(1970, 1, 2), dayNumber(1969, 12, 31), dayNumber(2000, 3, 1)]).toEqual([0, 1, -1, 11_017]);
  });

  test('every day from 1900 to 2200 follows the one before and has one number', () => {
    let number = dayNumber(1900, 1, 1);
    expect(number).toBe(-25_567);
    for (let year = 1900; year <= 2200; year += 1) {
      for (const [at, length] of lengths.entries()) {
        const days = length + (at === 1 && isLeap(year) ? 1 : 0);
        for (let day = 1; day <= days; day += 1, number += 1)
          expect([dayNumber(year, at + 1, day), dateOf(number)]).toEqual([number, `${year}-${two(at + 1)}-${two(day)}`]);
      }
    }
  });

  test('a 31st that its month lacks runs on', () => {
    expect([dateOf(dayNumber(2000, 2, 30)), dateOf(dayNumber(2001, 2, 29)), dateOf(dayNumber(2000, 4, 31))]).toEqual(['2000-03-01', '2001-03-01', '2000-05-01']);
  });
});
