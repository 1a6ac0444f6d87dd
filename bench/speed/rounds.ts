import { createMachine, loadElf } from '../../emulator/index.js';

/** Rounds the speed images are compiled for (emulator/testing/images/Makefile). */
const COMPILED = 100_000;

/**
 * A speed image that makes `rounds` rounds and then stops at its BKPT: the constant in its code is replaced. The
 * compiler keeps it as it is or one higher.
 * @throws RangeError when the constant is not there exactly once
 */
export function withRounds(elf: Uint8Array, rounds: number): Uint8Array {
  const copy = elf.slice();
  const view = new DataView(copy.buffer);
  const places: number[] = [];
  for (let at = 0; at + 4 <= copy.length; at += 2) {
    const word = view.getUint32(at, true);
    if (word === COMPILED || word === COMPILED + 1) places.push(at);
  }
  if (places.length !== 1) throw new RangeError(`${places.length} words look like the number of rounds, expected 1`);
  const [at] = places;
  view.setUint32(at, rounds + view.getUint32(at, true) - COMPILED, true);
  return copy;
}

/** Instructions an image needs from reset to its BKPT. */
export function instructionsOf(elf: Uint8Array): number {
  const machine = createMachine({ core: 'cortex-m0', code: { size: 0x40000 }, ram: { size: 0x4000 } });
  machine.loadImage(loadElf(elf));
  machine.reset('power-on');
  const { reason, instructions } = machine.run();
  if (reason !== 'bkpt') throw new RangeError(`the image stopped by ${reason}, expected its BKPT`);
  return instructions;
}

/** Rounds of the two runs whose difference is taken: enough for a second or so. */
export const ROUNDS: Readonly<Record<string, readonly [number, number]>> = { crypto: [6_000, 60_000], branchy: [300, 3_000] };
