import { figureDate, movieTickets, noDateWithinMonth } from '../conditions/condition.js';
import type { Condition } from '../conditions/condition.js';
import { frameOf } from '../catalogue/registry.js';
import type { StepId } from '../ports.js';
import { certificateRows, handedOver } from './altered.js';
import { clause, completes, item, leaves, other, ready, refusedAtEnd, scenarioOf, scenarioPoint, scriptPoint, twoValues, within } from './frames.js';
import type { Draft } from './frames.js';
import { afterReservation, atReservation } from './memory.js';
import { begin, load } from './scripts.js';
import type { Ref, ScriptCommand } from './script.js';
import { linkTrouble, repeats, resets, safeTrouble } from './trouble.js';
import type { Expectation, ItemExpectation, LoadItem, PlanPoint, Preparation } from './types.js';

const scenario = '11/auto-backup';
const all = frameOf(scenario).steps.map(({ id }) => id as StepId);
const extraction = within(scenario, '2-1');

/** The four values of fig. 19. */
const figure: readonly LoadItem[] = [
  { as: '$A', sample: 'movie-ticket-A' }, { as: '$C', sample: 'concert-ticket-C' }, { as: '$E', sample: 'pre-paid-card-E' }, { as: '$G', sample: 'movie-ticket-G' },
];
const ofFigure = (...conditions: readonly Condition[]): Preparation =>
  ({ values: figure, conditions: Object.fromEntries(conditions.map((condition, at) => [at + 1, condition])) });

const backedUp = (name: Ref): ItemExpectation => ({ item: name, value: 'absent', certificate: 'stored' });
const stays = (name: Ref): ItemExpectation => ({ item: name, value: 'active', certificate: 'absent' });
const leavesAll = (taken: readonly Ref[]): Pick<Expectation, 'card' | 'safe'> => ({
  ...leaves(...figure.map(({ as }) => (taken.includes(as) ? backedUp(as) : stays(as)))), safe: `stored-${taken.length}`,
});

/** A whole run over the four values of fig. 19 that backs up exactly those named. */
function figurePoint(number: number, title: string, conditions: readonly Condition[], taken: readonly Ref[], more: Partial<Draft> = {}): PlanPoint {
  const point = scenarioPoint(scenario, 'N', number, {
    title, clause: clause(taken.length > 0 ? all : extraction, ['6.3-1', '6.3-4'], [20, 36]), prepare: ofFigure(...conditions),
    expect: { end: ['done'], ...leavesAll(taken), retry: 'completes' }, ...more,
  });
  return { ...point, run: scenarioOf(scenario, more.options, taken[0] ?? '$A') };
}

const inDays = (about: 'valid' | 'begins' | 'ends' | 'held', least: number, most: number): Condition => [{ about, window: { unit: 'days', least, most } }];

