import { measure, type Speed } from './measure.js';
import { chipSubject, genericSubject, readImage, rp2040Subject } from './subjects.js';

const ROUNDS = 7;
const WARM_UP = 3;
const IMAGES = ['crypto', 'branchy'] as const;

const NOTE = [
  'One source, one compiler call per image; rp2040js gets the copy linked for its flash at 0x10000000.',
  'The copy for the card peripherals also starts SysTick (an interrupt every 30,000 cycles).',
  `Instructions per second of CPU time, medians of ${ROUNDS} alternating rounds; rp2040js runs its bare instruction loop.`,
].join('\n');

async function measureImage(name: string): Promise<Speed[]> {
  const subjects = [
    { subject: genericSubject(await readImage(`${name}-speed.elf`)), count: 20e6 },
    { subject: chipSubject(await readImage(`${name}-tick.elf`)), count: 20e6 },
    { subject: rp2040Subject(await readImage(`${name}-speed-10000000.elf`)), count: 4e6 },
  ];
  return measure(subjects, ROUNDS, WARM_UP, () => process.cpuUsage().user / 1e6);
}

function table(results: ReadonlyMap<string, readonly Speed[]>): string {
  const rows = [...results].flatMap(([image, speeds]) =>
    speeds.map(({ name, mips, ratio }) => `${image.padEnd(8)}  ${name.padEnd(42)} ${mips.toFixed(1).padStart(8)}  ${ratio.toFixed(2).padStart(5)}`),
  );
  return [`${'image'.padEnd(8)}  ${'engine'.padEnd(42)} ${'M ins/s'.padStart(8)}  ratio`, ...rows].join('\n');
}

const results = new Map<string, Speed[]>();
for (const name of IMAGES) {
  process.stderr.write(`measuring ${name}\n`);
  results.set(name, await measureImage(name));
}
if (process.argv.includes('--json')) {
  process.stdout.write(`${JSON.stringify({ rounds: ROUNDS, note: NOTE, images: Object.fromEntries(results) })}\n`);
} else {
  process.stdout.write(`${table(results)}\n${NOTE}\n`);
}
