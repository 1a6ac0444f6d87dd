import type { LinkFault, LinkFaultAction } from '../../devices/index.js';
import { BenchError } from '../world/errors.js';

/** Kinds of disturbance; docs/faults.md says what each does. */
export const disturbKinds = ['noise', 'brownout', 'clock', 'worn', 'stuck', 'drift', 'flip', 'ram', 'skip'] as const;

/** One of {@link disturbKinds}. */
export type DisturbKind = (typeof disturbKinds)[number];

/** Kinds that stand for attacks on the running core: only a firmware that claims `fault-resistance` must withstand them. */
export const attackKinds: readonly DisturbKind[] = ['flip', 'ram', 'skip'];

/** What is done, where and when: cycles of the power session in which the phase runs. Plain data. */
export type Disturbance =
  /** A bit of a register: 0-12 r0-r12, 13 SP, 14 LR, 15 pc, 16 xPSR. */
  | { readonly kind: 'flip'; readonly cycle: number; readonly register: number; readonly bit: number }
  /** A bit (0-7) of the RAM byte at an offset. */
  | { readonly kind: 'ram'; readonly cycle: number; readonly offset: number; readonly bit: number }
  /** So many instructions in a row without effect. */
  | { readonly kind: 'skip'; readonly cycle: number; readonly count: number }
  /** A cell (bit number within its page) keeps the value it has for ever: it shows when its page is written. */
  | { readonly kind: 'worn'; readonly cycle: number; readonly page: number; readonly bit: number }
  /** A cell reads `value` for ever. */
  | { readonly kind: 'stuck'; readonly cycle: number; readonly page: number; readonly bit: number; readonly value: 0 | 1 }
  /** A programmed cell has lost charge (thousandths of the way to erased) and goes on losing it at each power-on. */
  | { readonly kind: 'drift'; readonly cycle: number; readonly page: number; readonly bit: number; readonly lost: number }
  /** The supply falls; `after` cycles later it recovers, or power goes at once or with what the stored charge still does. */
  | { readonly kind: 'brownout'; readonly cycle: number; readonly after: number; readonly end: 'recover' | 'abrupt' | 'finish' }
  /** The contact clock becomes `hz`; the terminal's etu follows it or stays. */
  | { readonly kind: 'clock'; readonly cycle: number; readonly hz: number; readonly terminal: 'follows' | 'stays' }
  /** Disturbed characters and blocks, counted from the beginning of the phase. */
  | { readonly kind: 'noise'; readonly cycle: 0; readonly faults: readonly LinkFault[] };

/** Kinds that damage a cell for good. */
export const cellKinds: readonly DisturbKind[] = ['worn', 'stuck', 'drift'];

const registerNames = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9', 'r10', 'r11', 'r12', 'sp', 'lr', 'pc', 'psr'] as const;

/** Name of a register by its number. */
export const registerName = (register: number): string => registerNames[register] ?? `r${register}`;

const actions: Readonly<Record<string, LinkFaultAction>> = { a: 'alter', p: 'parity', d: 'drop', u: 'duplicate', l: 'delay' };
const actionLetter = (action: LinkFaultAction): string => Object.keys(actions).find((letter) => actions[letter] === action) ?? 'a';

/** For example `tc12a08`: to the card, character 12, bits 08 altered; `fb3p2`: from the card, block 3, parity of its character 2. */
function faultText({ direction, unit, nth, action, mask = 0, index = 0, etu = 0 }: LinkFault): string {
  const how = action === 'alter' ? mask.toString(16).padStart(2, '0') : action === 'delay' ? String(etu) : '';
  const at = unit === 'block' && (action === 'alter' || action === 'parity' || action === 'delay') ? `.${index}` : '';
  return `${direction === 'to-card' ? 't' : 'f'}${unit === 'character' ? 'c' : 'b'}${nth}${actionLetter(action)}${how}${at}`;
}