/** Every kind of condition chooses what it must. Numbers are never given anew. */
const honest: readonly PlanPoint[] = [
  scenarioPoint(scenario, 'N', 1, {
    title: 'the value that meets the condition is registered and makes room', clause: clause(all, ['6.3-1', '6.3-3', '6.3-4'], [20, 25, 36]), expect: completes(scenario),
  }),
  figurePoint(2, 'fig. 20a: movie tickets A and G, one after the other', [movieTickets], ['$A', '$G']),
  figurePoint(3, 'fig. 20b: on 2000-03-15 no available date within a month: E and G', [noDateWithinMonth], ['$E', '$G'], { options: { date: figureDate } }),
  figurePoint(4, 'by size: the concert ticket is the longest object', [[{ about: 'class', classes: [1, 2, 3] }, { about: 'size', least: 69, most: 0xffff }]], ['$C']),
  figurePoint(5, 'by vacant memory: enough is free, nothing is backed up', [[{ about: 'vacant', least: 0, most: 1000 }]], []),
  figurePoint(6, 'by vacant memory: less is free than wanted, everything is backed up', [[{ about: 'vacant', least: 0, most: 0xffffffff }]], ['$A', '$C', '$E', '$G']),
  figurePoint(7, 'begins later than a given day', [[{ about: 'begins', window: { from: '2000-04-30', to: '9999-12-31' } }]], ['$G']),
  figurePoint(8, 'ends within 60 days', [inDays('ends', 0, 60)], ['$C'], { options: { date: figureDate } }),
  figurePoint(9, 'one of two conditions is enough: pre-paid cards, or what is valid on the day', [[{ about: 'class', classes: [3] }], inDays('valid', 0, 0)], ['$E', '$A'], { options: { date: '2000-04-02' } }),
  figurePoint(10, 'two terms together: a movie ticket that is not valid yet', [[...movieTickets, { about: 'valid', window: { unit: 'days', least: -32768, most: 0 }, not: true }]], ['$G'], { options: { date: '2000-04-02' } }),
  figurePoint(11, 'only the condition that is named', [movieTickets, [{ about: 'class', classes: [2] }]], ['$C'], { options: { condition: 2 } }),
  figurePoint(12, 'no item meets the condition: the end at once', [[{ about: 'class', classes: [5] }]], []),
  ...(['T=0', 'T=1'] as const).map((transport, at) => figurePoint(13 + at, `common-key variant over ${transport}`, [movieTickets], ['$A', '$G'], {
    needs: ['common-key', transport], options: { variant: 'common-key' }, prepare: { ...ofFigure(movieTickets), transport },
  })),
  scenarioPoint(scenario, 'N', 15, {
    title: 'a value whose certificate is stored already only makes room', clause: clause(['2-11'], ['6.3-3'], [20, 21]),
    prepare: ready(scenario, { before: [{ run: 'scenario', scenario: '2/backup', options: {}, item }] }), expect: completes(scenario, { safe: 'unchanged' }),
  }),
  scenarioPoint(scenario, 'N', 16, {
    title: 'movie and concert tickets, one after the other', clause: clause(all, ['6.3-1', '6.3-4'], [20, 36]),
    prepare: ready(scenario, { conditions: { 1: [{ about: 'class', classes: [1, 2] }] } }),
    expect: { end: ['done'], ...leaves(backedUp(item), backedUp(other)), safe: 'stored-2', retry: 'completes' },
  }),
  scenarioPoint('2/recover', 'N', 80, {
    title: 'what was backed up by condition comes back', clause: clause([], ['6.3-4', '2.4-5'], [20, 21]), needs: ['embodiment-11'],
    prepare: { ...ready(scenario), before: [{ run: 'scenario', scenario, options: {}, item }] }, expect: completes('2/recover'),
  }),
];


const one: Preparation = { ...twoValues, conditions: { 1: movieTickets } };
const wallet = (number: number, title: string, rules: readonly string[], commands: readonly ScriptCommand[], more: Partial<Parameters<typeof scriptPoint>[3]> = {}): PlanPoint =>
  scriptPoint('11/wallet', 'X', number, { title, clause: clause([], rules, [20]), prepare: one, commands, ...more });
const put = (data: string, expect: string, number = 2): ScriptCommand => ({ do: 'put-condition', number, data, expect });
const stored = (...numbers: number[]): ScriptCommand => ({ do: 'get-condition', number: 0, expect: '9000', check: [{ is: 'numbers', numbers }] });
const extracts = (items: readonly Ref[], number = 0, date = figureDate): ScriptCommand => ({ do: 'extract', number, date, expect: '9000', check: [{ is: 'extracts', items }] });
const raw = (apdu: string, expect: string): ScriptCommand => ({ do: 'raw', apdu, expect });
/** A window of so many days as a term with this tag. */
const days = (tag: string, least: string, most: string): string => `${tag}0501${least}${most}`;

