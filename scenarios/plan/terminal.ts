import { frameOf } from '../catalogue/registry.js';
import { movieTickets } from '../conditions/condition.js';
import type { Condition } from '../conditions/condition.js';
import type { Trigger } from '../conditions/triggers.js';
import type { StepId } from '../ports.js';
import { clause, item, leaves, other, pointId, twoValues } from './frames.js';
import type { Group } from './frames.js';
import type { TerminalAct, TerminalExpectation, TerminalPoint, TerminalRun } from './terminal-types.js';
import type { Capability, Expectation, ItemExpectation, LoadItem, Preparation, ScenarioRun } from './types.js';

const all = frameOf('11/auto-backup').steps.map(({ id }) => id as StepId);
const noon = 720;
const DAY = 1440;

interface Draft {
  readonly title: string;
  readonly claims?: readonly number[];
  readonly rules?: readonly string[];
  readonly needs?: readonly Capability[];
  readonly prepare?: Preparation;
  readonly terminal: Partial<TerminalRun> & Pick<TerminalRun, 'rules' | 'until'>;
  readonly lives: TerminalExpectation;
  readonly expect: Pick<Expectation, 'card'> & Partial<Expectation>;
}

function terminalPoint(group: Group, number: number, { title, claims = [20, 36], rules = [], needs = [], prepare, terminal, lives, expect }: Draft): TerminalPoint {
  const backs = lives.started.some(({ does, end }) => does === 'backup' && end === 'done');
  return {
    id: pointId('11/terminal', group, number), title, scenario: '11/terminal', embodiment: 11, flags: [],
    clause: clause(backs ? all : [], ['6.4', ...rules], claims), needs: ['embodiment-11', ...needs],
    prepare: prepare ?? { ...twoValues, conditions: { 1: movieTickets } }, run: { run: 'script', commands: [] },
    expect: { end: ['done'], safe: 'any', retry: 'none', ...expect }, lives,
    terminal: { start: { date: '2000-03-15', timeOfDay: noon, signal: 30, battery: 40 }, events: [], choice: 'continue', ...terminal },
  };
}

const gone = (name: ItemExpectation['item']): ItemExpectation => ({ item: name, value: 'absent', certificate: 'stored' });
const there = (name: ItemExpectation['item']): ItemExpectation => ({ item: name, value: 'active', certificate: 'absent' });
const backedUp = { ...leaves(gone(item)), safe: 'stored-1' } as const;
const untouched: Pick<Expectation, 'card' | 'safe'> = { card: { is: 'unchanged' }, safe: 'unchanged' };
const on = (trigger: Trigger, does: TerminalAct = 'backup') => [{ trigger, does }] as const;
const once = (minute: number, does: TerminalAct = 'backup', end: TerminalExpectation['started'][number]['end'] = 'done'): TerminalExpectation => ({ started: [{ minute, does, end }] });

/** Movie ticket G, backed up and deleted: it becomes valid on 2000-05-01. */
const gAway: Preparation = {
  values: [{ as: item, sample: 'movie-ticket-A' }, { as: '$G', sample: 'movie-ticket-G' }], conditions: { 1: [{ about: 'class', classes: [2] }] },
  before: [{ run: 'scenario', scenario: '2/backup', options: { deleteAfterRegistration: true }, item: '$G' }],
};
const aprilEve = { date: '2000-04-30', timeOfDay: 300, signal: 30, battery: 40 } as const;
const back: ItemExpectation = { item: '$G', value: 'active', certificate: 'spent' };

