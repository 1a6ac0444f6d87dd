import { commands } from '../codec/index.js';
import type { ValueInformation } from '../codec/index.js';
import { pageSize } from '../nvm/index.js';
import type { World } from '../world/world.js';
import type { RoomFigures, RoomLevel } from './types.js';

/** Name of the values that take up single pages and can be deleted at once: their quantity is 0. */
const plugName = 'p';

/** A used-up value of one page. */
export interface Plug {
  readonly handle: number;
  readonly page: number;
}

/** What is free, as the bench reads it from the memory. */
export function roomOf(world: World): RoomFigures {
  const { freeBytes, largestRunBytes, freeEntries } = world.room();
  return { free: freeBytes, run: largestRunBytes, entries: freeEntries };
}

/** The plugs on a card by page. */
export function plugsOf(world: World): readonly Plug[] {
  return world.contents().entries
    .filter((entry) => entry.class === 'A' && entry.state === 'ACTIVE' && entry.object?.name === plugName && entry.object.quantity === 0)
    .map(({ handle, region }) => ({ handle, page: region.firstPage }))
    .sort((a, b) => a.page - b.page);
}

/** Loads one plug; the card's answer. */
async function loadPlug(world: World): Promise<number> {
  const { issuer, cardId } = world.parts;
  const value: ValueInformation = {
    infoClass: 4, name: plugName, unitPrice: 0, quantity: 0, totalAmount: 0, place: '', validity: null, remaining: 0, remarks: '',
    issueId: issuer.newIssueId(),
  };
  world.book(value);
  const number = (world.contents().state?.lastLoadNumber ?? 0) + 1;
  const { sw } = await world.line.transmit(commands.load(issuer.loadObject(cardId, number, value)));
  world.line.takeMarks();
  return sw;
}

const swText = (sw: number): string => sw.toString(16).toUpperCase().padStart(4, '0');

/** Loads plugs while `wanted` says so; why it did not come to that, or undefined. */
export async function plugWhile(world: World, wanted: (room: RoomFigures) => boolean): Promise<string | undefined> {
  for (let room = roomOf(world); wanted(room); room = roomOf(world)) {
    if (room.free === 0 || room.entries === 0) return `${room.free} B and ${room.entries} index entries are free: one of them ran out before the other`;
    const sw = await loadPlug(world);
    const now = roomOf(world);
    if (sw !== 0x9000 || now.entries !== room.entries - 1) return `LOAD of one page was answered ${swText(sw)} with ${room.free} B free`;
  }
  return undefined;
}

async function remove(world: World, plugs: readonly Plug[]): Promise<string | undefined> {
  for (const { handle } of plugs) {
    const { sw } = await world.line.transmit(commands.deleteItem(handle));
    world.line.takeMarks();
    if (sw !== 0x9000) return `DELETE of a used-up value was answered ${swText(sw)}`;
  }
  return undefined;
}

/** Lengths of the free runs of a level: as many of `run` pages as fit, then the rest. */
export function runsOf({ pages, run }: { readonly pages: number; readonly run: number }): readonly number[] {
  const whole = run > 0 ? Math.floor(pages / run) : 0;
  const rest = pages - whole * run;
  return [...Array.from({ length: whole }, () => run), ...rest > 0 ? [rest] : []];
}

/**
 * Picks pages for free runs out of `pages` (ascending), with a page kept between any two runs; undefined when they do
 * not fit.
 */
export function placeRuns(pages: readonly number[], runs: readonly number[]): readonly number[] | undefined {
  const picked: number[] = [];
  let at = 0;
  for (const run of runs) {
    while (at + run <= pages.length && (pages[at + run - 1] - pages[at] !== run - 1 || pages[at] - 1 === picked.at(-1))) at += 1;
    if (at + run > pages.length) return undefined;
    picked.push(...pages.slice(at, at + run));
    at += run;
  }
  return picked;
}

async function makePages(world: World, level: { readonly pages: number; readonly run: number }): Promise<string | undefined> {
  const filled = await plugWhile(world, ({ free }) => free > 0);
  if (filled !== undefined) return filled;
  const plugs = plugsOf(world);
  const picked = placeRuns(plugs.map(({ page }) => page), runsOf(level));
  if (picked === undefined) return `the plugs do not lie so that ${level.pages} pages in runs of ${level.run} can be freed`;
  return remove(world, plugs.filter(({ page }) => picked.includes(page)));
}

async function makeEntries(world: World, entries: number): Promise<string | undefined> {
  const filled = await plugWhile(world, (room) => room.entries > 0);
  return filled ?? remove(world, plugsOf(world).slice(0, entries));
}

function departs(room: RoomFigures, level: RoomLevel): string | undefined {
  const is = `${room.free} B in runs of up to ${room.run} B and ${room.entries} index entries are free`;
  if ('entries' in level) return room.entries === level.entries && room.run > 0 ? undefined : is;
  const longest = Math.min(level.run, level.pages) * pageSize;
  return room.free === level.pages * pageSize && room.run === longest && room.entries > 2 ? undefined : is;
}

/** Brings the free room to a level by real commands: plugs are loaded and deleted. Why it was not reached, or undefined. */
export async function makeLevel(world: World, level: RoomLevel): Promise<string | undefined> {
  const failed = 'entries' in level ? await makeEntries(world, level.entries) : await makePages(world, level);
  return failed ?? departs(roomOf(world), level);
}

/** Deletes plugs until there is a free run of so many pages and so many entries; false when there are not enough. */
export async function makeRoom(world: World, pages: number, entries: number): Promise<boolean> {
  const enough = (): boolean => {
    const room = roomOf(world);
    return room.run >= pages * pageSize && room.entries >= entries;
  };
  for (const plug of plugsOf(world)) {
    if (enough()) return true;
    if (await remove(world, [plug]) !== undefined) return false;
  }
  return enough();
}

/** A level in ids and tables. */
export function levelName(level: RoomLevel): string {
  if ('entries' in level) return `entries-${level.entries}`;
  return level.run >= level.pages ? `pages-${level.pages}` : `pages-${level.pages}-runs-${level.run}`;
}

/** The level of a name; undefined when it is none. */
export function levelOf(name: string): RoomLevel | undefined {
  const [, entries] = /^entries-(\d+)$/.exec(name) ?? [];
  if (entries !== undefined) return { entries: Number(entries) };
  const [, pages, run = pages] = /^pages-(\d+)(?:-runs-(\d+))?$/.exec(name) ?? [];
  return pages === undefined ? undefined : { pages: Number(pages), run: Number(run) };
}
