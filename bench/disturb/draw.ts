import type { LinkFault, LinkFaultAction } from '../../devices/index.js';
import { uintOf } from '../codec/index.js';
import { seededRandom } from '../world/random.js';
import type { RandomSource } from '../world/random.js';
import type { PhaseFacts } from './ready.js';
import type { Disturbance, DisturbKind } from './spec.js';

/** Contact clocks within ISO/IEC 7816-3, 5.2.3 (1 to 5 MHz) and beyond, Hz. */
const clocks = {
  within: [1_000_000, 1_500_000, 2_000_000, 3_000_000, 3_500_000, 3_650_000, 4_000_000, 4_915_200, 5_000_000],
  beyond: [400_000, 800_000, 6_000_000, 8_000_000, 12_000_000],
} as const;

/** Thousandths of the way to erased that a leaking cell has lost. */
const losses = [300, 450, 550, 700] as const;

const linkActions: readonly LinkFaultAction[] = ['alter', 'parity', 'drop', 'duplicate', 'delay'];
/** etu; shorter and longer than the waiting times between characters and for a block. */
const delays = [5, 30, 100, 1_000, 20_000] as const;

/** What the draws need of the chip. */
export interface DrawSetting {
  readonly facts: PhaseFacts;
  /** Memory when the phase begins. */
  readonly memory: Uint8Array;
  readonly pageBytes: number;
  readonly erased: number;
  /** Length of an erase and program operation, cycles. */
  readonly operationCycles: number;
}

/** Draws disturbances of one kind, the same for the same seed and label. */
export class Drawer {
  readonly #random: RandomSource;
  readonly #setting: DrawSetting;

  /** `label` tells apart what is drawn for different points and kinds. */
  constructor(setting: DrawSetting, seed: number, label: string) {
    this.#setting = setting;
    this.#random = seededRandom(seed, `disturb ${label}`);
  }

  /** One of a list. */
  pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)];
  }

  /** The next disturbance of a kind. */
  next(kind: DisturbKind): Disturbance {
    switch (kind) {
      case 'flip': return this.#flip();
      case 'ram': return { kind, cycle: this.#instruction(), offset: this.pick(this.#setting.facts.ramInUse), bit: this.#below(8) };
      case 'skip': return { kind, cycle: this.#instruction(), count: this.pick([1, 1, 1, 2, 3, 5]) };
      case 'worn': return this.#worn();
      case 'stuck': return this.#stuck();
      case 'drift': return this.#drift();
      case 'brownout': return this.#brownout();
      case 'clock': return { kind, cycle: this.#early(), hz: this.pick(this.pick([clocks.within, clocks.within, clocks.beyond])), terminal: this.pick(['follows', 'stays']) };
      case 'noise': return { kind, cycle: 0, faults: Array.from({ length: this.pick([1, 1, 2, 3]) }, () => this.#link()) };
    }
  }

  #below(limit: number): number {
    return Math.floor((uintOf(this.#random(4)) / 0x1_0000_0000) * limit);
  }

  #instruction(): number {
    const { instructions } = this.#setting.facts;
    return instructions[this.#below(instructions.length)];
  }

  #cycle(): number {
    const { from, to } = this.#setting.facts;
    return from + this.#below(to - from);
  }

  /** A cycle behind which there is still something on the line. */
  #early(): number {
    const { from, to } = this.#setting.facts;
    return from + this.#below(Math.floor((to - from) * 0.9));
  }

  /** A cell of a page that is still to be written. */
  #worn(): Extract<Disturbance, { kind: 'worn' }> {
    const { operations, pagesInUse, from } = this.#setting.facts;
    const bit = this.#below(this.#setting.pageBytes * 8);
    if (operations.length === 0) return { kind: 'worn', cycle: this.#cycle(), page: this.pick(pagesInUse), bit };
    const { page, start } = this.pick(operations);
    return { kind: 'worn', cycle: from + this.#below(start - from), page, bit };
  }

  /** A byte that is read while the phase runs, and a cycle before its last read. */
  #read(): { readonly page: number; readonly byte: number; readonly value: number; readonly cycle: number } {
    const { facts: { reads, from }, memory, pageBytes } = this.#setting;
    const { offset, last } = this.pick(reads);
    return { page: Math.floor(offset / pageBytes), byte: offset % pageBytes, value: memory[offset], cycle: from + this.#below(Math.max(1, last - from)) };
  }

  /** A cell that is read and then gives the other value, or any cell of a page that the phase writes. */
  #stuck(): Disturbance {
    const { operations, reads } = this.#setting.facts;
    if (reads.length === 0 || (operations.length > 0 && this.pick([true, false]))) return { ...this.#worn(), kind: 'stuck', value: this.pick([0, 1]) };
    const { page, byte, value, cycle } = this.#read();
    const bit = this.#below(8);
    return { kind: 'stuck', cycle, page, bit: byte * 8 + bit, value: ((value >> bit) & 1) === 0 ? 1 : 0 };
  }

  /** SP bits 0 and 1 and pc bit 0 are fixed; of xPSR only the flags (bits 28 to 31) are state that software sees. */
  #flip(): Disturbance {
    const register = this.#below(17);
    const lowest = register === 13 ? 2 : register === 15 ? 1 : register === 16 ? 28 : 0;
    return { kind: 'flip', cycle: this.#instruction(), register, bit: lowest + this.#below(32 - lowest) };
  }

  /** A programmed cell of a byte that is read; where the byte has none, its lowest bit: then the draw does not take place. */
  #drift(): Disturbance {
    const { page, byte, value, cycle } = this.#read();
    const programmed = [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => ((value ^ this.#setting.erased) >> bit) & 1);
    return { kind: 'drift', cycle, page, bit: byte * 8 + (programmed.length > 0 ? this.pick(programmed) : 0), lost: this.pick(losses) };
  }

  #brownout(): Disturbance {
    const { facts: { operations }, operationCycles } = this.#setting;
    const end = this.pick(['recover', 'recover', 'abrupt', 'finish'] as const);
    const after = 1 + this.#below(end === 'recover' ? operationCycles - 1 : operationCycles * 2);
    if (operations.length === 0 || this.pick([true, false, false])) return { kind: 'brownout', cycle: this.#cycle(), after, end };
    const { start, end: last } = this.pick(operations);
    return { kind: 'brownout', cycle: start - Math.floor(operationCycles / 10) + this.#below(last - start + Math.floor(operationCycles / 10)), after, end };
  }

  #link(): LinkFault {
    const { toCard, fromCard } = this.#setting.facts;
    const direction = this.pick(['to-card', 'from-card'] as const);
    const unit = this.pick(['character', 'character', 'character', 'block'] as const);
    const counts = direction === 'to-card' ? toCard : fromCard;
    const nth = 1 + this.#below(unit === 'character' ? counts.characters : counts.blocks);
    const action = this.pick(linkActions);
    const within = unit === 'block' && action !== 'drop' && action !== 'duplicate' ? { index: action === 'delay' ? 0 : this.#below(4) } : {};
    return {
      direction, unit, nth, action, ...within,
      ...(action === 'alter' ? { mask: this.pick([1 << this.#below(8), 1 + this.#below(255)]) } : {}),
      ...(action === 'delay' ? { etu: this.pick(delays) } : {}),
    };
  }
}