/** Triggers, each alone and put together; what starts and what does not. Numbers are never given anew. */
const triggers: readonly TerminalPoint[] = [
  terminalPoint('N', 1, {
    title: 'periodic: once a day; what arrived meanwhile is backed up the day after',
    terminal: { rules: on({ when: 'periodic', minutes: DAY }), until: 2 * DAY + 60, events: [{ minute: DAY + 10, load: { as: '$G', sample: 'movie-ticket-G' } }] },
    lives: { started: [{ minute: DAY, does: 'backup', end: 'done' }, { minute: 2 * DAY, does: 'backup', end: 'done' }], room: ['done'] },
    expect: { ...leaves(gone(item), gone('$G')), safe: 'stored-2' },
  }),
  terminalPoint('N', 2, { title: 'on demand', terminal: { rules: on({ when: 'demand' }), until: 20, events: [{ minute: 7, asks: true }] }, lives: once(7), expect: backedUp }),
  terminalPoint('N', 3, {
    title: 'when reception has become good', terminal: { rules: on({ when: 'signal', least: 70 }), until: 60, events: [{ minute: 5, signal: 69 }, { minute: 9, signal: 70 }, { minute: 10, signal: 90 }] },
    lives: once(9), expect: backedUp,
  }),
  terminalPoint('N', 4, {
    title: 'when the battery has come above a level', terminal: { rules: on({ when: 'battery', least: 80 }), until: 60, events: [{ minute: 5, battery: 79 }, { minute: 30, battery: 81 }] },
    lives: once(30), expect: backedUp,
  }),
  terminalPoint('N', 5, {
    title: 'at six in the morning, every day', terminal: { rules: on({ when: 'time', at: 360 }), until: 2 * DAY },
    lives: { started: [{ minute: DAY - 360, does: 'backup', end: 'done' }, { minute: 2 * DAY - 360, does: 'backup', end: 'done' }] }, expect: backedUp,
  }),
  terminalPoint('N', 6, {
    title: 'an item that becomes valid tomorrow is recovered today', claims: [20], rules: ['2.4-5'], prepare: gAway,
    terminal: { start: { ...aprilEve, date: '2000-04-29' }, rules: on({ when: 'valid-tomorrow' }, 'recover-tomorrow'), until: 2 * DAY },
    lives: once(DAY - 300, 'recover-tomorrow'), expect: { ...leaves(back), safe: 'unchanged' },
  }),
  terminalPoint('N', 7, {
    title: 'when the card\'s memory has come above a level, what is backed up is recovered', claims: [20, 21], rules: ['2.4-5'], needs: ['memory-fill'],
    prepare: { ...gAway, values: [{ as: item, sample: 'long-ticket' }, { as: '$G', sample: 'movie-ticket-G' }] },
    terminal: { rules: on({ when: 'memory', least: 700 }, 'recover'), until: 60, leave: 8, events: [{ minute: 20, discard: item }] },
    lives: once(20, 'recover'), expect: { ...leaves(back, { item, value: 'absent' }), safe: 'unchanged' },
  }),
  terminalPoint('N', 8, {
    title: 'when more room is needed within a week than there is', rules: ['source-65'], needs: ['memory-fill'],
    terminal: { rules: on({ when: 'needed-ahead', days: 7 }), until: 60, leave: 8, events: [{ minute: 3, plans: { date: '2000-03-22', bytes: 512 } }, { minute: 30, plans: { date: '2000-03-21', bytes: 1 } }] },
    lives: once(30), expect: backedUp,
  }),
  terminalPoint('N', 9, {
    title: 'good reception and battery together', terminal: {
      rules: on({ when: 'all', of: [{ when: 'signal', least: 70 }, { when: 'battery', least: 80 }] }), until: 60, events: [{ minute: 5, signal: 90 }, { minute: 8, signal: 10, battery: 90 }, { minute: 12, signal: 80 }],
    }, lives: once(12), expect: backedUp,
  }),
  terminalPoint('N', 10, {
    title: 'good reception or a demand, each', terminal: {
      rules: on({ when: 'any', of: [{ when: 'signal', least: 70 }, { when: 'demand' }] }), until: 60, events: [{ minute: 5, asks: true }, { minute: 8, signal: 90 }],
    }, lives: { started: [{ minute: 5, does: 'backup', end: 'done' }, { minute: 8, does: 'backup', end: 'done' }] }, expect: backedUp,
  }),
  terminalPoint('N', 11, {
    title: 'at six in the morning, but only with good reception: as soon as both are there', terminal: {
      rules: on({ when: 'all', of: [{ when: 'time', at: 360 }, { when: 'signal', least: 70 }] }), until: DAY, events: [{ minute: DAY - 300, signal: 75 }],
    }, lives: once(DAY - 300), expect: backedUp,
  }),
  ...([
    ['the period is not over', { when: 'periodic', minutes: 61 }], ['nobody has asked', { when: 'demand' }], ['reception stays bad', { when: 'signal', least: 31 }], ['the battery stays low', { when: 'battery', least: 41 }],
    ['it is not yet the time', { when: 'time', at: 781 }], ['memory is not free enough', { when: 'memory', least: 10_000_000 }], ['nothing becomes valid tomorrow', { when: 'valid-tomorrow' }],
    ['nothing is planned', { when: 'needed-ahead', days: 7 }], ['one of two conditions is not met', { when: 'all', of: [{ when: 'signal', least: 30 }, { when: 'battery', least: 41 }] }],
    ['neither of two is met', { when: 'any', of: [{ when: 'demand' }, { when: 'battery', least: 41 }] }], ['there is no shortage', { when: 'shortage' }],
  ] as const satisfies readonly (readonly [string, Trigger])[]).map(([title, trigger], at) => terminalPoint('X', 1 + at, {
    title: `${title}: nothing is started`, terminal: { rules: on(trigger), until: 60 }, lives: { started: [] }, expect: untouched,
  })),
  terminalPoint('X', 20, {
    title: 'no item meets the condition: the extraction ends at once', prepare: { ...twoValues, conditions: { 1: [{ about: 'class', classes: [5] }] } },
    terminal: { rules: on({ when: 'demand' }), until: 20, events: [{ minute: 7, asks: true }] }, lives: once(7), expect: untouched,
  }),
  terminalPoint('X', 21, {
    title: 'no condition is stored: refused, nothing is touched', prepare: twoValues,
    terminal: { rules: on({ when: 'demand' }), until: 20, events: [{ minute: 7, asks: true }] }, lives: once(7, 'backup', 'refused'), expect: untouched,
  }),
  terminalPoint('X', 22, {
    title: 'the safe cannot be reached: nothing is lost, the next demand goes through', rules: ['3-b'],
    terminal: { rules: on({ when: 'demand' }), until: 60, events: [{ minute: 5, safe: 'gone' }, { minute: 7, asks: true }, { minute: 20, safe: 'back' }, { minute: 30, asks: true }] },
    lives: { started: [{ minute: 7, does: 'backup', end: 'link' }, { minute: 30, does: 'backup', end: 'done' }] }, expect: backedUp,
  }),
];