/** What is no term: unknown kind, wrong length, bounds exchanged, no day of the calendar, what is no class. Table. */
const malformed: readonly string[] = [
  'B10101B0', 'B00101', 'B80101', 'A10101', 'C10101', 'B1', 'B10101B2', 'B10201', 'B100', 'B10100', 'B10180', 'B9020180',
  'B20400000001', 'B2080000000200000001', 'B3080000000200000001', 'B30700000000000000', 'B4', 'B40400000000', 'B4050000000001', 'B4050300000001',
  days('B4', '0001', '0000'), days('B5', '7FFF', '8000'), 'B4082000130120001301', 'B4082000010020000101', 'B4082000010120000132',
  'B40820000A0120000B01', 'B4082000020120000101', 'B506010000000100', '8001',
];

const eight: readonly ScriptCommand[] = Array.from({ length: 7 }, (_, i): ScriptCommand => ({ do: 'put-condition', number: i + 2, condition: movieTickets, expect: '9000' }));
const longest = 'B1'.concat('36', '01'.repeat(54));

/** Commands with conditions that are none, at the wrong time, out of order. Numbers are never given anew. */
const disorder: readonly PlanPoint[] = [
  wallet(1, 'what is no condition is refused and changes nothing', ['6.1'], [...malformed.map((data) => put(data, '6A80')), stored(1), { do: 'get-condition', number: 1, expect: '9000', check: [{ is: 'condition', condition: movieTickets }] }]),
  wallet(2, 'a condition in the place of another is not begun where it is none', ['6.1', '6.2'], [...malformed.slice(0, 6).map((data) => put(data, '6A80', 1)), extracts([item])]),
  wallet(3, 'the longest condition fits, one byte more does not', ['6.1'], [put(longest, '9000'), put(`${longest}B9`, '6700'), put('B137'.concat('01'.repeat(55)), '6700'), stored(1, 2), extracts([item], 2)]),
  wallet(4, 'the store takes eight: a ninth finds no room, another in the place of one does', ['6.2'], [
    ...eight, put('B10102', '6A84', 9), stored(1, 2, 3, 4, 5, 6, 7, 8), put('B10102', '9000', 8), extracts([other], 8), put('', '9000', 3), put('B10102', '9000', 254), stored(1, 2, 254, 4, 5, 6, 7, 8),
  ]),
  wallet(5, 'numbers 0 and 255 name no condition, P1 must be that of embodiment 11', ['6.2'], [
    raw('804A0B0003B10101', '6A86'), raw('804A0BFF03B10101', '6A86'), raw('804C0BFF', '6A86'), raw('804E0BFF06B00420000315', '6A86'),
    raw('804A020103B10101', '6A86'), raw('804C0201', '6A86'), raw('804E020106B00420000315', '6A86'), raw('805E020006B00420000315', '6A86'), raw('805C0200048B020001', '6A86'), raw('805C0B01048B020001', '6A86'),
  ]),
  wallet(6, 'a condition that is not there', ['6.2', '6.3-1'], [{ do: 'get-condition', number: 7, expect: '6A82' }, { do: 'extract', number: 7, date: figureDate, expect: '6A82' }, put('', '9000', 7)]),
  wallet(7, 'without a condition nothing is extracted', ['6.3-1'], [{ do: 'extract', number: 0, date: figureDate, expect: '6A82' }], { prepare: twoValues }),
  wallet(8, 'a date that is none: missing, not decimal, no day of the calendar, too much', ['6.3-1'], [
    raw('804E0B00', '6A80'), raw('804E0B0006B0042000031A', '6A80'), raw('804E0B0006B00420001315', '6A80'), raw('804E0B0006B00420000015', '6A80'), raw('804E0B0006B00420000332', '6A80'),
    raw('804E0B0005B003200003', '6A80'), raw('804E0B0007B0042000031500', '6A80'), raw('804E0B000CB00420000315B00420000315', '6A80'),
  ]),
  wallet(9, 'without PIN nothing is stored, read, extracted or deleted', ['2.1', '6.2'], [
    put('B10102', '6982'), put('', '6982', 1), { do: 'get-condition', number: 1, expect: '6982' }, { do: 'get-condition', number: 0, expect: '6982' },
    { do: 'extract', number: 0, date: figureDate, expect: '6982' }, { do: 'date', date: figureDate, expect: '6982' }, { do: 'backup-end', item, expect: '6982' },
  ], { prepare: { ...one, pin: 'none' } }),
  wallet(10, 'a day that cannot be noted', ['6.2'], [
    { do: 'date', date: '1999-12-31', expect: '6A80' }, { do: 'date', date: '2128-01-01', expect: '6A80' }, { do: 'date', date: '2000-13-01', expect: '6A80' }, { do: 'date', date: '2000-02-32', expect: '6A80' },
    { do: 'date', date: '2127-12-31', expect: '9000' }, raw('805E0B00', '6A80'),
  ]),
  wallet(11, 'BACKUP END of what has no stored certificate', ['6.3-3'], [
    { do: 'backup-end', item, expect: '6985' }, begin(11, item, '$r'), { do: 'backup-end', item, expect: '6985' }, { do: 'backup-end', item: 65534, expect: '6A82' }, { do: 'cancel', item, expect: '9000' },
  ]),
  wallet(12, 'a certificate is no value that could make room', ['6.3-3'], [{ do: 'backup-end', item: '$item.certificate', expect: '6985' }, { do: 'backup-end', item, expect: '9000' }, { do: 'backup-end', item, expect: '9000' }],
    { prepare: { ...one, before: [{ run: 'scenario', scenario: '2/backup', options: {}, item }] }, expect: leaves(backedUp(item)) }),
  wallet(13, 'embodiment 11 registers encrypted values only, and does nothing else', ['6.3-2'], [
    { do: 'register-begin', embodiment: 11, variant: 'plain', item, hash: 'SHA-256', expect: '6A86' }, { do: 'list-values', embodiment: 11, expect: '6A86' },
    { do: 'list-certificates', embodiment: 11, what: 'value', expect: '6A86' }, raw('801C0B010D9A08534146452D413031950101', '6A86'), raw('80180B02048B020001', '6A86'),
  ]),
  wallet(14, 'a value that is used between extraction and registration is registered as it is then', ['6.3-2', '2.4-9'], [
    extracts([item]), { do: 'use', item, quantity: 1, expect: '9000' }, extracts([item]), begin(11, item, '$r'), { do: 'cancel', item, expect: '9000' },
  ], { expect: leaves({ item, value: 'active', quantity: 0 }) }),
  wallet(15, 'a value deleted between extraction and registration is not found', ['6.3-2'], [
    { do: 'use', item, quantity: 1, expect: '9000' }, extracts([item]), { do: 'delete', item, expect: '9000' }, { do: 'register-begin', embodiment: 11, variant: 'public-key', item, hash: 'SHA-256', expect: '6A82' }, extracts([]),
  ], { expect: leaves({ item, value: 'absent' }) }),
  wallet(16, 'a blank card stores no condition', ['6.2'], [put('B10101', '6985')], { prepare: { values: [], lifeCycle: 'blank' }, needs: ['personalisation'] }),
  wallet(17, 'the initial setting is written before the card is issued, without PIN', ['6.2'], [
    { do: 'initialise', expect: '9000' }, put('B10101', '9000', 1), { do: 'get-condition', number: 1, expect: '6985' }, { do: 'extract', number: 1, date: figureDate, expect: '6985' },
  ], { prepare: { values: [], lifeCycle: 'blank' }, needs: ['personalisation'] }),
  wallet(18, 'conditions stay over a loss of power, the day does not', ['6.2'], [
    { do: 'put-condition', number: 2, condition: noDateWithinMonth, expect: '9000' }, { do: 'put-condition', number: 3, condition: [{ about: 'held', window: { from: '2000-01-01', to: '2127-12-31' } }], expect: '9000' },
    { do: 'date', date: '2000-02-29', expect: '9000' }, load('cash', 1, '$early'), { do: 'reset', kind: 'cold', expect: 'ATR' }, { do: 'select', expect: '9000' }, { do: 'verify', pin: 'right', expect: '9000' },
    stored(1, 2, 3), { do: 'get-condition', number: 2, expect: '9000', check: [{ is: 'condition', condition: noDateWithinMonth }] }, load('cash', 1, '$late'), extracts(['$early'], 3),
  ], { needs: ['power-control'], expect: leaves({ item, value: 'active' }, { item: '$early', value: 'active' }, { item: '$late', value: 'active' }) }),
  wallet(19, 'by holding start: held for at least 30 days; what came on no told day is never chosen', ['6.1', '6.3-1'], [
    { do: 'put-condition', number: 2, condition: inDays('held', -32768, -30), expect: '9000' }, { do: 'date', date: '2000-02-29', expect: '9000' }, load('cash', 1, '$early'),
    { do: 'date', date: '2000-03-01', expect: '9000' }, load('cash', 1, '$late'), extracts([], 2, '2000-03-29'), extracts(['$early'], 2, '2000-03-30'), extracts(['$early', '$late'], 2, '2000-03-31'),
    { do: 'select', expect: '9000' }, { do: 'verify', pin: 'right', expect: '9000' }, load('cash', 1, '$never'), extracts(['$early', '$late'], 2, '2080-01-01'),
  ], { expect: leaves({ item: '$early', value: 'active' }, { item: '$late', value: 'active' }, { item: '$never', value: 'active' }) }),
  wallet(20, 'on a full memory there is room for a condition only in the place of another', ['6.2', '2.5'], [
    { do: 'fill-memory', sample: 'smallest', expect: '6A84' }, put('B10102', '6A84'), { do: 'get-data', tag: 'DF01', expect: '9000', check: [{ is: 'field', field: 'shortage.ins', op: '=', than: 0x4a }] },
    put('B10102', '9000', 1), extracts([other]), stored(1),
  ], { needs: ['memory-fill'], expect: leaves({ item, value: 'active' }, { item: other, value: 'active' }) }),
];

