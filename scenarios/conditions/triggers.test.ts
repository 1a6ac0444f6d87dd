import { describe, expect, test } from 'vitest';
import { daysLater, firedNames, fires, isMet, triggerName } from './triggers.js';
import type { Situation, Trigger } from './triggers.js';

const quiet: Situation = { minute: 1000, date: '2000-03-15', timeOfDay: 600, signal: 20, battery: 30, vacant: 500, begins: [], planned: [], fired: {} };
const met = (trigger: Trigger, change: Partial<Situation> = {}): boolean => isMet(trigger, { ...quiet, ...change });

describe('triggers', () => {
  test.each<[string, Trigger, Partial<Situation>, Partial<Situation>]>([
    ['periodic', { when: 'periodic', minutes: 60 }, { minute: 60 }, { minute: 59 }],
    ['periodic since the last time', { when: 'periodic', minutes: 60 }, { minute: 160, fired: { [triggerName({ when: 'periodic', minutes: 60 })]: 100 } }, { minute: 159, fired: { [triggerName({ when: 'periodic', minutes: 60 })]: 100 } }],
    ['shortage', { when: 'shortage' }, { short: true }, {}],
    ['demand', { when: 'demand' }, { asked: true }, {}],
    ['signal', { when: 'signal', least: 50 }, { signal: 50 }, { signal: 49 }],
    ['battery', { when: 'battery', least: 80 }, { battery: 80 }, { battery: 79 }],
    ['time of day', { when: 'time', at: 360 }, { timeOfDay: 360 }, { timeOfDay: 359 }],
    ['time of day, once a day', { when: 'time', at: 360 }, { minute: 2000, timeOfDay: 400, fired: { [triggerName({ when: 'time', at: 360 })]: 560 } }, { minute: 2000, timeOfDay: 400, fired: { [triggerName({ when: 'time', at: 360 })]: 1960 } }],
    ['memory', { when: 'memory', least: 501 }, { vacant: 501 }, { vacant: 500 }],
    ['valid tomorrow', { when: 'valid-tomorrow' }, { begins: ['2000-03-16'] }, { begins: ['2000-03-15', '2000-03-17'] }],
    ['needed ahead', { when: 'needed-ahead', days: 7 }, { planned: [{ date: '2000-03-22', bytes: 501 }] }, { planned: [{ date: '2000-03-22', bytes: 500 }, { date: '2000-03-23', bytes: 900 }] }],
    ['all', { when: 'all', of: [{ when: 'signal', least: 50 }, { when: 'battery', least: 50 }] }, { signal: 50, battery: 50 }, { signal: 50 }],
    ['any', { when: 'any', of: [{ when: 'signal', least: 50 }, { when: 'battery', least: 50 }] }, { battery: 50 }, { battery: 49 }],
  ])('%s', (_, trigger, yes, no) => {
    expect([met(trigger, yes), met(trigger, no)]).toEqual([true, false]);
  });

  test('fire once, when their condition comes to be met', () => {
    const trigger: Trigger = { when: 'signal', least: 50 };
    const good = { ...quiet, signal: 60 };
    expect([fires(trigger, quiet, good), fires(trigger, good, good), fires(trigger, undefined, good), fires(trigger, good, quiet)]).toEqual([true, false, true, false]);
  });

  test('what they are put together of is kept as fired too', () => {
    const [a, b]: Trigger[] = [{ when: 'signal', least: 10 }, { when: 'battery', least: 90 }];
    expect(firedNames({ when: 'any', of: [a, b] }, quiet)).toEqual([triggerName({ when: 'any', of: [a, b] }), triggerName(a)]);
  });

  test('days over the ends of months and years', () => {
    expect([daysLater('2000-02-28', 1), daysLater('2000-02-29', 1), daysLater('1999-12-31', 1), daysLater('2000-03-15', 7)]).toEqual(['2000-02-29', '2000-03-01', '2000-01-01', '2000-03-22']);
  });
});
