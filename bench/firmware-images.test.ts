import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadElf } from '../emulator/index.js';
import { bytes, hex, RawTerminal } from './testing/raw-terminal.js';

const firmware = join(dirname(fileURLToPath(import.meta.url)), '..', 'devices', 'firmware');
const images = join(firmware, 'images');
const missing = ['arm-none-eabi-gcc', 'make'].filter((tool) => spawnSync(tool, ['--version']).status !== 0);
/** The images for chips: the code memory that must hold each, and the static RAM it may take, bytes. */
const products = [{ name: 'card', code: 65_536, ram: 704 }, { name: 'card-small', code: 32_768, ram: 320 }] as const;
const imageOn = (profile: string): (typeof products)[number]['name'] => (profile === 'c2000' ? 'card-small' : 'card');

interface SizeReport {
  readonly codeBytes: number;
  readonly staticRamBytes: number;
  readonly stack: Record<'coprocessor' | 'software', { readonly reserve: number; readonly bytes: number; readonly chain: readonly { readonly bytes: number }[] }>;
}

const reportOf = (name: string): SizeReport => JSON.parse(readFileSync(join(images, `${name}.size.json`), 'utf8')) as SizeReport;
const files = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)).sort();

describe.skipIf(missing.length > 0)(`rebuild${missing.length > 0 ? ` (skipped: no ${missing.join(', ')}; enable with: bash .ci/system-packages)` : ''}`, () => {
  test('the committed images are what their sources give, bit for bit, wherever they are built', () => {
    const scratch = mkdtempSync(join(tmpdir(), 'cardbench-firmware-'));
    try {
      const out = join(scratch, 'images');
      execFileSync('make', ['-s', '-C', firmware, `OUT=${out}`, `BUILD=${join(scratch, 'objects')}`, 'all', 'faulty'], { stdio: 'pipe' });
      expect(files(out)).toEqual(files(images));
      const different = files(images).filter((file) => !readFileSync(join(images, file)).equals(readFileSync(join(out, file))));
      expect(different).toEqual([]);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
});

describe('size and stack', () => {
  test.each(products)('$name fits the smallest chip it is for', ({ name, code, ram }) => {
    const report = reportOf(name);
    expect(report.codeBytes).toBeLessThanOrEqual(code);
    expect(report.staticRamBytes).toBeLessThanOrEqual(ram);
    for (const { reserve, bytes: worst, chain } of Object.values(report.stack)) {
      expect(worst).toBeLessThanOrEqual(reserve);
      expect(chain.reduce((sum, frame) => sum + frame.bytes, 0)).toBeLessThan(worst);
    }
  });

  test('each faulty build is another program than the reference', () => {
    const names = readFileSync(join(firmware, 'faulty.list'), 'utf8').split('\n').filter((line) => /^[a-z]/.test(line)).map((line) => line.split(' ')[0]);
    const code = (file: string): string =>
      loadElf(readFileSync(join(images, file))).segments.map(({ data }) => Buffer.from(data).toString('base64')).join();
    expect(files(join(images, 'faulty'))).toEqual(names.map((name) => `${name}.elf`).sort());
    const reference = code('card.elf');
    for (const name of names) expect(code(`faulty/${name}.elf`) === reference, name).toBe(false);
  });
});

describe('the reference image', () => {
  test.each(['c2000', 'c2010', 'modern'] as const)('%s: ATR, SELECT, key pairs and public keys, in both protocols', (profile) => {
    for (const protocol of [0, 1]) {
      const t = new RawTerminal(profile, `${imageOn(profile)}.elf`);
      expect(t.atr()).toHaveLength(15);
      expect(t.characters[0].start).toBeLessThanOrEqual(t.clocks(40_000));
      t.pps(protocol, 0x95, [512, 16]);
      const send = (apdu: string, data = ''): string => {
        if (protocol === 1) return hex(t.apdu1([...bytes(apdu), ...bytes(data)]).out);
        const first = t.apdu0(bytes(apdu).length === 4 ? [...bytes(apdu), 0] : bytes(apdu), bytes(data)).out;
        if (first[0] !== 0x61 && first[0] !== 0x6c) return hex(first);
        const header = first[0] === 0x61 ? [0, 0xc0, 0, 0] : bytes(apdu).slice(0, 4);
        return hex(t.apdu0([...header, first[1]], [], first[1]).out);
      };
      expect(send('00 A4 04 00 0A', 'F0 43 41 52 44 42 45 4E 43 48')).toMatch(/^(6f .* 90 00|61 ..)$/);
      expect(send('80 46 00 00')).toBe('90 00');
      expect(send('80 DA DF 10 08', '01 02 03 04 05 06 07 08')).toBe('90 00');
      for (const kind of ['03', '04']) expect(send(`80 40 ${kind} 00`)).toBe('90 00');
      expect(send('80 CA DF 06 00')).toMatch(/^9d 20 .* 90 00$/);
      expect(t.chip.violations).toEqual([]);
      expect(t.chip.profile.ram.bytes - (t.chip.usage().stackLow - 0x20000000)).toBeLessThanOrEqual(reportOf(imageOn(profile)).stack.coprocessor.bytes);
    }
  });

  test('the core sleeps while the coprocessor works and pages are written', () => {
    const t = new RawTerminal('c2000', 'card-small.elf');
    t.atr();
    t.pps(1, 0x95, [512, 16]);
    t.apdu1(bytes('80 46 00 00'));
    for (const kind of ['03', '04']) t.apdu1(bytes(`80 40 ${kind} 00`));
    const [cycles, instructions] = [t.chip.now, t.chip.machine.instructions];
    expect(t.apdu1(bytes('80 CA DF 06 00')).waits).toBeGreaterThan(0);
    expect(t.chip.now - cycles).toBeGreaterThan(2 * 2_663_896);
    expect(t.chip.machine.instructions - instructions).toBeLessThan(60_000);
  });

  test('without coprocessor', () => {
    const t = new RawTerminal('c2010', 'card.elf', ['crypto.present=false']);
    t.atr();
    t.pps(1, 0x95, [512, 16]);
    t.apdu1(bytes('80 46 00 00'));
    t.apdu1(bytes('80 40 03 00'));
    t.apdu1(bytes('80 40 04 00'));
    const { out, waits } = t.apdu1(bytes('80 CA DF 06 00'));
    expect(hex(out)).toMatch(/^9d 20 .* 90 00$/);
    expect(waits).toBeGreaterThan(0);
    expect(t.chip.violations).toEqual([]);
    expect(0x2000 - (t.chip.usage().stackLow - 0x20000000)).toBeLessThanOrEqual(reportOf('card').stack.software.bytes);
  });
});