const firstKept: Preparation = { ...ofFigure(movieTickets), before: [{ run: 'scenario', scenario: '2/backup', options: {}, item: '$A' }] };
const onPin = (number: number, before: StepId, expect: Partial<Expectation>): PlanPoint => scenarioPoint(scenario, 'P', number, {
  title: `PIN no longer verified at ${before}`, clause: clause([before], ['2.1'], [20]), fault: { fault: 'pin', before, choice: 'none', times: 1 },
  expect: { end: ['refused'], at: [before], sw: ['6982'], card: { is: 'unchanged' }, safe: 'unchanged', retry: 'completes', ...expect },
});

/** Runs in which something stands in the way. Numbers are never given anew. */
const meddled: readonly PlanPoint[] = [
  ...handedOver({ scenario, object: 'certificate', compare: ['2-10'], rule: '2.4-2', rows: certificateRows('E2/83') }),
  scenarioPoint(scenario, 'A', 90, {
    title: 'certificate of another card handed over at 2-10', clause: clause(['2-10'], ['2.4-2'], [20]), fault: { fault: 'swap', at: '2-10', object: 'certificate', by: 'foreign' },
    expect: refusedAtEnd(scenario, ['2-10'], ['6A80', '6982'], { safe: 'any' }),
  }),
  scenarioPoint(scenario, 'O', 1, {
    title: 'no condition is stored: the extraction is refused', clause: clause(extraction, ['6.3-1'], [20]), prepare: twoValues,
    expect: { end: ['refused'], at: ['2-2'], sw: ['6A82'], card: { is: 'unchanged' }, safe: 'unchanged', retry: 'refused' },
  }),
  scenarioPoint(scenario, 'O', 2, {
    title: 'the condition asked for is not stored', clause: clause(extraction, ['6.3-1'], [20]), options: { condition: 9 },
    expect: { end: ['refused'], at: ['2-2'], sw: ['6A82'], card: { is: 'unchanged' }, safe: 'unchanged', retry: 'refused' },
  }),
  scenarioPoint(scenario, 'O', 3, {
    title: 'the value is used while the safe works: its certificate is refused, nothing is deleted', clause: clause(['2-10'], ['2.4-2', '2.4-9'], [20]),
    fault: { fault: 'meanwhile', before: '2-10', how: { act: 'use', quantity: 1 } },
    expect: { end: ['refused'], at: ['2-10'], sw: ['6985'], ...leaves({ item, value: 'active', quantity: 0, certificate: 'absent' }), safe: 'one-stored', retry: 'completes' },
  }),
  scenarioPoint(scenario, 'O', 4, {
    title: 'the registration is cancelled while the safe works', clause: clause(['2-10'], ['2.4-2', '2.4-8'], [20]), fault: { fault: 'meanwhile', before: '2-10', how: { act: 'cancel' } },
    expect: { end: ['refused'], at: ['2-10'], sw: ['6985'], ...leaves({ item, value: 'active', certificate: 'absent' }), safe: 'one-stored', retry: 'completes' },
  }),
  scenarioPoint(scenario, 'O', 5, {
    title: 'the registration is begun in the clear after the extraction: it is taken over encrypted', clause: clause(['2-6', '2-7'], ['2.4-1'], [20]), needs: ['embodiment-1'],
    fault: { fault: 'meanwhile', before: '2-6', how: { act: 'begin', hash: 'SHA-256' } }, expect: completes(scenario),
  }),
  scenarioPoint(scenario, 'S', 30, {
    title: 'the safe refuses in the middle: the first value has made room, the second is still there', clause: clause(['2-8', '2-9'], ['3-b', '6.3-4'], [20]), prepare: firstKept,
    fault: { fault: 'safe', at: '2-8', how: 'error', status: 503, code: 'SAFE_STORE' },
    expect: {
      end: ['refused'], at: ['2-9'], safeCode: ['SAFE_STORE'], safe: 'nothing-stored', retry: 'completes',
      ...leaves(backedUp('$A'), { item: '$G', value: 'pending', certificate: 'absent' }, stays('$C'), stays('$E')),
    },
  }),
  onPin(1, '2-1', {}), onPin(2, '2-6', {}),
  onPin(3, '2-10', { ...leaves({ item, value: 'pending', certificate: 'absent' }), safe: 'one-stored' }),
  onPin(4, '2-11', { ...leaves({ item, value: 'deposited', certificate: 'stored' }), safe: 'one-stored' }),
  scenarioPoint(scenario, 'K', 1, {
    title: 'hostile bytes before the extraction change nothing', clause: clause(extraction, ['6.1', '6.3-1'], [20]),
    fault: {
      fault: 'apdu', before: '2-1', commands: [
        { apdu: '804A0B01FF'.concat('B1'.repeat(255)), expect: ['6700'] }, { apdu: '804A0B0102B1FF', expect: ['6A80'] }, { apdu: '804A0B0104B1820001', expect: ['6A80'] },
        { apdu: '804E0B0106B0FFFFFFFFFF', expect: ['6A80'] }, { apdu: '804C0B010100', expect: ['6700'] }, { apdu: '805C0B0004FFFFFFFF', expect: ['6A80'] }, { apdu: '805C0B00', expect: ['6A80'] },
      ],
    },
    expect: completes(scenario),
  }),
];

/** Points of embodiment 11. */
export const conditions: readonly PlanPoint[] = [
  ...honest, ...disorder, ...meddled, ...atReservation([{ scenario }]), ...afterReservation([scenario]),
  ...safeTrouble(scenario), ...resets(scenario), ...linkTrouble(scenario), ...repeats(scenario),
];
