import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execCommand } from './exec.js';

const crypto = fileURLToPath(new URL('../../emulator/testing/images/crypto.elf', import.meta.url));

async function exec(...argv: string[]): Promise<{ code: number; out: string[]; err: string[] }> {
  const out: string[] = [];
  const err: string[] = [];
  let time = 0;
  const code = await execCommand(argv, { out: (x) => { out.push(x); }, err: (x) => { err.push(x); }, now: () => (time += 500) });
  return { code, out, err };
}

/** A raw image: SP, reset vector, then the halfwords. */
const raw = (...halves: number[]): Uint8Array => Uint8Array.from([0, 2, 0, 0x20, 9, 0, 0, 0, ...halves.flatMap((h) => [h & 0xff, h >> 8])]);

describe('cardbench exec', () => {
  let folder = '';
  const file = async (name: string, bytes: Uint8Array): Promise<string> => {
    await writeFile(join(folder, name), bytes);
    return join(folder, name);
  };
  beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'exec-')); });
  afterAll(async () => { await rm(folder, { recursive: true, force: true }); });

  it('runs to the BKPT and prints reason, counts, registers and dumps', async () => {
    const { code, out, err } = await exec(crypto, '--dump', '0x20000000:20', '--dump', '0x70000000:4');
    expect([code, err]).toEqual([0, []]);
    expect(out[0]).toMatch(/^stopped: bkpt at [0-9a-f]{8} reset_handler\+0x[0-9a-f]+ startup\.c:\d+$/);
    expect(out[1]).toBe('cycles 430009, instructions 295435, seconds 0.500, 0.6 M instructions/s');
    expect(out.join('\n')).toMatch(/ r0 71ed315c/);
    expect(out.at(-3)).toMatch(/^20000000:( [0-9a-f]{2}){16}$/);
    expect(out.slice(-2)).toEqual([expect.stringMatching(/^20000010:( [0-9a-f]{2}){4}$/), '70000000: unmapped']);
  });

  it.each(['auto', 'interpreter', 'wasm'])('prints the same with --engine %s', async (engine) => {
    const [given, plain] = [await exec(crypto, '--engine', engine), await exec(crypto)];
    expect(given).toEqual(plain);
  });

  it('stops at a symbol or an address and gives JSON', async () => {
    const { code, out } = await exec(crypto, '--stop-at', 'main', '--json');
    const report = JSON.parse(out.join('')) as { reason: string; at: string; pc: string; registers: Record<string, string> };
    expect([code, report.reason, report.at.split(' ')[0]]).toEqual([0, 'stop-at', 'main+0x0']);
    expect(report.registers.pc).toBe(report.pc);
    const again = await exec(crypto, '--stop-at', `0x${report.pc}`, '--json');
    expect(JSON.parse(again.out[0])).toMatchObject({ reason: 'stop-at', pc: report.pc });
  });

  it('gives 3 at the cycle limit, in lockup and in endless sleep', async () => {
    const limit = await exec(crypto, '--cycles', '1000', '--json');
    expect([limit.code, (JSON.parse(limit.out[0]) as { reason: string }).reason]).toEqual([3, 'limit']);
    const lockup = await exec(await file('lockup.bin', raw(0xde00)));
    expect([lockup.code, lockup.out[0].slice(0, 15)]).toEqual([3, 'stopped: lockup']);
    expect(lockup.out.join('\n')).toContain('violation: UNDEFINED at cycle 1, pc 00000008');
    const sleep = await exec(await file('sleep.bin', raw(0xbf30)));
    expect([sleep.code, sleep.out[0].slice(0, 22)]).toEqual([3, 'stopped: sleep-forever']);
  });

  it('runs on another chip', async () => {
    // str r1, [TRACE.EXIT]: ldr r0, =0x4000600c; movs r1, #n; str; b .
    const exit = (n: number): Uint8Array => raw(0x4801, 0x2100 | n, 0x6001, 0xe7fe, 0x600c, 0x4000);
    expect((await exec(await file('exit0.bin', exit(0)), '--chip', 'c2010')).code).toBe(0);
    const one = await exec(await file('exit1.bin', exit(7)), '--chip', 'c2010', '--json');
    expect([one.code, JSON.parse(one.out[0])]).toMatchObject([1, { reason: 'exit', exitCode: 7 }]);
  });

  it.each([
    ['no image', []],
    ['two images', [crypto, crypto]],
    ['an unknown option', [crypto, '--speed', '3']],
    ['a bad number', [crypto, '--cycles', 'many']],
    ['a bad dump', [crypto, '--dump', '0x20']],
    ['an unknown symbol', [crypto, '--stop-at', 'nowhere']],
    ['an unknown chip', [crypto, '--chip', 'c1995']],
    ['an unknown engine', [crypto, '--engine', 'steam']],
    ['a missing file', ['nowhere.elf']],
  ])('gives 2 and the usage for %s', async (_, argv) => {
    const { code, out, err } = await exec(...argv);
    expect([code, out]).toEqual([2, []]);
    expect(err.join('\n')).toContain('cardbench exec IMAGE');
  });

  it('gives 2 for a truncated image, with its code', async () => {
    const { code, err } = await exec(await file('short.elf', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 1, 1)));
    expect([code, err[0]]).toEqual([2, expect.stringMatching(/^IMAGE_TRUNCATED: /)]);
  });
});
