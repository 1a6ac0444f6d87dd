import { readFile } from 'node:fs/promises';
import { createChip, createMachine, loadElf, loadProfile, type EngineChoice, type Image, type Machine } from '../../emulator/index.js';
import { cpuSeconds, median, type Row, type Section } from './measure.js';
import { readImage, sourceFile } from './subjects.js';
import { syntheticImage } from './synthetic.js';

const NAME = 'translation';
const SLICE = 2e6;
/** Slices in all, for each 16 KB of code: whoever runs a code in turn comes by every part of it less often when there is more. */
const SLICES = 200;
/** The last part of the slices, which tells the full speed; it must not rise any more within them. */
const STEADY = 1 / 3;
/** Between both halves of the steady part, the speed may differ by so much. */
const STILL_RISING = 1.25;
const TRIES = 3;
const SIZES_KB = [4, 16, 64, 128];
const BOOT_CYCLES = 3e6;
const BOOTS = 40;
/** Boots before those that count. */
const WARM_UP = 15;

/** A machine with its own translations. RAM sizes differ, so that no two of them share compiled code. */
function freshMachine(image: Image, number: number, engine: EngineChoice): Machine {
  const machine = createMachine({ core: 'cortex-m0', code: { size: 0x40000 }, ram: { size: 0x10000 + 256 * number }, engine });
  machine.loadImage(image);
  machine.reset('power-on');
  return machine;
}

/** What one run up to full speed cost. */
interface Cost {
  /** CPU milliseconds beyond what the same instructions take at full speed, all threads. */
  readonly extra: number;
  /** Instructions a second at full speed. */
  readonly rate: number;
  /** How much the speed still rose within the part that is taken for steady. */
  readonly rise: number;
  readonly regions: number;
  readonly bytes: number;
}

interface Slice {
  readonly seconds: number;
  readonly instructions: number;
}

const sum = (list: readonly Slice[], key: keyof Slice): number => list.reduce((total, slice) => total + slice[key], 0);
const rateOf = (list: readonly Slice[]): number => sum(list, 'instructions') / sum(list, 'seconds');

/** Runs until the speed is steady. */
function costOf(machine: Machine, count: number): Cost {
  const slices = Array.from({ length: count }, (): Slice => {
    const start = cpuSeconds();
    const { instructions } = machine.run({ until: machine.cycle + SLICE });
    return { seconds: cpuSeconds() - start, instructions };
  });
  const steady = slices.slice(-Math.round(count * STEADY));
  const half = steady.length >> 1;
  const rate = rateOf(steady);
  const { regions = 0, bytes = 0 } = machine.engineCounts ?? {};
  return { extra: (sum(slices, 'seconds') - sum(slices, 'instructions') / rate) * 1000, rate, rise: rateOf(steady.slice(half)) / rateOf(steady.slice(0, half)), regions, bytes };
}

const codeBytes = (image: Image): number => image.segments.reduce((total, { data }) => total + data.length, 0);

let made = 0;

/** Median cost over some fresh machines; the JavaScript of the emulator itself has been warmed by the interpreter before. */
function measureCost(image: Image, size: number): Cost {
  freshMachine(image, 0, 'interpreter').run({ until: 60e6 });
  const slices = Math.ceil(size / 0x4000) * SLICES;
  const costs = Array.from({ length: TRIES }, () => costOf(freshMachine(image, ++made, 'auto'), slices));
  const extra = median(costs.map((cost) => cost.extra));
  return costs.find((cost) => cost.extra === extra) ?? costs[0];
}

function rows(subject: string, cost: Cost): Row[] {
  const steady = cost.rise > STILL_RISING ? `NOT YET STEADY: still ${cost.rise.toFixed(2)} times faster at the end; ` : '';
  const note = `${steady}${cost.regions} regions, ${(cost.bytes / 1024).toFixed(0)} KB of WebAssembly, then ${(cost.rate / 1e6).toFixed(0)} MIPS`;
  return [{ section: NAME, subject, what: 'CPU time until all hot code is translated and at full speed', value: cost.extra, unit: 'ms', note }];
}

/** CPU time of cold boots on both engines, in turn. */
async function coldBoots(): Promise<Row[]> {
  const image = loadElf(new Uint8Array(await readFile(sourceFile('devices/firmware/images/card.elf'))));
  const engines = ['interpreter', 'auto'] as const;
  const times: Record<(typeof engines)[number], number[]> = { interpreter: [], auto: [] };
  for (let k = -WARM_UP; k < BOOTS; k++) {
    for (const engine of engines) {
      const start = cpuSeconds();
      createChip({ profile: loadProfile('c2010'), image, engine }).run(BOOT_CYCLES);
      if (k >= 0) times[engine].push((cpuSeconds() - start) * 1000);
    }
  }
  return engines.map((engine) => ({ section: NAME, subject: 'card.elf', what: `cold boot to ${BOOT_CYCLES / 1e6} M cycles, ${engine}`, value: median(times[engine]), unit: 'ms' }));
}

/** What translating costs: until full speed, by image size, and in a boot that is too short for it. */
export const translationSection: Section = {
  name: NAME,
  async run(tell) {
    const found: Row[] = [];
    for (const name of ['branchy', 'crypto']) {
      tell(`translation of ${name}`);
      const image = await readImage(`${name}-speed.elf`);
      found.push(...rows(name, measureCost(image, codeBytes(image))));
    }
    for (const size of SIZES_KB) {
      tell(`translation of ${size} KB`);
      found.push(...rows(`synthetic, ${size} KB`, measureCost(syntheticImage(size * 1024), size * 1024)));
    }
    tell('cold boots');
    return [...found, ...(await coldBoots())];
  },
};
