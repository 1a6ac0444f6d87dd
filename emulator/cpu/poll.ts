import { cycleOf, type Core } from './core.js';
import { KIND_MASK, costOf } from './decode.js';
import { KIND } from './kinds.js';
import type { Cycles, Device } from '../types.js';

/** Longest polling loop looked at, instructions. */
const BODY_BOUND = 16;

/** The last read of a stable device register: the whole state a polling loop's course depends on. */
export interface PollState {
  pc: number;
  /** What was read. */
  value: number;
  at: Cycles;
  instructions: number;
  readonly r: Int32Array;
  readonly flags: Int32Array;
}

/** An empty poll state. */
export function createPollState(): PollState {
  return { pc: -1, value: 0, at: 0, instructions: 0, r: new Int32Array(16), flags: new Int32Array(4) };
}

/** Register-only instructions: no memory but literals, no SP, no branch. */
function isPure(kind: number): boolean {
  return (
    (kind >= KIND.MOVS_REG && kind <= KIND.MOV_HI) ||
    kind === KIND.LDR_LIT ||
    kind === KIND.ADR ||
    (kind >= KIND.SXTH && kind <= KIND.REVSH) ||
    kind === KIND.NOP ||
    kind === KIND.MULS_32
  );
}

/**
 * Instructions of the loop round the load at halfword `index` of the current segment: one backward branch
 * behind it, register-only instructions besides. 0 when it is no such loop.
 */
function bodyLength(core: Core, index: number): number {
  const { ops } = core.seg;
  for (let k = index + 1; k < index + BODY_BOUND; k++) {
    const kind = ops[k] & KIND_MASK;
    if (isPure(kind)) continue;
    const isBranch = (kind >= KIND.BEQ && kind <= KIND.BLE) || kind === KIND.B;
    const start = k + 1 + (ops[k] >> 12);
    if (!isBranch || start > index || start < index - BODY_BOUND) return 0;
    for (let j = start; j < index; j++) if (!isPure(ops[j] & KIND_MASK)) return 0;
    return k - start + 1;
  }
  return 0;
}

function sameState(core: Core, poll: PollState): boolean {
  const { r, flags } = poll;
  for (let k = 0; k < 15; k++) if (core.r[k] !== r[k]) return false;
  return core.n === flags[0] && core.z === flags[1] && core.c === flags[2] && core.v === flags[3];
}

function remember(core: Core, poll: PollState, pc: number, value: number): void {
  poll.pc = pc;
  poll.value = value;
  poll.at = core.at;
  poll.instructions = core.instructions;
  poll.r.set(core.r);
  poll.flags[0] = core.n;
  poll.flags[1] = core.z;
  poll.flags[2] = core.c;
  poll.flags[3] = core.v;
}

/**
 * Called before `value`, just read at `offset` of `device`, reaches its register: when the core stands in a loop that
 * only waits for this register, skips whole turns up to the end of the slice (the next event or the limit)
 * or to the cycle at which the value may change. Cycle and instruction counts advance as if the turns had
 * been run: the loop's state repeats exactly, it stores nothing and reads nothing else.
 */
export function skipPolling(core: Core, device: Device, offset: number, value: number): void {
  const stable = device.stableUntil?.(offset, core.at) ?? core.at;
  const { poll } = core;
  const index = core.i - 1;
  const pc = core.seg.base + index * 2;
  const turn = core.at - poll.at;
  const body = core.instructions - poll.instructions;
  const again = stable > core.at && pc === poll.pc && value === poll.value && sameState(core, poll);
  if (!again || body <= 0 || body > BODY_BOUND || bodyLength(core, index) !== body) {
    remember(core, poll, pc, value);
    return;
  }
  const room = Math.min(stable, cycleOf(core) + core.left) - core.at - costOf(core.seg.ops[index]) - 1;
  const turns = Math.floor(room / turn);
  if (turns > 0) {
    core.left -= turns * turn;
    core.instructions += turns * body;
    core.at += turns * turn;
  }
  remember(core, poll, pc, value);
}