function faultOf(text: string): LinkFault | undefined {
  const [, direction, unit, nth, letter, how, index] = /^([tf])([cb])(\d+)([apdul])([0-9a-f]*)(?:\.(\d+))?$/.exec(text) ?? [];
  if (direction === undefined) return undefined;
  const action = actions[letter];
  return {
    direction: direction === 't' ? 'to-card' : 'from-card', unit: unit === 'c' ? 'character' : 'block', nth: Number(nth), action,
    ...(action === 'alter' ? { mask: Number.parseInt(how, 16) } : {}), ...(action === 'delay' ? { etu: Number(how) } : {}),
    ...(index === undefined ? {} : { index: Number(index) }),
  };
}

/** What follows kind and cycle in a case id. */
export function detailText(what: Disturbance): string {
  switch (what.kind) {
    case 'flip': return `${registerName(what.register)}.${what.bit}`;
    case 'ram': return `${what.offset.toString(16)}.${what.bit}`;
    case 'skip': return String(what.count);
    case 'worn': return `${what.page}.${what.bit}`;
    case 'stuck': return `${what.page}.${what.bit}.${what.value}`;
    case 'drift': return `${what.page}.${what.bit}.${what.lost}`;
    case 'brownout': return `${what.after}.${what.end}`;
    case 'clock': return `${what.hz}.${what.terminal}`;
    case 'noise': return what.faults.map(faultText).join('+');
  }
}

const numbers = (text: string): number[] => text.split('.').map(Number);

function cellsOf(kind: 'worn' | 'stuck' | 'drift', cycle: number, detail: string): Disturbance | undefined {
  if (kind === 'worn') {
    const [page, bit] = numbers(detail);
    return /^\d+\.\d+$/.test(detail) ? { kind, cycle, page, bit } : undefined;
  }
  if (!/^\d+\.\d+\.\d+$/.test(detail)) return undefined;
  const [page, bit, last] = numbers(detail);
  if (kind === 'drift') return { kind, cycle, page, bit, lost: last };
  return last === 0 || last === 1 ? { kind, cycle, page, bit, value: last } : undefined;
}

function supplyOf(kind: 'brownout' | 'clock', cycle: number, detail: string): Disturbance | undefined {
  const [first, word] = detail.split('.');
  if (!/^\d+$/.test(first)) return undefined;
  if (kind === 'clock') return word === 'follows' || word === 'stays' ? { kind, cycle, hz: Number(first), terminal: word } : undefined;
  return word === 'recover' || word === 'abrupt' || word === 'finish' ? { kind, cycle, after: Number(first), end: word } : undefined;
}

function coreOf(kind: 'flip' | 'ram' | 'skip', cycle: number, detail: string): Disturbance | undefined {
  if (kind === 'skip') return /^\d+$/.test(detail) ? { kind, cycle, count: Number(detail) } : undefined;
  const [, where, bit] = /^(\w+)\.(\d+)$/.exec(detail) ?? [];
  if (where === undefined) return undefined;
  if (kind === 'ram') return /^[0-9a-f]+$/.test(where) ? { kind, cycle, offset: Number.parseInt(where, 16), bit: Number(bit) } : undefined;
  const register = registerNames.findIndex((name) => name === where);
  return register < 0 ? undefined : { kind, cycle, register, bit: Number(bit) };
}

function read(kind: DisturbKind, cycle: number, detail: string): Disturbance | undefined {
  switch (kind) {
    case 'flip': case 'ram': case 'skip': return coreOf(kind, cycle, detail);
    case 'worn': case 'stuck': case 'drift': return cellsOf(kind, cycle, detail);
    case 'brownout': case 'clock': return supplyOf(kind, cycle, detail);
    case 'noise': {
      const faults = detail.split('+').map(faultOf);
      return faults.every((fault) => fault !== undefined) ? { kind, cycle: 0, faults } : undefined;
    }
  }
}

/** Reads what {@link detailText} wrote. @throws BenchError BENCH_USAGE when it says nothing that can be done */
export function disturbanceOf(kind: string, cycle: number, detail: string): Disturbance {
  const known = disturbKinds.find((one) => one === kind);
  const found = known && read(known, cycle, detail);
  if (found) return found;
  throw new BenchError('BENCH_USAGE', `${kind}:${cycle}:${detail} is no disturbance`, 'nothing was run');
}
