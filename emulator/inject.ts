import type { Cycles } from './types.js';
import { cycleOf, decodeHere, pcOf, setPc, spend } from './cpu/core.js';
import { costOf } from './cpu/decode.js';
import { disassemble } from './cpu/disassemble.js';
import { KIND } from './cpu/kinds.js';
import type { Machine } from './machine.js';

/** Index of the xPSR flags beside r0-r12, SP, LR, pc (as in {@link Machine.setRegister}). */
export const XPSR_INDEX = 16;

/** Proof of a flipped bit: what stood there before and after, between two instructions. */
export interface Flip {
  readonly cycle: Cycles;
  /** Address of the next instruction before the flip. */
  readonly pc: number;
  readonly before: number;
  readonly after: number;
}

/** Proof of a skipped instruction. */
export interface Skip {
  /** Cycle at which it was fetched. */
  readonly cycle: Cycles;
  readonly pc: number;
  /** Disassembly. */
  readonly text: string;
  /** What it cost all the same. */
  readonly cycles: number;
}

/**
 * Flips a bit of r0-r12 (0-12), the active SP (13), LR (14), pc (15) or xPSR (16). Where the hardware keeps a bit fixed
 * (SP bits 0 and 1, pc bit 0, xPSR but for bits 28 to 31) before and after are equal: nothing was flipped.
 */
export function flipRegister(machine: Machine, index: number, bit: number): Flip {
  const read = (): number => {
    const { r, xpsr } = machine.registers();
    return index === XPSR_INDEX ? xpsr : r[index];
  };
  const before = read();
  const { cycle, pc } = machine;
  machine.setRegister(index, (before ^ (1 << bit)) >>> 0);
  return { cycle, pc, before, after: read() };
}

/** Flips a bit (0-7) of the RAM byte at `address`; undefined when no RAM is there. */
export function flipRam(machine: Machine, address: number, bit: number): Flip | undefined {
  const bytes = machine.peek(address, 1);
  if (bytes === undefined) return undefined;
  const [before] = bytes;
  const { cycle, pc } = machine;
  if (!machine.host.pokeRam(address, Uint8Array.of(before ^ (1 << bit)))) return undefined;
  return { cycle, pc, before, after: machine.peek(address, 1)?.[0] ?? before };
}

/**
 * The next instruction is fetched and has no effect but its cost and the pc behind it. Undefined, and nothing done, when
 * there is none: the core sleeps, is locked up or stands outside executable memory.
 */
export function skipInstruction(machine: Machine): Skip | undefined {
  const { core } = machine;
  if (machine.sleeping || core.lockedUp || core.lost >= 0) return undefined;
  if (core.seg.ops[core.i] === KIND.UNDECODED) decodeHere(core, core.i);
  const pc = pcOf(core);
  const cycle = cycleOf(core);
  const [low, high = low] = [core.seg.u16[core.i], core.seg.u16[core.i + 1]];
  const { size, text } = disassemble(low, high, pc);
  const cycles = costOf(core.seg.ops[core.i]);
  setPc(core, pc + size);
  spend(core, cycles);
  core.instructions++;
  return { cycle, pc, text, cycles };
}
