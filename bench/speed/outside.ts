import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadElf } from '../../emulator/index.js';
import { median } from './measure.js';
import { ROUNDS, instructionsOf, withRounds } from './rounds.js';
import { imagePath } from './subjects.js';

/** A speed, or why there is none. */
export type OutsideSpeed = { readonly mips: number } | { readonly missing: string };

/** A program that runs an image to its BKPT. */
export interface OutsideProgram {
  readonly name: string;
  /** Why it cannot be run here; undefined when it can. */
  missing(): string | undefined;
  /** CPU seconds for a whole run, start-up included. */
  seconds(file: string, elf: Uint8Array): number;
}

const TRIES = 3;
const LIMIT_MS = 120_000;

function qemu(name: string, more: readonly string[]): OutsideProgram {
  return {
    name,
    missing: () => (spawnSync('qemu-system-arm', ['--version'], { timeout: 10_000 }).status === 0 ? undefined : 'not installed: bash .ci/system-packages'),
    // The BKPT ends in a lockup, by which QEMU aborts; the shell tells what CPU time its child has used.
    seconds: (file) => {
      const script = 'ulimit -c 0; qemu-system-arm "$@" >/dev/null 2>&1; times';
      const args = ['-M', 'microbit', ...more, '-display', 'none', '-serial', 'null', '-monitor', 'none', '-kernel', file];
      const { stdout } = spawnSync('sh', ['-c', script, 'sh', ...args], { encoding: 'utf8', timeout: LIMIT_MS });
      const [minutes, rest] = (stdout.trim().split('\n').at(-1)?.split(' ')[0] ?? '').split('m');
      return Number(minutes) * 60 + Number.parseFloat(rest);
    },
  };
}

const UNICORN_SCRIPT = `
import json, sys, time
from unicorn import Uc, UC_ARCH_ARM, UC_MODE_THUMB, UC_MODE_MCLASS
from unicorn.arm_const import UC_ARM_REG_SP
job = json.load(sys.stdin)
uc = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
uc.mem_map(0, 0x40000)
uc.mem_map(0x20000000, 0x10000)
for address, data in job['segments']:
    uc.mem_write(address, bytes.fromhex(data))
uc.reg_write(UC_ARM_REG_SP, job['sp'])
start = time.process_time()
uc.emu_start(job['entry'] | 1, job['end'])
print(time.process_time() - start)
`;

/** Address of the first BKPT #0 behind the reset handler's start. */
function endOf(code: Uint8Array, entry: number): number {
  for (let at = entry & ~1; at + 1 < code.length; at += 2) if (code[at] === 0 && code[at + 1] === 0xbe) return at;
  throw new RangeError('the image has no BKPT');
}

const unicorn: OutsideProgram = {
  name: 'Unicorn, no hooks',
  missing: () => (spawnSync('python3', ['-c', 'import unicorn'], { timeout: 20_000 }).status === 0 ? undefined : 'not installed'),
  seconds: (_, elf) => {
    const { segments } = loadElf(elf);
    const code = segments[0].data;
    const view = new DataView(code.buffer, code.byteOffset);
    const entry = view.getUint32(4, true);
    const job = { segments: segments.map(({ address, data }) => [address, Buffer.from(data).toString('hex')]), sp: view.getUint32(0, true), entry, end: endOf(code, entry) };
    const { stdout } = spawnSync('python3', ['-c', UNICORN_SCRIPT], { input: JSON.stringify(job), encoding: 'utf8', timeout: LIMIT_MS });
    return Number.parseFloat(stdout);
  },
};

/** The programs outside that the benchmark knows. */
export const OUTSIDE: readonly OutsideProgram[] = [qemu('QEMU TCG, counts no cycles', []), qemu('QEMU TCG, -icount', ['-icount', 'shift=0']), unicorn];

/** Millions of instructions a second of CPU time of `program` on a speed image; start-up cancels in the difference of two lengths. */
export async function outsideSpeed(program: OutsideProgram, image: string): Promise<OutsideSpeed> {
  const missing = program.missing();
  if (missing !== undefined) return { missing };
  const folder = await mkdtemp(join(tmpdir(), 'cardbench-speed-'));
  try {
    const elf = new Uint8Array(await readFile(imagePath(`${image}-speed.elf`)));
    const images = ROUNDS[image].map((rounds) => withRounds(elf, rounds));
    const files = images.map((_, k) => join(folder, `${k}.elf`));
    await Promise.all(images.map((bytes, k) => writeFile(files[k], bytes)));
    const [short, long] = images.map(instructionsOf);
    const times = Array.from({ length: TRIES }, () => images.map((bytes, k) => program.seconds(files[k], bytes)));
    const seconds = median(times.map(([a, b]) => b - a));
    return seconds > 0 ? { mips: (long - short) / seconds / 1e6 } : { missing: `no usable time: ${seconds} s` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
