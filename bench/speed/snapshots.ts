import { readFile } from 'node:fs/promises';
import { createChip, createMachine, loadElf, loadProfile } from '../../emulator/index.js';
import { cpuSeconds, median, type Row, type Section } from './measure.js';
import { readImage, sourceFile } from './subjects.js';

const NAME = 'snapshots';
const COUNT = 2_000;
const ROUNDS = 7;

/** Microseconds of CPU time of one `action`, median over rounds. */
function microseconds(action: () => void): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const start = cpuSeconds();
    for (let k = 0; k < COUNT; k++) action();
    return ((cpuSeconds() - start) * 1e6) / COUNT;
  });
  return median(times);
}

function row(subject: string, what: string, value: number): Row {
  return { section: NAME, subject, what, value, unit: 'us' };
}

async function bare(engine: 'interpreter' | 'wasm'): Promise<Row[]> {
  const machine = createMachine({ core: 'cortex-m0', code: { size: 0x40000 }, ram: { size: 0x10000 }, engine });
  machine.loadImage(await readImage('crypto-speed.elf'));
  machine.reset('power-on');
  machine.run({ until: 200_000 });
  const snapshot = machine.snapshot();
  return [
    row(`generic, 64 KB RAM, ${engine}`, 'snapshot', microseconds(() => { machine.snapshot(); })),
    row(`generic, 64 KB RAM, ${engine}`, 'restore', microseconds(() => { machine.restore(snapshot); })),
  ];
}

async function chip(engine: 'interpreter' | 'wasm'): Promise<Row[]> {
  const image = loadElf(new Uint8Array(await readFile(sourceFile('devices/firmware/images/card.elf'))));
  const made = createChip({ profile: loadProfile('c2010'), image, engine });
  made.run(1_000_000);
  const snapshot = made.snapshot();
  return [
    row(`c2010 with card.elf, ${engine}`, 'snapshot', microseconds(() => { made.snapshot(); })),
    row(`c2010 with card.elf, ${engine}`, 'restore', microseconds(() => { made.restore(snapshot); })),
  ];
}

/** CPU time of taking a state and of going back to it. */
export const snapshotsSection: Section = {
  name: NAME,
  async run(tell) {
    tell('snapshots');
    return [...(await bare('interpreter')), ...(await bare('wasm')), ...(await chip('interpreter')), ...(await chip('wasm'))];
  },
};
