import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { RP2040 } from 'rp2040js';
import { createChip, createMachine, loadElf, loadProfile, type EngineChoice, type Image } from '../../emulator/index.js';

/** Something that executes instructions of one image. */
export interface Subject {
  readonly name: string;
  /** Executes about `count` instructions (an endless image) and gives how many it was. */
  run(count: number): number;
}

/** First address of the RP2040's flash as rp2040js maps it. */
const RP2040_FLASH = 0x10000000;

/** Path of a file of the source tree; from `dist/` the tree is one folder further up. */
export function sourceFile(path: string): string {
  const root = fileURLToPath(import.meta.url).includes('/dist/') ? '../../../' : '../../';
  return fileURLToPath(new URL(`${root}${path}`, import.meta.url));
}

/** Path of a test image. */
export function imagePath(name: string): string {
  return sourceFile(`emulator/testing/images/${name}`);
}

/** Reads a test image. */
export async function readImage(name: string): Promise<Image> {
  return loadElf(new Uint8Array(await readFile(imagePath(name))));
}

/** An engine on the `generic` chip: code and RAM only. */
export function genericSubject(image: Image, engine: EngineChoice = 'auto'): Subject {
  const machine = createMachine({ core: 'cortex-m0', code: { size: 0x40000 }, ram: { size: 0x10000 }, engine });
  machine.loadImage(image);
  machine.reset('power-on');
  return {
    name: `cardbench ${engine}, generic chip`,
    run: (count) => machine.run({ until: machine.cycle + Math.round(count * 1.45) }).instructions,
  };
}

/** An engine with every card peripheral attached (profile `modern`, whose RAM holds the image). */
export function chipSubject(image: Image, engine: EngineChoice = 'auto'): Subject {
  const chip = createChip({ profile: loadProfile('modern'), image, engine });
  return {
    name: `cardbench ${engine}, card peripherals, SysTick live`,
    run: (count) => chip.run(chip.now + Math.round(count * 1.45)).instructions,
  };
}

/** rp2040js, its bare instruction loop: no peripheral is stepped, which flatters it. */
export function rp2040Subject(image: Image): Subject {
  const chip = new RP2040();
  for (const { address, data } of image.segments) chip.flash.set(data, address - RP2040_FLASH);
  const vectors = new DataView(chip.flash.buffer, chip.flash.byteOffset);
  chip.core.SP = vectors.getUint32(0, true);
  chip.core.PC = vectors.getUint32(4, true) & ~1;
  return {
    name: 'rp2040js 1.4.1',
    run: (count) => {
      for (let k = 0; k < count; k++) chip.core.executeInstruction();
      return count;
    },
  };
}
