import { pointsOf } from './gather.js';
import type { PointReport } from './gather.js';
import { table } from './summary.js';
import type { CompleteRecord, LevelEvent } from './types.js';

const dash = (value: string | number | undefined): string => (value === undefined || value === '' ? '-' : String(value));

const answer = (conserved: boolean | undefined): string => (conserved === undefined ? '-' : conserved ? 'yes' : 'NO');

const heldBy = ({ holders }: LevelEvent): string => holders.map(({ name, bytes }) => `${name} ${bytes} B`).join(', ') || '-';

const roomHead = [
  'before', 'condition', '>free B', '>run B', '>entries', '>need B', '>told need', '>told free', '>told entries', 'outcome', 'at', 'SW', 'conserved', 'verdict',
  'firmware', 'held by',
];

function roomRow(level: LevelEvent, verdict: string): string[] {
  const { before, condition, room, need, told, outcome, step, sw, conserved, did } = level;
  return [
    before, condition, dash(room?.free), dash(room?.run), dash(room?.entries), dash(need?.bytes), dash(told?.needed), dash(told?.free), dash(told?.entries),
    outcome, dash(step), dash(sw), answer(conserved), verdict, did, heldBy(level),
  ];
}

const otherHead = ['before', 'condition', 'outcome', 'at', 'SW', 'conserved', 'verdict', 'what happened'];

const otherRow = ({ before, condition, outcome, step, sw, conserved, did }: LevelEvent, verdict: string): string[] =>
  [before, condition, outcome, dash(step), dash(sw), answer(conserved), verdict, did];

const titles: Readonly<Record<string, string>> = {
  levels: 'started from every level of free room', claims: 'claims 24 and 21', wear: 'worn pages', ram: 'little RAM', cuts: 'power cuts at the edges of the free room',
};

interface Entry {
  readonly level: LevelEvent;
  readonly verdict: string;
}

const entriesOf = ({ levels, verdict }: PointReport): Entry[] => levels.map((level) => ({ level, verdict: verdict?.verdict ?? 'broken off' }));

/** The levels of a record as tables, one for each scenario and part, in the order of the record; empty without any. */
export function levelTables(record: Pick<CompleteRecord, 'events'>): readonly string[] {
  const groups = new Map<string, { scenario: string; part: string; entries: Entry[] }>();
  for (const point of pointsOf(record)) for (const entry of entriesOf(point)) {
    const scenario = point.start?.scenario ?? 'unknown';
    const { part } = entry.level;
    const group = groups.get(`${scenario} ${part}`) ?? { scenario, part, entries: [] };
    groups.set(`${scenario} ${part}`, group);
    group.entries.push(entry);
  }
  return [...groups.values()].flatMap(({ scenario, part, entries }) => {
    const aboutRoom = part === 'levels' || part === 'claims';
    const rows = entries.map(({ level, verdict }) => (aboutRoom ? roomRow : otherRow)(level, verdict));
    return ['', `${scenario}: ${titles[part] ?? part}`, ...table(aboutRoom ? roomHead : otherHead, rows)];
  });
}
