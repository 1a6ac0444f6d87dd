import { busRead, busWrite, takeBusError } from './bus.js';
import { cycleOf, noteStack, type Core } from './core.js';
import { KIND_MASK, costOf } from './decode.js';
import { KIND } from './kinds.js';

function transfer(core: Core, op: number, address: number, store: boolean): boolean {
  const list = (op >>> 20) & 0xff;
  let at = address;
  for (let k = 0; k < 8; k++) {
    if ((list & (1 << k)) === 0) continue;
    if (store) busWrite(core, at, 4, core.r[k]);
    else {
      const value = busRead(core, at, 4);
      if (core.busError === '') core.r[k] = value;
    }
    if (core.busError !== '') {
      takeBusError(core, at);
      return false;
    }
    at = (at + 4) | 0;
  }
  return true;
}

function push(core: Core, op: number, words: number): void {
  const withLink = (op & 0x10000000) !== 0;
  const sp = (core.r[13] - 4 * (words + (withLink ? 1 : 0))) | 0;
  if (!transfer(core, op, sp, true)) return;
  if (withLink) {
    busWrite(core, sp + 4 * words, 4, core.r[14]);
    if (core.busError !== '') {
      takeBusError(core, sp + 4 * words);
      return;
    }
  }
  core.r[13] = sp;
  if (sp < core.spWatch) noteStack(core, sp);
}

/**
 * PUSH, POP, LDM or STM on anything but RAM alone. Registers are transferred one by one in ascending
 * order; a fault leaves the base register as it was, as the core does when it restarts the instruction.
 */
export function multipleSlow(core: Core, op: number): void {
  const words = (op >>> 12) & 15;
  const kind = op & KIND_MASK;
  core.at = cycleOf(core) - costOf(core.seg.ops[core.i - 1]);
  if (kind === KIND.PUSH) {
    push(core, op, words);
    return;
  }
  const base = kind === KIND.POP ? 13 : (op >>> 16) & 15;
  const address = core.r[base];
  if (!transfer(core, op, address, kind === KIND.STM)) {
    core.r[base] = address;
    return;
  }
  const loaded = kind === KIND.LDM && ((op >>> 20) & (1 << base)) !== 0;
  if (!loaded) core.r[base] = address + 4 * words;
}

/** POP with the PC on anything but RAM alone: undefined when it faulted, else the branch target. */
export function popPcSlow(core: Core, op: number): number | undefined {
  const words = (op >>> 12) & 15;
  const sp = core.r[13];
  core.at = cycleOf(core) - costOf(core.seg.ops[core.i - 1]);
  if (!transfer(core, op, sp, false)) return undefined;
  const target = busRead(core, sp + 4 * words, 4);
  if (core.busError !== '') {
    takeBusError(core, sp + 4 * words);
    return undefined;
  }
  core.r[13] = sp + 4 * (words + 1);
  return target;
}
