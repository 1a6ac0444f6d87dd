import { cpuSeconds, measure, type Row, type Section } from './measure.js';
import { OUTSIDE, outsideSpeed } from './outside.js';
import { chipSubject, genericSubject, readImage, rp2040Subject, type Subject } from './subjects.js';

const ROUNDS = 7;
const WARM_UP = 3;
const IMAGES = ['crypto', 'branchy'] as const;

const NAME = 'speed';
const UNIT = 'M instructions/s';

interface Entry {
  readonly subject: Subject;
  readonly count: number;
}

async function subjectsOf(image: string): Promise<Entry[]> {
  const [plain, tick, flash] = await Promise.all([`${image}-speed.elf`, `${image}-tick.elf`, `${image}-speed-10000000.elf`].map(readImage));
  return [
    { subject: genericSubject(plain, 'auto'), count: 200e6 },
    { subject: chipSubject(tick, 'auto'), count: 100e6 },
    { subject: genericSubject(plain, 'interpreter'), count: 20e6 },
    { subject: chipSubject(tick, 'interpreter'), count: 20e6 },
    { subject: rp2040Subject(flash), count: 4e6 },
  ];
}

/** Speeds of programs outside. */
async function outside(image: string, reference: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const program of OUTSIDE) {
    const speed = await outsideSpeed(program, image);
    const measured = 'mips' in speed ? { value: speed.mips, note: `${(speed.mips / reference).toFixed(1)} x rp2040js` } : { value: undefined, note: speed.missing };
    rows.push({ section: NAME, subject: image, what: program.name, unit: UNIT, ...measured });
  }
  return rows;
}

async function measureImage(image: string): Promise<Row[]> {
  const subjects = await subjectsOf(image);
  const speeds = measure(subjects, ROUNDS, WARM_UP, cpuSeconds);
  return [
    ...speeds.map(({ name, mips, ratio }): Row => ({
      section: NAME, subject: image, what: name, value: mips, unit: UNIT, note: `${ratio.toFixed(1)} x rp2040js`,
    })),
    ...(await outside(image, speeds[speeds.length - 1].mips)),
  ];
}

/** Instructions a second of CPU time: both engines, and the emulators there are on this machine, on the same images. */
export const enginesSection: Section = {
  name: NAME,
  async run(tell) {
    const rows: Row[] = [];
    for (const image of IMAGES) {
      tell(`speed of ${image}`);
      rows.push(...(await measureImage(image)));
    }
    return rows;
  },
};
