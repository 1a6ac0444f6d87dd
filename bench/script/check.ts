import { answers, encodeCondition, listEntry, TlvReader } from '../codec/index.js';
import type { CardStatus, KeysPresent, MemoryFigures, Shortage } from '../codec/index.js';
import type { AnswerCheck, DataField, ItemRef } from '../../scenarios/index.js';
import { fixedPages } from '../nvm/layout.js';
import type { World } from '../world/world.js';
import { handleOf } from './build.js';
import type { Bindings } from './build.js';

const keyBits = (keys: KeysPresent): number =>
  (keys.decoding ? 1 : 0) | (keys.common ? 2 : 0) | (keys.signing ? 4 : 0) | (keys.transport ? 8 : 0);

const ofShortage: Readonly<Record<string, (s: Shortage) => number>> = {
  needed: (s) => s.needed, free: (s) => s.free, entries: (s) => s.freeEntries, ins: (s) => s.ins,
};
const ofMemory: Readonly<Record<string, (m: MemoryFigures) => number>> = {
  free: (m) => m.freeData, largest: (m) => m.largestRun, entries: (m) => m.freeEntries,
};
const ofStatus: Readonly<Record<string, (s: CardStatus) => number>> = {
  lifeCycle: (s) => ['blank', 'initialised', 'operational'].indexOf(s.lifeCycle), pinTries: (s) => s.pinTries,
  keys: (s) => keyBits(s.keys), sequence: (s) => s.lastSequence, loadNumber: (s) => s.lastLoadNumber,
};

/** A field of a GET DATA answer; undefined when the answer does not hold it. Throws CodecError. */
export function fieldOf(field: DataField, data: Uint8Array): number | undefined {
  const [object, name] = field.split('.');
  if (object === 'memory') return ofMemory[name](answers.memory(data));
  if (object === 'status') return ofStatus[name](answers.status(data));
  const shortage = answers.shortage(data);
  return shortage && ofShortage[name](shortage);
}

const relations: Readonly<Record<'=' | '<' | '>' | '>=' | '<=', (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b, '<': (a, b) => a < b, '>': (a, b) => a > b, '>=': (a, b) => a >= b, '<=': (a, b) => a <= b,
};

function listedHandles(data: Uint8Array): number[] {
  const reader = new TlvReader(data);
  const handles: number[] = [];
  while (reader.peek() === listEntry.tag) handles.push(listEntry.read(reader).handle);
  return handles;
}

function lists(check: Extract<AnswerCheck, { is: 'lists' }>, handles: readonly number[], world: World, bound: Bindings): string | undefined {
  const missing = check.includes?.find((ref) => !handles.includes(handleOf(world, bound, ref)));
  if (missing !== undefined) return `${missing} is not listed`;
  const stale = check.excludes?.find((ref) => handles.includes(handleOf(world, bound, ref)));
  if (stale !== undefined) return `${stale} is listed`;
  return check.count === undefined || check.count === handles.length ? undefined : `${handles.length} entries, expected ${check.count}`;
}

function extracts(items: readonly ItemRef[], data: Uint8Array, world: World, bound: Bindings): string | undefined {
  const found = answers.extracted(data).entries.map(({ handle }) => handle).sort((a, b) => a - b).join();
  const wanted = items.map((item) => handleOf(world, bound, item)).sort((a, b) => a - b).join();
  return found === wanted ? undefined : `extracted ${found || 'nothing'}, expected ${wanted || 'nothing'}`;
}

function ofConditions(check: Extract<AnswerCheck, { is: 'extracts' | 'condition' | 'numbers' }>, data: Uint8Array, world: World, bound: Bindings): string | undefined {
  switch (check.is) {
    case 'extracts': return extracts(check.items, data, world, bound);
    case 'condition': return sameBytes(data, encodeCondition(check.condition)) ? undefined : 'another condition is stored';
    case 'numbers': return data.join() === check.numbers.join() ? undefined : `the conditions are ${data.join() || 'none'}, expected ${check.numbers.join() || 'none'}`;
  }
}

function field(check: Extract<AnswerCheck, { is: 'field' }>, data: Uint8Array, bound: Bindings): string | undefined {
  const value = fieldOf(check.field, data);
  const than = typeof check.than === 'number' ? check.than : bound.numbers.get(check.than);
  const holds = value !== undefined && than !== undefined && relations[check.op](value, than);
  return holds ? undefined : `${check.field} is ${value ?? 'not there'}, expected ${check.op} ${than ?? check.than}`;
}

function amounts(check: Extract<AnswerCheck, { is: 'amounts' }>, data: Uint8Array): string | undefined {
  const { quantity, remaining } = answers.use(data);
  const right = (check.quantity ?? quantity) === quantity && (check.remaining ?? remaining) === remaining;
  return right ? undefined : `quantity ${quantity}, remaining ${remaining}`;
}

function sameBytes(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b?.length === a.length && a.every((byte, i) => byte === b[i]);
}

/** Looks at the state pages written since page operation number `since` (docs/firmware.md: tries in byte 1). */
function triesLoweredFirst(world: World, since: number): string | undefined {
  const written = world.card.chip.eeprom.writes.slice(since).filter(({ page }) => page === fixedPages.state);
  const lowered = written.some(({ before, after }) => after[1] < before[1]);
  return lowered ? undefined : 'the answer came without the tries having been lowered in the memory';
}

/**
 * What is wrong with an answer, undefined when the check holds; `since` is the number of page operations before the
 * command. Throws CodecError when the answer cannot be read.
 */
export function failedCheck(check: AnswerCheck, data: Uint8Array, world: World, bound: Bindings, since: number): string | undefined {
  switch (check.is) {
    case 'same': return sameBytes(data, bound.objects.get(check.as)) ? undefined : `differs from ${check.as}`;
    case 'different': return sameBytes(data, bound.objects.get(check.as)) ? `is the same as ${check.as}` : undefined;
    case 'lists': return lists(check, listedHandles(data), world, bound);
    case 'state': {
      const state = world.entry(handleOf(world, bound, check.item))?.state.toLowerCase();
      return state === check.state ? undefined : `${check.item} is ${state ?? 'absent'}, expected ${check.state}`;
    }
    case 'field': return field(check, data, bound);
    case 'amounts': return amounts(check, data);
    case 'extracts': case 'condition': case 'numbers': return ofConditions(check, data, world, bound);
    case 'tries-lowered-first': return triesLoweredFirst(world, since);
    case 'length': return data.length === check.bytes ? undefined : `${data.length} bytes, expected ${check.bytes}`;
  }
}
