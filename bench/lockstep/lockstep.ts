import { readFile } from 'node:fs/promises';
import { createMachine, loadElf, type Machine } from '../../emulator/index.js';
import { traceQemu, type TraceRecord } from './qemu.js';

/** What a comparison found. */
export interface LockstepResult {
  /** Instructions whose state before them was compared. */
  readonly compared: number;
  /** The first difference in words; undefined when there was none. */
  readonly difference: string | undefined;
}

const NAMES = [...Array.from({ length: 13 }, (_, k) => `r${k}`), 'sp', 'lr', 'pc'];
const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');

/** Differences between the emulator and a trace record, in words; empty when they agree. */
export function compare(machine: Machine, record: TraceRecord): string[] {
  const { r, xpsr } = machine.registers();
  const found = NAMES.flatMap((name, k) => (r[k] === record.r[k] ? [] : [`${name} ${hex(r[k])}, QEMU ${hex(record.r[k])}`]));
  return xpsr === record.xpsr ? found : [...found, `xpsr ${hex(xpsr)}, QEMU ${hex(record.xpsr)}`];
}

/**
 * Runs an ELF image on QEMU's micro:bit and on the emulator, 16 KB of zeroed RAM each, and compares all
 * registers and flags before each of `count` instructions. Known difference, taken over from QEMU at the
 * start: it leaves reset with Z set, which the architecture leaves open.
 */
export async function lockstep(image: string, count: number): Promise<LockstepResult> {
  const machine = createMachine({ core: 'cortex-m0', code: { size: 0x40000 }, ram: { size: 0x4000, seed: 0 } });
  machine.loadImage(loadElf(await readFile(image)));
  machine.reset('power-on');
  let compared = 0;
  for await (const records of traceQemu(image)) {
    for (const record of records) {
      if (compared === 0) machine.setRegister(16, record.xpsr);
      const differences = compare(machine, record);
      if (differences.length > 0) {
        return { compared, difference: `instruction ${compared} at cycle ${machine.cycle}: ${differences.join('; ')}` };
      }
      compared++;
      if (compared === count) return { compared, difference: undefined };
      machine.step();
    }
  }
  return { compared, difference: 'QEMU ended' };
}