/** Two long tickets and the empty digest: then a certificate takes less room than the value it stands for. */
const longs: readonly LoadItem[] = [{ as: item, sample: 'long-ticket' }, { as: other, sample: 'long-ticket' }];
const concerts: Condition = [{ about: 'class', classes: [2] }];
const crowded: Preparation = { values: longs, settings: { emptyDigest: true }, conditions: { 1: concerts } };
const short = { rules: on({ when: 'shortage' }), until: 30, leave: 3, events: [{ minute: 10, load: { as: '$new', sample: 'long-ticket' } }] } as const;
const deposited: ScenarioRun = { run: 'scenario', scenario: '2/backup', options: {}, item: other };
const awayFirst: ScenarioRun = { run: 'scenario', scenario: '2/backup', options: { deleteAfterRegistration: true }, item };
const arrived: ItemExpectation = { item: '$new', value: 'active' };
const waits: ItemExpectation = { item: '$new', value: 'absent' };

/** Too little room for a new item or a recovery: the user's three choices (claims 21 and 24). Numbers are never given anew. */
const shortages: readonly TerminalPoint[] = [
  terminalPoint('M', 1, {
    title: 'a new item finds no room; values are backed up by condition and deleted; it goes on', claims: [20, 21, 24], needs: ['memory-fill', 'empty-digest'], prepare: crowded, terminal: short,
    lives: { ...once(10), room: ['done'], shown: 1 }, expect: { ...leaves(gone(item), gone(other), { ...arrived, certificate: 'absent' }), safe: 'stored-2' },
  }),
  terminalPoint('M', 2, {
    title: 'a recovery finds no room; a value whose certificate is stored makes it; it goes on', claims: [20, 21, 24], needs: ['memory-fill'],
    prepare: { ...twoValues, conditions: { 1: concerts }, before: [awayFirst, deposited] },
    terminal: { ...short, leave: 1, events: [{ minute: 10, recover: item }] },
    lives: { ...once(10), room: ['done'], shown: 1 }, expect: { ...leaves({ item, value: 'active', certificate: 'spent' }, gone(other)), safe: 'unchanged' },
  }),
  terminalPoint('M', 3, {
    title: 'a recovery finds no room; a value is backed up by condition and deleted; it goes on', claims: [20, 21, 24], needs: ['memory-fill', 'empty-digest'],
    prepare: { ...crowded, before: [awayFirst] }, terminal: { ...short, events: [{ minute: 10, recover: item }] },
    lives: { ...once(10), room: ['done'], shown: 1 }, expect: { ...leaves({ item, value: 'active', certificate: 'spent' }, gone(other)), safe: 'stored-1' },
  }),
  terminalPoint('M', 4, {
    title: 'a new item finds no room; the user backs up one by hand; it goes on', claims: [21, 24], needs: ['memory-fill', 'empty-digest'], prepare: crowded, terminal: { ...short, choice: 'by-hand', byHand: [other] },
    lives: { started: [], room: ['done'], shown: 1 }, expect: { ...leaves(there(item), gone(other), { ...arrived, certificate: 'absent' }), safe: 'stored-1' },
  }),
  terminalPoint('M', 5, {
    title: 'a recovery finds no room; the user deletes one whose certificate is stored by hand; it goes on', claims: [21, 24], needs: ['memory-fill'],
    prepare: { ...twoValues, conditions: { 1: movieTickets }, before: [awayFirst, deposited] }, terminal: { ...short, leave: 1, choice: 'by-hand', byHand: [other], events: [{ minute: 10, recover: item }] },
    lives: { started: [], room: ['done'], shown: 1 }, expect: { ...leaves({ item, value: 'active', certificate: 'spent' }, gone(other)), safe: 'unchanged' },
  }),
  terminalPoint('M', 10, {
    title: 'a new item finds no room; the user interrupts: it is suspended, the shortage shown, nothing has changed', claims: [24], needs: ['memory-fill', 'empty-digest'], prepare: crowded, terminal: { ...short, choice: 'interrupt' },
    lives: { started: [], room: ['suspended'], shown: 1 }, expect: { ...leaves(there(item), there(other), waits), safe: 'unchanged' },
  }),
  terminalPoint('M', 11, {
    title: 'a recovery finds no room; the user interrupts: it is suspended, its certificate stays', claims: [24], needs: ['memory-fill'],
    prepare: { ...twoValues, conditions: { 1: concerts }, before: [awayFirst, deposited] }, terminal: { ...short, leave: 1, choice: 'interrupt', events: [{ minute: 10, recover: item }] },
    lives: { started: [], room: ['suspended'], shown: 1 }, expect: { ...leaves(gone(item), { item: other, value: 'deposited', certificate: 'stored' }), safe: 'unchanged' },
  }),
  terminalPoint('M', 12, {
    title: 'what meets the condition makes too little room: suspended, shown a second time', claims: [24], needs: ['memory-fill'],
    prepare: { ...twoValues, conditions: { 1: movieTickets } }, terminal: { ...short, leave: 3, events: [{ minute: 10, load: { as: '$new', sample: 'largest' } }] },
    lives: { ...once(10), room: ['suspended'], shown: 2 }, expect: { ...leaves(gone(item), there(other), waits), safe: 'stored-1' },
  }),
  terminalPoint('M', 13, {
    title: 'no item meets the condition: suspended, shown a second time', claims: [24], needs: ['memory-fill', 'empty-digest'],
    prepare: { ...crowded, conditions: { 1: [{ about: 'class', classes: [5] }] } }, terminal: short,
    lives: { ...once(10), room: ['suspended'], shown: 2 }, expect: { ...leaves(there(item), there(other), waits), safe: 'unchanged' },
  }),
  terminalPoint('M', 14, {
    title: 'there is not even room for a certificate: the backup is refused, the item suspended', claims: [24], needs: ['memory-fill', 'empty-digest'], prepare: crowded, terminal: { ...short, leave: 2 },
    lives: { ...once(10, 'backup', 'refused'), room: ['suspended'], shown: 1 }, expect: { ...leaves(there(item), there(other), waits), safe: 'unchanged' },
  }),
  terminalPoint('M', 15, {
    title: 'the safe cannot be reached when room is short: suspended, no value lost', claims: [24], needs: ['memory-fill', 'empty-digest'], prepare: crowded,
    terminal: { ...short, events: [{ minute: 5, safe: 'gone' }, ...short.events] },
    lives: { ...once(10, 'backup', 'link'), room: ['suspended'], shown: 1 }, expect: { ...leaves({ item, value: 'pending', certificate: 'absent' }, there(other), waits), safe: 'unchanged' },
  }),
  terminalPoint('M', 16, {
    title: 'no rule for a shortage: suspended whatever the user would choose', claims: [24], needs: ['memory-fill', 'empty-digest'], prepare: crowded, terminal: { ...short, rules: on({ when: 'periodic', minutes: 600 }) },
    lives: { started: [], room: ['suspended'], shown: 1 }, expect: { ...leaves(there(item), there(other), waits), safe: 'unchanged' },
  }),
];

/** Points about the terminal 160 of embodiment 11. */
export const terminalPoints: readonly TerminalPoint[] = [...triggers, ...shortages];
